"""Real DICOM files: pixels equal to pydicom's, or one clear line; skipped where the files are not."""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from spinetk.images import read_picture
from spinetk.images.decode import check_pixels, decode_frame
from spinetk.images.guard import quiet
from spinetk.images.headers import open_header

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data" / "dicom"
pytestmark = pytest.mark.data("dicom")


@pytest.fixture(scope="module")
def corpus():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    import dicom_corpus

    return dicom_corpus.table(DATA)


def test_nothing_is_wrong(corpus):
    _, verdicts = corpus
    assert [f"{path.relative_to(DATA)}: {why}" for path, verdict, why in verdicts if verdict == "wrong"] == []


def test_most_are_read(corpus):
    counts, _ = corpus
    assert {folder: row["refused"] for folder, row in counts.items() if row["refused"]} == {"malformed": 14}
    assert sum(row["read"] + row["beyond"] for row in counts.values()) >= 152


def test_decoded_values_are_those_listed():
    checked = 0
    for table in sorted(DATA.glob("*/expected.csv")):
        with open(table, newline="") as stream:
            for row in csv.DictReader(stream):
                known = re.fullmatch(r"\((.*)\) (\S+) (\S+)\.\.(\S+)", row["arr"])
                if not known:
                    continue
                shape = tuple(int(v) for v in known[1].split(",") if v.strip())
                with quiet():
                    header = open_header(table.parent / row["file"])
                    with header.stream:
                        options = check_pixels(header)
                        frames = [decode_frame(header, options, index, []) for index in range(header.frames)]
                values = np.stack(frames) if header.frames > 1 else frames[0]
                assert values.shape == shape, row["file"]
                assert values.dtype.newbyteorder("=") == np.dtype(known[2]).newbyteorder("="), row["file"]
                assert (float(values.min()), float(values.max())) == (float(known[3]), float(known[4])), row["file"]
                checked += 1
    assert checked > 130


def test_repaired_jpeg_shows_what_the_other_codecs_show():
    """The same hip in JPEG-LS (near lossless) and in 12-bit JPEG with a wrong scan header."""
    base = DATA / "radiographs/dicom-test-files/data/WG04/JLSN/RG2_JLSN"
    repaired = read_picture(DATA / "malformed/dicom-test-files/data/WG04/JPLY/RG2_JPLY")
    assert "a wrong scan header in its JPEG was corrected" in repaired.remarks
    assert np.corrcoef(repaired.pixels.ravel(), read_picture(base).pixels.ravel())[0, 1] > 0.999


def test_cervical_radiographs():
    """MONOCHROME1, rescaled, detector-plane spacing."""
    for path in sorted((DATA / "spine").rglob("CR*/*")):
        picture = read_picture(path)
        assert picture.inverted
        assert (picture.frame.spacing_mm, picture.frame.spacing_source) == ((0.1, 0.1), "ImagerPixelSpacing")
        assert any("magnified" in remark for remark in picture.remarks)

"""What a reading keeps beside points: formats bring front, refusal and orientation back, or say that they do not."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from spinetk.errors import InputError
from spinetk.facing import Facing
from spinetk.formats.loss import lost
from spinetk.formats.registry import formats, read, readable, writable
from spinetk.geometry import Frame
from spinetk.measure import measure
from spinetk.phantoms import lateral_radiograph, write_dicom
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6

HIP = "BodyPartExamined is HIP, which shows no spine"
BODY = np.array([[20, 42], [45, 42], [70, 42], [70, 20], [45, 20], [20, 20]], float)
BOTH = [name for name, entry in writable().items() if name in readable() and "points" in entry.holds]


@pytest.fixture
def reading(tmp_path) -> Reading:
    """A wedge on a DICOM film whose header tells no front; nobody may grade it."""
    pytest.importorskip("highdicom")
    path = write_dicom(lateral_radiograph(4, region="lumbar", spacing_mm=1.0), tmp_path / "film.dcm")
    import pydicom

    header = pydicom.dcmread(path)
    del header.PatientOrientation
    header.save_as(path)
    vertebrae = [Vertebra.from_points(BODY + [0, 30 * k], label=f"L{k + 1}", score=0.9) for k in range(4)]
    found = Reading(
        str(path), int(header.Rows), int(header.Columns), VERTEBRA6, vertebrae, Frame((1.0, 1.0)), "lateral"
    )
    return replace(found, facing=Facing("right", "sacrum", 0.97), not_graded=HIP, threshold=0.6, label_probability=0.96)


@pytest.mark.parametrize("name", BOTH)
def test_front_and_refusal_come_back_or_their_loss_is_said(name, reading, tmp_path):
    entry = formats()[name]
    path = entry.path_in(tmp_path, "report" if name in ("sr", "ours") else "film")
    said = " ".join(lost(entry, [reading]))
    assert ("the patient's front (1)" in said) == ("front" not in entry.holds)
    assert ("why a reading has no grades (1)" in said) == ("refusals" not in entry.holds)
    (item,) = read(entry.write(path, [reading])[0])
    found = item.reading()
    held = (found.facing, found.not_graded, found.threshold, found.label_probability)
    if {"front", "refusals"} <= entry.holds:
        assert held == (reading.facing, HIP, 0.6, 0.96)
        assert all(v.measures["deformity"] is None for v in measure(found).vertebrae)
    else:
        assert held == (None,) * 4


def test_a_front_that_the_header_tells_is_not_lost(reading):
    told = replace(reading, frame=Frame((1.0, 1.0), None, "P", "F"), not_graded=None)
    assert not any("front" in line for entry in writable().values() for line in lost(entry, [told]))


@pytest.mark.parametrize("name", ["coco", "ours"])
@pytest.mark.parametrize(
    ("own", "wanted"),
    [
        (Frame((0.4, 0.25), "user", exif_orientation=6), Frame((0.4, 0.25), "user", exif_orientation=6)),
        (Frame((0.4, 0.25), "user"), Frame((0.4, 0.25), "user", exif_orientation=6)),  # what only the picture says
        (
            Frame(None, None, "P", "F"),
            Frame(None, None, "P", "F", exif_orientation=6),
        ),  # and what only the reading does
        (Frame(pixel_aspect=2.0), Frame(pixel_aspect=2.0, exif_orientation=6)),
    ],
)
def test_a_frame_comes_back_whole(name, own, wanted, tmp_path):
    tag = Image.Exif()
    tag[0x0112] = 6
    Image.fromarray(np.zeros((140, 90), np.uint8)).save(tmp_path / "film.jpg", exif=tag)
    entry = formats()[name]
    told = Reading(str(tmp_path / "film.jpg"), 140, 90, VERTEBRA6, [Vertebra.from_points(BODY)], own)
    entry.write(entry.path_in(tmp_path, "film"), [told])
    (item,) = read(entry.path_in(tmp_path, "film"))
    assert item.reading().frame == wanted


@pytest.mark.parametrize(
    "wrong",
    [
        {"facing": {"side": "up"}},
        {"facing": "left"},
        {"facing": {"side": "left", "confidence": "high"}},
        {"threshold": "high"},
        {"threshold": 60},
        {"label_probability": -0.1},
    ],
)
def test_a_malformed_judgement_in_coco_is_named(wrong, reading, tmp_path):
    formats()["coco"].write(tmp_path / "coco.json", [reading])
    content = json.loads((tmp_path / "coco.json").read_text())
    content["images"][0] |= wrong
    (tmp_path / "coco.json").write_text(json.dumps(content))
    (error,) = read(tmp_path / "coco.json")
    assert isinstance(error, InputError)
    assert f"field '{next(iter(wrong))}'" in str(error)


@pytest.mark.parametrize("name", BOTH)
def test_points_outside_the_picture_and_other_names_come_back_or_are_counted(name, reading, tmp_path):
    entry = formats()[name]
    beyond = BODY + [0, reading.height - 31.25]  # the lower endplate lies 11 px and more below the last row
    vertebrae = [replace(reading.vertebrae[0], label="banana"), Vertebra.from_points(beyond, label="L5")]
    told = replace(reading, vertebrae=vertebrae, facing=None, not_graded=None)
    said = " ".join(lost(entry, [told]))
    assert ("points outside the picture (3)" in said) == ("outside" not in entry.holds)
    assert ("names that are no levels (1)" in said) == ("levels" in entry.holds and "other names" not in entry.holds)
    (item,) = read(entry.write(entry.path_in(tmp_path, "r" if name in ("sr", "ours") else "film"), [told])[0])
    upper, lower = item.vertebrae
    assert (upper.label == "banana") == ("other names" in entry.holds)
    whole = lower.visible.all() and np.allclose(lower.points, beyond, atol=0.01)
    assert whole == ("outside" in entry.holds)

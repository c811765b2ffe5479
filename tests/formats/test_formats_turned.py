"""Pictures that do not stand as they are stored: those whose files say so, and those that were turned by their look."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from whole import rich

from spinetk.formats.loss import lost
from spinetk.formats.registry import Format
from spinetk.geometry import Frame
from spinetk.images.plain import exif_orientation

NOTHING = Format(name="x", title="X")
ORIENTATION = 0x0112


def picture(path, orientation=None):
    """A file as Pillow writes it, with or without the tag."""
    exif = Image.Exif()
    if orientation is not None:
        exif[ORIENTATION] = orientation
    Image.fromarray(np.zeros((256, 128), np.uint8)).save(path, exif=exif)
    return path


def said(*readings):
    return [line for line in lost(NOTHING, readings) if "turn" in line]


def test_each_is_counted_for_what_it_is(tmp_path):
    tagged = [picture(tmp_path / name, 6) for name in ("a.jpg", "b.png", "c.tif")]
    plain = [picture(tmp_path / name) for name in ("d.jpg", "e.png")]
    turned = [rich(str(path), frame=Frame(exif_orientation=6)) for path in (*tagged, *plain)]
    upright = rich(str(plain[0]), frame=Frame())
    by_file, by_look = said(*turned, upright)
    assert by_file.startswith("EXIF turns 3 of the pictures: points are in px as stored, and off in programs that turn")
    assert by_look == (
        "2 of the pictures lie turned and do not say so: points are in px as stored, as programs show them"
    )
    assert said(turned[3]) == [by_look.replace("2", "1", 1)]
    assert said(upright) == []


def test_of_a_picture_that_is_gone_its_result_is_believed(tmp_path):
    (line,) = said(rich(str(tmp_path / "gone.jpg"), frame=Frame(exif_orientation=3)))
    assert line.startswith("EXIF turns 1 of the pictures")


@pytest.mark.parametrize(("tag", "found"), [(None, 1), (1, 1), (8, 8), (9, 1)])
def test_what_a_file_says(tmp_path, tag, found):
    assert exif_orientation(picture(tmp_path / "a.jpg", tag)) == found
    (tmp_path / "a.dcm").write_bytes(b"\0" * 128 + b"DICM")
    assert exif_orientation(tmp_path / "a.dcm") == 1

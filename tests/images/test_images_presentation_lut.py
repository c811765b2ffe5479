"""The presentation LUT of a file: applied as pydicom applies it, once, and its polarity believed and said."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from image_seeds import dicom, lut, to_bytes
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_presentation_lut

from spinetk.images import read_picture
from spinetk.images.display import to_display
from spinetk.images.info import describe

TOP = 4095
STORED = np.linspace(0, TOP, 40 * 30).round().astype(np.uint16).reshape(40, 30)
TWELVE = {"BitsStored": 12, "HighBit": 11}
FALLING = 60000 - (np.arange(TOP + 1) ** 2 // 300)
RISING = np.sqrt(np.arange(TOP + 1)).round().astype(int) * 900
APPLIED = "presentation LUT was applied"
BELIEVED = ", against {}: it was believed, check the polarity"


def read(tmp_path, **tags):
    path = tmp_path / "film.dcm"
    path.write_bytes(to_bytes(dicom(STORED, **TWELVE, **tags)))
    return read_picture(path), pydicom.dcmread(path), describe(path)["polarity"]


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("entries", [FALLING, RISING], ids=["falling", "rising"])
def test_it_is_the_whole_way_to_brightness(tmp_path, entries, photometric):
    tags = {"PresentationLUTSequence": [lut(entries, 0)], "PhotometricInterpretation": photometric}
    picture, stored, polarity = read(tmp_path, **tags)
    np.testing.assert_array_equal(picture.pixels, apply_presentation_lut(stored.pixel_array, stored))
    falls = entries is FALLING
    assert (picture.inverted, polarity) == (falls, "inverse" if falls else "normal")
    assert APPLIED in picture.remarks
    word = f"the presentation LUT {'falls' if falls else 'rises'}" + BELIEVED.format(photometric)
    assert (word in picture.remarks) == (falls != (photometric == "MONOCHROME1"))


def test_what_a_window_or_a_voi_lut_gives_is_scaled_onto_all_entries(tmp_path):
    """PS3.3 C.11.6.1; by hand: of five entries the ends of the window are the first and the last."""
    five = {"PresentationLUTSequence": [lut(np.array([50000, 40000, 30000, 20000, 1000]), 0)]}
    window = {"WindowCenter": 2000, "WindowWidth": 1600, "VOILUTFunction": "LINEAR_EXACT"}
    picture, _, _ = read(tmp_path, **five, **window)
    place = np.rint(np.clip((STORED.astype(float) - 1200) / 1600, 0, 1) * 4).astype(int)
    np.testing.assert_array_equal(picture.pixels, np.array([50000, 40000, 30000, 20000, 1000])[place])
    # A VOI LUT of 16 bits that shows the upper half alone: what it gives runs from 0 to 65535.
    half = np.clip(np.arange(TOP + 1) - 2048, 0, 2047) * 32
    picture, _, _ = read(tmp_path, **five, VOILUTSequence=[lut(half, 0)])
    place = np.rint(half[STORED] / 65535 * 4).astype(int)
    np.testing.assert_array_equal(picture.pixels, np.array([50000, 40000, 30000, 20000, 1000])[place])
    assert picture.inverted


def test_layers_of_a_volume_are_turned_over_and_keep_their_steps():
    """Without the curve of the LUT, which is about one slice in its window; about all that can be stored."""
    ds = Dataset()
    ds.BitsStored, ds.PresentationLUTSequence = 12, [lut(FALLING, 0)]
    values, inverted = to_display(np.array([[3, 5, 9]], np.uint16), ds, 0, None, [], window=False)
    assert (values.tolist(), inverted) == ([[4092, 4090, 4086]], True)
    ds.PresentationLUTSequence = [lut(RISING, 0)]
    values, inverted = to_display(np.array([[3, 5, 9]], np.uint16), ds, 0, None, [], window=False)
    assert (values.tolist(), inverted) == ([[3, 5, 9]], False)


@pytest.mark.parametrize("entries", [FALLING[:1000], np.full(4096, 7)], ids=["cut short", "flat"])
def test_one_that_cannot_be_used_is_said_and_the_photometric_interpretation_holds(tmp_path, entries):
    item = lut(entries, 0)
    item.LUTDescriptor = [4096, 0, 16]
    tags = {"PresentationLUTSequence": [item], "PhotometricInterpretation": "MONOCHROME1"}
    picture, _, polarity = read(tmp_path, **tags)
    np.testing.assert_array_equal(picture.pixels, TOP - STORED.astype(float))
    assert (picture.inverted, polarity) == (True, "inverse")
    assert "damaged presentation LUT was ignored" in picture.remarks


@pytest.mark.parametrize(
    ("photometric", "shape", "inverted", "said"),
    [
        ("MONOCHROME1", "INVERSE", True, False),
        ("MONOCHROME2", "IDENTITY", False, False),
        ("MONOCHROME1", "IDENTITY", True, True),
        ("MONOCHROME2", "INVERSE", True, True),
    ],
)
def test_a_shape_that_contradicts_the_photometric_interpretation_is_said(tmp_path, photometric, shape, inverted, said):
    picture, _, _ = read(tmp_path, PhotometricInterpretation=photometric, PresentationLUTShape=shape)
    assert picture.inverted == inverted
    words = f"{photometric} and PresentationLUTShape {shape} contradict each other: check the polarity"
    assert (words in picture.remarks) == said

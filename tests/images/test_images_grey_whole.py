"""Stored values to grey, step by step (PS3.3 C.11.1, C.11.2, C.11.6): values, what is said, and whether turned over."""

from __future__ import annotations

import numpy as np
import pytest
from image_seeds import head, lut
from pydicom.dataset import Dataset

from spinetk.images.display import _look_up, _modality, _signed, _voi, padding_mask

WINDOW = "the window of the file was applied"


def raw_head(**tags) -> Dataset:
    """As :func:`head`, of integers that need not fit what the standard says of them."""
    ds = Dataset()
    for name, value in tags.items():
        ds.add_new(name, "SL" if isinstance(value, int) else "LO", value)
    return ds


# --- padding ---


@pytest.mark.parametrize(
    ("tags", "value"),
    [
        ({}, None),
        ({"PixelPaddingValue": 5}, 5),
        ({"PixelPaddingValue": -5}, 65531),  # unsigned: the bits of the other kind
        ({"PixelPaddingValue": -5, "PixelRepresentation": 1}, -5),
        ({"PixelPaddingValue": 32767, "PixelRepresentation": 1}, 32767),
        ({"PixelPaddingValue": 32768, "PixelRepresentation": 1}, -32768),
        ({"PixelPaddingValue": 65531, "PixelRepresentation": 1}, -5),
        ({"PixelPaddingValue": 251, "PixelRepresentation": 1, "BitsAllocated": 8}, -5),
        ({"PixelPaddingValue": -5, "BitsAllocated": 8}, 251),
        ({"PixelPaddingValue": -5, "BitsAllocated": 32}, (1 << 32) - 5),
        ({"PixelPaddingValue": -5, "BitsAllocated": 64}, -5),
        ({"PixelPaddingValue": 0}, 0),
        ({"PixelPaddingValue": -1, "PixelRepresentation": 0, "BitsAllocated": 16}, 65535),
    ],
)
def test_padding_values_in_the_sense_of_the_pixels(tags, value):
    assert _signed(raw_head(**tags), "PixelPaddingValue") == value


def test_pixels_that_are_padding():
    stored = np.array([[0, 1, 2], [3, 4, 5]], np.uint16)

    def places(**tags):
        mask = padding_mask(stored, raw_head(**tags))
        return None if mask is None else stored[mask].tolist()

    assert places() is None
    assert places(PixelPaddingRangeLimit=3) is None
    assert places(PixelPaddingValue=2) == [2]
    assert places(PixelPaddingValue=9) is None
    assert places(PixelPaddingValue=1, PixelPaddingRangeLimit=3) == [1, 2, 3]
    assert places(PixelPaddingValue=3, PixelPaddingRangeLimit=1) == [1, 2, 3]
    assert places(PixelPaddingValue=3, PixelPaddingRangeLimit=3) == [3]
    assert places(PixelPaddingValue=0, PixelPaddingRangeLimit=5) is None  # no picture would be left
    assert places(PixelPaddingValue=1, PixelPaddingRangeLimit=5) == [1, 2, 3, 4, 5]


# --- modality ---


def table(descriptor, data, vr="US"):
    item = Dataset()
    item.add_new("LUTDescriptor", "SL", list(descriptor))
    item.add_new("LUTData", vr, data)
    return item


def test_values_are_looked_up_in_tables():
    values = np.array([[-7, 9, 10, 11, 12.9, 400]])
    entries = [100, 200, 65535]
    for signed in (False, True):
        grey_, ends = _look_up(values, table([3, 10, 16], entries), signed, "<")
        assert grey_.tolist() == [[100, 100, 100, 200, 65535, 65535]]
        assert (grey_.dtype, ends) == (np.float32, (0, 65535))
    assert _look_up(values, table([3, 10, 12], entries), False, "<")[1] == (0, 4095)
    assert _look_up(values, table([3, 10, 1], entries), False, "<")[1] == (0, 1)
    assert (
        _look_up(values, table([2, 10, 16], entries), False, "<")[0].max() == 200
    )  # the rest of the data is none of it
    # The first value mapped is negative where the values are.
    assert _look_up(np.array([[-6, -5, -4]]), table([3, 65531, 16], entries), True, "<")[0].tolist() == [
        [100, 100, 200]
    ]
    assert _look_up(np.array([[-6, -5, 4]]), table([3, 65531, 16], entries), False, "<")[0].tolist() == [[100] * 3]
    assert _look_up(np.array([[32767, 32768]]), table([3, 32767, 16], entries), True, "<")[0].tolist() == [[100, 200]]
    assert _look_up(np.array([[-32768, 0]]), table([3, 32768, 16], entries), True, "<")[0].tolist() == [[100, 65535]]
    # No number of entries stands for 65536.
    whole = np.arange(65536)[::-1].tolist()
    assert _look_up(np.array([[0, 65535]]), table([0, 0, 16], whole), False, "<")[0].tolist() == [[65535, 0]]
    # Entries as bytes: words in the file's order, or bytes where there are too few for words.
    for order in "<>":
        words = np.array(entries, f"{order}u2").tobytes()
        assert _look_up(values, table([3, 10, 16], words, "OW"), False, order)[0][0, 3:].tolist() == [200, 65535, 65535]
    assert _look_up(values, table([3, 10, 8], b"\1\2\xff\0", "OW"), False, ">")[0][0, 2:].tolist() == [1, 2, 255, 255]
    # A signed entry is meant as the bits of an unsigned one.
    assert _look_up(values, table([3, 10, 16], [1, -1, 2], "SS"), False, "<")[0][0, 3] == 65535


@pytest.mark.parametrize(
    "item",
    [
        table([3, 10], [1, 2, 3]),
        table([4, 10, 16], [1, 2, 3]),
        table([3, 10, 0], [1, 2, 3]),
        table([3, 10, 17], [1, 2, 3]),
        table([3, 10, 16], b"\1\2", "OW"),
        table([3, 10, 16], ["a", "b", "c"], "LO"),
        head(LUTDescriptor=[3, 10, 16]),
        head(LUTData=[1, 2, 3]),
    ],
)
def test_tables_that_are_none(item):
    assert _look_up(np.array([[10]]), item, False, "<") is None
    remarks: list[str] = []
    stored = np.array([[10, 20]], np.uint16)
    assert _modality(stored, head(ModalityLUTSequence=[item], RescaleSlope=2), 0, remarks).tolist() == [[20, 40]]
    assert _voi(stored.astype(float), head(VOILUTSequence=[item]), 0, None, remarks)[1] is None
    assert remarks == ["damaged modality LUT was ignored", "damaged VOI LUT was ignored"]


def rescaled(stored, **tags):
    remarks: list[str] = []
    values = _modality(stored, head(**tags), 0, remarks)
    return values.tolist(), values.dtype, remarks


def test_values_are_rescaled():
    stored = np.array([[0, 3]], np.uint16)
    single, double = np.float32, np.float64
    ignored = ["impossible rescale was ignored"]
    assert rescaled(stored) == ([[0, 3]], single, [])
    assert rescaled(stored, RescaleSlope=2) == ([[0, 6]], single, [])
    assert rescaled(stored, RescaleIntercept=-5) == ([[-5, -2]], single, [])
    assert rescaled(stored, RescaleSlope=0.5, RescaleIntercept=1) == ([[1, 2.5]], single, [])
    assert rescaled(stored, RescaleSlope=0, RescaleIntercept=1) == ([[0, 3]], single, ignored)
    assert rescaled(stored, RescaleSlope="2e12") == ([[0, 3]], single, ignored)
    assert rescaled(stored, RescaleSlope="-2e12") == ([[0, 3]], single, ignored)
    assert rescaled(stored, RescaleIntercept="-2e12") == ([[0, 3]], single, ignored)
    assert rescaled(stored, RescaleSlope="1e12") == ([[0, 3 * single(1e12)]], single, [])
    assert rescaled(stored, VOILUTSequence=[Dataset()]) == ([[0, 3]], double, [])
    # What has more than 24 bits stays exact.
    for kind in (np.uint32, np.int32, np.float64):
        assert rescaled(np.array([[16_777_217]], kind), RescaleIntercept=2) == ([[16_777_219]], double, [])
    assert rescaled(np.array([[-3]], np.int8), RescaleSlope=2) == ([[-6]], single, [])


def test_a_frame_s_own_rescale_and_window_come_first():
    per_frame = [
        head(
            PixelValueTransformationSequence=[head(RescaleSlope=k, RescaleIntercept=1)],
            FrameVOILUTSequence=[head(WindowCenter=10 * k, WindowWidth=21)],
        )
        for k in (2, 3)
    ]
    ds = head(PerFrameFunctionalGroupsSequence=per_frame, RescaleSlope=7, WindowCenter=700, WindowWidth=7)
    assert _modality(np.array([[5]], np.uint16), ds, 1, []).tolist() == [[16]]
    values = np.array([[18.0, 19.5, 29.5, 39.5, 50]])  # 29.5 - 10 to 29.5 + 10
    assert _voi(values, ds, 1, None, [])[0].tolist() == [[0, 0, 127.5, 255, 255]]


def test_a_modality_table_comes_before_a_rescale():
    item = table([2, -1, 16], [7, 9])
    stored = np.array([[-1, 0]], np.int16)
    remarks: list[str] = []
    values = _modality(stored, head(ModalityLUTSequence=[item], RescaleSlope=2, PixelRepresentation=1), 0, remarks)
    assert (values.tolist(), remarks) == ([[7, 9]], [])
    item = table([2, 65535, 16], [7, 9])
    assert _modality(stored, head(ModalityLUTSequence=[item], PixelRepresentation=1), 0, []).tolist() == [[7, 9]]
    assert _modality(stored, head(ModalityLUTSequence=[item], PixelRepresentation=0), 0, []).tolist() == [[7, 7]]


# --- window ---


def windowed(values, padding=None, **tags):
    remarks: list[str] = []
    seen, ends = _voi(np.array(values, np.float64), head(**tags), 0, padding, remarks)
    return np.round(seen, 3).tolist(), ends, remarks


def test_windows_of_each_function():
    """PS3.3 C.11.2.1.2.1 and C.11.2.1.3: LINEAR 0 to 200 has the centre 100.5 and the width 201."""
    values = [[-5.0, 0, 50, 100, 200, 300]]
    said = [WINDOW]
    expected = [[0, 0, 63.75, 127.5, 255, 255]]
    linear = {"WindowCenter": 100.5, "WindowWidth": 201}
    assert windowed(values, **linear) == (expected, (0, 255), said)
    assert windowed(values, **linear, VOILUTFunction="LINEAR") == (expected, (0, 255), said)
    exact = {"WindowCenter": 100, "WindowWidth": 200, "VOILUTFunction": "LINEAR_EXACT"}
    assert windowed(values, **exact) == (expected, (0, 255), said)
    twelve = [[0, 0, 1023.75, 2047.5, 4095, 4095]]
    assert windowed(values, **exact, BitsStored=12) == (twelve, (0, 4095), said)
    assert windowed(values, **exact, BitsStored=4) == (expected, (0, 255), said)  # at least 8 bits to show it
    assert windowed(values, **exact, BitsStored=40)[1] == (0, float((1 << 32) - 1))
    seen, ends, remarks = windowed(values, WindowCenter=100, WindowWidth=200, VOILUTFunction="SIGMOID")
    np.testing.assert_allclose(seen[0], 255 / (1 + np.exp(-4 * (np.array(values[0]) - 100) / 200)), atol=1e-3)
    assert (ends, remarks) == ((0, 255), said)
    far = windowed([[-1e9, 1e9]], WindowCenter=100, WindowWidth=1, VOILUTFunction="SIGMOID")
    assert far == ([[0, 255]], (0, 255), said)  # and no warning of numbers that run over
    assert windowed(values) == (values, None, [])
    assert windowed(values, WindowCenter=100) == (values, None, [])
    assert windowed(values, WindowWidth=100) == (values, None, [])
    several = {"WindowCenter": [100.5, 1], "WindowWidth": [201, 1]}
    assert windowed(values, **several) == (expected, (0, 255), ["the first of several windows was used", WINDOW])


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({"WindowWidth": 0}, "impossible window was ignored"),
        ({"WindowWidth": 0, "VOILUTFunction": "LINEAR_EXACT"}, "impossible window was ignored"),
        ({"WindowWidth": -1, "VOILUTFunction": "SIGMOID"}, "impossible window was ignored"),
        ({"WindowWidth": 0.99}, "impossible window was ignored"),
        ({"WindowWidth": 0.99, "VOILUTFunction": "LINEAR_EXACT"},
         "the window clips nearly every pixel and was set aside"),
        ({"WindowWidth": 1}, "the window clips nearly every pixel and was set aside"),
        ({"WindowWidth": "2e12"}, "impossible window was ignored"),
        ({"WindowCenter": "-2e12", "WindowWidth": 9}, "impossible window was ignored"),
        ({"WindowCenter": "1e12", "WindowWidth": 9}, "the window clips nearly every pixel and was set aside"),
        ({"WindowCenter": 300, "WindowWidth": 9}, "the window clips nearly every pixel and was set aside"),
    ],
)  # fmt: skip
def test_windows_that_are_set_aside(tags, said):
    values = [[0.0, 1, 2, 3]]
    assert windowed(values, **{"WindowCenter": 100, **tags}) == (values, None, [said])


def test_a_window_that_leaves_a_fiftieth_is_believed():
    """Two of a hundred within it are enough, one is not; padding does not count, and an even picture has no within."""
    values = np.zeros((1, 100))
    values[0, :2] = 10
    tags = {"WindowCenter": 10, "WindowWidth": 10, "VOILUTFunction": "LINEAR_EXACT"}
    assert windowed(values, **tags)[2] == [WINDOW]
    values[0, 1] = 5  # at the edge of the window, which is clipped
    assert windowed(values, **tags)[2] == ["the window clips nearly every pixel and was set aside"]
    values[0, 1] = 15
    assert windowed(values, **tags)[2] == ["the window clips nearly every pixel and was set aside"]
    padding = np.zeros((1, 100), bool)
    padding[0, 50:] = True
    assert windowed(values, padding, **tags)[2] == [WINDOW]
    assert windowed(np.full((1, 9), 100.0), **tags) == ([[255] * 9], (0, 255), [WINDOW])


def test_a_voi_table_comes_before_a_window():
    item = lut(np.array([0, 300, 900]), 1)
    tags = {"WindowCenter": 1, "WindowWidth": 2}
    assert windowed([[0.0, 1, 2.5, 9]], VOILUTSequence=[item], **tags) == (
        [[0, 0, 300, 900]], (0, 65535), ["VOI LUT was applied"],
    )  # fmt: skip
    # One that shows one grey only is set aside; values below 0 are looked up from a first one below 0.
    even = windowed([[0.0, 1.0]], VOILUTSequence=[lut(np.array([5, 5]), 0)])
    assert even == ([[0, 1]], None, ["damaged VOI LUT was ignored"])
    below = table([2, 65535, 16], [7, 9])
    assert windowed([[-1.0, 0.0]], VOILUTSequence=[below])[0] == [[7, 9]]
    assert windowed([[0.0, 1.0, 65536.0]], VOILUTSequence=[below])[0] == [[7, 7, 9]]

"""Stored values to grey, step by step (PS3.3 C.11.1, C.11.2, C.11.6): values, what is said, and whether turned over."""

from __future__ import annotations

import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from image_seeds import dicom, head, lut, to_bytes
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit, RLELossless

from spinetk.errors import InputError
from spinetk.images import frames, read_picture
from spinetk.images.decode import check_pixels, decode_frame
from spinetk.images.display import _limits, _look_up, _modality, _signed, _voi, padding_mask, to_display
from spinetk.images.frames import grey, values_of
from spinetk.images.headers import open_header

COPY = "(export or copy the file again)"
DEFLATED_FRAMES = b"1.2.840.10008.1.2.8.1\0"
STANDS_FOR = JPEGBaseline8Bit.encode()  # pydicom writes no syntax that it does not know
INVERTED = "the grey scale is stored inverted and was inverted back"
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


# --- turning over ---


@pytest.mark.parametrize(
    ("kind", "bits", "tags", "ends"),
    [
        (np.uint8, None, {}, (0, 255)),
        (np.int8, None, {}, (-128, 127)),
        (np.uint16, 12, {}, (0, 4095)),
        (np.int16, 12, {}, (-2048, 2047)),
        (np.uint16, 1, {}, (0, 1)),
        (np.uint16, 40, {}, (0, 65535)),
        (np.uint32, 32, {}, (0, (1 << 24) - 1)),
        (np.int32, None, {}, (-(1 << 23), (1 << 23) - 1)),
        (np.uint16, 12, {"RescaleSlope": 2, "RescaleIntercept": -10}, (-10, 8180)),
        (np.uint16, 12, {"RescaleSlope": -2}, (-8190, 0)),
    ],
)
def test_what_can_be_stored_stands_for(kind, bits, tags, ends):
    ds = head(**tags) if bits is None else head(BitsStored=bits, **tags)
    assert _limits(np.zeros((1, 1), kind), ds, 0) == ends


def shown(stored, padding=None, window=True, **tags):
    remarks: list[str] = []
    grey_, inverted = to_display(stored, head(**tags), 0, padding, remarks, window)
    assert (grey_.dtype, grey_.flags.c_contiguous) == (np.float32, True)
    return grey_.tolist(), inverted, remarks


@pytest.mark.parametrize(
    "tags", [{"PhotometricInterpretation": "MONOCHROME1"}, {"PresentationLUTShape": "INVERSE"},
             {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"}]
)  # fmt: skip
def test_what_is_stored_inverted_is_turned_over_once(tags):
    """About the middle of its window, else of its own values, else, a layer, of all that can be stored."""
    stored = np.array([[3, 5, 9, 100]], np.uint16)
    padding = stored == 100
    assert shown(stored, **tags) == ([[100, 98, 94, 3]], True, [INVERTED])
    assert shown(stored, padding, **tags) == ([[9, 7, 3, -88]], True, [INVERTED])
    assert shown(stored, np.ones((1, 4), bool), **tags) == ([[100, 98, 94, 3]], True, [INVERTED])
    assert shown(stored, window=False, BitsStored=8, **tags) == ([[252, 250, 246, 155]], True, [INVERTED])
    values = stored.astype(np.float32)
    assert shown(values, window=False, BitsStored=8, **tags) == ([[100, 98, 94, 3]], True, [INVERTED])
    window = {"WindowCenter": 6, "WindowWidth": 10, "VOILUTFunction": "LINEAR_EXACT", "BitsStored": 8}
    assert shown(stored, **window, **tags) == ([[204, 153, 51, 0]], True, [WINDOW, INVERTED])
    assert shown(stored, window=False, **window, **tags) == ([[252, 250, 246, 155]], True, [INVERTED])


def test_what_is_stored_as_seen_is_left():
    stored = np.array([[3, 5]], np.uint16)
    assert shown(stored) == ([[3, 5]], False, [])
    tags = {"PhotometricInterpretation": "MONOCHROME2", "PresentationLUTShape": "IDENTITY"}
    assert shown(stored, **tags) == ([[3, 5]], False, [])


# --- one frame ---


def opened(tmp_path: Path, ds):
    path = tmp_path / "a.dcm"
    path.write_bytes(to_bytes(ds).replace(STANDS_FOR, DEFLATED_FRAMES))
    header = open_header(path)
    return header, check_pixels(header)


def test_values_that_are_no_number_are_0(tmp_path):
    values = np.array([[np.nan, np.inf, -np.inf, 2.5, -1]], np.float32)
    remarks: list[str] = []
    header = SimpleNamespace(dataset=head(), path=Path("a"))
    pixels, padding, inverted = grey(values, header, 0, remarks)
    assert (pixels.tolist(), padding, inverted) == ([[0, 0, 0, 2.5, -1]], None, False)
    assert remarks == ["pixels that are not finite were set to 0"]
    assert grey(values[:, 3:], header, 0, remarks)[0].tolist() == [[2.5, -1]]
    assert len(remarks) == 1


def test_the_values_of_a_layer(tmp_path):
    """Padding holds the lowest of the other values, and no window is applied."""
    stored = np.array([[9, 3, 5, 9], [4, 7, 9, 8]], np.uint16)
    tags = {"WindowCenter": 5, "WindowWidth": 4, "RescaleSlope": 2, "PixelPaddingValue": 9}
    header, options = opened(tmp_path, dicom(stored, **tags))
    with header.stream:
        header.remarks.append("first")
        values, remarks = values_of(header, options, 0)
    assert values.tolist() == [[6, 6, 10, 6], [8, 14, 6, 16]]
    assert remarks == ["first", "padding was taken for the lowest of the other values"]
    header, options = opened(tmp_path, dicom(stored))
    with header.stream:
        values, remarks = values_of(header, options, 0)
    assert (values.tolist(), remarks) == (stored.tolist(), [])


def test_a_palette_that_is_damaged(tmp_path):
    path = tmp_path / "a.dcm"
    path.write_bytes(to_bytes(dicom(np.zeros((3, 4), np.uint8), PhotometricInterpretation="PALETTE COLOR")))
    with pytest.raises(InputError) as error:
        read_picture(path)
    assert str(error.value) == f"{path}: has a damaged colour palette {COPY}"


@pytest.mark.parametrize(
    ("keyword", "value", "code"),
    [
        ("BodyPartExamined", "LSPINE", "LSPINE"),
        ("BodyPartExamined", "A" * 16, "A" * 16),
        ("BodyPartExamined", "A" * 17, None),
        ("BodyPartExamined", "L SPINE", None),
        ("BodyPartExamined", "\xc4", None),
        ("BodyPartExamined", "", None),
        ("Modality", "MR", "MR"),
    ],
)
def test_codes_are_no_free_text(keyword, value, code):
    ds = Dataset()
    ds.add_new(keyword, "LO", value)
    header = SimpleNamespace(dataset=ds)
    assert frames.code_of(header, keyword) == code
    assert frames.modality_of(header) == (code if keyword == "Modality" else None)


# --- packed frames ---


def packed(pixels, code, syntax, **tags):
    ds = dicom(pixels, **tags)
    ds.file_meta.TransferSyntaxUID = syntax
    ds.PixelData = encapsulate([code])
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    return ds


def deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def test_deflated_frames(tmp_path):
    """PS3.5 A.4.11: each frame is deflated by itself; what lies behind it is not looked at."""
    deep, odd = np.arange(15, dtype=np.uint16).reshape(3, 5) * 999, np.arange(15, dtype=np.uint8).reshape(3, 5)
    colour = np.arange(45, dtype=np.uint8).reshape(3, 5, 3)
    for pixels in (deep, odd, colour):
        data = pixels.tobytes()
        for code in (deflate(data), deflate(data + b"\0"), deflate(data + b"\1\2\3")):
            header, options = opened(tmp_path, packed(pixels, code, JPEGBaseline8Bit))
            with header.stream:
                before = header.stream.tell()
                np.testing.assert_array_equal(decode_frame(header, options, 0, []), pixels)
                assert header.stream.tell() == before
        for wrong in (data[:-1], b""):
            header, options = opened(tmp_path, packed(pixels, deflate(wrong), JPEGBaseline8Bit))
            with header.stream, pytest.raises(InputError) as error:
                decode_frame(header, options, 0, [])
            assert str(error.value) == f"{tmp_path / 'a.dcm'}: is cut short {COPY}"
    bits = np.arange(15).reshape(3, 5) % 3 == 1
    ds = packed(odd, deflate(np.packbits(bits, bitorder="little").tobytes()), JPEGBaseline8Bit,
                BitsAllocated=1, BitsStored=1, HighBit=0)  # fmt: skip
    header, options = opened(tmp_path, ds)
    with header.stream:
        np.testing.assert_array_equal(decode_frame(header, options, 0, []), bits)


def test_run_length_coded_bits(tmp_path):
    """PS3.5 8.2.2 and G.4: a header of 64 bytes, then literal runs of the packed bytes."""
    bits = np.arange(15).reshape(3, 5) % 3 == 1
    plain = np.packbits(bits, bitorder="little").tobytes()
    code = np.array([1, 64, *[0] * 14], "<u4").tobytes() + bytes([len(plain) - 1]) + plain
    code += b"\0" * (len(code) % 2)
    ds = packed(bits.astype(np.uint8), code, RLELossless, BitsAllocated=1, BitsStored=1, HighBit=0)
    header, options = opened(tmp_path, ds)
    with header.stream:
        np.testing.assert_array_equal(decode_frame(header, options, 0, []), bits)


def test_frames_of_an_extended_offset_table(tmp_path):
    """PS3.3 C.7.6.3.1.8: where each frame begins, and its length, in 64 bits."""
    frames_ = np.arange(45, dtype=np.uint8).reshape(3, 3, 5)
    codes = [deflate(one.tobytes()) for one in frames_]
    codes = [code + b"\0" * (len(code) % 2) for code in codes]
    ds = dicom(frames_, frames=3)
    ds.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    ds.PixelData = encapsulate(codes, has_bot=False)
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    lengths = [len(code) for code in codes]
    starts = np.cumsum([0, *(8 + length for length in lengths[:-1])])
    # The second is said to be the third: only a table that is read tells.
    ds.ExtendedOffsetTable = np.array([starts[0], starts[2], starts[1]], "<u8").tobytes()
    ds.ExtendedOffsetTableLengths = np.array([lengths[0], lengths[2], lengths[1]], "<u8").tobytes()
    header, options = opened(tmp_path, ds)
    with header.stream:
        assert [int(decode_frame(header, options, k, [])[0, 0]) for k in range(3)] == [0, 30, 15]
    del ds.ExtendedOffsetTableLengths
    header, options = opened(tmp_path, ds)
    with header.stream:
        assert [int(decode_frame(header, options, k, [])[0, 0]) for k in range(3)] == [0, 15, 30]


@pytest.mark.parametrize(
    ("values", "stored", "high", "overlay", "kept", "said"),
    [
        ([1, 2, 4095], 12, 11, None, [1, 2, 4095], None),
        ([1, 2, 4095], 12, None, None, [1, 2, 4095], None),
        ([16, 32], 12, 15, None, [1, 2], "values stand in the upper bits (HighBit 15): they were shifted"),
        ([17, 32], 12, 15, None, [17, 32], None),  # none above is set, and some below
        ([0xF011, 32], 12, 15, None, [0xF01, 2], "values stand in the upper bits (HighBit 15): they were shifted"),
        ([2, 4], 12, 12, None, [1, 2], "values stand in the upper bits (HighBit 12): they were shifted"),
        ([0x8001, 2], 12, 11, None, [1, 2], "12"),
        ([0x1001, 2], 12, 11, None, [1, 2], "12"),
        ([0x8001, 2], 12, 11, 15, [1, 2], None),
        ([0x8001, 2], 12, 11, 0, [1, 2], "12"),
        ([0x8001, 2], 12, 16, None, [1, 2], "12"),  # beyond the bits that there are
        ([0x8001, 2], 12, 10, None, [1, 2], "12"),
        ([0x8001, 2], 15, 14, None, [1, 2], "15"),
    ],
)
@pytest.mark.parametrize("group", [0x6000, 0x60FE])
def test_bits_that_hold_grey_values(tmp_path, values, stored, high, overlay, kept, said, group):
    ds = dicom(np.array([values], np.uint16), BitsStored=stored)
    del ds.HighBit
    if high is not None:
        ds.HighBit = high
    if overlay is not None:
        ds.add_new(group << 16 | 0x0102, "US", overlay)
    header, options = opened(tmp_path, ds)
    remarks: list[str] = []
    with header.stream:
        assert decode_frame(header, options, 0, remarks).tolist() == [kept]
    if said and said.isdigit():
        said = (
            f"pixels hold more than the {said} bits that BitsStored says: the bits above were left out, the picture "
            "may be wrong"
        )
    assert remarks == ([said] if said else [])


@pytest.mark.parametrize(
    ("values", "kept", "said"),
    [
        ([-5, 7], [-5, 7], False),
        ([0x0FFB, 7], [-5, 7], False),  # the sign is not repeated
        ([0x8001 - 65536, 7], [1, 7], True),
        ([0x7800, 7], [-2048, 7], True),
        ([-2049, 7], [2047, 7], True),
    ],
)
def test_bits_that_hold_signed_values(tmp_path, values, kept, said):
    header, options = opened(tmp_path, dicom(np.array([values], np.int16), BitsStored=12, HighBit=11))
    with header.stream:
        assert decode_frame(header, options, 0, remarks := []).tolist() == [kept]
    assert bool(remarks) == said

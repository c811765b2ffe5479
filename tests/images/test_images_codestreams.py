"""Code streams and DICOM headers made byte by byte: what is found in them, and where they end too early."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from image_seeds import dicom, to_bytes
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from spinetk.errors import InputError
from spinetk.images import read_picture
from spinetk.images.decode import (
    SIZE_MARKERS,
    _segment,
    _with_full_scan,
    check_pixels,
    codestream_size,
    sniff_syntax,
    syntax_name,
)
from spinetk.images.headers import open_header

COPY = "(export or copy the file again)"
SOI = b"\xff\xd8"
GREY = np.arange(12, dtype=np.uint16).reshape(3, 4)


# --- JPEG (T.81 B.1.1) and JPEG 2000 (T.800 A.5.1) ---


def segment(marker: int, body: bytes = b"") -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def frame(marker: int = 0xC0, rows: int = 300, columns: int = 500) -> bytes:
    return segment(marker, struct.pack(">BHHB", 8, rows, columns, 1) + b"\1\x11\0")


def siz(right: int, bottom: int, left: int, top: int) -> bytes:
    return b"\xff\x4f\xff\x51" + struct.pack(">HH4L", 47, 0, right, bottom, left, top)


@pytest.mark.parametrize("marker", sorted({*range(0xC0, 0xD0), 0xF7}))
def test_the_size_of_a_jpeg_is_that_of_its_frame_header(marker):
    """T.81 B.1.1.3: C4 has Huffman tables, C8 is kept back, CC has conditions; T.87 adds F7."""
    code = SOI + segment(0xE0, b"JFIF\0" + bytes(300)) + frame(marker) + frame(0xC0, 7, 9)
    assert codestream_size(code) == ((7, 9) if marker in (0xC4, 0xC8, 0xCC) else (300, 500))
    assert (marker in SIZE_MARKERS) == (marker not in (0xC4, 0xC8, 0xCC))


def test_segments_of_a_jpeg_follow_one_another():
    first = segment(0xE0, b"\xff\xc0" * 4)  # what looks like a marker within another segment is none
    at = len(SOI + first)
    assert _segment(SOI + first + frame(), SIZE_MARKERS) == at
    assert _segment(SOI + first + b"\xff\xff\xff" + frame(), SIZE_MARKERS) == at + 3  # any number of fill bytes
    assert _segment(SOI + first + b"\0" + frame(), SIZE_MARKERS) is None
    assert _segment(SOI + frame(), SIZE_MARKERS) == 2
    assert _segment(SOI + segment(0xC0), SIZE_MARKERS) == 2  # four bytes are enough to know it
    assert _segment(SOI + segment(0xC0)[:3], SIZE_MARKERS) is None
    assert _segment(SOI, SIZE_MARKERS) is None
    assert _segment(b"\xff\xd9" + frame(), SIZE_MARKERS) is None
    assert _segment(b"\0\xd8" + frame(), SIZE_MARKERS) is None
    assert _segment(b"", SIZE_MARKERS) is None
    assert codestream_size(SOI + frame()[:9]) == (300, 500)
    assert codestream_size(SOI + frame()[:8]) is None
    assert codestream_size(SOI + first) is None
    assert codestream_size(bytes(100)) is None


def test_the_size_of_a_jpeg_2000_is_that_of_its_area():
    code = siz(500, 300, 20, 10)
    assert codestream_size(code) == (290, 480)
    assert codestream_size(code[:-1]) is None
    assert codestream_size(bytes(50) + code) == (290, 480)  # within a JP2 file
    assert codestream_size(bytes(4092) + code) == (290, 480)
    assert codestream_size(bytes(4093) + code) is None


def scan(components: int, selection: bytes) -> bytes:
    body = bytes([components]) + b"\1\0" * components + selection
    return segment(0xDA, body)


@pytest.mark.parametrize("components", [1, 3])
@pytest.mark.parametrize("marker", [0xC0, 0xC1])
def test_a_sequential_scan_runs_from_0_to_63(marker, components):
    head = SOI + frame(marker)
    right = head + scan(components, b"\0\x3f\0") + b"values"
    for selection in (b"\0\0\0", b"\1\x3f\0", b"\0\x3e\7"):
        assert _with_full_scan(head + scan(components, selection) + b"values") == right
    assert _with_full_scan(right) is None
    wrong = head + scan(components, b"\0\0\0")
    assert _with_full_scan(wrong) == head + scan(components, b"\0\x3f\0")
    for less in (1, 2, 3 + 2 * components):
        assert _with_full_scan(wrong[:-less]) is None
    assert _with_full_scan(SOI + scan(components, b"\0\0\0")) is None  # of no frame
    assert _with_full_scan(SOI + frame(0xC2) + scan(components, b"\0\0\0")) is None  # progressive: any selection
    assert _with_full_scan(head) is None


def sniffed(data: bytes) -> UID:
    stream = BytesIO(b"before" + data)
    stream.seek(6)
    found = sniff_syntax(SimpleNamespace(stream=stream))
    assert stream.tell() == 6
    return found


def test_the_coding_of_pixels_is_known_by_its_first_marker():
    assert sniffed(bytes(4092) + siz(1, 1, 0, 0)) == JPEG2000Lossless
    assert sniffed(bytes(4093) + siz(1, 1, 0, 0)) == RLELossless
    assert sniffed(SOI + frame(0xF7)) == JPEGLSLossless
    assert sniffed(SOI + frame(0xC2)) == JPEGBaseline8Bit  # progressive: the decoder says what is wrong
    assert sniffed(b"\xff\xc3" + SOI + b"\xff\xc0") == JPEGBaseline8Bit
    assert sniffed(b"") == RLELossless


@pytest.mark.parametrize(
    ("syntax", "name"),
    [
        (UID("1.2.840.10008.1.2.4.110"), "JPEG XL Lossless"),
        (UID("1.2.840.10008.1.2.4.111"), "JPEG XL JPEG Recompression"),
        (UID("1.2.840.10008.1.2.4.112"), "JPEG XL"),
        (RLELossless, "RLE Lossless"),
        (UID("1.2.3.4"), "1.2.3.4"),
        (UID("1.2.840.10008.5.1.4.1.1.7"), "1.2.840.10008.5.1.4.1.1.7"),  # a kind of object, and no syntax
        (UID("1.2.x"), "unknown"),
    ],
)
def test_transfer_syntaxes_have_names(syntax, name):
    assert syntax_name(syntax) == name


# --- the pixel module ---


def opened(tmp_path: Path, content):
    path = tmp_path / "a.dcm"
    path.write_bytes(content if isinstance(content, bytes) else to_bytes(content))
    return open_header(path)


def facts(header) -> tuple:
    with header.stream:
        return header.syntax, header.pixel_keyword, header.pixel_vr, header.pixel_length, header.bytes_left


def floating(keyword: str, kind: str):
    ds = dicom(GREY)
    del ds.PixelData
    setattr(ds, keyword, GREY.astype(kind).tobytes())
    ds.BitsAllocated = ds.BitsStored = 8 * np.dtype(kind).itemsize
    return ds


def test_where_pixels_begin_and_how_long_they_are(tmp_path):
    explicit = to_bytes(dicom(GREY))
    at = explicit.index(b"\xe0\x7f\x10\x00")
    for content, expected in (
        (explicit, (ExplicitVRLittleEndian, "PixelData", "OW", 24, 24)),
        (dicom(GREY.astype(np.uint8)), (ExplicitVRLittleEndian, "PixelData", "OB", 12, 12)),
        (dicom(GREY, ImplicitVRLittleEndian), (ImplicitVRLittleEndian, "PixelData", "OW", 24, 24)),
        (dicom(GREY, ExplicitVRBigEndian), (ExplicitVRBigEndian, "PixelData", "OW", 24, 24)),
        (dicom(GREY, DeflatedExplicitVRLittleEndian), (ExplicitVRLittleEndian, "PixelData", "OW", 24, 24)),
        (floating("FloatPixelData", "<f4"), (ExplicitVRLittleEndian, "FloatPixelData", "OW", 48, 48)),
        (floating("DoubleFloatPixelData", "<f8"), (ExplicitVRLittleEndian, "DoubleFloatPixelData", "OW", 96, 96)),
        (explicit.replace(b"\xe0\x7f\x10\x00OW", b"\xe0\x7f\x10\x00UN"),
         (ExplicitVRLittleEndian, "PixelData", "OW", 24, 24)),
        (explicit[:-1] + b"\0\0\0", (ExplicitVRLittleEndian, "PixelData", "OW", 24, 26)),
        (explicit[: at + 12], (ExplicitVRLittleEndian, "PixelData", "OW", 24, 0)),
        (explicit[:at], (ExplicitVRLittleEndian, None, "OW", None, 0)),
        # A short form of length, which pixels have in no file as it should be.
        (explicit[:at] + b"\xe0\x7f\x10\x00US\x18\x00" + bytes(24),
         (ExplicitVRLittleEndian, "PixelData", "OW", 24, 24)),
    ):  # fmt: skip
        assert facts(opened(tmp_path, content)) == expected
    packed = opened(tmp_path, dicom(GREY, RLELossless))
    left = len(to_bytes(dicom(GREY, RLELossless))) - packed.stream.tell()
    assert facts(packed) == (RLELossless, "PixelData", "OB", None, left)


def test_the_bytes_of_pixels_that_are_there(tmp_path):
    """A length of 24 stands for 26 bytes in a file that goes on, and 20 bytes are no 24."""
    for content, said in (
        (to_bytes(dicom(GREY))[:-4], f"is cut short: 20 of 24 bytes of pixels are there {COPY}"),
        (dicom(GREY, Rows=4), f"is cut short: 24 of 32 bytes of pixels are there {COPY}"),
        (dicom(GREY, Columns=5), f"is cut short: 24 of 30 bytes of pixels are there {COPY}"),
        (dicom(GREY, Rows=4001, Columns=40_000), "claims 40000 x 4001 pixels, more than 100 million (crop or resample "
         "it first)"),
    ):  # fmt: skip
        path = tmp_path / "a.dcm"
        path.write_bytes(content if isinstance(content, bytes) else to_bytes(content))
        with pytest.raises(InputError) as error:
            read_picture(path)
        assert str(error.value) == f"{path}: {said}"


OPTIONS = {
    "rows": 3, "columns": 4, "samples_per_pixel": 1, "photometric_interpretation": "MONOCHROME2", "bits_allocated": 16,
    "bits_stored": 16, "pixel_representation": 0, "number_of_frames": 1, "pixel_keyword": "PixelData",
    "pixel_vr": "OW",
}  # fmt: skip
RGB = np.zeros((3, 4, 3), np.uint8)
COLOUR = OPTIONS | {
    "samples_per_pixel": 3, "photometric_interpretation": "RGB", "bits_allocated": 8, "bits_stored": 8,
    "planar_configuration": 0, "pixel_vr": "OB",
}  # fmt: skip


def test_the_pixel_module_as_it_is_decoded(tmp_path):
    """Of PS3.3 C.7.6.3; where the number of samples and the name of the colours do not fit, the number is believed."""
    ds = dicom(GREY)
    del ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.BitsStored
    nameless = dicom(RGB)
    del nameless.PhotometricInterpretation
    bits = dicom(np.zeros((3, 4), np.uint8), BitsAllocated=1, BitsStored=1, HighBit=0)
    double = OPTIONS | {"bits_allocated": 64, "bits_stored": 64, "pixel_keyword": "DoubleFloatPixelData"}
    single = OPTIONS | {"bits_allocated": 32, "bits_stored": 32, "pixel_keyword": "FloatPixelData"}
    for content, expected in (
        (dicom(GREY), OPTIONS),
        (ds, OPTIONS),
        (dicom(GREY, BitsStored=12, PixelRepresentation=1), OPTIONS | {"bits_stored": 12, "pixel_representation": 1}),
        (dicom(GREY, PixelRepresentation=2), OPTIONS),
        (dicom(GREY, PhotometricInterpretation="MONOCHROME1"),
         OPTIONS | {"photometric_interpretation": "MONOCHROME1"}),
        (dicom(GREY, PhotometricInterpretation="PALETTE COLOR"),
         OPTIONS | {"photometric_interpretation": "PALETTE COLOR"}),
        (dicom(GREY, PhotometricInterpretation="RGB"), OPTIONS),
        (dicom(RGB), COLOUR),
        (nameless, COLOUR),
        (dicom(RGB, PlanarConfiguration=1), COLOUR | {"planar_configuration": 1}),
        (dicom(RGB, PlanarConfiguration=2), COLOUR),
        (dicom(RGB, PhotometricInterpretation="MONOCHROME2"), COLOUR),
        (dicom(RGB, PhotometricInterpretation="MONOCHROME1"), COLOUR),
        (dicom(RGB, PhotometricInterpretation="PALETTE COLOR"), COLOUR),
        (dicom(RGB, PhotometricInterpretation="YBR_FULL"), COLOUR | {"photometric_interpretation": "YBR_FULL"}),
        (dicom(np.stack([GREY] * 2), frames=2), OPTIONS | {"number_of_frames": 2}),
        (bits, OPTIONS | {"bits_allocated": 1, "bits_stored": 1, "pixel_vr": "OB"}),
        (floating("FloatPixelData", "<f4"), single),
        (floating("DoubleFloatPixelData", "<f8"), double),
    ):  # fmt: skip
        header = opened(tmp_path, content)
        with header.stream:
            assert check_pixels(header) == expected
            assert header.remarks == []


def test_colours_of_which_every_second_pixel_is_stored(tmp_path):
    """YBR_FULL_422: two bytes a pixel."""
    ds = dicom(RGB, PhotometricInterpretation="YBR_FULL_422")
    ds.PixelData = bytes(24)
    header = opened(tmp_path, ds)
    with header.stream:
        assert check_pixels(header) == COLOUR | {"photometric_interpretation": "YBR_FULL_422"}
    ds.PixelData = bytes(22)
    header = opened(tmp_path, ds)
    with header.stream, pytest.raises(InputError) as error:
        check_pixels(header)
    assert error.value.fault == "is cut short: 22 of 24 bytes of pixels are there"


def test_a_large_packed_picture_has_some_bytes_in_proportion(tmp_path):
    """4,001 x 4,000 px of two bytes: 2,000 to 1 are 16,004 bytes."""
    ds = dicom(GREY, RLELossless)
    ds.Rows, ds.Columns = 4001, 4000
    for bytes_there, refused in ((16_003, True), (16_004, False)):
        data = to_bytes(ds)
        header = opened(tmp_path, data)
        with header.stream:
            left = header.bytes_left
        header = opened(tmp_path, data + bytes(bytes_there - left))
        with header.stream:
            if not refused:
                assert check_pixels(header)["rows"] == 4001
                continue
            with pytest.raises(InputError) as error:
                check_pixels(header)
            assert error.value.fault == f"claims 4000 x 4001 pixels from {bytes_there} bytes"
            assert error.value.source == str(tmp_path / "a.dcm")


def test_frames_that_the_bytes_cannot_hold(tmp_path):
    ds = dicom(GREY, RLELossless)
    header = opened(tmp_path, ds)
    with header.stream:
        most = header.bytes_left // 8
    for count in (most, most + 1):
        ds.NumberOfFrames = count
        header = opened(tmp_path, to_bytes(ds))
        with header.stream:
            header.stream.seek(header.stream.size - 8 * most)
            if count == most:
                assert check_pixels(header)["number_of_frames"] == most
                continue
            with pytest.raises(InputError, match=f"claims {count} frames"):
                check_pixels(header)

"""Stored values of one frame, through pydicom and its codecs, checked before and after."""

from __future__ import annotations

import math
import struct
import zlib
from typing import Any

import numpy as np
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels import get_decoder
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from spinetk.errors import InputError
from spinetk.images.display import padding_mask
from spinetk.images.elements import integer, raw, word
from spinetk.images.guard import REMEDY_COPY, check_size, display_name, silent_stderr
from spinetk.images.headers import Header

DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
SEQUENTIAL_JPEG = {b"\xc0": JPEGBaseline8Bit, b"\xc1": JPEGExtended12Bit, b"\xc3": JPEGLosslessSV1}
SIZE_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
OVERLAY_BIT_POSITION = 0x0102
GREY = ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")


def check_pixels(header: Header) -> dict[str, Any]:
    """The pixel module as decoder options, once it is known to be sane.

    Raises:
        InputError: There are no pixels, they are cut short, or their description is impossible.
    """
    name, dataset = display_name(header.path), header.dataset
    if header.pixel_keyword is None or not header.bytes_left:
        raise InputError(name, "holds no pixels", "give an image, not a report, plan or directory")
    rows, columns = integer(dataset, "Rows"), integer(dataset, "Columns")
    samples = integer(dataset, "SamplesPerPixel") or 1
    default = {"FloatPixelData": 32, "DoubleFloatPixelData": 64}.get(header.pixel_keyword)
    allocated = integer(dataset, "BitsAllocated") or default
    if rows is None or columns is None or allocated is None:
        raise InputError(name, "does not say how large its picture is", REMEDY_COPY)
    if allocated not in (1, 8, 16, 32, 64) or samples not in (1, 3):
        raise InputError(name, f"stores {samples} samples of {allocated} bits a pixel", "convert it to 8 or 16 bits")
    if default and allocated != default:
        raise InputError(name, f"stores floating point in {allocated} bits", REMEDY_COPY)
    stored = integer(dataset, "BitsStored") or allocated
    if not 1 <= stored <= allocated:
        raise InputError(name, f"stores {stored} bits in {allocated}", REMEDY_COPY)
    native = not header.syntax.is_compressed if header.syntax.is_transfer_syntax else header.pixel_length is not None
    if native and header.pixel_length is None:
        header.syntax = sniff_syntax(header)
        header.remarks.append("pixels are compressed although the transfer syntax says otherwise")
        native = False
    elif not native and header.pixel_length is not None:
        header.syntax = ExplicitVRLittleEndian
        header.remarks.append("pixels are not compressed although the transfer syntax says so")
        native = True
    photometric = word(dataset, "PhotometricInterpretation") or ("RGB" if samples == 3 else "MONOCHROME2")
    if samples == 3 and photometric in GREY:
        photometric = "RGB"
    elif samples == 1 and photometric not in GREY:
        photometric = "MONOCHROME2"
    check_size(header.path, columns, rows, samples * max(allocated // 8, 1), None if native else header.bytes_left)
    if native:
        per_pixel = 2 if photometric == "YBR_FULL_422" else samples
        needed = math.ceil(header.frames * rows * columns * per_pixel * allocated / 8)
        there = min(header.pixel_length or 0, header.bytes_left)
        if there < needed:
            raise InputError(name, f"is cut short: {there} of {needed} bytes of pixels are there", REMEDY_COPY)
    elif header.frames * 8 > header.bytes_left:
        raise InputError(name, f"claims {header.frames} frames", REMEDY_COPY)
    options: dict[str, Any] = {
        "rows": rows,
        "columns": columns,
        "samples_per_pixel": samples,
        "photometric_interpretation": photometric,
        "bits_allocated": allocated,
        "bits_stored": stored,
        "pixel_representation": 1 if integer(dataset, "PixelRepresentation") == 1 else 0,
        "number_of_frames": header.frames,
        "pixel_keyword": header.pixel_keyword,
        "pixel_vr": header.pixel_vr,
    }
    if samples > 1:
        options["planar_configuration"] = 1 if integer(dataset, "PlanarConfiguration") == 1 else 0
    return options


def decode_frame(header: Header, options: dict[str, Any], index: int, remarks: list[str]) -> np.ndarray:
    """Stored values of one frame.

    Args:
        header: From ``open_header``; its stream stays positioned at the pixels.
        options: From ``check_pixels``.
        index: Frame, from 0.
        remarks: Gets a sentence for what was decided about this frame.

    Returns:
        (H, W) of the stored kind, or (H, W, 3) RGB.

    Raises:
        InputError: No decoder can read it.
    """
    start = header.stream.tell()
    try:
        if header.pixel_length is not None:
            whole = options | {"bits_stored": options["bits_allocated"]}
            values = _decode(header.syntax, header.stream, whole, index)
            return _stored_bits(values, header, options, remarks)
        with silent_stderr():
            return _decode_encapsulated(header, options, index, remarks)
    except (InputError, MemoryError):
        raise
    except NotImplementedError as error:
        fault = f"uses transfer syntax {syntax_name(header.syntax)}, which has no decoder here"
        raise InputError(display_name(header.path), fault, "convert it to an uncompressed one") from error
    except BaseException as error:
        # The RLE decoder is written in Rust; its panics are no Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        fault = f"has pixels that cannot be decoded ({syntax_name(header.syntax)})"
        raise InputError(display_name(header.path), fault, REMEDY_COPY) from error
    finally:
        header.stream.seek(start)


def _decode(syntax: UID, source: Any, options: dict[str, Any], index: int) -> np.ndarray:
    more: dict[str, Any] = {"transfer_syntax_uid": syntax, **options}
    values, _ = get_decoder(syntax).as_array(source, index=index, **more)
    return values


def _stored_bits(values: np.ndarray, header: Header, options: dict[str, Any], remarks: list[str]) -> np.ndarray:
    """Grey values out of the bits that hold them: BitsStored of them, up to HighBit; the others are overlays.

    Old files keep values further up than HighBit = BitsStored - 1, which neither pydicom nor ITK heeds (PS3.5 8.1.1).
    Where no bit above BitsStored is set, and some below are, they do not, whatever HighBit says. Padding stays what it
    is: some files say one that the bits do not hold (-2000 of all 16).
    """
    allocated, stored = options["bits_allocated"], options["bits_stored"]
    unused = allocated - stored
    if not unused or values.dtype.kind not in "iu" or values.ndim != 2 or allocated != 8 * values.dtype.itemsize:
        return values
    high = integer(header.dataset, "HighBit")
    shift = high + 1 - stored if high is not None and stored <= high < allocated else 0
    plain = values.astype(f"u{values.dtype.itemsize}")
    above = plain >> stored
    if values.dtype.kind == "i":  # the sign may be repeated there, or not
        above[(above == (1 << unused) - 1) & (plain >> (stored - 1) & 1 == 1)] = 0
    padding = padding_mask(values, header.dataset)
    padding = np.zeros(values.shape, bool) if padding is None else padding & ((values << unused) >> unused != values)
    more = bool(above[~padding].any())
    shifted = shift > 0 and (more or not (values[~padding] & ((1 << shift) - 1)).any())
    if shifted:
        remarks.append(f"values stand in the upper bits (HighBit {high}): they were shifted")
    elif more and not _bit_overlays(header):
        said = f"the {stored} bits that BitsStored says"
        remarks.append(f"pixels hold more than {said}: the bits above were left out, the picture may be wrong")
    left = unused - (shift if shifted else 0)
    return np.where(padding, values, (values << left) >> unused)


def _bit_overlays(header: Header) -> bool:
    """Whether an overlay is kept in the bits of the pixels that hold no grey values."""
    places = ((group << 16) | OVERLAY_BIT_POSITION for group in range(0x6000, 0x6100, 2))
    return any(tag in header.dataset and header.dataset.get_item(tag).value not in (0, b"", b"\0\0") for tag in places)


def frame_code(header: Header, index: int) -> bytes:
    """The bytes of one frame of encapsulated pixels; the stream stays positioned at the pixels."""
    start = header.stream.tell()
    offsets = raw(header.dataset, "ExtendedOffsetTable"), raw(header.dataset, "ExtendedOffsetTableLengths")
    try:
        return get_frame(
            header.stream,
            index,
            number_of_frames=header.frames,
            extended_offsets=offsets if all(isinstance(v, bytes) for v in offsets) else None,
        )
    finally:
        header.stream.seek(start)


def _decode_encapsulated(header: Header, options: dict[str, Any], index: int, remarks: list[str]) -> np.ndarray:
    name = display_name(header.path)
    code = frame_code(header, index)
    single = options | {"number_of_frames": 1}
    size = options["rows"], options["columns"]
    packed = {"rows": 1, "columns": -(-size[0] * size[1] // 8), "bits_allocated": 8, "bits_stored": 8}
    if header.syntax == DEFLATED_FRAMES:
        expected = math.ceil(math.prod(size) * options["samples_per_pixel"] * options["bits_allocated"] / 8)
        plain = zlib.decompressobj(-zlib.MAX_WBITS).decompress(code, expected)
        if len(plain) < expected:
            raise InputError(name, "is cut short", REMEDY_COPY)
        return _decode(ExplicitVRLittleEndian, plain, single, 0)
    if header.syntax == RLELossless and options["bits_allocated"] == 1:
        # Bits are packed eight to a byte before they are run-length coded (PS3.5 8.2.2).
        plain = _decode(header.syntax, encapsulate([code]), single | packed, 0).tobytes()
        return _decode(ExplicitVRLittleEndian, plain, single, 0)
    claimed = codestream_size(code)
    if claimed is not None and claimed != size:
        fault = f"says {size[1]} x {size[0]} pixels but holds {claimed[1]} x {claimed[0]}"
        raise InputError(name, fault, REMEDY_COPY)
    try:
        return _decode(header.syntax, encapsulate([code]), single, 0)
    except NotImplementedError:
        raise
    except Exception:
        repaired = _with_full_scan(code)
        if repaired is None:
            raise
        values = _decode(header.syntax, encapsulate([repaired]), single, 0)
        remarks.append("a wrong scan header in its JPEG was corrected")
        return values


def sniff_syntax(header: Header) -> UID:
    """The transfer syntax of encapsulated pixels from their first bytes."""
    start = header.stream.tell()
    head = header.stream.read(4096)
    header.stream.seek(start)
    for mark, syntax in ((b"\xff\x4f\xff\x51", JPEG2000Lossless), (b"\xff\xf7", JPEGLSLossless)):
        if mark in head:
            return syntax
    at = head.find(b"\xff\xd8\xff")
    if at < 0:
        return RLELossless
    found = [(head.find(b"\xff" + mark, at), syntax) for mark, syntax in SEQUENTIAL_JPEG.items()]
    return min((f for f in found if f[0] >= 0), default=(0, JPEGBaseline8Bit))[1]


def codestream_size(code: bytes) -> tuple[int, int] | None:
    """(rows, columns) that a JPEG, JPEG-LS or JPEG 2000 code stream claims; None for anything else."""
    at = code.find(b"\xff\x4f\xff\x51", 0, 4096)
    if at >= 0 and len(code) >= at + 24:
        right, bottom, left, top = struct.unpack_from(">4L", code, at + 8)
        return bottom - top, right - left
    segment = _segment(code, SIZE_MARKERS)
    if segment is None or len(code) < segment + 9:
        return None
    rows, columns = struct.unpack_from(">HH", code, segment + 5)
    return rows, columns


def _segment(code: bytes, markers: frozenset[int]) -> int | None:
    """Offset of the first JPEG marker segment of these kinds."""
    at = 2
    if code[:2] != b"\xff\xd8":
        return None
    while len(code) >= at + 4 and code[at] == 0xFF:
        if code[at + 1] in markers:
            return at
        at += 1 if code[at + 1] == 0xFF else 2 + struct.unpack_from(">H", code, at + 2)[0]
    return None


def _with_full_scan(code: bytes) -> bytes | None:
    """The JPEG with the only spectral selection a sequential scan can have (0 to 63), or None when it has it.

    Some 12-bit writers leave these two bytes 0; T.81 B.2.3 fixes them.
    """
    frame, scan = _segment(code, frozenset({0xC0, 0xC1})), _segment(code, frozenset({0xDA}))
    if frame is None or scan is None or len(code) < scan + 5:
        return None
    at = scan + 5 + 2 * code[scan + 4]
    if len(code) < at + 3 or code[at : at + 2] == b"\0\x3f":
        return None
    return code[:at] + b"\0\x3f\0" + code[at + 3 :]


JPEG_XL = {
    "1.2.840.10008.1.2.4.110": "JPEG XL Lossless",
    "1.2.840.10008.1.2.4.111": "JPEG XL JPEG Recompression",
    "1.2.840.10008.1.2.4.112": "JPEG XL",
}


def syntax_name(syntax: UID) -> str:
    """In words; JPEG XL (PS3.5 2024e) is not in every pydicom's dictionary."""
    if syntax in JPEG_XL or syntax.is_transfer_syntax:
        return JPEG_XL.get(syntax) or syntax.name
    return str(syntax) if syntax.is_valid else "unknown"  # a damaged one may hold what follows it

"""Open a DICOM file up to its pixels, whatever is wrong with its beginning, within bounds."""

from __future__ import annotations

import io
import os
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
from pydicom.dataset import FileDataset
from pydicom.filereader import read_partial
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from spinetk.errors import InputError
from spinetk.images.elements import integer, is_stated, word
from spinetk.images.guard import REMEDY_COPY, BoundedReader, OverlongHeaderError, display_name
from spinetk.images.kind import REFUSED

PIXEL_KEYWORDS = {0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData", 0x7FE00010: "PixelData"}
UNDEFINED = 0xFFFFFFFF
MAX_HEADER_BYTES = 256 << 20
MAX_INFLATED_BYTES = 256 << 20
DEFER_BYTES = 32 << 20
REMEDY_NO_PICTURE = "give DICOM, PNG, JPEG, TIFF, BMP, NIfTI, NRRD or MetaImage"


@dataclass
class Header:
    """A DICOM file read up to its pixels.

    Attributes:
        path: Where it came from.
        dataset: Every element before the pixels.
        stream: Open, positioned at the value of the pixel element when there is one.
        syntax: Transfer syntax, guessed when the file does not say.
        pixel_keyword: Name of the pixel element, or None when there is none.
        pixel_vr: Its value representation.
        pixel_length: Its length in bytes, or None when undefined (encapsulated).
        remarks: What was decided while opening.
    """

    path: Path
    dataset: FileDataset
    stream: BoundedReader
    syntax: UID
    pixel_keyword: str | None = None
    pixel_vr: str = "OW"
    pixel_length: int | None = None
    remarks: list[str] = field(default_factory=list)

    @property
    def frames(self) -> int:
        """Number of frames, at least 1."""
        return max(integer(self.dataset, "NumberOfFrames") or 1, 1)

    @property
    def bytes_left(self) -> int:
        """Bytes from here to the end of the file."""
        return max(self.stream.size - self.stream.tell(), 0)


def open_header(path: Path) -> Header:
    """Open a DICOM file; the caller closes ``stream``.

    Raises:
        InputError: It is no DICOM, or its header is damaged beyond use.
    """
    file = io.FileIO(path)
    stream = BoundedReader(file, os.fstat(file.fileno()).st_size)
    try:
        return _open(path, stream)
    except BaseException:
        stream.close()
        raise


def _open(path: Path, stream: BoundedReader) -> Header:
    remarks: list[str] = []
    head = stream.peek(132)[:132]
    if head[128:132] != b"DICM":
        groups = {int.from_bytes(head[:2], "little"), int.from_bytes(head[:2], "big")}
        if len(head) <= 8 or not groups & {2, 8}:
            if head.startswith(b"PK\x03\x04"):
                raise InputError(display_name(path), "is a ZIP, not a picture", "unpack it first")
            other = next((kind for start, kind in REFUSED.items() if head.startswith(start)), None)
            if other is not None:
                raise InputError(display_name(path), f"is a {other} file, which is not read", "save it as PNG")
            raise InputError(display_name(path), "is not a picture this toolkit reads", REMEDY_NO_PICTURE)
        remarks.append("DICOM preamble is missing")
    if DeflatedExplicitVRLittleEndian.encode() in stream.peek(4096)[:4096]:
        stream = _inflated(path, stream)
    spent = 0

    def stop(tag: int, vr: str | None, length: int) -> bool:
        nonlocal spent
        spent += 0 if length == UNDEFINED or length > DEFER_BYTES else length
        if spent > MAX_HEADER_BYTES:
            raise OverlongHeaderError
        return tag in PIXEL_KEYWORDS

    settings = pydicom.config.settings
    mode = settings.reading_validation_mode
    settings.reading_validation_mode = pydicom.config.IGNORE
    try:
        dataset = read_partial(stream, stop_when=stop, defer_size=DEFER_BYTES, force=True)
    except OverlongHeaderError as error:
        raise InputError(display_name(path), "has a header too long to be a picture's", REMEDY_COPY) from error
    except RecursionError as error:
        raise InputError(display_name(path), "is nested too deeply to be a picture", REMEDY_COPY) from error
    except Exception as error:
        fault = f"has a damaged DICOM header ({type(error).__name__})"
        raise InputError(display_name(path), fault, REMEDY_COPY) from error
    finally:
        settings.reading_validation_mode = mode
        stream.reads_left = None
    implicit, little_endian = dataset.original_encoding
    native = ImplicitVRLittleEndian
    if not implicit:
        native = ExplicitVRLittleEndian if little_endian else ExplicitVRBigEndian
    stated = word(dataset.file_meta, "TransferSyntaxUID")
    if not stated:
        remarks.append("transfer syntax is missing and was guessed")
    if integer(dataset, "NumberOfFrames") is None and is_stated(dataset, "NumberOfFrames"):
        remarks.append("NumberOfFrames is damaged: one frame was assumed")
    header = Header(path, dataset, stream, UID(stated) if stated else native, remarks=remarks)
    if header.syntax == DeflatedExplicitVRLittleEndian:
        header.syntax = ExplicitVRLittleEndian
    _find_pixels(header, bool(implicit), bool(little_endian))
    return header


def _find_pixels(header: Header, implicit: bool, little_endian: bool) -> None:
    """Read the pixel element's tag and length; the stream stops at its value."""
    order = "<" if little_endian else ">"
    start = header.stream.read(8)
    if not start:  # there is none; pydicom refuses one that is cut short
        return
    if implicit or not start[4:6].isalpha():
        group, element, length = struct.unpack(f"{order}HHL", start)
    else:
        group, element, vr, length = struct.unpack(f"{order}HH2sH", start)
        header.pixel_vr = vr.decode("ascii")
        if header.pixel_vr in ("OB", "OW", "OF", "OD", "UN", "OL", "OV"):
            length = struct.unpack(f"{order}L", header.stream.read(4))[0]
    if header.pixel_vr not in ("OB", "OW"):
        header.pixel_vr = "OW"
    header.pixel_keyword = PIXEL_KEYWORDS.get(group << 16 | element)
    header.pixel_length = None if length == UNDEFINED else length


def _inflated(path: Path, stream: BoundedReader) -> BoundedReader:
    """The same file with its deflated data set unpacked, marked explicit little endian."""
    data = stream.read()
    stream.close()
    start = _end_of_meta(data)
    meta = data[:start].replace(
        DeflatedExplicitVRLittleEndian.encode(),
        ExplicitVRLittleEndian.encode().ljust(len(DeflatedExplicitVRLittleEndian), b"\0"),
    )
    if meta == data[:start]:  # The syntax's name was elsewhere in the file: it is not deflated.
        return BoundedReader(io.BytesIO(data), len(data))
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        body = inflater.decompress(data[start:], MAX_INFLATED_BYTES)
    except zlib.error as error:
        raise InputError(display_name(path), "has a damaged deflated data set", REMEDY_COPY) from error
    if inflater.unconsumed_tail:
        fault = f"inflates to more than {MAX_INFLATED_BYTES >> 20} MB"
        raise InputError(display_name(path), fault, "store it without the deflated transfer syntax")
    return BoundedReader(io.BytesIO(meta + body), len(meta) + len(body))


def _end_of_meta(data: bytes) -> int:
    """Offset of the first element after group 0002 (always explicit VR little endian, PS3.10 7.1)."""
    offset = 132 if data[128:132] == b"DICM" else 0
    while len(data) - offset >= 8:
        group, _, vr, length = struct.unpack_from("<HH2sH", data, offset)
        if group != 2:
            break
        if vr in (b"OB", b"UN") and len(data) - offset >= 12:
            length = 4 + struct.unpack_from("<L", data, offset + 8)[0]
        offset += 8 + length
    return min(offset, len(data))

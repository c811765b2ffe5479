"""The head of a DICOM file: meta information, syntax, elements up to the pixels, byte for byte."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
import pydicom
import pytest
from image_seeds import dicom, to_bytes
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from test_images_codestreams import COPY, GREY, facts, opened

from spinetk.errors import InputError
from spinetk.images import headers, read_picture
from spinetk.images.guard import BoundedReader, OverlongHeaderError
from spinetk.images.headers import _end_of_meta


def element(group: int, number: int, vr: bytes, value: bytes) -> bytes:
    head = struct.pack("<HH2s", group, number, vr)
    return (
        head
        + (b"\0\0" + struct.pack("<L", len(value)) if vr in (b"OB", b"UN") else struct.pack("<H", len(value)))
        + value
    )


def test_where_the_meta_header_ends():
    """PS3.10 7.1: explicit, little endian; what follows is of another group."""
    meta = element(2, 0, b"UL", b"abcd") + element(2, 1, b"OB", b"\0\1") + element(2, 0x10, b"UI", b"1.2\0")
    body = element(8, 5, b"CS", b"ISO_IR 100")
    unknown = element(2, 2, b"UN", bytes(300))
    assert _end_of_meta(meta + body) == len(meta)
    assert _end_of_meta(meta + unknown + body) == len(meta) + len(unknown)
    assert _end_of_meta(bytes(128) + b"DICM" + meta + body) == 132 + len(meta)
    assert _end_of_meta(meta) == len(meta)
    assert _end_of_meta(meta + body[:7]) == len(meta)
    assert _end_of_meta(meta + element(2, 0x12, b"UI", bytes(50))[:20]) == len(meta) + 20  # it says more than there is
    assert _end_of_meta(body) == 0
    assert _end_of_meta(b"") == 0
    assert _end_of_meta(element(2, 2, b"UN", b"")[:11]) == 8


def test_heads_that_are_guessed(tmp_path):
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian):
        whole = to_bytes(dicom(GREY, syntax))
        start = whole.index(b"\0\x08\0\x16" if syntax == ExplicitVRBigEndian else b"\x08\0\x16\0")
        header = opened(tmp_path, whole[start:])
        with header.stream:
            assert header.remarks == [
                "DICOM preamble is missing", "transfer syntax is missing and was guessed",
            ]  # fmt: skip
            assert (header.syntax, header.pixel_length, header.bytes_left) == (syntax, 24, 24)
        (tmp_path / "a.dcm").write_bytes(whole[start:])
        np.testing.assert_array_equal(read_picture(tmp_path / "a.dcm").pixels, GREY)
    header = opened(tmp_path, to_bytes(dicom(GREY)).replace(b"\x28\0\x10\0US", b"\x28\0\x08\0IS\4\0two \x28\0\x10\0US"))
    with header.stream:
        assert header.remarks == ["NumberOfFrames is damaged: one frame was assumed"]
        assert header.frames == 1


@pytest.mark.parametrize(
    "content", [b"\x08\0\x16\0UI\2\0", b"\x09\0\x16\0UI\2\0\0", b"\0\x09\0\x16UI\0\2\0", b"\x03\0" + bytes(200)]
)
def test_what_is_no_head_of_a_dicom_file(tmp_path, content):
    with pytest.raises(InputError) as error:
        opened(tmp_path, content)
    assert str(error.value) == (
        f"{tmp_path / 'a.dcm'}: is not a picture this toolkit reads "
        "(give DICOM, PNG, JPEG, TIFF, BMP, NIfTI, NRRD or MetaImage)"
    )


def test_deflated_data_sets(tmp_path, monkeypatch):
    whole = to_bytes(dicom(GREY, DeflatedExplicitVRLittleEndian))
    start = _end_of_meta(whole)
    body = zlib.decompress(whole[start:], -zlib.MAX_WBITS)
    header = opened(tmp_path, whole)
    with header.stream:
        assert header.stream.read() == GREY.astype("<u2").tobytes()
        assert header.stream.size == start + len(body)
    with pytest.raises(InputError) as error:
        opened(tmp_path, whole[:start] + b"\xff" * 60)
    assert str(error.value) == f"{tmp_path / 'a.dcm'}: has a damaged deflated data set {COPY}"
    # Its name somewhere else than in the meta header says nothing.
    uid = DeflatedExplicitVRLittleEndian + "\0" * (len(DeflatedExplicitVRLittleEndian) % 2)
    header = opened(tmp_path, dicom(GREY, ReferencedSOPClassUIDInFile=uid))
    with header.stream:
        assert facts(header)[:4] == (ExplicitVRLittleEndian, "PixelData", "OW", 24)
    monkeypatch.setattr(headers, "MAX_INFLATED_BYTES", len(body))
    opened(tmp_path, whole).stream.close()
    monkeypatch.setattr(headers, "MAX_INFLATED_BYTES", len(body) - 1)
    with pytest.raises(InputError, match="inflates to more than 0 MB") as error:
        opened(tmp_path, whole)
    assert (error.value.source, error.value.remedy) == (
        str(tmp_path / "a.dcm"), "store it without the deflated transfer syntax",
    )  # fmt: skip


def test_headers_that_are_too_long(tmp_path, monkeypatch):
    """Of 3,000 and 2,000 bytes 6,000 may be spent, and what is put off counts for nothing."""
    ds = dicom(GREY)
    ds.add_new(0x00091001, "OB", bytes(3000))
    ds.add_new(0x00091002, "OB", bytes(2000))
    before = pydicom.config.settings.reading_validation_mode
    monkeypatch.setattr(headers, "MAX_HEADER_BYTES", 6000)
    opened(tmp_path, ds).stream.close()
    monkeypatch.setattr(headers, "MAX_HEADER_BYTES", 5000)
    with pytest.raises(InputError) as error:
        opened(tmp_path, ds)
    assert str(error.value) == f"{tmp_path / 'a.dcm'}: has a header too long to be a picture's {COPY}"
    monkeypatch.setattr(headers, "DEFER_BYTES", 2500)
    header = opened(tmp_path, ds)
    with header.stream:
        assert header.stream.reads_left is None
        assert header.pixel_length == 24
    assert pydicom.config.settings.reading_validation_mode == before

    def endless(*_, **__):
        raise RecursionError

    def broken(*_, **__):
        raise KeyError

    for fault, said in (
        (endless, "is nested too deeply to be a picture"),
        (broken, "has a damaged DICOM header (KeyError)"),
    ):
        monkeypatch.setattr(headers, "read_partial", fault)
        with pytest.raises(InputError) as error:
            opened(tmp_path, ds)
        assert str(error.value) == f"{tmp_path / 'a.dcm'}: {said} {COPY}"
        assert pydicom.config.settings.reading_validation_mode == before


def test_a_reader_gives_no_more_than_there_is():
    reader = BoundedReader(BytesIO(bytes(range(100)) * 200), 20_000)
    assert reader.name == ""
    assert reader.read(3) == b"\0\1\2"
    reader.seek(19_990)
    assert reader.read(1 << 40) == bytes(range(90, 100))
    assert reader.read(1 << 40) == b""
    reader.seek(10_000)
    assert len(reader.read(9000)) == 9000
    reader.seek(19_000)
    assert [len(reader.read(size)) for size in (-1,)] == [1000]
    reader.seek(19_000)
    assert len(reader.read(None)) == 1000
    reader.seek(19_000)
    assert len(reader.read()) == 1000
    reader.seek(0)
    reader.reads_left = 2
    assert (reader.read(1), reader.read(9000)[:1]) == (b"\0", b"\1")
    with pytest.raises(OverlongHeaderError):
        reader.read(1)
    reader.reads_left = None
    assert reader.read(1) == bytes([9001 % 100])

"""Files made to break a reader: each is refused in one line, within a number of calls and 1 GB beyond the rest.

Work is counted in calls (of Python and of C functions), which no other load on the machine changes.
"""

from __future__ import annotations

import gzip
import json
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from image_seeds import PLANTED, dicom, nested, plain, seeds, to_bytes, truth, volume
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

from spinetk.errors import InputError
from spinetk.images import read_picture
from spinetk.images.guard import BoundedReader

GREY = truth().astype(np.uint16)


def resized(ds, rows, columns):
    ds.Rows, ds.Columns = rows, columns
    return to_bytes(ds)


def png(width, height, depth=8, colour=0, data=b"\0" * 10):
    def chunk(name, body):
        return struct.pack(">L", len(body)) + name + body + struct.pack(">L", zlib.crc32(name + body))

    header = struct.pack(">LLBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def long_chunk(code):
    at = code.index(b"IDAT") - 4
    return code[:at] + b"\x40" + code[at + 1 :]


def nifti(sizes, packed=False, body=b"\0" * 100, bits=16):
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, len(sizes), *sizes, *[1] * (7 - len(sizes)))
    struct.pack_into("<2h", head, 70, 4, bits)
    struct.pack_into("<8f", head, 76, *[1.0] * 8)
    struct.pack_into("<f", head, 108, 352)
    struct.pack_into("<2h", head, 252, 1, 1)
    head[344:348] = b"n+1\0"
    return gzip.compress(bytes(head) + body) if packed else bytes(head) + body


def nrrd(sizes, extra="", encoding="raw", body=b"\0" * 100):
    head = f"NRRD0004\ntype: short\ndimension: {len(sizes)}\nsizes: {' '.join(map(str, sizes))}\nendian: little\n"
    return (head + f"{extra}encoding: {encoding}\n\n").encode() + body


def deflate_bomb(size):
    ds = to_bytes(dicom(GREY))
    start = 132 + 12 + struct.unpack_from("<L", ds, 140)[0]
    meta = ds[:start].replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99")
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = ds[start:-8] + struct.pack("<HH2sHL", 0x7FE0, 0x10, b"OW", 0, size)
    return meta + packer.compress(body) + packer.compress(bytes(size)) + packer.flush()


def compressed(syntax, code, rows, columns, **tags):
    ds = dicom((truth() // 5).astype(np.uint8), **tags)
    ds.file_meta.TransferSyntaxUID = syntax
    ds.Rows, ds.Columns = rows, columns
    ds.PixelData = encapsulate([code])
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    return to_bytes(ds)


def tiff(width, height):
    code = plain((truth() // 5).astype(np.uint8), "tiff")
    for tag, old, new in ((256, 20, width), (257, 24, height)):
        for kind, pack in ((3, "<HHLHxx"), (4, "<HHLL")):
            entry = struct.pack(pack, tag, kind, 1, old)
            if entry in code:
                code = code.replace(entry, struct.pack("<HHLL", tag, 4, 1, new))
    return code


def jpeg_frame(height, width):
    code = plain((truth() // 5).astype(np.uint8), "jpeg")
    at = code.index(b"\xff\xc0") + 5
    return code[:at] + struct.pack(">HH", height, width) + code[at + 4 :]


def j2k_frame(size):
    code = seeds()["j2k.dcm"]
    code = code[code.index(b"\xff\x4f\xff\x51") :]
    return code[:8] + struct.pack(">2L", size, size) + code[16:]


def many_frames(ds):
    ds.NumberOfFrames = 2_000_000_000
    return to_bytes(ds)


def many_elements(count):
    head = to_bytes(dicom(GREY))
    at = head.index(b"\x28\x00\x02\x00US")
    return head[:at] + b"".join(struct.pack("<HH2sH", 9, k & 0xFFFF, b"CS", 0) for k in range(count)) + head[at:]


def many_items(count):
    head = to_bytes(dicom(GREY))
    at = head.index(b"\x28\x00\x02\x00US")
    item = b"\xfe\xff\x00\xe0\0\0\0\0"
    return head[:at] + b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff" + item * count + head[at:]


def many_frame_items(count):
    """Empty per-frame functional groups in a sequence of defined length, which pydicom parses when it is asked for."""
    head = to_bytes(dicom(GREY, NumberOfFrames=2, PixelData=b""))
    at = head.index(b"\xe0\x7f\x10\x00OW")
    return head[:at] + struct.pack("<HH2sHL", 0x5200, 0x9230, b"SQ", 0, 8 * count) + b"\xfe\xff\x00\xe0\0\0\0\0" * count


HOSTILE = {
    "empty.dcm": lambda: b"",
    "text.dcm": lambda: b"hello world, this is no picture\n" * 100,
    "zeros.dcm": lambda: bytes(5000),
    "huge_256.dcm": lambda: resized(dicom(GREY), 65535, 65535)[:256],
    "huge.dcm": lambda: resized(dicom(GREY), 65535, 65535),
    "huge_fits_limit.dcm": lambda: resized(dicom(GREY), 9000, 9000),
    "no_size.dcm": lambda: resized(dicom(GREY), 0, 0),
    "huge_rle.dcm": lambda: resized(dicom(GREY, RLELossless), 65535, 65535),
    "large_rle.dcm": lambda: resized(dicom(GREY, RLELossless), 9000, 9000),
    "large_jpeg.dcm": lambda: compressed(JPEGBaseline8Bit, jpeg_frame(9000, 9000), 9000, 9000),
    "jpeg_says_more.dcm": lambda: compressed(JPEGBaseline8Bit, jpeg_frame(60000, 60000), 24, 20),
    "j2k_says_more.dcm": lambda: compressed(JPEG2000Lossless, j2k_frame(1 << 31), 64, 64),
    "large_j2k.dcm": lambda: compressed(JPEG2000Lossless, j2k_frame(9000), 9000, 9000),
    "frames.dcm": lambda: to_bytes(dicom(GREY, NumberOfFrames=2_000_000_000)),
    "frames_rle.dcm": lambda: many_frames(dicom(GREY, RLELossless)),
    "nested.dcm": lambda: nested(5000),
    "elements.dcm": lambda: many_elements(20_000),
    "items.dcm": lambda: many_items(50_000),
    "frame_items.dcm": lambda: many_frame_items(1_000_000),
    "deflate_bomb.dcm": lambda: deflate_bomb(300 << 20),
    "wrong_length.dcm": lambda: (
        to_bytes(dicom(GREY)).replace(b"UI", b"OB", 9).replace(b"DA\x08\0", b"OB\0\0\xf0\xff\xff\xff")
    ),
    "palette.dcm": lambda: to_bytes(dicom((GREY // 5).astype(np.uint8), PhotometricInterpretation="PALETTE COLOR")),
    "private_syntax.dcm": lambda: compressed(JPEGBaseline8Bit, b"\1" * 100, 24, 20).replace(
        b"1.2.840.10008.1.2.4.50", b"1.2.3.4.5.6.7.8.9.0.11"
    ),
    "no_pixels.dcm": lambda: to_bytes(dicom(GREY)).split(b"\xe0\x7f\x10\x00")[0],
    "huge.png": lambda: png(60000, 60000),
    "false.png": lambda: png(9000, 9000, 16, 2),
    "long_chunk.png": lambda: long_chunk(seeds()["rgba16.png"]),
    "huge.jpg": lambda: jpeg_frame(65535, 65535),
    "large.jpg": lambda: jpeg_frame(9000, 9000)[:400],
    "huge.tif": lambda: tiff(1 << 30, 1 << 30),
    "false.tif": lambda: tiff(9000, 9000),
    "huge.nii": lambda: nifti([32767, 32767, 32767]),
    "false.nii": lambda: nifti([700, 700, 700]),
    "false.nii.gz": lambda: nifti([700, 700, 700], packed=True),
    "negative.nii": lambda: nifti([-5, 10, 10]),
    "huge.nrrd": lambda: nrrd([30000, 30000, 30000]),
    "false.nrrd": lambda: nrrd([700, 700, 700]),
    "packed.nrrd": lambda: nrrd([700, 700, 700], encoding="gzip", body=gzip.compress(bytes(2_000_000))),
    "detached.nrrd": lambda: nrrd([10, 10], "data file: ../../secret.raw\n"),
}

READS = 12_000
"""Reads of a header allowed in these tests: a twentieth of the product's, for counting calls is slow."""
CALLS = 50_000 + 100 * READS
MEGABYTES = 1000

PROBE = """
import json, os, resource, sys
import pydicom.pixels, SimpleITK, cv2, PIL.Image
from spinetk.errors import InputError
from spinetk.images import guard, read_picture
from spinetk.images.info import describe

assert 0 < guard.MAX_HEADER_READS <= 240_000
guard.MAX_HEADER_READS = int(sys.argv[1])

def count(frame, event, arg):
    global calls
    calls += 1

def refused(work, path):
    global calls
    calls, line = 0, None
    sys.setprofile(count)
    try:
        work(path)
    except InputError as error:
        line = str(error)
    finally:
        sys.setprofile(None)
    return line, calls

for path in sys.argv[2:]:
    if os.fork():
        os.wait()
        continue
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    line, spent = refused(read_picture, path)
    _, described = refused(describe, path)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(json.dumps([path, line, spent, described, grown]), flush=True)
    os._exit(0)
"""


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """Every hostile file read and described in a process of its own, forked after the imports."""
    folder = tmp_path_factory.mktemp("hostile")
    for name, make in HOSTILE.items():
        (folder / name).write_bytes(make())
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(READS), *(str(folder / name) for name in HOSTILE)],
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    assert done.stderr == ""
    return {Path(row[0]).name: row[1:] for row in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file_is_refused_cheaply(verdicts, name):
    line, calls, calls_of_info, megabytes = verdicts[name]
    assert line is not None
    assert name in line
    assert "\n" not in line
    assert calls < CALLS
    assert calls_of_info < CALLS
    assert megabytes < MEGABYTES


def test_no_patient_text_in_what_is_said(verdicts):
    assert not any(planted in line for line, *_ in verdicts.values() for planted in PLANTED)


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: os.symlink("/nowhere/at/all", path)])
def test_fifos_and_broken_links_are_refused_at_once(tmp_path, make):
    make(tmp_path / "a.dcm")
    with pytest.raises(InputError):
        read_picture(tmp_path / "a.dcm")


def test_devices_are_refused():
    with pytest.raises(InputError, match="not an ordinary file"):
        read_picture("/dev/zero")


@pytest.mark.parametrize("path", ["missing.png", "a\0b", "x" * 5000, ""])
def test_paths_that_are_none(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        read_picture(path)
    assert "\n" not in str(caught.value)


def test_path_with_line_breaks_gives_one_line(tmp_path):
    path = tmp_path / "a\nb\x1b[31m.png"
    path.write_bytes(b"nothing")
    with pytest.raises(InputError) as caught:
        read_picture(path)
    assert str(caught.value).isprintable()


def test_true_volume_of_a_large_gzip_is_read(tmp_path):
    (tmp_path / "a.nii.gz").write_bytes(volume(np.ones((20, 30, 40), np.int16), ".nii.gz"))
    assert read_picture(tmp_path / "a.nii.gz").pixels.max() == 1


def test_reader_never_asks_for_more_than_is_left(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    with open(tmp_path / "a", "rb", buffering=0) as raw:
        stream = BoundedReader(raw, 3)
        assert stream.read(1 << 62) == b"abc"
        assert stream.read(-1) == b""


def test_explicit_length_beyond_the_file_is_no_memory(tmp_path):
    data = to_bytes(dicom(GREY, ExplicitVRLittleEndian))
    at = data.index(b"\xe0\x7f\x10\x00OW")
    (tmp_path / "a.dcm").write_bytes(data[: at + 8] + b"\xfe\xff\xff\xff" + data[at + 12 :])
    np.testing.assert_array_equal(read_picture(tmp_path / "a.dcm").pixels, GREY)


def test_deflated_with_a_false_mark_elsewhere(tmp_path):
    """The syntax's name in another element does not make a file deflated."""
    ds = dicom(GREY, StudyDescription=str(DeflatedExplicitVRLittleEndian))
    (tmp_path / "a.dcm").write_bytes(to_bytes(ds))
    np.testing.assert_array_equal(read_picture(tmp_path / "a.dcm").pixels, GREY)

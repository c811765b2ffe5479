"""The line that each file gives that cannot be read, whole: which file, what is wrong, what to do; and what is said of
files that are read although something is wrong with them.
"""

from __future__ import annotations

import gzip
import io
import struct
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from image_seeds import dicom, enhanced, plain, to_bytes, truth
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless, RLELossless
from volume_files import affine_of, write_nifti

from spinetk.errors import InputError
from spinetk.images import read_picture
from spinetk.images.guard import check_size, regular_file
from spinetk.images.picture import chosen_slice
from spinetk.images.series import pick
from spinetk.images.source import dicom_source
from spinetk.images.volume import read_volume
from spinetk.images.voxels import check_voxels

COPY = "(export or copy the file again)"
KINDS = "(give DICOM, PNG, JPEG, TIFF, BMP, NIfTI, NRRD or MetaImage)"
GREY16 = truth().astype(np.uint16)
OLD = UID("1.2.840.10008.1.2.4.52")  # a JPEG process that is retired
LARGER = truth(48, 40).astype(np.uint16)


def line(call, *arguments, **options) -> str:
    with pytest.raises(InputError) as error:
        call(*arguments, **options)
    return str(error.value).replace(error.value.source, Path(error.value.source).name)


def without(ds, *names):
    for name in names:
        delattr(ds, name)
    return ds


def changed(ds, **tags):
    for name, value in tags.items():
        setattr(ds, name, value)
    return ds


def with_syntax(ds, uid):
    data = to_bytes(ds)
    old = ds.file_meta.TransferSyntaxUID.encode()
    assert data.count(old) == 1
    return data.replace(old, uid.encode().ljust(len(old), b"\0")[: len(old)])


def floats(bits):
    ds = without(dicom(GREY16), "PixelData")
    ds.FloatPixelData, ds.BitsAllocated = np.zeros((24, 20), np.float32).tobytes(), bits
    return ds


def smaller_code():
    """A JPEG 2000 stream of four times the pixels that the header speaks of."""
    ds = dicom(truth(96, 80).astype(np.uint16), JPEG2000Lossless)
    ds.Rows, ds.Columns = 48, 40
    return ds


def spoilt(ds, at, count=40):
    """The coded pixels, from their ``at``-th byte on, as zeros."""
    code = bytearray(ds.PixelData)
    code[at : at + count] = bytes(len(code[at : at + count]))
    ds.PixelData = bytes(code)
    return ds


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", f"is empty {COPY}"),
        (b"no picture at all", f"is not a picture this toolkit reads {KINDS}"),
        (b"\x02\x00", f"is not a picture this toolkit reads {KINDS}"),
        (without(dicom(GREY16), "Rows"), f"does not say how large its picture is {COPY}"),
        (without(dicom(GREY16), "Columns"), f"does not say how large its picture is {COPY}"),
        (without(dicom(GREY16), "BitsAllocated"), f"does not say how large its picture is {COPY}"),
        (dicom(GREY16, BitsAllocated=12), "stores 1 samples of 12 bits a pixel (convert it to 8 or 16 bits)"),
        (dicom(GREY16, SamplesPerPixel=2), "stores 2 samples of 16 bits a pixel (convert it to 8 or 16 bits)"),
        (dicom(GREY16, BitsStored=17), f"stores 17 bits in 16 {COPY}"),
        (floats(16), f"stores floating point in 16 bits {COPY}"),
        (to_bytes(dicom(GREY16))[:-100], f"is cut short: 860 of 960 bytes of pixels are there {COPY}"),
        (dicom(GREY16, NumberOfFrames=3), f"is cut short: 960 of 2880 bytes of pixels are there {COPY}"),
        (changed(dicom(GREY16, RLELossless), NumberOfFrames=900), f"claims 900 frames {COPY}"),
        (dicom(GREY16, Rows=30_000, Columns=30_000), "claims 30000 x 30000 pixels, more than 100 million (crop or "
         "resample it first)"),
        (smaller_code(), f"says 40 x 48 pixels but holds 80 x 96 {COPY}"),
        (spoilt(dicom(LARGER, JPEG2000Lossless), 80, 900),
         f"has pixels that cannot be decoded (JPEG 2000 Image Compression (Lossless Only)) {COPY}"),
        (with_syntax(dicom(LARGER, JPEG2000Lossless), OLD),
         f"uses transfer syntax {OLD.name}, which has no decoder here (convert it to an uncompressed one)"),
    ],
)  # fmt: skip
def test_dicom_files(tmp_path, content, said):
    path = tmp_path / "a"
    path.write_bytes(content if isinstance(content, bytes) else to_bytes(content))
    assert line(read_picture, path) == f"a: {said}"


@pytest.mark.parametrize(
    ("content", "remarks"),
    [
        (to_bytes(dicom(GREY16), preamble=False), ["DICOM preamble is missing"]),
        (to_bytes(dicom(GREY16)).replace(b"\x02\x00\x10\x00UI", b"\x02\x00\x11\x00UI"),
         ["transfer syntax is missing and was guessed"]),
        (with_syntax(dicom(GREY16, RLELossless), ExplicitVRLittleEndian),
         ["pixels are compressed although the transfer syntax says otherwise"]),
        (with_syntax(dicom(GREY16), UID("1.2.840.10008.1.2.5")),
         ["pixels are not compressed although the transfer syntax says so"]),
        (to_bytes(dicom(GREY16, ImplicitVRLittleEndian)), []),
    ],
)  # fmt: skip
def test_dicom_files_that_are_read_all_the_same(tmp_path, content, remarks):
    (tmp_path / "a").write_bytes(content)
    picture = read_picture(tmp_path / "a")
    assert list(picture.remarks) == remarks
    np.testing.assert_array_equal(picture.pixels, GREY16)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (plain(truth().astype(np.uint8), "png")[:-30], f"is cut short or damaged {COPY}"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), f"is not a readable PNG file {COPY}"),
        (b"\xff\xd8\xff" + bytes(40), f"is not a readable JPEG file {COPY}"),
        (b"II*\0" + bytes(40), f"is not a readable TIFF file {COPY}"),
        (plain(np.full((3, 4), np.nan, np.float32), "tiff"), f"holds no pixel that is a number {COPY}"),
    ],
)
def test_plain_pictures(tmp_path, content, said):
    (tmp_path / "a").write_bytes(content)
    assert line(read_picture, tmp_path / "a") == f"a: {said}"


def nifti(kind=nib.Nifti1Image, values=None, **fields):
    image = kind(np.zeros((3, 4, 5), np.int16) if values is None else values, np.eye(4))
    data = bytearray(image.to_bytes())
    for at, form, value in fields.values():
        struct.pack_into(form, data, at, value)
    return bytes(data)


# Offsets of fields in a NIfTI-1 header: dim 40, datatype 70, bitpix 72, vox_offset 108, scl 112, magic 344.
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (nifti(magic=(344, "4s", b"ni1\0")),
         "is half of a NIfTI pair (.hdr and .img) (convert it to one .nii or .nii.gz)"),
        (nifti(nib.Nifti2Image, magic=(4, "4s", b"ni2\0")),
         "is half of a NIfTI pair (.hdr and .img) (convert it to one .nii or .nii.gz)"),
        (nifti(dim=(40, "<h", 9)), f"has a damaged NIfTI header {COPY}"),
        (nifti(dim=(40, "<h", 1)), f"has a damaged NIfTI header {COPY}"),
        (nifti(kind_=(70, "<h", 99)), f"has a damaged NIfTI header {COPY}"),
        (nifti(start=(108, "<f", -4.0)), f"has a damaged NIfTI header {COPY}"),
        (nifti(values=np.zeros((2, 3, 4), np.complex64)), "has several values a voxel (give one grey volume)"),
        (nifti(size=(42, "<h", 0)), f"claims a size of 0 x 4 x 5 {COPY}"),
        (nifti(size=(46, "<h", 6)), f"claims more voxels than it holds {COPY}"),
        (gzip.compress(nifti())[:60], "is not a volume (give NIfTI, NRRD or MetaImage, for example from dcm2niix)"),
        (nifti(slope=(112, "<f", 2.0), offset=(116, "<f", np.nan)),
         f"scales its grey values by what is no number {COPY}"),
        (nifti(values=np.zeros((2, 3, 4, 2), np.int16)),
         "holds 2 volumes, not one grey volume (give one three-dimensional volume)"),
        (nifti(values=np.zeros((3, 4), np.int16)), "is a picture, not one grey volume (give a volume with slices)"),
    ],
)  # fmt: skip
def test_nifti_files(tmp_path, content, said):
    (tmp_path / "a.nii").write_bytes(content)
    assert line(read_volume, tmp_path / "a.nii") == f"a.nii: {said}"


def nrrd(*fields, encoding="raw", sizes="3 4 5", kind="short", data=120, dimension=3):
    head = ["NRRD0004", f"type: {kind}", f"dimension: {dimension}", f"sizes: {sizes}", "endian: little"]
    return "\n".join([*head, f"encoding: {encoding}", *fields, "", ""]).encode() + bytes(data)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"NRRD0004\ntype: short\n", f"has a damaged NRRD header {COPY}"),
        (nrrd(sizes="3 x 5"), f"has a damaged NRRD header {COPY}"),
        (nrrd(kind="half"), f"has a damaged NRRD header {COPY}"),
        (nrrd("data file: a.raw"), "keeps its voxels in another file (store header and data in one .nrrd)"),
        (nrrd(encoding="ascii"), "uses a rare NRRD encoding (store it raw or gzip)"),
        (nrrd("line skip: 1"), "skips lines before its voxels (store it again without them)"),
        (nrrd(sizes="2 2 2 2", dimension=4), "has 4 dimensions (give a volume of 2 or 3)"),
        (nrrd("space: lps", "space directions: none (1,0,0) (0,1,0) (0,0,1)", sizes="2 3 4 5", dimension=4, data=240),
         "has several values a voxel (give one grey volume)"),
        (nrrd(data=119), f"claims more voxels than it holds {COPY}"),
        (nrrd(sizes="0 4 5"), f"claims a size of 0 x 4 x 5 {COPY}"),
    ],
)  # fmt: skip
def test_nrrd_files(tmp_path, content, said):
    (tmp_path / "a.nrrd").write_bytes(content)
    assert line(read_volume, tmp_path / "a.nrrd") == f"a.nrrd: {said}"


def test_volumes_that_are_no_straight_pictures(tmp_path):
    sheared = affine_of()
    sheared[0, 1] = 0.15
    path = write_nifti(tmp_path / "a.nii", sform=(sheared, 1))
    degrees = np.degrees(np.arctan(0.15 / 1.5))
    assert line(read_picture, path) == (
        f"a.nii: has sheared axes, {degrees:.1f} degrees from right angles (resample it to a straight grid first)"
    )


def test_sizes(tmp_path):
    path = tmp_path / "a"
    assert line(check_size, path, 0, 5) == f"a: claims a size of 0 x 5 pixels {COPY}"
    assert line(check_size, path, 5, 0) == f"a: claims a size of 5 x 0 pixels {COPY}"
    check_size(path, 10_000, 10_000)
    assert line(check_size, path, 10_001, 10_000).startswith("a: claims 10001 x 10000 pixels, more than 100 million")
    path.write_bytes(bytes(10))
    assert line(check_voxels, path, (), 1, False, 0) == f"a: claims a size of nothing {COPY}"
    assert line(check_voxels, path, (9,), 1, False, 0) == f"a: claims a size of 9 {COPY}"
    check_voxels(path, (2, 5), 1, False, 0)
    assert line(check_voxels, path, (2, 5), 1, False, 1) == f"a: claims more voxels than it holds {COPY}"
    check_voxels(path, (10_320, 1), 1, True, 0)  # 1,032 bytes from each of ten
    assert line(check_voxels, path, (10_321, 1), 1, True, 0) == f"a: claims more voxels than it holds {COPY}"
    assert line(check_voxels, path, (1000, 1000, 401), 1, False, 0) == (
        "a: claims 401 million voxels, more than 400 (crop or resample it first)"
    )


def test_files_that_are_none(tmp_path):
    assert line(regular_file, tmp_path / "a") == "a: does not exist or cannot be reached (check the path)"
    assert line(regular_file, tmp_path).endswith(": is not an ordinary file (give a file or a folder)")
    assert line(read_picture, tmp_path).endswith(": is a folder without a DICOM series (give its pictures themselves: FOLDER/*)")  # noqa: E501  # fmt: skip


def test_slices_and_series_that_are_not_there(tmp_path):
    assert line(chosen_slice, 5, 5, 2) == "slice: 6 is not among the 5 there are (choose another)"
    assert line(chosen_slice, -1, 5, 2) == "slice: 0 is not among the 5 there are (choose another)"
    assert [chosen_slice(asked, 5, 2) for asked in (0, 4, "central", "most-spine")] == [
        (0, "chosen"), (4, "chosen"), (2, "central"), (2, "most spine"),
    ]  # fmt: skip
    assert line(read_picture, tmp_path, slice_choice="middle") == (
        "slice choice: 'middle' is not 'central' or 'most-spine' (or give the number of a slice, from 0)"
    )
    for asked in (0, 2, "x"):
        assert line(pick, {"k": []}, asked, "a") == (
            f"a: has no series {asked} among its 1 (see `spinetk info` for their numbers)"
        )
    (tmp_path / "a.png").write_bytes(plain(truth().astype(np.uint8), "png"))
    assert line(dicom_source, tmp_path / "a.png") == (
        "a.png: is no DICOM file (a structured report needs the DICOM picture)"
    )
    frames = np.zeros((6, 8, 5), np.uint16)
    (tmp_path / "b.dcm").write_bytes(to_bytes(enhanced(frames, [1, 0, 0], [0, 1, 0], [0, 0, 3], [1, 1])))
    assert line(dicom_source, tmp_path / "b.dcm") == (
        "b.dcm: was read as a reformation, which is no stored picture (a structured report needs sagittal slices or a "
        "radiograph)"
    )
    (tmp_path / "c.dcm").write_bytes(to_bytes(enhanced(frames, [0, 1, 0], [0, 0, -1], [3, 0, 0], [1, 1])))
    assert line(dicom_source, tmp_path / "c.dcm", 6) == "c.dcm: has no slice 7 any more (read it again)"


def test_at_most_four_other_series_are_named(tmp_path):
    """Six echoes: the first is read, four are named, one is counted."""
    frames = np.zeros((6, 8, 5), np.uint16)
    ds = enhanced(frames, [0, 1, 0], [0, 0, -1], [3, 0, 0], [1, 1])
    for number, group in enumerate(ds.PerFrameFunctionalGroupsSequence):
        echo = type(group)()
        echo.EffectiveEchoTime = 10.0 * (number + 1)
        group.MREchoSequence = [echo]
    (tmp_path / "a.dcm").write_bytes(to_bytes(ds))
    others = "; ".join(f"{n}: 1 sagittal slice of 5 x 8 px, echo time {10 * n} ms" for n in range(2, 6))
    assert read_picture(tmp_path / "a.dcm").remarks[0] == (
        f"series 1 of 6 was read (1 sagittal slice of 5 x 8 px, echo time 10 ms), not {others}; and 1 more "
        "(--series chooses)"
    )
    assert "series 3 of 6 was read" in read_picture(tmp_path / "a.dcm", series=3).remarks[0]
    assert io.BytesIO(to_bytes(ds)).read(132)[128:] == b"DICM"

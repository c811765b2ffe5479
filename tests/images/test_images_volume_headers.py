"""What the headers of NRRD and NIfTI files say, whole: each field of the format, worked out by hand."""

from __future__ import annotations

import gzip
import struct

import nibabel as nib
import numpy as np
import pytest

from spinetk.errors import InputError
from spinetk.images import nifti
from spinetk.images.grid import Grid
from spinetk.images.volume import Volume, read_volume, read_volume_header

COPY = "(export or copy the file again)"


def facts(header) -> dict:
    """All but the format's own header."""
    return {
        "kind": header.kind, "shape": header.grid.shape, "affine": header.grid.affine.tolist(),
        "oriented": header.grid.oriented, "dtype": header.dtype.str, "volumes": header.volumes, "flat": header.flat,
        "known": header.spacing_known, "remarks": header.remarks,
    }  # fmt: skip


def rows(*diagonal, at=(0, 0, 0)):
    affine = np.diag([*diagonal, 1.0])
    affine[:3, 3] = at
    return affine.tolist()


def line(call, *arguments) -> str:
    with pytest.raises(InputError) as error:
        call(*arguments)
    return str(error.value).rsplit("/", 1)[-1]


# --- NIfTI (nifti1.h) ---

FIELDS = {
    "dim": (40, "8h"), "datatype": (70, "h"), "pixdim": (76, "8f"), "offset": (108, "f"), "slope": (112, "f"),
    "intercept": (116, "f"), "units": (123, "B"), "qcode": (252, "h"), "scode": (254, "h"), "quaternion": (256, "3f"),
    "qoffset": (268, "3f"), "srow": (280, "12f"),
}  # fmt: skip
NIFTI = {
    "kind": "nifti", "shape": (2, 3, 4), "affine": rows(-0.5, 0.25, 2, at=(0.75, -0.25, -1)), "oriented": False,
    "dtype": "<i2", "volumes": 1, "flat": False, "known": True, "remarks": (),
}  # fmt: skip
SROW = (0.5, 0, 0, 1, 0, 0.25, 0, 2, 0, 0, 2, 3)
PLACED = {"affine": rows(0.5, 0.25, 2, at=(1, 2, 3)), "oriented": True}


def nifti_file(folder, order="<", count=24, kind="i2", end=b"", name="a.nii", **fields):
    head = bytearray(352)
    struct.pack_into(f"{order}i", head, 0, 348)
    head[344:348] = b"n+1\0"
    usual = {"dim": (3, 4, 3, 2, 1, 1, 1, 1), "datatype": 4, "pixdim": (1, 0.5, 0.25, 2, 0, 0, 0, 0), "offset": 352.0}
    for field, value in (usual | fields).items():
        at, form = FIELDS[field]
        struct.pack_into(order + form, head, at, *(value if isinstance(value, tuple) else (value,)))
    path = folder / name
    content = bytes(head) + np.arange(count).astype(order + kind).tobytes() + end
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    return path


def sform(**more):
    return {"scode": 1, "srow": SROW} | more


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        ({}, {}),
        ({"order": ">"}, {"dtype": ">i2"}),
        ({"pixdim": (1, 0.5, 0.25, 0, 0, 0, 0, 0)},
         {"affine": rows(-0.5, 0.25, 1, at=(0.75, -0.25, -0.5)), "known": False}),
        ({"pixdim": (1, 0.5, np.nan, 2, 0, 0, 0, 0)},
         {"affine": rows(-0.5, 1, 2, at=(0.75, -1, -1)), "known": False}),
        ({"pixdim": (1, -0.5, 0.25, 2, 0, 0, 0, 0)},
         {"affine": rows(-1, 0.25, 2, at=(1.5, -0.25, -1)), "known": False}),
        ({"dim": (2, 4, 6, 1, 1, 1, 1, 1), "pixdim": (1, 0.5, 0.25, 0, 0, 0, 0, 0)},
         {"shape": (1, 6, 4), "flat": True, "affine": rows(-0.5, 0.25, 1, at=(0.75, -0.625, 0))}),
        ({"dim": (4, 4, 3, 1, 2, 1, 1, 1)},
         {"shape": (1, 3, 4), "volumes": 2, "affine": rows(-0.5, 0.25, 2, at=(0.75, -0.25, 0))}),
        ({"dim": (5, 2, 2, 1, 2, 3, 1, 1)},
         {"shape": (1, 2, 2), "volumes": 6, "affine": rows(-0.5, 0.25, 2, at=(0.25, -0.125, 0))}),
        ({"dim": (3, 4, 3, 2, 9, 9, 9, 9)}, {}),  # beyond the count they say nothing
        ({"units": 2}, {}),
        ({"units": 8}, {}),  # seconds, of no length
        ({"units": 1 | 8}, {"affine": rows(-500, 250, 2000, at=(750, -250, -1000)),
                            "remarks": ("the header gives lengths in m: they were changed to mm",)}),
        ({"units": 3, "pixdim": (1, 500, 250, 2000, 0, 0, 0, 0)},
         {"remarks": ("the header gives lengths in micrometres: they were changed to mm",)}),
        (sform(), PLACED),
        (sform(scode=4, units=10), PLACED),
        (sform(scode=0), {}),
        (sform(scode=-1), {}),
        ({"qcode": 1, "quaternion": (0, 0, 0), "qoffset": (1, 2, 3)}, PLACED),
        # A turn by 180 degrees about z, and slices that run downwards.
        ({"qcode": 2, "quaternion": (0, 0, 1), "qoffset": (1, 2, 3), "pixdim": (-1, 0.5, 0.25, 2, 0, 0, 0, 0)},
         {"affine": rows(-0.5, -0.25, -2, at=(1, 2, 3)), "oriented": True}),
        (sform(qcode=1, qoffset=(1, 2, 3.5)), PLACED),
        (sform(qcode=2, qoffset=(1, 2, 3.75)),
         PLACED | {"remarks": ("sform (code 1) and qform (code 2) lie up to 0.8 mm apart: the sform was used",)}),
        (sform(srow=(0,) * 12, qcode=1, qoffset=(1, 2, 3)),
         PLACED | {"remarks": ("the sform is not a matrix of a volume and was ignored",)}),
        (sform(qcode=1, quaternion=(1, 1, 1)),
         PLACED | {"remarks": ("the qform is not a matrix of a volume and was ignored",)}),
        (sform(srow=(np.nan,) * 12), {"remarks": ("the sform is not a matrix of a volume and was ignored",)}),
        (sform(pixdim=(1, 0.5, 0.25, 2.01, 0, 0, 0, 0)), PLACED),
        (sform(pixdim=(1, 0.5, 0.25, 2.5, 0, 0, 0, 0)),
         PLACED | {"remarks": ("pixdim says 0.5 x 0.25 x 2.5 mm, the sform 0.5 x 0.25 x 2 mm: the sform was used",)}),
        (sform(pixdim=(1, 0.5, 0.25, 0, 0, 0, 0, 0)), PLACED),
        (sform(units=3, srow=tuple(1000 * v for v in SROW), pixdim=(1, 500, 250, 2000, 0, 0, 0, 0)),
         PLACED | {"remarks": ("the header gives lengths in micrometres: they were changed to mm",)}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_where_the_voxels_of_a_nifti_lie(tmp_path, fields, changed, name):
    path = nifti_file(tmp_path, name=name, **fields)
    header = nifti.read_header(path)
    found = facts(header)
    np.testing.assert_allclose(found.pop("affine"), (NIFTI | changed)["affine"], atol=1e-4)
    assert found == {k: v for k, v in (NIFTI | changed).items() if k != "affine"}
    values = nifti.read_values(path, header)
    assert values.ravel().tolist() == list(range(values.size))
    assert values.shape == header.grid.shape


KINDS = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}


@pytest.mark.parametrize("code", KINDS)
def test_scaled_values_are_as_precise_as_the_stored_ones(tmp_path, code):
    kind = np.dtype(KINDS[code])
    path = nifti_file(tmp_path, datatype=code, kind=KINDS[code], slope=0.5, intercept=-3.0)
    values = nifti.read_values(path, nifti.read_header(path))
    np.testing.assert_array_equal(values.ravel(), np.arange(24) * 0.5 - 3)
    assert values.dtype == (np.float32 if kind.itemsize < 3 or kind == np.float32 else np.float64)
    for slope, intercept in ((0, 5), (np.nan, 5), (np.inf, 5), (1, 0)):
        path = nifti_file(tmp_path, datatype=code, kind=KINDS[code], slope=slope, intercept=intercept)
        values = nifti.read_values(path, nifti.read_header(path))
        assert (values.dtype, values.ravel().tolist()) == (kind, list(range(24)))
    path = nifti_file(tmp_path, datatype=code, kind=KINDS[code], slope=1, intercept=2)
    assert nifti.read_values(path, nifti.read_header(path)).ravel().tolist() == list(range(2, 26))


def test_where_the_bytes_of_a_nifti_begin(tmp_path):
    """At the offset, and never within the header."""
    path = nifti_file(tmp_path, offset=356.0, count=26)
    assert nifti.read_values(path, nifti.read_header(path))[0, 0, 0] == 2
    path = nifti_file(tmp_path, offset=0.0)
    assert nifti.read_values(path, nifti.read_header(path)).ravel()[:4].tolist() == [0, 0, 0, 1]  # from byte 348 on
    second = nib.Nifti2Image(np.arange(24, dtype=np.int16).reshape(4, 3, 2), np.diag([0.5, 0.25, 2, 1]))
    nib.save(second, tmp_path / "b.nii")
    header = nifti.read_header(tmp_path / "b.nii")
    assert facts(header) == NIFTI | {"affine": rows(0.5, 0.25, 2), "oriented": True}
    np.testing.assert_array_equal(nifti.read_values(tmp_path / "b.nii", header).T, second.get_fdata())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"dim": (8, 4, 3, 2, 1, 1, 1, 1)}, f"has a damaged NIfTI header {COPY}"),
        ({"dim": (0, 4, 3, 2, 1, 1, 1, 1)}, f"has a damaged NIfTI header {COPY}"),
        ({"dim": (1, 24, 1, 1, 1, 1, 1, 1)}, f"has a damaged NIfTI header {COPY}"),
        ({"offset": -1.0}, f"has a damaged NIfTI header {COPY}"),
        ({"offset": 2.0**31}, f"has a damaged NIfTI header {COPY}"),
        ({"offset": 2.0**30}, f"claims more voxels than it holds {COPY}"),
        ({"offset": np.nan}, f"has a damaged NIfTI header {COPY}"),
        ({"datatype": 0}, f"has a damaged NIfTI header {COPY}"),
        ({"datatype": 1}, f"has a damaged NIfTI header {COPY}"),
        ({"datatype": 7}, f"has a damaged NIfTI header {COPY}"),
        ({"datatype": 1536}, f"has a damaged NIfTI header {COPY}"),  # 128 bits
        ({"datatype": 32}, "has several values a voxel (give one grey volume)"),  # complex
        ({"datatype": 128}, "has several values a voxel (give one grey volume)"),  # RGB
        ({"dim": (3, 4, -3, 2, 1, 1, 1, 1)}, f"claims a size of 4 x -3 x 2 {COPY}"),
        ({"dim": (4, 4, 3, 2, 0, 1, 1, 1)}, f"claims a size of 4 x 3 x 2 x 0 {COPY}"),
        ({"dim": (4, 4, 3, 2, 2, 1, 1, 1)}, f"claims more voxels than it holds {COPY}"),
        ({"offset": 353.0}, f"claims more voxels than it holds {COPY}"),
        ({"dim": (3, 30000, 3, 20000, 1, 1, 1, 1)},
         "claims 1800 million voxels, more than 400 (crop or resample it first)"),
        ({"dim": (3, 30000, 20000, 3, 1, 1, 1, 1)},
         "claims 30000 x 20000 pixels, more than 100 million (crop or resample it first)"),
        ({"slope": 2.0, "intercept": np.inf}, f"scales its grey values by what is no number {COPY}"),
    ],
)  # fmt: skip
def test_a_nifti_that_is_refused(tmp_path, fields, said):
    path = nifti_file(tmp_path, **fields)
    if "slope" in fields:
        assert line(nifti.read_values, path, nifti.read_header(path)) == f"a.nii: {said}"
    else:
        assert line(nifti.read_header, path) == f"a.nii: {said}"


def test_a_packed_nifti_that_breaks_off(tmp_path):
    path = nifti_file(tmp_path, name="a.nii.gz", count=24)
    whole = path.read_bytes()
    header = nifti.read_header(path)
    path.write_bytes(whole[:30])
    assert line(nifti.read_header, path) == f"a.nii.gz: has a damaged NIfTI header {COPY}"
    assert line(nifti.read_values, path, header) == f"a.nii.gz: is damaged {COPY}"
    path.write_bytes(b"\x1f\x8b" + bytes(40))
    assert line(nifti.read_header, path) == f"a.nii.gz: has a damaged NIfTI header {COPY}"
    path.write_bytes(whole[:-6])
    assert line(nifti.read_values, path, header) == f"a.nii.gz: is damaged: it cannot be unpacked whole {COPY}"
    path.write_bytes(gzip.compress(gzip.decompress(whole)[:-2]))
    assert line(nifti.read_values, path, header) == f"a.nii.gz: claims more voxels than it holds {COPY}"
    (tmp_path / "b.nii").write_bytes(b"\0\0\0\0" * 87)
    assert line(nifti.read_header, tmp_path / "b.nii") == f"b.nii: has a damaged NIfTI header {COPY}"
    (tmp_path / "b.nii").write_bytes(nifti_file(tmp_path).read_bytes()[:340])
    assert line(nifti.read_header, tmp_path / "b.nii") == f"b.nii: has a damaged NIfTI header {COPY}"


def test_a_nifti_as_it_is_written(tmp_path):
    values = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    grid = Grid((2, 3, 4), np.array(PLACED["affine"]))
    nifti.write(tmp_path / "a.nii", values, grid)
    image = nib.load(tmp_path / "a.nii")
    assert isinstance(image, nib.Nifti1Image)
    np.testing.assert_array_equal(np.asanyarray(image.dataobj), values.T)
    assert image.header.get_data_dtype() == np.int16
    assert image.header.get_xyzt_units()[0] == "mm"
    assert image.header.get_zooms() == (0.5, 0.25, 2)
    for matrix, code in (image.header.get_sform(coded=True), image.header.get_qform(coded=True)):
        assert code == 1
        np.testing.assert_allclose(matrix, grid.affine)
    nifti.write(tmp_path / "b.nii", values, Grid((2, 3, 4), grid.affine, oriented=False))
    header = nib.load(tmp_path / "b.nii").header
    assert (int(header["sform_code"]), int(header["qform_code"]), header.get_zooms()) == (0, 0, (0.5, 0.25, 2))
    sheared = grid.affine.copy()
    sheared[0, 1] = 0.25 * np.sin(np.radians(0.02))
    nifti.write(tmp_path / "c.nii", values, Grid((2, 3, 4), sheared))
    header = nib.load(tmp_path / "c.nii").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (1, 0)


# --- either ---


def test_what_is_said_of_a_volume(tmp_path):
    path = nifti_file(tmp_path, pixdim=(1, 0.5, 0.25, 0, 0, 0, 0, 0), dim=(4, 2, 3, 2, 2, 1, 1, 1))
    assert line(read_volume, path) == (
        "a.nii: holds 2 volumes, not one grey volume (give one three-dimensional volume)"
    )
    volume = read_volume(path, first=True)
    assert volume.remarks == (
        "the first of 2 volumes was read",
        "directions are unknown (qform and sform codes are 0): voxel axes were taken to run to the left, front and "
        "head",
        "voxel spacing is unknown: it was taken to be 0.5 x 0.25 x 1 mm",
    )
    assert volume.values.tolist() == np.arange(12).reshape(2, 3, 2).tolist()
    tilted = sform(srow=(0.5, 0.25 * np.sin(np.radians(0.06)), 0, 1, *SROW[4:]))
    assert read_volume_header(nifti_file(tmp_path, **tilted)).remarks == (
        "the axes of the volume are sheared: 0.06 degrees from right angles",
    )
    tilted = sform(srow=(0.5, 0.25 * np.sin(np.radians(0.04)), 0, 1, *SROW[4:]))
    assert read_volume_header(nifti_file(tmp_path, **tilted)).remarks == ()


@pytest.mark.parametrize("name", ["a.nii", "A.NII", "a.nii.gz", "a.nrrd", "A.NRRD"])
def test_a_mask_is_written_as_its_name_says(tmp_path, name):
    grid = Grid((2, 3, 4), np.array(PLACED["affine"]))
    values = np.arange(24).reshape(2, 3, 4) > 12
    Volume(values, grid).write(values, tmp_path / name)
    found = read_volume(tmp_path / name)
    assert found.header.kind == ("nrrd" if name.lower().endswith("nrrd") else "nifti")
    assert found.values.dtype == np.uint8
    np.testing.assert_array_equal(found.values, values)
    np.testing.assert_allclose(found.affine, grid.affine)
    with pytest.raises(ValueError, match=r"^values of \(3, 4\) do not fit a volume of \(2, 3, 4\)$"):
        Volume(values, grid).write(values[0], tmp_path / name)


def test_a_volume_that_cannot_be_read_any_more(tmp_path, monkeypatch):
    path = nifti_file(tmp_path)
    for fault, said in (
        (MemoryError, "needs more memory than there is (crop or resample it first)"),
        (OSError, f"is damaged {COPY}"),
        (ValueError, f"is damaged {COPY}"),
    ):

        def read(*_, fault=fault):
            raise fault

        monkeypatch.setattr(nifti, "read_values", read)
        assert line(read_volume, path) == f"a.nii: {said}"

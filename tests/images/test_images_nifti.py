"""NIfTI as it is found: matrices and their codes, units, scaling, stored types, damaged gzip."""

from __future__ import annotations

import gzip
import struct
from itertools import pairwise

import nibabel as nib
import nrrd
import numpy as np
import pytest
from volume_files import FAR, SIZE, affine_of, write_nifti

from spinetk.errors import InputError
from spinetk.images.volume import Volume, read_volume, read_volume_header


@pytest.mark.parametrize("codes", [(2, 1), (4, 1), (1, 1), (0, 1), (2, 0)])
def test_sform_wins_where_its_code_is_set(tmp_path, codes):
    sform, qform = affine_of(), FAR
    path = write_nifti(
        tmp_path / "a.nii", sform=(sform, codes[0]) if codes[0] else None, qform=(qform, codes[1]) if codes[1] else None
    )
    volume = read_volume(path)
    assert np.allclose(volume.affine, nib.load(path).affine)
    assert np.allclose(volume.affine, sform if codes[0] else qform)
    said = [remark for remark in volume.remarks if "apart" in remark]
    assert len(said) == all(codes)
    if said:
        assert f"sform (code {codes[0]})" in said[0]
        assert "58.1 mm" in said[0]  # (52.5, 25, 0)
        assert ("ITK and 3D Slicer use the qform" in said[0]) == (codes[0] != 1)


@pytest.mark.parametrize("name", ["out.nii", "out.nii.gz"])
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_matrices_and_codes_are_written_as_they_were(tmp_path, name, kind):
    path = write_nifti(tmp_path / "a.nii.gz", sform=(affine_of(turn=0.3), 4), qform=(FAR, 1), kind=kind,
                       descrip=b"SECRET^PATIENT")  # fmt: skip
    volume = read_volume(path)
    mask = np.zeros(SIZE[::-1], bool)
    mask[1, 2, 3] = True
    volume.write(mask, tmp_path / name)
    before, after = nib.load(path), nib.load(tmp_path / name)
    assert type(after) is type(before)
    for field in ("sform_code", "qform_code", "srow_x", "srow_y", "srow_z", "quatern_b", "quatern_c", "quatern_d",
                  "qoffset_x", "qoffset_y", "qoffset_z", "xyzt_units"):  # fmt: skip
        assert np.array_equal(after.header[field], before.header[field]), field
    assert np.array_equal(after.header["pixdim"][:4], before.header["pixdim"][:4])
    assert np.array_equal(np.asanyarray(after.dataobj).T, mask)
    assert after.get_data_dtype() == np.uint8
    raw = (tmp_path / name).read_bytes()
    assert b"SECRET" not in (gzip.decompress(raw) if name.endswith("gz") else raw)


def test_unknown_directions_are_said_and_stay_unknown(tmp_path):
    path = write_nifti(tmp_path / "a.nii.gz")
    volume = read_volume(path)
    assert not volume.grid.oriented
    assert np.allclose(volume.affine, nib.load(path).affine)
    assert [r for r in volume.remarks if "directions are unknown" in r and "left, front and head" in r]
    volume.write(volume.values == 0, tmp_path / "mask.nii.gz")
    header = nib.load(tmp_path / "mask.nii.gz").header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (0, 0)
    assert header.get_zooms() == (1.0, 1.5, 2.5)
    nrrd.write(str(tmp_path / "a.nrrd"), np.zeros(SIZE), {"spacings": [1.0, 1.5, 2.5]})
    plain = read_volume(tmp_path / "a.nrrd")
    assert plain.spacing_mm == (2.5, 1.5, 1.0)
    assert [r for r in plain.remarks if "left, back and head" in r]


def test_sheared_sform_is_read_exactly_and_named(tmp_path):
    affine = affine_of()
    affine[:3, 1] += 0.02 * affine[:3, 2]
    path = write_nifti(tmp_path / "a.nii", sform=(affine, 1))
    volume = read_volume(path)
    assert np.allclose(volume.affine, affine)
    assert volume.grid.shear_degrees == pytest.approx(np.degrees(np.arctan(0.02 * 2.5 / 1.5)))
    assert [r for r in volume.remarks if "sheared" in r]
    volume.write(volume.values == 0, tmp_path / "mask.nii")
    assert np.allclose(nib.load(tmp_path / "mask.nii").affine, affine)
    Volume(volume.values, volume.grid).write(volume.values, tmp_path / "bare.nii")
    assert np.allclose(nib.load(tmp_path / "bare.nii").affine, affine)
    assert int(nib.load(tmp_path / "bare.nii").header["qform_code"]) == 0


def test_units_are_brought_to_mm(tmp_path):
    path = write_nifti(tmp_path / "a.nii", sform=(affine_of(spacing=(500.0, 600.0, 700.0)), 1), xyzt_units=3)
    header = read_volume_header(path)
    assert header.grid.spacing_mm == pytest.approx((0.7, 0.6, 0.5))
    assert [r for r in header.remarks if "micrometres" in r]
    # Its mask is written in the same lengths, and says so: else it would be a thousand times as large.
    volume = read_volume(path)
    volume.write(volume.values > 0, tmp_path / "mask.nii")
    assert nib.load(tmp_path / "mask.nii").header.get_xyzt_units()[0] == "micron"
    assert read_volume_header(tmp_path / "mask.nii").grid.same(header.grid)


def test_another_spacing_in_pixdim_is_said(tmp_path):
    path = write_nifti(tmp_path / "a.nii", sform=(affine_of(), 1), pixdim=[1, 1.0, 1.5, 5.0, 0, 0, 0, 0])
    volume = read_volume(path)
    assert volume.spacing_mm == pytest.approx((2.5, 1.5, 1.0))
    assert [r for r in volume.remarks if "pixdim says 1 x 1.5 x 5 mm, the sform 1 x 1.5 x 2.5 mm" in r]
    assert not read_volume(write_nifti(tmp_path / "b.nii", sform=(affine_of(), 1))).remarks


def test_broken_matrices_are_passed_over(tmp_path):
    path = write_nifti(tmp_path / "a.nii", sform=(affine_of(), 1), qform=(FAR, 1), srow_x=[0, 0, 0, 0])
    volume = read_volume(path)
    assert np.allclose(volume.affine, FAR, atol=1e-5)
    assert [r for r in volume.remarks if "sform is not a matrix" in r]


@pytest.mark.parametrize("parts", [[100, 352, 353], [0, 20], [400] * 3])
def test_gzip_of_several_members(tmp_path, parts):
    """RFC 1952: members may follow one another; bgzip and parallel packers write them."""
    values = np.random.default_rng(1).integers(0, 900, SIZE).astype(np.int16)
    whole = write_nifti(tmp_path / "a.nii", sform=(affine_of(), 1), values=values).read_bytes()
    cuts = [0, *np.cumsum(parts).tolist(), len(whole)]
    packed = b"".join(gzip.compress(whole[a:b]) for a, b in pairwise(cuts))
    (tmp_path / "b.nii.gz").write_bytes(packed + gzip.compress(b""))
    assert np.array_equal(read_volume(tmp_path / "b.nii.gz").values, values.T)
    (tmp_path / "c.nii.gz").write_bytes(packed + b"\0" * 40 + b"trailing")
    assert np.array_equal(read_volume(tmp_path / "c.nii.gz").values, values.T)
    (tmp_path / "d.nii.gz").write_bytes(packed[:-30])
    with pytest.raises(InputError, match=r"d\.nii\.gz: (is damaged|claims more)"):
        read_volume(tmp_path / "d.nii.gz")


def test_flipped_bit_is_found_by_the_checksum(tmp_path):
    values = np.random.default_rng(2).integers(0, 30000, SIZE).astype(np.int16)
    whole = write_nifti(tmp_path / "a.nii", sform=(affine_of(), 1), values=values).read_bytes()
    packed = bytearray(gzip.compress(whole, 0))  # stored as it is: every byte is a voxel's
    packed[-40] ^= 0x10
    (tmp_path / "a.nii.gz").write_bytes(packed)
    with pytest.raises(InputError, match="is damaged"):
        read_volume(tmp_path / "a.nii.gz")


@pytest.mark.parametrize("code", ["i1", "u1", "<i2", ">i2", "u2", "i4", "u4", "i8", "u8", "f4", ">f4", "f8"])
def test_stored_types_keep_their_values(tmp_path, code):
    dtype = np.dtype(code)
    values = np.arange(210).reshape(SIZE).astype(dtype) // 2
    header = nib.Nifti1Header(endianness=">" if code.startswith(">") else "<")
    header.set_data_dtype(dtype)
    nib.save(nib.Nifti1Image(values, affine_of(), header, dtype=dtype), tmp_path / "a.nii.gz")
    nrrd.write(str(tmp_path / "a.nrrd"), values)
    for name in ("a.nii.gz", "a.nrrd"):
        found = read_volume(tmp_path / name).values
        assert np.array_equal(found, values.T)
        assert found.dtype == dtype.newbyteorder("=")
        assert found.flags.c_contiguous


@pytest.mark.parametrize(("slope", "offset"), [(0.013, -4.0), (2.0, 0.0), (0.0, 7.0), (np.nan, np.nan), (1.0, -1024.0)])
def test_scaling_is_nibabels(tmp_path, slope, offset):
    values = np.arange(210, dtype=np.int16).reshape(SIZE)
    path = write_nifti(tmp_path / "a.nii", sform=(affine_of(), 1), values=values)
    raw = bytearray(path.read_bytes())
    struct.pack_into("<2f", raw, 112, slope, offset)
    path.write_bytes(raw)
    expected = np.asanyarray(nib.load(path).dataobj)
    found = read_volume(path).values
    assert np.allclose(found, expected.T, atol=1e-3)
    assert found.dtype == (np.int16 if slope in (0,) or np.isnan(slope) else np.float32)


@pytest.mark.parametrize(
    ("unit", "factor", "said"),
    [("um", 1e-3, "in um: they were changed to mm"), ("cm", 10, "in cm: they were changed to mm"), ("mm", 1, None),
     ("furlong", 1, "in furlong, which is unknown: they were taken for mm")],
)  # fmt: skip
def test_units_of_nrrd_spacings_and_directions(tmp_path, unit, factor, said):
    values = np.zeros(SIZE, np.int16)
    steps = np.array([1.0, 1.5, 2.5]) / factor
    nrrd.write(str(tmp_path / "a.nrrd"), values, {"spacings": steps, "units": [unit] * 3})
    fields = {"space": "left-posterior-superior", "space directions": np.diag(steps), "space units": [unit] * 3}
    nrrd.write(str(tmp_path / "b.nrrd"), values, fields)
    for name in ("a.nrrd", "b.nrrd"):
        volume = read_volume(tmp_path / name)
        assert volume.spacing_mm == pytest.approx((2.5, 1.5, 1.0))
        assert [remark.partition("lengths ")[2] for remark in volume.remarks if "lengths" in remark] == [said] * bool(
            said
        )

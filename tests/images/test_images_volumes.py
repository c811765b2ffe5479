"""Where voxels lie: the same place for nibabel, SimpleITK and us, whatever the file, and written back as it was."""

from __future__ import annotations

import gzip
import struct
from itertools import pairwise, permutations, product

import nibabel as nib
import nrrd
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from spinetk.errors import InputError
from spinetk.images.grid import Grid
from spinetk.images.volume import Volume, mask_on, read_volume, read_volume_header

SIZE = (5, 6, 7)  # i, j, k
CODES = ["".join(c) for order in permutations(("RL", "AP", "SI")) for c in product(*order)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("volumes")


def affine_of(order=(0, 1, 2), signs=(1, 1, 1), spacing=(1.0, 1.5, 2.5), origin=(-12.5, 30.0, 7.25), turn=0.0):
    matrix = np.zeros((3, 3))
    for axis, world in enumerate(order):
        matrix[world, axis] = signs[axis] * spacing[axis]
    c, s = np.cos(turn), np.sin(turn)
    affine = np.eye(4)
    affine[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ matrix
    affine[:3, 3] = origin
    return affine


STRAIGHT = (
    st.permutations(range(3)),
    st.tuples(*[st.sampled_from((1, -1))] * 3),
    st.tuples(*[st.floats(0.2, 6.0)] * 3),
    st.tuples(*[st.floats(-300, 300)] * 3),
)
AFFINES = st.builds(affine_of, *STRAIGHT, st.floats(-0.6, 0.6))


def labels_of(seed):
    """(i, j, k) array with voxels of the values 1, 2, 3."""
    values = np.zeros(SIZE, np.uint8)
    for label, place in enumerate(np.random.default_rng(seed).permutation(values.size)[:3], 1):
        values.flat[place] = label
    return values


def write_by(who, path, values, affine):
    if who == "nibabel":
        image = nib.Nifti1Image(values, affine)
        image.set_qform(affine, 1)
        nib.save(image, path)
    elif who == "ITK":
        image = sitk.GetImageFromArray(values.T)
        spacing = np.linalg.norm(affine[:3, :3], axis=0)
        image.SetSpacing(spacing.tolist())
        image.SetDirection((np.diag([-1, -1, 1]) @ affine[:3, :3] / spacing).ravel().tolist())
        image.SetOrigin((np.array([-1, -1, 1]) * affine[:3, 3]).tolist())
        sitk.WriteImage(image, str(path))
    else:
        volume = Volume(values.T, Grid(values.T.shape, affine))
        volume.write(values.T, path)


def places_by(who, path):
    """Label to place in mm, RAS+."""
    found = {}
    if who == "nibabel":
        image = nib.load(path)
        values = np.asanyarray(image.dataobj)
        for label in (1, 2, 3):
            found[label] = nib.affines.apply_affine(image.affine, np.argwhere(values == label)[0])
    elif who == "ITK":
        image = sitk.ReadImage(str(path))
        values = sitk.GetArrayFromImage(image)
        for label in (1, 2, 3):
            index = [int(n) for n in np.argwhere(values == label)[0][::-1]]
            found[label] = np.array(image.TransformIndexToPhysicalPoint(index)) * (-1, -1, 1)
    else:
        volume = read_volume(path)
        for label in (1, 2, 3):
            found[label] = volume.grid.to_mm(np.argwhere(volume.values == label)[0][::-1])
    return found


@settings(max_examples=15, deadline=None)
@given(st.builds(affine_of, *STRAIGHT), st.integers(0, 1000), st.sampled_from(["a.nii", "b.nii.gz", "c.nrrd"]))
def test_all_agree_in_mm(folder, affine, seed, name):
    """Straight grids only: ITK takes the qform, whose quaternions of 32 bits are some 1e-4 off in oblique ones."""
    values = labels_of(seed)
    truth = {n: affine[:3, :3] @ np.argwhere(values == n)[0] + affine[:3, 3] for n in (1, 2, 3)}
    nifti = not name.endswith("nrrd")
    for writer in ("nibabel", "ITK", "ours") if nifti else ("ITK", "ours"):
        write_by(writer, folder / name, values, affine)
        for reader in ("nibabel", "ITK", "ours") if nifti else ("ITK", "ours"):
            found = places_by(reader, folder / name)
            assert max(np.abs(found[n] - truth[n]).max() for n in truth) < 1e-4, (writer, reader)


@settings(max_examples=30, deadline=None)
@given(AFFINES, st.sampled_from(CODES))
def test_turned_axes_are_nibabels_and_come_back(affine, axes):
    values = np.arange(np.prod(SIZE)).reshape(SIZE)
    volume = Volume(values.T, Grid(values.T.shape, affine))
    turned, turn = volume.as_closest(axes)
    reference = nib.Nifti1Image(values.astype(np.int32), affine)
    change = nib.orientations.ornt_transform(
        nib.orientations.io_orientation(affine), nib.orientations.axcodes2ornt(tuple(axes))
    )
    reference = reference.as_reoriented(change)
    assert np.array_equal(turned.values.T, np.asanyarray(reference.dataobj))
    assert np.allclose(turned.affine, reference.affine)
    assert turned.grid.axes == axes
    assert np.array_equal(turn.back(turned.values), volume.values)
    assert turn.back(turned.values).flags.c_contiguous
    assert volume.grid.axes == "".join(nib.aff2axcodes(affine))


def test_every_storage_of_a_volume_turned_by_45_degrees_becomes_the_same():
    """Where two axes are equally near, the choice must not depend on the order they are stored in."""
    values = np.random.default_rng(0).random(SIZE[::-1])
    volume = Volume(values, Grid(values.shape, affine_of(turn=np.pi / 4)))
    seen = set()
    for code in CODES:
        stored, _ = Volume(values, Grid(values.shape, affine_of())).as_closest(code)
        change = np.linalg.inv(affine_of()) @ stored.affine
        noise = 1 + 1e-9 * np.random.default_rng(len(seen)).normal(size=(4, 4))
        other = Volume(stored.values, Grid(stored.values.shape, volume.affine @ change * noise))
        seen.add(other.as_closest("LPS")[0].values.tobytes())
    assert len(seen) == 1


def write_nifti(path, *, sform=None, qform=None, values=None, kind=nib.Nifti1Image, zooms=None, **fields):
    """A file with these (matrix, code) pairs, as nibabel writes it."""
    values = np.zeros(SIZE, np.int16) if values is None else values
    image = kind(values, None)
    image.header.set_zooms(zooms or (1.0, 1.5, 2.5))
    for name, given_ in (("sform", sform), ("qform", qform)):
        matrix, code = given_ or (None, 0)
        getattr(image.header, f"set_{name}")(matrix, code)
    for name, value in fields.items():
        image.header[name] = value
    nib.save(image, path)
    return path


FAR = affine_of(origin=(40.0, 5.0, 7.25))


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


@pytest.mark.parametrize("space", ["left-posterior-superior", "right-anterior-superior", "LAS"])
def test_nrrd_spaces(tmp_path, space):
    signs = {"l": (-1, -1, 1), "r": (1, 1, 1), "L": (-1, 1, 1)}[space[0]]
    affine = affine_of((2, 0, 1), (1, -1, 1), turn=0.2)
    fields = {
        "space": space, "space directions": (np.array(signs)[:, None] * affine[:3, :3]).T,
        "space origin": signs * affine[:3, 3], "PatientName": "SECRET^PATIENT",
    }  # fmt: skip
    values = np.arange(210, dtype=np.int16).reshape(SIZE)
    nrrd.write(str(tmp_path / "a.nrrd"), values, fields)
    volume = read_volume(tmp_path / "a.nrrd")
    assert volume.grid.oriented
    assert np.allclose(volume.affine, affine)
    assert np.array_equal(volume.values, values.T)
    volume.write(volume.values > 5, tmp_path / "mask.nrrd")
    written, header = nrrd.read(str(tmp_path / "mask.nrrd"))
    assert header["space"] == space
    assert np.array_equal(header["space directions"], fields["space directions"])
    assert np.array_equal(written.T, volume.values > 5)
    assert b"SECRET" not in (tmp_path / "mask.nrrd").read_bytes()
    volume.write(volume.values > 5, tmp_path / "mask.nii.gz")
    assert np.allclose(nib.load(tmp_path / "mask.nii.gz").affine, affine, atol=1e-5)


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


def test_what_is_no_volume(tmp_path):
    with pytest.raises(InputError, match="no-such"):
        read_volume(tmp_path / "no-such.nrrd")
    (tmp_path / "text.nii").write_text("not a volume" * 100)
    with pytest.raises(InputError, match="is not a volume"):
        read_volume(tmp_path / "text.nii")
    series = np.zeros((4, 4, 4, 3), np.int16)
    nib.save(nib.Nifti1Image(series, np.eye(4)), tmp_path / "four.nii.gz")
    with pytest.raises(InputError, match="one grey volume"):
        read_volume(tmp_path / "four.nii.gz")
    assert read_volume(tmp_path / "four.nii.gz", first=True).values.shape == (4, 4, 4)
    nib.save(nib.Nifti1Image(series[..., :1], np.eye(4)), tmp_path / "single.nii.gz")
    assert read_volume(tmp_path / "single.nii.gz").values.shape == (4, 4, 4)
    colour = np.zeros((4, 4, 4), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(nib.Nifti1Image(colour, np.eye(4)), tmp_path / "colour.nii")
    with pytest.raises(InputError, match="several values"):
        read_volume(tmp_path / "colour.nii")
    nrrd.write(str(tmp_path / "flat.nrrd"), np.zeros((4, 5)))
    with pytest.raises(InputError, match="one grey volume"):
        read_volume(tmp_path / "flat.nrrd")
    assert read_volume(tmp_path / "flat.nrrd", flat=True).values.shape == (1, 5, 4)
    nib.save(nib.Nifti1Pair(series[..., 0], np.eye(4)), tmp_path / "half.img")
    with pytest.raises(InputError, match="half of a NIfTI pair"):
        read_volume(tmp_path / "half.hdr")
    volume = Volume(np.zeros((2, 2, 2)), Grid.of_lps((2, 2, 2), (1.0, 1.0, 1.0)))
    with pytest.raises(InputError, match=r"nii\.gz"):
        volume.write(volume.values, tmp_path / "mask.png")
    with pytest.raises(ValueError, match="do not fit"):
        volume.write(np.zeros((2, 2, 3)), tmp_path / "mask.nrrd")


@pytest.mark.parametrize("code", CODES[::5])
def test_masks_meet_their_image_in_mm(code):
    """A mask stored in another order of axes has the same size and place, and is not laid on by index."""
    shape = (6, 6, 6)
    values = np.zeros(shape, np.uint8)
    values[1, 2, 4] = values[5, 0, 3] = 1
    grid = Grid(shape, affine_of(turn=0.2))
    mask, _ = Volume(values, grid).as_closest(code)
    assert np.array_equal(mask_on(mask, grid, "mask.nii", "image.nii"), values > 0)


def test_masks_on_another_grid_are_resampled():
    fine = Grid((12, 12, 12), affine_of(spacing=(1.0, 1.0, 1.0), origin=(0.25, 0.25, 0.25)))
    coarse = Grid((6, 6, 6), affine_of(spacing=(2.0, 2.0, 2.0), origin=(0.75, 0.75, 0.75)))
    values = np.zeros((6, 6, 6), np.uint8)
    values[1:3, 0, 4] = 1
    found = mask_on(Volume(values, coarse), fine, "mask.nii", "image.nii")
    expected = np.kron(values, np.ones((2, 2, 2), np.uint8))
    assert np.array_equal(found, expected > 0)


def test_masks_of_another_place_are_refused():
    image = Grid((6, 6, 6), affine_of())
    mask = Volume(np.ones((6, 6, 6), np.uint8), Grid((6, 6, 6), np.eye(4)))
    with pytest.raises(InputError, match=r"mask\.nii: has the size .* elsewhere: .*RAS.*image\.nii: 6 x 6 x 6 voxels"):
        mask_on(mask, image, "mask.nii", "image.nii")
    larger = Volume(np.ones((9, 9, 9), np.uint8), Grid((9, 9, 9), affine_of()))
    with pytest.raises(InputError, match=r"has 70% of its foreground outside.*9 x 9 x 9.*6 x 6 x 6"):
        mask_on(larger, image, "mask.nii", "image.nii")
    unknown = Grid((6, 6, 6), affine_of(), oriented=False)
    with pytest.raises(InputError, match="unknown directions"):
        mask_on(Volume(mask.values, unknown), image, "mask.nii", "image.nii")
    assert mask_on(Volume(mask.values, unknown), unknown, "mask.nii", "image.nii").all()


def test_a_grid_is_described_as_it_is_looked_at():
    """Columns first, as viewers and ``fslinfo`` say it."""
    affine = np.array([[0.5, 0, 0, -12.5], [0, 0.75, 0, 30], [0, 0, 3, 7.25], [0, 0, 0, 1]])
    said = Grid((2, 3, 4), affine).described()
    assert said.startswith("4 x 3 x 2 voxels of 0.5 x 0.75 x 3 mm, ")
    assert said.endswith("first voxel at (-12.5, 30.0, 7.2) mm")


def test_a_nifti_slice_alone_is_a_picture(tmp_path):
    values = np.arange(20, dtype=np.int16).reshape(5, 4)
    nib.Nifti1Image(values, np.diag([2.0, 3.0, 1.0, 1.0])).to_filename(tmp_path / "slice.nii")
    assert nib.load(tmp_path / "slice.nii").header["dim"][0] == 2
    assert read_volume_header(tmp_path / "slice.nii").grid.shape == (1, 4, 5)
    with pytest.raises(InputError, match="is a picture, not one grey volume"):
        read_volume(tmp_path / "slice.nii")


def test_the_first_of_two_volumes_is_said(tmp_path):
    from spinetk.images import read_picture

    values = np.random.default_rng(0).integers(0, 200, (5, 6, 7, 2)).astype(np.int16)
    nib.Nifti1Image(values, np.eye(4)).to_filename(tmp_path / "two.nii")
    assert "the first of 2 volumes was read" in read_picture(tmp_path / "two.nii").remarks
    nib.Nifti1Image(values[..., :1], np.eye(4)).to_filename(tmp_path / "one.nii")
    assert not [remark for remark in read_picture(tmp_path / "one.nii").remarks if "volumes" in remark]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_slice_that_was_read_is_said_where_there_are_several(tmp_path, count):
    from spinetk.images import read_picture

    values = np.random.default_rng(0).integers(0, 200, (40, 50, count)).astype(np.int16)
    nib.Nifti1Image(values, None).to_filename(tmp_path / "unknown.nii")  # of no directions: cut along its last axis
    said = [remark for remark in read_picture(tmp_path / "unknown.nii").remarks if "was read" in remark]
    assert said == ([f"slice {count // 2 + 1} of {count} was read"] if count > 1 else [])


def test_hounsfield_units_are_air_and_soft_tissue():
    """Of bone and metal alone, and without air or padding, no values are taken for them; 300 HU are bone."""
    from spinetk.images.cut import is_hounsfield

    def shares(**counts: int) -> np.ndarray:
        kinds = {"air": -1000.0, "fat": -100.0, "muscle": 50.0, "edge": 300.0, "bone": 700.0}
        return np.repeat([kinds[name] for name in counts], list(counts.values()))

    assert is_hounsfield(shares(air=20, muscle=70, bone=10))
    assert is_hounsfield(shares(air=20, fat=70, bone=10))
    assert not is_hounsfield(shares(air=20, edge=70, bone=10))
    assert not is_hounsfield(shares(fat=20, muscle=70, bone=10))
    assert not is_hounsfield(shares(air=20, muscle=80))
    assert not is_hounsfield(np.full(100, np.nan))


def test_masks_elsewhere_say_what_to_do():
    image = Grid((4, 5, 6), np.diag([1.0, 1.0, 2.0, 1.0]))
    moved = np.diag([1.0, 1.0, 2.0, 1.0])
    moved[:3, 3] = 50
    mask = Volume(np.ones((4, 5, 6), np.uint8), Grid((4, 5, 6), moved))
    with pytest.raises(InputError) as error:
        mask_on(mask, image, "mask.nii", "image.nii")
    assert error.value.fault.startswith("has the size of its image and lies elsewhere: 6 x 5 x 4 voxels")
    assert error.value.remedy == "write the mask with the geometry of its image"


def test_steps_of_a_flat_nrrd_in_a_space_are_lengths_of_its_directions(tmp_path):
    """(3, 4, 0) / 10 is 0.5 mm long, whatever the other axis has."""
    lines = "NRRD0004", "type: uint8", "dimension: 2", "space: left-posterior-superior", "sizes: 4 5"
    fields = "space directions: (0.3,0.4,0) (0,0,1.5)", "space origin: (0,0,0)", "encoding: raw"
    path = tmp_path / "a.nrrd"
    path.write_bytes("\n".join([*lines, *fields, "", ""]).encode() + bytes(range(20)))
    header = read_volume_header(path)
    assert (header.flat, header.spacing_known, header.grid.shape) == (True, True, (1, 5, 4))
    assert header.grid.spacing_mm[1:] == pytest.approx((1.5, 0.5))


def test_a_file_that_is_no_volume_by_its_name_is_not_written(tmp_path):
    path = tmp_path / "a.png"
    whole = Volume(np.zeros((2, 3, 4), np.int16), Grid((2, 3, 4), np.eye(4)))
    with pytest.raises(InputError, match=r"a\.png: is not the name of a volume \(end it with"):
        whole.write(whole.values, path)
    assert not path.exists()

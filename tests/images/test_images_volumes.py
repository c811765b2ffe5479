"""Where voxels lie: the same place for nibabel, SimpleITK and us, whatever the file, and written back as it was."""

from __future__ import annotations

import nibabel as nib
import nrrd
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from volume_files import CODES, SIZE, affine_of, write_nifti

from spinetk.errors import InputError
from spinetk.images.grid import Grid
from spinetk.images.volume import Volume, read_volume, read_volume_header


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("volumes")


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


def test_voxels_that_are_no_number_hold_the_lowest_of_the_others(tmp_path):
    values = np.arange(210, dtype=np.float32).reshape(SIZE) - 50
    values[1, 2, 3], values[0, 0, 0], values[4, 5, 6] = np.nan, -np.inf, np.inf
    path = write_nifti(tmp_path / "a.nii.gz", values=values, sform=(affine_of(), 1))
    stored, whole = read_volume(path), read_volume(path).finite(path)
    known = np.isfinite(stored.values)
    assert (~known).sum() == 3
    assert (whole.values[~known] == -49).all()
    np.testing.assert_array_equal(whole.values[known], stored.values[known])
    assert whole.remarks == ("3 of 210 voxels are no number: they were taken for the lowest of the others",)
    empty = write_nifti(tmp_path / "b.nii.gz", values=np.full(SIZE, np.nan, np.float32), sform=(affine_of(), 1))
    with pytest.raises(InputError, match=r"b\.nii\.gz: holds no voxel that is a number"):
        read_volume(empty).finite(empty)


def test_a_spacing_that_nobody_knows_is_said(tmp_path):
    path = write_nifti(tmp_path / "a.nii", pixdim=[1, 0, 0, 0, 0, 0, 0, 0])
    assert "voxel spacing is unknown: it was taken to be 1 x 1 x 1 mm" in read_volume(path).remarks
    known = write_nifti(tmp_path / "b.nii", sform=(affine_of(), 1))
    assert read_volume(known).remarks == ()

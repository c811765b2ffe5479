"""From BIDS to tensors: orientation, grid, split, what is skipped, reproducible samples."""

import json
from itertools import pairwise
from pathlib import Path

import cv2
import nibabel as nib
import numpy as np
import pytest
import torch
from disc_volumes import draw_volume, write_subject
from test_discs_labels import LABELS, changed

from spinetk.discs.augmentation import move, restyle
from spinetk.discs.bids import find_subjects
from spinetk.discs.data import DiscDataset
from spinetk.discs.levels import NUMBERS, name_of, number_between
from spinetk.discs.preparation import prepare, read_dataset, read_samples, split
from spinetk.discs.slab import project, read_labels, read_slab, to_bytes, to_grid
from spinetk.discs.target import gaussian
from spinetk.errors import InputError
from spinetk.images.volume import read_volume

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "mr_discs_bids"


def test_level_names():
    assert [name_of(n) for n in (3, 8, 20, 21, 25)] == ["C2/C3", "C7/T1", "T12/L1", "L1/L2", "L5/S1"]
    assert all(number_between(*name_of(n).split("/")) == n for n in NUMBERS)
    assert number_between("L1", "L3") is None
    assert number_between(None, "L3") is None


@pytest.mark.parametrize("orientation", ["LPS", "RAS", "PIR", "ASL", "SRA", "IPL"])
def test_any_orientation_gives_the_same_picture_and_points(tmp_path, orientation):
    mm = write_subject(tmp_path, "sub-a", 3, orientation=orientation)
    labels = read_labels(tmp_path / "derivatives/labels/sub-a/anat/sub-a_T2w_labels-disc-manual.nii.gz")
    assert sorted(labels) == sorted(mm)
    assert all(np.allclose(labels[n], mm[n]) for n in mm)
    slab = read_slab(tmp_path / "sub-a/anat/sub-a_T2w.nii.gz")
    values, places = draw_volume(3)
    assert slab.frame.spacing_mm == (1.0, 1.0)
    # Five slices of 1.25 mm are 6.25 mm; which five of ten are in the middle depends on the side that counts first.
    assert min(np.abs(slab.pixels - values[k : k + 5].mean(axis=0)).max() for k in (2, 3)) < 1e-3
    points = project(slab, labels)
    assert all(np.allclose(points[n], (places[n][2] + 0.5, places[n][1] + 0.5), atol=1e-3) for n in places)


@pytest.mark.parametrize("orientation", ["LPS", "ASL"])
def test_labels_go_back_to_the_voxels_they_came_from(tmp_path, orientation):
    import SimpleITK as sitk

    write_subject(tmp_path, "sub-a", 4, orientation=orientation)
    source = tmp_path / "derivatives/labels/sub-a/anat/sub-a_T2w_labels-disc-manual.nii.gz"
    labels = read_labels(source)
    slab = read_slab(tmp_path / "sub-a/anat/sub-a_T2w.nii.gz", labels[21])
    points = project(slab, labels)
    slab.write_labels(tmp_path / "back.nii.gz", np.array(list(points.values())), list(points))
    before, after = sitk.ReadImage(str(source)), sitk.ReadImage(str(tmp_path / "back.nii.gz"))
    assert np.array_equal(sitk.GetArrayFromImage(before), sitk.GetArrayFromImage(after))
    assert np.allclose(before.GetDirection(), after.GetDirection())
    assert np.allclose(before.GetOrigin(), after.GetOrigin())
    assert np.allclose(slab.to_mm(np.array([points[22]]))[0], labels[22], atol=1e-3)


def test_grid_is_in_mm_and_keeps_points_at_their_place():
    blob = gaussian((60, 40), (12.5, 33.25), 8.0)
    picture, factors = to_grid(blob, (0.8, 0.5), 1.0)
    assert picture.shape == (48, 20)
    rows, columns = np.indices(picture.shape) + 0.5
    centre = np.array([(columns * picture).sum(), (rows * picture).sum()]) / picture.sum()
    assert np.allclose(centre, np.array([12.5, 33.25]) * factors, atol=0.05)


def test_bytes_leave_background_black():
    pixels = np.zeros((50, 50), np.float32)
    pixels[10:40, 10:40] = np.linspace(100, 900, 900).reshape(30, 30)
    grey = to_bytes(pixels)
    assert grey[:10].max() == 0
    assert grey.max() == 255
    assert to_bytes(np.full((4, 4), 7.0)).max() == 0


def test_what_lacks_an_image_or_a_label_is_listed(bids, prepared):
    found, skipped = find_subjects(bids, "T2w")
    assert len(found) == 13
    assert {(s.name, s.why) for s in skipped} == {("sub-none01", "no T2w image"), ("sub-none02_T2w", "no disc labels")}
    content = read_dataset(prepared)
    assert {s["name"] for s in content["skipped"]} == {"sub-none01", "sub-none02_T2w", "sub-none03_T2w"}
    assert sum(map(len, content["split"].values())) == 12
    assert content["levels"] == [20, 21, 22, 23]
    assert len(find_subjects(bids, "T1w")[0]) == 1


def test_no_data_set_is_one_line(tmp_path):
    with pytest.raises(InputError, match="no sub-"):
        prepare(tmp_path, tmp_path / "out")
    with pytest.raises(InputError, match="unknown"):
        find_subjects(tmp_path, "t2*")
    with pytest.raises(InputError, match="discs prepare"):
        read_samples(tmp_path, "train")


def test_labels_set_by_hand_are_preferred_to_warped_ones(tmp_path):
    write_subject(tmp_path, "sub-a", 3, ending="label-discs_dlabel")
    write_subject(tmp_path, "sub-a", 3, ending="label-discs_desc-warp_dlabel")
    write_subject(tmp_path, "sub-b", 3, ending="label-discs_desc-warp_dlabel")
    (tmp_path / "participants.tsv").write_bytes("\ufeffparticipant_id\tinstitution_id\nsub-a\tamu\n".encode())
    found, _ = find_subjects(tmp_path, "T2w")
    assert [s.labels.name.split("label-")[1] for s in found] == ["discs_dlabel.nii.gz", "discs_desc-warp_dlabel.nii.gz"]
    assert [s.centre for s in found] == ["amu", "b"]  # the byte-order mark is no part of a column's name


def test_labels_elsewhere_are_named_and_the_originals_folders_are_read(tmp_path):
    for name in ("sub-a", "sub-b", "sub-c"):
        write_subject(tmp_path, name, 3)
    (tmp_path / "sub-d-e" / "anat").mkdir(parents=True)
    manual = tmp_path / "derivatives/manual/sub-a/anat"
    manual.mkdir(parents=True)
    (tmp_path / LABELS).rename(manual / (tmp_path / LABELS).name)
    # DeepSpine's dataset/: image and labels side by side.
    for part in ("sub-c/anat", "derivatives/labels/sub-c/anat"):
        for path in (tmp_path / part).iterdir():
            path.rename(tmp_path / "sub-c" / path.name)
    found, skipped = find_subjects(tmp_path, "T2w")
    assert [s.stem for s in found] == ["sub-b_T2w", "sub-c_T2w"]
    assert {s.name: s.why for s in skipped} == {
        "sub-d-e": "BIDS names a subject by letters and digits alone",
        "sub-a_T2w": f"no disc labels in derivatives/labels*, but {manual.relative_to(tmp_path)}/{Path(LABELS).name}",
    }


def test_each_image_is_read_once(tmp_path, file_events):
    names = ("sub-a", "sub-b")
    for seed, name in enumerate(names):
        write_subject(tmp_path, name, seed)
    with file_events() as seen:
        prepare(tmp_path, tmp_path / "out")
    opened = [path for event, path in seen if event == "open"]
    once = [opened.count(str(tmp_path / name / "anat" / f"{name}_T2w.nii.gz")) for name in names]
    assert once[0] == once[1]
    with file_events() as seen:
        read_volume(tmp_path / "sub-a" / "anat" / "sub-a_T2w.nii.gz")
    assert once[0] == len([event for event, path in seen if event == "open" and path.endswith("sub-a_T2w.nii.gz")])


def test_one_picture_under_two_names_is_taken_once(tmp_path):
    for name, seed in (("sub-a", 3), ("sub-b", 4), ("sub-c", 3)):
        write_subject(tmp_path, name, seed)
    content = prepare(tmp_path, tmp_path / "out")
    assert sorted(stem for own in content["split"].values() for stem in own) == ["sub-a_T2w", "sub-b_T2w"]
    assert [(s["name"], s["why"]) for s in content["skipped"]] == [("sub-c_T2w", "the same image as sub-a_T2w")]
    # The second is taken where the labels of the first are of no use.
    changed(tmp_path, lambda values: values.fill(21.5))
    content = prepare(tmp_path, tmp_path / "again")
    assert sorted(stem for own in content["split"].values() for stem in own) == ["sub-b_T2w", "sub-c_T2w"]


def test_matrix_that_wins_moves_image_and_labels_alike(tmp_path):
    """sform and qform 30 mm apart: the labels, written for the sform, stay on their voxels."""
    mm = write_subject(tmp_path, "sub-a", 3)
    names = ("sub-a/anat/sub-a_T2w", "derivatives/labels/sub-a/anat/sub-a_T2w_labels-disc-manual")
    before = project(read_slab(tmp_path / f"{names[0]}.nii.gz"), read_labels(tmp_path / f"{names[1]}.nii.gz"))
    for name in names:
        image = nib.load(tmp_path / f"{name}.nii.gz")
        moved = image.affine.copy()
        moved[:3, 3] += (0, 30, 0)
        image.set_qform(image.affine, 1)
        image.set_sform(moved, 2)
        if name == names[1]:
            image = nib.Nifti1Image(np.asanyarray(image.dataobj), moved)  # sform alone, as nibabel writes it
        nib.save(image, tmp_path / f"{name}.nii.gz")
    slab, labels = read_slab(tmp_path / f"{names[0]}.nii.gz"), read_labels(tmp_path / f"{names[1]}.nii.gz")
    assert all(np.allclose(labels[n], mm[n] + (0, 30, 0), atol=1e-3) for n in mm)
    after = project(slab, labels)
    assert all(np.allclose(after[n], before[n], atol=1e-3) for n in mm)
    assert [remark for remark in slab.remarks if "30.0 mm apart" in remark]


def test_centre_comes_from_participants_or_from_the_name(tmp_path):
    for name in ("sub-amu01", "sub-x2"):
        write_subject(tmp_path, name, 0)
    assert [s.centre for s in find_subjects(tmp_path, "T2w")[0]] == ["amu", "x"]
    (tmp_path / "participants.tsv").write_text("participant_id\tinstitution_id\nsub-x2\tparis\n")
    assert [s.centre for s in find_subjects(tmp_path, "T2w")[0]] == ["amu", "paris"]


def test_split_deals_out_every_centre():
    centres = {f"sub-{c}{k:02d}": c for c in "abcdef" for k in range(20)}
    parts = split(centres, 0)
    for centre in "abcdef":
        own = [parts[name] for name in centres if centres[name] == centre]
        assert own.count("train") == pytest.approx(15, abs=1)
        assert own.count("test") == pytest.approx(3, abs=1)
    assert parts == split(dict(reversed(centres.items())), 0)
    assert parts != split(centres, 1)
    assert set(split({"a": "x", "b": "x"}, 0).values()) == {"train"}


def test_prepared_points_lie_behind_the_discs(prepared):
    for sample in read_samples(prepared, "train"):
        grey = sample.pixels().astype(float)
        for x, y in sample.points.values():
            row, column = int(y), int(x)
            assert (
                grey[row + 6 : row + 12, column - 10 : column - 2].mean() > grey[row, column - 10 : column].mean() + 80
            )
            assert grey[row + 6 : row + 12, column + 3 : column + 10].mean() < 100


def test_samples_depend_on_epoch_and_index_only(prepared):
    samples = read_samples(prepared, "train")
    first, second = (DiscDataset(samples, (20, 21, 22, 23), "full", seed=5) for _ in range(2))
    assert first.size == (128, 64)
    for key in ((0, 0), (3, 2)):
        assert all(torch.equal(a, b) for a, b in zip(first[key], second[key], strict=True))
    assert not torch.equal(first[(0, 0)].pictures, first[(1, 0)].pictures)


@pytest.mark.parametrize("augment", ["none", "full", "contrasts"])
def test_targets_stay_on_their_discs(prepared, augment):
    samples = read_samples(prepared, "train")
    data = DiscDataset(samples, (20, 21, 22, 23), augment, seed=1)
    for epoch in range(3):
        item = data[(epoch, 1)]
        for channel in np.flatnonzero(item.present):
            row, column = np.unravel_index(int(item.target[channel].argmax()), data.size)
            x, y = item.points[channel] * torch.tensor([data.size[1], data.size[0]])
            assert abs(float(x) - column - 0.5) <= 0.51
            assert abs(float(y) - row - 0.5) <= 0.51
    points = np.array([[20.0, 30], [25, 60]])
    picture = (gaussian((100, 50), points[0], 6) + gaussian((100, 50), points[1], 6)) * 255
    random = np.random.default_rng(0)
    moved, places = move(picture.astype(np.uint8), points, (128, 64), random)
    _, _, _, top = cv2.minMaxLoc(moved[: int(places.mean(axis=0)[1])])
    assert np.allclose(np.array(top) + 0.5, places[0], atol=1)
    assert moved[:5].max() == 0


def test_legacy_channels_and_flip(prepared):
    samples = read_samples(prepared, "train")
    data = DiscDataset(samples, None, "legacy", seed=0)
    items = [data[(epoch, 0)] for epoch in range(8)]
    heights = {round(float(item.target[0].amax(1).argmax())) for item in items}
    assert len(heights) == 2  # the first channel is at the head or, turned, at the foot
    assert sum(heights) == pytest.approx(data.size[0] - 1, abs=1)
    assert items[0].present.tolist() == [1] * 4 + [0] * 7


@pytest.mark.data("mr_discs_bids")
def test_real_subjects_of_two_kinds(tmp_path):
    """41 subjects bear discs 21-24, 13 bear 19-24; the posterior tip lies on the picture where the label says."""
    found, skipped = find_subjects(SHARED, "T2w")
    assert (len(found), len(skipped)) == (54, 0)
    root = tmp_path / "bids"
    for subject in (found[0], found[-1]):
        for file in (subject.image, subject.labels):
            link = root / file.relative_to(SHARED)
            link.parent.mkdir(parents=True)
            link.symlink_to(file)
    prepare(root, tmp_path / "out")
    for subject in (found[0], found[-1]):
        record = json.loads((tmp_path / "out" / f"{subject.stem}.json").read_text())
        picture = cv2.imread(str(tmp_path / "out" / f"{subject.stem}.png"), cv2.IMREAD_GRAYSCALE)
        rows = [record["points"][n][1] for n in sorted(record["points"], key=int)]
        assert rows == sorted(rows)
        assert all(20 < b - a < 50 for a, b in pairwise(rows))
        assert picture.shape in {(224, 224), (381, 381)}


def test_another_contrast_darkens_fluid_and_leaves_the_air_black():
    """Stripes of air, disc, marrow and fluid, as bright as in T2: in T1 fluid is darker than marrow."""
    picture = np.repeat(np.array([0, 50, 110, 250], np.uint8), 16)[None].repeat(32, axis=0)
    for seed in range(40):
        styled = restyle(picture, np.random.default_rng(seed))
        assert styled.dtype == np.uint8
        assert styled.shape == picture.shape
        air, disc, marrow, fluid = (int(styled[16, column]) for column in (4, 24, 40, 58))
        assert air == 0
        assert fluid < marrow
        assert min(disc, marrow) > 30


def test_a_volume_whose_lengths_are_in_another_unit_is_named(tmp_path):
    """Metres that the header takes for mm."""
    affine = np.diag([0.003, 0.001, 0.001, 1.0])
    nib.save(nib.Nifti1Image(np.zeros((5, 24, 24), np.int16), affine), tmp_path / "metres.nii.gz")
    with pytest.raises(InputError, match=r"metres.nii.gz: has voxels of 0.001 x 0.001 mm, which is not plausible"):
        read_slab(tmp_path / "metres.nii.gz")

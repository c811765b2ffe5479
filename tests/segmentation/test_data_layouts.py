"""Importers, on trees that are laid out as the data sets are."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from spinetk.errors import InputError
from spinetk.segmentation.data.layouts import find_cases
from spinetk.segmentation.slices.commands import evaluate

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def picture(path: Path, mode: str = "RGB", value: int = 90, size: tuple[int, int] = (7, 5)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, (value,) * 3 if mode == "RGB" else value).save(path)
    return path


def dots(path: Path, *places: tuple[int, int], value: int = 255) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    mask = np.zeros((5, 7), np.uint8)
    for place in places:
        mask[place] = value
    Image.fromarray(mask).save(path)
    return path


def volume(path: Path, *places: tuple[int, int, int], kind: type = np.uint8) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.zeros((3, 4, 5), kind)
    for place in places:
        values[place] = 1
    sitk.WriteImage(sitk.GetImageFromArray(values), str(path))
    return path


def test_atlas_release_1_joins_all_masks(tmp_path):
    for name in ("c0001s0004t01", "c0001s0004t02", "c0007s0002t01"):
        place = tmp_path / name[:5] / name
        volume(place / f"{name}_t1w_stx.nii.gz", kind=np.float32)
        volume(place / f"{name}_LesionSmooth_stx.nii.gz", (0, 0, 0))
        volume(place / f"{name}_LesionSmooth_1_stx.nii.gz", (2, 3, 4), (0, 0, 0))
    layout, found = find_cases(tmp_path, "lesion")
    assert layout == "atlas-1"
    assert [case.name for case in found.cases] == ["c0001s0004t01", "c0001s0004t02", "c0007s0002t01"]
    assert [case.patient for case in found.cases] == ["c0001s0004", "c0001s0004", "c0007s0002"]
    assert found.cases[0].read()[1].sum() == 2


def test_atlas_release_1_in_one_folder(tmp_path):
    for name in ("031769", "031770"):
        volume(tmp_path / f"{name}_t1w_deface_stx.nii.gz")
        volume(tmp_path / f"{name}_LesionSmooth_stx.nii.gz", (0, 0, 0))
    volume(tmp_path / "031770_LesionSmooth_2_stx.nii.gz", (1, 1, 1))
    _, found = find_cases(tmp_path, "lesion", "atlas-1")
    assert [len(case.masks) for case in found.cases] == [1, 2]


def test_atlas_release_2(tmp_path):
    space = "ses-1_space-MNI152NLin2009aSym"
    for part, name in (("Training", "sub-r001s001"), ("Training", "sub-r001s002"), ("Testing", "sub-r003s001")):
        place = tmp_path / part / name[4:8].upper() / name / "ses-1" / "anat"
        volume(place / f"{name}_{space}_T1w.nii.gz")
        if part == "Training":
            volume(place / f"{name}_{space}_label-L_desc-T1lesion_mask.nii.gz", (1, 1, 1))
    layout, found = find_cases(tmp_path, "lesion")
    assert (layout, [case.name for case in found.cases]) == ("atlas-2", ["sub-r001s001_ses-1", "sub-r001s002_ses-1"])
    assert {case.part for case in found.cases} == {"train"}
    assert [path.name[:12] for path in found.unlabelled] == ["sub-r003s001"]


def test_bids_takes_the_contrast_and_the_space_of_the_mask(tmp_path):
    for name in ("sub-01", "sub-02"):
        for suffix in ("T1w", "FLAIR", "space-T1w_FLAIR"):
            volume(tmp_path / name / "anat" / f"{name}_{suffix}.nii.gz")
        derived = tmp_path / "derivatives" / "manual" / name / "anat"
        volume(derived / f"{name}_space-T1w_label-lesion_mask.nii.gz", (0, 0, 0))
        volume(derived / f"{name}_space-T1w_desc-brain_mask.nii.gz", (1, 1, 1))
    with pytest.raises(InputError, match="contrast=NAME"):
        find_cases(tmp_path, "lesion")
    layout, found = find_cases(tmp_path, "lesion", contrast="FLAIR")
    assert layout == "bids"
    assert [case.image.name for case in found.cases] == [f"sub-0{n}_space-T1w_FLAIR.nii.gz" for n in (1, 2)]
    assert [len(case.masks) for case in found.cases] == [1, 1]
    with pytest.raises(InputError, match="no T2w"):
        find_cases(tmp_path, "lesion", contrast="T2w")


def test_a_bids_mask_may_say_no_more_than_its_suffix(tmp_path):
    """Neither label nor description; that of the brain, said by either, is no lesion."""
    for number, (ending, place) in enumerate((("mask", 1), ("roi", 2), ("label-WM_desc-lesion_mask", None)), start=1):
        anat = tmp_path / f"sub-{number}" / "anat"
        volume(anat / f"sub-{number}_T2w.nii.gz", kind=np.float32)
        volume(anat / f"sub-{number}_{ending}.nii.gz", (0, 0, place or 0))
        volume(anat / f"sub-{number}_desc-Brain_mask.nii.gz", (1, 1, 1))
    _, found = find_cases(tmp_path, "lesion", "bids")
    assert [case.name for case in found.cases] == ["sub-1", "sub-2"]
    assert [np.argwhere(case.read()[1]).shape for case in found.cases] == [(1, 3), (1, 3)]
    assert [path.name for path in found.unlabelled] == ["sub-3_T2w.nii.gz"]


@pytest.mark.parametrize("ending", ["lesion-manual", "label-lesion_seg", "lesionseg", "label-lesion_desc-rater1_mask"])
def test_masks_named_after_their_image(tmp_path, ending):
    """As ivadomed and the data sets of neuropoly name them; with two contrasts each mask knows its own."""
    for number in (1, 2):
        anat = tmp_path / f"sub-0{number}" / "anat"
        volume(anat / f"sub-0{number}_T2w.nii.gz", kind=np.float32)
        volume(anat / f"sub-0{number}_T1w.nii.gz", kind=np.float32)
        labels = tmp_path / "derivatives" / "labels" / f"sub-0{number}" / "anat"
        volume(labels / f"sub-0{number}_T2w_{ending}.nii.gz", (0, 1, 2))
        volume(labels / f"sub-0{number}_T2w_label-SC_seg.nii.gz", (1, 1, 2), (2, 1, 2))  # the cord is no lesion
    layout, found = find_cases(tmp_path, "lesion")
    assert layout == "bids"
    assert [(case.name, case.image.name) for case in found.cases] == [
        ("sub-01", "sub-01_T2w.nii.gz"), ("sub-02", "sub-02_T2w.nii.gz"),
    ]  # fmt: skip
    assert all(case.read()[1].sum() == 1 for case in found.cases)


def test_two_images_of_a_scan_with_a_mask_each(tmp_path):
    anat = tmp_path / "sub-01" / "anat"
    for acquisition in ("sag", "ax"):
        volume(anat / f"sub-01_acq-{acquisition}_T2w.nii.gz", kind=np.float32)
        volume(tmp_path / "derivatives" / "labels" / f"sub-01_acq-{acquisition}_T2w_lesion-manual.nii.gz", (0, 0, 0))
    _, found = find_cases(tmp_path, "lesion")
    assert [(case.name, case.patient) for case in found.cases] == [
        ("sub-01_acq-ax", "sub-01"), ("sub-01_acq-sag", "sub-01"),
    ]  # fmt: skip


@pytest.mark.parametrize("above", ["plain", "test", "training", "val"])
@pytest.mark.parametrize("inside", [None, "train"])
def test_parts_are_named_by_folders_of_the_set_alone(tmp_path, above, inside):
    root = tmp_path / above / "set"
    for number in range(3):
        place = (root / inside if inside else root) / f"sub-0{number}" / "anat"
        volume(place / f"sub-0{number}_FLAIR.nii.gz", kind=np.float32)
        volume(place / f"sub-0{number}_label-lesion_mask.nii.gz", (0, 0, 0))
        patient = (tmp_path / "p" / above / "set" / inside if inside else tmp_path / "p" / above / "set") / f"p{number}"
        volume(patient / "FLAIR.nii.gz", kind=np.float32)
        volume(patient / "lesion.nii.gz", (0, 0, 0))
    for where in (root, tmp_path / "p" / above / "set"):
        _, found = find_cases(where, "lesion")
        assert {case.part for case in found.cases} == {inside}


def test_folder_a_patient(tmp_path):
    for name in ("patient07", "patient19"):
        for image in ("FLAIR", "T1"):
            volume(tmp_path / name / f"{image}.nii.gz")
        volume(tmp_path / name / "lesion.nii.gz", (0, 0, 0))
    layout, found = find_cases(tmp_path, "lesion", contrast="T1")
    assert (layout, [case.name for case in found.cases]) == ("patients", ["patient07", "patient19"])
    assert {case.image.name for case in found.cases} == {"T1.nii.gz"}


@pytest.mark.parametrize("visits", [("visit1", "visit2"), ("2021-03-05", "20220110"), ("1", "2"), ("baseline", "m12")])
@pytest.mark.parametrize("above", ["", "train/"])
def test_visits_of_a_patient_stay_together(tmp_path, above, visits):
    for patient in ("patient07", "patient19"):
        for visit in visits:
            volume(tmp_path / above / patient / visit / "FLAIR.nii.gz")
            volume(tmp_path / above / patient / visit / "lesion.nii.gz", (0, 0, 0))
    _, found = find_cases(tmp_path, "lesion")
    assert [case.who for case in found.cases] == ["patient07"] * 2 + ["patient19"] * 2
    assert {case.part for case in found.cases} == {"train" if above else None}


@pytest.mark.parametrize(
    "names",
    [
        ("siteA/01", "siteA/02"),
        ("train/1", "train/2"),
        ("ms/a", "ms/b"),
        ("t1", "t2"),
        ("siteA/scan01", "siteA/scan02"),
        ("2019/001", "2019/002"),
        ("patients/t1", "patients/t2"),
    ],
)
def test_patients_are_not_taken_for_visits(tmp_path, names):
    for name in names:
        volume(tmp_path / name / "FLAIR.nii.gz")
        volume(tmp_path / name / "lesion.nii.gz", (0, 0, 0))
    _, found = find_cases(tmp_path, "lesion")
    assert len({case.who for case in found.cases}) == 2


def test_masks_of_two_raters_are_joined_and_said(tmp_path, capsys):
    for name in ("p1", "p2"):
        volume(tmp_path / name / "FLAIR.nii.gz")
        for rater in "12":
            volume(tmp_path / name / f"rater{rater}_mask.nii.gz", (0, 0, int(rater)))
    _, found = find_cases(tmp_path, "lesion")
    assert [case.name for case in found.joined] == ["p1", "p2"]
    assert found.cases[0].read()[1].sum() == 2
    with pytest.raises(InputError):  # the model; what was found is said before
        evaluate(tmp_path, tmp_path / "out", task="lesion", model=[str(tmp_path / "none.pth")])
    assert "2 cases have several masks, which are joined" in capsys.readouterr().err


def test_glas(tmp_path):
    for name in ("train_1", "train_2", "testA_1", "testB_1"):
        picture(tmp_path / f"{name}.bmp")
        dots(tmp_path / f"{name}_anno.bmp", (0, 0), (1, 1), value=2)
    (tmp_path / "Grade.csv").write_text(
        "name, patient ID, grade (GlaS), grade (Sirinukunwattana et al. 2015)\n"
        "train_1, 7, benign, healthy\ntrain_2, 7, benign, healthy\n"
    )
    layout, found = find_cases(tmp_path, "gland")
    assert layout == "glas"
    assert {case.name: (case.part, case.patient) for case in found.cases} == {
        "train_1": ("train", "7"), "train_2": ("train", "7"), "testA_1": ("test", ""), "testB_1": ("test", ""),
    }  # fmt: skip
    values, mask = found.cases[0].read()
    assert values.shape == (5, 7, 3)
    assert mask.sum() == 2


def test_rite(tmp_path):
    base = tmp_path / "AV_groundTruth"
    for part, name in (("training", "21_training"), ("test", "01_test")):
        picture(base / part / "images" / f"{name}.tif")
        dots(base / part / "vessel" / f"{name}.png", (2, 2))
        picture(base / part / "av" / f"{name}.png")
    for root in (tmp_path, base):
        layout, found = find_cases(root, "vessel")
        assert (layout, {case.name: case.part for case in found.cases}) == (
            "rite", {"21_training": "train", "01_test": "test"},
        )  # fmt: skip
    assert found.cases[0].read()[1].sum() == 1


def test_rite_without_masks_of_its_training_part(tmp_path):
    """The other folder counts all the same; a picture without vessels is no case."""
    base = tmp_path / "AV_groundTruth"
    picture(base / "training" / "images" / "21_training.tif")
    for name in ("01_test", "02_test"):
        picture(base / "test" / "images" / f"{name}.tif")
    dots(base / "test" / "vessel" / "02_test.png", (2, 2), (3, 3))
    _, found = find_cases(tmp_path, "vessel", "rite")
    assert {case.name: case.part for case in found.cases} == {"02_test": "test"}
    assert found.cases[0].read()[1].sum() == 2
    assert [path.name for path in found.unlabelled] == ["01_test.tif"]


@pytest.mark.parametrize(
    ("year", "inputs", "truths"),
    [
        ("2017", "ISIC-2017_{}_Data", "ISIC-2017_{}_Part1_GroundTruth"),
        ("2018", "ISIC2018_Task1-2_{}_Input", "ISIC2018_Task1_{}_GroundTruth"),
    ],
)
def test_isic(tmp_path, year, inputs, truths):
    last = "Test_v2" if year == "2017" else "Test"
    for number, part in enumerate(("Training", "Validation", last)):
        name = f"ISIC_000000{number}"
        picture(tmp_path / inputs.format(part) / f"{name}.jpg")
        picture(tmp_path / inputs.format(part) / f"{name}_superpixels.png")
        dots(tmp_path / truths.format(part) / f"{name}_segmentation.png", (2, 2))
    picture(tmp_path / inputs.format(last) / "ISIC_0000009.jpg")
    layout, found = find_cases(tmp_path, "skin")
    assert (layout, [case.part for case in found.cases]) == ("isic", ["train", "val", "test"])
    assert [path.name for path in found.unlabelled] == ["ISIC_0000009.jpg"]


def test_ph2(tmp_path):
    for name in ("IMD002", "IMD003"):
        place = tmp_path / "PH2 Dataset images" / name
        picture(place / f"{name}_Dermoscopic_Image" / f"{name}.bmp")
        picture(place / f"{name}_lesion" / f"{name}_lesion.bmp", "1", 1)
        picture(place / f"{name}_roi" / f"{name}_R1_Label4.bmp", "1", 0)
    layout, found = find_cases(tmp_path, "skin")
    assert (layout, [case.name for case in found.cases]) == ("ph2", ["IMD002", "IMD003"])
    assert found.cases[0].read()[1].all()


def test_segpc_joins_the_cells(tmp_path):
    for part, name in (("train", "106"), ("validation", "1702"), ("test", "2000")):
        place = tmp_path / part / part
        picture(place / "x" / f"{name}.bmp")
        if part != "test":
            dots(place / "y" / f"{name}_1.bmp", (0, 0), value=20)
            dots(place / "y" / f"{name}_2.bmp", (3, 3), (3, 4), value=40)
    layout, found = find_cases(tmp_path, "cells")
    assert (layout, [(c.name, c.part) for c in found.cases]) == ("segpc", [("106", "train"), ("1702", "val")])
    assert found.cases[0].read()[1].sum() == 3
    assert len(found.unlabelled) == 1


def test_pairs_in_two_folders(tmp_path):
    for part in ("train", "test"):
        picture(tmp_path / part / "images" / "a.jpg")
        dots(tmp_path / part / "masks" / "a_mask.png", (1, 1))
    layout, found = find_cases(tmp_path, "skin")
    assert layout == "pairs"
    assert {case.name: case.part for case in found.cases} == {"train-a": "train", "test-a": "test"}
    dots(tmp_path / "train" / "masks" / "a.png", (1, 1))
    with pytest.raises(InputError, match="second mask"):
        find_cases(tmp_path, "skin")


def test_masks_beside_their_images(tmp_path):
    picture(tmp_path / "x1.png")
    dots(tmp_path / "x1_mask.png", (1, 1))
    volume(tmp_path / "more" / "scan.nii.gz")
    volume(tmp_path / "more" / "scan_seg.nii.gz", (0, 0, 0))
    layout, found = find_cases(tmp_path / "more", "lesion")
    assert (layout, found.cases[0].name) == ("beside", "scan")
    with pytest.raises(InputError, match="not what the task skin"):
        find_cases(tmp_path / "more", "skin")


def test_the_path_to_a_data_set_says_nothing(tmp_path):
    """The original chose MRI or colour by pieces of the path, and so could any part be."""
    base = tmp_path / "atlas_test_warwick" / "training-rite"
    picture(base / "images" / "a.png")
    dots(base / "masks" / "a.png", (1, 1))
    layout, found = find_cases(base, "gland")
    assert (layout, found.cases[0].part, found.cases[0].name) == ("pairs", None, "a")


def test_faults_are_named(tmp_path):
    with pytest.raises(InputError, match="not a folder"):
        find_cases(tmp_path / "nowhere", "skin")
    with pytest.raises(InputError, match="no image with a mask"):
        find_cases(tmp_path, "skin")
    with pytest.raises(InputError, match="unknown"):
        find_cases(tmp_path, "skin", "isic2018")
    picture(tmp_path / "images" / "a.png")
    dots(tmp_path / "masks" / "a.png", (1, 1))
    picture(tmp_path / "images" / "b.png", size=(9, 9))
    dots(tmp_path / "masks" / "b.png", (1, 1))
    _, found = find_cases(tmp_path, "skin")
    with pytest.raises(InputError, match="size of its image"):
        found.cases[1].read()
    (tmp_path / "images" / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n but no more")
    with pytest.raises(InputError, match=r"a\.png"):
        found.cases[0].read()


@pytest.mark.parametrize(
    "direction", [(1, 0, 0, 0, 1, 0, 0, 0, 1), (-1, 0, 0, 0, -1, 0, 0, 0, 1), (0, 0, 1, -1, 0, 0, 0, -1, 0)]
)
def test_any_orientation_becomes_axial(tmp_path, direction):
    """A voxel that lies left, behind and above the middle of the head is so whatever axes the file has."""
    image = sitk.GetImageFromArray(np.zeros((4, 6, 8), np.uint8))
    image.SetDirection(direction)
    middle = image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()])
    for index in np.ndindex(*image.GetSize()):
        at = image.TransformIndexToPhysicalPoint([int(n) for n in index])
        if all(a > m for a, m in zip(at, middle, strict=True)):
            image[index] = 1
    for name in ("scan", "scan_mask"):
        sitk.WriteImage(image, str(tmp_path / f"{name}.nii.gz"))
    _, found = find_cases(tmp_path, "lesion")
    turned, mask = found.cases[0].read()
    assert mask.any()
    far = tuple(slice(n // 2, None) for n in mask.shape)
    assert mask[far].all()
    assert mask.sum() == mask[far].size
    assert np.array_equal(turned.values > 0, mask)


@pytest.mark.data("ms_lesions")
def test_ms_lesions():
    _, found = find_cases(SHARED / "ms_lesions", "lesion", contrast="FLAIR")
    values, mask = found.cases[0].read()
    assert (found.cases[0].name, values.values.shape, int(mask.sum())) == ("patient07", (182, 218, 182), 1300)


@pytest.mark.data("ph2")
def test_shared_ph2():
    layout, found = find_cases(SHARED / "ph2", "skin")
    assert (layout, len(found.cases)) == ("ph2", 5)
    picture_of, mask = found.cases[-1].read()
    assert (picture_of.shape, mask.shape) == ((572, 765, 3), (572, 765))

"""``spinetk segment`` for slices and pictures, from data set to masks and scores, on tiny phantoms."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch
import typer
from PIL import Image

from spinetk.errors import InputError
from spinetk.phantoms.mask_set import write_mask_set
from spinetk.segmentation.data.contrast import contrast_of
from spinetk.segmentation.registry import get_entry
from spinetk.segmentation.slices.commands import evaluate, phantom, predict, train
from spinetk.segmentation.slices.picture_trainer import load_picture_predictor, load_start, ready_pictures

QUICK = {"iterations": 2, "check_every": 2, "batch": 2, "device": "cpu", "precision": "32-true", "progress": False}


@pytest.fixture(scope="module")
def brains(tmp_path_factory):
    base = tmp_path_factory.mktemp("brains")
    write_mask_set(base, "lesion", 7, shape=(4, 36, 32), spacing_mm=(9.0, 5.0, 5.0), radius_mm=(5, 9), count=2)
    return base


@pytest.fixture(scope="module")
def brain_run(brains, tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    return train(brains, out, task="lesion", network="monai-unet", channels=3, **QUICK)


@pytest.fixture(scope="module")
def skins(tmp_path_factory):
    base = tmp_path_factory.mktemp("skins")
    write_mask_set(base, "skin", 7, size=(40, 48))
    return base


@pytest.fixture(scope="module")
def skin_run(skins, tmp_path_factory):
    return train(skins, tmp_path_factory.mktemp("run"), task="skin", network="monai-unet", size=[32, 32], **QUICK)


def test_another_contrast_is_said_by_every_verb(brains, brain_run, tmp_path):
    """Trained on T1w; the same voxels are called FLAIR, as where a patient's folder holds both."""
    folder = tmp_path / "patients" / "one"
    folder.mkdir(parents=True)
    image = next((brains / "sub-001").rglob("*_T1w.nii.gz"))
    mask = next((brains / "derivatives").rglob("sub-001*mask*.nii.gz"))
    for name in ("T1", "FLAIR"):
        shutil.copy(image, folder / f"{name}.nii.gz")
    shutil.copy(mask, folder / "lesion.nii.gz")
    said = "the file is called FLAIR, the model was trained on T1: the mask may be wrong"
    options = {"task": "lesion", "model": [str(brain_run)], "device": "cpu"}
    evaluation = {**options, "part": "all", "pictures": False}
    (scores,) = evaluate(tmp_path / "patients", tmp_path / "a", contrast="T1", **evaluation)
    assert scores["remarks"] == {}
    with pytest.warns(UserWarning, match=said):
        (scores,) = evaluate(tmp_path / "patients", tmp_path / "b", contrast="FLAIR", **evaluation)
    assert scores["remarks"] == {"one": [said]}
    run = predict([folder / "FLAIR.nii.gz", image], tmp_path / "masks", **options)
    assert {row["file"].endswith("FLAIR.nii.gz"): row["remarks"] for row in run["written"]} == {True: [said], False: []}


@pytest.mark.parametrize(
    ("name", "contrast"),
    [
        ("sub-01_ses-2_acq-3d_T1w.nii.gz", "T1"),
        ("FLAIR.nrrd", "FLAIR"),
        ("c0001s0004t01_t1w_stx.nii.gz", "T1"),
        ("patient-T1gd.mha", "T1ce"),
        ("T1_to_FLAIR.nii.gz", None),
        ("scan12.nii.gz", None),
        ("flairlike.nii.gz", None),
    ],
)
def test_a_name_says_a_contrast_by_whole_words(name, contrast):
    assert contrast_of(Path(name)) == contrast


def test_volumes_from_training_to_scores(brains, brain_run, tmp_path, capsys):
    split = json.loads((brain_run.parent / "split.json").read_text())
    assert sorted(name for names in split.values() for name in names) == [f"sub-{n:03d}" for n in range(1, 8)]
    (scores,) = evaluate(brains, tmp_path, task="lesion", model=[str(brain_run)], part="test", device="cpu")
    assert scores == json.loads((tmp_path / "scores.json").read_text())
    with open(tmp_path / "cases.csv") as stream:
        assert [row["name"] for row in csv.DictReader(stream)] == split["test"]
    assert [path.stem for path in (tmp_path / "pictures").iterdir()] == split["test"]
    assert scores["small_lesions"]["slices"] > 0
    table = capsys.readouterr().out
    assert "lesion_f1" in table
    assert "at most 100 px only" in table
    model = [str(brain_run.parent), str(brain_run)]
    options = {"part": "all", "pictures": False, "device": "cpu", "lesion_rule": "iou:0.5"}
    again = evaluate(brains, tmp_path / "two", task="lesion", model=model, **options)
    trained = len(split["train"])
    said = f"{trained} of 7 cases are, by their names, among those that monai-unet.pth was trained on: the figures are"
    assert capsys.readouterr().err.count(said) == 2
    assert [(one["cases"], one["lesion_rule"]) for one in again] == [(7, "iou:0.5")] * 2
    assert again[0]["pooled"] == again[1]["pooled"]
    assert len(list((tmp_path / "two").glob("[12]-monai-unet/cases.csv"))) == 2
    # Beside a split of its own the same network has other cases to be tested on, which no table may hide.
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(brain_run, other)
    dealt = {"train": split["test"] + split["train"][1:], "val": split["val"], "test": split["train"][:1]}
    (other / "split.json").write_text(json.dumps(dealt))
    options |= {"part": "test", "model": [str(brain_run), str(other)]}
    evaluate(brains, tmp_path / "three", task="lesion", **options)
    out, err = capsys.readouterr()
    assert out.count("| monai-unet |") == 2
    assert "scored on different cases" in err
    assert "trained on" not in err
    evaluate(brains, tmp_path / "four", task="lesion", split=brain_run.parent / "split.json", **options)
    err = capsys.readouterr().err
    assert "different cases" not in err
    assert err.count("1 of 1 cases are, by their names, among those") == 1


def test_volumes_too_small_for_the_network_are_refused_in_training(tmp_path):
    write_mask_set(tmp_path / "thin", "lesion", 4, shape=(4, 36, 14), spacing_mm=(9.0, 5.0, 5.0), radius_mm=(5, 9))
    with pytest.raises(InputError, match=r"has axial slices of 36 x 14 px, network unet needs 16 px a side"):
        train(tmp_path / "thin", tmp_path / "run", task="lesion", network="unet", channels=3, **QUICK)


def test_a_mask_has_the_name_of_its_volume_and_what_is_odd_is_said(brains, brain_run, tmp_path):
    image = sitk.ReadImage(str(brains / "sub-001" / "anat" / "sub-001_T1w.nii.gz"))
    (tmp_path / "in").mkdir()
    sitk.WriteImage(image * 1000 + 5000, str(tmp_path / "in/scan.nii.gz"))
    (tmp_path / "in/scan.nii.gz").rename(tmp_path / "in/SCAN.NII.GZ")
    run = predict([tmp_path / "in"], tmp_path / "out", task="lesion", model=[str(brain_run)], device="cpu")
    ((mask, (remark,)),) = [(one["mask"], one["remarks"]) for one in run["written"]]
    assert mask == "SCAN.nii.gz"
    assert sitk.ReadImage(str(tmp_path / "out" / mask)).GetSize() == image.GetSize()
    assert remark.startswith("grey values are on another scale (mean ")


def test_voxels_of_another_size_than_those_of_the_training_are_said(brains, brain_run, tmp_path):
    """Stored sagittally: sizes are told in the order in which the network sees them."""
    image = sitk.ReadImage(str(brains / "sub-001" / "anat" / "sub-001_T1w.nii.gz"))
    x, y, z = image.GetSpacing()
    image.SetSpacing((x, y, 2 * z))
    sitk.WriteImage(sitk.DICOMOrient(image, "ASL"), str(tmp_path / "scan.mha"))
    run = predict([tmp_path / "scan.mha"], tmp_path / "out", task="lesion", model=[str(brain_run)], device="cpu")
    (one,) = run["written"]
    assert one["mask"] == "scan.mha"
    assert sitk.ReadImage(str(tmp_path / "out/scan.mha")).GetSpacing() == pytest.approx((y, 2 * z, x))
    (remark,) = one["remarks"]
    assert (x, y, z) == (5, 5, 9)
    there = "(slices, rows, columns), in training 9 x 5 x 5 mm: the mask may be wrong"
    assert remark == f"voxels are 18 x 5 x 5 mm {there}"


def test_a_folder_with_nothing_to_segment_is_a_failure(brain_run, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in/slice.png").write_bytes(b"no volume")
    with pytest.raises(typer.Exit) as left:
        predict([tmp_path / "in"], tmp_path / "out", task="lesion", model=[str(brain_run)], device="cpu")
    assert left.value.exit_code == 2
    (failed,) = json.loads((tmp_path / "out/run.json").read_text())["failed"]
    assert failed["why"].endswith("in: holds nothing to segment (give files or another folder)")


def test_volumes_keep_their_geometry(brains, brain_run, tmp_path):
    """A sagittal file with its own place gives the mask of the axial one, turned and placed as it is."""
    axial = sitk.ReadImage(str(brains / "sub-001" / "anat" / "sub-001_T1w.nii.gz"))
    sagittal = sitk.DICOMOrient(axial, "ASL")
    sagittal.SetOrigin((11.0, -7.0, 3.0))
    inputs = tmp_path / "in"
    inputs.mkdir()
    for name, image in (("axial", axial), ("sagittal", sagittal)):
        sitk.WriteImage(image, str(inputs / f"{name}.nii.gz"))
    (inputs / "broken.nii").write_bytes(b"\0" * 400)
    with pytest.raises(typer.Exit):
        predict([inputs], tmp_path, task="lesion", model=[str(brain_run)], pictures=True, device="cpu")
    run = json.loads((tmp_path / "run.json").read_text())
    assert [item["mask"] for item in run["written"]] == ["axial.nii.gz", "sagittal.nii.gz"]
    assert [item["file"].endswith("broken.nii") for item in run["failed"]] == [True]
    masks = [sitk.ReadImage(str(tmp_path / f"{name}.nii.gz")) for name in ("axial", "sagittal")]
    assert masks[1].GetOrigin() == pytest.approx((11, -7, 3))
    assert masks[1].GetDirection() == pytest.approx(sagittal.GetDirection())
    assert masks[1].GetSize() == sagittal.GetSize()
    turned = sitk.GetArrayFromImage(sitk.DICOMOrient(masks[1], "LPS"))
    assert np.array_equal(turned, sitk.GetArrayFromImage(masks[0]))
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == ["axial.png", "sagittal.png"]


def test_pictures_from_training_to_scores(skins, skin_run, tmp_path):
    (scores,) = evaluate(skins, tmp_path / "scores", task="skin", model=[str(skin_run)], device="cpu")
    assert set(scores["legacy_double_truth"]) >= {"f1_of_half", "f1_of_whole"}
    assert "small_lesions" not in scores
    assert len(list((tmp_path / "scores" / "pictures").iterdir())) == scores["cases"] == 1
    predict([skins / "images"], tmp_path / "masks", task="skin", model=[str(skin_run)], flip=["columns"], opening=3)
    masks = sorted((tmp_path / "masks").glob("*.png"))
    assert len(masks) == 7
    assert Image.open(masks[0]).size == (48, 40)


def test_selection_never_sees_the_test_part(skins, skin_run):
    """Statistics are of the training part's pictures, which the split names."""
    split = json.loads((skin_run.parent / "split.json").read_text())
    predictor, _ = load_picture_predictor(skin_run, "cpu")
    names = [skins / "images" / f"{name}.png" for name in split["train"]]
    values = np.stack([predictor.form.resize(np.array(Image.open(name))) for name in names])
    assert predictor.form.mean == pytest.approx(values.mean())
    assert predictor.form.sd == pytest.approx(values.std())
    assert not set(split["test"]) & {*split["train"], *split["val"]}


def test_training_goes_on_with_its_optimiser(tmp_path):
    write_mask_set(tmp_path / "data", "gland", 3, size=(40, 48))
    run = tmp_path / "run"
    options = QUICK | {"network": "monai-unet", "crop": 32}
    train(tmp_path / "data", run, task="gland", **options)
    before = json.loads((run / "split.json").read_text())
    # Another seed deals otherwise; a run that goes on keeps its parts.
    train(tmp_path / "data", run, task="gland", **options | {"iterations": 4, "seed": 3}, resume=True)
    assert json.loads((run / "split.json").read_text()) == before
    last = torch.load(run / "monai-unet" / "checkpoints" / "00000004.ckpt", weights_only=True)
    assert next(iter(last["optimizer_states"][0]["state"].values()))["step"] == 4
    assert any((run / "monai-unet" / "logs").rglob("events.out.tfevents*"))


def test_weights_in_one_folder_are_of_one_split(brains, tmp_path):
    """Evaluation takes the split beside the weights: replaced, it would test one network on its training's cases."""
    options = QUICK | {"task": "lesion", "channels": 1}
    train(brains, tmp_path, network="monai-unet", **options)
    before = (tmp_path / "split.json").read_text()
    with pytest.raises(InputError, match=r"by which parts monai-unet\.pth was trained"):
        train(brains, tmp_path, network="unet-half", seed=3, **options)
    assert (tmp_path / "split.json").read_text() == before
    assert not (tmp_path / "unet-half.pth").exists()
    # The same parts, of the same seed or kept, are no matter; nor is a run's own split, whose weights it replaces.
    train(brains, tmp_path, network="unet-half", seed=3, resume=True, **options)
    assert (tmp_path / "split.json").read_text() == before
    (tmp_path / "unet-half.pth").unlink()
    train(brains, tmp_path, network="monai-unet", seed=3, **options)
    assert (tmp_path / "split.json").read_text() != before


def test_epochs_are_passes_over_the_cases(skins, tmp_path):
    options = {k: v for k, v in QUICK.items() if k != "iterations"}
    train(skins, tmp_path, task="skin", network="monai-unet", size=32, epochs=2, **options)
    split = json.loads((tmp_path / "split.json").read_text())
    newest = sorted((tmp_path / "monai-unet" / "checkpoints").glob("[0-9]*.ckpt"))[-1]
    assert int(newest.stem) == 2 * -(-len(split["train"]) // 2)


def test_start_from_an_earlier_run_or_a_trunk(skin_run, tmp_path):
    network = get_entry("monai-unet").build(3)
    load_start(network, skin_run)
    weights = torch.load(skin_run, weights_only=True)["weights"]
    assert all(torch.equal(value, weights[name]) for name, value in network.state_dict().items())
    from torchvision.models import resnet50

    torch.manual_seed(0)
    trunk = resnet50()
    torch.save(trunk.state_dict(), tmp_path / "resnet50.pth")
    with torch.device("meta"):
        names = get_entry("tmunet").build().state_dict().keys()
    small = torch.nn.Module()
    small.first, small.layers = torch.nn.Sequential(torch.nn.Conv2d(3, 64, 7, bias=False)), torch.nn.ModuleList()
    load_start(small, tmp_path / "resnet50.pth")
    assert torch.equal(small.first[0].weight, trunk.conv1.weight)
    assert {"first.1.running_mean", "layers.3.2.conv3.weight"} <= names
    with pytest.raises(InputError, match="no spinetk weights"):
        load_start(network, tmp_path / "resnet50.pth")


def test_phantoms(tmp_path):
    assert len(phantom(2, tmp_path, task="gland")) == len(list((tmp_path / "masks").iterdir())) == 2
    with pytest.raises(InputError, match="no phantoms"):
        phantom(2, tmp_path, task="vessel")


def test_faults_are_named(brains, skins, brain_run, skin_run, tmp_path):
    for options, match in (
        ({"task": "skin", "channels": 3}, "channels"),
        ({"task": "lesion", "size": 32}, "size"),
        ({"task": "skin", "size": [1, 2, 3]}, "one or two sides"),
        ({"task": "skin", "network": "vnet"}, "not for the task skin"),
        ({"task": "skin", "network": "monai-unet", "size": 8}, "16 px a side"),
        ({"task": "skin", "network": "monai-unet", "loss": "contextual"}, "regions of TMUnet"),
        ({"task": "skin", "network": "monai-unet", "iterations": 3, "epochs": 2}, "both given"),
    ):
        with pytest.raises(InputError, match=match):
            train(skins, tmp_path, **options, device="cpu")
    with pytest.raises(InputError, match="of the task 'skin'"):
        evaluate(brains, tmp_path, task="lesion", model=[str(skin_run)], device="cpu")
    with pytest.raises(InputError, match="of the task 'lesion'"):
        evaluate(skins, tmp_path, task="skin", model=[str(brain_run)], device="cpu")
    with pytest.raises(InputError, match="give --task skin"):
        predict([skins], tmp_path, task="gland", model=[str(skin_run)], device="cpu")
    with pytest.raises(InputError, match="2 times"):
        predict([skins], tmp_path, task="skin", model=["a", "b"], device="cpu")
    with pytest.raises(InputError, match="no case"):
        ready_pictures([], [], tmp_path)


def test_a_device_that_is_not_there_is_told_before_a_case_is_read(brains, skins, tmp_path, monkeypatch):
    def never(*_, **__):
        raise AssertionError("a case was read")

    monkeypatch.setattr("spinetk.segmentation.slices.lesion_trainer._read", never)
    monkeypatch.setattr("spinetk.segmentation.slices.picture_trainer._read", never)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    for base, task in ((brains, "lesion"), (skins, "skin")):
        with pytest.raises(InputError, match="device 'cuda': no CUDA GPU can be used here"):
            train(base, tmp_path / "out", task=task, device="cuda")
    assert not (tmp_path / "out").exists()

"""``spinetk segment`` for the atrium: the flags of the original, real booleans, training to table."""

import csv
import json
import shutil

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image
from typer.testing import CliRunner

from spinetk import zoo
from spinetk.errors import InputError
from spinetk.segmentation.atrium.cases import PARTS, read_parts, write_parts, write_phantoms
from spinetk.segmentation.atrium.commands import AtriumTraining
from spinetk.segmentation.atrium.data import choose_geometry, prepare
from spinetk.segmentation.atrium.models import load_predictor, release
from spinetk.segmentation.atrium.trainer import epoch_steps
from spinetk.segmentation.commands import app
from spinetk.segmentation.registry import get_entry

COARSE = {"shape": (16, 32, 36), "spacing_mm": (6.0, 7.0, 7.0)}


def run(*arguments, code=0):
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result


@pytest.fixture(scope="module")
def atria(tmp_path_factory):
    folder = tmp_path_factory.mktemp("atria")
    write_phantoms(folder, 5, **COARSE)
    return folder


@pytest.fixture(scope="module")
def trained(atria, tmp_path_factory):
    """Both stages with the original's flags, as thin as they go."""
    out = tmp_path_factory.mktemp("run")
    result = run(
        "train", atria, "--out", out, "--num_layers", 1, "--attention_module", "False", "--dilation", 1,
        "--loss_criterion", "HybridLoss", "--max_epochs", 2, "--batch_size", 3, "--learning_rate", "3e-4",
        "--patience", 7, "--reduce", 0.8, "--locator_batch_size", 3, "--locator_learning_rate", "1e-4",
        "--set", "width=1", "--set", "locator_width=1", "--set", "progress=false", "--device", "cpu",
    )  # fmt: skip
    assert "3 train, 1 val, 1 test" in result.output
    return out


def test_flags_of_the_original(trained):
    _, card, _ = zoo.load(trained / "segmenter.pth")
    assert card["config"]["options"] == {"layers": 1, "attention": False, "dilation": 1, "width": 1}
    assert card["training"]["loss"] == "hybrid"
    assert card["training"]["iterations"] == 12  # two epochs of three cases, six times each, in batches of three
    assert zoo.load(trained / "locator.pth")[1]["config"]["options"] == {"width": 1}
    for stage in ("locator", "segmenter"):
        with Image.open(trained / f"{stage}.png") as curves:
            assert curves.width > 600


@pytest.mark.parametrize(("word", "there"), [("False", False), ("false", False), ("True", True)])
def test_booleans_are_real(monkeypatch, word, there):
    """The original took the word False for true."""
    seen = {}
    monkeypatch.setattr(
        "spinetk.segmentation.atrium.commands.train", lambda source, out, **options: seen.update(options)
    )
    run("train", "somewhere", "--attention_module", word, "--num-layers", "2", "--loss_criterion", "FocalLoss")
    assert seen["attention"] is there
    assert seen["layers"] == 2
    assert seen["loss"] == "focal"
    assert "dilation" not in seen


def test_the_published_recipe_of_locator_and_segmenter():
    """Rate, batch, plateau of locate.py and train.py; 200 epochs of 80 cases, six of each, in batches of three."""
    entry = get_entry("vnet")
    for stage, recipe in {"locator": (1e-4, 5, (0.85, 15)), "segmenter": (3e-4, 3, (0.8, 7))}.items():
        found = entry.recipe(stage)
        assert (found.kind, found.rate, found.batch, found.plateau) == ("adam", *recipe)
    assert 200 * epoch_steps(80, 3) == 32_000
    assert (epoch_steps(1, 3), epoch_steps(2, 3)) == (6, 6)
    assert get_entry("monai-vnet").recipe("locator") == get_entry("monai-vnet").recipe("segmenter")


@pytest.mark.parametrize(("stage", "alone"), [("locator", True), ("both", False)])
def test_a_locator_trained_alone_takes_the_flags_of_locate_py(stage, alone):
    """Those of locate.py have no prefix; beside a segmenter they are the segmenter's."""
    plain = {"batch": 4, "rate": 2e-4, "patience": 11, "factor": 0.9, "layers": 2, "seed": 5}
    found = AtriumTraining(stage=stage, **plain).settings("locator")
    given = {"batch": 4, "rate": 2e-4, "patience": 11, "reduce": 0.9, "options": {"layers": 2}}
    assert found == {"loss": "dice", "seed": 5, **(given if alone else {"options": {}})}
    own = AtriumTraining(stage=stage, **plain, locator_batch=6, locator_rate=1e-3, locator_width=8).settings("locator")
    assert (own["batch"], own["rate"], own["options"]["width"]) == (6, 1e-3, 8)
    assert AtriumTraining(stage=stage, loss="focal").settings("locator")["loss"] == ("focal" if alone else "dice")


def test_attention_reaches_the_network(atria, tmp_path):
    with pytest.raises(InputError, match="monai-unet3d"):
        run("train", atria, "-o", tmp_path, "--network", "monai-unet3d", "--attention", "--stage", "segmenter",
            "--iterations", 1, "--set", "progress=false")  # fmt: skip
    assert not (tmp_path / "segmenter.pth").exists()


def test_options_of_other_tasks_are_refused(atria, tmp_path):
    with pytest.raises(InputError, match="positive-rate: is not for the task atrium"):
        run("train", atria, "-o", tmp_path, "--positive-rate", "0.5", "--set", "progress=false")
    with pytest.raises(InputError, match="NAME=VALUE"):
        run("train", atria, "--set", "nothing")
    with pytest.raises(InputError, match="--grid"):
        run("train", atria, "-o", tmp_path, "--grid", "1,2")


def test_predicts_in_the_inputs_geometry(trained, atria, tmp_path):
    case = atria / "raw" / "phantom002_lgemri.nrrd"
    image = sitk.ReadImage(str(case))
    image.SetOrigin((7.0, -8.0, 9.0))
    sitk.WriteImage(image, str(tmp_path / "scan.nii.gz"))
    (tmp_path / "broken.nrrd").write_text("NRRD0004\n\n")
    inputs = case, tmp_path / "scan.nii.gz", tmp_path / "broken.nrrd"
    result = run("predict", *inputs, "--model", trained, "-o", tmp_path / "out", "--how", "slide", "--pictures",
                 "--flip", "rows", "--device", "cpu", code=3)  # fmt: skip
    assert "2 masks" in result.output
    mask = sitk.ReadImage(str(tmp_path / "out" / "scan.nii.gz"))
    assert mask.GetOrigin() == image.GetOrigin()
    assert mask.GetSpacing() == image.GetSpacing()
    assert (tmp_path / "out" / "scan.png").is_file()
    assert sitk.ReadImage(str(tmp_path / "out" / case.name)).GetSize() == image.GetSize()


def test_table_of_the_original(trained, atria, tmp_path):
    both = f"{trained},{trained}"
    run("evaluate", atria, "--model", trained, "--model", both, "--part", "test", "-o", tmp_path, "--how", "slide",
        "--device", "cpu")  # fmt: skip
    lines = (tmp_path / "table.md").read_text().splitlines()
    assert len(lines) == 4
    assert len({line.count("|") for line in lines}) == 1
    for name in ("params", "loss", "batch", "rate", "Dice", "IoU", "precision", "recall", "specificity", "HD mm",
                 "HD95 mm", "ASSD mm"):  # fmt: skip
        assert f"| {name} |" in lines[0]
    assert "| hybrid |" in lines[2]
    assert "x 2" in lines[3]
    (test,) = json.loads((trained / "split.json").read_text())["test"]
    for number in (1, 2):
        with open(tmp_path / f"model-{number}" / "cases.csv") as stream:
            assert [row["name"] for row in csv.DictReader(stream)] == [test]
        assert (tmp_path / f"model-{number}" / f"{test}.png").is_file()
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert [row["cases"] for row in summary] == [1, 1]
    assert summary[0]["mean"] == summary[1]["mean"]
    result = run("evaluate", atria, "--model", trained, "--part", "all", "-o", tmp_path / "all", "--how", "slide",
                 "--no-pictures", "--json", "--device", "cpu")  # fmt: skip
    assert json.loads(result.stdout)[0]["cases"] == 5
    assert "3 of 5 cases are, by their names, among those that" in result.stderr
    assert not list((tmp_path / "all").glob("*.png"))


def test_a_stage_trained_again_keeps_to_the_split_of_the_other(trained, atria, tmp_path):
    shutil.copytree(trained, tmp_path / "run")
    before = (tmp_path / "run" / "split.json").read_text()
    arguments = "train", atria, "--out", tmp_path / "run", "--stage", "locator", "--seed", 3, "--device", "cpu"
    with pytest.raises(InputError, match=r"by which parts segmenter\.pth was trained"):
        run(*arguments)
    assert (tmp_path / "run" / "split.json").read_text() == before


def test_evaluation_goes_on(trained, atria, tmp_path, monkeypatch):
    """A damaged case is named; another folder's split.json is not taken for the model's."""
    for part in ("raw", "label"):
        (tmp_path / "cases" / part).mkdir(parents=True)
        for path in sorted((atria / part).iterdir())[:2]:
            (tmp_path / "cases" / part / path.name).write_bytes(path.read_bytes())
    (tmp_path / "cases" / "raw" / "phantom000_lgemri.nrrd").write_text("NRRD0004\n\n")
    arguments = "--model", trained, "--how", "slide", "--no-pictures", "--device", "cpu", "-o", tmp_path / "out"
    result = run("evaluate", tmp_path / "cases", "--part", "all", *arguments, code=3)
    assert "phantom000" in result.output
    assert json.loads((tmp_path / "out" / "summary.json").read_text())[0]["cases"] == 1
    release(trained, tmp_path / "home" / "tiny.safetensors")
    (tmp_path / "split.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPINETK_HOME", str(tmp_path / "home"))
    assert "split again" in run("evaluate", atria, "--model", "tiny", *arguments[2:]).output


ABOUT = 'licence = "Apache-2.0"\nuse = "tests"\ndata = "phantoms"\ncommand = "none"\n'


def test_release_holds_both_stages(trained, atria, tmp_path, monkeypatch):
    (tmp_path / "about.toml").write_text(ABOUT)
    (tmp_path / "summary.json").write_text(json.dumps([{"model": "/home/me/run", "mean": {"dice": 0.9}}]))
    run("release", trained, "tiny", "--about", tmp_path / "about.toml", "-o", tmp_path, "--metrics",
        tmp_path / "summary.json")  # fmt: skip
    card = json.loads((tmp_path / "tiny.json").read_text())
    assert card["task"] == "atrium"
    assert (card["data"], card["licence"]) == ("phantoms", "Apache-2.0")
    assert card["metrics"] == {"mean": {"dice": 0.9}}
    monkeypatch.setenv("SPINETK_HOME", str(tmp_path))
    released, own = load_predictor(["tiny"], device="cpu"), load_predictor([trained], device="cpu")
    assert released.geometry == own.geometry
    for ours, theirs in zip((own.locator, *own.segmenters), (released.locator, *released.segmenters), strict=True):
        for a, b in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
            assert np.allclose(a.numpy(), b.numpy(), atol=1e-3)


def test_a_toml_that_names_its_task_is_heard(trained, tmp_path):
    (tmp_path / "about.toml").write_text(f'task = "skin"\n{ABOUT}')
    with pytest.raises(InputError, match="is about the task 'skin'"):
        run("release", trained, "tiny", "--about", tmp_path / "about.toml", "-o", tmp_path)
    (tmp_path / "about.toml").write_text(f'task = "atrium"\n{ABOUT}')
    run("release", trained, "tiny", "--about", tmp_path / "about.toml", "-o", tmp_path)
    assert (tmp_path / "tiny.safetensors").exists()


def test_release_is_small(trained, tmp_path, monkeypatch):
    monkeypatch.setattr("spinetk.zoo.MOST_BYTES", 1000)
    with pytest.raises(InputError, match="MB"):
        release(trained, tmp_path / "large.safetensors")


def test_parts(atria, tmp_path):
    parts = read_parts(atria, seed=3)
    assert [len(parts[part]) for part in PARTS] == [3, 1, 1]
    names = [pair.name for part in PARTS for pair in parts[part]]
    assert sorted(names) == [f"phantom{n:03d}" for n in range(5)]
    assert read_parts(atria, seed=3) == parts
    assert any(read_parts(atria, seed=s) != parts for s in range(4))
    write_parts(parts, tmp_path / "split.json")
    assert read_parts(atria, seed=9, kept=tmp_path / "split.json") == parts
    (tmp_path / "split.json").write_text('{"train": 3}')
    with pytest.raises(InputError, match="split"):
        read_parts(atria, kept=tmp_path / "split.json")


def test_parts_that_are_given(tmp_path):
    write_phantoms(tmp_path / "train", 2, **COARSE)
    assert [len(read_parts(tmp_path)[part]) for part in PARTS] == [2, 0, 0]
    write_phantoms(tmp_path / "validate", 1, seed=2, **COARSE)
    write_phantoms(tmp_path / "test", 1, seed=3, **COARSE)
    assert [[pair.name for pair in read_parts(tmp_path)[part]] for part in PARTS] == [
        ["phantom000", "phantom001"], ["phantom002"], ["phantom003"],
    ]  # fmt: skip


def test_an_atrium_under_two_names(tmp_path):
    write_phantoms(tmp_path / "train", 3, **COARSE)
    for part in ("raw", "label"):
        first = next((tmp_path / "train" / part).glob("phantom000*"))
        twin = first.with_name(first.name.replace("phantom000", "twin"))
        twin.write_bytes(first.read_bytes())
    with pytest.warns(UserWarning, match="twin: the same image as phantom000, and left out"):
        parts = read_parts(tmp_path)
    assert sum(map(len, parts.values())) == 3
    for part in ("raw", "label"):
        first = next((tmp_path / "train" / part).glob("phantom002*"))
        (tmp_path / "test" / part).mkdir(parents=True)
        (tmp_path / "test" / part / first.name).write_bytes(first.read_bytes())
    with pytest.warns(UserWarning, match=r"phantom002 \(test\): the same image as phantom002 \(train\)"):
        read_parts(tmp_path)


def test_prepared_once(atria, tmp_path, monkeypatch):
    pairs = read_parts(atria)["train"]
    geometry = choose_geometry(pairs)
    first = prepare(pairs, geometry, tmp_path, "segmenter", distance=True)
    times = [path.stat().st_mtime_ns for path in first]
    assert prepare(pairs, geometry, tmp_path, "segmenter", distance=True) == first
    assert [path.stat().st_mtime_ns for path in first] == times
    first[0].unlink()
    again = prepare(pairs, geometry, tmp_path, "segmenter", distance=True)
    assert again == first
    assert all(path.stat().st_mtime_ns > time for path, time in zip(again, times, strict=True))
    changed = prepare(pairs[1:], geometry, tmp_path, "segmenter", distance=True)
    assert len(changed) == len(pairs) - 1


def test_without_a_model_the_released_one_is_taken(atria, tmp_path, monkeypatch):
    monkeypatch.setattr("spinetk.segmentation.atrium.predictor.CORNERS", ())  # one crop instead of five
    volume = next((atria / "raw").iterdir())
    run("predict", volume, "--out", tmp_path / "out")
    mask = sitk.ReadImage(str(tmp_path / "out" / volume.name))
    assert mask.GetSize() == sitk.ReadImage(str(volume)).GetSize()
    with pytest.raises(InputError, match="no released model"):
        run("predict", volume, "--task", "lesion", "--out", tmp_path / "out")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--rate -1", "setting 'rate' is -1.0"),  # the segmenter's, which is trained last
        ("--network no-such", "network 'no-such': is unknown"),
        ("--loss no-such", "no-such"),
        ("--locator-network unet", "is for slices"),
        ("--device cuda", "device 'cuda': no CUDA GPU can be used here"),
        ("--set start=no-such", "model 'no-such': is unknown"),
        ("--grid nan", "--grid nan: is not MM or SLICE,ROW,COLUMN"),
        ("--grid inf", "--grid inf: is not MM or SLICE,ROW,COLUMN"),
        ("--margin 5000", "--margin 5000.0: is no distance in mm"),
    ],
)
def test_what_is_wrong_with_either_stage_is_told_before_a_volume_is_read(atria, tmp_path, monkeypatch, options, said):
    def never(*_, **__):
        raise AssertionError("a volume was read")

    monkeypatch.setattr("spinetk.segmentation.atrium.data.choose_geometry", never)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(InputError, match=said.replace("(", r"\(")):
        run("train", atria, "-o", tmp_path / "out", *options.split())
    assert not (tmp_path / "out").exists()

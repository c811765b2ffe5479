"""The table of models and methods, from hand-made rows and from the verb; the release of a model and its card."""

import json

import pytest
import torch
from typer.testing import CliRunner

from spinetk import zoo
from spinetk.discs.commands import app
from spinetk.discs.hourglass import StackedHourglass
from spinetk.discs.lookonce import PointSet
from spinetk.discs.predictor import DiscPredictor
from spinetk.discs.release import called, release, unlike
from spinetk.discs.search import Column
from spinetk.discs.shapeunet import PlainUNet
from spinetk.discs.table import orderings, table
from spinetk.errors import InputError

LEVELS = [20, 21, 22, 23]
ABOUT = 'licence = "Apache-2.0"\nuse = "tests"\ndata = "drawings"\ncommand = "none"\n'


def row(method, *, model="m", network="StackedHourglass", attention=True, f1=0.9, dtt=1.0, fnr=2.0, fpr=3.0):
    figures = {
        "dtt_median_mm": 0.5, "dtt_mean_mm": dtt, "fnr_percent": fnr, "fpr_percent": fpr, "level_accuracy": 0.975,
        "one_level_shift_rate": 0.0125, "l2_mean_mm": None,
    }  # fmt: skip
    return {
        "model": model, "network": network, "attention": attention, "method": method, **figures,
        **{f"{name}_ci95": None if value is None else [value / 2, value * 2] for name, value in figures.items()},
        "subjects": 2, "discs": 8, "dtt_sd_mm": 0.25, "candidates": {"f1": f1},
        "sets": {"tp": 7, "fp": 1, "fn": 2, "tn": 0, "accuracy": 0.7},
        "sets_ci95": {"tp": [6.0, 8.0], "fp": [0.0, 3.0], "fn": [1.0, 2.0], "tn": [0.0, 0.0], "accuracy": [0.5, 0.8]},
        "levels": {"21": {"n": 2, "l2_mean_mm": 1.5, "l2_median_mm": 1.5}},
    }  # fmt: skip


def test_the_table_says_everything():
    text = table([row("peaks", attention=False), row("lookonce+search")])
    figures, intervals, levels = text.split("\n\n")
    first, second = (line.split() for line in figures.splitlines()[-2:])
    numbers = ["0.50", "1.00", "2.00", "3.00", "97.5", "1.2", "-", "0.25", "7", "1", "2", "70.0", "0.900"]
    assert first == ["m", "off", "off", "off", "peaks", *numbers]
    assert second == ["m", "on", "on", "on", "lookonce+search", *numbers]
    assert "48.8 to 195.0" in intervals
    assert intervals.endswith("6 to 8  0 to 3  1 to 2  50.0 to 80.0")
    assert "L1/L2" in levels
    assert levels.splitlines()[-1].split() == ["m", "lookonce+search", "1.50", "(2)"]


def test_published_orders_are_asked_of_the_rows():
    own = [row("condition", f1=0.8), row("search", f1=0.9), row("lookonce", f1=0.85)]
    ((what, published, values, holds),) = orderings(own)
    assert (what, published) == ("F1 of candidates, m", "condition < search < lookonce")
    assert (values, holds) == ([0.8, 0.9, 0.85], False)
    assert orderings([row("condition", f1=0.8), row("search", f1=0.8), row("lookonce", f1=0.85)])[0][3]
    assert orderings(own[:2]) == []
    rows = [
        row("peaks", model="u", network="PlainUNet", attention=False, dtt=3, fnr=5, fpr=1),
        row("search", model="h", dtt=2, fnr=6, fpr=0.5),
        row("search", model="old", attention=False, dtt=9, fnr=9, fpr=9),
        row("lookonce", model="s", network="ShapeUNet", attention=False, dtt=1, fnr=0, fpr=0),
    ]
    found = {what: holds for what, _, _, holds in orderings(rows)}
    assert found == {"DTT, mean, mm": True, "FNR %": False, "FPR %": True}
    assert "u peaks > h search > s lookonce" in table(rows)
    assert "does not hold" in table(rows)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Untrained: two hourglasses, without and with attention, and a point network."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models")
    column = Column.learn([{20: (0, 0), 21: (1, 22), 22: (3, 45), 23: (6, 69)}], LEVELS).to_json()
    for name, attention in (("plain", False), ("att", True)):
        arguments = {"joints": 4, "stacks": 1, "attention": attention, "blocks": 1}
        config = {"task": "discs", "network": "hourglass", "arguments": arguments, "grid_mm": 1.0, "levels": LEVELS}
        network = StackedHourglass(**arguments)
        (folder / name).mkdir()
        count = sum(p.numel() for p in network.parameters())
        card = {"config": config | {"column": column}, "training": {"epochs": 0, "parameters": count}}
        zoo.save(folder / name / "model_final.pth", network.state_dict(), card)
    zoo.save(folder / "points.pth", PointSet().state_dict(), {"config": {"task": "disc-points", "levels": LEVELS}})
    (folder / "about.toml").write_text(ABOUT)
    return folder


def test_one_command_compares_attention_look_once_and_search(models, prepared, tmp_path):
    options = [f for name in ("plain", "att") for f in ("--model", str(models / name / "model_final.pth"))]
    options += [
        "--points",
        str(models / "points.pth"),
        "--part",
        "test",
        "--maps",
        "--device",
        "cpu",
        "-o",
        str(tmp_path),
    ]
    done = CliRunner().invoke(app, ["evaluate", str(prepared), *options])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "evaluation.txt").read_text().strip() == done.output.strip()
    flags = [tuple(line.split()[:5]) for line in done.output.split("\n\n")[0].splitlines()[3:]]
    methods = [("off", "off", "peaks"), ("off", "on", "search"), ("off", "off", "condition"), ("on", "off", "lookonce"),
               ("on", "on", "lookonce+search")]  # fmt: skip
    assert flags == [(name, att, *rest) for name, att in (("plain", "off"), ("att", "on")) for rest in methods]
    pictures = sorted(path.name for path in (tmp_path / "2-att").iterdir())
    assert sum(name.endswith("_attention.png") for name in pictures) == len(pictures) // 3
    path = release(
        models / "att/model_final.pth",
        "discs-t2w",
        models / "about.toml",
        tmp_path,
        metrics=tmp_path / "evaluation.json",
    )
    card = json.loads(path.with_suffix(".json").read_text())
    assert card["metrics"]["part"] == "test part, 2 pictures, method search"
    assert card["metrics"]["discs"] == 8
    assert "model" not in card["metrics"]
    with pytest.raises(InputError, match="has 0 rows of model 'plain' by method 'guess'"):
        release(models / "plain/model_final.pth", "x", models / "about.toml", tmp_path,
                metrics=tmp_path / "evaluation.json", method="guess")  # fmt: skip


def test_a_release_is_what_predict_takes_by_default(models, bids, tmp_path, monkeypatch):
    runner, image = CliRunner(), bids / "sub-amu00/anat/sub-amu00_T2w.nii.gz"
    monkeypatch.setenv("SPINETK_HOME", str(tmp_path / "home"))
    given = [str(models / "att/model_final.pth"), "discs-t2w", "--about", str(models / "about.toml")]
    assert runner.invoke(app, ["release", *given, "-o", str(tmp_path / "home")]).exit_code == 0
    card = json.loads((tmp_path / "home/discs-t2w.json").read_text())
    assert (card["name"], card["task"], card["licence"]) == ("discs-t2w", "discs", "Apache-2.0")
    assert card["parameters"] == 3_620_931 - 7 * 257  # seven scores fewer than the published eleven
    half, full = tmp_path / "home/discs-t2w.safetensors", models / "att/model_final.pth"
    assert half.stat().st_size < 0.55 * full.stat().st_size
    done = runner.invoke(app, ["predict", str(image), "--device", "cpu", "-o", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "out/run.json").read_text())["model"] == "discs-t2w"
    assert DiscPredictor.load("discs-t2w", device="cpu").levels == tuple(LEVELS)


def test_what_cannot_be_released_is_said_in_a_line(models, tmp_path):
    model = models / "plain/model_final.pth"
    (tmp_path / "short.toml").write_text(ABOUT.replace("licence", "license"))
    with pytest.raises(InputError, match="no field 'licence'"):
        release(model, "x", tmp_path / "short.toml", tmp_path)
    with pytest.raises(InputError, match="cannot be read as TOML"):
        release(model, "x", tmp_path / "none.toml", tmp_path)
    weights, card, _ = zoo.load(model)
    zoo.save(
        tmp_path / "huge.pth", {k: v * float("inf") if v.is_floating_point() else v for k, v in weights.items()}, card
    )
    with pytest.raises(InputError, match="are no numbers"):
        release(tmp_path / "huge.pth", "x", models / "about.toml", tmp_path)
    zoo.save(tmp_path / "other.pth", {}, {"config": {"task": "atrium"}})
    with pytest.raises(InputError, match="not a disc model"):
        release(tmp_path / "other.pth", "x", models / "about.toml", tmp_path)
    assert not list(tmp_path.glob("*.safetensors"))


def test_names_of_models():
    names = ["runs/att/model_best.pth", "model_final.pth", "../model_final.pth", "runs/att/mine.pth", "discs-t2w"]
    assert [called(name) for name in names] == ["att", "model_final", "model_final", "mine", "discs-t2w"]


def test_models_of_one_name_are_told_apart():
    names = unlike(["att", "att", "plain"], ["model_best", "model_final", "model_best"])
    assert names == ["att-model_best", "att-model_final", "plain"]
    assert unlike(["att-model_best", "att-model_best", "plain"], range(1, 4)) == [
        "att-model_best-1", "att-model_best-2", "plain",
    ]  # fmt: skip


def test_a_point_network_of_other_levels_is_refused(models, tmp_path):
    model = models / "att/model_final.pth"
    assert DiscPredictor.load(model, models / "points.pth", "cpu").points is not None
    other = {"config": {"task": "disc-points", "levels": [21, 22, 23, 24]}}
    zoo.save(tmp_path / "other.pth", PointSet().state_dict(), other)
    with pytest.raises(InputError, match=r"other\.pth: was trained behind a model of other levels \(L1/L2 to L4/L5\)"):
        DiscPredictor.load(model, tmp_path / "other.pth", "cpu")


def test_the_plain_u_net_is_the_shape_u_net_without_shape():
    net = PlainUNet(4)
    assert not [name for name, _ in net.named_parameters() if name.startswith(("shape", "attention"))]
    picture = torch.rand(1, 3, 32, 48)
    (maps,) = net.eval()(picture)
    assert maps.shape == (1, 4, 32, 48)


def test_the_point_network_that_a_card_names_is_used(models, tmp_path, monkeypatch):
    monkeypatch.setenv("SPINETK_HOME", str(tmp_path))
    (tmp_path / "about.toml").write_text(ABOUT + 'points = "spots"\n')
    release(models / "points.pth", "spots", models / "about.toml", tmp_path)
    release(models / "att/model_final.pth", "discs", tmp_path / "about.toml", tmp_path)
    named = DiscPredictor.load("discs", device="cpu")
    assert isinstance(named.points, PointSet)
    assert named.method == "lookonce+search"
    assert DiscPredictor.load(models / "att/model_final.pth", device="cpu").method == "search"

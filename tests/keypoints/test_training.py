"""Training on drawn columns: exact resume, files of a run, the weights' way into a predictor."""

import csv
import hashlib
import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from spinetk import zoo
from spinetk.cases.catalog import DatasetCatalog, setup_catalogs
from spinetk.cases.folder import CaseFolder
from spinetk.cases.splitting import make_split
from spinetk.cli import main
from spinetk.errors import InputError
from spinetk.keypoints.centre.preset import CentrePreset
from spinetk.keypoints.module import rate_factor
from spinetk.keypoints.network import VertebraRCNN
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.preset import DEFAULT, ORIGINAL
from spinetk.keypoints.pretrained import load_start, train_only
from spinetk.keypoints.registry import build
from spinetk.keypoints.samples import KeypointSamples
from spinetk.keypoints.trainer import train
from spinetk.schema import VERTEBRA6, KeypointSchema

QUICK = {"start": "scratch", "check_every": 2, "batch": 2, "device": "cpu", "precision": "32-true", "progress": False}


@pytest.fixture
def version(case_folder) -> str:
    setup_catalogs("t", *make_split(case_folder)[:3])
    yield "t"
    DatasetCatalog.clear()


def weights_of(path) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=True)["weights"]


def differing(one, other) -> dict[str, float]:
    """By how much weights are not the same: a failure says whether it began with the first layer, and how large."""
    assert one.keys() == other.keys()
    return {
        name: float((one[name] - other[name]).abs().max()) for name in one if not torch.equal(one[name], other[name])
    }


def test_interrupted_and_resumed_equals_unbroken(version, tiny, tmp_path):
    """5 iterations are 3 + resume + 2, bit for bit, and worker processes change nothing."""
    unbroken = weights_of(train(version, 5, preset=tiny, output=tmp_path / "a", **QUICK))
    # The schedule of the first part belongs to a run of 5, as in a run that was killed.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("spinetk.keypoints.trainer.fit", _stopping_at(3))
        train(version, 5, preset=tiny, output=tmp_path / "b", workers=1, **QUICK)
    resumed = weights_of(train(version, 5, True, preset=tiny, output=tmp_path / "b", **QUICK))
    assert differing(unbroken, resumed) == {}


def _stopping_at(iterations):
    from spinetk.training.fit import fit

    return lambda *arguments, **options: fit(*arguments, **{**options, "iterations": iterations})


def test_a_run_leaves_what_it_promises(version, tiny, tmp_path):
    out = tmp_path / "output"
    weights = train(version, 4, preset=tiny, output=out, **QUICK)
    assert weights == out / "model_final.pth"
    assert {"settings.json", "model_final.pth", "model_best.pth", "checkpoints", "logs"} <= {
        p.name for p in (out / version).iterdir()
    }
    assert json.loads((out / version / "settings.json").read_text())["start"] == "starting from random weights"
    logs = out / version / "logs" / "from-00000000"
    assert list(logs.glob("events*"))
    rows = list(csv.DictReader((logs / "metrics.csv").open()))
    assert sum(bool(row["val_loss"]) for row in rows) == 2
    # A finished run has nothing left to do, and does not lose its weights.
    before = weights_of(weights)
    again = weights_of(train(version, 4, True, preset=tiny, output=out, **QUICK))
    assert differing(before, again) == {}
    predictor = Predictor.load(weights, 0.5, "cpu")
    assert predictor.schema.name == "vertebra6"


def test_weights_know_the_pictures_that_they_have_seen(case_folder, tiny, tmp_path):
    """By their bytes, whatever they are called later; those of a run that goes on with others, too."""
    folder = CaseFolder(case_folder)
    digests = {
        case: hashlib.sha256(folder.source(case).with_suffix(".png").read_bytes()).hexdigest()[:12]
        for case in folder.cases()
    }
    names = sorted(digests)
    setup_catalogs("t", names[:4], names[4:6], names[6:], base=case_folder)
    weights = train("t", 1, preset=tiny, output=tmp_path, **QUICK)
    assert Predictor.load(weights, 0.5, "cpu").trained_on == {digests[case] for case in names[:4]}
    setup_catalogs("t", names[3:5], names[5:6], names[6:], base=case_folder)
    with pytest.warns(UserWarning, match="the data have changed"):
        weights = train("t", 2, True, preset=tiny, output=tmp_path, **QUICK)
    assert Predictor.load(weights, 0.5, "cpu").trained_on == {digests[case] for case in names[:5]}
    # So do those of a run that starts from them, and begins with other pictures.
    setup_catalogs("t", names[5:6], [], names[6:], base=case_folder)
    weights = train("t", 1, preset=tiny, output=tmp_path / "b", **QUICK | {"start": str(weights)})
    assert Predictor.load(weights, 0.5, "cpu").trained_on == {digests[case] for case in names[:6]}
    DatasetCatalog.clear()


@pytest.mark.parametrize("training", [None, {}, {"pictures": None}, {"pictures": 5}])
def test_weights_that_do_not_say_what_they_have_seen(training):
    assert zoo.pictures_of(training) == frozenset()


def test_pictures_of_samples_are_as_large_as_the_networks_input(tiny):
    picture, points = torch.rand(3, 64, 80), torch.rand(1, 6, 3) * 60
    module = SimpleNamespace(network=VertebraRCNN(tiny, VERTEBRA6).eval(), trainer=SimpleNamespace(precision="32-true"))
    assert KeypointSamples([(picture, {"keypoints": points})]).draw(module, 0).shape == (64, 80, 3)


def test_a_run_is_continued_as_it_was_begun(version, tiny, tmp_path):
    train(version, 2, preset=tiny, output=tmp_path, **QUICK)
    with pytest.raises(InputError, match="preset 'tiny', not 'fast'"):
        train(version, 4, True, preset="fast", output=tmp_path, **QUICK)
    # `start` is for fresh runs: weights that are not there are not missed.
    train(version, 3, True, preset=tiny, output=tmp_path, **{**QUICK, "start": "gone.pth"})
    settings = tmp_path / version / "settings.json"
    assert json.loads(settings.read_text())["start"] == "starting from random weights"
    settings.write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        train(version, 4, True, preset=tiny, output=tmp_path, **QUICK)


def test_points_in_another_order_are_no_continuation_and_are_learned_anew(case_folder, version, tiny, tmp_path):
    """A layer of the same size says nothing of which of its outputs is which point."""
    weights = train(version, 2, preset=tiny, output=tmp_path, **QUICK)
    parts = make_split(case_folder)[:3]
    turned = KeypointSchema(VERTEBRA6.name, VERTEBRA6.keypoints[::-1])
    setup_catalogs(version, *parts, schema=turned)
    with pytest.raises(InputError, match=r"was trained with points 'bottom_left, .*', not 'top_left, "):
        train(version, 4, True, preset=tiny, output=tmp_path, **QUICK)
    network = build(tiny, turned)
    assert "its points are others, which are learned anew" in load_start(network, str(weights))
    with pytest.raises(InputError, match=r"has the points bottom_left, .*leave --only out"):
        train_only(network, "rcnn", str(weights))
    same = build(tiny, VERTEBRA6)
    assert "others" not in load_start(same, str(weights))
    train_only(same, "rcnn", str(weights))


def test_parts_that_start_weights_lack_are_named_and_are_not_frozen_as_they_are(tmp_path):
    """Weights of before S1 had a network of its own: it begins at random, said once, and only where it is trained."""
    before = CentrePreset("small", (128,), 192, channels=8, crop_px=32, crop_widths=(4, 8, 8), landmarks=("s1",))
    older = build(before, VERTEBRA6)
    zoo.save(tmp_path / "older.safetensors", older.state_dict(), {"config": older.config()})
    start = str(tmp_path / "older.safetensors")
    assert "random" not in load_start(build(before, VERTEBRA6), start)
    network = build(replace(before, endplate_refine=True), VERTEBRA6)
    assert "; it has no endplate: what it lacks begins at random)" in load_start(network, start)
    with pytest.raises(InputError, match=r"has no endplate, which would stay random"):
        train_only(network, "refine", start)
    train_only(network, "refine, endplate", start)
    assert {name.partition(".")[0] for name, p in network.named_parameters() if p.requires_grad} == {
        "refine", "endplate",
    }  # fmt: skip


def test_a_release_is_fp16_and_loads_by_name(tiny, tmp_path, monkeypatch):
    network = VertebraRCNN(tiny, VERTEBRA6)
    trained = network.state_dict()
    zoo.save(tmp_path / "home" / "mine.safetensors", trained, {"config": network.config()})
    monkeypatch.setenv("SPINETK_HOME", str(tmp_path / "home"))
    assert "mine" in [name for name, _ in zoo.released()]
    loaded, _, name = zoo.load("mine")
    assert name == "mine"
    for key, tensor in loaded.items():
        torch.testing.assert_close(tensor, trained[key], rtol=1e-3, atol=1e-3)


def test_no_pickle_is_ever_executed(tmp_path):
    import pickle

    class Evil:
        def __reduce__(self):
            return print, ("executed",)

    for name, content in (("a.pth", pickle.dumps(Evil())), ("b.pth", b""), ("c.pth", b"\x80\x02}q\x00.")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError):
            zoo.load(tmp_path / name)


def test_unknown_versions_presets_and_models(tiny, tmp_path):
    with pytest.raises(InputError, match="setup_catalogs"):
        train("never set up", 1)
    with pytest.raises(InputError, match="is unknown"):
        Predictor.load("no-such-model")
    with pytest.raises(InputError, match="no such weights"):
        Predictor.load(tmp_path / "no.pth")


def test_schedule_of_the_original_is_warm_up_then_flat():
    factors = [rate_factor(i, 1300, ORIGINAL) for i in (0, 500, 1000, 1299)]
    assert factors == pytest.approx([0.001, 0.5005, 1.0, 1.0])


def test_default_schedule_falls_to_a_hundredth():
    assert rate_factor(DEFAULT.warmup, 1000, DEFAULT) == pytest.approx(1.0)
    assert rate_factor(1000, 1000, DEFAULT) == pytest.approx(0.01)


def test_a_run_is_repeated_from_its_settings(version, tiny, tmp_path):
    first = weights_of(train(version, 3, preset=tiny, output=tmp_path / "a", seed=7, **QUICK))
    content = json.loads((tmp_path / "a" / version / "settings.json").read_text())
    assert content["settings"]["seed"] == 7
    assert content["settings"]["batch"] == 2
    assert content["data"]["train"]["files"] == len(content["cases"]["train"])
    again = train(version, output=tmp_path / "b", config=tmp_path / "a" / version / "settings.json")
    assert differing(first, weights_of(again)) == {}
    # A run that goes on needs no settings but the new total.
    train(version, 4, True, output=tmp_path / "b")
    assert json.loads((tmp_path / "b" / version / "settings.json").read_text())["settings"]["seed"] == 7


def test_the_verb_reads_settings_leaves_damaged_cases_out_and_names_wrong_ones(
    case_folder, tmp_path, capsys, monkeypatch
):
    def spinetk(*arguments):
        monkeypatch.setattr("sys.argv", ["spinetk", *map(str, arguments)])
        try:
            main()
        except SystemExit as stop:
            return int(stop.code or 0), capsys.readouterr().err
        return 0, capsys.readouterr().err

    (case_folder / "case 3" / "src" / "0" / "src-0.png").write_bytes(b"rubbish")
    config = tmp_path / "mine.json"
    config.write_text(json.dumps({"iterations": 1, "batch": 2, "start": "scratch", "device": "cpu", "preset": "fast",
                                  "progress": False}))  # fmt: skip
    code, said = spinetk("train", case_folder, "--config", config, "-o", tmp_path / "out", "--seed", 3)
    assert code == 0, said
    assert [line for line in said.splitlines() if "left out" in line and "case 3" in line]
    settings = json.loads((tmp_path / "out" / "v1" / "settings.json").read_text())["settings"]
    assert (settings["iterations"], settings["batch"], settings["seed"]) == (1, 2, 3)
    config.write_text(json.dumps({"itertions": 1}))
    code, said = spinetk("train", case_folder, "--config", config, "-o", tmp_path / "out")
    assert code == 2
    assert "did you mean 'iterations'?" in said.splitlines()[-1]

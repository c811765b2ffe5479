"""Runs of a few iterations on drawn columns: files, resume, release, the verbs."""

import json

import numpy as np
import pytest
import torch
from gradients import assert_falls_along_its_gradient
from typer.testing import CliRunner

from spinetk import zoo
from spinetk.discs.commands import app
from spinetk.discs.data import DiscDataset, Item
from spinetk.discs.hourglass import StackedHourglass
from spinetk.discs.loss import stacked_mse
from spinetk.discs.module import DiscTraining, Recipe, rate_factor
from spinetk.discs.pointdata import PointDataset, collate
from spinetk.discs.predictor import DiscPredictor
from spinetk.discs.preparation import read_samples
from spinetk.discs.shapeunet import ShapeUNet
from spinetk.discs.trainer import train, train_points
from spinetk.errors import InputError

QUICK = {"device": "cpu", "precision": "32-true", "progress": False, "stacks": 1}


def weights_of(path):
    return torch.load(path, weights_only=True)["weights"]


@pytest.fixture(scope="module")
def run(prepared, tmp_path_factory):
    out = tmp_path_factory.mktemp("run")
    train(prepared, out, attention=True, recipe=Recipe(epochs=2, batch=5), **QUICK)
    return out


@pytest.mark.parametrize("loss", ["mse", "hca"])
def test_absent_discs_count_unless_the_recipe_ignores_them(monkeypatch, loss):
    """The second disc is absent, and its channel says 1 everywhere: supervised, that is all the loss there is."""
    maps = torch.stack([torch.zeros(16, 16), torch.ones(16, 16)])[None]
    points = torch.tensor([[[0.5, 0.5], [0.0, 0.0]]])
    item = Item(torch.zeros(1, 3, 16, 16), torch.zeros(1, 2, 16, 16), torch.tensor([[1.0, 0.0]]), points)

    class Said(torch.nn.Module):
        def forward(self, _):
            return [maps]

    found = {}
    for absent in ("supervised", "ignored"):
        training = DiscTraining(Said(), Recipe(loss=loss, absent=absent), 1)
        monkeypatch.setattr(training, "log", lambda *_, **__: None)
        found[absent] = float(training.training_step(item, 0))
    assert found["ignored"] == pytest.approx(0, abs=1e-6)
    assert found["supervised"] > 0.1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--points-of", "discs-t2w", "--epochs", "3", "--stacks", "4"], "--epochs, --stacks: is not for the point"),
        (["--iterations", "2", "--epochs", "3"], "iterations and epochs: are both given"),
    ],
)
def test_options_that_would_not_be_used_are_refused(prepared, tmp_path, options, said):
    done = CliRunner().invoke(app, ["train", str(prepared), "-o", str(tmp_path), *options, "--device", "cpu"])
    assert done.exit_code != 0
    assert str(done.exception).startswith(said)
    assert not list(tmp_path.iterdir())


def test_schedule_falls_at_60_and_90():
    recipe = Recipe()
    factors = [rate_factor(epoch * 10 + 9, 10, recipe) for epoch in (0, 59, 60, 89, 90, 119)]
    assert factors == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])
    assert (recipe.solver, recipe.rate, recipe.epochs, recipe.batch) == ("rms", 2.5e-4, 120, 3)
    optimiser = DiscTraining(ShapeUNet(1), recipe, 10).configure_optimizers()["optimizer"]
    assert isinstance(optimiser, torch.optim.RMSprop)
    group = optimiser.param_groups[0]
    assert (group["lr"], group["alpha"], group["momentum"], group["weight_decay"]) == (2.5e-4, 0.99, 0, 0)


def test_a_run_leaves_what_it_promises(run):
    names = {p.name for p in run.iterdir()}
    assert {"settings.json", "model_final.pth", "model_best.pth", "checkpoints", "logs", "pictures"} <= names
    assert len(list((run / "pictures").glob("[0-9]*.png"))) == 2
    assert (run / "pictures" / "convergence.gif").exists()
    card = zoo.load(run / "model_final.pth")[1]
    assert card["config"]["levels"] == [20, 21, 22, 23]
    assert card["config"]["arguments"] == {"joints": 4, "stacks": 1, "attention": True, "blocks": 1}
    steps = np.array(card["config"]["column"]["steps_mm"])
    assert np.allclose(steps, [(1, 22), (2, 23), (3, 24)], atol=0.01)


def test_resume_equals_unbroken(run, prepared, tmp_path):
    import spinetk.discs.trainer as module
    from spinetk.training.fit import fit

    recipe = Recipe(epochs=2, batch=5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "fit", lambda *a, **k: fit(*a, **{**k, "iterations": 2}))
        train(prepared, tmp_path, attention=True, recipe=recipe, **QUICK)
    train(prepared, tmp_path, attention=True, recipe=recipe, resume=True, **QUICK)
    one, other = weights_of(run / "model_final.pth"), weights_of(tmp_path / "model_final.pth")
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_loss_of_a_batch_reaches_every_weight(prepared):
    torch.manual_seed(0)
    data = DiscDataset(read_samples(prepared, "train")[:2], (20, 21, 22, 23))
    pictures, target = (
        torch.stack(parts)[..., :64, :].double() for parts in list(zip(data[0], data[1], strict=True))[:2]
    )
    network = StackedHourglass(4, 1).double()
    assert_falls_along_its_gradient(lambda: stacked_mse(network(pictures), target), network.parameters())


def test_a_released_model_loads_and_predicts(run, prepared, tmp_path, monkeypatch):
    weights, card, _ = zoo.load(run / "model_final.pth")
    zoo.save(tmp_path / "mine.safetensors", weights, card)
    monkeypatch.setenv("SPINETK_HOME", str(tmp_path))
    predictor = DiscPredictor.load("mine", device="cpu")
    grey = read_samples(prepared, "test")[0].pixels()
    evidence = predictor.look(grey)
    assert evidence.maps.shape == (4, *grey.shape)
    assert evidence.attention.shape == (-(-grey.shape[0] // 4), -(-grey.shape[1] // 4))
    same = DiscPredictor.load(run / "model_final.pth", device="cpu").look(grey)
    assert np.allclose(same.maps, evidence.maps, atol=0.02)


def test_point_network_trains_on_real_candidates(run, prepared, tmp_path):
    first = DiscPredictor.load(run / "model_final.pth", device="cpu")
    path = train_points(prepared, tmp_path, first, iterations=4, device="cpu", progress=False)
    both = DiscPredictor.load(run / "model_final.pth", path, device="cpu")
    evidence = both.look(read_samples(prepared, "test")[0].pixels())
    assert len(both.choose(evidence, "lookonce")) <= both.channels
    with pytest.raises(InputError, match="of the task 'discs'"):
        DiscPredictor.load(run / "model_final.pth", run / "model_final.pth")
    with pytest.raises(InputError, match="of the task 'disc-points'"):
        DiscPredictor.load(path)


def test_candidates_near_their_disc_are_true(run, prepared):
    from spinetk.discs.candidates import Candidates

    first = DiscPredictor.load(run / "model_final.pth", device="cpu")
    samples = read_samples(prepared, "train")[:1]
    data = PointDataset(samples, first, 0, noise=False)
    place = np.array(samples[0].points[21])
    points = np.array([place + (5, 4), place + (6, 4), place])
    data.sets[0] = (Candidates(np.array([1, 1, 2]), points, np.ones(3)), data.sets[0][1])
    features, truth = data[0]
    assert truth.tolist() == [1, 0, 0]
    assert features.shape == (3, 4)
    batch = collate([(features, truth), (features[:0], truth[:0])])
    assert batch[2].tolist() == [[False] * 3, [True] * 3]


def test_ordinal_mode_and_skeletal_loss_and_shape_unet_run(prepared, tmp_path, monkeypatch):
    recipe = Recipe(epochs=1, batch=9, loss="hca", absent="ignored", augment="legacy")
    path = train(prepared, tmp_path / "a", ordinal=True, attention=False, recipe=recipe, **QUICK)
    predictor = DiscPredictor.load(path, device="cpu")
    assert (predictor.levels, predictor.channels) == (None, 11)
    evidence = predictor.look(read_samples(prepared, "test")[0].pixels())
    assert all(d.number is None for d in predictor.label(evidence, predictor.choose(evidence)))
    monkeypatch.setattr("spinetk.discs.shapeunet.WIDTHS", (8, 16, 24, 32, 40))
    path = train(prepared, tmp_path / "b", network="shapeunet", recipe=Recipe(epochs=1, batch=9), **QUICK)
    assert DiscPredictor.load(path, device="cpu").channels == 4


def test_faults_are_one_line(prepared, tmp_path):
    with pytest.raises(InputError, match="modality T1w"):
        train(prepared, tmp_path, modality="T1w")
    with pytest.raises(InputError, match="'network' is 'alexnet'"):
        train(prepared, tmp_path, network="alexnet")


def test_the_verbs(bids, run, tmp_path):
    runner = CliRunner()
    done = runner.invoke(app, ["prepare", str(bids), "-o", str(tmp_path / "prepared")])
    assert done.exit_code == 3  # the labels of one subject cannot be read
    assert "sub-none01: no T2w image" in done.output
    assert "9 train, 1 val, 2 test pictures" in done.output
    model = str(run / "model_final.pth")
    options = ["--model", model, "--device", "cpu"]
    done = runner.invoke(app, ["evaluate", str(tmp_path / "prepared"), *options, "-o", str(tmp_path / "e"), "--json"])
    assert done.exit_code == 0
    assert {row["method"] for row in json.loads(done.stdout)} == {"peaks", "search", "condition"}
    image = bids / "sub-amu00/anat/sub-amu00_T2w.nii.gz"
    done = runner.invoke(app, ["predict", str(image), *options, "-o", str(tmp_path / "p"), "--attshow"])
    assert done.exit_code == 0
    names = {p.name for p in (tmp_path / "p").iterdir()} - {".lock", "journal.jsonl"}
    stem = "sub-amu00_T2w"
    labels = {f"{stem}_desc-discs_labels{suffix}" for suffix in (".nii.gz", ".json", ".png")}
    assert names == labels | {"run.json", f"{stem}_attention.png", f"{stem}_heatmaps.png"}
    done = runner.invoke(app, ["predict", str(tmp_path / "no.nii.gz"), *options, "-o", str(tmp_path / "q")])
    assert done.exit_code == 2
    helped = runner.invoke(app, ["train", "--help"])
    assert all(flag in helped.output for flag in ("--stacks", "--no-attention", "--modality", "--epochs", "--evaluate"))


def test_help_needs_no_heavy_library():
    import subprocess
    import sys

    code = (
        "import sys; import spinetk.discs.commands; "
        "print([m for m in ('torch', 'lightning', 'SimpleITK', 'scipy', 'cv2', 'numpy') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_device_that_is_not_there_is_told_before_the_data_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(InputError, match="device 'cuda': no CUDA GPU can be used here"):
        train(tmp_path / "not prepared", tmp_path / "out", device="cuda")

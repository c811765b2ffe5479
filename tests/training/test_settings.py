"""Settings from keywords and files, what is said to wrong ones, and what a run writes about itself."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from spinetk.errors import InputError
from spinetk.training.launch import Distributed, environment, launch, started
from spinetk.training.record import fingerprint, settings_of, write_run
from spinetk.training.settings import Batch, Settings


@dataclass(frozen=True)
class Recipe:
    epochs: int = 120
    schedule: tuple[int, ...] = (60, 90)
    gamma: float = 0.1


@dataclass(frozen=True)
class Mine(Settings):
    preset: str | Recipe | None = None
    recipe: Recipe = field(default_factory=Recipe)
    size: tuple[int, int] | None = None
    batch: Batch | None = None


def test_what_is_given_wins_over_the_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("iterations = 7\nseed = 3\n[recipe]\nepochs = 9\nschedule = [1, 2]\n")
    found = Mine.of(path, seed=4, recipe={"gamma": 1})
    assert (found.iterations, found.seed, found.check_every) == (7, 4, 100)
    assert found.recipe == Recipe(9, (1, 2), 1.0)
    assert Mine.of(path, recipe=Recipe(2)).recipe == Recipe(2)


@pytest.mark.parametrize("name", ["a.json", "a.yaml", "a.toml"])
def test_three_kinds_of_files(tmp_path, name):
    text = {
        "a.json": '{"seed": 5, "accumulate": 1}', "a.yaml": "seed: 5\naccumulate: 1\n",
        "a.toml": "seed = 5\naccumulate = 1\n",
    }  # fmt: skip
    (tmp_path / name).write_text(text[name])
    assert Mine.of(tmp_path / name) == Mine(seed=5, accumulate=1)


def test_they_come_back_from_a_run(tmp_path):
    settings = Mine(seed=9, preset=Recipe(3), size=(64, 32), workers=2)
    write_run(tmp_path, settings, Distributed(), resume=False, data={"train": {"sha256": "0"}}, cases={"train": ["a"]})
    content = json.loads((tmp_path / "settings.json").read_text())
    assert {"settings", "versions", "machine", "data", "cases"} <= content.keys()
    assert {"spinetk", "python", "torch", "lightning"} <= content["versions"].keys()
    assert Mine.of(tmp_path / "settings.json") == settings
    assert settings_of(tmp_path) is None
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "00000001.ckpt").touch()
    assert Mine.of(settings_of(tmp_path), seed=1) == Mine(seed=1, preset=Recipe(3), size=(64, 32), workers=2)
    with pytest.warns(UserWarning, match="data have changed"):
        write_run(tmp_path, settings, Distributed(), resume=True, data={"train": {"sha256": "1"}})
    other = Mine(seed=9, preset=Recipe(4), size=(64, 32), workers=3, batch=8, iterations=2000)
    with pytest.warns(UserWarning, match=r"goes on with preset.epochs 4 \(was 3\), batch 8 \(was None\)$"):
        write_run(tmp_path, other, Distributed(), resume=True, data={"train": {"sha256": "1"}})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"itertions": 5}, "setting 'itertions' is unknown (did you mean 'iterations'?)"),
        ({"recipe": {"epoch": 5}}, "setting 'recipe.epoch' is unknown (did you mean 'recipe.epochs'?)"),
        ({"qqq": 5}, "setting 'qqq' is unknown (use one of accumulate"),
        ({"iterations": "5"}, "setting 'iterations' is '5' (give a whole number from 1 to 100000000)"),
        ({"iterations": 5.5}, "setting 'iterations' is 5.5 (give a whole number from 1 to 100000000)"),
        ({"iterations": True}, "setting 'iterations' is True (give a whole number from 1 to 100000000)"),
        ({"compile": 1}, "setting 'compile' is 1 (give true or false)"),
        ({"devices": "two"}, "setting 'devices' is 'two' (give a whole number from 1 to 64, or null)"),
        ({"size": [1, 2, 3]}, "setting 'size' is [1, 2, 3] (give a list of 2, each a whole number, or null)"),
        ({"batch": 100_000_000}, "setting 'batch' is 100000000 (give a whole number from 1 to 4096, or null)"),
        ({"workers": 100_000}, "setting 'workers' is 100000 (give a whole number from 0 to 128)"),
        ({"device": "tpu"}, "setting 'device' is 'tpu' (give 'auto' or 'cpu' or 'cuda' or 'gpu')"),
        ({"recipe": {"schedule": ["a"]}}, "setting 'recipe.schedule[0]' is 'a' (give a whole number)"),
    ],
)
def test_a_wrong_name_or_type_is_one_line_that_helps(tmp_path, given, said):
    (tmp_path / "a.json").write_text(json.dumps(given))
    for config, keywords in ((tmp_path / "a.json", {}), (None, given)):
        with pytest.raises(InputError) as caught:
            Mine.of(config, **keywords)
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "text"), [("a.json", "{"), ("a.toml", "x"), ("a.yaml", "a: ["), ("b.json", "[1]")])
def test_a_file_that_is_none(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=name):
        Mine.of(tmp_path / name)
    with pytest.raises(InputError, match="cannot be read"):
        Mine.of(tmp_path / "missing.json")


def test_the_fingerprint_is_of_contents(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("same")
    two.write_text("same")
    first = fingerprint([one], [[1.0, 2.0]])
    assert first == fingerprint([two], [[1.0, 2.0]])
    assert first["bytes"] == 4
    assert first["sha256"] != fingerprint([one], [[1.0, 2.5]])["sha256"]
    two.write_text("sane")
    assert first["sha256"] != fingerprint([two], [[1.0, 2.0]])["sha256"]


# What srun sets for one of eight processes on two machines.
SRUN = {
    "SLURM_STEP_ID": "0", "SLURM_PROCID": "3", "SLURM_NTASKS": "8", "SLURM_NNODES": "2", "SLURM_STEP_NUM_TASKS": "8",
    "SLURM_STEP_NUM_NODES": "2", "SLURM_JOB_NAME": "train",
}  # fmt: skip


@pytest.mark.parametrize(
    "gone",
    [
        ("SLURM_STEP_ID", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS"),  # salloc, sbatch or a notebook, without srun
        ("SLURM_STEP_NUM_TASKS",),
        ("shell",),
        ("pty",),
    ],
)
def test_one_process_of_an_allocation_is_alone(monkeypatch, gone):
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    own = {"shell": {"SLURM_JOB_NAME": "bash"}, "pty": {"SLURM_PTY_PORT": "40000"}}.get(gone[0], {})
    for name, value in ({k: v for k, v in SRUN.items() if k not in gone} | own).items():
        monkeypatch.setenv(name, value)
    assert started() == (None, None)
    assert launch(device="cpu") == Distributed()
    assert [type(e).__name__ for e in environment()] == ["LightningEnvironment"]


def test_who_started_us(monkeypatch):
    for name in ("TORCHELASTIC_RUN_ID", "SLURM_NTASKS_PER_NODE", *SRUN):
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    assert started() == (None, None)
    assert environment() == []
    for name, value in SRUN.items():
        monkeypatch.setenv(name, value)
    assert started() == (4, 2)
    assert [type(e).__name__ for e in environment()] == ["SLURMEnvironment"]
    for name, value in {"TORCHELASTIC_RUN_ID": "x", "WORLD_SIZE": "6", "LOCAL_WORLD_SIZE": "3"}.items():
        monkeypatch.setenv(name, value)
    assert started() == (3, 2)

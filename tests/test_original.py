"""The original's modules under their own names, after one line."""

from __future__ import annotations

import importlib.util
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import spinetk

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("split", "visualize", "train", "inference", "setup_catalogs", "detectron2.data", "detectron2.utils.logger")

CELL = """
from detectron2.utils.logger import setup_logger
from detectron2.data import MetadataCatalog, DatasetCatalog

import sys
from split import make_split
from visualize import visualize_sample
import train
from inference import inference, eval_img
import setup_catalogs

setup_logger()
"""


@pytest.fixture
def modules(monkeypatch):
    """Nothing of the original is imported, before and after."""
    for name in (*NAMES, "spinetk.original"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield sys.modules
    for name in (*NAMES, "spinetk.original"):
        sys.modules.pop(name, None)


def test_the_first_cell_of_the_readme_runs_after_one_line(modules):
    names: dict[str, object] = {}
    exec("import spinetk.original\n" + CELL, names)
    for name in ("make_split", "visualize_sample", "inference", "eval_img"):
        assert names[name] is getattr(spinetk, name)
    if importlib.util.find_spec("detectron2") is None:
        assert names["DatasetCatalog"] is spinetk.DatasetCatalog
        assert names["MetadataCatalog"] is spinetk.MetadataCatalog
    import train

    assert train.train is spinetk.train
    with pytest.raises(AttributeError, match="'train' of the original SpineTK has no 'Trainer'"):
        train.Trainer  # noqa: B018


def test_modules_are_called_as_the_readme_calls_them(modules, monkeypatch):
    exec("import spinetk.original", {})
    import setup_catalogs
    import train

    called = []
    monkeypatch.setattr(spinetk, "train", lambda *given: called.append(given), raising=False)
    monkeypatch.setattr(spinetk, "setup_catalogs", lambda *given, **more: called.append((given, more)), raising=False)
    train("v1", 1300, True)
    setup_catalogs("v1", 1, 2, 3, kpnames=["a"])
    assert called == [("v1", 1300, True), (("v1", 1, 2, 3), {"kpnames": ["a"]})]


def test_absence_of_detectron2_stays_plain(modules):
    if importlib.util.find_spec("detectron2") is not None:
        pytest.skip("Detectron2 is installed")
    exec("import spinetk.original", {})
    assert importlib.util.find_spec("detectron2") is None
    with pytest.raises(ModuleNotFoundError, match="detectron2"):
        import detectron2  # noqa: F401


def test_a_bare_import_in_the_folder_of_run_py_names_the_line():
    done = subprocess.run(
        [sys.executable, "-c", CELL[CELL.index("from split") :]], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "write `import spinetk.original` as the first line" in done.stderr.splitlines()[-1]


def test_a_script_runs_as_it_stands(tmp_path):
    script = tmp_path / "old.py"
    script.write_text(
        "import sys\nfrom split import make_split\nprint(sys.argv[1:], make_split.__module__, __name__)\n"
    )
    command = [sys.executable, "-m", "spinetk.original", str(script), "a", "b"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['a', 'b'] spinetk.cases.splitting __main__"


def test_a_script_that_is_not_there_is_one_line(modules, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "argv", ["spinetk.original", str(tmp_path / "old.py")])
    with pytest.raises(SystemExit) as stop:
        runpy.run_module("spinetk.original", run_name="__main__")
    assert stop.value.code == 2
    said, usage = capsys.readouterr().err.splitlines()
    assert said == f"{tmp_path / 'old.py'}: no such file"
    assert usage.startswith("usage: ")

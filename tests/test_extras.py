import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from spinetk.extras import EXTRAS, missing

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
READING = ("torch", "torchvision", *(name for names in EXTRAS.values() for name in names))


@pytest.fixture(scope="module")
def known():
    """Packages by the libraries they bring: hundreds of files are read for it."""
    return packages_distributions()


def wanted(requirements):
    return {Requirement(text).name.lower().replace("_", "-") for text in requirements}


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_brings_the_libraries_that_are_said_to_be_its(extra, known):
    brought = wanted(PROJECT["optional-dependencies"][extra])
    for library in EXTRAS[extra]:
        names = {name.lower().replace("_", "-") for name in known.get(library, [])}
        assert not names or names & (brought | {"dask"}), library


def test_a_library_that_belongs_to_an_extra_is_told_by_its_line():
    error = missing(ModuleNotFoundError("No module named 'torch'", name="torch.nn"))
    assert str(error) == "torch: is not installed, and this needs it (pip install 'spinetk[train]')"
    assert missing(ModuleNotFoundError("No module named 'abc_def'", name="abc_def")) is None


CODE = """
import sys
for name in {blocked!r}:
    sys.modules[name] = None
sys.argv = ["spinetk", *sys.argv[1:]]
from spinetk.cli import main
main()
"""


def run(*arguments):
    code = CODE.format(blocked=READING)
    return subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, cwd=ROOT)


def test_reading_needs_nothing_but_the_reader(tmp_path):
    """With every library of every extra made unimportable: a picture to overlay and table, its description, a report;
    and a verb that trains says which line installs what it needs."""
    film = next((ROOT / "data" / "phantoms").glob("*/src/0/src-0.png"))
    out = tmp_path / "results"
    done = run("predict", film, "--view", "lateral", "-o", out)
    assert done.returncode == 0, done.stderr
    assert {"src-0.json", "src-0.png", "vertebrae.csv", "run.json"} <= {path.name for path in out.iterdir()}
    for arguments in (("info", film), ("measure", out), ("report", out, "-o", tmp_path / "report"), ("models",)):
        done = run(*arguments)
        assert done.returncode == 0, done.stderr
    done = run("train", tmp_path)
    assert done.returncode == 2
    assert "pip install 'spinetk[train]'" in done.stderr

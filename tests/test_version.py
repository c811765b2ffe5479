"""The version is said once, and what cannot read it there agrees."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import spinetk
from spinetk._version import __version__

ROOT = Path(__file__).resolve().parent.parent


def test_the_package_and_its_metadata_take_it_from_one_file():
    assert spinetk.__version__ == __version__
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "spinetk._version.__version__"}


def test_changelog_and_citation_name_the_last_release():
    released = re.findall(r"^## (\d+\.\d+\.\d+)\b", (ROOT / "CHANGELOG.md").read_text(), flags=re.M)[0]
    assert f"version: {released}\n" in (ROOT / "CITATION.cff").read_text()
    assert __version__ == released or __version__.endswith(".dev0")


def test_nothing_heavy_hangs_on_it():
    code = "import sys, spinetk._version; print(sorted({'numpy', 'torch', 'pydicom', 'typer'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

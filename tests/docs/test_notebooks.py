"""What every notebook has in common; that they run is nbmake's part (``.ci/run``)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

HOME = Path(__file__).parents[2]
NOTEBOOKS = sorted((HOME / "notebooks").glob("*.ipynb"))


def cells(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def text(cell: dict) -> str:
    return "".join(cell["source"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_form(path):
    title, setup, *rest = cells(path)
    assert "colab-badge.svg" in text(title)
    assert "# " in text(title)
    assert "not a medical device" in text(title)
    assert "or your own" in text(title), "says what to change for real data"
    assert setup["cell_type"] == "code"
    for part in ("COLAB_RELEASE_TAG", "git", "./install.sh", "drive.mount", "cuda"):
        assert part in text(setup)
    assert rest
    for cell in cells(path):
        assert not cell.get("outputs"), "outputs are not stored"
        assert cell.get("execution_count") is None


def test_one_set_up():
    assert len({text(cells(path)[1]) for path in NOTEBOOKS}) == 1


def test_set_up_is_harmless_elsewhere(monkeypatch, tmp_path):
    """Off Colab it runs no command and stays in its folder."""
    import os
    import subprocess

    monkeypatch.delenv("COLAB_RELEASE_TAG", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("ran a command"))
    exec(compile(text(cells(NOTEBOOKS[0])[1]), "setup", "exec"), {})
    assert Path.cwd() == tmp_path
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_links_between_notebooks_lead_somewhere(path):
    for cell in cells(path):
        if cell["cell_type"] == "markdown":
            for target in re.findall(r"\]\(([^)#:]+)\)", text(cell)):
                assert (path.parent / target).exists(), target

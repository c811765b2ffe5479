"""The Python blocks of the pages run as they stand, and their links and pictures are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [DOCS / "get-started.md", *sorted((DOCS / "how-to").glob("*.md")), *sorted((DOCS / "explanation").glob("*.md"))]

NOT_RUN = {"detectron2"}  # wants a package that is on no index


ELSEWHERE = {"from_the_originals"}  # run whole, with data, by test_docs_from_the_originals.py


@pytest.mark.parametrize("page", [p for p in PAGES if p.stem not in ELSEWHERE], ids=lambda page: page.stem)
def test_blocks_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, page.name, "exec"), names)
    # A block of another spelling would never be run.
    other = re.search(r"^ *```(py|py3|python3|pycon|ipython)\b", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert page.stem in NOT_RUN or not other


ROOT = DOCS.parent
LINKED = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", DOCS / "README.md", *PAGES]


@pytest.mark.parametrize("page", LINKED, ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_links_lead_somewhere(page):
    """To a file that is there, and to a heading of it."""
    for target, heading in re.findall(r"\]\(([^)#:\s]*)(?:#([^)\s]*))?\)", page.read_text(encoding="utf-8")):
        file = page.parent / target if target else page
        assert file.exists(), target
        assert not heading or heading in headings(file), f"{target}#{heading}"


def headings(page: Path) -> set[str]:
    """Anchors as GitHub makes them: small letters, punctuation left out, a hyphen for each space."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return {
        re.sub(r"[^\w\- ]", "", line.strip().lower()).replace(" ", "-")
        for line in re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    }

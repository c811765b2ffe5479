"""The reference pages are those that the docstrings make; figures and citation are whole."""

from __future__ import annotations

import ast
import runpy
from pathlib import Path
from xml.etree import ElementTree

import pytest

HOME = Path(__file__).parents[2]
MAKER = runpy.run_path(str(HOME / "docs" / "reference" / "make.py"))


def test_pages_are_in_step():
    wanted = MAKER["pages"]()
    folder = HOME / "docs" / "reference"
    behind = [name for name, text in wanted.items() if (folder / name).read_text(encoding="utf-8") != text]
    assert not behind, "run python docs/reference/make.py"
    assert {path.name for path in folder.glob("*.md")} == set(wanted)


def test_docstring_to_markdown():
    source = '''
def turn(angle_deg: float, *, about=(0, 0)) -> None:
    """Turn by :func:`spinetk.x`.

    Args:
        angle_deg: In degrees,
            clockwise.
        about: ``(x, y)``.

    Returns:
        Nothing: it is done.

    Raises:
        InputError: No angle.
    """
'''
    (node,) = ast.parse(source).body
    assert MAKER["entry"](node) == (
        "### `turn(angle_deg: float, *, about=(0, 0)) -> None`\n\n"
        "Turn by `spinetk.x`.\n\n"
        "**Args**\n\n- `angle_deg`: In degrees,\n  clockwise.\n- `about`: `(x, y)`.\n\n"
        "**Returns**\n\nNothing: it is done.\n\n"
        "**Raises**\n\n- `InputError`: No angle."
    )


@pytest.mark.parametrize("figure", sorted((HOME / "docs" / "pictures").glob("*.svg")), ids=lambda path: path.stem)
def test_every_figure_has_a_maker_and_a_page(figure):
    ElementTree.parse(figure)
    makers = (HOME / "docs" / "pictures").glob("draw_*.py")
    assert any(f"def {figure.stem}(" in maker.read_text(encoding="utf-8") for maker in makers)
    pages = (HOME / "docs" / "explanation").glob("*.md")
    assert any(f"pictures/{figure.name}" in page.read_text(encoding="utf-8") for page in pages)


def test_citation():
    yaml = pytest.importorskip("yaml")
    content = yaml.safe_load((HOME / "CITATION.cff").read_text(encoding="utf-8"))
    assert content["cff-version"] == "1.2.0"
    for entry in (content, *content["references"]):
        assert entry["title"]
        assert entry["authors"]
    assert all(1970 < entry["year"] < 2030 for entry in content["references"])


def test_exit_codes_and_messages_are_those_of_the_code():
    from spinetk.exits import MEANING, ExitCode

    page = MAKER["exit_codes"]()
    assert set(MEANING) == set(ExitCode)
    assert all(f"| {code.value} | {MEANING[code]} |" in page for code in ExitCode)
    source = """
def read(path):
    fault = f"has {len(path)} parts"
    raise InputError(path, fault + " too many", "give fewer")
"""
    assert list(MAKER["messages"](ast.parse(source))) == [("has … parts too many", "give fewer")]


def test_every_refusal_says_what_to_do():
    """Those whose remedy stands in the code; tests of the rooms look at the others as they come up."""
    trees = {path: MAKER["parsed"](path) for path in (HOME / "spinetk").rglob("*.py")}  # read before for the pages
    silent = [(path.name, fault) for path, tree in trees.items() for fault, do in MAKER["messages"](tree) if not do]
    assert not silent

"""Damaged files of every format: items or one line, never another error. ``fuzz_formats.py`` does it 10,000 times."""

from __future__ import annotations

import pytest
from fuzz_formats import fuzz

from spinetk.formats.registry import readable

COUNT = {"sr": 20}  # a quarter of a second each


@pytest.mark.parametrize("name", list(readable()))
def test_damaged_files_end_in_one_line(name):
    if name == "sr":
        pytest.importorskip("highdicom")
    outcomes, faults = fuzz(name, COUNT.get(name, 200))
    assert faults == []
    assert outcomes["errors"]
    assert outcomes["items"]

"""Likeness against numpy's correlation of what a Gaussian leaves, and export of cases with copies."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from spinetk.cases import likeness
from spinetk.cases.augmentation import augment
from spinetk.cases.exporting import export
from spinetk.cases.likeness import ALIKE, COARSE, alike, print_of


def test_what_many_pictures_have_in_common_does_not_count():
    """Two films with one bright middle and other bodies are unlike; one film, brighter, is like itself."""
    random = np.random.default_rng(3)
    y, x = np.mgrid[:32, :32]
    middle = 120 * np.exp(-((x - 15.5) ** 2 + (y - 15.5) ** 2) / 120)
    one, other = (middle + 40 + random.normal(0, 6, (32, 32)) for _ in range(2))
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > ALIKE  # as they are
    fine = [own - gaussian_filter(own, COARSE, mode="mirror") for own in (one, other)]
    expected = np.corrcoef(*map(np.ravel, fine))[0, 1]
    prints = [print_of(own.astype(np.float32)) for own in (one, other, 1.5 * one - 20)]
    assert float(prints[0] @ prints[1]) == pytest.approx(expected, abs=0.05)
    assert expected < 0.6
    assert list(alike(prints, ALIKE)) == [(0, 2)]


def test_pairs_are_named_once_however_many_are_compared_at_a_time(monkeypatch):
    prints = [np.eye(3, dtype=np.float32)[k] for k in (0, 1, 0, 2, 0)]
    for rows in (1, 2, 1000):
        monkeypatch.setattr(likeness, "ROWS", rows)
        assert sorted(alike(prints, ALIKE)) == [(0, 2), (0, 4), (2, 4)]


def test_an_export_holds_the_sources_alone(tmp_path, make_case):
    for case in "ab":
        make_case(tmp_path, case)
    augment(tmp_path, copies=1, progress=False)
    assert export(tmp_path, tmp_path / "set.json") == 2
    images = json.loads((tmp_path / "set.json").read_text())["images"]
    assert [image["file_name"] for image in images] == ["a/src/0/src-0.png", "b/src/0/src-0.png"]

"""A bounded run of the fuzz; ``fuzz_images.py`` is the long one. SPINETK_FUZZ_CASES makes this one longer."""

from __future__ import annotations

import os
import random

import pytest
from fuzz_images import check, mutate, run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image_seeds import seeds

CASES = int(os.environ.get("SPINETK_FUZZ_CASES", "300"))
SEEDS = seeds()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(st.randoms(use_true_random=False), st.sampled_from(sorted(SEEDS)))
def test_damaged_files_give_a_picture_or_one_line(folder, rng, name):
    _, data = mutate(rng, {name: SEEDS[name], "splice": SEEDS["explicit.dcm"]} if name != "explicit.dcm" else SEEDS)
    path = folder / name
    path.write_bytes(data)
    assert check(path) in ("read", "refused")


@settings(max_examples=CASES // 3, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(st.binary(max_size=2000), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"NRRD0004\n"]))
def test_arbitrary_bytes_are_refused_or_read(folder, data, start):
    path = folder / "arbitrary"
    path.write_bytes(start + data)
    assert check(path) in ("read", "refused")


def test_cases_repeat():
    assert mutate(random.Random(7), SEEDS) == mutate(random.Random(7), SEEDS)


def test_long_run_counts(tmp_path):
    counts = run(0, 40, tmp_path / "log")
    assert counts["read"] + counts["refused"] == 40
    assert counts["read"] > 5

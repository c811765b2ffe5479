"""The pool of many inputs: as many processes as there are cores to have."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest
from toywork import make, read

from spinetk.batch import cores as module
from spinetk.batch.cores import MANY, Cores, cores
from spinetk.batch.run import run_batch


@pytest.mark.parametrize(("inputs", "free", "processes"), [(MANY - 1, 2, 1), (MANY, 2, 2), (MANY + 5, 1, 1)])
def test_many_inputs_are_done_by_a_process_a_core_and_few_in_this_one(tmp_path, monkeypatch, inputs, free, processes):
    monkeypatch.setattr(module, "cores", lambda: free)
    diary = tmp_path / "diary"
    files = []
    for number in range(inputs):
        files.append(str(tmp_path / f"{number}.txt"))
        Path(files[-1]).write_text("bad" if number == 3 else "slow" * number)
    with Cores() as pool:
        done = run_batch(files, tmp_path / "out", partial(make, str(diary)), {}, pool=pool, progress=False)
    pids = set(Path(f"{diary}.made").read_text().split())
    assert len(pids) == processes
    assert (str(os.getpid()) in pids) == (processes == 1)
    # In order, all of them, whoever did them; the one that cannot be done cost itself alone.
    assert [source for source, _ in done.own()] == files
    assert [entry.state for _, entry in done.own()] == ["failed" if k == 3 else "done" for k in range(inputs)]
    assert len(read(tmp_path / "out")) == inputs - 1


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "150000 100000\n"}, 2),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "max 100000\n"}, 8),
        ({"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 3),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 8),
        ({}, 8),
        ({"cpu.max": "6400000 100000\n"}, 8),
    ],
)
def test_a_container_is_not_given_more_processes_than_its_share(tmp_path, monkeypatch, files, expected):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(module, "CGROUP", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert cores() == expected

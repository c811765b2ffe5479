"""Batches on a Dask cluster of two worker processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from toywork import make, read

from spinetk.batch import cluster as clusters
from spinetk.batch.cluster import Cluster
from spinetk.batch.opening import open_pool
from spinetk.batch.run import run_batch
from spinetk.errors import InputError

distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes of one thread."""
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None, "silence_logs": 50}
    # A worker that is killed and takes longer than this to begin anew (15 s, on a busy machine) is given up for good.
    with dask.config.set({"distributed.deploy.lost-worker-timeout": "1h"}):
        running = distributed.LocalCluster(**options)
        yield running
        with suppress(TimeoutError):  # as one waits, version 2025.1 sometimes waits for a lost worker for ever
            running.close(timeout=30)


@pytest.fixture
def files(tmp_path):
    """Twelve texts."""
    paths = []
    for number in range(12):
        paths.append(str(tmp_path / f"{number}.txt"))
        Path(paths[-1]).write_text("slow" * number)
    return paths


def run(files, out, pool):
    return run_batch(files, out, partial(make), {}, pool=pool, progress=False)


def test_a_cluster_gives_what_one_process_does(cluster, files, tmp_path):
    with open_pool(scheduler=cluster.scheduler_address) as pool:
        outcome = run(files, tmp_path / "many", pool)
        assert [Path(source).name for source, _ in outcome.own()] == [Path(file).name for file in files]
        assert run(files, tmp_path / "many", pool).skipped == 12
    run(files, tmp_path / "one", None)
    assert read(tmp_path / "many") == read(tmp_path / "one")
    assert len(read(tmp_path / "many")) == 12


def test_inputs_of_a_lost_worker_go_to_others(cluster, files, tmp_path):
    Path(files[3]).write_text("kill once")
    with open_pool(scheduler=cluster.scheduler_address) as pool:
        outcome = run(files, tmp_path / "out", pool)
    assert {entry.state for _, entry in outcome.own()} == {"done"}
    assert len(read(tmp_path / "out")) == 12


def test_one_that_stops_its_workers_costs_none_of_its_chunk(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster.scheduler, "allowed_failures", 0)
    monkeypatch.setattr(clusters._Pace, "note", lambda self, seconds: setattr(self, "count", 4))
    texts = {str(tmp_path / f"{number:02}.txt"): "kill always" if number == 9 else "x" * number for number in range(16)}
    for file, text in texts.items():
        Path(file).write_text(text)
    with open_pool(scheduler=cluster.scheduler_address) as pool:
        outcome = run(list(texts), tmp_path / "out", pool)
    assert [entry.state for _, entry in outcome.own()] == ["error" if "kill" in t else "done" for t in texts.values()]
    assert "stopped each worker that tried it" in outcome.failures()[0]
    assert len(read(tmp_path / "out")) == 15


def test_chunks_take_about_half_a_second():
    pace = clusters._Pace()
    found = [pace.count]
    for seconds in (6.0, 0.1, 0.1, 0.001, 0.001, 0.4):
        pace.note(seconds)
        found.append(pace.count)
    # A slow first one, which loads the model, is forgotten at once; what became slow again is believed by half.
    assert found == [1, 1, 5, 5, 64, 64, 2]


def test_a_scheduler_that_dies_just_before_an_answer_is_fetched(cluster, files, tmp_path, monkeypatch):
    def forgotten(*_):
        raise distributed.client.FutureCancelledError("a task", "scheduler-connection-lost")

    monkeypatch.setattr(Cluster, "_outcomes", forgotten)
    with (
        open_pool(scheduler=cluster.scheduler_address) as pool,
        pytest.raises(InputError, match=r"is gone .*run the same"),
    ):
        run(files, tmp_path / "out", pool)


def test_a_scheduler_that_dies_is_one_line_and_the_next_run_goes_on(files, tmp_path):
    place = str(tmp_path / "scheduler.json")
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", place]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    scheduler = subprocess.Popen([*command, *options], **quiet)
    command = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", place]
    worker = subprocess.Popen([*command, "--nthreads", "1", "--no-nanny", "--no-dashboard"], **quiet)
    try:
        pool = Cluster(distributed.Client(scheduler_file=place, timeout=120, set_as_default=False))

        def killing():
            for number, file in enumerate(files):
                if number == 6:
                    os.kill(scheduler.pid, signal.SIGKILL)
                yield file

        with pytest.raises(InputError, match="run the same"), pool:
            run(killing(), tmp_path / "out", pool)
    finally:
        for process in (worker, scheduler):
            process.kill()
            process.wait()
    outcome = run(files, tmp_path / "out", None)
    assert outcome.skipped >= 1
    assert len(read(tmp_path / "out")) == 12

"""Batches: nothing done is lost or done twice, whatever happens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from toywork import make, read

from spinetk.batch.journal import Journal
from spinetk.batch.opening import open_pool
from spinetk.batch.options import PoolOptions
from spinetk.batch.pools import Here, Processes
from spinetk.batch.run import run_batch
from spinetk.batch.sources import sources
from spinetk.batch.task import Outcome, signature
from spinetk.errors import InputError
from spinetk.locking import Lock


@pytest.fixture
def texts(tmp_path):
    """Writes texts, gives their paths."""

    def write(*contents, folder="in"):
        where = tmp_path / folder
        where.mkdir(exist_ok=True)
        paths = []
        for number, text in enumerate(contents):
            paths.append(str(where / f"{number}.txt"))
            Path(paths[-1]).write_text(text)
        return paths

    return write


def run(inputs, out, diary="", settings=None, **options):
    return run_batch(inputs, out, partial(make, diary), settings or {"version": 1}, progress=False, **options)


def done(diary):
    return [Path(line).name for line in Path(diary).read_text().splitlines()] if Path(diary).exists() else []


def test_what_is_done_is_not_done_again(texts, tmp_path):
    diary, out = str(tmp_path / "diary"), tmp_path / "out"
    files = texts("a", "bb", "bad", "cccc")
    first = run(files, out, diary)
    assert [entry.state for _, entry in first.own()] == ["done", "done", "failed", "done"]
    assert first.failures() == [f"{files[2]}: is bad (give a good one)"]
    before = {path.name: path.read_bytes() for path in out.glob("*.json")}
    again = run(files, out, diary)
    assert again.skipped == 3
    # What failed is tried again: it may have been mended.
    assert done(diary) == ["0.txt", "1.txt", "2.txt", "3.txt", "2.txt"]
    assert before == {path.name: path.read_bytes() for path in out.glob("*.json")}


def test_other_settings_other_content_or_a_lost_result_are_done(texts, tmp_path):
    diary, out = str(tmp_path / "diary"), tmp_path / "out"
    files = texts("a", "bb", "ccc")
    run(files, out, diary)
    Path(files[0]).write_text("longer")
    (out / "1.json").unlink()
    Path(files[2]).touch()
    run(files, out, diary)
    assert done(diary)[3:] == ["0.txt", "1.txt"]
    assert read(out)["0"]["length"] == 6
    run(files, out, diary, settings={"version": 2})
    assert len(done(diary)) == 8


def test_inputs_of_one_name_never_share_a_result(texts, tmp_path):
    out = tmp_path / "out"
    first, second = texts("a", folder="x"), texts("bb", folder="y")
    run(first, out)
    run(second, out)
    results = read(out)
    assert sorted(content["length"] for content in results.values()) == [1, 2]
    assert results["0"]["file"] == first[0]
    run([*second, *first], out)
    assert read(out) == results
    unbroken = tmp_path / "at once"
    run([*first, *second], unbroken)
    assert read(unbroken) == results


def test_a_result_of_before_there_were_journals_is_not_overwritten(texts, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "0.json").write_text(json.dumps({"file": "/another/0.txt"}))
    run(texts("a"), out)
    results = read(out)
    assert results["0"] == {"file": "/another/0.txt"}
    assert len(results) == 2


def test_reserved_names_are_given_to_none(tmp_path):
    (tmp_path / "run.txt").write_text("a")
    run([str(tmp_path / "run.txt")], tmp_path / "out")
    assert "run" not in read(tmp_path / "out")


def test_an_unexpected_exception_costs_its_input_alone(texts, tmp_path):
    outcome = run(texts("a", "bug", "ccc"), tmp_path / "out")
    assert [entry.state for _, entry in outcome.own()] == ["done", "error", "done"]
    assert outcome.has_errors()
    assert "internal error, please report it: ZeroDivisionError: planted" in outcome.failures()[0]


def test_a_file_that_vanishes_is_a_line(texts, tmp_path):
    files = texts("a", "bb")
    os.remove(files[1])
    outcome = run(files, tmp_path / "out")
    assert outcome.failures() == [f"{files[1]}: does not exist (check the path)"]


def test_a_full_disk_ends_the_run_and_says_what_to_do(texts, tmp_path):
    out = tmp_path / "out"
    files = texts("a", "full", "ccc")
    with pytest.raises(InputError) as caught:
        run(files, out)
    assert (
        str(caught.value) == f"{out}: cannot be written (No space left on device) (make room, then run the same again)"
    )
    Path(files[1]).write_text("room")
    assert run(files, out).skipped == 1
    assert sorted(read(out)) == ["0", "1", "2"]


def test_two_runs_on_one_folder_refuse_each_other(texts, tmp_path):
    with Lock(tmp_path / "out"), pytest.raises(InputError, match="another run writes to this folder"):
        run(texts("a"), tmp_path / "out")


def test_what_an_interruption_leaves_is_made_into_tables(texts, tmp_path):
    seen = []

    def interrupted():
        yield from texts("a", "bb")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(interrupted(), tmp_path / "out", finish=lambda run: seen.extend(run.own()))
    assert len(seen) == 2


@pytest.mark.parametrize("cut", [2, 20, 60])
def test_a_journal_cut_off_by_a_kill_loses_its_last_line_only(texts, tmp_path, cut):
    diary, out = str(tmp_path / "diary"), tmp_path / "out"
    files = texts("a", "bb", "ccc")
    run(files, out, diary)
    journal = out / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-cut])
    run(files, out, diary)
    assert done(diary)[3:] == ["2.txt"]
    assert run(files, out, diary).skipped == 3


def test_what_killed_workers_left_half_written_is_gone_at_the_end(texts, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".tmp-abc.json").write_text("{")
    run(texts("a"), tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").glob("*.json")} == {"0.json"}


def test_names_that_are_no_utf8_are_kept(tmp_path):
    name = os.fsencode(tmp_path) + b"/\xff.txt"
    try:
        with open(name, "wb") as stream:
            stream.write(b"a")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    journal = Journal(tmp_path)
    journal.add(os.fsdecode(name), "x", Outcome("done"), "r")
    journal.close()
    assert os.fsdecode(name) in Journal(tmp_path).entries


def test_processes_give_what_one_does_and_load_once_each(texts, tmp_path):
    diary = str(tmp_path / "diary")
    files = texts(*(f"slow {k}" * k for k in range(1, 13)))
    run(files, tmp_path / "one")
    with Processes(2) as pool:
        run(files, tmp_path / "two", diary, pool=pool)
    assert read(tmp_path / "one") == read(tmp_path / "two")
    assert len(set(Path(f"{diary}.made").read_text().split())) == 2
    assert len(done(diary)) == 12


def test_a_killed_process_loses_nothing_and_a_killer_is_given_up(texts, tmp_path):
    files = texts("a", "kill once", "ccc", "kill always", "eeeee")
    with Processes(2) as pool:
        outcome = run(files, tmp_path / "out", pool=pool)
    assert [entry.state for _, entry in outcome.own()] == ["done", "done", "done", "error", "done"]
    assert "stopped its process 3 times" in outcome.failures()[0]


LIMIT_S = 120  # a busy machine
SCRIPT = """
import sys; sys.path.insert(0, {here!r})
from functools import partial
from pathlib import Path
from spinetk.batch.opening import open_pool
from spinetk.batch.run import run_batch
from toywork import make
if __name__ == "__main__":
    with open_pool(int(sys.argv[1])) as pool:
        files = sorted(map(str, Path({inputs!r}).glob("*.txt")))
        run_batch(files, {out!r}, partial(make), {{}}, pool=pool, progress=False)
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_and_started_again_it_leaves_what_an_unbroken_run_leaves(texts, tmp_path, workers):
    # What comes later is held, so that the kill meets it however late it comes.
    early = sorted(map(str, range(20)))[:8]  # the order of their names
    texts(*(f"{'slow' if str(k) in early else 'held'} {k}" for k in range(20)))
    out, script = tmp_path / "out", tmp_path / "script.py"
    script.write_text(SCRIPT.format(here=str(Path(__file__).parent), inputs=str(tmp_path / "in"), out=str(out)))
    command = [sys.executable, str(script), str(workers)]
    process = subprocess.Popen(command)
    made = "[0-9]*.json"  # not what is being written
    while len(list(out.glob(made))) < 5:
        assert process.poll() is None
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert len(list(out.glob(made))) < 20
    (tmp_path / "in" / "go").touch()
    end = time.monotonic() + LIMIT_S
    # Processes of the killed one end by themselves, and with them its hold on the folder.
    while subprocess.run(command, check=False, capture_output=True).returncode:
        assert time.monotonic() < end, "the folder is held for ever"
    run(sorted(map(str, (tmp_path / "in").glob("*.txt"))), tmp_path / "whole", settings={"v": 1})
    assert read(out) == read(tmp_path / "whole")
    lines = [json.loads(line) for line in (out / "journal.jsonl").read_text().splitlines()]
    names = [line["input"] for line in lines if line.get("state") == "done"]
    assert len(names) == len(set(names)) == 20


def expand(paths):
    for path in paths:
        yield from sorted(path.rglob("*.txt")) if path.is_dir() else [path]


def test_inputs_come_from_folders_patterns_lists_and_the_pipe(texts, tmp_path, monkeypatch):
    files = texts("a", "bb", "ccc")
    listed = tmp_path / "list"
    listed.write_text(f"# a comment\n\n{files[2]}\r\n{tmp_path / 'in'}\n")
    assert list(sources([tmp_path / "in"], expand=expand)) == files
    assert list(sources([str(tmp_path / "in" / "[01].txt")], expand=expand)) == files[:2]
    assert list(sources([], [listed], expand=expand)) == [files[2], *files]
    with open(listed) as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert list(sources([], ["-"], expand=expand)) == [files[2], *files]
    with pytest.raises(InputError, match="fits no file"):
        list(sources([str(tmp_path / "*.dcm")], expand=expand))
    with pytest.raises(InputError, match="cannot be read as a list"):
        list(sources([], [tmp_path / "absent"], expand=expand))


def test_an_input_named_twice_is_done_once(texts, tmp_path, monkeypatch):
    (file,) = texts("a")
    monkeypatch.chdir(tmp_path)
    outcome = run([file, "in/0.txt", file], tmp_path / "out")
    assert outcome.sources == [file]


def test_inputs_that_end_in_an_error_are_done_up_to_there(texts, tmp_path):
    files = texts("a")

    def broken():
        yield from files
        raise InputError("an archive", "does not answer", "ask again")

    with pytest.raises(InputError, match="does not answer"):
        run(broken(), tmp_path / "out")
    assert list(read(tmp_path / "out")) == ["0"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"workers": 0}, "not a number of processes"),
        ({"scheduler": "tcp://127.0.0.1:1", "workers": 2}, "has its workers already"),
        ({"scheduler": "tcp://127.0.0.1:1"}, "does not answer"),
        ({"batch_system": "slurm", "job": ["memory"]}, "NAME=VALUE"),
        ({"batch_system": "slurm", "job": ["memory=lots"]}, "cannot be used"),
    ],
)
def test_pools_that_cannot_be_had_are_one_line(options, said, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr("distributed.Client", refuse) if "scheduler" in options else None
    with pytest.raises(InputError, match=said):
        open_pool(**options)


def refuse(*_, **__):
    raise OSError("nobody there")


def test_options_of_pools_that_do_not_go_together_are_refused():
    with pytest.raises(InputError, match="exclude each other"):
        PoolOptions(slurm=True, pbs=True).pool()
    for options in ({}, {"workers": 2}, {"scheduler": "tcp://127.0.0.1:1"}):
        with pytest.raises(InputError, match="is for --slurm and --pbs"):
            PoolOptions(job=["memory=16GB"], **options).pool()
    assert isinstance(PoolOptions().pool(), Here)
    pool = PoolOptions(workers=2).pool()
    assert isinstance(pool, Processes)
    pool.close()
    asked = [
        PoolOptions(**own).pooled for own in ({}, {"workers": 1}, {"scheduler": "x"}, {"slurm": True}, {"pbs": True})
    ]
    assert asked == [False, True, True, True, True]
    assert PoolOptions(job=["a=b"]).pooled


def test_a_picture_of_the_name_of_another_is_no_result_though_results_lie_beside_it(tmp_path):
    """Results go into the folder of the pictures: of a.txt and a.dat both are done, in the first run and the next."""
    for name, text in (("a.dat", "one"), ("a.txt", "three")):
        (tmp_path / name).write_text(text)
    files = [str(tmp_path / name) for name in ("a.dat", "a.txt")]
    for skipped in (0, 2):
        found = run(files, tmp_path)
        assert ([entry.state for _, entry in found.own()], found.skipped) == (["done"] * 2, skipped)
    assert sorted(json.loads(path.read_text())["length"] for path in tmp_path.glob("a*.json")) == [3, 5]


def test_a_failure_names_its_input_once_whatever_is_at_fault(texts, tmp_path):
    def fail(path, *_):
        if path.stem == "0":
            raise InputError("anchor 'L5=first'", "puts vertebrae below S1", "the picture has 7 vertebrae")
        raise InputError(path, "is damaged", "copy it again")

    files = texts("a", "bb")
    ran = run_batch(files, tmp_path / "out", lambda: fail, {"version": 1}, progress=False)
    assert ran.failures() == [
        f"{files[0]}: anchor 'L5=first': puts vertebrae below S1 (the picture has 7 vertebrae)",
        f"{files[1]}: is damaged (copy it again)",
    ]


def test_a_folder_is_another_input_once_a_file_of_it_is_another(tmp_path):
    """A series: of a folder what counts is names, sizes and times of its files."""
    (tmp_path / "series").mkdir()
    (tmp_path / "series" / "1.dcm").write_bytes(b"one")
    seen = [signature(tmp_path / "series")]
    seen.append(signature(tmp_path / "series"))
    (tmp_path / "series" / "2.dcm").write_bytes(b"two")
    seen.append(signature(tmp_path / "series"))
    (tmp_path / "series" / "2.dcm").write_bytes(b"three")
    seen.append(signature(tmp_path / "series"))
    assert seen[0] == seen[1]
    assert len(set(seen)) == 3

"""Journal: what is written of every input, by hand-worked lines, and what a run tells of it."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from functools import partial
from pathlib import Path

import pytest
from toywork import make

from spinetk.batch.journal import Journal
from spinetk.batch.run import Names, Run, fingerprint, run_batch
from spinetk.batch.task import Outcome, Task, perform, signature
from spinetk.errors import InputError


def run(inputs, out, settings=None, diary="", **options):
    return run_batch(inputs, out, partial(make, diary), settings or {"version": 1}, progress=False, **options)


def written(tmp_path, **contents):
    """Paths of text files by name."""
    paths = []
    for name, text in contents.items():
        path = tmp_path / f"{name}.txt"
        path.write_text(text)
        paths.append(str(path))
    return paths


def test_a_line_says_what_became_of_an_input_and_of_what(tmp_path):
    good, bad = written(tmp_path, good="four", bad="bad")
    os.utime(good, ns=(5, 1_700_000_000_000_000_007))
    run([good, bad], tmp_path / "out")
    settings, one, other = map(json.loads, (tmp_path / "out" / "journal.jsonl").read_text().splitlines())
    # The settings' name, worked by another program: printf '{"version": 1}' | sha256sum
    assert settings == {"reader": "c3aa9744214caf6e", "settings": {"version": 1}}
    assert one.pop("seconds") > 0
    assert one == {
        "input": good,
        "stem": "good",
        "state": "done",
        "reader": settings["reader"],
        "signature": "4-1700000000000000007",
        "content": hashlib.sha256(b"four").hexdigest(),
        "about": {"length": 4},
    }
    assert other == {
        "input": bad,
        "stem": "bad",
        "state": "failed",
        "reader": settings["reader"],
        "why": f"{bad}: is bad (give a good one)",
    }


def test_what_is_read_back_is_what_was_written(tmp_path):
    (tmp_path / "out").mkdir()
    journal = Journal(tmp_path / "out")
    journal.begin("r", {"a": [1]})
    whole = Outcome("done", "", "sig", "con", 1.5, {"bodies": 3})
    journal.add("/in/a", "A", whole, "r")
    journal.add("/in/b", "b", Outcome("failed", "why"), "r")
    journal.close()
    with open(tmp_path / "out" / "journal.jsonl", "a") as stream:
        stream.write('no JSON\n[1]\n{"input": "/in/c"}\n')
    again = Journal(tmp_path / "out")
    again.close()
    assert again.readers == {"r": {"a": [1]}}
    assert set(again.entries) == {"/in/a", "/in/b"}
    assert tuple(again.entries["/in/a"]) == ("A", "done", "", "sig", "con", 1.5, "r", {"bodies": 3})
    assert tuple(again.entries["/in/b"]) == ("b", "failed", "why", "", "", 0.0, "r", None)
    assert (again.owner("a"), again.owner("B"), again.owner("c")) == ("/in/a", "/in/b", None)


def test_a_line_that_the_disk_took_a_part_of_is_a_full_disk(tmp_path, monkeypatch):
    journal = Journal(tmp_path)
    write = os.write
    monkeypatch.setattr("spinetk.batch.journal.os.write", lambda handle, data: write(handle, data[:-1]))
    with pytest.raises(OSError, match="space") as caught:
        journal.begin("r", {})
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "journal.jsonl"))
    journal.close()


def test_everything_can_be_done_again(tmp_path):
    (path,) = written(tmp_path, a="one")
    diary = str(tmp_path / "diary")
    for again, (done, skipped), count in ((False, (1, 0), 1), (False, (0, 1), 1), (True, (1, 0), 2)):
        found = run([path], tmp_path / "out", diary=diary, again=again)
        assert (found.done, found.skipped) == (done, skipped)
        assert len(Path(diary).read_text().splitlines()) == count


def test_what_a_run_tells_comes_in_the_order_of_the_inputs_and_then_what_others_left(tmp_path):
    (tmp_path / "z").mkdir()
    d, b, c = written(tmp_path, d="d", b="bad", c="bug")
    (a,) = written(tmp_path / "z", a="a")
    run([d, a], tmp_path / "out")
    told = []
    found = run([c, b], tmp_path / "out", finish=lambda own: told.extend(own.everything()))
    assert [(Path(source).stem, entry.state) for source, entry in found.own()] == [("c", "error"), ("b", "failed")]
    assert [Path(source).stem for source, _ in told] == ["c", "b", "a", "d"]
    assert told == list(found.everything())
    assert found.has_errors()
    assert [line.partition(": ")[2] for line in found.failures()] == [
        "internal error, please report it: ZeroDivisionError: planted",
        "is bad (give a good one)",
    ]
    assert not run([d], tmp_path / "out").has_errors()
    assert list(Run(tmp_path).everything()) == []


def test_names_of_results_are_those_asked_for(tmp_path):
    inputs = written(tmp_path, a="one", taken="two")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "A_label.png").write_bytes(b"somebody's")
    names = Names(reserved=("TAKEN",), stem_of=lambda source: Path(source).stem.upper(), beside=("{}_label.png",))
    found = run(inputs, tmp_path / "out", names=names)
    marks = [hashlib.sha256(path.encode()).hexdigest()[:8] for path in inputs]
    assert [entry.stem for _, entry in found.own()] == [f"A-{marks[0]}", f"TAKEN-{marks[1]}"]
    assert run(inputs, tmp_path / "out", names=names).skipped == 2


def test_settings_have_a_name_that_their_order_does_not_change():
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1}) != fingerprint({"a": 2, "b": 1})


def test_work_that_cannot_be_made_ends_the_run_with_its_own_words(tmp_path):
    def cannot():
        raise InputError("model", "is not here", "install it")

    (path,) = written(tmp_path, a="one")
    with pytest.raises(InputError) as caught:
        run_batch([path, path + "x"], tmp_path / "out", cannot, {"version": 1}, progress=False)
    assert (caught.value.source, caught.value.fault, caught.value.remedy) == ("model", "is not here", "install it")
    assert "input" not in (tmp_path / "out" / "journal.jsonl").read_text()


def test_a_process_stops_at_the_task_after_which_there_is_no_going_on(tmp_path):
    from spinetk.batch.cluster import _Boxed, _perform

    paths = written(tmp_path, a="one", b="full", c="three")
    tasks = [Task(path, str(tmp_path), str(tmp_path), Path(path).stem) for path in paths]
    seconds, outcomes = _perform(_Boxed(make), "test of a chunk", tasks)
    assert ([one.state for one in outcomes], seconds > 0) == (["done", "full"], True)
    assert outcomes[0].signature == signature(Path(paths[0]))

    def cannot():
        raise InputError("model", "is not here", "install it")

    assert [one.state for one in _perform(_Boxed(cannot), "another test of a chunk", tasks)[1]] == ["unable"]
    assert perform(None, "test of a chunk", tasks[0]).state == "error"  # another maker has taken its place

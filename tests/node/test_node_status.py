"""How a node stands: its queue by hand, what ``status`` and ``retry`` make of it, and what the command line gives."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from spinetk.errors import InputError
from spinetk.node.commands import NodeOptions, app
from spinetk.node.queue import Queue
from spinetk.node.service import retry, status

NOW = 1_000_000.0


@pytest.fixture
def clock(monkeypatch):
    """``[now]`` of the node, seconds since 1970."""
    now = [NOW]
    monkeypatch.setattr("time.time", lambda: now[0])
    return now


@pytest.fixture
def folder(tmp_path, clock):
    """A node that has stopped. Its units came in 10 s apart: two wait to be read and to be sent, two failed."""
    base = tmp_path / "node"
    queue = Queue(base / "queue.sqlite")
    ends = {"a": "received", "b": "made", "c": "failed", "d": "received", "e": "made", "f": "failed", "g": "sent"}
    for k, (name, state) in enumerate(ends.items()):
        clock[0] = NOW + 10 * k
        queue.add(f"instance of {name}", "digest", name, f"spool/s/{name}.dcm", ready=clock[0])
        queue.move(queue.get(name), state, "broken" if state == "failed" else "")
    clock[0] = NOW + 100
    queue.later(queue.get("b"), 50.0, "the archive is away")
    queue.remark(queue.get("g"), "came again")
    about = {"aet": "ME", "host": "127.0.0.1", "port": 7, "send_to": "dicom://PACS@127.0.0.1:4242", "dry_run": False}
    queue.meta("about", json.dumps(about))
    queue.close()
    for name, size in (("a", 30), ("d", 12)):
        path = base / "spool" / "s" / f"{name}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
    (base / "outbox" / "f").mkdir(parents=True)
    (base / "outbox" / "f" / "sr.dcm").write_bytes(b"result")
    return base


def test_the_status_by_hand(folder, clock):
    assert status(folder) == {
        "running": False,
        "aet": "ME",
        "host": "127.0.0.1",
        "port": 7,
        "dry_run": False,
        "send_to": "dicom://PACS@127.0.0.1:4242",
        "units": {"received": 2, "made": 2, "sent": 1, "passed": 0, "failed": 2},
        "oldest_waiting_s": {"received": 100.0, "made": 90.0},
        "next_try_s": 50.0,
        "last_word": "the archive is away",
        "remarks": [{"id": "g", "said": "came again"}],
        "failed": [{"id": "f", "why": "broken"}, {"id": "c", "why": "broken"}],
        "spool_bytes": 42,
    }
    clock[0] = NOW + 160
    assert status(folder)["next_try_s"] == 0


def test_the_status_in_words_and_as_json(folder):
    said = CliRunner().invoke(app, ["status", "--folder", str(folder)])
    assert said.stdout.splitlines() == [
        "not running: ME on 127.0.0.1:7, results to dicom://PACS@127.0.0.1:4242",
        "received 2  made 2  sent 1  passed 0  failed 2",
        "next try in 50 s: the archive is away",
        "remark g: came again",
        "failed f: broken",
        "failed c: broken",
    ]
    shown = CliRunner().invoke(app, ["status", "--folder", str(folder), "--json"])
    assert json.loads(shown.stdout) == status(folder)


def test_a_node_that_never_started_says_so(tmp_path):
    Queue(tmp_path / "queue.sqlite").close()
    said = CliRunner().invoke(app, ["status", "--folder", str(tmp_path)])
    assert said.stdout.splitlines()[0] == "not running: never started, results to None"


def test_what_failed_goes_on_from_where_its_results_are(folder):
    assert CliRunner().invoke(app, ["retry", "--folder", str(folder)]).stdout == "2 to be tried again\n"
    queue = Queue(folder / "queue.sqlite")
    found = [(queue.get(name).state, queue.get(name).why) for name in "cf"]
    assert found == [("received", "to be tried again"), ("made", "to be tried again")]
    queue.close()
    assert retry(folder) == 0


def test_who_has_waited_longest_is_next(folder):
    queue = Queue(folder / "queue.sqlite")
    assert queue.next("received", NOW + 100).id == "a"
    assert queue.next("made", NOW + 100).id == "e"  # b waits for its time
    assert (queue.next("made", NOW + 39), queue.next("made", NOW + 40).id) == (None, "e")
    assert queue.waiting("made").id == "b"
    assert [unit.id for unit in queue.latest("failed", 1)] == ["f"]
    assert {unit.id for unit in queue.old(("sent", "made"), NOW + 60)} == {"b", "e"}
    assert {unit.id for unit in queue.old(("sent", "made"), NOW + 61)} == {"b", "e", "g"}
    # What is begun comes behind the others, and once it is in another state nothing that was known of it counts.
    first = queue.next("received", NOW + 100)
    assert (queue.begin(first), queue.begin(queue.get("a"))) == (1, 2)
    assert queue.next("received", NOW + 100).id == "d"
    assert queue.move(queue.get("a"), "made", picture="p", maker="m")
    assert not queue.move(first, "failed")
    queue.later(first, 9.0, "too late")
    unit = queue.get("a")
    assert (unit.state, unit.tries, unit.why, unit.picture, unit.maker) == ("made", 0, "", "p", "m")
    assert queue.move(unit, "sent", "kept")
    assert (queue.get("a").picture, queue.get("a").maker, queue.get("a").why) == ("p", "m", "kept")
    queue.close()


def test_files_that_were_removed_are_not_removed_again(folder):
    queue = Queue(folder / "queue.sqlite")
    queue.remove_files(queue.get("a"), folder)
    assert not (folder / "spool" / "s" / "a.dcm").exists()
    assert (queue.get("a").path, (folder / "spool" / "s" / "d.dcm").exists()) == ("", True)
    stale = queue.get("d")
    queue.begin(stale)
    queue.remove_files(stale, folder)
    assert (folder / "spool" / "s" / "d.dcm").exists()
    queue.close()


def test_a_queue_is_no_other_file_and_is_its_owners(tmp_path, folder):
    assert (folder / "queue.sqlite").stat().st_mode & 0o777 == 0o600
    (tmp_path / "queue.sqlite").write_text("no database, but long enough to be looked at as one" * 20)
    for how in ({}, {"read_only": True}):
        with pytest.raises(InputError, match="is not the queue of a node"):
            Queue(tmp_path / "queue.sqlite", **how)
    with pytest.raises(InputError, match="holds no node"):
        retry(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_only_what_was_given_overrules_a_file():
    assert NodeOptions().given() == {}
    assert NodeOptions(port=0, threshold=0.0, aet="", allow=[], dry_run=False).given() == {
        "port": 0,
        "threshold": 0.0,
        "aet": "",
    }
    given = NodeOptions(dry_run=True, allow=["A"], rules=["view=LL", "modality=MR"]).given()
    assert (given["dry_run"], given["allow"]) == (True, ["A"])
    assert [str(rule) for rule in given["rules"]] == ["view=LL", "modality=MR"]

"""Reader and sender of a node by hand: one unit, one step, a clock that stands still, nothing on a network."""

from __future__ import annotations

import ssl

import pytest
from films import film, read, send, until

from spinetk.errors import InputError
from spinetk.node.queue import Queue
from spinetk.node.reading import Reader
from spinetk.node.sending import Sender, back_off
from spinetk.node.settings import NodeSettings
from spinetk.pacs import Refused, Unreachable, parse_address

pytest.importorskip("pynetdicom")
NOW = 1_000_000.0


@pytest.fixture
def clock(monkeypatch):
    """``[now]`` of the queue, seconds since 1970."""
    now = [NOW]
    monkeypatch.setattr("spinetk.node.queue.time.time", lambda: now[0])
    return now


@pytest.fixture
def settings(tmp_path):
    return NodeSettings(folder=tmp_path / "node", results=("points",), dry_run=True)


@pytest.fixture
def queue(settings, clock):
    opened = Queue(settings.folder / "queue.sqlite")
    yield opened
    opened.close()


def add(queue, settings, path, *names):
    """A unit of these instances, whose files lie in its folder, or are it."""
    for name in names:
        queue.add(name, f"digest of {name}", "unit", str(path.relative_to(settings.folder)), NOW)
    return queue.get("unit")


def spooled(settings, count):
    """A folder of slices, 4 mm apart."""
    folder = settings.folder / "spool" / "series"
    folder.mkdir(parents=True)
    tags = {"Modality": "MR", "ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}
    names = [f"slice{k}" for k in range(count)]
    for k, name in enumerate(names):
        film(folder / f"{name}.dcm", f"1.2.3.{k}", **tags, ImagePositionPatient=[4 * k, 0, 0])
    return folder, names


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_series_is_read_as_a_whole_and_a_lone_slice_as_a_file(settings, queue, count):
    folder, names = spooled(settings, count)
    unit, seen = add(queue, settings, folder, *names), []

    def note(path):
        seen.append(path)
        return read(sorted(path.glob("*.dcm"))[0] if path.is_dir() else path)

    Reader(settings, queue, note, str).work(unit)
    assert seen == [folder if count > 1 else folder / "slice0.dcm"]


@pytest.mark.parametrize(
    ("error", "said"),
    [(OSError(28, "No space left on device"), "No space left on device"), (MemoryError(), "out of memory")],
)
def test_what_a_full_disk_or_memory_stops_is_tried_again_in_half_a_minute(settings, queue, clock, caplog, error, said):
    folder, names = spooled(settings, 1)
    unit, state = add(queue, settings, folder, *names), {"full": True}

    def reads(path):
        if state["full"]:
            raise error
        return read(path)

    reader = Reader(settings, queue, reads, str)
    for k in range(5):  # more often than what stops the process is tried
        assert queue.next("received", NOW + 30 * k - 0.5) is None
        clock[0] = NOW + 30 * k
        unit = queue.next("received", clock[0])
        reader.work(unit)
        unit = queue.get("unit")
        assert (unit.state, unit.tries, unit.why, unit.ready) == ("received", 0, said, clock[0] + 30)
    assert {record.getMessage() for record in caplog.records} == {f"unit cannot be worked on now: {said}"}
    state["full"] = False
    clock[0] += 30
    reader.work(queue.next("received", clock[0]))
    assert queue.get("unit").state == "made"


class Archive:
    """Does what the list says at each store: an error to raise, or None."""

    def __init__(self, *answers):
        self.answers, self.stored = list(answers), []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def store(self, files):
        answer = self.answers.pop(0)
        if answer is not None:
            raise answer
        self.stored.append([file.name for file in files])


def made(settings, queue, *units):
    """Units whose results wait in the outbox."""
    for unit in units:
        queue.add(unit, "digest", unit, f"spool/{unit}.dcm", NOW)
        box = settings.folder / "outbox" / unit
        box.mkdir(parents=True)
        for name in ("sr", "overlay"):
            (box / f"{name}.dcm").write_bytes(b"object")
        queue.move(queue.get(unit), "made", picture="p:q:r")


def test_an_archive_that_is_away_is_asked_again_later_and_later_for_all(settings, queue, clock):
    made(settings, queue, "a", "b")
    away = Unreachable("pacs", "does not answer", "check")
    archive, waits = Archive(away, away, None, away), []

    def wait(tries):
        waits.append(tries)
        return 7.0 * tries

    sender = Sender(settings, queue, lambda: archive, wait)
    sender.work(queue.get("a"))
    assert [queue.get(unit).ready for unit in "ab"] == [NOW + 7] * 2
    assert queue.get("a").why == "pacs: does not answer (check)"
    sender.work(queue.get("a"))
    assert [queue.get(unit).ready for unit in "ab"] == [NOW + 14] * 2
    sender.work(queue.get("a"))
    assert (queue.get("a").state, queue.get("b").ready, queue.get("b").why) == ("sent", NOW, "")
    assert archive.stored == [["overlay.dcm", "sr.dcm"]]
    assert not (settings.folder / "outbox" / "a").exists()
    sender.work(queue.get("b"))
    assert waits == [1, 2, 1]
    assert queue.get("b").state == "made"


def test_an_object_that_is_refused_three_times_has_failed_and_is_kept(settings, queue):
    made(settings, queue, "a")
    no = Refused("pacs", "answers 0122H to C-STORE", "see its log")
    archive, ready = Archive(no, no, no), []
    sender = Sender(settings, queue, lambda: archive, lambda tries: 5.0 * tries)
    for _ in range(2):
        sender.work(queue.get("a"))
        unit = queue.get("a")
        assert (unit.state, unit.picture) == ("made", "p:q:r")
        ready.append(unit.ready - NOW)
    assert ready == [5, 10]
    sender.work(queue.get("a"))
    unit = queue.get("a")
    # Nothing was sent of it: what it was made of is forgotten, so that the same film is read when it comes again.
    assert (unit.state, unit.picture) == ("failed", "")
    assert unit.why == "pacs: answers 0122H to C-STORE (see its log); its results are kept in the outbox"
    assert len(list((settings.folder / "outbox" / "a").iterdir())) == 2


def test_results_that_are_gone_are_made_anew(settings, queue):
    made(settings, queue, "a", "b")
    sender = Sender(settings, queue, lambda: Archive(FileNotFoundError()), None)
    sender.work(queue.get("a"))
    assert (queue.get("a").state, queue.get("a").ready) == ("made", NOW + 1)
    for file in (settings.folder / "outbox" / "b").iterdir():
        file.unlink()
    sender.work(queue.get("b"))
    assert (queue.get("b").state, queue.get("b").why) == ("received", "its results are gone from the outbox")


def test_waits_double_up_to_ten_minutes(monkeypatch):
    for share in (0.9, 1.1):
        monkeypatch.setattr("spinetk.node.sending.random.uniform", lambda low, high, share=share: share)
        plain = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]
        assert [back_off(k) for k in range(1, 13)] == pytest.approx([share * s for s in plain])
        assert back_off(10_000) == pytest.approx(share * 600)


def test_results_go_back_by_tls_to_the_archive_that_was_said_to_be_trusted(make_node, tmp_path):
    trust = pytest.importorskip("trustme")
    pytest.importorskip("highdicom")
    from pynetdicom import AE, evt
    from pynetdicom.sop_class import GrayscaleSoftcopyPresentationStateStorage

    authority = trust.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    for name in ("node", "pacs"):
        issued = authority.issue_cert("127.0.0.1")
        issued.private_key_and_cert_chain_pem.write_to_path(tmp_path / f"{name}.pem")
    there = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=tmp_path / "ca.pem")
    there.verify_mode = ssl.CERT_REQUIRED
    there.load_cert_chain(tmp_path / "pacs.pem")
    pacs, stored = AE("PACS"), []
    pacs.add_supported_context(GrayscaleSoftcopyPresentationStateStorage)

    def keep(event):
        stored.append(event.dataset)
        return 0x0000

    server = pacs.start_server(("127.0.0.1", 0), block=False, ssl_context=there, evt_handlers=[(evt.EVT_C_STORE, keep)])
    try:
        node = make_node(
            send_to=parse_address(f"dicoms://PACS@127.0.0.1:{server.socket.getsockname()[1]}"),
            results=("points",),
            tls_certificate=tmp_path / "node.pem",
            tls_key=tmp_path / "node.pem",
            tls_authority=tmp_path / "ca.pem",
        )
        send(
            node.receiver.port, film(tmp_path / "a.dcm", "1.2.3.4"), tls_args=(node.settings.tls.client(), "127.0.0.1")
        )
        until(lambda: node.queue.counts()["sent"] or any(unit.why for unit in node.queue.latest("made", 1)))
        assert node.queue.counts()["sent"] == 1, node.queue.latest("made", 1)
    finally:
        pacs.shutdown()
    assert [data.StudyInstanceUID for data in stored] == ["1.2.3"]


def test_a_certificate_that_cannot_be_used_is_said_at_the_start(make_node, tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(InputError, match=r"ca\.pem: holds no certificate"):
        make_node(send_to=parse_address("dicomweb+https://127.0.0.1:9/dicom-web"), tls_authority=tmp_path / "ca.pem")

"""The node by itself, spoken to by pynetdicom and DCMTK; nothing leaves it (dry run)."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pydicom
import pytest
from films import film, read, send, stop, until
from pydicom.uid import JPEGExtended12Bit, MRImageStorage

from spinetk.errors import InputError
from spinetk.formats.sr import read_sr
from spinetk.node.queue import Queue
from spinetk.node.reading import Reader
from spinetk.node.receiver import Receiver
from spinetk.node.service import retry, status

pytest.importorskip("pynetdicom")
pytest.importorskip("highdicom")


QUICK = ("points",)  # what is made fastest, for tests that are not about the results


def counts(node):
    return {state: count for state, count in node.queue.counts().items() if count}


def test_a_film_comes_in_is_read_and_its_results_are_about_it(make_node, tmp_path):
    node = make_node(results=("sr", "overlay", "points"))
    assert send(node.receiver.port, film(tmp_path / "a.dcm", "1.2.3.4")) == [0x0000]
    until(lambda: counts(node) == {"made": 1})
    (box,) = (tmp_path / "node" / "outbox").iterdir()
    report = read_sr(box / "sr.dcm")
    assert (report.sop_instance_uid, report.reading.vertebrae[0].label) == ("1.2.3.4", "L3")
    for kind, modality in (("sr", "SR"), ("overlay", "OT"), ("points", "PR")):
        made = pydicom.dcmread(box / f"{kind}.dcm")
        assert (made.StudyInstanceUID, made.Modality) == ("1.2.3", modality)
        assert (made.PatientName, made.PatientID, made.AccessionNumber) == (
            "PLANTED^PATIENT",
            "PLANTED-ID",
            "PLANTED-9",
        )
        assert made.SeriesInstanceUID != "1.2.3.1"
    overlay = pydicom.dcmread(box / "overlay.dcm")
    assert overlay.SourceImageSequence[0].ReferencedSOPInstanceUID == "1.2.3.4"
    assert "PixelSpacing" not in overlay


def test_what_is_sent_twice_is_made_once_and_alike(make_node, tmp_path):
    files = [film(tmp_path / "a.dcm", "1.2.3.4"), film(tmp_path / "b.dcm", "1.2.3.5")]
    node = make_node()
    send(node.receiver.port, *files, *files)
    until(lambda: counts(node) == {"made": 2})
    again = make_node(folder=tmp_path / "another")
    send(again.receiver.port, *files)
    until(lambda: counts(again) == {"made": 2})

    def uids(folder):
        return {pydicom.dcmread(file).SOPInstanceUID for file in (folder / "outbox").rglob("*.dcm")}

    assert len(uids(tmp_path / "node")) == 4
    assert uids(tmp_path / "node") == uids(tmp_path / "another")


def test_other_pixels_under_the_same_uid_are_no_second_result(make_node, tmp_path):
    node = make_node(results=QUICK)
    send(node.receiver.port, film(tmp_path / "a.dcm", "1.2.3.4"))
    until(lambda: counts(node) == {"made": 1})
    same = film(tmp_path / "b.dcm", "1.2.3.4", InstanceNumber=7)
    send(node.receiver.port, same)
    until(lambda: node.queue.latest("made", 1) and node.queue.latest("made", 1)[0].why == "came again in another form")
    other = film(tmp_path / "c.dcm", "1.2.3.4")
    data = pydicom.dcmread(other)
    data.PixelData = bytes(reversed(data.PixelData))
    data.save_as(other)
    assert send(node.receiver.port, other) == [0x0000]
    until(lambda: counts(node) == {"failed": 1})
    assert "other pixels under the same UID" in node.queue.latest("failed", 1)[0].why


def test_what_no_rule_wants_is_passed_over_and_removed(make_node, tmp_path):
    node = make_node(settle_s=0.0)
    chest = film(tmp_path / "a.dcm", "1.2.3.4", BodyPartExamined="CHEST")
    own = film(tmp_path / "b.dcm", "1.2.3.5", Manufacturer="spinetk")
    send(node.receiver.port, chest, own)
    until(lambda: counts(node) == {"passed": 2})
    stop(node)
    node = make_node(settle_s=0.0)
    until(lambda: not list((tmp_path / "node" / "spool").rglob("*.dcm")))
    assert counts(node) == {"passed": 2}


def test_a_series_is_read_once_and_again_when_more_of_it_comes(make_node, tmp_path):
    slices = []
    for k in range(4):
        place = {"ImagePositionPatient": [k * 4, 0, 0], "ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}
        tags = {"Modality": "MR", "SOPClassUID": MRImageStorage, "SliceThickness": 4, "InstanceNumber": k + 1}
        slices.append(film(tmp_path / f"{k}.dcm", f"1.2.3.{k}", **tags, **place))
    node = make_node()
    send(node.receiver.port, *slices[:3])
    until(lambda: counts(node) == {"made": 1})
    box = next((tmp_path / "node" / "outbox").iterdir())
    first = read_sr(box / "sr.dcm")
    assert first.sop_instance_uid == "1.2.3.1"
    uid = pydicom.dcmread(box / "sr.dcm").SOPInstanceUID
    send(node.receiver.port, slices[3])
    until(lambda: pydicom.dcmread(box / "sr.dcm").SOPInstanceUID != uid if (box / "sr.dcm").exists() else False)
    until(lambda: counts(node) == {"made": 1})


def test_bad_input_is_one_line_each_and_nothing_sticks(make_node, tmp_path, caplog):
    node = make_node(rules=())
    from spinetk.node.rule import Rule

    stop(node)
    node = make_node(folder=tmp_path / "second", rules=(Rule.parse("modality=*"),), results=QUICK)
    report = film(tmp_path / "sr.dcm", "1.2.3.5", PixelData=None, Rows=None, Columns=None, Modality="SR",
                  SOPClassUID="1.2.840.10008.5.1.4.1.1.88.22")  # fmt: skip
    empty = film(tmp_path / "empty.dcm", "1.2.3.6", PixelData=None)
    damaged = film(tmp_path / "damaged.dcm", "1.2.3.7")
    data = pydicom.dcmread(damaged)
    data.file_meta.TransferSyntaxUID = JPEGExtended12Bit
    data.PixelData = pydicom.encaps.encapsulate([b"no JPEG"])
    data["PixelData"].is_undefined_length = True
    data.save_as(damaged)
    good = film(tmp_path / "good.dcm", "1.2.3.8")
    assert send(node.receiver.port, report, empty, damaged, good) == [0, 0, 0, 0]
    until(lambda: counts(node) == {"made": 1, "failed": 3})
    lines = [record.getMessage() for record in caplog.records if "failed" in record.getMessage()]
    assert len(lines) == 3
    assert all("\n" not in line for line in lines)
    assert not any("internal error" in line for line in lines)
    assert retry(tmp_path / "second") == 3
    until(lambda: counts(node) == {"made": 1, "failed": 3})


def test_a_transfer_that_breaks_off_leaves_nothing(make_node, tmp_path):
    node = make_node()
    large = film(tmp_path / "a.dcm", "1.2.3.4", PixelData=bytes(3_000_000))
    from pynetdicom import AE

    own = AE("TEST")
    own.add_requested_context("1.2.840.10008.5.1.4.1.1.1", "1.2.840.10008.1.2.1")
    association = own.associate("127.0.0.1", node.receiver.port, ae_title="SPINETK")
    sent = association.dul.socket.send
    budget = [500_000]

    def cut(data):
        if budget[0] < 0:
            association.dul.socket.socket.shutdown(socket.SHUT_RDWR)
        budget[0] -= len(data)
        return sent(data)

    association.dul.socket.send = cut
    own.dimse_timeout = 5
    association.dimse_timeout = 5
    association.send_c_store(large)
    association.abort()
    assert counts(node) == {}
    assert not list((tmp_path / "node").rglob("*.dcm"))
    assert send(node.receiver.port, film(tmp_path / "b.dcm", "1.2.3.5")) == [0]


def test_only_those_who_may_call_are_let_in(make_node, tmp_path):
    node = make_node(allow=("PACS", "MODALITY"))
    file = film(tmp_path / "a.dcm", "1.2.3.4")
    assert send(node.receiver.port, file, calling="STRANGER") == []
    assert send(node.receiver.port, file, aet="OTHER", calling="PACS") == []
    assert send(node.receiver.port, file, calling="PACS") == [0]


def test_a_full_disk_is_no_success(make_node, tmp_path, monkeypatch):
    node = make_node(results=QUICK)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("spinetk.node.receiver.replacing", full)
        assert send(node.receiver.port, film(tmp_path / "a.dcm", "1.2.3.4")) == [0xA700]
    assert send(node.receiver.port, film(tmp_path / "a.dcm", "1.2.3.4")) == [0]
    until(lambda: counts(node) == {"made": 1})


def test_a_second_node_in_the_same_folder_is_refused(make_node):
    make_node()
    with pytest.raises(InputError, match="another node"):
        make_node()


def test_no_patient_tag_in_logs_names_and_queue(make_node, tmp_path, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    node = make_node()
    send(node.receiver.port, film(tmp_path / "a.dcm", "1.2.3.4"), film(tmp_path / "b.dcm", "1.2.3.5", PixelData=None))
    until(lambda: counts(node) == {"made": 1, "failed": 1})
    seen = status(tmp_path / "node")
    stop(node)
    printed = "".join(capfd.readouterr())
    said = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("spinetk"))
    names = "\n".join(str(path) for path in (tmp_path / "node").rglob("*"))
    kept = (tmp_path / "node" / "queue.sqlite").read_bytes().decode("latin-1")
    for text in (printed, said, names, kept, str(seen)):
        assert "PLANTED" not in text
        assert "1.2.3.4" not in text


def test_status_tells_how_it_stands(make_node, tmp_path):
    with pytest.raises(InputError, match="no node"):
        status(tmp_path / "node")
    node = make_node(results=QUICK)
    send(node.receiver.port, film(tmp_path / "a.dcm", "1.2.3.4"))
    until(lambda: counts(node) == {"made": 1})
    found = status(tmp_path / "node")
    assert (found["running"], found["port"], found["units"]["made"]) == (True, node.receiver.port, 1)
    stop(node)
    assert not status(tmp_path / "node")["running"]


class Killed(BaseException):
    """Stands for the end of the process at one line of it."""


def dies(*_, **__):
    raise Killed


def test_killed_between_disk_and_queue_the_film_is_still_read(make_node, tmp_path, monkeypatch):
    node = make_node(results=QUICK)
    with monkeypatch.context() as broken:
        broken.setattr(Queue, "add", lambda *_: (_ for _ in ()).throw(OSError(5, "killed here")))
        assert send(node.receiver.port, film(tmp_path / "a.dcm", "1.2.3.4")) == [0xA700]
    stop(node)
    assert len(list((tmp_path / "node" / "spool").rglob("*.dcm"))) == 1
    node = make_node(results=QUICK)
    until(lambda: counts(node) == {"made": 1})


def test_killed_while_reading_the_results_are_byte_for_byte_the_same(make_node, tmp_path, monkeypatch):
    monkeypatch.setattr("spinetk.node.reading.Reader.work", lambda self, unit: time.sleep(0.05))
    node = make_node()
    settings, made = node.settings, Path("outbox")
    send(node.receiver.port, film(tmp_path / "a.dcm", "1.2.3.4"))
    stop(node)
    monkeypatch.undo()
    shutil.copytree(settings.folder, tmp_path / "unbroken")
    results = []
    for folder, broken in ((settings.folder, True), (tmp_path / "unbroken", False)):
        queue = Queue(folder / "queue.sqlite")
        reader = Reader(type(settings)(folder=folder, dry_run=True), queue, read, str)
        if broken:
            for target in ("write_capture", "sync", "Queue.move"):
                where = "spinetk.node.queue." if "Queue" in target else "spinetk.node.reading."
                monkeypatch.setattr(where + target, dies)
                with pytest.raises(Killed):
                    reader.work(queue.next("received", 1e12))
                monkeypatch.undo()
            # Each time the process died, it had noted beforehand that it would try.
            assert queue.next("received", 1e12).tries == 3
            queue.untried(queue.next("received", 1e12))
        reader.work(queue.next("received", 1e12))
        assert queue.counts()["made"] == 1
        results.append({f.name: f.read_bytes() for f in (folder / made).rglob("*.dcm")})
        queue.close()
    assert results[0] == results[1]
    assert set(results[0]) == {"sr.dcm", "overlay.dcm"}


def test_a_film_that_stops_the_process_each_time_is_given_up(make_node, tmp_path, monkeypatch):
    monkeypatch.setattr("spinetk.node.reading.Reader.work", lambda self, unit: time.sleep(0.05))
    node = make_node()
    send(node.receiver.port, film(tmp_path / "a.dcm", "1.2.3.4"))
    stop(node)
    monkeypatch.undo()
    queue = Queue(node.settings.folder / "queue.sqlite")
    reader = Reader(node.settings, queue, dies, str)
    for _ in range(3):
        with pytest.raises(Killed):
            reader.work(queue.next("received", 1e12))
    reader.work(queue.next("received", 1e12))
    assert "stopped the node 3 times" in queue.latest("failed", 1)[0].why
    queue.close()


def test_a_film_that_stops_the_process_comes_behind_the_others(make_node, tmp_path, monkeypatch):
    monkeypatch.setattr("spinetk.node.reading.Reader.work", lambda self, unit: time.sleep(0.05))
    node = make_node()
    send(node.receiver.port, *(film(tmp_path / f"{k}.dcm", f"1.2.3.{k + 4}") for k in range(3)))
    stop(node)
    monkeypatch.undo()
    queue = Queue(node.settings.folder / "queue.sqlite")
    reader, tried = Reader(node.settings, queue, dies, str), []
    for _ in range(6):
        unit = queue.next("received", time.time())
        tried.append(unit.id)
        with pytest.raises(Killed):
            reader.work(unit)
    # Six kills meet every film twice; none is given up, as one met by all of them would be.
    assert len(set(tried[:3])) == 3
    assert tried[:3] == tried[3:]
    assert queue.counts()["failed"] == 0
    queue.close()


def test_four_associations_at_once_lose_nothing(make_node, tmp_path):
    node = make_node(results=QUICK)
    files = [film(tmp_path / f"{k}.dcm", f"1.2.3.{k + 10}") for k in range(16)]
    codes: list[int] = []

    def share(k):
        codes.extend(send(node.receiver.port, *files[k::4]))

    threads = [threading.Thread(target=share, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [0] * 16
    until(lambda: counts(node) == {"made": 16})


def dcmtk(name: str) -> str | None:
    """Not the program of that name that pynetdicom puts into an environment, which may come first."""
    own = Path(sys.executable).parent.resolve()
    return shutil.which(name, path=os.pathsep.join(one for one in os.get_exec_path() if Path(one).resolve() != own))


@pytest.mark.skipif(not dcmtk("storescu"), reason="DCMTK is not installed")
def test_dcmtk_is_understood(make_node, tmp_path):
    node = make_node(results=QUICK)
    port = str(node.receiver.port)
    assert subprocess.run([dcmtk("echoscu"), "-aec", "SPINETK", "127.0.0.1", port], check=False).returncode == 0
    file = str(film(tmp_path / "a.dcm", "1.2.3.4"))
    assert subprocess.run([dcmtk("storescu"), "-aec", "SPINETK", "127.0.0.1", port, file], check=False).returncode == 0
    text = tmp_path / "notes.txt"
    text.write_text("no DICOM at all")
    command = [dcmtk("storescu"), "-aec", "SPINETK", "127.0.0.1", port, str(text)]
    assert subprocess.run(command, check=False, capture_output=True).returncode != 0
    until(lambda: counts(node) == {"made": 1})


def test_a_file_of_tls_that_cannot_be_used_is_told_before_there_is_a_folder(make_node, tmp_path):
    """With --dry-run, too, where no archive is called, an authority that is not there was not missed."""
    for told in ({"tls_authority": tmp_path / "none.pem"}, {"tls_certificate": tmp_path, "tls_key": tmp_path}):
        with pytest.raises(InputError, match="is no file"):
            make_node(folder=tmp_path / "node-tls", dry_run=True, **told)
        assert not (tmp_path / "node-tls").exists()


def test_tls_is_spoken_and_plain_dicom_is_not(make_node, tmp_path):
    trust = pytest.importorskip("trustme")
    authority = trust.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    own = authority.issue_cert("127.0.0.1")
    own.private_key_pem.write_to_path(tmp_path / "key.pem")
    own.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    node = make_node(
        tls_certificate=tmp_path / "cert.pem", tls_key=tmp_path / "key.pem", tls_authority=tmp_path / "ca.pem"
    )
    file = film(tmp_path / "a.dcm", "1.2.3.4")
    client = node.settings.tls.client()
    assert send(node.receiver.port, file, tls_args=(client, "127.0.0.1")) == [0]
    assert send(node.receiver.port, file) == []
    stranger = __import__("ssl").create_default_context(cafile=tmp_path / "ca.pem")
    assert send(node.receiver.port, file, tls_args=(stranger, "127.0.0.1")) == []


def test_receivers_of_a_taken_port_say_so(make_node, tmp_path):
    node = make_node()
    settings = type(node.settings)(folder=tmp_path / "other", port=node.receiver.port, dry_run=True)
    with pytest.raises(InputError, match="another --port"):
        Receiver(settings, Queue(tmp_path / "other" / "queue.sqlite")).start()

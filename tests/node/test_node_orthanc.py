"""The node beside a real Orthanc: results come back into the same study, whatever happens on the way."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pydicom
import pytest
from films import film, send, stop, until
from orthanc import Orthanc, program

from spinetk.formats.sr import read_sr
from spinetk.node.sending import Sender, back_off
from spinetk.node.service import retry, status
from spinetk.pacs import open_archive, parse_address

pytest.importorskip("highdicom")
pytestmark = pytest.mark.skipif(program() is None, reason="Orthanc and its DICOMweb plugin are not installed")


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory):
    with Orthanc(tmp_path_factory.mktemp("orthanc")) as running:
        yield running


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    monkeypatch.setattr("spinetk.node.sending.FIRST_WAIT_S", 0.1)


def test_the_wait_doubles_up_to_ten_minutes(monkeypatch):
    monkeypatch.setattr("spinetk.node.sending.FIRST_WAIT_S", 1.0)
    for tries, seconds in ((1, 1), (2, 2), (5, 16), (10, 512), (11, 600), (500, 600)):
        assert seconds * 0.9 <= back_off(tries) <= seconds * 1.1


@pytest.mark.parametrize("way", ["dimse", "web"])
def test_results_come_back_into_the_study(orthanc, make_node, tmp_path, way):
    study = {"dimse": "1.2.4", "web": "1.2.5"}[way]
    picture = film(tmp_path / "a.dcm", f"{study}.7", study=study)
    node = make_node(send_to=parse_address(getattr(orthanc, way)), results=("sr", "overlay", "points"))
    with open_archive(parse_address(orthanc.dimse)) as archive:
        archive.store([picture])
    send(node.receiver.port, picture, picture)
    until(lambda: node.queue.counts()["sent"] == 1)
    held = [pydicom.dcmread(file) for file in files(orthanc, tmp_path)]
    held = [data for data in held if data.StudyInstanceUID == study]
    assert sorted(data.Modality for data in held) == ["CR", "OT", "PR", "SR"]
    assert {data.PatientID for data in held} == {"PLANTED-ID"}
    # The outbox is cleared after the note that all was sent, so that a kill in between loses nothing.
    until(lambda: not list((tmp_path / "node" / "outbox").iterdir()))
    if shutil.which("dciodvfy"):
        for k, data in enumerate(held):
            if data.Modality != "CR":
                data.save_as(tmp_path / f"{k}.dcm")
                said = subprocess.run(["dciodvfy", tmp_path / f"{k}.dcm"], capture_output=True, text=True, check=False)
                assert "Error" not in said.stdout + said.stderr
    report = next(data for data in held if data.Modality == "SR")
    report.save_as(tmp_path / "sr.dcm")
    assert read_sr(tmp_path / "sr.dcm").sop_instance_uid == f"{study}.7"


def test_an_archive_that_is_away_is_waited_for(make_node, tmp_path):
    absent = Orthanc(tmp_path / "orthanc")
    node = make_node(send_to=parse_address(absent.dimse))
    send(node.receiver.port, film(tmp_path / "a.dcm", "1.2.3.4"), film(tmp_path / "b.dcm", "1.2.3.5"))
    until(lambda: "does not answer" in status(tmp_path / "node")["last_word"])
    stop(node)
    assert status(tmp_path / "node")["units"]["made"] == 2
    node = make_node(send_to=parse_address(absent.dimse))
    with absent:
        until(lambda: node.queue.counts()["sent"] == 2)
        assert len(absent.instances()) == 4


def test_killed_between_storing_and_noting_it_the_archive_holds_it_once(orthanc, make_node, tmp_path):
    node = make_node()
    send(node.receiver.port, film(tmp_path / "a.dcm", "1.2.6.1", study="1.2.6"))
    until(lambda: node.queue.counts()["made"] == 1)
    address = parse_address(orthanc.dimse)
    before = len(orthanc.instances())
    sender = Sender(node.settings, node.queue, lambda: open_archive(address))
    unit = node.queue.next("made", 1e12)
    moved = node.queue.move
    node.queue.move = lambda *_, **__: (_ for _ in ()).throw(SystemExit)
    with pytest.raises(SystemExit):
        sender.work(unit)
    node.queue.move = moved
    sender.work(unit)
    assert node.queue.counts()["sent"] == 1
    assert len(orthanc.instances()) == before + 2


def test_an_archive_that_refuses_keeps_the_results_to_be_tried_again(make_node, tmp_path):
    with Orthanc(tmp_path / "orthanc", AcceptedTransferSyntaxes=["1.2.840.10008.1.2.4.70"]) as picky:
        node = make_node(send_to=parse_address(picky.dimse))
        send(node.receiver.port, film(tmp_path / "a.dcm", "1.2.3.4"))
        until(lambda: status(tmp_path / "node")["last_word"] != "" or node.queue.counts()["failed"] == 1)
        assert picky.instances() == []
        stop(node)
    assert len(list((tmp_path / "node" / "outbox").rglob("*.dcm"))) == 2
    with Orthanc(tmp_path / "open") as friendly:
        retry(tmp_path / "node")
        node = make_node(send_to=parse_address(friendly.web))
        until(lambda: node.queue.counts()["sent"] == 1)
        assert len(friendly.instances()) == 2


def test_the_orthanc_of_the_page_passes_films_on_and_gets_results_back(make_node, tmp_path):
    page = Path(__file__).parents[2] / "docs" / "how-to" / "pacs.md"
    (script,) = re.findall(r"^```lua\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (tmp_path / "spinetk.lua").write_text(script)
    lab = Orthanc(tmp_path / "orthanc", LuaScripts=[str(tmp_path / "spinetk.lua")])
    node = make_node(send_to=parse_address(lab.dimse))
    lab.set(DicomModalities={"spinetk": ["SPINETK", "127.0.0.1", node.receiver.port]})
    with lab, open_archive(parse_address(lab.dimse)) as archive:
        archive.store([film(tmp_path / "a.dcm", "1.2.3.4"), film(tmp_path / "b.dcm", "1.2.3.5", Modality="US")])
        until(lambda: node.queue.counts()["sent"] == 1)
        modalities = [pydicom.dcmread(file).Modality for file in files(lab, tmp_path)]
        assert sorted(modalities) == ["CR", "OT", "SR", "US"]


def files(orthanc, folder):
    """Everything an Orthanc holds, as files."""
    for number, entry in enumerate(orthanc.instances()):
        path = folder / f"held{number}.dcm"
        path.write_bytes(orthanc.file(entry["ID"]))
        yield path

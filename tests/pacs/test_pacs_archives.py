"""An archive as client, by both protocols, against a real Orthanc and against servers that misbehave."""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pydicom
import pytest
from orthanc import Orthanc, free_port, program

from spinetk.pacs import Found, Refused, Unreachable, open_archive, parse_address

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "node"))
from films import film

pytest.importorskip("pynetdicom")
pytest.importorskip("dicomweb_client")
needs_orthanc = pytest.mark.skipif(program() is None, reason="Orthanc and its DICOMweb plugin are not installed")


@pytest.fixture(scope="module")
def orthanc(tmp_path_factory):
    """Three films of two studies, and a series of three slices."""
    folder = tmp_path_factory.mktemp("orthanc")
    with Orthanc(folder / "o") as running:
        files = [film(folder / f"{k}.dcm", f"1.2.3.{k}") for k in (1, 2)]
        files.append(film(folder / "3.dcm", "1.2.4.3", study="1.2.4", StudyDate="20240101", Modality="DX"))
        for k in range(3):
            tags = {"Modality": "MR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4", "InstanceNumber": k + 1}
            files.append(film(folder / f"m{k}.dcm", f"1.2.5.{k}", study="1.2.5", **tags))
        report = {"Modality": "SR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.11", "PixelData": None}
        files.append(film(folder / "r.dcm", "1.2.3.9", SeriesInstanceUID="1.2.3.77", **report))
        with open_archive(parse_address(running.dimse)) as archive:
            archive.store(files)
        yield running


@needs_orthanc
@pytest.mark.parametrize("way", ["dimse", "web"])
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"1.2.3.1", "1.2.3.2", "1.2.4.3", None}),
        ("/studies?Modality=CR", {"1.2.3.1", "1.2.3.2"}),
        ("/studies?StudyDate=20240101-20241231", {"1.2.4.3"}),
        ("/studies?Modality=MR", {None}),
        ("/studies/1.2.3", {"1.2.3.1", "1.2.3.2"}),
        ("/studies/1.2.3/series/1.2.3.1/instances/1.2.3.2", {"1.2.3.2"}),
        ("/studies?PatientName=NOBODY*", set()),
        ("/studies/9.9.9", set()),
    ],
)
def test_pictures_are_found_at_their_level(orthanc, way, query, found):
    address = parse_address(getattr(orthanc, way) + query)
    with open_archive(address) as archive:
        assert {entry.instance for entry in archive.find(address)} == found


@needs_orthanc
@pytest.mark.parametrize("way", ["dimse", "web"])
def test_what_is_fetched_is_what_was_stored(orthanc, way, tmp_path):
    with open_archive(parse_address(getattr(orthanc, way))) as archive:
        (file,) = archive.fetch(Found("1.2.3", "1.2.3.1", "1.2.3.2"), tmp_path / "one")
        slices = archive.fetch(Found("1.2.5", "1.2.5.1", None), tmp_path / "series")
        assert archive.fetch(Found("1.2.3", "1.2.3.1", "1.2.3.99"), tmp_path / "none") == []
    data = pydicom.dcmread(file)
    assert (data.SOPInstanceUID, data.PatientName) == ("1.2.3.2", "PLANTED^PATIENT")
    assert data.pixel_array[3, 4] == 280
    assert sorted(pydicom.dcmread(path).InstanceNumber for path in slices) == [1, 2, 3]


@needs_orthanc
@pytest.mark.parametrize("way", ["dimse", "web"])
def test_an_echo_is_answered(orthanc, way):
    with open_archive(parse_address(getattr(orthanc, way))) as archive:
        archive.echo()


@needs_orthanc
def test_a_stranger_to_the_archive_is_told_what_to_set(orthanc):
    address = parse_address(orthanc.dimse.replace("ORTHANC", "OTHER"))
    with open_archive(address) as archive, pytest.raises(Unreachable, match="known to each other"):
        archive.echo()


@pytest.mark.parametrize("address", ["dicom://PACS@127.0.0.1:{}", "dicomweb+http://127.0.0.1:{}/dicom-web"])
def test_an_archive_that_is_away_is_one_line(address):
    archive = open_archive(parse_address(address.format(free_port())))
    with pytest.raises(Unreachable, match="does not answer") as caught:
        archive.echo()
    assert "\n" not in str(caught.value)


class Answers(BaseHTTPRequestHandler):
    """Gives the answers of the server's list, one a request, and keeps what was sent."""

    def do_GET(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.server.bodies.append(self.rfile.read(length))
        status, content = self.server.answers.pop(0)
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/dicom+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    """A web server that says what a test has it say."""
    running = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    running.answers, running.bodies = [], []
    running.address = parse_address(f"dicomweb+http://127.0.0.1:{running.server_address[1]}/dicom-web")
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


FULL = {"00081197": {"vr": "US", "Value": [0xA700]}, "00081155": {"vr": "UI", "Value": ["1.2.3.1"]}}
REASON = {"00081197": {"vr": "US", "Value": [0xA900]}, "00081155": {"vr": "UI", "Value": ["1.2.3.1"]}}


@pytest.mark.parametrize(
    ("status", "content", "error", "said"),
    [
        (202, {"00081198": {"vr": "SQ", "Value": [REASON]}}, Refused, "refused 1 of 1 objects .reason A900H. .see"),
        (202, {"00081198": {"vr": "SQ", "Value": [FULL]}}, Unreachable, "reason A700H. .try again later"),
        (409, {}, Refused, "answers 409 to a store request .see its log"),
        (401, {}, Unreachable, "netrc"),
        (503, {}, Unreachable, "try again later"),
        (200, b"<html>PLANTED</html>", Refused, "no DICOMweb .* .check the path"),
    ],
)
def test_a_store_that_was_not_is_never_taken_for_one(server, tmp_path, status, content, error, said):
    server.answers = [(status, content)]
    with open_archive(server.address) as archive, pytest.raises(error, match=said) as caught:
        archive.store([film(tmp_path / "a.dcm", "1.2.3.1")])
    assert "PLANTED" not in str(caught.value)
    assert len(server.bodies) == 1


def test_a_large_object_goes_out_whole(server, tmp_path):
    server.answers = [(200, {})]
    large = film(tmp_path / "a.dcm", "1.2.3.1", Rows=1500, Columns=1000, PixelData=bytes(3_000_000))
    with open_archive(server.address) as archive:
        archive.store([large])
    assert len(server.bodies[0]) > 3_000_000


def test_an_archive_that_knows_no_pages_is_not_asked_for_ever(server):
    page = [{"0020000D": {"vr": "UI", "Value": [f"1.{k}"]}} for k in range(100)]
    server.answers = [(200, page), (200, page)]
    with open_archive(server.address) as archive:
        assert len(list(archive.search("studies", (), {}))) == 100

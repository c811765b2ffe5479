"""TLS: who is trusted, against certificates of authorities made here; OpenSSL is told whom the system trusts."""

from __future__ import annotations

import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from spinetk.errors import InputError
from spinetk.pacs import Unreachable, open_archive, parse_address
from spinetk.pacs.tls import Tls

trustme = pytest.importorskip("trustme")
HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """PEM files of two authorities, and certificate and key of a host by each: ``own.pem``, ``system-key.pem`` ..."""
    folder = tmp_path_factory.mktemp("pem")
    for name in ("own", "system"):
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / f"{name}.pem")
        issued = authority.issue_cert(HOST, "spine.example")
        issued.private_key_pem.write_to_path(folder / f"{name}-key.pem")
        issued.cert_chain_pems[0].write_to_path(folder / f"{name}-cert.pem")
    return folder


@pytest.fixture
def system(files, monkeypatch):
    """The system trusts one of the authorities."""
    monkeypatch.setenv("SSL_CERT_FILE", str(files / "system.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(files / "none"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(files / "system.pem"))


def pair(files, name):
    return files / f"{name}-cert.pem", files / f"{name}-key.pem"


def served(files, name, trusting=None):
    """A server's context that shows the certificate of an authority; of the standard library alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair(files, name))
    if trusting:
        context.load_verify_locations(files / f"{trusting}.pem")
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def meet(client, server, name=HOST):
    """Whether two contexts come to a connection, in memory."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [client.wrap_bio(back, there, server_hostname=name), server.wrap_bio(there, back, server_side=True)]
    for _ in range(8):  # a few messages each way
        for side in list(sides):
            try:
                side.do_handshake()
                sides.remove(side)
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError:
                return False
    assert not sides
    return True


@pytest.mark.usefixtures("system")
def test_beside_a_private_authority_nobody_else_is_trusted(files):
    private = Tls(authority=files / "own.pem").client()
    assert meet(private, served(files, "own"))
    assert not meet(private, served(files, "system"))
    usual = Tls().client()
    assert meet(usual, served(files, "system"))
    assert not meet(usual, served(files, "own"))
    # A certificate of one's own says nothing of whom one trusts.
    shown = Tls(*pair(files, "own")).client()
    assert meet(shown, served(files, "system"))
    assert not meet(shown, served(files, "own"))


def test_the_other_side_bears_the_name_it_is_called_by(files):
    client = Tls(authority=files / "own.pem").client()
    assert meet(client, served(files, "own"), "spine.example")
    assert not meet(client, served(files, "own"), "other.example")


def test_callers_show_a_certificate_of_the_authority_if_there_is_one(files):
    nobody = ssl.create_default_context(cafile=files / "own.pem")
    known, strange = (ssl.create_default_context(cafile=files / "own.pem") for _ in range(2))
    known.load_cert_chain(*pair(files, "own"))
    strange.load_cert_chain(*pair(files, "system"))
    for client in (nobody, known, strange):
        client.maximum_version = ssl.TLSVersion.TLSv1_2  # by 1.3 a client is done before it is judged
    strict, open_to_all = Tls(*pair(files, "own"), files / "own.pem").server(), Tls(*pair(files, "own")).server()
    assert [meet(client, strict) for client in (nobody, known, strange)] == [False, True, False]
    assert [meet(client, open_to_all) for client in (nobody, known, strange)] == [True, True, True]
    assert Tls(authority=files / "own.pem").server() is None


def test_a_certificate_is_shown_to_those_who_ask(files):
    asking = served(files, "own", trusting="own")
    asking.maximum_version = ssl.TLSVersion.TLSv1_2
    assert meet(Tls(*pair(files, "own"), files / "own.pem").client(), asking)
    assert not meet(Tls(authority=files / "own.pem").client(), asking)


@pytest.mark.parametrize("make", [lambda tls: tls.client(), lambda tls: tls.server()])
def test_older_protocols_are_not_spoken(files, make):
    assert make(Tls(*pair(files, "own"), files / "own.pem")).minimum_version == ssl.TLSVersion.TLSv1_2


def test_the_file_that_cannot_be_used_is_named(files, tmp_path):
    certificate, key = pair(files, "own")
    empty, other = tmp_path / "empty.pem", files / "system-key.pem"
    empty.write_text("nothing")
    for tls, named in (
        (Tls(certificate, other), certificate),
        (Tls(empty, key), empty),
        (Tls(tmp_path / "none.pem", key), tmp_path / "none.pem"),
        (Tls(certificate, key, empty), empty),
        # Of a key that is not there the certificate was said to be none of it.
        (Tls(certificate, tmp_path / "none.pem"), tmp_path / "none.pem"),
        (Tls(authority=tmp_path / "none.pem"), tmp_path / "none.pem"),
    ):
        with pytest.raises(InputError) as caught:
            tls.client()
        assert caught.value.source == str(named)


class Nothing(BaseHTTPRequestHandler):
    """An archive without studies."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/dicom+json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, *_):
        pass


@pytest.fixture
def web(files):
    """Starts archives by DICOMweb and TLS; their addresses."""
    running = []

    def start(name, trusting=None):
        server = ThreadingHTTPServer((HOST, 0), Nothing)
        server.socket = served(files, name, trusting).wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        return parse_address(f"dicomweb+https://{HOST}:{server.server_address[1]}/dicom-web")

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def answers(address, tls=None):
    with open_archive(address, tls=tls) as archive:
        try:
            archive.echo()
        except Unreachable:
            return False
    return True


@pytest.mark.usefixtures("system")
def test_an_archive_by_dicomweb_is_trusted_and_shown_what_was_said(files, web):
    pytest.importorskip("dicomweb_client")
    private = Tls(*pair(files, "own"), files / "own.pem")
    own, system, asking = web("own"), web("system"), web("own", trusting="own")
    assert answers(own, private)
    assert not answers(system, private)
    assert answers(asking, private)
    assert not answers(asking, Tls(authority=files / "own.pem"))
    assert answers(system)
    assert not answers(own)
    with pytest.raises(InputError, match="no certificate of the key"):
        open_archive(own, tls=Tls(private.certificate, files / "system-key.pem"))


@pytest.mark.usefixtures("system")
def test_an_archive_by_dimse_is_trusted_as_was_said(files):
    pytest.importorskip("pynetdicom")
    from pynetdicom import AE

    own = AE("PACS")
    own.add_supported_context("1.2.840.10008.1.1")
    started = {
        name: own.start_server((HOST, 0), block=False, ssl_context=served(files, name)) for name in ("own", "system")
    }
    where = {n: parse_address(f"dicoms://PACS@{HOST}:{s.socket.getsockname()[1]}") for n, s in started.items()}
    try:
        assert answers(where["own"], Tls(authority=files / "own.pem"))
        assert not answers(where["system"], Tls(authority=files / "own.pem"))
        assert answers(where["system"])
        assert not answers(where["own"])
    finally:
        own.shutdown()

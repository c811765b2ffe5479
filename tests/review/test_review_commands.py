"""``spinetk serve``: binds this machine only, asks for a token elsewhere, says what is missing."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from functools import partial

import httpx
import pytest

from spinetk.errors import InputError
from spinetk.review import commands
from spinetk.review.session import ReviewSession

LIMIT_S = 120  # a busy machine
get, post = (partial(call, timeout=LIMIT_S) for call in (httpx.get, httpx.post))


def start(*arguments: object) -> tuple[subprocess.Popen, list[str]]:
    command = [sys.executable, "-u", "-m", "spinetk", "serve", *map(str, arguments), "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = [server.stdout.readline() for _ in range(2)]
    return server, lines


def stop(server: subprocess.Popen) -> str:
    server.send_signal(signal.SIGINT)
    return server.communicate(timeout=LIMIT_S)[0]


def test_serves_a_folder_and_logs_nothing_of_it(case_folder, tmp_path):
    server, lines = start(case_folder, "-o", tmp_path / "out")
    try:
        address = re.search(r"http://127\.0\.0\.1:\d+/", lines[0]).group()
        assert "12 pictures" in lines[0]
        session = get(f"{address}api/session").json()
        assert get(f"{address}api/entries/{session['entries'][0]['id']}").status_code == 200
        assert get(f"{address}api/session", headers={"host": "evil.example"}).status_code == 403
    finally:
        rest = stop(server)
    assert rest.strip() in ("", "spinetk: interrupted; what was finished is kept")


def test_other_addresses_need_the_printed_token(tmp_path):
    server, lines = start("-o", tmp_path / "out", "--host", "0.0.0.0")
    try:
        token = re.search(r"token: (\S+)", server.stdout.readline()).group(1)
        port = re.search(r":(\d+)/", lines[0]).group(1)
        address = f"http://127.0.0.1:{port}/"
        assert token not in lines[0]
        assert get(f"{address}api/session").status_code == 401
        known = {"authorization": f"Bearer {token}"}
        assert get(f"{address}api/session", headers=known).status_code == 200
    finally:
        stop(server)


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 143), ("SIGKILL", -9)])
def test_uploads_go_with_every_end_and_an_upload_broken_off_is_silent(tmp_path, monkeypatch, copies, name, code):
    """Of a server that was killed the next one sweeps them away."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    os.mkfifo(tmp_path / "said")
    number = copies("run", ["serve", "-o", str(tmp_path / "out"), "--port", "0"], str(tmp_path / "said"), str(tmp_path))
    said = (tmp_path / "said").open()
    port = int(re.search(r":(\d+)/", said.readline()).group(1))
    key = post(f"http://127.0.0.1:{port}/api/uploads").json()["id"]
    with socket.create_connection(("127.0.0.1", port)) as leaving:  # says 1000 bytes, sends 10 and goes
        head = f"POST /api/uploads/{key}/files HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n"
        leaving.sendall(head.encode() + b"0123456789")
    post(f"http://127.0.0.1:{port}/api/uploads/{key}/files", content=b"of a patient", headers={"x-name": "a.dcm"})
    end = time.monotonic() + LIMIT_S
    while len(kept := list(tmp_path.glob("spinetk-uploads-*/files/*/*"))) != 1:  # until the broken one is gone
        assert time.monotonic() < end
        time.sleep(0.05)
    os.kill(number, getattr(signal, name))
    with said:
        heard = said.read()  # to its end
    assert copies("wait", number) == code
    assert "error" not in heard
    assert "Traceback" not in heard
    if name == "SIGKILL":
        assert kept[0].exists()
        ReviewSession(tmp_path / "out").close()
    assert list(tmp_path.glob("spinetk-uploads-*")) == []


def test_a_living_servers_uploads_are_not_swept(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with ReviewSession(tmp_path / "one") as one, ReviewSession(tmp_path / "two"):
        assert one.uploads.is_dir()


def test_missing_extra_is_one_line(monkeypatch):
    monkeypatch.setattr(commands, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"spinetk\[serve\]"):
        commands.serve()


def test_port_in_use_is_one_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = subprocess.run(
            [sys.executable, "-m", "spinetk", "serve", "-o", tmp_path, "--port", str(taken.getsockname()[1])],
            capture_output=True,
            text=True,
        )
    assert done.returncode == 2
    assert "cannot be used" in done.stderr
    assert "Traceback" not in done.stderr

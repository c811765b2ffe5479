"""``spinetk serve``: binds this machine only, asks for a token elsewhere, says what is missing."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import httpx
import pytest

from spinetk.errors import InputError
from spinetk.review import commands


def start(*arguments: object) -> tuple[subprocess.Popen, list[str]]:
    command = [sys.executable, "-u", "-m", "spinetk", "serve", *map(str, arguments), "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = [server.stdout.readline() for _ in range(2)]
    return server, lines


def stop(server: subprocess.Popen) -> str:
    server.send_signal(signal.SIGINT)
    return server.communicate(timeout=30)[0]


def test_serves_a_folder_and_logs_nothing_of_it(case_folder, tmp_path):
    server, lines = start(case_folder, "-o", tmp_path / "out")
    try:
        address = re.search(r"http://127\.0\.0\.1:\d+/", lines[0]).group()
        assert "12 pictures" in lines[0]
        session = httpx.get(f"{address}api/session").json()
        assert httpx.get(f"{address}api/entries/{session['entries'][0]['id']}").status_code == 200
        assert httpx.get(f"{address}api/session", headers={"host": "evil.example"}).status_code == 403
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
        assert httpx.get(f"{address}api/session").status_code == 401
        known = {"authorization": f"Bearer {token}"}
        assert httpx.get(f"{address}api/session", headers=known).status_code == 200
    finally:
        stop(server)


def test_missing_extra_is_one_line(monkeypatch):
    monkeypatch.setattr(commands, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"spinetk\[serve\]"):
        commands.serve()


def test_port_in_use_is_one_line(tmp_path):
    import socket

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

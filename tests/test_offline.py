"""No network: verbs run where every socket raises, and downloads are asked for, bounded, and can be forbidden."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from spinetk.errors import InputError
from spinetk.keypoints.pretrained import load_start
from spinetk.keypoints.registry import build
from spinetk.schema import VERTEBRA6
from spinetk.training import download

HOME = Path(__file__).parents[1]
CUSTOM = """
import socket

def refuse(self, address, *_):
    if not isinstance(address, str):  # a name of this machine's own file system is no network
        raise RuntimeError(f"network used: {address}")

socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = lambda *a, **k: refuse(None, a)
"""


SESSION = """
import io, json, sys
from contextlib import redirect_stderr
from spinetk.cli import main

for number, arguments in enumerate(json.load(open("verbs.json"))):
    sys.argv[:], said, code = ["spinetk", *arguments], io.StringIO(), 0
    with redirect_stderr(said):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    with open(f"said-{number}.json", "w") as file:
        json.dump([code, said.getvalue()], file)
"""


@pytest.fixture
def unplugged(tmp_path):
    """Runs verbs, one after the other, in a process whose sockets raise, as do those of the processes it starts."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(CUSTOM)
    environment = os.environ | {"PYTHONPATH": f"{tmp_path / 'site'}:{HOME}", "TORCH_HOME": str(tmp_path / "torch")}

    def run(*verbs: list[object]) -> list[tuple[int, str]]:
        (tmp_path / "verbs.json").write_text(json.dumps([[str(part) for part in verb] for verb in verbs]))
        command = [sys.executable, "-c", SESSION]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
        assert done.returncode == 0, done.stderr
        assert "network used" not in done.stderr
        return [tuple(json.loads((tmp_path / f"said-{k}.json").read_text())) for k in range(len(verbs))]

    return run


def test_the_way_from_phantoms_to_a_report_uses_no_network(unplugged):
    verbs = [
        ["phantom", "-o", "cases", "--cases", 4, "--width", 96],
        ["split", "cases"],
        ["train", "cases", "--iterations", 1, "--preset", "fast", "--batch", 1, "--device", "cpu"],
        ["predict", "cases/phantom-0001/src/0/src-0.png", "--view", "lateral", "--model", "phantom-fast", "-o", "r"],
        ["measure", "r"],
        ["report", "r", "-o", "p"],
        ["info", "cases/phantom-0001/src/0/src-0.png"],
        ["models"],
        ["train", "cases", "--iterations", 1, "--preset", "fast", "--start", "imagenet", "--offline"],
    ]
    *done, (code, said) = unplugged(*verbs)
    for verb, (ended, heard) in zip(verbs, done, strict=False):
        assert "network used" not in heard, verb
        assert ended == 0 or (verb[0] in ("predict", "measure", "report") and ended == 2), (verb, heard)
    assert code == 2
    assert len(said.strip().splitlines()) == 1
    assert "SPINETK_OFFLINE forbids the network" in said


def test_a_network_that_is_used_is_noticed(unplugged, tmp_path):
    """The sockets of that process do raise."""
    code = "import socket; socket.create_connection(('127.0.0.1', 9))"
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert "network used" in done.stderr


def weights(tmp_path: Path, content: bytes) -> SimpleNamespace:
    """A file to download whose name holds its hash, as torchvision's do."""
    served = tmp_path / f"served-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    served.write_bytes(content)
    return SimpleNamespace(url=served.as_uri())


def test_a_download_is_whole_or_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    torch.save({"a": torch.ones(2)}, tmp_path / "a.pth")
    right = weights(tmp_path, (tmp_path / "a.pth").read_bytes())
    assert torch.equal(download.pretrained(right, "imagenet")["a"], torch.ones(2))
    Path(right.url.removeprefix("file://")).unlink()
    assert torch.equal(download.pretrained(right, "imagenet")["a"], torch.ones(2))  # from the cache
    proxy = weights(tmp_path, b"<html>")
    Path(proxy.url.removeprefix("file://")).write_bytes(b"<html>sign in")
    with pytest.raises(InputError, match=r"could not be downloaded .*proxy"):
        download.pretrained(proxy, "imagenet")
    assert [path.name for path in (tmp_path / "hub" / "checkpoints").iterdir()] == [right.url.rsplit("/", 1)[-1]]


def test_a_server_that_never_answers_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr(download, "LIMIT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        asked = SimpleNamespace(url=f"http://127.0.0.1:{silent.getsockname()[1]}/odd-01234567.pth")
        with pytest.raises(InputError, match="not there after 0 s"):
            download.pretrained(asked, "coco")


def test_starts_are_what_was_asked_for():
    network = build("fast", VERTEBRA6)
    assert load_start(network, "random") == "starting from random weights"
    for start, said in (("coco", "has no weights for 'fast'"), ("auto", "is no longer accepted")):
        with pytest.raises(InputError, match=said):
            load_start(network, start)

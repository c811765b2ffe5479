"""SIGTERM and Ctrl+C end a verb wherever it is; limits of time are there for a test that would never end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

HOME = Path(__file__).parents[1]
LIMIT_S = 120
STUCK = """
import hashlib, subprocess, sys, time
from pathlib import Path
from spinetk import atomic, cli, signals, zoo

how = sys.argv[1]

def stuck():
    with atomic.replacing(Path("half.json")):
        children = []
        signals.ending(children)
        children.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]))
        Path("child").write_text(str(children[0].pid))
        print("ready", flush=True)
        if how == "c":
            hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)  # minutes in which Python has no say
        while True:
            time.sleep(0.01)

zoo.released = stuck
sys.argv[:] = ["spinetk", "models"]
cli.main()
"""
ENDS = {signal.SIGTERM: (143, "terminated"), signal.SIGINT: (130, "interrupted")}


def begin(command: list[str], folder: Path, ready: str) -> subprocess.Popen:
    """A process that has said that it is ready."""
    environment = os.environ | {"PYTHONPATH": str(HOME), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    said = ""
    while ready not in said:
        line = process.stdout.readline()
        assert line, said
        said += line
    return process


def end(process: subprocess.Popen, number: int) -> str:
    """What it said after the signal, at whose end it was gone."""
    process.send_signal(number)
    try:
        return process.communicate(timeout=LIMIT_S)[0]
    finally:
        process.kill()


@pytest.mark.parametrize("number", ENDS)
@pytest.mark.parametrize("how", ["python", "c"])
def test_a_verb_is_gone_with_its_processes_and_leaves_nothing_half_written(tmp_path, number, how):
    process = begin(["-c", STUCK, how], tmp_path, "ready")
    said = end(process, number)
    code, word = ENDS[number]
    assert process.returncode == code
    assert said.splitlines() == [f"spinetk: {word}; what was finished is kept"]
    assert not list(tmp_path.glob(".tmp-*"))
    assert not (tmp_path / "half.json").exists()
    child, ends = int((tmp_path / "child").read_text()), time.monotonic() + LIMIT_S
    while alive(child) and time.monotonic() < ends:
        time.sleep(0.05)
    assert not alive(child)


@pytest.mark.parametrize(
    ("verb", "ready", "codes"),
    [
        (["serve", "cases", "--port", "0"], "http://", {143}),
        (["node", "--dry-run", "--port", "0", "--folder", "node"], "listens on", {0, 143}),
    ],
)
def test_what_serves_leaves_when_it_is_told(case_folder, verb, ready, codes):
    pytest.importorskip("fastapi" if verb[0] == "serve" else "pynetdicom")
    process = begin(["-m", "spinetk", *verb], case_folder.parent, ready)
    said = end(process, signal.SIGTERM)
    assert process.returncode in codes
    assert "Traceback" not in said


def alive(number: int) -> bool:
    """Whether a process runs; one that nobody has asked after since its end does not."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return not Path("/proc/self").exists()


def test_after_a_signal_what_is_registered_is_done_and_nothing_is_taken_down():
    """Taking torch down took 2 to 8 s on a busy machine, after the thread that keeps time had stopped."""
    script = (
        "import atexit, sys\n"
        "from spinetk import signals\n"
        "class Slow:\n"
        "    def __del__(self): print('taken down')\n"
        "slow = Slow()\n"
        "atexit.register(print, 'registered')\n"
        "sys.stdout.write('kept ')\n"
        "signals.without_farewell(signals.Leave(15))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (143, ["kept", "registered"])

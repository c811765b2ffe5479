"""Send SIGTERM and Ctrl+C to verbs at random moments: how long until each is gone, and what it leaves.

    python benchmarks/signals.py [--moments 50] [--seed 0] [--only VERB ...]

Every verb is a process of its own, in a session of its own, signalled at a moment drawn evenly over the time that it
took undisturbed (a page that is served: over ten seconds). Then nothing of the session may be left after two seconds,
no file half written (``.tmp-*``), and the exit code is 130 or 143, or that of a verb that was done already. A training
is resumed afterwards and must end well. Prints a table and exits with 1 on any fault.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import small_runs

MOST_S = 2.0
SERVED_S = 10.0
ENDED = {0, 130, 143, -signal.SIGINT, -signal.SIGTERM}  # negative: before the program had begun to listen


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moments", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="*")
    options = parser.parse_args()
    chance, faults = random.Random(options.seed), []
    with tempfile.TemporaryDirectory() as scratch:
        base = Path(scratch)
        commands = _commands(base, options.only or [])
        chosen = {name: command for name, command in commands.items() if not options.only or name in options.only}
        lengths = {name: _length(name, command, base) for name, command in chosen.items()}
        rows: dict[str, list[float]] = {name: [] for name in chosen}
        for number in range(options.moments):
            name = list(chosen)[number % len(chosen)]
            moment, how = chance.uniform(0, lengths[name]), chance.choice((signal.SIGTERM, signal.SIGINT))
            taken, fault = _signalled(chosen[name], base / "out", moment, how)
            rows[name].append(taken)
            print(
                f"{number + 1}: {name}, {how.name} after {moment:.1f} s: {fault or f'gone after {taken:.2f} s'}",
                flush=True,
            )
            if not fault and "train" in name:
                again = subprocess.run([*chosen[name], "--resume"], capture_output=True, text=True)
                fault = "" if again.returncode == 0 else f"not resumed: {again.stderr[-300:]}"
            if fault:
                faults.append(f"{name}, {how.name} after {moment:.2f} s: {fault}")
            shutil.rmtree(base / "out", ignore_errors=True)
    print(f"{'verb':<16}{'signals':>8}{'median s':>10}{'longest s':>10}{'undisturbed s':>15}")
    for name, times in rows.items():
        if times:
            middle = sorted(times)[len(times) // 2]
            print(f"{name:<16}{len(times):>8}{middle:>10.2f}{max(times):>10.2f}{lengths[name]:>15.1f}")
    print("\n".join(faults) if faults else "every verb was gone in time and left nothing half done")
    return 1 if faults else 0


def _commands(base: Path, only: list[str]) -> dict[str, list[str]]:
    """Verbs on small phantoms; what they write goes to ``out``."""
    spinetk, out = [sys.executable, "-m", "spinetk"], str(base / "out")
    cases, results, atria = base / "cases", base / "results", base / "atria"
    quiet = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run([*spinetk, "phantom", "-o", str(cases), "--cases", "10"], **quiet)
    if not only or any(name.startswith("segment") for name in only):
        subprocess.run([*spinetk, "segment", "phantom", "-o", str(atria), "--cases", "4"], **quiet)
    if not only or "discs train" in only:
        small_runs.write_discs(base / "discs")
    films = [str(path) for path in sorted(cases.rglob("src-0.png"))]
    if not only or "report" in only:
        subprocess.run([*spinetk, "predict", *films[:4], "--view", "lateral", "-o", str(results)], **quiet)
    fast = ["--preset", "fast"]
    short = ["--iterations", "12", "--check-every", "4", "--device", "cpu"]
    return {
        "train": [*spinetk, "train", str(cases), *short, *fast, "--workers", "1", "-o", out],
        "train, two processes": [*spinetk, "train", str(cases), *short, *fast, "--devices", "2", "-o", out],
        "discs train": [*spinetk, "discs", "train", str(base / "discs"), "--epochs", "6", "--stacks", "1", "-o", out],
        "segment train": [*spinetk, "segment", "train", str(atria), *short, "--workers", "1", "-o", out],
        "predict": [*spinetk, "predict", *films, "--view", "lateral", "-o", out],
        "discs predict": [*spinetk, "discs", "predict", *films, "-o", out],
        "segment predict": [*spinetk, "segment", "predict", str(atria / "raw"), "-o", out],
        "report": [*spinetk, "report", str(results), "-o", out],
        "prepare": [*spinetk, "prepare", str(cases), "--from", "ours", "-o", out],
        "phantom": [*spinetk, "phantom", "--cases", "30", "-o", out],
        "serve": [*spinetk, "serve", str(cases), "--port", "0", "-o", out],
    }


def _length(name: str, command: list[str], base: Path) -> float:
    if name == "serve":
        return SERVED_S
    begun = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 2, 3):
        raise SystemExit(f"{name} does not run: {done.stderr[-500:]}")
    shutil.rmtree(base / "out", ignore_errors=True)
    return time.monotonic() - begun


def _signalled(command: list[str], out: Path, moment: float, how: signal.Signals) -> tuple[float, str]:
    """Seconds from the signal to the end, and what is wrong."""
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
        try:
            child.wait(moment)
        except subprocess.TimeoutExpired:
            # Ctrl+C reaches every process of the terminal, kill one.
            (os.killpg if how == signal.SIGINT else os.kill)(child.pid, how)
        sent = time.monotonic()
        try:
            child.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        taken = time.monotonic() - sent
        while processes_of(child.pid) and time.monotonic() - sent < MOST_S:
            time.sleep(0.02)
        left, half = processes_of(child.pid), list(out.rglob(".tmp-*"))
        said.seek(0)
        words = said.read()
    faults = [f"took {taken:.1f} s"] if taken > MOST_S else []
    faults += [f"left the processes {left}"] if left else []
    faults += [f"left {half[0].name}"] if half else []
    faults += [f"exit code {child.returncode}: {words[-300:]}"] if child.returncode not in ENDED | {2, 3} else []
    faults += ["printed a traceback"] if "Traceback" in words else []
    return taken, "; ".join(faults)


def processes_of(number: int) -> list[int]:
    """Processes of a session that are no zombies (Linux)."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) == number and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


if __name__ == "__main__":
    sys.exit(main())

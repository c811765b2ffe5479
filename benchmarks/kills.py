"""Kill runs at random moments, go on, and compare with the unbroken run.

    python benchmarks/kills.py [--kills 100] [--seed 0] [--iterations 12] [--only KIND ...]

Every trainer in turn: keypoints, discs, atrium, lesion. Each start of a run is a process of its own (forked from one
that has read the libraries, which is what takes long); it gets SIGKILL at a moment drawn evenly over the time that the
unbroken run took, every fourth time SIGTERM. A run that was killed goes on with ``resume`` until it ends; then its
weights must be those of the unbroken run, bit for bit. Prints a table and exits with 1 on any difference.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path

import small_runs


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--iterations", type=int, default=12)
    parser.add_argument("--seconds", type=float, default=None, help="leave off after this time")
    parser.add_argument("--only", nargs="*", choices=list(small_runs.KINDS), default=list(small_runs.KINDS))
    options = parser.parse_args()
    # Imports here: children must find them done, and no thread may be running when they are forked.
    import torch

    import spinetk.discs.trainer
    import spinetk.keypoints.trainer
    import spinetk.segmentation.atrium.trainer
    import spinetk.segmentation.slices.lesion_trainer  # noqa: F401

    torch.set_num_threads(1)
    chance, begun = random.Random(options.seed), time.monotonic()
    rows = {kind: {"kills": 0, "runs": 0, "equal": 0, "seconds": 0.0, "lost": 0} for kind in options.only}
    with tempfile.TemporaryDirectory() as scratch:
        base = Path(scratch)
        small_runs.write_data(base / "data")
        wanted = {}
        for kind, row in rows.items():
            _start(kind, base, "unbroken", options.iterations, False, None)
            started = time.monotonic()
            _start(kind, base, "unbroken", options.iterations, False, None)
            row["seconds"] = time.monotonic() - started
            wanted[kind] = _weights(base / "unbroken" / kind)
        number = 0
        while sum(row["kills"] for row in rows.values()) < options.kills:
            if options.seconds is not None and time.monotonic() - begun > options.seconds:
                break
            kind = options.only[number % len(options.only)]
            row, number = rows[kind], number + 1
            name, resume = f"run-{number}", False
            while True:
                moment = chance.uniform(0, row["seconds"])
                how = signal.SIGTERM if chance.random() < 0.25 else signal.SIGKILL
                killed, code = _start(kind, base, name, options.iterations, resume, (moment, how))
                resume = True
                row["kills"] += killed
                if not killed:
                    break
            row["runs"] += 1
            found = _weights(base / name / kind) if code == 0 else None
            if found is None:
                row["lost"] += 1
            elif found.keys() == wanted[kind].keys() and all(
                torch.equal(found[key], value) for key, value in wanted[kind].items()
            ):
                row["equal"] += 1
            total = sum(row["kills"] for row in rows.values())
            print(f"run {number}: {kind}, {total} kills so far", file=sys.stderr, flush=True)
    print(f"{'trainer':<12}{'kills':>7}{'runs':>7}{'equal':>7}{'lost':>7}{'unbroken s':>12}")
    for kind, row in rows.items():
        print(f"{kind:<12}{row['kills']:>7}{row['runs']:>7}{row['equal']:>7}{row['lost']:>7}{row['seconds']:>12.1f}")
    total = sum(row["kills"] for row in rows.values())
    good = all(row["equal"] == row["runs"] for row in rows.values())
    print(
        f"{total} kills in {time.monotonic() - begun:.0f} s: {'every run equals the unbroken one' if good else 'FAULT'}"
    )
    return 0 if good else 1


def _start(
    kind: str, base: Path, name: str, iterations: int, resume: bool, kill: tuple[float, int] | None
) -> tuple[bool, int]:
    """One start of a run in a process of its own; whether it was killed, and its exit code."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        with open(base / f"{name}.log", "a") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        code = 1
        try:
            warnings.simplefilter("default")
            small_runs.KINDS[kind](base / "data", base / name / kind, resume, iterations)
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    ends = time.monotonic() + (kill[0] if kill else float("inf"))
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            if code not in (0, 143):
                print((base / f"{name}.log").read_text()[-3000:], file=sys.stderr)
            return False, code
        if time.monotonic() >= ends:
            os.kill(child, kill[1])
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            # One that was told to leave after its last iteration ends as if it had not been.
            return code != 0, code
        time.sleep(0.005)


def _weights(folder: Path) -> dict:
    """All weights that a run leaves: final, and best where it keeps them apart."""
    import torch

    found = {}
    for path in sorted(folder.rglob("*.pth")):
        weights = torch.load(path, map_location="cpu", weights_only=True)["weights"]
        found |= {f"{path.relative_to(folder)}:{name}": value for name, value in weights.items()}
    return found


if __name__ == "__main__":
    sys.exit(main())

"""Fuzz of everything that reads a file: damaged seeds must give a picture or one clear line.

Run it long by hand: ``python tests/images/fuzz_images.py --cases 100000``. Cases are numbered, and each is made from
its number alone, so ``--first N --cases 1`` repeats one.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from image_seeds import PLANTED, seeds

from spinetk.errors import InputError

SECONDS_PER_CASE = 10
INTERESTING = (
    b"\0\0",
    b"\xff\xff",
    b"\xff\xff\xff\xff",
    b"\0\0\0\x80",
    b"\x7f\xff\xff\xff",
    b"\x01\0",
    b"\xfe\xff\xdd\xe0",
)


def mutate(rng: random.Random, found: dict[str, bytes]) -> tuple[str, bytes]:
    """A seed with one to eight faults: bits flipped, runs overwritten, cut, removed, doubled or spliced."""
    name = rng.choice(list(found))
    data = bytearray(found[name])
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        if not data:
            break
        # Headers decide most: half of the faults go to the first kilobyte.
        at = rng.randrange(min(len(data), 1024) if rng.random() < 0.5 else len(data))
        run = rng.choice((1, 2, 4, 8, 64, 512))
        fault = rng.randrange(8)
        if fault == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif fault == 1:
            data[at] = rng.randrange(256)
        elif fault == 2:
            value = rng.choice(INTERESTING)
            data[at : at + len(value)] = value
        elif fault == 3:
            del data[at:]
        elif fault == 4:
            del data[at : at + run]
        elif fault == 5:
            data[at:at] = data[at : at + run]
        elif fault == 6:
            other = found[rng.choice(list(found))]
            start = rng.randrange(len(other))
            data[at : at + run] = other[start : start + run]
        else:
            data[at : at + run] = rng.randbytes(min(run, 64))
    return name, bytes(data)


def check(path: Path) -> str:
    """Read one file every way there is.

    Returns:
        ``read`` or ``refused``.

    Raises:
        AssertionError: Something came out that should not have.
    """
    import numpy as np

    from spinetk.images import read_picture, to_uint8
    from spinetk.images.identity import case_id
    from spinetk.images.info import describe, render
    from spinetk.reading import Reading

    said: list[str] = []
    outcome = "refused"
    if path.suffix == ".json":
        try:
            Reading.from_json(json.loads(path.read_bytes()), path.name)
            return "read"
        except (InputError, json.JSONDecodeError, UnicodeDecodeError, RecursionError):
            return "refused"
    try:
        picture = read_picture(path)
        window = to_uint8(picture.pixels, picture.padding)
        assert picture.pixels.dtype == np.float32, "pixels are not float32"
        assert picture.pixels.ndim == 2, "pixels are not (H, W)"
        assert window.shape == picture.pixels.shape, "window changed the size"
        said.extend(picture.remarks)
        outcome = "read"
    except InputError as error:
        said.append(str(error))
    try:
        content = describe(path)
        said += [json.dumps(content, allow_nan=False), render(content)]
    except InputError as error:
        said.append(str(error))
    said.append(case_id(path, "salt") if path.stat().st_size else "")
    for text in said:
        assert not any(planted in text for planted in PLANTED), "patient text came out"
    return outcome


def run(first: int, cases: int, log: Path) -> dict[str, int]:
    """Run cases in this process, noting each number in ``log`` before it starts."""
    found = seeds()
    counts = {"read": 0, "refused": 0}
    slowest, greediest = (0.0, 0), (0, 0)
    resident: list[int] = []
    with tempfile.TemporaryDirectory() as folder, open(log, "w", encoding="ascii") as notes:
        for number in range(first, first + cases):
            name, data = mutate(random.Random(number), found)
            path = Path(folder) / name
            path.write_bytes(data)
            notes.seek(0)
            notes.write(f"{number:>12}")
            notes.flush()
            faulthandler.dump_traceback_later(SECONDS_PER_CASE, exit=True)
            start, peak = time.monotonic(), _peak_mb()
            counts[check(path)] += 1
            slowest = max(slowest, (round(time.monotonic() - start, 2), number))
            greediest = max(greediest, (_peak_mb() - peak, number))
            faulthandler.cancel_dump_traceback_later()
            if (number - first) % max(cases // 10, 1) == 0:
                resident.append(round(_resident_mb()))
    # Caches fill in the first half; what grows in the second half would grow for ever.
    counts["late_growth_mb"] = resident[-1] - resident[len(resident) // 2]
    counts["peak_mb"] = _peak_mb()
    print(f"slowest {slowest[0]} s (case {slowest[1]}), greediest {greediest[0]} MB (case {greediest[1]})")
    print("resident MB at every tenth of the run:", *resident)
    return counts


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> int:
    """Supervise workers: a worker that dies or hangs is a failure of the case it was at, and the next one goes on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        print(json.dumps(run(args.first, args.cases, args.worker)))
        return 0
    at, end, failures, start = args.first, args.first + args.cases, [], time.monotonic()
    totals: dict[str, int] = {"read": 0, "refused": 0}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "case"
        while at < end and len(failures) < 50:
            count = min(20_000, end - at)
            command = [sys.executable, __file__, "--first", str(at), "--cases", str(count), "--worker", str(log)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                at += count
                result = json.loads(done.stdout.splitlines()[-1])
                noise = done.stderr.strip()
                totals["noisy_workers"] = totals.get("noisy_workers", 0) + bool(noise)
                for key, value in result.items():
                    totals[key] = max(totals.get(key, 0), value) if key.endswith("_mb") else totals.get(key, 0) + value
                print(*done.stdout.splitlines()[:-1], sep="\n")
                print(f"{at - args.first} cases", totals, "stderr:" if noise else "", noise[-300:], flush=True)
            else:
                number = int(log.read_text())
                failures.append(number)
                print(f"FAILED at case {number} (exit {done.returncode})\n{done.stderr[-1500:]}", flush=True)
                totals["read"] += number - at  # not told apart: the worker died before it could count
                at = number + 1
    seconds = time.monotonic() - start
    print(f"{at - args.first} cases in {seconds:.0f} s, {len(failures)} failures {failures}", totals)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

"""What one film costs: two checkouts side by side, in fresh processes that take turns.

    python benchmarks/light.py OLD NEW FILM [--view ap] [--runs 3]

OLD and NEW are checkouts; both run in the Python that runs this. Printed: the least processor time (user + system) and
the peak memory of each command, and NEW / OLD. A first run of each fills the caches and is not counted.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

CALL = "from spinetk import eval_img; eval_img(None, {film!r}, {out!r}, view={view!r})"


def cost(arguments: list[str], checkout: Path) -> tuple[float, float]:
    """Processor seconds and peak MB of one process, its children included in the seconds."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    pid = os.posix_spawn(
        sys.executable, [sys.executable, "-P", *arguments], environment,  # -P: not what lies here
        file_actions=[(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (1, 2)],
    )  # fmt: skip
    _, status, used = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"{checkout}: {' '.join(arguments)} ended with {os.waitstatus_to_exitcode(status)}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("film", type=Path)
    parser.add_argument("--view", default="ap")
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    film, checkouts = str(options.film.resolve()), (options.old.resolve(), options.new.resolve())
    print("| command | processor s, old | new | ratio | peak MB, old | new | ratio |\n|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        verb = ["-m", "spinetk"]
        for name, arguments in (
            ("predict FILM", [*verb, "predict", film, "--view", options.view, "-o", "{folder}"]),
            ("eval_img, first call", ["-c", CALL.format(film=film, out=f"{folder}/out.png", view=options.view)]),
            ("--help", [*verb, "--help"]),
            ("info FILM", [*verb, "info", film]),
            ("models", [*verb, "models"]),
        ):
            rows: tuple[list[tuple[float, float]], ...] = ([], [])
            for run in range(options.runs + 1):
                for place, checkout in enumerate(checkouts):
                    out = f"{folder}/{place}-{run}"  # a folder of its own: nothing is there to be resumed
                    found = cost([text.replace("{folder}", out) for text in arguments], checkout)
                    if run:
                        rows[place].append(found)
            (old, old_mb), (new, new_mb) = (tuple(min(own[k] for own in side) for k in (0, 1)) for side in rows)
            print(
                f"| `{name}` | {old:.2f} | {new:.2f} | {new / old:.2f} "
                f"| {old_mb:.0f} | {new_mb:.0f} | {new_mb / old_mb:.2f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()

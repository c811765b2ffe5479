"""What reading costs: two checkouts side by side, in fresh processes that take turns.

    python benchmarks/light.py OLD NEW FILM [--view ap] [--runs 3] [--warm 8] [--folder FOLDER] [--yolo VENV/bin/yolo]
        [--install] [--only ROW ...]

OLD and NEW are checkouts; both run in the Python that runs this, which has what both need. Printed: the least processor
time (user + system, one thread) and the peak memory of each command, and NEW / OLD. A first run of each fills the
caches and is not counted. A further film is what each of ``--warm`` copies costs after the first, in one ``predict``.

``--folder``: pictures a second of ``predict FOLDER`` with all cores, both as they are, twice in turns and the better
of each, with the processor time a picture: what else runs on the machine takes from the former and hardly from the
latter. ``--yolo``: NEW beside ``yolo pose predict`` of Ultralytics, YOLO11n-pose with random weights at 1024 px on the
same film, installed in an environment of its own. ``--install``: a clone of each, installed to read pictures into a
fresh environment (OLD knows one way only) and used once, with the wheels in pip's cache after a first time: OLD needs
30 GB of disk for it. ``--only``: rows whose names begin so.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

CALL = "from spinetk import eval_img; eval_img(None, {film!r}, {out!r}, view={view!r})"
VERB = [sys.executable, "-P", "-m", "spinetk"]  # -P: not what lies here
YOLO = ["pose", "predict", "model=yolo11n-pose.yaml", "imgsz=1024", "device=cpu", "verbose=False", "exist_ok=True"]
CACHE = Path(tempfile.gettempdir()) / "spinetk-light-bytecode"
Cost = tuple[float, float]  # processor seconds, peak MB


def cost(command: list[str], checkout: Path | None, threads: int | None = 1) -> Cost:
    """Of one process; its children are in the seconds."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(CACHE)  # compiled once, as after an installation
    if checkout is not None:
        environment["PYTHONPATH"] = str(checkout)
    if threads is not None:
        environment["OMP_NUM_THREADS"] = str(threads)
    pid = os.posix_spawn(
        command[0], command, environment,
        file_actions=[(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (1, 2)],
    )  # fmt: skip
    _, status, used = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"{checkout}: {' '.join(command)} ended with {os.waitstatus_to_exitcode(status)}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def least(rows: list[Cost]) -> Cost:
    """The least seconds and the least memory."""
    return min(row[0] for row in rows), min(row[1] for row in rows)


def compare(name: str, runs: int, only: list[str], old: Callable[[str], Cost], new: Callable[[str], Cost]) -> None:
    """Print a row of the table; each is called with the name of the run, the first not counted."""
    if not name.strip("`").startswith(tuple(only)):
        return
    rows: tuple[list[Cost], list[Cost]] = ([], [])
    for run in range(runs + 1):
        for place, once in enumerate((old, new)):
            found = once(f"{place}-{run}")
            if run:
                rows[place].append(found)
    (a, a_mb), (b, b_mb) = map(least, rows)
    print(f"| {name} | {a:.2f} | {b:.2f} | {b / a:.2f} | {a_mb:.0f} | {b_mb:.0f} | {b_mb / a_mb:.2f} |", flush=True)


def warm(checkout: Path, films: list[Path], view: str, folder: Path, *more: str) -> Cost:
    """What each film after the first costs, in one process."""
    few, _ = cost([*VERB, "predict", str(films[0]), "--view", view, "-o", f"{folder}-1"], checkout)
    many, mb = cost([*VERB, "predict", *map(str, films), "--view", view, "-o", f"{folder}-n", *more], checkout)
    return (many - few) / (len(films) - 1), mb


def rate(checkout: Path, folder: Path, view: str, out: Path) -> tuple[float, float]:
    """Pictures a second of a folder, and processor seconds a picture."""
    started = time.perf_counter()
    spent, _ = cost([*VERB, "predict", str(folder), "--view", view, "-o", str(out)], checkout, None)
    taken = time.perf_counter() - started
    count = sum(path.name != "run.json" for path in out.glob("*.json"))
    shutil.rmtree(out)
    return count / taken, spent / count


def install(checkout: Path, place: Path, film: str, view: str, options: str) -> tuple[float, float]:
    """Seconds and processor seconds from a clone to the first reading; the second time, with the wheels there."""
    wheels, clone = shlex.quote(str(place / "wheels")), place / "clone"
    environment = f"env -u VIRTUAL_ENV -u PYTHONPATH -u PIP_NO_CACHE_DIR PIP_CACHE_DIR={wheels}"
    steps = [
        f"git clone -q {shlex.quote(str(checkout))} {shlex.quote(str(clone))}",
        f"cd {shlex.quote(str(clone))}",
        f"{environment} ./install.sh {options}",
        f"{environment} .venv/bin/spinetk predict {shlex.quote(film)} --view {view} -o out",
    ]
    for _ in range(2):
        started = time.perf_counter()
        spent, _ = cost(["/bin/bash", "-c", " && ".join(steps)], None, None)
        taken = time.perf_counter() - started
        shutil.rmtree(clone)
    return taken, spent


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("film", type=Path)
    parser.add_argument("--view", default="ap")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--warm", type=int, default=8)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--yolo", type=Path)
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--only", nargs="+", default=[""], metavar="ROW", help="start of the names of rows")
    options = parser.parse_args()
    film, view, (old, new) = str(options.film.resolve()), options.view, (options.old.resolve(), options.new.resolve())
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        for checkout in (old, new):  # what `measure` and `report` are given
            cost([*VERB, "predict", film, "--view", view, "-o", str(place / checkout.name)], checkout)

        def both(title: str, command: list[str]) -> None:
            """A row of a command; ``{out}`` and ``{results}`` in it become folders."""
            once = [
                lambda run, own=own: cost(
                    [text.format(out=place / f"out-{run}", results=place / own.name) for text in command], own
                )
                for own in (old, new)
            ]
            compare(title, options.runs, options.only, *once)
            for left in place.glob("out-*"):
                shutil.rmtree(left, ignore_errors=True)

        print(
            "| command | processor s, old | new | ratio | peak MB, old | new | ratio |\n|---|---|---|---|---|---|---|"
        )
        both("`predict FILM`", [*VERB, "predict", film, "--view", view, "-o", "{out}"])
        call = CALL.format(film=film, out=str(place / "overlay.png"), view=view)
        both("`eval_img`, first call", [sys.executable, "-P", "-c", call])
        films = [place / f"film-{k}{options.film.suffix}" for k in range(options.warm + 1)]
        for copy in films:
            shutil.copy(film, copy)
        compare(
            "a further film of `predict`", options.runs, options.only,
            lambda run: warm(old, films, view, place / f"warm-{run}"),
            lambda run: warm(new, films, view, place / f"warm-{run}", "--workers", "1"),
        )  # fmt: skip
        both("`--help`", [*VERB, "--help"])
        both("`info FILM`", [*VERB, "info", film])
        both("`models`", [*VERB, "models"])
        both("`measure RESULTS`", [*VERB, "measure", "{results}"])
        both("`report RESULTS`", [*VERB, "report", "{results}", "-o", "{out}"])
        if options.yolo:
            yolo = [str(options.yolo), *YOLO, f"source={film}", f"project={place}"]
            print(
                "\n| | processor s, yolo | new | ratio | peak MB, yolo | new | ratio |\n|---|---|---|---|---|---|---|"
            )
            compare(
                "one film, cold", options.runs, options.only, lambda run: cost(yolo, None),
                lambda run: cost([*VERB, "predict", film, "--view", view, "-o", str(place / f"y-{run}")], new),
            )  # fmt: skip
            many = [str(options.yolo), *YOLO, f"source={place}/film-*{options.film.suffix}", f"project={place}"]
            compare(
                "one film more", options.runs, options.only,
                lambda run: ((cost(many, None)[0] - cost(yolo, None)[0]) / options.warm, cost(many, None)[1]),
                lambda run: warm(new, films, view, place / f"yw-{run}", "--workers", "1"),
            )  # fmt: skip
        if options.folder:
            print(f"\n| {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} | old | new | ratio |\n|---|---|---|---|")
            turns = [[rate(own, options.folder.resolve(), view, place / "folder") for own in (old, new)] for _ in "12"]
            a, b = (max(speed for speed, _ in own) for own in zip(*turns, strict=True))
            print(f"| pictures a second | {a:.2f} | {b:.2f} | {b / a:.2f} |")
            a, b = (min(spent for _, spent in own) for own in zip(*turns, strict=True))
            print(f"| processor s a picture | {a:.3f} | {b:.3f} | {b / a:.2f} |", flush=True)
        if options.install:
            print(f"\n| clone to first reading, load {os.getloadavg()[0]:.1f} | old | new | ratio |\n|---|---|---|---|")
            (a, a_cpu), (b, b_cpu) = (
                install(own, place / "install", film, view, how) for own, how in ((old, ""), (new, "--reader"))
            )
            print(f"| s | {a:.0f} | {b:.0f} | {b / a:.2f} |")
            print(f"| processor s | {a_cpu:.0f} | {b_cpu:.0f} | {b_cpu / a_cpu:.2f} |")
    shutil.rmtree(CACHE, ignore_errors=True)


if __name__ == "__main__":
    main()

"""Share of small breaks of the code that a test notices: mutmut over a random sample of the breaks of each room.

python benchmarks/mutation_score.py [--sample 100] [--seed 0] [--room measure ...] [--folder FOLDER]

A room is broken in a copy of the checkout, and its own tests are run against each break. Those that only look for
crashes are left out, as they notice a wrong number by luck, and so are those that start programs, which run the code
unbroken. Prints a table by room, and every break that no test noticed as a diff. With ``--folder`` the copies stay, and
what is known of tests and breaks is used again.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("spinetk", "tests", "docs", "README.md", "pyproject.toml")
OUTCOMES = {0: "survived", 33: "not reached", 5: "not reached"}  # exit codes of mutmut; all others are a break noticed
POINTS = (
    *("calibration", "chain", "completion", "counting", "edge", "ends", "exposure", "further_look", "heatmap"),
    *("level_decoding", "logistic", "matching", "metal", "naming", "quantities", "sacral_spread", "sacrum"),
    *("second_look", "spread"),
    *("centre/column", "centre/crop", "centre/decoding", "centre/landmarks", "centre/strip", "centre/target"),
)
"""Of ``keypoints/``: what becomes of a network's maps, without networks and trainings."""
POINT_TESTS = (
    *("canvas", "centre", "centre_column", "centre_landmarks", "chain", "completion", "counting", "edge", "ends"),
    *("exposure", "heatmap", "matching", "metal", "naming", "sacral_spread", "sacrum", "second_look", "sequence"),
    "spread",
)
ROOMS: dict[str, tuple[list[str], list[str]]] = {
    "measure": (["spinetk/measure/*"], ["tests/measure/"]),
    "geometry": (
        ["spinetk/geometry.py", "spinetk/upright.py"],
        ["tests/test_geometry.py", "tests/test_geometry_frame.py"],
    ),
    "schema": (["spinetk/schema.py"], ["tests/test_schema.py"]),
    "formats": (["spinetk/formats/*"], ["tests/formats/"]),
    "images": (["spinetk/images/*"], ["tests/images/"]),
    "discs": (["spinetk/discs/*"], ["tests/discs/"]),
    "segmentation": (["spinetk/segmentation/*"], ["tests/segmentation/"]),
    "keypoints": (
        [f"spinetk/keypoints/{name}.py" for name in POINTS],
        [f"tests/keypoints/test_{name}.py" for name in POINT_TESTS],
    ),
    "cases": (["spinetk/cases/*"], ["tests/cases/"]),
    "report": (["spinetk/report/*"], ["tests/report/"]),
    "review": (["spinetk/review/*"], ["tests/review/"]),
    "batch": (["spinetk/batch/*"], ["tests/batch/"]),
    "node": (["spinetk/node/*"], ["tests/node/"]),
    "training": (["spinetk/training/*"], ["tests/training/"]),
}
"""Code and tests of each room."""
LEFT_OUT = (
    "tests/images/test_images_fuzz.py",
    "tests/formats/test_formats_fuzz.py",
    "tests/images/test_images_hostile.py",
)


def copy(room: str, folder: Path) -> None:
    """The checkout, with settings of mutmut for a room."""
    for name in COPIED:
        source, target = ROOT / name, folder / name
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    code, tests = ROOMS[room]
    settings = {
        "source_paths": ["spinetk/"], "only_mutate": code, "also_copy": ["tests/", "docs/", "README.md"],
        "pytest_add_cli_args": [f"--ignore={path}" for path in LEFT_OUT],
        "pytest_add_cli_args_test_selection": tests,
    }  # fmt: skip
    with open(folder / "pyproject.toml", "a", encoding="utf-8") as file:
        file.write("\n[tool.mutmut]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))


def mutmut(folder: Path, *arguments: str) -> str:
    """What a call of mutmut prints."""
    done = _mutmut(folder, *arguments)
    if done.returncode:
        sys.exit(done.stdout[-3000:] + done.stderr[-3000:])
    return done.stdout


def _mutmut(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str((folder / "mutants").resolve()), "OMP_NUM_THREADS": "1"}
    environment["SPINETK_HOME"] = str(ROOT / "data/weights")  # the copy holds no weights
    command = [str(Path(sys.executable).parent / "mutmut"), *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def outcomes(folder: Path) -> dict[str, int | None]:
    """Exit code of every break that mutmut made; None for those that were not tried."""
    found: dict[str, int | None] = {}
    for path in sorted((folder / "mutants").rglob("*.meta")):
        found |= json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
    return found


def tried(room: str, folder: Path, count: int, seed: int) -> tuple[int, dict[str, str]]:
    """How many breaks a room has, and what became of a sample of them, the same for the same seed and code."""
    copy(room, folder)
    if not outcomes(folder):
        # Asked for a break that there is not, it makes all and learns which tests reach them before it says so.
        _mutmut(folder, "run", "--max-children", "1", "no such break")
    names = sorted(outcomes(folder))
    sample = random.Random(f"{seed} {room}").sample(names, min(count, len(names)))
    mutmut(folder, "run", "--max-children", "1", *sample)
    codes = outcomes(folder)
    return len(names), {name: OUTCOMES.get(codes[name], "noticed") for name in sample}


def row(room: str, total: int, found: dict[str, str]) -> str:
    """A line of the table."""
    counts = Counter(found.values())
    numbers = [counts[kind] for kind in ("noticed", "survived", "not reached")]
    return f"| {room} | {total} | {len(found)} | {' | '.join(map(str, numbers))} | {numbers[0] / len(found):.0%} |"


def main() -> None:
    """Sample, run, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=100, help="breaks of each room")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--room", action="append", choices=ROOMS, help="only these")
    parser.add_argument("--folder", type=Path, help="for the copies, which stay")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        base = options.folder or Path(scratch)
        print("| room | breaks | tried | noticed | not noticed | not reached | share |\n|---|---|---|---|---|---|---|")
        whole, everything, lines = 0, {}, []
        for room in options.room or ROOMS:
            total, found = tried(room, base / room, options.sample, options.seed)
            print(row(room, total, found), flush=True)
            whole, everything = whole + total, everything | found
            for name in [name for name in found if found[name] != "noticed"]:
                shown = mutmut(base / room, "show", name).splitlines()
                lines += ["", f"{found[name]}: {name}"]
                lines += [line for line in shown if line[:1] in "+-" and line[:3] not in ("+++", "---")]
        print(row("all", whole, everything))
        print(*lines, sep="\n")


if __name__ == "__main__":
    main()

"""Every verb, and with --notebooks every notebook, where there is no network at all.

    python benchmarks/offline.py [--notebooks] [--only VERB or NUMBER ...]

Runs itself again in a network namespace of Linux that holds nothing but loopback (``unshare --net``, as root or where
users may make such), so that not only Python's sockets have nowhere to go. Verbs are run on small phantoms one after
the other, as a user would; each must end with the exit code given here, and none may wait for anybody. A verb of the
command line that is not tried here is a fault.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMESPACE = ["unshare", "--net", "--map-root-user", "sh", "-c", 'ip link set lo up; exec "$@"', "sh"]
LIMIT_S = 600.0
ABOUT = 'task = "{}"\nlicence = "Apache-2.0"\nuse = "tests"\ndata = "phantoms"\ncommand = "none"\nviews = ["lateral"]\n'
FILM = "films/phantom-0001/src/0/src-0.png"
DISCS = "disc-run/model_final.pth"
SHORT = ["--iterations", "2", "--device", "cpu"]
VERBS: list[tuple[list[str], int]] = [
    (["phantom", "-o", "cases", "--cases", "6", "--width", "128"], 0),
    (["phantom", "-o", "films", "--cases", "1"], 0),
    (["info", FILM], 0),
    (["models"], 0),
    (["prepare", "cases", "--from", "ours", "-o", "prepared"], 0),
    (["augment", "cases", "--copies", "1", "--hardware-copies", "1"], 0),
    (["split", "cases"], 0),
    (["coco", "cases", "-o", "coco.json"], 0),
    (["train", "cases", "--preset", "fast", "--batch", "1", *SHORT, "-o", "run"], 0),
    (["evaluate", "cases", "--model", "run/model_final.pth", "--worst", "1"], 0),
    (["release", "run/model_final.pth", "mine", "--cases", "cases", "--about", "keypoints.toml", "-o", "home"], 0),
    (["predict", FILM, "--model", "xray-lateral", "-o", "results"], 0),  # not the one of two iterations
    (["measure", "results", "-o", "measured"], 0),
    (["report", "results", "-o", "pages"], 0),
    (["agree", "results", "measured"], 0),
    (["convert", "run/model_final.pth", "-o", "theirs.pth"], 2),  # no R50-FPN, which alone goes to Detectron2
    (["export", "phantom-fast", "-o", "graphs"], 2),  # no centre network
    (["export", "xray-lateral", "-o", "graphs"], 0),
    (["discs", "phantom", "-o", "bids", "--cases", "4"], 0),
    (["discs", "prepare", "cases", "-o", "disc-cases"], 2),  # no BIDS
    (["discs", "train", "data/discs", "--epochs", "1", "--stacks", "1", "--device", "cpu", "-o", "disc-run"], 0),
    (
        [
            "discs",
            "evaluate",
            "data/discs",
            "--model",
            "disc-run/model_final.pth",
            "--part",
            "val",
            "-o",
            "disc-scores",
        ],
        0,
    ),
    (["discs", "release", DISCS, "mine-discs", "--about", "discs.toml", "-o", "home"], 0),
    (["discs", "predict", FILM, "--spacing", "1", "-o", "discs"], 0),
    (["segment", "phantom", "-o", "atria", "--cases", "4"], 0),
    (["segment", "train", "data/atria", *SHORT, "-o", "atrium-run"], 0),
    (["segment", "predict", "data/atria/raw", "-o", "masks"], 0),
    (["segment", "evaluate", "data/atria", "--model", "atrium-run", "--part", "all", "-o", "scores"], 0),
    (
        ["segment", "release", "atrium-run", "mine-atrium", "--about", "atrium.toml", "-o", "home"],
        2,
    ),  # too large for a release
    (["serve", "cases", "--port", "0", "-o", "reviewed"], 143),
    (["node", "--dry-run", "--folder", "node", "--port", "11999"], 0),
    (["node", "status", "--folder", "node"], 0),
    (["node", "retry", "--folder", "node"], 0),
]
"""Commands with their exit codes; those that serve are told to leave once they have been asked."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--notebooks", action="store_true")
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.inside:
        return subprocess.run([*NAMESPACE, sys.executable, __file__, "--inside", *sys.argv[1:]], check=False).returncode
    try:
        socket.create_connection(("192.0.2.1", 80), timeout=5).close()
    except OSError as error:
        print(f"no network: {error}")
    else:
        raise SystemExit("there is a network")
    if options.notebooks:
        found = sorted((ROOT / "notebooks").glob("*.ipynb"))
        notebooks = [str(path) for path in found if not options.only or path.name.startswith(tuple(options.only))]
        command = [sys.executable, "-m", "pytest", "-q", "--nbmake", "--nbmake-timeout=900", *notebooks]
        return subprocess.run(command, cwd=ROOT, check=False).returncode
    faults = [f"{verb}: not tried" for verb in missing()]
    with tempfile.TemporaryDirectory() as scratch:
        write_inputs(Path(scratch))
        for command, code in VERBS:
            if options.only and command[0] not in options.only:
                continue
            begun = time.monotonic()
            found, said = run(command, Path(scratch))
            fault = "" if found == code else f"exit code {found}, not {code}: {said[-300:]}"
            if any(word in said for word in ("Traceback", "Name or service", "resolve", "unreachable")):
                fault = fault or f"speaks of a network: {said[-300:]}"
            took = time.monotonic() - begun
            print(f"{' '.join(command[:2]):<20}{took:>7.1f} s  {fault or 'as it should'}", flush=True)
            faults += [f"{' '.join(command)}: {fault}"] if fault else []
    print("\n".join(faults) if faults else "every verb runs without a network")
    return 1 if faults else 0


def missing() -> list[str]:
    """Verbs of the command line that are not in the list."""
    from importlib import import_module

    from typer.main import get_command

    from spinetk.rooms import GROUPS, HOMES

    known = [verb for verb in HOMES if verb not in GROUPS or verb == "node"]
    known += [f"{group} {verb}" for group in GROUPS for verb in get_command(import_module(GROUPS[group]).app).commands]
    tried = {" ".join(command[:count]) for command, _ in VERBS for count in (1, 2)}
    return [verb for verb in known if verb not in tried]


def write_inputs(scratch: Path) -> None:
    """Cards' words, and small sets of discs and atria."""
    import small_runs

    small_runs.write_data(scratch / "data")
    for task in ("keypoints", "discs", "atrium"):
        (scratch / f"{task}.toml").write_text(ABOUT.format(task))


def run(command: list[str], scratch: Path) -> tuple[int | None, str]:
    """Exit code and words of a verb; what serves is let be for some seconds, then told to leave."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "SPINETK_HOME": str(scratch / "home")}
    serves = command[0] == "serve" or command[:2] == ["node", "--dry-run"]
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "spinetk", *command], cwd=scratch, env=environment, stdout=said, stderr=said
        )
        try:
            process.wait(30.0 if serves else LIMIT_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGTERM if serves else signal.SIGKILL)
            process.wait()
        said.seek(0)
        return process.returncode, said.read()


if __name__ == "__main__":
    sys.exit(main())

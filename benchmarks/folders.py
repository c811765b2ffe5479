"""Batches by command: kills at random moments, what dealing inputs out costs, and films a second.

    python benchmarks/folders.py kills [--kills 100] [--inputs 200] [--workers 1 | --dask] [--seed 0]
    python benchmarks/folders.py cost  [--inputs 10000] [--lose 2]
    python benchmarks/folders.py films [--inputs 60]

``kills`` starts a batch again and again and gives it SIGKILL at random moments, until one start comes to its end; the
results must be those of an unbroken run, byte for byte, each input done once; with ``--dask`` it is one of four that is
killed, by chance: the batch, the scheduler, either worker; whichever is gone is started again. ``cost`` prints what an
input costs beside its work in this process, in two processes, and on a Dask cluster of two workers, of which ``--lose``
are killed on the way, one after the other; nothing may be lost or doubled. The time of a cluster holds the start of its
workers and of those in place of the killed ones; the processor time is that of this process alone, with Dask's client
and scheduler, whatever else the machine does. Exit code 1 when something was. Both do work that needs no model.

``films`` reads phantom films by ``spinetk predict`` with the released model: in one process, which computes on one
core, in two (``--workers 2``) and by two Dask workers behind a scheduler (``--scheduler``). Printed are pictures a
second between the first result and the last, so without the start of processes, and what they are of one process's.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "batch")]

from toywork import make  # noqa: E402

from spinetk.batch.cluster import Cluster  # noqa: E402
from spinetk.batch.opening import open_pool  # noqa: E402
from spinetk.batch.pools import Here, Processes  # noqa: E402
from spinetk.batch.run import run_batch  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    kill = verbs.add_parser("kills")
    kill.add_argument("--kills", type=int, default=100)
    kill.add_argument("--inputs", type=int, default=200)
    kill.add_argument("--workers", type=int, default=1)
    kill.add_argument("--seed", type=int, default=0)
    kill.add_argument("--dask", action="store_true")
    pay = verbs.add_parser("cost")
    pay.add_argument("--inputs", type=int, default=10_000)
    pay.add_argument("--lose", type=int, default=2)
    real = verbs.add_parser("films")
    real.add_argument("--inputs", type=int, default=60)
    one = verbs.add_parser("one", help="a batch, for the others")
    one.add_argument("folder")
    one.add_argument("out")
    one.add_argument("workers", help="how many, or the address of a scheduler")
    options = parser.parse_args()
    if options.verb == "one":
        number = int(options.workers) if options.workers.isdecimal() else None
        with open_pool(number, None if number else options.workers) as pool:
            batch(Path(options.folder), Path(options.out), pool)
        return 0
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as scratch:
        if getattr(options, "dask", False):
            return dask_kills(options, Path(scratch))
        return {"kills": kills, "cost": cost, "films": films}[options.verb](options, Path(scratch))


def batch(folder: Path, out: Path, pool) -> None:
    files = sorted(map(str, folder.glob("*.txt")))
    run_batch(files, out, partial(make), {"settings": 1}, pool=pool, progress=False)


def write(folder: Path, count: int, text: str = "") -> None:
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:05d}.txt").write_text(text + "x" * (number % 97))


def kills(options: argparse.Namespace, scratch: Path) -> int:
    write(scratch / "in", options.inputs, "slow")
    batch(scratch / "in", scratch / "whole", Here())
    chance, done, finished = random.Random(options.seed), 0, 0
    rounds = []
    while done < options.kills:
        out = scratch / f"out{len(rounds)}"
        command = [sys.executable, __file__, "one", str(scratch / "in"), str(out), str(options.workers)]
        while True:
            process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
            try:
                process.wait(chance.uniform(0.3, 8.0))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                done += 1
                continue
            if process.returncode == 0:
                break
            # Worker processes of the one that was killed still end; then the folder is free.
            time.sleep(0.2)
        finished += 1
        rounds.append(out)
    faults = sum(not same(scratch / "whole", out, options.inputs) for out in rounds)
    print(f"{done} kills over {finished} runs of {options.inputs} inputs, {options.workers} workers: {faults} differ")
    return 1 if faults else 0


def dask_kills(options: argparse.Namespace, scratch: Path) -> int:
    write(scratch / "in", options.inputs, "slow")
    batch(scratch / "in", scratch / "whole", Here())
    chance, tally, faults, finished = random.Random(options.seed), Counter(), 0, 0
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    scheduler = ["dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    worker = ["dask_worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard", "--local-directory"]
    commands = {
        "scheduler": [sys.executable, "-m", f"distributed.cli.{scheduler[0]}", *scheduler[1:]],
        "first worker": [sys.executable, "-m", f"distributed.cli.{worker[0]}", *worker[1:], str(scratch / "1")],
        "second worker": [sys.executable, "-m", f"distributed.cli.{worker[0]}", *worker[1:], str(scratch / "2")],
    }
    running: dict[str, subprocess.Popen] = {}
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests" / "batch")])}
    try:
        while sum(tally.values()) < options.kills:
            out = scratch / f"out{finished}"
            batch_of = [sys.executable, __file__, "one", str(scratch / "in"), str(out), address]
            for name, command in {**commands, "batch": batch_of}.items():
                if name not in running or running[name].poll() is not None:
                    running[name] = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment)
            try:
                code = running["batch"].wait(chance.uniform(1.0, 15.0))
            except subprocess.TimeoutExpired:
                name = chance.choice(sorted(running))
                running[name].kill()
                running[name].wait()
                tally[name] += 1
                continue
            if code == 0:
                finished += 1
                faults += not same(scratch / "whole", out, options.inputs)
    finally:
        for process in running.values():
            process.kill()
            process.wait()
    killed = ", ".join(f"{name} {count}" for name, count in sorted(tally.items()))
    print(f"{sum(tally.values())} kills ({killed}) over {finished} runs of {options.inputs} inputs: {faults} differ")
    return 1 if faults or not finished else 0


def same(whole: Path, out: Path, count: int) -> bool:
    """Whether two folders hold the same results, and one its inputs once each."""
    results = [{p.name: p.read_bytes() for p in folder.glob("*.json")} for folder in (whole, out)]
    lines = [json.loads(line) for line in (out / "journal.jsonl").read_text().splitlines() if line.endswith("}")]
    names = [line["input"] for line in lines if line.get("state") == "done"]
    return results[0] == results[1] and len(results[1]) == count and len(names) == len(set(names)) == count


def cost(options: argparse.Namespace, scratch: Path) -> int:
    from distributed import Client, LocalCluster

    write(scratch / "in", options.inputs)
    files, work = sorted((scratch / "in").glob("*.txt")), make()
    (scratch / "bare").mkdir()
    started = time.perf_counter()
    for file in files:
        work(file, str(file), scratch / "bare", file.stem)
    bare = (time.perf_counter() - started) / len(files)
    print(f"the work itself: {bare * 1e3:.2f} ms an input")
    faults = 0
    for name in ("this process", "two processes", "Dask, two workers"):
        out = scratch / name.replace(" ", "-")
        if name == "this process":
            pool, cluster = Here(), None
        elif name == "two processes":
            pool, cluster = Processes(2), None
        else:
            cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50)
            pool = Cluster(Client(cluster, set_as_default=False), cluster)
            lose(cluster, out, options)
        with pool:
            started, begun = time.perf_counter(), time.process_time()
            batch(scratch / "in", out, pool)
            each = (time.perf_counter() - started) / len(files)
            own = (time.process_time() - begun) / len(files)
        right = same(scratch / "this-process", out, len(files))
        faults += not right
        print(f"{name}: {each * 1e3:.2f} ms an input, {own * 1e3:.2f} ms of processor here, "
              f"nothing lost or doubled: {right}")  # fmt: skip
    return 1 if faults else 0


def lose(cluster, out: Path, options: argparse.Namespace) -> None:
    """Kill a worker when a third of the inputs are done, and so on."""
    import threading

    def watch() -> None:
        for number in range(options.lose):
            while sum(1 for _ in out.glob("*.json")) < options.inputs * (number + 1) / (options.lose + 1):
                time.sleep(0.1)
            worker = list(cluster.workers.values())[number % len(cluster.workers)]
            os.kill(worker.process.pid, 9)
            print(f"  a worker was killed after {sum(1 for _ in out.glob('*.json'))} inputs")

    threading.Thread(target=watch, daemon=True).start()


def films(options: argparse.Namespace, scratch: Path) -> int:
    from distributed import LocalCluster

    from spinetk.phantoms import lateral_radiograph, write_dicom

    (scratch / "in").mkdir()
    for seed in range(options.inputs):
        write_dicom(lateral_radiograph(seed=seed), scratch / "in" / f"{seed:05d}.dcm")
    os.environ["PYTHONPATH"] = str(ROOT)
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster:
        ways = {"one process": [], "--workers 2": ["--workers", "2"]}
        ways["Dask, two workers"] = ["--scheduler", cluster.scheduler_address]
        rates: dict[str, float] = {}
        for name, flags in ways.items():
            out = scratch / name.replace(" ", "-").replace(",", "")
            command = [sys.executable, "-m", "spinetk", "predict", str(scratch / "in"), "-o", str(out), *flags]
            subprocess.run(command, check=True, capture_output=True)
            times = sorted(path.stat().st_mtime for path in out.glob("[0-9]*.json"))
            rates[name] = (len(times) - 1) / (times[-1] - times[0])
            ratio = rates[name] / rates["one process"]
            print(f"{name}: {len(times)} pictures, {rates[name]:.2f} a second, {ratio:.2f} of one process", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The node beside a real Orthanc, by DCMTK: how long a film takes, and whether anything is ever lost or doubled.

    python benchmarks/node.py film  [--films 5] [--seed 1] [--way dimse|web]
    python benchmarks/node.py many  [--instances 1000] [--associations 4]
    python benchmarks/node.py kills [--kills 100] [--seed 0] [--films-a-kill 2]

``film`` sends phantom radiographs by storescu to `spinetk node` with the released model, and waits until SR and overlay
are in the study in Orthanc; what came back is opened by highdicom and validated by dciodvfy. ``many`` and ``kills`` use
small films and a node whose reader needs no network, so that they try the node and not the model: ``kills`` sends films
while the node gets SIGKILL at random moments, Orthanc is stopped and started, and (as root, on Linux) the disk is full.
At the end every film that was acknowledged must have exactly one SR and one overlay, and no patient name may be in any
log. Each prints its figures and the load of the machine, and exits with 1 when something was lost, doubled or wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "node")]

import films  # noqa: E402
import pydicom  # noqa: E402
from orthanc import Orthanc, free_port  # noqa: E402

PLANTED = b"PLANTED"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    one = verbs.add_parser("film")
    one.add_argument("--films", type=int, default=5)
    one.add_argument("--seed", type=int, default=1)
    one.add_argument("--way", choices=["dimse", "web"], default="dimse")
    lot = verbs.add_parser("many")
    lot.add_argument("--instances", type=int, default=1000)
    lot.add_argument("--associations", type=int, default=4)
    some = verbs.add_parser("kills")
    some.add_argument("--kills", type=int, default=100)
    some.add_argument("--seed", type=int, default=0)
    some.add_argument("--films-a-kill", type=int, default=2)
    serve = verbs.add_parser("serve", help="a node without a network, for the others")
    serve.add_argument("folder", type=Path)
    serve.add_argument("port", type=int)
    serve.add_argument("send_to")
    options = parser.parse_args()
    if options.verb == "serve":
        return serve_toy(options.folder, options.port, options.send_to)
    with tempfile.TemporaryDirectory() as scratch:
        print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        return {"film": film, "many": many, "kills": kills}[options.verb](options, Path(scratch))


def film(options: argparse.Namespace, scratch: Path) -> int:
    from spinetk.phantoms import lateral_radiograph, write_dicom

    faults: list[str] = []
    with Orthanc(scratch / "orthanc") as orthanc:
        port, seconds = free_port(), []
        command = [sys.executable, "-m", "spinetk", "node", "--folder", str(scratch / "node"), "--port", str(port)]
        with running([*command, "--send-to", getattr(orthanc, options.way)], scratch / "node.log", port):
            for number in range(options.films + 1):
                phantom = lateral_radiograph(seed=options.seed + number)
                source = write_dicom(phantom, scratch / f"{number}.dcm", patient_name="PLANTED^NAME")
                header = pydicom.dcmread(source)
                header.Modality, header.SOPClassUID = "DX", "1.2.840.10008.5.1.4.1.1.1.1"
                header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID
                header.save_as(source)
                for target in (orthanc.aet, orthanc.dicom_port), ("SPINETK", port):
                    if target[0] == "SPINETK":
                        begun = time.monotonic()
                    store(target[0], target[1], [source])
                wait_for(lambda number=number: len(orthanc.instances()) >= 3 * (number + 1), 120)
                seconds.append(time.monotonic() - begun)
        back = [held(orthanc, entry, scratch) for entry in orthanc.instances()]
    faults += validate(back)
    if PLANTED in (scratch / "node.log").read_bytes():
        faults.append("a planted name is in the log")
    studies = Counter(data.StudyInstanceUID for _, data in back)
    faults += [f"study with {count} objects" for count in studies.values() if count != 3]
    print(f"first film, model loaded with it: {seconds[0]:.2f} s")
    print(f"storescu to SR and overlay in the study, {options.way}: {', '.join(f'{s:.2f}' for s in seconds[1:])} s")
    return told(faults)


def many(options: argparse.Namespace, scratch: Path) -> int:
    sources = [films.film(scratch / f"{k}.dcm", f"1.2.9.{k}", study="1.2.9") for k in range(options.instances)]
    with Orthanc(scratch / "orthanc") as orthanc:
        port = free_port()
        with running(toy(scratch, port, orthanc.dimse), scratch / "node.log", port) as node:
            begun = time.monotonic()
            threads = [
                threading.Thread(target=store, args=("SPINETK", port, sources[k :: options.associations]))
                for k in range(options.associations)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            taken = time.monotonic() - begun
            wait_for(lambda: len(orthanc.instances()) >= 2 * len(sources), 60 + 3 * len(sources), node)
            whole = time.monotonic() - begun
            store("SPINETK", port, sources[:50])
            time.sleep(2)
        faults = compare(orthanc, {pydicom.dcmread(source).SOPInstanceUID for source in sources}, scratch)
    faults += planted(scratch)
    print(f"{len(sources)} instances over {options.associations} associations: taken in {taken:.1f} s "
          f"({len(sources) / taken:.0f} a second), results of all stored after {whole:.1f} s")  # fmt: skip
    return told(faults)


def kills(options: argparse.Namespace, scratch: Path) -> int:
    chance = random.Random(options.seed)
    folder, small = scratch / "state", os.geteuid() == 0 and sys.platform == "linux"
    folder.mkdir()
    if small:
        # A disk of its own, so that it can be filled.
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "spinetk", str(folder)], check=True)
    orthanc, port = Orthanc(scratch / "orthanc"), free_port()
    orthanc.start()
    acknowledged: set[str] = set()
    tally: Counter[str] = Counter()
    try:
        for number in range(options.kills):
            if chance.random() < 0.2:
                tally["archive away"] += 1
                orthanc.stop() if orthanc.process else orthanc.start()
            ballast = folder / "ballast"
            if small and chance.random() < 0.15:
                tally["disk full"] += 1
                fill(ballast)
            with running(toy(folder, port, orthanc.dimse), scratch / "node.log", port) as node:
                for k in range(options.films_a_kill):
                    uid = f"1.2.7.{number}.{k}"
                    source = films.film(scratch / "film.dcm", uid, study=f"1.2.7.{number}")
                    threading.Timer(
                        chance.uniform(0.0, 0.6), node.kill
                    ).start() if k == options.films_a_kill - 1 else None
                    if store("SPINETK", port, [source]):
                        acknowledged.add(uid)
                node.wait()
            ballast.unlink(missing_ok=True)
        if orthanc.process is None:
            orthanc.start()
        with running(toy(folder, port, orthanc.dimse), scratch / "node.log", port) as node:
            wait_for(lambda: idle(folder), 600, node)
        faults = compare(orthanc, acknowledged, scratch, exact=False) + planted(scratch)
        left = len(list((folder / "node" / "outbox").rglob("*.dcm")))
        faults += [f"{left} objects are left in the outbox"] if left else []
        faults += [f"a unit failed: {entry['why']}" for entry in given_up(folder)]
        trouble = f"{tally['archive away']} starts and stops of the archive, {tally['disk full']} full disks"
        sent = options.kills * options.films_a_kill
        print(f"{options.kills} kills ({trouble}): {len(acknowledged)} films acknowledged of {sent} sent")
    finally:
        orthanc.stop()
        if small:
            subprocess.run(["umount", str(folder)], check=False)
    return told(faults)


def serve_toy(folder: Path, port: int, send_to: str) -> int:
    """A node that finds one vertebra in every film, at once; it tries again after a tenth of a second at first."""
    import logging

    from spinetk.node import sending
    from spinetk.node.service import Node
    from spinetk.node.settings import NodeSettings
    from spinetk.pacs import parse_address

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sending.FIRST_WAIT_S = 0.1
    sending.LONGEST_WAIT_S = 1.0
    settings = NodeSettings(folder=folder, port=port, send_to=parse_address(send_to)).checked()
    node = Node(settings, films.read, lambda model: "toy")
    node.start()
    signal.signal(signal.SIGTERM, lambda *_: node.stop())
    node.wait()
    return 0


def toy(folder: Path, port: int, send_to: str) -> list[str]:
    return [sys.executable, __file__, "serve", str(folder / "node"), str(port), send_to]


@contextlib.contextmanager
def running(command: list[str], log: Path, port: int):
    """A process that answers C-ECHO."""
    with open(log, "ab") as stream:
        process = subprocess.Popen(command, stderr=stream, stdout=stream, env=os.environ | {"PYTHONPATH": str(ROOT)})
    try:
        end = time.monotonic() + 60
        while subprocess.run(["echoscu", "-to", "5", "-aec", "SPINETK", "127.0.0.1", str(port)], capture_output=True, check=False).returncode:  # fmt: skip  # noqa: E501
            if process.poll() is not None or time.monotonic() > end:
                # It could not start: a full disk, say. The caller goes on.
                break
            time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait(60)


def store(aet: str, port: int, files: list[Path]) -> bool:
    """storescu; whether every file was acknowledged with success."""
    command = ["storescu", "-to", "5", "-aec", aet, "127.0.0.1", str(port), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode == 0 and "Warning" not in done.stdout + done.stderr


def fill(ballast: Path) -> None:
    with contextlib.suppress(OSError), open(ballast, "wb") as stream:
        while True:
            stream.write(bytes(4096))
            stream.flush()


def given_up(folder: Path) -> list[dict]:
    from spinetk.node.service import status

    return status(folder / "node")["failed"]


def idle(folder: Path) -> bool:
    from spinetk.errors import InputError
    from spinetk.node.service import status

    try:
        units = status(folder / "node")["units"]
    except InputError:
        return False
    return units["received"] == 0 and units["made"] == 0


def held(orthanc: Orthanc, entry: dict, scratch: Path) -> tuple[Path, pydicom.Dataset]:
    path = scratch / f"held-{entry['ID']}.dcm"
    path.write_bytes(orthanc.file(entry["ID"]))
    return path, pydicom.dcmread(path)


def compare(orthanc: Orthanc, wanted: set[str], scratch: Path, exact: bool = True) -> list[str]:
    """What is lost or doubled: each film wants one SR and one overlay that refer to it."""
    found: Counter[tuple[str, str]] = Counter()
    for entry in orthanc.instances():
        path, data = held(orthanc, entry, scratch)
        if data.Modality == "SR":
            found["SR", data.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
                  .ReferencedSOPSequence[0].ReferencedSOPInstanceUID] += 1  # fmt: skip
        elif data.Modality == "OT":
            found["OT", data.SourceImageSequence[0].ReferencedSOPInstanceUID] += 1
        path.unlink()
    kinds = [(kind, uid) for uid in wanted for kind in ("SR", "OT")]
    lost = sum(found[kind] == 0 for kind in kinds)
    doubled = sum(count > 1 for count in found.values())
    strange = sum(uid not in wanted for _, uid in found) if exact else 0
    print(f"{len(wanted)} films: {lost} results lost, {doubled} doubled")
    return [f"{lost} lost, {doubled} doubled, {strange} of unknown films"] if lost or doubled or strange else []


def validate(back: list[tuple[Path, pydicom.Dataset]]) -> list[str]:
    """highdicom's and dciodvfy's word on what came back."""
    import highdicom

    faults, errors = [], 0
    for path, data in back:
        if data.Modality == "DX":
            continue
        said = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
        errors += sum(line.startswith("Error") for line in (said.stdout + said.stderr).splitlines())
        if data.Modality == "SR":
            groups = highdicom.sr.srread(path).content.get_planar_roi_measurement_groups()
            faults += [] if groups else ["an SR without an outline"]
    print(f"{len(back)} objects in Orthanc, {errors} errors by dciodvfy")
    return faults + ([f"{errors} errors by dciodvfy"] if errors else [])


def planted(scratch: Path) -> list[str]:
    logs = [path for path in scratch.glob("*.log") if PLANTED in path.read_bytes()]
    return ["a planted name is in the log"] if logs else []


def wait_for(condition, seconds: float, process: subprocess.Popen | None = None) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end or (process is not None and process.poll() is not None):
            raise SystemExit("it did not happen in time, or the node ended")
        time.sleep(0.05)


def told(faults: list[str]) -> int:
    for fault in faults:
        print(f"WRONG: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    shutil.which("storescu") or sys.exit("DCMTK is not installed")
    sys.exit(main())

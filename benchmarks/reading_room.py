"""An hour of work on the review page, by script: films of three views, two blinded readers, from open to trained.

    python benchmarks/reading_room.py [--films 60] [--iterations 2] [--chromium PATH]

Phantoms of lateral films, sagittal MR and frontal columns are given without vertebrae. Reader by reader, in a browser,
each film is opened, its points come in as an import would bring them (the truth, off by the reader's hand), one point
is dragged, and it is signed. Then: agreement, split, and a short training. Printed: time a film from open to signed,
warnings on the page, and whether anything was lost. Ends with 1 if anything was.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.cases.folder import CaseFolder, read_record, write_record
from spinetk.cases.splitting import make_split
from spinetk.formats.files import write_metadata
from spinetk.formats.record import record_of
from spinetk.geometry import Frame
from spinetk.images import to_uint8
from spinetk.phantoms import lateral_radiograph, sagittal_mr
from spinetk.reading import Reading, Vertebra
from spinetk.report.agreement import agree, lines
from spinetk.schema import VERTEBRA6

READERS = {"Anna": 1.0, "Ben": 1.6}
"""Each reader's hand: standard deviation of a point in px."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def main() -> None:
    """Print what the hour came to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--films", type=int, default=60)
    parser.add_argument("--iterations", type=int, default=2, help="of the training; 0 leaves it out")
    parser.add_argument("--chromium", default=next(filter(None, map(shutil.which, BROWSERS)), None))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary) / "cases"
        truth = films(base, options.films)
        faults = read(base, truth, options.chromium)
        faults += finish(base, len(truth), options.iterations)
    print("lost or warned of:", "; ".join(faults) if faults else "nothing")
    sys.exit(1 if faults else 0)


def films(base: Path, count: int) -> dict[str, Reading]:
    """Write cases without vertebrae, three views in turn, a patient to every two; returns their truth."""
    base.mkdir(parents=True)
    folder, truth = CaseFolder(base), {}
    for number in range(count):
        pixels, reading = (_lateral, _mr, _frontal)[number % 3](number)
        case = f"film {number + 1:02d}"
        bare = record_of(replace(reading, vertebrae=[]), case, case=case, modality=("CR", "MR", "DX")[number % 3])
        write_record(folder.source(case), bare, pixels)
        truth[case] = reading
    write_metadata(base, {case: {"group": f"patient {k // 2}"} for k, case in enumerate(truth)})
    return truth


def _lateral(seed: int) -> tuple[np.ndarray, Reading]:
    phantom = lateral_radiograph(seed, region="lumbar")
    return to_uint8(phantom.pixels), phantom.reading


def _mr(seed: int) -> tuple[np.ndarray, Reading]:
    phantom = sagittal_mr(seed)
    return to_uint8(phantom.pixels), phantom.reading


def _frontal(seed: int) -> tuple[np.ndarray, Reading]:
    """A curved column of tilted boxes: bright bodies on a dark ground."""
    import cv2

    random = np.random.default_rng(seed)
    film, bodies = random.normal(60, 8, (900, 420)), []
    for k in range(12):
        turn = np.radians(12 * np.cos(k / 2.2))
        across, down = np.array([np.cos(turn), np.sin(turn)]) * (34 + k), np.array([-np.sin(turn), np.cos(turn)]) * 22
        middle = np.array([210 + 24 * np.sin(k / 2.2), 70 + 66 * k])
        six = [middle + x * across + y * down for x, y in ((-1, 1), (0, 1), (1, 1), (1, -1), (0, -1), (-1, -1))]
        order = ("bottom_left", "bottom_middle", "bottom_right", "top_right", "top_middle", "top_left")
        points = np.zeros((6, 2))
        for name, point in zip(order, six, strict=True):
            points[VERTEBRA6.index(name)] = point
        cv2.fillPoly(film, [np.array(six).astype(np.int32)], 170.0)
        bodies.append(Vertebra.from_points(points))
    pixels = np.clip(film, 0, 255).astype(np.uint8)
    return pixels, Reading("", 900, 420, VERTEBRA6, bodies, Frame((0.5, 0.5), "user"), "ap")


def read(base: Path, truth: dict[str, Reading], chromium: str | None) -> list[str]:
    """Both readers read all films; returns what was warned of."""
    from playwright.sync_api import sync_playwright

    faults: list[str] = []
    command = [sys.executable, "-u", "-m", "spinetk", "serve", str(base), "--blinded", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert server.stdout is not None
        address = server.stdout.readline().split()[0]
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            for name in READERS:
                page = browser.new_context(viewport={"width": 1366, "height": 820}).new_page()
                page.set_default_timeout(120_000)
                page.on("pageerror", lambda error: faults.append(f"script error: {error}"))
                took = _reader(page, address, name, truth, faults)
                spread = f"{min(took):.1f} to {max(took):.1f}"
                print(f"{name}: {len(took)} films, {statistics.median(took):.1f} s from open to signed ({spread})")
            browser.close()
    finally:
        server.send_signal(signal.SIGINT)
        said = server.communicate(timeout=60)[0]
    faults += [line for line in said.splitlines()[1:] if "error" in line]
    return faults


def _reader(page: Any, address: str, name: str, truth: dict[str, Reading], faults: list[str]) -> list[float]:
    page.goto(address)
    page.fill("#reader-field", name)
    page.keyboard.press("Enter")
    page.wait_for_selector("body.ready")
    random, took = np.random.default_rng(len(name)), []
    for number, (case, reading) in enumerate(truth.items()):
        began = time.perf_counter()
        page.wait_for_selector(f"#title:text-is('{case}')")
        _bring(page, reading, READERS[name], random)
        page.locator('.vertebra[data-index="1"] .point[data-point="0"] .ring').wait_for()
        _drag(page)
        page.keyboard.press("Control+Enter")
        if number + 1 == len(truth):
            page.wait_for_selector("#state:text-is('signed')")
        else:
            page.wait_for_selector(f"#title:not(:text-is('{case}'))")
        took.append(time.perf_counter() - began)
        warned = page.inner_text("#alert")
        if warned:
            faults.append(f"{name}, {case}: {warned}")
    return took


def _bring(page: Any, reading: Reading, hand: float, random: np.random.Generator) -> None:
    """Points as an import brings them: all at once, as one step of undo."""
    bodies = []
    for vertebra in reading.vertebrae:
        points = vertebra.points + random.normal(0, hand, vertebra.points.shape)
        ends = [*points.min(axis=0).tolist(), *points.max(axis=0).tolist()]
        own = {"points": points.tolist(), "visible": [True] * len(points), "label": vertebra.label}
        bodies.append(own | {"score": None, "sigma": None, "box": ends})
    script = """async (bodies) => {
        const { change } = await import("/store.js");
        await change((reading) => (reading.vertebrae = bodies));
    }"""
    page.evaluate(script, bodies)


def _drag(page: Any) -> None:
    box = page.locator('.vertebra[data-index="1"] .point[data-point="0"] .ring').bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 3, y + 3, steps=3)
    page.mouse.up()
    page.locator("#viewer").focus()


def finish(base: Path, count: int, iterations: int) -> list[str]:
    """Settle on the first reader, compare, split, train; returns what was lost."""
    faults, folder = [], CaseFolder(base)
    for name in READERS:
        signed = [json.loads(path.read_text()) for path in (base / "readings" / name.casefold()).glob("*.json")]
        if sum(one["status"] == "signed" for one in signed) != count:
            faults.append(f"{name} signed {len(signed)} of {count}")
    first, second = (base / "readings" / name.casefold() for name in READERS)
    found = agree(first, second)
    print(*lines(found), sep="\n")
    if found.to_json()["pictures"] != count or found.failures:
        faults.append(f"agreement of {found.to_json()['pictures']} of {count} films; {found.failures}")
    held = [len(read_record(folder.source(case))["annotations"]) for case in folder.cases()]
    if min(held) == 0:
        faults.append(f"{held.count(0)} films have no truth")
    parts = make_split(base)
    print(f"split of {count} films: {' / '.join(str(len(part)) for part in parts[:3])}")
    if not iterations:
        return faults
    command = [sys.executable, "-m", "spinetk", "train", str(base), "-o", str(base.parent / "run")]
    done = subprocess.run([*command, "--iterations", str(iterations)], capture_output=True, text=True)
    print(f"training, {iterations} iterations: exit {done.returncode}")
    if done.returncode:
        faults.append(f"training: {done.stderr.strip().splitlines()[-1:]}")
    return faults


if __name__ == "__main__":
    main()

"""An hour of work on the review page, by script: films of three views, two blinded readers, from open to trained.

    python benchmarks/reading_room.py [--films 60] [--iterations 2] [--chromium PATH]

Phantoms of lateral films, sagittal MR and frontal columns are given without vertebrae. Reader by reader, in a browser,
each film is opened, its points come in as an import would bring them (the truth, off by the reader's hand), one point
is dragged, and it is signed. Then, on the page, everything saved is exported in every format that holds many and the
two are compared; then `agree`, `split` and a short training on the same folder. Every point on the page when a film was
signed is looked for in the files. Printed: time a film from open to signed, seconds of each step, warnings of page,
server and commands, and whether anything was lost. Ends with 1 if anything was.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
import zipfile
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
from spinetk.review.readers import Readings
from spinetk.schema import VERTEBRA6

READERS = {"Anna": 1.0, "Ben": 1.6}
"""Each reader's hand: standard deviation of a point in px."""
POINTS = "import('/store.js').then(({ store }) => store.current.reading.vertebrae.map((one) => one.points))"
LEAST_PX = 0.001
EXPECTED = ("corrections go to ", "spinetk: interrupted")
"""How lines of the server begin that are no warning."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def main() -> None:
    """Print what the hour came to."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--films", type=int, default=60)
    parser.add_argument("--iterations", type=int, default=2, help="of the training; 0 leaves it out")
    parser.add_argument("--chromium", default=next(filter(None, map(shutil.which, BROWSERS)), None))
    options = parser.parse_args()
    print(f"load at the start {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary) / "cases"
        truth = films(base, options.films)
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=options.chromium, args=["--no-sandbox", "--disable-gpu"])
            faults = read(base, truth, browser)
            browser.close()
        faults += finish(base, len(truth), options.iterations)
    print(f"load at the end {os.getloadavg()[0]:.1f}")
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
    """A curved column of tilted boxes: bright bodies on a dark ground, no two films with the same curve or place."""
    import cv2

    random = np.random.default_rng(seed)
    count, lean, phase = random.integers(11, 15), random.uniform(-18, 18), random.uniform(0, 6)
    left, step, wide = random.uniform(160, 260), random.uniform(54, 860 / count), random.uniform(26, 40)
    film, bodies = random.normal(60, 8, (900, 420)), []
    for k in range(count):
        turn = np.radians(lean * np.cos(k / 2.2 + phase))
        along = np.array([np.cos(turn), np.sin(turn)])
        across, down = along * (wide + k), along[::-1] * (-1, 1) * step / 3
        middle = np.array([left + 2 * lean * np.sin(k / 2.2 + phase), 40 + step * k])
        six = [middle + x * across + y * down for x, y in ((-1, 1), (0, 1), (1, 1), (1, -1), (0, -1), (-1, -1))]
        order = ("bottom_left", "bottom_middle", "bottom_right", "top_right", "top_middle", "top_left")
        points = np.zeros((6, 2))
        for name, point in zip(order, six, strict=True):
            points[VERTEBRA6.index(name)] = point
        cv2.fillPoly(film, [np.array(six).astype(np.int32)], 170.0)
        bodies.append(Vertebra.from_points(points))
    pixels = np.clip(film, 0, 255).astype(np.uint8)
    return pixels, Reading("", 900, 420, VERTEBRA6, bodies, Frame((0.5, 0.5), "user"), "ap")


def read(base: Path, truth: dict[str, Reading], browser: Any) -> list[str]:
    """Both readers read all films in pages of Playwright's browser; returns what was warned of."""
    faults: list[str] = []
    signed: dict[tuple[str, str], list[Any]] = {}
    command = [sys.executable, "-u", "-m", "spinetk", "serve", str(base), "--blinded", "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert server.stdout is not None
        address = server.stdout.readline().split()[0]
        for name in READERS:
            page = browser.new_context(viewport={"width": 1366, "height": 820}).new_page()
            page.set_default_timeout(120_000)
            page.on("pageerror", lambda error: faults.append(f"script error: {error}"))
            took = _reader(page, address, name, truth, faults, signed)
            spread = f"{min(took):.1f} to {max(took):.1f}"
            print(f"{name}: {len(took)} films, {statistics.median(took):.1f} s from open to signed ({spread})")
        faults += _export(page, len(truth))
        faults += _compared(page, len(truth))
        for context in list(browser.contexts):
            context.close()
    finally:
        server.send_signal(signal.SIGINT)
        said = server.communicate(timeout=60)[0]
    faults += [line for line in said.splitlines()[1:] if line.strip() and not line.startswith(EXPECTED)]
    return faults + _not_kept(base, signed)


def _reader(
    page: Any,
    address: str,
    name: str,
    truth: dict[str, Reading],
    faults: list[str],
    signed: dict[tuple[str, str], list[Any]],
) -> list[float]:
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
        signed[name, case] = page.evaluate(POINTS)
        page.keyboard.press("Control+Enter")
        if number + 1 == len(truth):
            page.wait_for_selector("#state:text-is('signed')")
        else:
            page.wait_for_selector(f"#title:not(:text-is('{case}'))")
        took.append(time.perf_counter() - began)
    faults += [f"{name}: {text}" for text in page.locator("#log .fault").all_text_contents()]
    return took


def _export(page: Any, count: int) -> list[str]:
    """Everything saved, in each format that holds many, as files on the disk."""
    faults, began = [], time.perf_counter()
    kinds = page.locator("[data-export-all]").evaluate_all("(all) => all.map((one) => one.dataset.exportAll)")
    for kind in kinds:
        page.click("#export-menu summary")
        with page.expect_download() as download:
            page.click(f'[data-export-all="{kind}"]')
        path = Path(download.value.path())
        if kind == "coco":
            held = json.loads(path.read_text(encoding="utf-8"))
            empty = {one["id"] for one in held["images"]} - {one["image_id"] for one in held["annotations"]}
            if len(held["images"]) != count or empty:
                faults.append(f"COCO holds {len(held['images'])} of {count} films, {len(empty)} without a vertebra")
        elif not path.stat().st_size or (zipfile.is_zipfile(path) and zipfile.ZipFile(path).testzip()):
            faults.append(f"{kind} is empty or damaged")
    print(f"exported in {len(kinds)} formats ({', '.join(kinds)}): {time.perf_counter() - began:.1f} s")
    return faults


def _compared(page: Any, count: int) -> list[str]:
    page.click("#agreement")
    page.wait_for_selector("#agreement-note:not(:empty)")
    said = page.inner_text("#agreement-note")
    return [] if said.startswith(f"{count} picture") else [f"the page's agreement: {said}"]


def _not_kept(base: Path, signed: dict[tuple[str, str], list[Any]]) -> list[str]:
    """Films of which a reader's file holds other points than stood on the page when they were signed."""
    faults = []
    for (name, case), points in signed.items():
        kept = Readings(base).read(name, case)
        held = [] if kept is None else [vertebra.points for vertebra in kept.reading.vertebrae]
        if np.shape(held) != np.shape(points) or np.abs(np.array(held) - np.array(points)).max() > LEAST_PX:
            faults.append(f"{name}'s {case} is not as it was signed")
    return faults


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
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        began = time.perf_counter()
        found = agree(first, second)
        print(*lines(found), sep="\n")
        agreed, parts = time.perf_counter(), make_split(base)
        print(f"agreed in {agreed - began:.1f} s, split in {time.perf_counter() - agreed:.1f} s")
    faults += [str(one.message) for one in warned]
    if found.to_json()["pictures"] != count or found.failures:
        faults.append(f"agreement of {found.to_json()['pictures']} of {count} films; {found.failures}")
    held = [len(read_record(folder.source(case))["annotations"]) for case in folder.cases()]
    if min(held) == 0:
        faults.append(f"{held.count(0)} films have no truth")
    print(f"split of {count} films: {' / '.join(str(len(part)) for part in parts[:3])}")
    whose = [set(part["group"]) for part in parts[:3]]
    if whose[0] & whose[1] or whose[0] & whose[2] or whose[1] & whose[2]:
        faults.append("one patient lies in two parts")
    if not iterations:
        return faults
    command = [sys.executable, "-m", "spinetk", "train", str(base), "-o", str(base.parent / "run")]
    began = time.perf_counter()
    done = subprocess.run([*command, "--iterations", str(iterations)], capture_output=True, text=True)
    print(f"training, {iterations} iterations: exit {done.returncode}, {time.perf_counter() - began:.0f} s")
    said = [line for line in (done.stdout + done.stderr).splitlines() if "warning" in line.lower()]
    faults += [f"training: {line}" for line in said]
    if done.returncode:
        faults.append(f"training: {done.stderr.strip().splitlines()[-1:]}")
    return faults


if __name__ == "__main__":
    main()

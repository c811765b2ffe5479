"""The review page: first visit, recalculation while a point is dragged, a folder of thousands.

    python benchmarks/review_speed.py [--runs 5] [--cases 2000] [--chromium PATH] [--beside CHECKOUT]

Three cases are asked for: AP films of 17 and 24 vertebrae of four points, a sagittal MR phantom of 7 with six. Each is
recalculated as while a point moves ("drag") and as when it is let go, every vertebra with the network's uncertainty
("end"): inside the process (the whole request through the application, without a socket; also as processor time, which
other programs do not lengthen), over the socket, and in Chromium from the pointer's movement to the figures on screen.
A first visit starts a server and a browser context of its own and ends when the page can be used ("ready", as its own
clock marks it). Chromium is left out where Playwright or a browser is missing. With --beside the page of another
checkout is driven in turn with this one, run by run, and nothing else is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import importlib.util
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.cases.folder import CaseFolder, write_record
from spinetk.formats.record import record_of
from spinetk.geometry import Frame
from spinetk.phantoms import sagittal_mr
from spinetk.reading import Reading, Vertebra
from spinetk.review import serialization
from spinetk.review.app import create_app
from spinetk.review.session import ReviewSession
from spinetk.schema import VERTEBRA4

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
REPEATS = 40
DRAGS = {
    "recalculate": "single movements: from each to the frame with all its figures",
    "continuous": "one movement after another: the same",
}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="first visits")
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--beside", type=Path, help="a checkout to compare with")
    parser.add_argument("--chromium", default=next(filter(None, map(shutil.which, BROWSERS)), None))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary) / "cases"
        _write(base, "AP 17", *_ap_film())
        _write(base, "AP 24", *_ap_film(24))
        phantom = sagittal_mr(1)
        lowest = replace(phantom.reading, vertebrae=phantom.reading.vertebrae[-7:])
        _write(base, "MR 7", phantom.pixels, lowest)
        if options.beside is not None:
            _beside(base, Path(temporary) / "many", options)
            return
        print("recalculation, median ms     drag                          end")
        print(f"{'':<12}{'processor':>10}{'server':>10}{'socket':>10}{'processor':>14}{'server':>10}{'socket':>10}")
        for name in ("AP 17", "AP 24", "MR 7"):
            inside, outside = _inside(base, name), _over_socket(base, name)
            cells = [f"{a:>10.1f}{b:>10.1f}{c:>10.1f}" for (a, b), c in zip(inside, outside, strict=True)]
            print(f"{name:<12}{'    '.join(cells)}")
        many = Path(temporary) / "many"
        _copies(base / "MR 7", many, options.cases)
        with _browser(options.chromium) as browser:
            if browser is not None:
                for name in ("AP 17", "AP 24", "MR 7"):
                    print(f"{name}, in the browser: {_parts(_dragged(browser, base / name))}")
                print(f"first visit, ms: {_of([_visit(browser, base) for _ in range(options.runs)])}")
            _large(many, browser, options)


def _beside(base: Path, many: Path, options: argparse.Namespace) -> None:
    """The slowest drag and the first picture of a large folder, here and in another checkout, in turn."""
    _copies(base / "MR 7", many, options.cases)
    roots = (None, options.beside)
    with _browser(options.chromium) as browser:
        if browser is None:
            return
        drags = [[_dragged(browser, base / "AP 24", root) for root in roots] for _ in range(options.runs)]
        for name, what in DRAGS.items():
            _ratio(f"AP 24, {what}", [[own[name] for own in pair] for pair in drags])
        for k, where in enumerate(("here", "there")):
            print(f"AP 24, {where}, last run: {_parts(drags[-1][k])}")
        firsts = [[_first(browser, many, root) for root in roots] for _ in range(options.runs)]
        _ratio(f"first picture of {options.cases} cases, nothing known of them", firsts)


def _ratio(what: str, pairs: list[list[float]]) -> None:
    here, there = ([pair[k] for pair in pairs] for k in (0, 1))
    ratio, load = statistics.median(one / other for one, other in pairs), os.getloadavg()[0]
    print(f"{what}: {_of(here)} ms, there {_of(there)} ms, ratio {ratio:.2f} (load {load:.1f})", flush=True)


def _first(browser: Any, base: Path, root: Path | None) -> float:
    """A server of its own, nothing of the folder known to it, and ms until its first picture can be used."""
    for cache in base.glob(".worklist.json"):
        cache.unlink()
    with _server(base, root=root) as address:
        page, ready = _ready(browser, address)
        page.context.close()
        return ready


def _large(many: Path, browser: Any, options: argparse.Namespace) -> None:
    began = time.perf_counter()
    with _server(many) as address:
        print(f"{options.cases} cases: server ready {_since(began):.0f} ms after its start", end="")
        asked = [_ask(address, "GET", "/api/session")[1] for _ in range(options.runs)]
        print(f", list {statistics.median(asked):.0f} ms")
        if browser is not None:
            page, ready = _ready(browser, address)
            took = f"visit {ready:.0f} ms, filter {_filter(page):.0f} ms, last case {_last(page):.0f} ms"
            print(f"{options.cases} cases, in the browser: {took}")


def _since(start: float) -> float:
    return (time.perf_counter() - start) * 1000


def _of(times: list[float]) -> str:
    return f"{statistics.median(times):.0f} (of {', '.join(f'{t:.0f}' for t in times)})"


def _ap_film(count: int = 17) -> tuple[np.ndarray, Reading]:
    """A scoliosis of tilted boxes on a film of 600 px width, 1600 px high for 17 bodies."""
    height, width, random = 155 + 85 * count, 600, np.random.default_rng(0)
    vertebrae = []
    for k in range(count):
        turn = np.radians(15 * np.cos(k / 2.5))
        across, down = np.array([np.cos(turn), np.sin(turn)]) * (45 + k), np.array([-np.sin(turn), np.cos(turn)]) * 33
        middle = np.array([width / 2 + 30 * np.sin(k / 2.5), 80 + 85 * k])
        corners = [middle + x * across + y * down for x, y in ((-1, -1), (1, -1), (-1, 1), (1, 1))]
        vertebrae.append(Vertebra.from_points(np.array(corners) + random.normal(0, 1.5, (4, 2))))
    film = random.integers(0, 255, (height, width), dtype=np.uint8)
    return film, Reading("film.png", height, width, VERTEBRA4, vertebrae, Frame((0.4, 0.4), "user"), "ap")


def _write(base: Path, case: str, pixels: np.ndarray, reading: Reading) -> None:
    from spinetk.images import to_uint8

    grey = pixels if pixels.dtype == np.uint8 else to_uint8(pixels)
    base.mkdir(exist_ok=True)
    write_record(CaseFolder(base).source(case), record_of(reading, case, case=case), grey)


def _copies(case: Path, base: Path, count: int) -> None:
    for number in range(count):
        shutil.copytree(case, base / f"case {number:04d}")


def _bodies(known: Reading) -> list[bytes]:
    """What the page sends while a point moves, and when it is let go."""
    sure = [replace(v, score=0.9, point_sigma_px=np.ones(len(known.schema))) for v in known.vertebrae]
    reading = serialization.send(replace(known, vertebrae=sure))
    return [json.dumps({"reading": reading, "live": live}).encode() for live in (True, False)]


def _inside(base: Path, name: str) -> list[tuple[float, float]]:
    """(processor, wall) ms of a request through the application, for each of the two bodies."""
    with tempfile.TemporaryDirectory() as target, ReviewSession(target) as desk:
        (entry,) = desk.add(base / name)
        app, bodies = create_app(desk), _bodies(desk.open(entry).reading)
        return [asyncio.run(_timed(app, f"/api/entries/{entry.id}/measure", body)) for body in bodies]


async def _timed(app: Any, path: str, body: bytes) -> tuple[float, float]:
    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")]
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "method": "POST"}
    scope |= {"path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers}
    statuses, times = [], []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        statuses.append(message.get("status"))

    for _ in range(REPEATS + 1):
        processor, start = time.process_time(), time.perf_counter()
        await app(dict(scope), receive, send)
        times.append(((time.process_time() - processor) * 1000, _since(start)))
    if set(statuses) - {200, None}:
        raise SystemExit(f"the page refused what was sent: {set(statuses)}")
    processor, wall = zip(*times[1:], strict=True)  # the first loads what is loaded once
    return statistics.median(processor), statistics.median(wall)


def _over_socket(base: Path, name: str) -> list[float]:
    with tempfile.TemporaryDirectory() as target, ReviewSession(target) as desk:
        (entry,) = desk.add(base / name)
        bodies = _bodies(desk.open(entry).reading)
    with _server(base / name) as address:
        key = json.loads(_ask(address, "GET", "/api/session")[0])["entries"][0]["id"]
        _ask(address, "GET", f"/api/entries/{key}")
        medians = []
        for body in bodies:
            times = [_ask(address, "POST", f"/api/entries/{key}/measure", body)[1] for _ in range(REPEATS)]
            medians.append(statistics.median(times))
        return medians


@contextlib.contextmanager
def _server(*inputs: Path, root: Path | None = None) -> Iterator[str]:
    """`spinetk serve` of this checkout or another, in a process of its own; gives the host and port."""
    surroundings = os.environ | ({} if root is None else {"PYTHONPATH": str(root.resolve())})
    with tempfile.TemporaryDirectory() as target:
        command = [sys.executable, "-u", "-m", "spinetk", "serve", *map(str, inputs), "-o", target, "--port", "0"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=surroundings, cwd=target)
        try:
            yield server.stdout.readline().split()[0].removeprefix("http://").rstrip("/")
        finally:
            server.send_signal(signal.SIGINT)
            server.communicate(timeout=60)


_connections: dict[str, http.client.HTTPConnection] = {}


def _ask(address: str, method: str, path: str, body: bytes | None = None) -> tuple[bytes, float]:
    """The answer, and ms until it was there whole."""
    connection = _connections.setdefault(address, http.client.HTTPConnection(address))
    start = time.perf_counter()
    connection.request(method, path, body, {"content-type": "application/json"})
    response = connection.getresponse()
    content = response.read()
    if response.status != 200:
        raise SystemExit(f"{path}: {response.status}")
    return content, _since(start)


@contextlib.contextmanager
def _browser(path: str | None) -> Iterator[Any]:
    if path is None or not importlib.util.find_spec("playwright"):
        print("no browser: its figures are left out")
        yield None
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        browser.new_context().new_page().goto("about:blank")  # the browser's own start is not the page's
        yield browser
        browser.close()


def _ready(browser: Any, address: str) -> tuple[Any, float]:
    """A page in a context without a cache, and ms from the start of the navigation until it could be used."""
    page = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
    page.goto(f"http://{address}/")
    page.wait_for_selector("body.ready", timeout=120_000)
    return page, page.evaluate("performance.getEntriesByName('ready')[0].startTime")


def _visit(browser: Any, base: Path) -> float:
    with _server(base) as address:
        page, ready = _ready(browser, address)
        page.context.close()
        return ready


def _dragged(browser: Any, case: Path, root: Path | None = None) -> dict[str, float]:
    """Median ms as the page measures them.

    ``recalculate`` goes from a movement of the pointer to the frame that shows all its figures, with time to rest
    between movements, ``continuous`` the same without. Of the first kind: ``request`` is the browser's time from the
    question to the whole answer, ``answer`` from the question to the figures in the document.
    """
    with _server(case, root=root) as address:
        page, _ = _ready(browser, address)
        box = page.locator('.vertebra[data-index="2"] .point[data-point="1"] .ring').bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        for step in range(REPEATS):
            page.mouse.move(x + 4 + step % 8, y + 4)
            page.wait_for_timeout(60)
        script = "(name) => performance.getEntriesByName(name).map((e) => e.duration)"
        took = {name: page.evaluate(script, name) for name in ("recalculate", "answer")}
        asked = "performance.getEntriesByType('resource').filter((e) => e.name.endsWith('/measure'))"
        took["request"] = page.evaluate(f"{asked}.map((e) => e.duration)")
        page.evaluate("performance.clearMeasures()")
        for step in range(4 * REPEATS):
            page.mouse.move(x + 4 + step % 8, y + 4)
        page.wait_for_timeout(300)
        took["continuous"] = page.evaluate(script, "recalculate")
        page.mouse.up()
        page.context.close()
        return {name: statistics.median(own) if own else float("nan") for name, own in took.items()}


def _parts(took: dict[str, float]) -> str:
    """The breakdown of a drag in words."""
    rest = f"question to answer {took['request']:.1f}, to figures in the page {took['answer']:.1f}"
    return f"{took['recalculate']:.0f} ms from a movement to its figures ({rest}; continuous {took['continuous']:.0f})"


def _filter(page: Any) -> float:
    script = """async () => {
        const field = document.getElementById("filter"), start = performance.now();
        field.value = "case 1";
        field.dispatchEvent(new Event("input"));
        await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        field.value = "";
        field.dispatchEvent(new Event("input"));
        return performance.now() - start;
    }"""
    return page.evaluate(script)


def _last(page: Any) -> float:
    """From the key that asks for the last case until it is shown."""
    page.locator("#rows").focus()
    page.evaluate("window.asked = performance.now()")
    name = page.evaluate("import('/list.js').then(({ list }) => list.all.at(-1).name)")
    page.keyboard.press("End")
    page.locator(f"#title:text-is('{name}')").wait_for()
    return page.evaluate("performance.now() - window.asked")


if __name__ == "__main__":
    main()

"""Fixtures of the review page: a desk over a small case folder, and a client that speaks to it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

from fastapi.testclient import TestClient
from onpage import TIMEOUT_MS

from spinetk.review.app import create_app
from spinetk.review.session import ReviewSession

HERE = "http://127.0.0.1:8000"


@pytest.fixture
def desk(tmp_path) -> Iterator[ReviewSession]:
    with ReviewSession(tmp_path / "target") as made:
        yield made


@pytest.fixture
def client(desk) -> TestClient:
    return TestClient(create_app(desk), base_url=HERE)


@pytest.fixture
def cases(desk, case_folder) -> Path:
    """The case folder of drawn columns, open on the desk."""
    desk.add(case_folder)
    return case_folder


def ids(client: TestClient) -> dict[str, str]:
    """Name to id of everything in the list."""
    return {row["name"]: row["id"] for row in client.get("/api/session").json()["entries"]}


@pytest.fixture
def listed(client):
    return lambda: ids(client)


@pytest.fixture
def opened(client, cases):
    """Id and content of the first case."""
    key = ids(client)["case 0"]
    return key, client.get(f"/api/entries/{key}").json()


@pytest.fixture
def save():
    """Save as the page does: on the version that was last seen, which ``began`` may contradict."""

    def post(client: TestClient, key: str, reading: dict, reader: str = "", **more: object):
        headers = {"x-reader": quote(reader)}
        began = client.get(f"/api/entries/{key}", headers=headers).json()["began"]
        body = {"began": began, **reading, **more}
        return client.post(f"/api/entries/{key}/save", json=body, headers=headers)

    return post


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as play:
        names = ("chromium", "chromium-browser", "google-chrome", "chrome")
        found = [shutil.which(name) for name in names] + [play.chromium.executable_path]
        path = next((name for name in found if name and Path(name).exists()), None)
        if path is None:
            pytest.skip("no chromium is installed")
        started = play.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"], timeout=TIMEOUT_MS)
        yield started
        started.close()


@pytest.fixture
def target(tmp_path) -> Path:
    return tmp_path / "cases"


@pytest.fixture(scope="session")
def copies() -> Iterator:
    """Ask the program of ``copies.py``."""
    program = [sys.executable, "-u", str(Path(__file__).with_name("copies.py"))]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as asked:

        def ask(*what: object) -> int:
            asked.stdin.write(json.dumps(what) + "\n")
            return int(asked.stdout.readline())

        yield ask
        asked.stdin.close()
        assert asked.wait(TIMEOUT_MS / 1000) == 0


@pytest.fixture
def serve(target, tmp_path, copies) -> Iterator:
    """Start `spinetk serve` on some inputs; returns its address.

    Not in a thread of the tests: beside one pytest's capture was closed twice, and all later tests failed.
    """
    running = []

    def start(*inputs: object) -> str:
        os.mkfifo(said := tmp_path / f"said {len(running)}")
        number = copies(
            "run", ["serve", *map(str, inputs), "-o", str(target), "--port", "0"], str(said), tempfile.gettempdir()
        )
        running.append((number, said.open()))
        first = running[-1][1].readline()
        assert first.startswith("http://"), first
        return first.split()[0]

    yield start
    for number, said in running:
        os.kill(number, signal.SIGINT)
        with said:
            assert "Secret" not in said.read()
        assert copies("wait", number) == 130


@pytest.fixture
def page_of(browser) -> Iterator:
    """A page of a size, which must not run into a script error."""
    pages, faults = [], []

    def open_page(size: dict, **options):
        context = browser.new_context(viewport=size, accept_downloads=True, **options)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if "Content Security" in said.text else None)
        pages.append(context)
        return page

    yield open_page
    for context in pages:
        context.close()
    assert faults == []

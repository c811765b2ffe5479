"""Fixtures of the review page: a desk over a small case folder, and a client that speaks to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("httpx")

from fastapi.testclient import TestClient

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

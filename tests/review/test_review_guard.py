"""Guard: other pages, other names, other machines, and bodies that are too long stay out."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from spinetk.review.app import create_app
from spinetk.review.guard import MOST_JSON_BYTES, Guard

TOKEN = "the-token-of-this-test"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:8000",
        "",
        "[",
        "x@127.0.0.1",
        "evil.example@localhost:8000",
        "127.0.0.1/x",
        "127.0.0.1?",
        "localhost#a",
        "127.0.0.1:80:80",
        "[::1]x",
        "127.0.0.1:x",
    ],
)
def test_other_host_names_are_refused(client, host):
    assert client.get("/api/session", headers={"host": host}).status_code == 403
    assert client.get("/", headers={"host": host}).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:9999", "[::1]:8000", "LOCALHOST"])
def test_own_names_are_answered(client, host):
    assert client.get("/api/session", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:8000"])
def test_posts_of_other_pages_are_refused(client, origin):
    answer = client.post("/api/uploads", headers={"origin": origin})
    assert answer.status_code == 403
    assert client.post("/api/uploads", headers={"origin": "http://127.0.0.1:8000"}).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_reads_for_other_pages_are_refused(client, site):
    assert client.get("/api/session", headers={"sec-fetch-site": site}).status_code == 403
    assert client.get("/api/session", headers={"sec-fetch-site": "same-origin"}).status_code == 200


def test_every_answer_carries_the_policy(client):
    for path in ("/", "/main.js", "/api/session", "/nowhere", "/api/entries/none"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers
    assert "server" not in headers


def test_token_is_asked_of_everything_but_the_empty_page(desk):
    client = TestClient(create_app(desk, TOKEN), base_url="http://192.168.1.5:8000")
    assert client.get("/").status_code == 200
    for path in ("/api/session", "/api/entries/any", "/api/entries/any/pixels", "/api/prediction", "/api/nowhere"):
        assert client.get(path).status_code == 401
    assert client.get(f"/api/session?token={TOKEN}").status_code == 401
    assert client.post("/api/login", json={"token": "wrong"}).status_code == 401
    assert client.get("/api/session", headers={"authorization": "Bearer wrong"}).status_code == 401
    assert client.get("/api/session", headers={"authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_login_gives_a_cookie_scripts_cannot_read(desk):
    client = TestClient(create_app(desk, TOKEN), base_url="http://192.168.1.5:8000")
    answer = client.post("/api/login", json={"token": TOKEN})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert client.get("/api/session").status_code == 200
    client.cookies.clear()
    assert client.get("/api/session").status_code == 401


def test_long_bodies_are_cut_off(client, opened):
    key, _ = opened
    answer = client.post(f"/api/entries/{key}/measure", content=b" " * (MOST_JSON_BYTES + 1))
    assert answer.status_code == 413
    pieces = (b" " * 65536 for _ in range(MOST_JSON_BYTES // 65536 + 1))  # without a length in the header
    assert client.post(f"/api/entries/{key}/measure", content=pieces).status_code in (400, 413)


def test_errors_do_not_quote_what_failed(capsys):
    async def broken(scope, receive, send):
        raise RuntimeError("PatientName DOE^JANE")

    answer = TestClient(Guard(broken), base_url="http://127.0.0.1").get("/api/session")
    assert answer.status_code == 500
    assert "DOE" not in answer.text
    said = capsys.readouterr()
    assert "RuntimeError" in said.err
    assert "DOE" not in said.err + said.out

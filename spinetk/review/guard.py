"""Guard: what every request must satisfy before the page's code sees it, and what every answer carries.

The page holds patients' pictures, so a web site that the user visits meanwhile must not reach it: not by posting to
127.0.0.1 (checked by Origin), and not by pointing its own name there (DNS rebinding, checked by Host). Where other
machines can reach the server, a token in an ``HttpOnly`` cookie or an ``Authorization`` header is needed.
"""

from __future__ import annotations

import json
import re
import secrets
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import ClientDisconnect

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

COOKIE = "spinetk_token"
LOCAL_NAMES = {"127.0.0.1", "localhost", "::1"}
API, LOGIN, FILES = "/api/", "/api/login", "/files"
MOST_JSON_BYTES = 2 << 20
HOST = re.compile(r"(?:\[(?P<bracketed>[0-9A-Fa-f:.]+)\]|(?P<plain>[A-Za-z0-9.-]+))(?::[0-9]{1,5})?")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
]


class TooLongError(Exception):
    """A body above its limit."""


class Guard:
    """ASGI middleware.

    Args:
        app: What to protect.
        token: None for a server only this machine can reach.
    """

    def __init__(self, app: App, token: str | None = None) -> None:
        self.app = app
        self.token = token

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Check, pass on, and answer in one line whatever goes wrong."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                kept = [pair for pair in message.get("headers", []) if pair[0].lower() != b"cache-control"]
                # Nothing of a patient may stay in the browser's cache; the page itself is asked for anew each time.
                store = b"no-store" if scope["path"].startswith(API) else b"no-cache"
                message = {**message, "headers": [*kept, *HEADERS, (b"cache-control", store)]}
            await send(message)

        headers = [(name.lower().decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await _refuse(answer, *refusal)
            return
        limit = None if scope["path"].endswith(FILES) else MOST_JSON_BYTES
        claimed = dict(headers).get("content-length", "0")
        if limit is not None and (not claimed.isdecimal() or int(claimed) > limit):
            await _refuse(answer, 413, "the request is too large")
            return
        try:
            await self.app(scope, _limited(receive, limit), answer)
        except ClientDisconnect:
            return  # whoever asked has gone, e.g. in the middle of an upload: nobody is left to answer
        except TooLongError:
            await _refuse(answer, 413, "the request is too large")
        except Exception as error:
            # The text of an error may quote a file's contents: only its kind and place are said.
            place = error.__traceback__
            while place is not None and place.tb_next is not None:
                place = place.tb_next
            line = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "unknown place"
            print(f"spinetk: internal error, please report it: {type(error).__name__} at {line}", file=sys.stderr)
            if not started:
                await _refuse(answer, 500, "internal error, please report it (see the terminal)")

    def _refusal(self, scope: MutableMapping[str, Any], headers: list[tuple[str, str]]) -> tuple[int, str] | None:
        hosts = [value for name, value in headers if name == "host"]
        name = _name(hosts[0]) if len(hosts) == 1 else ""
        if not name or (self.token is None and name not in LOCAL_NAMES):
            return 403, "this page answers to 127.0.0.1 and localhost only"
        one = dict(headers)
        origin, site = one.get("origin"), one.get("sec-fetch-site")
        own = origin is None or urlsplit(origin).netloc == hosts[0]
        path = scope["path"]
        if not own or (path.startswith(API) and site not in (None, "same-origin", "none")):
            return 403, "requests from other pages are refused"
        if self.token is not None and path.startswith(API) and path != LOGIN and not self._known(one):
            return 401, "the token is missing or wrong"
        return None

    def _known(self, headers: dict[str, str]) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            try:
                cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
            except CookieError:
                cookie = None
            given = cookie.value if cookie else ""
        return same(given, self.token or "")


def same(given: str, token: str) -> bool:
    """Compare tokens in a time that does not depend on where they differ."""
    return secrets.compare_digest(given.encode("utf-8", "replace"), token.encode())


def _name(host: str) -> str:
    """The name or address of a Host header, RFC 9110: a host and perhaps a port, and nothing else; else empty.

    A library that takes it for part of an address would find a name behind ``user@``, which no browser sends.
    """
    found = HOST.fullmatch(host)
    return (found["bracketed"] or found["plain"]).lower() if found else ""


def _limited(receive: Receive, limit: int | None) -> Receive:
    if limit is None:
        return receive
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise TooLongError
        return message

    return counted


async def _refuse(send: Send, status: int, text: str) -> None:
    body = json.dumps({"error": text}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

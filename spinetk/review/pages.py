"""Pages: the page's own files, kept in memory, since a first visit asks for all of them at once."""

from __future__ import annotations

import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


class Pages:
    """ASGI application: the files of one folder by name, ``index.html`` for ``/``.

    Args:
        folder: Read once; files of other kinds than ``TYPES`` and subfolders are left out.
    """

    def __init__(self, folder: Path) -> None:
        self._files: dict[str, tuple[bytes, str, str]] = {}
        for path in folder.iterdir():
            if path.suffix in TYPES:
                content = path.read_bytes()
                mark = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
                self._files[f"/{path.name}"] = content, TYPES[path.suffix], mark
        self._files["/"] = self._files["/index.html"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request: the file, 304 when the browser has it already, 404 or 405."""
        await self._answer(Request(scope))(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        found = self._files.get(request.scope["path"])
        if found is None:
            return Response(status_code=404)
        if request.method not in ("GET", "HEAD"):
            return Response(status_code=405, headers={"allow": "GET, HEAD"})
        content, kind, mark = found
        if request.headers.get("if-none-match") == mark:
            return Response(status_code=304, headers={"etag": mark})
        return Response(content, media_type=kind, headers={"etag": mark})

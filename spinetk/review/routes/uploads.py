"""Uploads: pictures and annotations dropped on the page."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Header, Request

from spinetk.review import importing
from spinetk.review.session import ReviewSession
from spinetk.review.uploads import Uploads


def uploads_of(session: ReviewSession) -> APIRouter:
    """``/api/uploads``: a batch is begun, its files are sent, and it is finished."""
    router = APIRouter(prefix="/api/uploads")
    uploads = Uploads(session.uploads)

    @router.post("")
    def begin() -> dict[str, str]:
        return {"id": uploads.begin()}

    @router.post("/{key}/files")
    async def receive(key: str, request: Request, x_name: Annotated[str, Header(max_length=4096)] = "") -> dict:
        await uploads.receive(key, unquote(x_name), request.stream())
        return {}

    @router.post("/{key}/finish")
    def finish(key: str) -> dict[str, Any]:
        entries, refused = uploads.finish(key)
        session.add_entries(entries)
        return {"entries": [session.row(entry) for entry in entries], "refused": refused}

    @router.post("/{key}/annotations")
    def annotations(key: str) -> dict[str, Any]:
        found, said = importing.import_files(uploads.annotations(key), session)
        session.imported |= found
        return {"ids": list(found), "remarks": said}

    return router

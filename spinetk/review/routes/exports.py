"""Exports: downloads of the picture on the page, or of everything saved."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from spinetk.review import exporting, serialization
from spinetk.review.routes.asker import Asker
from spinetk.review.serialization import SentReading
from spinetk.review.session import ReviewSession


class ExportRequest(BaseModel):
    """What to download: the picture on the page, or (``id`` None) everything saved."""

    kind: str = Field(max_length=40)
    id: str | None = None
    reading: SentReading | None = None


def exports_of(session: ReviewSession) -> APIRouter:
    """``/api/export``."""
    router = APIRouter(prefix="/api")

    @router.post("/export")
    def export(sent: ExportRequest, reader: Asker) -> Response:
        if sent.id is None or sent.reading is None:
            found, (content, written, left_out) = None, exporting.export_saved(sent.kind, session)
        else:
            left_out = 0
            found = session.entry(sent.id)
            opened, known = session.open(found), session.base(found, sent.reading.origin, reader)
            reading = serialization.measured(serialization.receive(sent.reading, known), opened.seen)
            content, written = exporting.export_one(sent.kind, found, opened, reading)
        name = exporting.file_name(written, content, found)
        headers = {"content-disposition": f'attachment; filename="{name}"', "x-left-out": str(left_out)}
        return Response(content, media_type=exporting.media_type(written, content), headers=headers)

    return router

"""Pictures: one picture of the list, its pixels, its slices, and its measurements while points move."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from spinetk.errors import InputError
from spinetk.review import serialization
from spinetk.review.routes.asker import Asker
from spinetk.review.serialization import SentReading
from spinetk.review.session import ReviewSession


class MeasureRequest(BaseModel):
    """A state of the page to measure. ``live``: while a point moves, without the network's intervals."""

    reading: SentReading
    live: bool = False
    sort: bool = False
    anchor: str | None = Field(None, max_length=80)


class SliceRequest(BaseModel):
    """Another slice of the series on the page, counted from 0; ``keep``: points were placed on the one shown."""

    place: int = Field(ge=0, le=1_000_000)
    keep: bool = False


def pictures_of(session: ReviewSession) -> APIRouter:
    """``/api/entries/ID``, ``.../pixels``, ``.../slice`` and ``.../measure``."""
    router = APIRouter(prefix="/api/entries")

    @router.get("/{key}")
    def entry(key: str, reader: Asker, origin: serialization.Origin | None = None) -> dict[str, Any]:
        found = session.entry(key)
        given = session.given(found, reader)  # opens a picture anew that another program has written at another size
        opened = session.open(found)
        session.worklist.update(found, reader)
        start: str = origin or "given"
        if origin is None and not given.reading.vertebrae and given.status == "given":
            kept = {"imported": session.imported, "predicted": session.predictions.readings}
            start = next((name for name, known in kept.items() if key in known), "given")
        known = given.reading if start == "given" else session.known(found, start, reader)
        return {
            **session.row(found, reader),
            "size": [opened.grey.shape[1], opened.grey.shape[0]],
            "step": opened.step,
            "windows": opened.windows(),
            "modality": opened.picture.modality,
            "slices": opened.picture.slices if found.kind == "picture" else 1,
            "slice": opened.picture.slice,
            "began": given.version,
            "schema": serialization.schema_json(known.schema),
            "reading": {**serialization.send(known), "origin": start},
            "shown": serialization.shown(serialization.measured(known, opened.seen)),
        }

    @router.get("/{key}/pixels")
    def pixels(key: str) -> Response:
        samples, low, high = session.open(session.entry(key)).samples()
        headers = {"x-picture": f"{samples.shape[1]} {samples.shape[0]} {low!r} {high!r}"}
        return Response(samples.tobytes(), media_type="application/octet-stream", headers=headers)

    @router.post("/{key}/slice")
    def choose(key: str, sent: SliceRequest, reader: Asker) -> dict[str, Any]:
        found = session.entry(key)
        slices = session.open(found).picture.slices
        if found.kind != "picture" or sent.place >= slices:
            raise InputError(found.name, f"has no slice {sent.place + 1}", "choose another")
        return session.row(session.slice_of(found, sent.place, keep=sent.keep), reader)

    @router.post("/{key}/measure")
    async def measure(key: str, sent: MeasureRequest, reader: Asker) -> Response:
        # While a point moves every millisecond counts: no hop to a thread, no second look at the answer.
        if sent.live and session.is_open(key):
            return JSONResponse(measured(key, sent, reader))
        return JSONResponse(await run_in_threadpool(measured, key, sent, reader))

    def measured(key: str, sent: MeasureRequest, reader: str) -> dict[str, Any]:
        found = session.entry(key)
        opened, known = session.open(found), session.base(found, sent.reading.origin, reader)
        reading = serialization.receive(sent.reading, known, sigmas=not sent.live)
        order = None
        if sent.sort:
            order = serialization.order_of(reading)
            reading = replace(reading, vertebrae=[reading.vertebrae[k] for k in order])
        figures = serialization.measured(reading, opened.seen, sent.anchor or None)
        return {"shown": serialization.shown(figures), "labels": [v.label for v in figures.vertebrae], "order": order}

    return router

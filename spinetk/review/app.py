"""App: the routes of the review page. Every id from the browser is looked up; none becomes a path."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, FastAPI, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from spinetk._version import __version__
from spinetk.errors import InputError
from spinetk.measure import words
from spinetk.measure.levels import SEQUENCE
from spinetk.reading import Reading
from spinetk.review import exporting, importing, serialization
from spinetk.review.entry import Entry
from spinetk.review.guard import COOKIE, Guard, same
from spinetk.review.opened import Opened
from spinetk.review.pages import Pages
from spinetk.review.serialization import SentReading
from spinetk.review.session import BY_VIEW, ReviewSession
from spinetk.review.uploads import Uploads
from spinetk.views import TABLE, View, says_view

STATIC = Path(__file__).parent / "static"
YEAR_S = 86_400 * 30


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


class ExportRequest(BaseModel):
    """What to download: the picture on the page, or (``id`` None) everything saved."""

    kind: str = Field(max_length=40)
    id: str | None = None
    reading: SentReading | None = None


class PredictRequest(BaseModel):
    """Which pictures to predict, by id, and what they show (:meth:`Predictions.start`)."""

    ids: list[str] = Field(max_length=50_000)
    model: str = Field(max_length=200)
    threshold: float = Field(0.6, ge=0.05, le=0.99)
    view: View = "unknown"


class LoginRequest(BaseModel):
    """The token, as the terminal printed it."""

    token: str = Field(max_length=200)


def create_app(desk: ReviewSession, token: str | None = None) -> Guard:
    """The page over a desk, behind its guard.

    Args:
        desk: What it works on.
        token: Asked of every request to ``/api`` when it is not None.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(_session(desk, token))
    app.include_router(_pictures(desk))
    app.include_router(_uploads(desk))
    app.include_router(_predictions(desk))
    app.mount("/", Pages(STATIC))

    @app.exception_handler(InputError)
    async def bad_input(_: Request, error: InputError) -> JSONResponse:
        return JSONResponse({"error": error.fault, "remedy": error.remedy, "source": _short(error)}, 422)

    @app.exception_handler(RequestValidationError)
    async def bad_request(_: Request, error: RequestValidationError) -> JSONResponse:
        where = ".".join(str(part) for part in error.errors()[0]["loc"][1:]) or "body"
        return JSONResponse({"error": f"field {where!r} is not as expected", "remedy": "reload the page"}, 422)

    return Guard(app, token)


def _short(error: InputError) -> str:
    """The file of an error without its folder: the browser need not know where things lie."""
    return error.source.replace("\\", "/").rpartition("/")[2]


def _session(desk: ReviewSession, token: str | None) -> APIRouter:
    router = APIRouter(prefix="/api")

    @router.post("/login")
    async def login(sent: LoginRequest) -> Response:
        if token is None or not same(sent.token.strip(), token):
            return JSONResponse({"error": "the token is wrong", "remedy": "copy it from the terminal"}, 401)
        response = JSONResponse({})
        response.set_cookie(COOKIE, token, httponly=True, samesite="strict", max_age=YEAR_S)
        return response

    @router.get("/session")
    def session() -> dict[str, Any]:
        return {
            "version": __version__,
            "entries": desk.rows(),
            "models": list(desk.models),
            "by_view": BY_VIEW,
            "exports": exporting.choices(),
            "imports": importing.choices(),
            "levels": list(SEQUENCE),
            "views": [
                {"name": rules.name, "title": rules.title, "front": rules.front, "offered": rules.offered}
                for rules in TABLE.values()
            ],
            "target": desk.describe_target(),
            "grades": [
                [grade, words.GRADE_NAMES[grade], "#%02x%02x%02x" % colour]  # noqa: UP031
                for grade, colour in words.GRADE_COLOURS.items()
            ],
            "research_use": words.RESEARCH_USE,
        }

    return router


def _pictures(desk: ReviewSession) -> APIRouter:
    router = APIRouter(prefix="/api/entries")

    def base(entry: Entry, sent: SentReading) -> tuple[Opened, Reading]:
        return desk.open(entry), desk.known(entry, sent.origin)

    @router.get("/{key}")
    def entry(key: str, origin: serialization.Origin | None = None) -> dict[str, Any]:
        found = desk.entry(key)
        opened = desk.open(found)
        if origin is None:
            fresh = not opened.reading.vertebrae and not found.saved
            kept = {"imported": desk.imported, "predicted": desk.predictions.readings}
            origin = next((name for name, known in kept.items() if fresh and key in known), "given")
        known = desk.known(found, origin)
        low, high = opened.window()
        return {
            **found.row(key in desk.predictions.readings),
            "size": [opened.grey.shape[1], opened.grey.shape[0]],
            "step": opened.step,
            "window": [low, high],
            "modality": opened.picture.modality,
            "asks_view": not says_view(known.view, opened.picture.modality),
            "dicom": opened.picture.kind in ("dicom", "series"),
            "original": found.saved,
            "slices": opened.picture.slices if found.kind == "picture" else 1,
            "slice": opened.picture.slice,
            "schema": {
                "points": list(known.schema.keypoints),
                "edges": [list(edge) for edge in known.schema.edges],
                "columns": {
                    name: [known.schema.index(top), known.schema.index(bottom)]
                    for name, (top, bottom) in known.schema.columns.items()
                },
                **serialization.corners_of(known.schema),
            },
            "reading": {**serialization.send(known), "origin": origin},
            "shown": serialization.shown(serialization.measured(known, opened.seen)),
        }

    @router.get("/{key}/pixels")
    def pixels(key: str) -> Response:
        samples, low, high = desk.open(desk.entry(key)).samples()
        headers = {"x-picture": f"{samples.shape[1]} {samples.shape[0]} {low!r} {high!r}"}
        return Response(samples.tobytes(), media_type="application/octet-stream", headers=headers)

    @router.post("/{key}/slice")
    def choose(key: str, sent: SliceRequest) -> dict[str, Any]:
        found = desk.entry(key)
        slices = desk.open(found).picture.slices
        if found.kind != "picture" or sent.place >= slices:
            raise InputError(found.name, f"has no slice {sent.place + 1}", "choose another")
        return desk.slice_of(found, sent.place, keep=sent.keep).row()

    @router.post("/{key}/measure")
    async def measure(key: str, sent: MeasureRequest) -> Response:
        # While a point moves every millisecond counts: no hop to a thread, no second look at the answer.
        if sent.live and desk.is_open(key):
            return JSONResponse(measured(key, sent))
        return JSONResponse(await run_in_threadpool(measured, key, sent))

    def measured(key: str, sent: MeasureRequest) -> dict[str, Any]:
        opened, known = base(desk.entry(key), sent.reading)
        reading = serialization.receive(sent.reading, known, sigmas=not sent.live)
        order = None
        if sent.sort:
            order = serialization.order_of(reading)
            reading = replace(reading, vertebrae=[reading.vertebrae[k] for k in order])
        found = serialization.measured(reading, opened.seen, sent.anchor or None)
        return {"shown": serialization.shown(found), "labels": [v.label for v in found.vertebrae], "order": order}

    @router.post("/{key}/save")
    def save(key: str, sent: SentReading) -> dict[str, Any]:
        found = desk.entry(key)
        opened, known = base(found, sent)
        reading = serialization.receive(sent, known)
        saved = desk.target.save(found, opened, reading)
        vertebrae = [replace(v, score=None, point_sigma_px=None) for v in reading.vertebrae]
        opened.reading = replace(reading, vertebrae=vertebrae, model=None)
        return {"case": saved.case, "vertebrae": saved.vertebrae, "remarks": saved.remarks, **found.row()}

    exports = APIRouter(prefix="/api")

    @exports.post("/export")
    def export(sent: ExportRequest) -> Response:
        if sent.id is None or sent.reading is None:
            found, (content, written) = None, exporting.export_saved(sent.kind, desk)
        else:
            found = desk.entry(sent.id)
            opened, known = base(found, sent.reading)
            reading = serialization.measured(serialization.receive(sent.reading, known), opened.seen)
            content, written = exporting.export_one(sent.kind, found, opened, reading)
        name = exporting.file_name(written, content, found)
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=exporting.media_type(written, content), headers=headers)

    both = APIRouter()
    both.include_router(router)
    both.include_router(exports)
    return both


def _uploads(desk: ReviewSession) -> APIRouter:
    router = APIRouter(prefix="/api/uploads")
    uploads = Uploads(desk.uploads)

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
        desk.add_entries(entries)
        return {"entries": [entry.row() for entry in entries], "refused": refused}

    @router.post("/{key}/annotations")
    def annotations(key: str) -> dict[str, Any]:
        found, said = importing.import_files(uploads.annotations(key), desk)
        desk.imported |= found
        return {"ids": list(found), "remarks": said}

    return router


def _predictions(desk: ReviewSession) -> APIRouter:
    router = APIRouter(prefix="/api/prediction")

    @router.post("")
    def start(sent: PredictRequest) -> dict[str, Any]:
        desk.predictions.start([desk.entry(key) for key in sent.ids], sent.model, sent.threshold, sent.view)
        return desk.predictions.state()

    @router.get("")
    def state() -> dict[str, Any]:
        return desk.predictions.state()

    @router.post("/cancel")
    def cancel() -> dict[str, Any]:
        desk.predictions.cancel()
        return desk.predictions.state()

    return router

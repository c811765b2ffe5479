"""App: the page and the requests it makes, behind their guard."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from spinetk.errors import InputError
from spinetk.review.faults import in_words_of_the_page
from spinetk.review.guard import Guard
from spinetk.review.pages import Pages
from spinetk.review.routes.exports import exports_of
from spinetk.review.routes.pictures import pictures_of
from spinetk.review.routes.predictions import predictions_of
from spinetk.review.routes.readers import readers_of
from spinetk.review.routes.saves import saves_of
from spinetk.review.routes.session import session_of
from spinetk.review.routes.uploads import uploads_of
from spinetk.review.session import ReviewSession

STATIC = Path(__file__).parent / "static"


def create_app(session: ReviewSession, token: str | None = None) -> Guard:
    """The page over a session, behind its guard.

    Args:
        session: What it works on.
        token: Asked of every request to ``/api`` when it is not None.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(session_of(session, token))
    for router in (pictures_of, saves_of, readers_of, exports_of, uploads_of, predictions_of):
        app.include_router(router(session))
    app.mount("/", Pages(STATIC))

    @app.exception_handler(InputError)
    async def bad_input(_: Request, error: InputError) -> JSONResponse:
        return JSONResponse(in_words_of_the_page(error), 422)

    @app.exception_handler(ModuleNotFoundError)
    async def not_installed(_: Request, error: ModuleNotFoundError) -> JSONResponse:
        return JSONResponse({"error": f"{error.name} is needed for this and not installed", "remedy": ""}, 422)

    @app.exception_handler(RequestValidationError)
    async def bad_request(_: Request, error: RequestValidationError) -> JSONResponse:
        where = ".".join(str(part) for part in error.errors()[0]["loc"][1:]) or "body"
        return JSONResponse({"error": f"field {where!r} is not as expected", "remedy": "reload the page"}, 422)

    return Guard(app, token)

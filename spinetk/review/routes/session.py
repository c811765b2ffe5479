"""Session: what the page needs to know once, and the worklist it asks for again while that is filled."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from spinetk._version import __version__
from spinetk.anchor import SEQUENCE
from spinetk.measure import words
from spinetk.review import exporting, importing
from spinetk.review.guard import COOKIE, same
from spinetk.review.routes.asker import Asker
from spinetk.review.session import BY_VIEW, ReviewSession
from spinetk.views import TABLE

COOKIE_S = 86_400 * 30


class LoginRequest(BaseModel):
    """The token, as the terminal printed it."""

    token: str = Field(max_length=200)


def session_of(session: ReviewSession, token: str | None) -> APIRouter:
    """``/api/login``, ``/api/session`` and ``/api/worklist``."""
    router = APIRouter(prefix="/api")

    @router.post("/login")
    async def login(sent: LoginRequest) -> Response:
        if token is None or not same(sent.token.strip(), token):
            return JSONResponse({"error": "the token is wrong", "remedy": "copy it from the terminal"}, 401)
        response = JSONResponse({})
        response.set_cookie(COOKIE, token, httponly=True, samesite="strict", max_age=COOKIE_S)
        return response

    @router.get("/session")
    def about(reader: Asker) -> JSONResponse:
        content = {
            "version": __version__,
            **listed(reader),
            "blinded": session.blinded,
            "models": list(session.models),
            "by_view": BY_VIEW,
            "exports": exporting.choices(),
            "imports": importing.choices(),
            "levels": list(SEQUENCE),
            "views": [
                {
                    **{name: getattr(rules, name) for name in ("name", "title", "front", "offered")},
                    "pelvic": "pelvic" in rules.angles,
                }
                for rules in TABLE.values()
            ],
            "target": session.describe_target(),
            "grades": [
                [grade, words.GRADE_NAMES[grade], "#%02x%02x%02x" % colour]  # noqa: UP031
                for grade, colour in words.GRADE_COLOURS.items()
            ],
            "research_use": words.RESEARCH_USE,
        }
        return JSONResponse(content)  # as it is: thousands of lines are not looked at a second time

    @router.get("/worklist")
    def worklist(reader: Asker) -> JSONResponse:
        return JSONResponse(listed(reader))

    @router.post("/worklist")
    def look(reader: Asker) -> JSONResponse:
        """Look through the files too. The page asks for it when its first picture is shown, which comes first."""
        session.worklist.scan()
        return JSONResponse(listed(reader))

    def listed(reader: str) -> dict[str, Any]:
        # Asked first: what is still being filled after it is asked for once more.
        scanning = session.worklist.scanning
        return {"entries": session.rows(reader), "scanning": scanning}

    return router

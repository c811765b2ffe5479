"""Predictions: the networks run in the background; the page asks how far they are."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from spinetk.bounds import USUAL_CONFIDENCE
from spinetk.review.session import ReviewSession
from spinetk.views import View


class PredictRequest(BaseModel):
    """Which pictures to predict, by id, and what they show (:meth:`Predictions.start`)."""

    ids: list[str] = Field(max_length=50_000)
    model: str = Field(max_length=200)
    threshold: float = Field(USUAL_CONFIDENCE, ge=0.05, le=0.99)
    view: View = "unknown"


def predictions_of(session: ReviewSession) -> APIRouter:
    """``/api/prediction``: start, state, cancel."""
    router = APIRouter(prefix="/api/prediction")

    @router.post("")
    def start(sent: PredictRequest) -> dict[str, Any]:
        session.predictions.start([session.entry(key) for key in sent.ids], sent.model, sent.threshold, sent.view)
        return session.predictions.state()

    @router.get("")
    def state() -> dict[str, Any]:
        return session.predictions.state()

    @router.post("/cancel")
    def cancel() -> dict[str, Any]:
        session.predictions.cancel()
        return session.predictions.state()

    return router

"""Saves: the version a save began from, both versions where they part, and the history of a case."""

from __future__ import annotations

from dataclasses import asdict
from itertools import pairwise
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from spinetk.errors import InputError
from spinetk.formats.record import reading_of
from spinetk.review import serialization
from spinetk.review.changes import changes_of
from spinetk.review.entry import Entry
from spinetk.review.history import History
from spinetk.review.routes.asker import Asker
from spinetk.review.saving import ConflictError, Wish, save
from spinetk.review.serialization import SentReading
from spinetk.review.session import ReviewSession


class SaveRequest(SentReading):
    """A reading to save.

    ``began`` is the version it was begun on, as the picture's answer or the last save's said. ``empty`` confirms that
    a case loses its last vertebra; ``settles`` makes the reading the truth of a case that two have read blinded.
    """

    began: str = Field("", max_length=80)
    sign: bool = False
    empty: bool = False
    settles: bool = False


def saves_of(session: ReviewSession) -> APIRouter:
    """``/api/entries/ID/save``, ``.../history`` and ``.../history/NUMBER``."""
    router = APIRouter(prefix="/api/entries")

    @router.post("/{key}/save")
    def keep(key: str, sent: SaveRequest, reader: Asker) -> Response:
        found = session.entry(key)
        known = session.known(found, sent.origin, reader)
        opened = session.open(found)
        if sent.size not in (None, (known.width, known.height)):
            fault = f"is {known.width} x {known.height} px by now: another program wrote it while it was open"
            raise InputError(found.title, fault, "reload the page")
        reading = serialization.receive(sent, known)
        if sent.settles and not session.settled(found):
            raise InputError(found.title, "has not been signed by two readers", "sign it first")
        wish = Wish(
            began=sent.began,
            reader=reader,
            status="signed" if sent.sign else "corrected",
            empty=sent.empty,
            blinded=session.blinded,
            settles=sent.settles,
        )
        try:
            saved = save(session.target, found, opened, reading, wish)
        except ConflictError as conflict:
            return JSONResponse(_conflict(session, found, reader, conflict), 409)
        session.forget(found)
        session.worklist.update(found, reader)
        return JSONResponse({**asdict(saved), **session.row(found, reader), "began": saved.version})

    @router.get("/{key}/history")
    def history(key: str, reader: Asker) -> list[dict[str, Any]]:
        found = session.entry(key)
        if found.source is None:
            return []
        past = History(found.source)
        shown = [one for one in past.versions() if session.may_see(found, one, reader)]
        records = [past.record(one.number) for one in shown]
        changed = [[], *(changes_of(*pair) for pair in pairwise(records))]
        return [asdict(one) | {"changes": own} for one, own in zip(shown, changed, strict=False)][::-1]

    @router.get("/{key}/history/{number}")
    def version(key: str, number: int, reader: Asker) -> dict[str, Any]:
        found = session.entry(key)
        if found.source is None:
            raise InputError(found.title, "has not been saved yet", "nothing to go back to")
        past = History(found.source)
        if not any(one.number == number and session.may_see(found, one, reader) for one in past.versions()):
            raise InputError(found.title, f"has no version {number}", "choose another")
        opened = session.open(found)
        record = past.record(number)
        known = reading_of({**record, "file_name": opened.reading.file})
        if (known.height, known.width) != opened.grey.shape:
            raise InputError(found.title, f"had another size in version {number}", "choose another")
        return serialization.whole(known, opened.seen)

    return router


def _conflict(session: ReviewSession, entry: Entry, reader: str, conflict: ConflictError) -> dict[str, Any]:
    """Theirs, for the page to offer beside its own."""
    given = session.given(entry, reader)
    theirs = {"began": conflict.version, "status": given.status, "reader": given.reader, "when": given.when}
    return {
        "error": "was saved by someone else meanwhile",
        "remedy": "choose which one to keep",
        "theirs": {**theirs, **serialization.whole(given.reading, session.open(entry).seen)},
    }

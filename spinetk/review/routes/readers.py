"""Readers: what others read of a picture, the patient's other films, and how two readers agree."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from fastapi import APIRouter

from spinetk.errors import InputError
from spinetk.review import serialization
from spinetk.review.companions import Companions
from spinetk.review.history import version_of
from spinetk.review.readers import Readings
from spinetk.review.routes.asker import Asker
from spinetk.review.session import ReviewSession


def readers_of(session: ReviewSession) -> APIRouter:
    """``/api/entries/ID/readers``, ``.../companions``, ``/api/readers`` and ``/api/agreement``."""
    router = APIRouter(prefix="/api")
    companions = Companions(lambda: list(session.entries.values()))

    @router.get("/entries/{key}/readers")
    def readers(key: str, reader: Asker) -> list[dict[str, Any]]:
        found = session.entry(key)
        opened = session.open(found)
        truth = version_of(found.source) if found.source is not None else ""
        return [
            {
                "reader": one.reader,
                "status": one.status,
                "when": one.when,
                "truth": truth,
                **serialization.whole(one.reading, opened.seen),
            }
            for one in session.others(found, reader)
        ]

    @router.get("/entries/{key}/companions")
    def beside(key: str, reader: Asker) -> list[dict[str, Any]]:
        return [session.row(one, reader) | {"days": days} for one, days in companions.of(session.entry(key))]

    @router.get("/readers")
    def names() -> list[str]:
        found = {name.casefold(): name for base in session.bases() for name in Readings(base).names()}
        return [found[key] for key in sorted(found)]

    @router.get("/agreement")
    def agreement(first: str, second: str) -> dict[str, Any]:
        """Of the pictures that both have signed: neither is told of what the other has not finished."""
        from spinetk.report.agreement import agree, lines

        with tempfile.TemporaryDirectory() as folder:
            sides = Path(folder) / "first", Path(folder) / "second"
            titles: list[str] = []
            for base in session.bases():
                readings = Readings(base)
                for entry in [one for one in session.entries.values() if one.base == base and one.case is not None]:
                    case = str(entry.case)
                    both = [readings.read(name, case) for name in (first, second)]
                    if all(one is not None and one.status == "signed" for one in both):
                        titles.append(entry.title)
                        for side, name in zip(sides, (first, second), strict=True):
                            side.mkdir(exist_ok=True)
                            shutil.copyfile(readings.path(name, case), side / f"{len(titles):05d}.json")
            if not titles:
                raise InputError("agreement", f"{first} and {second} have signed no picture both", "sign some first")
            found = agree(*sides)
        numbers = {f"{number:05d}: ": f"{title}: " for number, title in enumerate(titles, start=1)}
        doubts = [numbers.get(line[:7], line[:7]) + line[7:] for line in found.failures]
        return {"pictures": len(titles), "doubts": doubts, "lines": list(lines(found)), "quantities": found.quantities}

    return router

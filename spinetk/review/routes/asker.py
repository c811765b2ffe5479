"""Asker: who sends a request, as the page says in the header ``x-reader``."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, Header

from spinetk.review.readers import reader_name


async def asker(x_reader: Annotated[str, Header(max_length=800)] = "") -> str:
    """The reader's name; empty when the page was told none.

    A coroutine: FastAPI sends plain functions to a thread, and a request would wait for that twice.
    """
    return reader_name(unquote(x_reader))


Asker = Annotated[str, Depends(asker)]

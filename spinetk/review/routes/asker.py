"""Asker: who sends a request, as the page says in the header ``x-reader``."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, Header

from spinetk.review.readers import reader_name


def asker(x_reader: Annotated[str, Header(max_length=800)] = "") -> str:
    """The reader's name; empty when the page was told none."""
    return reader_name(unquote(x_reader))


Asker = Annotated[str, Depends(asker)]

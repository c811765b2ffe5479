"""HTML: the elements that pages and overviews are put together from."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

import cv2
import numpy as np

from spinetk._version import __version__
from spinetk.measure import words
from spinetk.report.style import STYLE

DASH = "\N{EN DASH}"


def escaped(value: object) -> str:
    """Any text as it may stand in a page."""
    plain = str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    # Control characters are no HTML; a right-to-left override could make a name look like another.
    return escape("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in plain), quote=True)


def document(title: str, parts: Sequence[str]) -> str:
    """A whole page of parts that are HTML already; it may load nothing."""
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">'
        f"<title>{escaped(title)}</title><style>{STYLE}</style>"
    )
    body = "\n".join(part for part in parts if part)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body><main>\n{body}\n</main></body></html>\n'


def data_uri(picture: np.ndarray, quality: int) -> str:
    """A picture (H, W, 3) uint8 RGB as a JPEG within the page."""
    # Full colour resolution (4:4:4): thin coloured lines blur without it.
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR]
    done, data = cv2.imencode(".jpg", picture[..., ::-1], [*settings, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444])
    if not done:
        raise ValueError(f"a picture of {picture.shape} cannot be encoded")
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode("ascii")


def chip(grade: int | None, text: str | None = None) -> str:
    """A square in the colour of a grade, and a text or the name of the grade."""
    return f"<span class='chip g{'x' if grade is None else grade}'></span>{escaped(text or words.GRADE_NAMES[grade])}"


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool]) -> str:
    """A table of cells that are HTML already; columns without any content are left out."""
    if not rows:
        return ""
    kept = [c for c in range(len(head)) if any(row[c] not in ("", DASH) for row in rows)]

    def line(cells: Sequence[str], tag: str) -> str:
        return "".join(f"<{tag}{' class=n' if numeric[c] else ''}>{cells[c]}</{tag}>" for c in kept)

    body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    head_row = f"<thead><tr>{line([escaped(h) for h in head], 'th')}</tr></thead>"
    return f"<section><h2>{escaped(caption)}</h2><table>{head_row}<tbody>{body}</tbody></table></section>"


def bullets(title: str, lines: Sequence[str]) -> str:
    """A titled list of plain texts; empty without any."""
    if not lines:
        return ""
    return (
        f"<section><h2>{escaped(title)}</h2><ul>{''.join(f'<li>{escaped(line)}</li>' for line in lines)}</ul></section>"
    )


def foot(*lines: str) -> str:
    """The small print, the first line of which all pages share."""
    first = f"{words.RESEARCH_USE} spinetk {__version__}."
    return f"<footer>{''.join(f'<p>{escaped(line)}</p>' for line in (first, *lines))}</footer>"


def link_to(page: str | Path, summary: str | Path) -> str:
    """The address of a page, relative to the summary beside or above it."""
    relative = os.path.relpath(page, Path(summary).parent).replace(os.sep, "/")
    # "./" keeps a name such as "javascript:x.html" a name.
    return "./" + quote(os.fsencode(relative))

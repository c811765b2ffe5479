"""Words: the table of formats in the documentation, made from the registry."""

from __future__ import annotations

from spinetk.formats.registry import HOLDS, Format, formats


def table() -> str:
    """A Markdown table: each format, which way it goes, what it does not hold, its half pixel, tools and source."""
    columns = ("`--from`, `--as`", "format", "read", "written", "does not hold", "where its (0, 0) is", "run with",
               "by documentation only", "described in")  # fmt: skip
    rows = [_row(entry) for entry in formats().values()]
    return "\n".join([f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *rows])


def _row(entry: Format) -> str:
    missing = ", ".join(name for name in HOLDS if name not in entry.holds) or "nothing"
    ways = ["yes" if way else "" for way in (entry.read, entry.write)]
    names = ", ".join(f"`{name}`" for name in (entry.name, *entry.aliases))
    source = " ".join(f"<{word}>" if word.startswith("https://") else word for word in entry.source.split(" "))
    cells = [names, entry.title, *ways, missing, entry.origin, entry.tools, entry.documented, source]
    return f"| {' | '.join(cells)} |"

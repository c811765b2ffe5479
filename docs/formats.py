"""Write the table of formats into ``how-to/formats.md``: ``python docs/formats.py``. A test compares."""

from __future__ import annotations

from pathlib import Path

from spinetk.formats.words import table

PAGE = Path(__file__).parent / "how-to" / "formats.md"
BEGIN, END = "<!-- table: python docs/formats.py -->\n", "\n<!-- end of table -->"

if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}{table()}{END}{rest.split(END)[1]}", encoding="utf-8")

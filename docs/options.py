"""Write the table of options into ``how-to/options.md``: ``python docs/options.py``. A test compares."""

from __future__ import annotations

from pathlib import Path

from spinetk.verbs import options, verbs

PAGE = Path(__file__).parent / "how-to" / "options.md"
BEGIN, END = "<!-- table: python docs/options.py -->\n", "\n<!-- end of table -->"
GROUPS = {
    "Training": ("train", "discs train", "segment train"),
    "Predicting": ("predict", "discs predict", "segment predict", "measure", "node"),
    "Evaluating and releasing": (
        "evaluate", "discs evaluate", "segment evaluate", "release", "discs release", "segment release",
    ),
}  # fmt: skip
"""What stands side by side; verbs that are in no group come last, in a list."""


def tables() -> str:
    """One table a group: an option a row, a verb a column, with its other names; then the other verbs."""
    known = {name: options(command) for name, command in verbs().items()}
    lines: list[str] = []
    for title, own in GROUPS.items():
        lines += [f"## {title}", "", "| option | " + " | ".join(f"`{verb}`" for verb in own) + " | other names |"]
        lines.append("|---|" + "---|" * (len(own) + 1))
        rows = dict.fromkeys(flag for verb in own for flag in known[verb])
        for flag in sorted(rows, key=lambda f: (-sum(f in known[verb] for verb in own), list(rows).index(f))):
            marks = ["x" if flag in known[verb] else "" for verb in own]
            others = dict.fromkeys(name for verb in own if flag in known[verb] for name in known[verb][flag].others)
            lines.append(f"| `{flag}` | {' | '.join(marks)} | {' '.join(f'`{name}`' for name in others)} |")
        lines.append("")
    lines += ["## The other verbs", "", "| verb | options |", "|---|---|"]
    grouped = {verb for own in GROUPS.values() for verb in own}
    for verb in known:
        if verb not in grouped:
            lines.append(f"| `{verb}` | {' '.join(f'`{flag}`' for flag in known[verb])} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}{tables()}{END}{rest.split(END)[1]}", encoding="utf-8")

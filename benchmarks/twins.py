"""Pictures of a case folder that show all but the same under different groups: one patient under two names.

python benchmarks/twins.py CASES [--least 0.8]

Where the folder has a split, the part of each is said.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from spinetk.cases.folder import CaseFolder, read_pixels
from spinetk.cases.likeness import alike, print_of
from spinetk.cases.splitting import SPLIT

LEAST = 0.8


def known_elsewhere(base: Path, least: float = LEAST) -> set[str]:
    """Patients (``group``, else the case) of whom a picture lies in another part of the split under another name."""
    parts = json.loads((base / SPLIT).read_text(encoding="utf-8"))["parts"]
    part, whose = {case: name for name, own in parts.items() for case in own}, CaseFolder(base).metadata()
    pairs = [(one, other) for one, other, _ in twins(base, least) if part.get(one) != part.get(other)]
    return {str(whose.get(case, {}).get("group", case)) for pair in pairs for case in pair}


def twins(base: Path, least: float) -> list[tuple[str, str, float]]:
    """(case, case, correlation) of pictures of different groups."""
    folder = CaseFolder(base)
    metadata = folder.metadata()
    records, _ = folder.records(folder.cases(), augmented=False)
    cases, prints = [record["case"] for record in records], [print_of(read_pixels(record)) for record in records]
    groups = [metadata.get(case, {}).get("group", case) for case in cases]
    found = [(i, j) for i, j in alike(prints, least) if groups[i] != groups[j]]
    return [(cases[i], cases[j], float(prints[i] @ prints[j])) for i, j in found]


def in_two_parts(base: Path, least: float = 0.8) -> set[str]:
    """Cases that show all but the same as one of another group in another part of the folder's split."""
    parts = json.loads((base / SPLIT).read_text(encoding="utf-8"))["parts"]
    part = {case: name for name, own in parts.items() for case in own}
    return {case for one, other, _ in twins(base, least) if part.get(one) != part.get(other) for case in (one, other)}


def main() -> None:
    """Print the pairs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--least", type=float, default=LEAST)
    options = parser.parse_args()
    split = options.cases / SPLIT
    parts = json.loads(split.read_text(encoding="utf-8"))["parts"] if split.exists() else {}
    part = {case: name for name, cases in parts.items() for case in cases}
    found = twins(options.cases, options.least)
    for one, other, value in sorted(found, key=lambda pair: -pair[2]):
        print(f"{value:.3f}  {one} ({part.get(one, '-')})  {other} ({part.get(other, '-')})")
    print(f"{len(found)} pairs of different groups at {options.least} or above")


if __name__ == "__main__":
    main()

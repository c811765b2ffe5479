"""What a user gets of pictures whose files say nothing: each is written as PNG and read as `spinetk predict` reads it.

python benchmarks/view_user.py WHOLE [--data DATA] [--count 60] [--seed 0] [--part judged] [--sheets FOLDER]

WHOLE is what ``view_set.py --whole`` writes: the held-out pictures in their own size, by kind. Of each kind ``--count``
are drawn, from its sources in turn and in each from group after group, and read once as they are and once turned or
mirrored or both. ``--part`` takes half of the groups only: those that may be looked at while something is mended, or
those that are judged by, which nobody looks at. Real MR cut to narrow columns has a row of its own beside the sum.
DATA adds the real lateral films and what ``dicom/`` holds beside spines (the latter were trained on).
Prints what each kind was read as or that it was refused; the share whose view is right, and of which it is right and
the picture was read upright, too; how many were wrong in silence: read as something else, or another way up, without a
remark that asks to check; how many right ones have such a remark; and the fronts that are wrong of those that are said.
``--sheets`` draws the wrong ones, for looking at.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import cv2
import numpy as np
from view_judge import FILMS
from view_pictures import posed
from view_set import NARROW, dicom

from spinetk.errors import InputError
from spinetk.keypoints.reader import Reader
from spinetk.keypoints.viewing.kinds import KINDS

REFUSED = "refused"
ASKS = "check that the picture"  # is in every remark that asks whether it is upright and shows a spine
EXIF = (1, 6, 3, 8)  # by quarter turns
PARTS = ("looked-at", "judged")
TEMPLATE = "PAM50"
NARROW_ROW = "narrow columns"
CELL = 220  # px of a picture on a sheet


@dataclass(frozen=True)
class Sample:
    """One picture, (H, W) uint8, upright; the side of its front where it has one; its place in a drawing of poses."""

    picture: np.ndarray
    row: str
    kind: str
    name: str
    front: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a sample in one pose."""

    sample: Sample
    turn: int
    mirrored: bool
    said: str
    silent: bool
    turned_wrong: bool = False
    front_wrong: bool = False
    front_known: bool = False
    words: str = ""


def held_out(whole: Path, count: int, random: np.random.Generator, part: str | None = None) -> Iterator[Sample]:
    """So many pictures of each kind: sources in turn, in each the groups in turn; and narrow columns of MR."""
    for row in (*KINDS, NARROW_ROW):
        kind = "sagittal-mr" if row == NARROW_ROW else row
        sources: dict[str, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
        for path in sorted((whole / kind).glob("*.png")):
            group = path.stem.rsplit("-", 2)[0]
            narrow = group.startswith(NARROW)
            if narrow == (row == NARROW_ROW) and part in (None, part_of(group)):
                sources[source_of(group)][group].append(path)
        columns = []
        for groups in sources.values():
            shuffled = [list(random.permutation(np.array(own, object))) for own in groups.values()]
            random.shuffle(shuffled)
            columns.append([path for row in zip_longest(*shuffled) for path in row if path is not None])
        chosen = [path for row in zip_longest(*columns) for path in row if path is not None][:count]
        for path in chosen:
            front = path.stem.rsplit("-", 1)[1]
            picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
            yield Sample(picture, row, kind, path.stem, front if front in ("left", "right") else "")


def part_of(group: str) -> str:
    """Whether a group may be looked at or is judged by; the narrow template was looked at in any case."""
    digest = hashlib.sha256(f"b{group.removeprefix(NARROW)}".encode()).digest()[0]
    return PARTS[digest >= 128 and TEMPLATE not in group]


def source_of(group: str) -> str:
    """What a group is of: its name to the first dash, without numbers; photographs are one source."""
    start = group.split("-")[0]
    return "" if "-" not in group and not start.isdigit() else start.rstrip("0123456789")


def real(data: Path) -> Iterator[Sample]:
    """The real lateral films, and other pictures in DICOM."""
    for name in FILMS:
        for path in sorted((data / name / "images").glob("*.png")):
            front = "left" if name == "lateral_masks" else ""
            yield Sample(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), name, "lateral", path.stem, front)
    seen = set()
    for number, own in enumerate(dicom(data / "dicom")):
        digest = own.picture.tobytes()
        if digest not in seen:
            seen.add(digest)
            yield Sample(own.picture, "dicom", "none", f"dicom-{number}")


def outcome(reader: Reader, sample: Sample, turn: int, mirrored: bool, folder: Path) -> Outcome:
    """Read one picture in one pose."""
    picture, _ = posed(sample.picture, -1, turn, mirrored)
    path = folder / "picture.png"
    cv2.imwrite(str(path), picture)
    try:
        found, _ = reader.read(path)
    except InputError as error:
        return Outcome(sample, turn, mirrored, REFUSED, False, words=str(error).split(": ", 1)[-1])
    said = {"sagittal": found.model or ""}.get(found.view, found.view)
    right = said == sample.kind
    front = sample.front if not mirrored else {"left": "right", "right": "left"}.get(sample.front, "")
    side = found.facing.side if found.facing else None
    turned_wrong = right and found.frame.exif_orientation != EXIF[turn]
    known = right and not turned_wrong and bool(front and side)
    silent = not any(ASKS in own for own in found.remarks)
    words = "; ".join((f"{len(found.vertebrae)} bodies", *found.remarks))
    return Outcome(sample, turn, mirrored, said, silent, turned_wrong, known and side != front, known, words)


def table(outcomes: list[Outcome]) -> None:
    """Print what was read as what."""
    columns = [*(own for own in KINDS if own != "none"), REFUSED]
    extra = ("pictures", "view %", "view and turn %", "silent", "right and told", "front wrong")
    print("| truth | " + " | ".join((*columns, *extra)) + " |\n|" + "---|" * (1 + len(columns) + len(extra)))
    for row in dict.fromkeys(own.sample.row for own in outcomes):
        of_row = [own for own in outcomes if own.sample.row == row]
        for upright in (True, False):
            owns = [own for own in of_row if (own.turn == 0 and not own.mirrored) == upright]
            if owns:
                print_row(f"{row}, {'as it is' if upright else 'turned, mirrored'}", owns, columns)
        if len({(own.turn, own.mirrored) for own in of_row}) > 1:
            print_row(row, of_row, columns)


def wanted(own: Outcome) -> bool:
    """Whether the view is right, or what shows no spine was refused."""
    return own.said == (REFUSED if own.sample.kind == "none" else own.sample.kind)


def in_silence(own: Outcome) -> bool:
    """Whether a reading is wrong and nothing says so."""
    return own.said != REFUSED and own.silent and (not wanted(own) or own.turned_wrong)


def percent(right: Iterable[bool]) -> str:
    """The share in percent."""
    return f"{100 * float(np.mean(list(right))):.1f}"


def print_row(name: str, owns: list[Outcome], columns: list[str]) -> None:
    """One row of the table."""
    counts = Counter(own.said for own in owns)
    front, known = sum(own.front_wrong for own in owns), sum(own.front_known for own in owns)
    cells = [*(str(counts[own]) for own in columns), str(len(owns)), percent(map(wanted, owns)),
             percent(wanted(own) and not own.turned_wrong for own in owns), str(sum(map(in_silence, owns))),
             str(sum(own.said != REFUSED and wanted(own) and not own.turned_wrong and not own.silent for own in owns)),
             f"{front} of {known}"]  # fmt: skip
    print(f"| {name} | " + " | ".join(cells) + " |")


def sheets(outcomes: list[Outcome], folder: Path) -> None:
    """Draw the pictures that were not read as what they are, one sheet a kind and answer."""
    folder.mkdir(parents=True, exist_ok=True)
    faults: dict[str, list[Outcome]] = defaultdict(list)
    for own in outcomes:
        if not wanted(own):
            faults[f"{own.sample.row}-as-{own.said}"].append(own)
    for name, owns in faults.items():
        cells = []
        for own in owns[:30]:
            picture = own.sample.picture
            factor = CELL / max(picture.shape)
            small = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
            cell = np.full((CELL + 14, CELL + 6), 90, np.uint8)
            cell[: small.shape[0], : small.shape[1]] = small
            told = "" if own.silent else " (told)"
            text = f"{own.sample.name[:26]} {own.turn}{'m' if own.mirrored else ''}{told}"
            cv2.putText(cell, text, (2, CELL + 10), cv2.FONT_HERSHEY_SIMPLEX, 0.32, 255, 1)
            cells.append(cell)
        cells += [np.zeros_like(cells[0])] * (-len(cells) % 6)
        rows = [np.hstack(cells[k : k + 6]) for k in range(0, len(cells), 6)]
        cv2.imwrite(str(folder / f"{name}.png"), np.vstack(rows))


def main() -> None:
    """Read the sample, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("whole", type=Path)
    parser.add_argument("--data", type=Path, help="folder with the real lateral films and dicom/")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--sheets", type=Path)
    options = parser.parse_args()
    random, reader, outcomes = np.random.default_rng(options.seed), Reader(), []
    samples = list(held_out(options.whole, options.count, random, options.part))
    poses = [(turn, mirrored) for turn in range(4) for mirrored in (False, True) if turn or mirrored]
    with tempfile.TemporaryDirectory() as folder:
        for sample in samples:
            for turn, mirrored in ((0, False), poses[int(random.integers(len(poses)))]):
                outcomes.append(outcome(reader, sample, turn, mirrored, Path(folder)))
        for sample in real(options.data) if options.data else ():
            outcomes.append(outcome(reader, sample, 0, False, Path(folder)))
            if sample.kind != "none":
                outcomes.append(outcome(reader, sample, *poses[int(random.integers(len(poses)))], Path(folder)))
    for own in outcomes:
        if not wanted(own) or own.turned_wrong or own.front_wrong:
            pose = f"{own.turn}{'m' if own.mirrored else ''}"
            told = "" if own.silent else "told; "
            print(f"{own.sample.row} {own.sample.name} {pose}: {own.said}; {told}{own.words}")
    table(outcomes)
    held = [own for own in outcomes if own.sample.row in KINDS]
    both = percent(wanted(own) and not own.turned_wrong for own in held)
    silent = sum(map(in_silence, held))
    view = percent(map(wanted, held))
    print(f"{len(held)} held-out pictures: view right {view} %, turn, too, {both} %, wrong in silence {silent}")
    if options.sheets:
        sheets(outcomes, options.sheets)


if __name__ == "__main__":
    main()

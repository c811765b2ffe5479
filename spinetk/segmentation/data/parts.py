"""Who trains, who validates, who tests: lists, the data set's own parts, or parts dealt out by patient."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from spinetk.errors import InputError
from spinetk.segmentation.data.case import PARTS, Case, Part, stem
from spinetk.segmentation.data.twins import once, say_shared
from spinetk.segmentation.split import write_split

Parts = dict[Part, list[Case]]
VAL_SHARE, TEST_SHARE = 0.15, 0.2  # of the patients
LEAST_PATIENTS = 3
"""A validation part is dealt out of at least this many patients."""


def deal(
    cases: Sequence[Case],
    lists: dict[Part, str | Path] | None = None,
    seed: int = 0,
) -> Parts:
    """The three parts.

    Lists win over the data set's own parts, these over chance, which takes an image once that is there under two names;
    parts that are given and share one are a warning. Where no validation part is given, one is dealt out of
    the training part; the test part is never used to choose anything. Cases of one patient stay together wherever
    chance deals.

    Args:
        cases: All.
        lists: Files of names for some parts; a case in no list is left out.
        seed: Of the dealing.

    Raises:
        InputError: A list that cannot be read, names no case, or names one that another part has; no case to train on.
    """
    parts: Parts = {part: [] for part in PARTS}
    drawn = False  # by chance from all cases, each image once: then nothing is left to compare
    if lists:
        named = {part: read_list(path, cases) for part, path in lists.items()}
        _check_apart(named, lists)
        parts |= named
        if "train" not in lists:
            taken = {case.name for chosen in named.values() for case in chosen}
            parts["train"] = [case for case in cases if case.name not in taken]
    elif any(case.part for case in cases):
        for case in cases:
            parts[case.part or "train"].append(case)
    else:
        drawn = True
        parts["train"], parts["test"] = _draw(once(cases), TEST_SHARE, seed)
    if not parts["train"]:
        raise InputError("training part", "holds no case", "name cases to train on")
    if not parts["val"] and "val" not in (lists or {}):
        parts["train"], parts["val"] = _draw(parts["train"] if drawn else once(parts["train"]), VAL_SHARE, seed + 1)
    if not drawn:
        say_shared(parts)
    return parts


def _draw(cases: Sequence[Case], share: float, seed: int) -> tuple[list[Case], list[Case]]:
    """Those that stay and a share of the patients, at least one; nobody from fewer than three."""
    patients = sorted({case.who for case in cases})
    if len(patients) < LEAST_PATIENTS:
        return list(cases), []
    count = max(1, round(share * len(patients)))
    drawn = set(np.random.default_rng([seed, 17]).permutation(patients)[:count])
    return [c for c in cases if c.who not in drawn], [c for c in cases if c.who in drawn]


def read_list(path: str | Path, cases: Iterable[Case]) -> list[Case]:
    """The cases that a text file names, one a line: a case's name, its image's name, or a path to its image.

    Suffixes do not matter, so the ``.npy`` lists of the original do.

    Raises:
        InputError: The file cannot be read, is empty, or names an unknown case.
    """
    try:
        lines = [line.strip() for line in Path(path).read_text(encoding="utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(path, "cannot be read as a list", "give a text file with one name a line") from error
    known: dict[str, Case] = {}
    for case in cases:
        known |= {case.name: case, stem(case.image): case}
    chosen: dict[str, Case] = {}
    for line in filter(None, lines):
        name = line.replace("\\", "/").rsplit("/", 1)[-1]
        named = known.get(line) or known.get(name) or known.get(stem(Path(name)))
        if named is None:
            raise InputError(path, f"names {name}, which is not a case here", "use the names of this data set")
        chosen[named.name] = named
    if not chosen:
        raise InputError(path, "names no case", "give one name a line")
    return list(chosen.values())


def _check_apart(named: Parts, lists: dict[Part, str | Path]) -> None:
    owner: dict[str, Part] = {}
    for part, chosen in named.items():
        for case in chosen:
            if owner.setdefault(case.name, part) != part:
                raise InputError(lists[part], f"names {case.name}, as the list of {owner[case.name]} does", "part them")


def save_parts(path: str | Path, parts: Parts, weights: Path) -> None:
    """Write the names of every part for the weights that will lie beside it (:func:`write_split`)."""
    content: dict[str, list[str]] = {part: [case.name for case in chosen] for part, chosen in parts.items()}
    write_split(Path(path), content, [weights.name])


def load_part(path: str | Path, part: Part, cases: Iterable[Case]) -> list[Case]:
    """The cases of one part of a saved split.

    Raises:
        InputError: The file is no split, or names a case that is not there.
    """
    try:
        names = json.loads(Path(path).read_text(encoding="utf-8"))[part]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(path, f"is not a split with a part {part}", "keep the split.json of the training") from error
    known = {case.name: case for case in cases}
    missing = [name for name in names if name not in known]
    if missing:
        raise InputError(path, f"names {missing[0]}, which is not in this data set", "give the data of the training")
    return [known[name] for name in names]

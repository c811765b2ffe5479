"""Kinship: which cases are of one patient, where only their names and pictures tell."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence

import numpy as np

from spinetk.cases.folder import CaseFolder, read_pixels, read_record
from spinetk.cases.groups import Union
from spinetk.cases.likeness import ALIKE, alike, print_of
from spinetk.errors import InputError
from spinetk.images.picture import pixel_hash

# Words that tools put before the number of a slice; what stands before them is the volume.
SLICE = re.compile(r"(.*[^ _.-])[ _.-]*(?<![a-z])(?:slice|slc|sl|frame|fr|z)[ _.-]?\d+", re.IGNORECASE)
NUMBERED = re.compile(r"(.*?)[ _.-]*\d+")
MOST_ALIKE = 0.5  # share of the cases above which likeness says nothing: all pictures look so
MOST_NAMED = 3


def pictures_of(folder: CaseFolder, cases: list[str]) -> tuple[dict[str, str], dict[str, np.ndarray], list[str]]:
    """Hash and look of each case's decoded pixels, each case read and checked; one line for each that is damaged."""
    pictures: dict[str, str] = {}
    prints: dict[str, np.ndarray] = {}
    damaged: list[InputError] = []
    for case in cases:
        try:
            pixels = read_pixels(read_record(folder.source(case), left_out=damaged))
        except InputError as error:
            damaged.append(error)
            continue
        pictures[case], prints[case] = pixel_hash(pixels), print_of(pixels)
    return pictures, prints, list(map(str, damaged))


def by_picture(cases: list[str], groups: list[str], pictures: Mapping[str, str]) -> list[str]:
    """The groups, with each case of which nothing is known in that of the cases with its pixels; a warning says so.

    Pictures of two given groups are not joined: one of them is wrong, which the split says.
    """
    given = {case: own for case, own in zip(cases, groups, strict=True) if own != f"case:{case}"}
    first = {pictures[case]: own for case, own in given.items()}
    found, joined = [], []
    for case, own in zip(cases, groups, strict=True):
        label = own if case in given else first.setdefault(pictures[case], own)
        found.append(label)
        if label != own:
            joined.append(case)
    if joined:
        more = f" and {len(joined) - 1} more" if len(joined) > 1 else ""
        warnings.warn(
            f"case {joined[0]!r}{more} holds the same picture as another case: they were kept together", stacklevel=3
        )
    return found


def by_look(
    cases: list[str], groups: list[str], pictures: Mapping[str, str], prints: Mapping[str, np.ndarray]
) -> list[str]:
    """The groups, with cases of which nothing is known put together by their names and pictures; warnings say so."""
    alone = [case for case, own in zip(cases, groups, strict=True) if own == f"case:{case}"]
    if not any(own.startswith("group:") for own in groups):
        warnings.warn(
            "no case has a group: put the patient of every case into metadata.json as 'group'; until then pictures of"
            " one patient may lie in two parts",
            stacklevel=3,
        )
    union = Union(alone)
    union.join_equal({case: named[1] if (named := SLICE.fullmatch(case)) else None for case in alone})
    stems = {case: named[1] if (named := NUMBERED.fullmatch(case)) else None for case in alone}
    found = Union(alone)
    for i, j in alike([prints[case] for case in alone], ALIKE):
        one, other = alone[i], alone[j]
        if stems[one] is not None and stems[one] == stems[other] and pictures[one] != pictures[other]:
            found.join(one, other)
    if max((len(part) for part in found.parts()), default=0) <= MOST_ALIKE * len(cases):
        for part in found.parts():
            for case in part[1:]:
                union.join(part[0], case)
    elif len(alone) > 1:
        warnings.warn("pictures look too much alike to tell by that which are of one patient", stacklevel=3)
    together = [part for part in union.parts() if len(part) > 1]
    if together:
        count = sum(map(len, together))
        warnings.warn(
            f"{count} cases without a group look like slices of {len(together)} volumes by their names or pictures and"
            f" were kept together, such as {together[0][0]!r} and {together[0][1]!r}: give each its group",
            stacklevel=3,
        )
    label = {case: f"case:{part[0]}" for part in together for case in part}
    return [label.get(case, own) for case, own in zip(cases, groups, strict=True)]


def warn_alike(parts: Mapping[str, Sequence[str]], prints: Mapping[str, np.ndarray]) -> None:
    """Say which cases of two parts show all but the same; nothing where most cases of them do."""
    part_of = {case: part for part, cases in parts.items() for case in cases}
    cases = list(part_of)
    found = [(cases[i], cases[j]) for i, j in alike([prints[case] for case in cases], ALIKE)]
    found = [(one, other) for one, other in found if part_of[one] != part_of[other]]
    if not found or len({case for pair in found for case in pair}) > MOST_ALIKE * len(cases):
        return
    named = "; ".join(f"{a!r} ({part_of[a]}) and {b!r} ({part_of[b]})" for a, b in found[:MOST_NAMED])
    more = f"; and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    warnings.warn(
        f"pictures in two parts that show all but the same: {named}{more}: give them one group if they are of one"
        " patient",
        stacklevel=3,
    )

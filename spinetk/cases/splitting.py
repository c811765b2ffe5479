"""make_split: which cases teach, which choose, which judge.

Proportions and seed are the original's: a fifth of the cases is set aside for testing, then 10/70 of the rest for
validation, 68.6 / 11.4 / 20 % in all.
"""

from __future__ import annotations

import hashlib
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupShuffleSplit, StratifiedGroupKFold, train_test_split

from spinetk.atomic import write_json
from spinetk.bounds import MOST_SEED
from spinetk.cases.folder import CaseFolder
from spinetk.cases.groups import FIELDS, KINDS, labelled, origins
from spinetk.cases.kinship import by_look, by_picture, pictures_of, warn_alike
from spinetk.errors import InputError
from spinetk.formats.files import read_json

SPLIT = "split.json"
PARTS = ("train", "val", "test")
TEST_SHARE = 0.2
VALIDATION_SHARE = 10 / 70  # of what testing leaves
TEST_FOLDS, VALIDATION_FOLDS = 5, 7  # the same shares as whole folds
SEED = 100  # the original's
Parts = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.Series, pd.Series, pd.Series]


def make_split(
    base: str | Path,
    strat_var: str | None = None,
    *,
    group: str | None = None,
    seed: int | None = None,
    save: bool = True,
) -> Parts:
    """Split the cases of a folder; the same folder gives the same split.

    The split is kept in ``<base>/split.json`` and read back as long as settings and sources are the same; when they
    are not, a new one is made and a warning says so. Asked without any setting, it is the one on file, however that was
    made: whoever evaluates need not know how the training's was. Augmented copies always follow their source. A case
    that cannot be read is left out, and so is a wrong annotation among others, with a warning of one line each.

    Args:
        base: The case folder.
        strat_var: A variable of ``metadata.json`` that every part shall hold in like proportion (e.g. ``Hardware``).
        group: The variable of ``metadata.json`` whose equal values stay in one part; ``""`` switches grouping off.
            None takes ``group`` and ``patient``, where cases came from (:mod:`spinetk.cases.groups`) and, of cases
            without either, what their names and pictures say: ``vol1_slice012`` belongs to ``vol1``, and so do names
            that differ in their last number alone and show all but the same.
        seed: Of the random choice; None for the original's, 100.
        save: Whether to write ``split.json``.

    Returns:
        ``X_train, X_val, X_test, y_train, y_val, y_test``. X: DataFrames indexed by case name with columns ``case``,
        ``directory`` and the variables of ``metadata.json``. y: Series of ``strat_var`` (None without one). All have
        ``attrs["directory"]``.

    Raises:
        InputError: There are fewer than three cases (or groups) that can be read, a case lacks ``strat_var``, or parts
            share a patient, a study, a series, a volume or a picture.
    """
    folder = CaseFolder(base)
    cases = folder.cases()
    metadata = folder.metadata()
    if seed is not None and not 0 <= seed <= MOST_SEED:
        raise InputError("seed", f"{seed} is not from 0 to {MOST_SEED}", "the original's is 100")
    if strat_var is None and group is None and seed is None:
        strat_var, group, seed = _settings_on_file(folder, cases, metadata)
    seed = SEED if seed is None else seed
    strata = _strata(folder, cases, metadata, strat_var)
    groups, field = _groups(folder, cases, metadata, group)
    asked = {"strat_var": strat_var, "group": field, "seed": seed}
    prints = _fingerprint(folder, cases, strata, groups)
    parts, left_out = _saved(folder, asked, prints)
    if parts is not None:  # somebody may have moved a case
        check_overlap(parts, dict(zip(cases, groups, strict=True)), "patient")
    else:
        pictures, prints_of, left_out = pictures_of(folder, cases)
        kept = [i for i, case in enumerate(cases) if case in pictures]
        if not kept:
            raise InputError(folder.base, f"no case can be read; the first: {left_out[0]}", "prepare the cases again")
        names, own = [cases[i] for i in kept], [groups[i] for i in kept]
        if group is None:
            own = by_look(names, by_picture(names, own, pictures), pictures, prints_of)
        chosen = _choose(names, None if strata is None else [strata[i] for i in kept], own, seed)
        parts = {name: [names[i] for i in sorted(rows)] for name, rows in zip(PARTS, chosen, strict=True)}
        check_overlap(parts, dict(zip(names, own, strict=True)), "patient")
        check_overlap(parts, pictures, "picture")
        _check_origins(parts, origins(folder, names))
        warn_alike(parts, prints_of)
        if save:
            content = {**asked, "grouping": group, "inputs_sha256": prints, "parts": parts, "left_out": left_out}
            write_json(folder.base / SPLIT, content)
    for line in left_out:
        warnings.warn(f"left out: {line}", stacklevel=2)
    frames = [_frame(folder, names, metadata) for names in parts.values()]
    labels = dict(zip(cases, strata, strict=True)) if strata is not None else dict.fromkeys(cases)
    series = [_series(folder, names, labels, strat_var) for names in parts.values()]
    return (*frames, *series)


def check_overlap(parts: Mapping[str, Sequence[str]], values: Mapping[str, str], what: str) -> None:
    """Refuse parts that share a value.

    Args:
        parts: Part name to case names.
        values: Case name to patient, or to the hash of its pixels.
        what: The word for it in the error.

    Raises:
        InputError: Two parts share one, both cases are named; or a case has none.
    """
    first: dict[str, tuple[str, str]] = {}
    for part, cases in parts.items():
        for case in cases:
            if case not in values:
                raise InputError("split", f"names case {case!r}, which is not there", "remove it, or split anew")
            other_part, other = first.setdefault(values[case], (part, case))
            if other_part != part:
                fault = f"cases {other!r} ({other_part}) and {case!r} ({part}) are of the same {what}"
                raise InputError("split", fault, "give both the same 'group' in metadata.json, or remove one")


def _strata(
    folder: CaseFolder, cases: list[str], metadata: Mapping[str, Mapping[str, Any]], strat_var: str | None
) -> list[Any] | None:
    if strat_var is None:
        return None
    lacking = [case for case in cases if strat_var not in metadata.get(case, {})]
    if lacking:
        more = f" and {len(lacking) - 1} more cases have" if len(lacking) > 1 else " has"
        fault = f"case {lacking[0]!r}{more} no {strat_var!r}"
        raise InputError(folder.base / "metadata.json", fault, "give every case a value, or do not stratify")
    return [metadata[case][strat_var] for case in cases]


def _groups(
    folder: CaseFolder, cases: list[str], metadata: Mapping[str, Mapping[str, Any]], group: str | None
) -> tuple[list[str], str | None]:
    """The group of each case (its own name where it has none) and the variable they came from."""
    if group is None:
        found = [name for name in FIELDS if any(name in metadata.get(case, {}) for case in cases)]
        labels = labelled(folder, cases, metadata)
        return [labels[case] for case in cases], found[0] if found else None
    field = group or None
    if field is not None and not any(field in metadata.get(case, {}) for case in cases):
        raise InputError(folder.base / "metadata.json", f"no case has {field!r}", "name the variable of the patient")
    values = [metadata.get(case, {}).get(field) if field else None for case in cases]
    # A tagged name keeps a lone case from sharing its group with a patient of that name.
    return [f"case:{c}" if v is None else f"group:{v}" for c, v in zip(cases, values, strict=True)], field


def _choose(cases: list[str], strata: list[Any] | None, groups: list[str], seed: int) -> list[np.ndarray]:
    """Row numbers of train, val and test."""
    rows = np.arange(len(cases))
    count = len(set(groups))
    if count < len(PARTS):
        what = "cases" if count == len(cases) else "groups (patients)"
        fault = f"has too few {what} for {len(PARTS)} parts: {count}"
        raise InputError("split", fault, "add at least as many as there are parts")
    classes = None if strata is None else np.array([repr(value) for value in strata])
    if count < len(cases):
        rest, test = _grouped(rows, classes, np.array(groups), TEST_SHARE, TEST_FOLDS, seed)
        train, val = _grouped(rest, classes, np.array(groups), VALIDATION_SHARE, VALIDATION_FOLDS, seed)
    else:
        rest, test = _plain(rows, classes, TEST_SHARE, seed)
        train, val = _plain(rest, classes, VALIDATION_SHARE, seed)
    return [train, val, test]


def _plain(rows: np.ndarray, classes: np.ndarray | None, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    kinds = None if classes is None else classes[rows]
    if kinds is not None:
        held_out = int(np.ceil(share * len(rows)))
        members = Counter(kinds.tolist())
        scarce = min(members.values()) < 2
        if scarce or min(held_out, len(rows) - held_out) < len(members):
            _warn_scarce(min(members, key=members.__getitem__))
            kinds = None
    kept, held = train_test_split(rows, test_size=share, random_state=seed, stratify=kinds)
    return kept, held


def _grouped(
    rows: np.ndarray, classes: np.ndarray | None, groups: np.ndarray, share: float, folds: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    own = groups[rows]
    if classes is not None:
        pairs = {(kind, name) for kind, name in zip(classes[rows].tolist(), own.tolist(), strict=True)}
        members = Counter(kind for kind, _ in pairs)
        if min(members.values()) >= 2 and len(set(own)) >= folds:
            splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # "fewer members than folds" is no fault here
                kept, held = next(splitter.split(rows, classes[rows], own))
            return rows[kept], rows[held]
        _warn_scarce(min(members, key=members.__getitem__))
    kept, held = next(GroupShuffleSplit(1, test_size=share, random_state=seed).split(rows, groups=own))
    return rows[kept], rows[held]


def _warn_scarce(kind: str) -> None:
    warnings.warn(f"not stratified: there are too few cases of class {kind} for every part", stacklevel=5)


def _fingerprint(folder: CaseFolder, cases: list[str], strata: list[Any] | None, groups: list[str]) -> str:
    """SHA-256 of everything the split depends on: names, sources, strata and groups."""
    total = hashlib.sha256(repr((strata, groups)).encode())
    for case in cases:
        path = folder.source(case)
        for file in (path, path.with_suffix(".png")):
            try:
                with open(file, "rb") as stream:
                    total.update(repr(case).encode() + hashlib.file_digest(stream, "sha256").digest())
            except OSError:
                total.update(repr(case).encode() + b"missing")
    return total.hexdigest()


def _check_origins(parts: Mapping[str, Sequence[str]], known: Mapping[str, Sequence[str]]) -> None:
    """Refuse parts that hold pictures of one patient, study, series or volume by the hashes in their JSON."""
    for kind, what in KINDS.items():
        values = {}
        for case, keys in known.items():
            values[case] = next((key for key in keys if key.startswith(f"{kind}:")), f"case {case}")
        check_overlap(parts, values, what)


def _settings_on_file(
    folder: CaseFolder, cases: list[str], metadata: Mapping[str, Mapping[str, Any]]
) -> tuple[str | None, str | None, int | None]:
    """``strat_var``, ``group`` and ``seed`` of the split on file, where they can still be had."""
    path = folder.base / SPLIT
    content = read_json(path) if path.exists() else None
    if not isinstance(content, dict):
        return None, None, None
    strat_var, group, seed = content.get("strat_var"), content.get("grouping"), content.get("seed")
    everywhere = strat_var is None or all(strat_var in metadata.get(case, {}) for case in cases)
    somewhere = not group or any(group in metadata.get(case, {}) for case in cases)
    usable = everywhere and somewhere and isinstance(seed, int)
    return (strat_var, group, seed) if usable else (None, None, None)


def _saved(folder: CaseFolder, asked: Mapping[str, Any], prints: str) -> tuple[dict[str, list[str]] | None, list[str]]:
    """The parts on file and what was left out; None when there are none for these settings and sources."""
    path = folder.base / SPLIT
    if not path.exists():
        return None, []
    content = read_json(path)
    try:
        known = {name: content[name] for name in asked}
        parts = {name: [str(case) for case in content["parts"][name]] for name in PARTS}
        same = content["inputs_sha256"] == prints
        left_out = [str(line) for line in content.get("left_out", [])]
    except (KeyError, TypeError) as error:
        raise InputError(path, "is not a split", "remove it; a new one will be made") from error
    if known == dict(asked) and same:
        return parts, left_out
    what = "the cases have changed" if known == dict(asked) else "other settings were asked for"
    warnings.warn(f"{path}: {what} since this split was made; a new one replaces it", stacklevel=3)
    return None, []


def _frame(folder: CaseFolder, cases: list[str], metadata: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame([dict(metadata.get(case, {})) for case in cases], index=pd.Index(cases, dtype=object))
    frame = frame.drop(columns=["case", "directory"], errors="ignore")
    frame.insert(0, "case", pd.array(cases, dtype=object))
    # Besides attrs, which some pandas operations drop, every row says where its case is.
    frame.insert(1, "directory", str(folder.base))
    frame.attrs["directory"] = str(folder.base)
    return frame


def _series(folder: CaseFolder, cases: list[str], labels: Mapping[str, Any], name: str | None) -> pd.Series:
    values = [labels[case] for case in cases]
    series = pd.Series(values, index=pd.Index(cases, dtype=object), name=name, dtype=object if name is None else None)
    series.attrs["directory"] = str(folder.base)
    return series

"""How much of the truth the 95 % intervals hold, before and after the points' standard deviations are calibrated.

python benchmarks/intervals.py MODEL CASES [--part val | --all] [--cache FILE.json] [--write | --judge]

MODEL is a released name or a weights file; CASES a case folder with the split the model was trained with: its pictures
must be new to the model; those that benchmarks/twins.py finds again in another part under another name are left out.
Each patient is judged by factors fitted on the others (ten folds, spinetk.keypoints.spread).
--write puts the factors, fitted on all of them, into the card of a release. --all takes every case of the folder, and
--data says in the card what they are.
--judge takes the factors of the card and fits none: for pictures of another kind than they were fitted on.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import norm
from twins import known_elsewhere

from spinetk import zoo
from spinetk.atomic import write_json
from spinetk.cases.folder import CaseFolder
from spinetk.cases.splitting import make_split
from spinetk.keypoints.evaluation import PARTS
from spinetk.keypoints.matching import match
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.quantities import quantities, scaled
from spinetk.keypoints.release import read_part
from spinetk.keypoints.spread import Case, coverage, crossed_scales, errors, fit, folds, spread_of
from spinetk.measure import measure
from spinetk.measure.deformity import is_sure
from spinetk.reading import Reading
from spinetk.schema import KeypointSchema

NOMINAL = (50, 68, 80, 90, 95, 99)


def read(model: str, base: Path, part: str | None, cache: Path | None) -> tuple[list[Case], KeypointSchema]:
    """(patient, prediction with the network's own standard deviations, truth) of the pictures."""
    if cache is not None and cache.exists():
        rows = json.loads(cache.read_text(encoding="utf-8"))
        cases = [(r["group"], *(Reading.from_json(r[k], str(cache)) for k in ("found", "truth"))) for r in rows]
        return cases, cases[0][1].schema
    index = (
        CaseFolder(base).cases() if part is None else dict(zip(PARTS, make_split(base)[:3], strict=True))[part].index
    )
    predictor = Predictor.load(model)
    predictor.spread, predictor.scales = None, {}
    cases = read_part(predictor, base, index)
    if cache is not None:
        rows = [{"group": name, "found": found.to_json(), "truth": truth.to_json()} for name, found, truth in cases]
        write_json(cache, rows)
    return cases, predictor.schema


def unseen(cases: Sequence[Case], base: Path) -> list[Case]:
    """Those of patients of whom no picture is all but the same as one of another group in another part of the split."""
    known = known_elsewhere(base)
    kept = [case for case in cases if case[0] not in known]
    twice = {case[0] for case in cases} & known
    print(f"{len(twice)} patients, {len(cases) - len(kept)} pictures left out: in another part under another name too")
    return kept


def grades(found: Reading, truth: Reading) -> Iterator[tuple[list[float], int, int]]:
    """(probability of each grade, grade said, true grade) of the bodies both grade."""
    side = measure(truth).facing
    facing = "auto" if side is None or side.side is None else side.side
    own, right = measure(found, facing=facing), measure(truth, facing=facing)
    for i, j in match(found, truth)[0]:
        one, other = own.vertebrae[i].measures["deformity"], right.vertebrae[j].measures["deformity"]
        if one and other and one.get("grade_probability"):
            yield one["grade_probability"], one["grade"], other["grade"]


def table(*stages: Sequence[tuple[Reading, Reading]]) -> None:
    """Print coverage and width of every quantity: of the network alone, with the points' factors, with the kinds'."""
    columns = []
    for pairs in stages:
        rows: dict[str, list[tuple[bool, float]]] = defaultdict(list)
        for found, truth in pairs:
            for one in quantities(found, truth):
                rows[f"{one.kind}: {one.name}"].append((one.off <= 1, (one.high - one.low) / 2))
        columns.append(rows)
    print(f"| {'kind: quantity':<42} | {'n':>5} | inside, % | half width |\n|---|---|---|---|")
    for name, own in columns[0].items():
        stages_of = [column[name] for column in columns]
        inside = " -> ".join(f"{100 * np.mean([hit for hit, _ in rows]):.1f}" for rows in stages_of)
        width = " -> ".join(f"{np.median([half for _, half in rows]):.2f}" for rows in stages_of)
        print(f"| {name:<42} | {len(own):>5} | {inside} | {width} |")


def reliability(cases: Sequence[Case], schema: KeypointSchema, factors: Mapping[str, np.ndarray]) -> None:
    """Print how many heights lie within intervals of other nominal coverage."""
    print("\n| heights, nominal % | " + " | ".join(map(str, NOMINAL)) + " |\n|---" * 1 + "|---" * (len(NOMINAL)) + "|")
    for name, known in (("before", {}), ("after", factors)):
        off = []
        for patient, found, truth in cases:
            own = errors([(scaled(found, known.get(patient)), truth)], schema)
            z = np.abs(own.height) / own.height_sigma(np.ones(len(schema)))
            off.append(z[np.isfinite(z)])
        z = np.concatenate(off)
        print(f"| {name} | " + " | ".join(f"{100 * (z <= norm.ppf(0.5 + p / 200)).mean():.1f}" for p in NOMINAL) + " |")


def graded(cases: Sequence[Case], factors: Mapping[str, np.ndarray]) -> None:
    """Print whether grades are as probable as is said."""
    said = [row for patient, found, truth in cases for row in grades(scaled(found, factors.get(patient)), truth)]
    if not said:
        return
    stated = np.array([is_sure({"grade": grade, "grade_probability": chance}) for chance, grade, _ in said])
    sure = np.array([chance[grade] for chance, grade, _ in said])
    right = np.array([grade == true for _, grade, true in said])
    print(f"\n{len(said)} graded bodies, {right.mean():.1%} as the truth grades them; {stated.sum()} are stated, of")
    shares = [f"{own.mean():.1%}" if len(own) else "-" for own in (right[stated], right[~stated])]
    print(f"these {shares[0]} right; of the others {shares[1]}")
    print("| probability said | bodies | mean said, % | right, % |\n|---|---|---|---|")
    for low, high in ((0, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 0.97), (0.97, 1.01)):
        own = (sure >= low) & (sure < high)
        if own.any():
            share, hit = 100 * sure[own].mean(), 100 * right[own].mean()
            print(f"| {low} to {min(high, 1)} | {own.sum()} | {share:.1f} | {hit:.1f} |")


def halved(cases: Sequence[Case], schema: KeypointSchema) -> None:
    """Print what one half of the patients says of the other, both ways."""
    for own in folds((name for name, *_ in cases), 2):
        factors = fit(errors([(f, t) for name, f, t in cases if name in own], schema))
        rest = errors([(f, t) for name, f, t in cases if name not in own], schema)
        if factors is not None:
            inside, half = coverage(rest, factors)
            print(f"fitted on {len(own)} patients, the others: {100 * inside:.1f} % inside, +-{100 * half:.2f} %")


def main() -> None:
    """Print the tables; write the card when asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("cases", type=Path)
    parser.add_argument("--part", choices=PARTS, default="val")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--data", help="what the pictures are, in words")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--judge", action="store_true")
    options = parser.parse_args()
    part = None if options.all else options.part
    cases, schema = read(options.model, options.cases, part, options.cache)
    if part is not None:
        cases = unseen(cases, options.cases)
    data = f"{options.data or f'{part} part'}, {len(cases)} pictures of {len({name for name, *_ in cases})} patients"
    path = zoo.find(options.model).with_suffix(".json")
    by: dict[str, np.ndarray] = {}
    scales: dict[str, dict[str, float]] = {}
    if options.judge:
        card = json.loads(path.read_text(encoding="utf-8"))["spread"]
        by = {name: np.array(card["points"]) for name, *_ in cases}
        scales = {name: card.get("scales") or {} for name, *_ in cases}
    else:
        parts = crossed_scales(cases, schema)
        for own, factors, kinds in parts:
            by |= {} if factors is None else dict.fromkeys(own, factors)
            scales |= dict.fromkeys(own, kinds)
    print(f"{options.model}, {data}\n")
    stages = [[(scaled(f, by.get(name), known.get(name)), t) for name, f, t in cases] for known in ({}, scales)]
    table([(f, t) for _, f, t in cases], *stages)
    reliability(cases, schema, by)
    for words, known in (("before", {}), ("after", by)):
        print(f"\ngrades, {words}:")
        graded(cases, known)
    if options.judge:
        return
    print()
    halved(cases, schema)
    spread = spread_of(cases, schema, data, parts)
    print(spread)
    if options.write and spread is not None:
        card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        where = list(card).index("calibration") + 1
        card.pop("spread", None)
        items = list(card.items())
        write_json(path, dict([*items[:where], ("spread", asdict(spread)), *items[where:]]))


if __name__ == "__main__":
    main()

"""How sure names and fronts by the sacrum are: fitted on some phantom films, judged on others.

python benchmarks/sacral_naming.py MODEL --fit FOLDER... --judge FOLDER... [--write]

The folders hold cases whose films were not trained on and whose truth is named. Prints, for those to judge by, how
often names and fronts are right by their probability, and what is named at the least that the product asks for. With
--write the weights go into the card of a release.
"""

from __future__ import annotations

import argparse
import itertools
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from spinetk import zoo
from spinetk.atomic import write_json
from spinetk.cases.folder import CaseFolder
from spinetk.keypoints.calibration import Sacral, calibrate_outcomes, fit_naming, sacral_outcomes
from spinetk.keypoints.logistic import calibrated
from spinetk.keypoints.predictor import Predictor

BINS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 1.001)


def main() -> None:
    """Fit, judge, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--fit", type=Path, nargs="+", required=True)
    parser.add_argument("--judge", type=Path, nargs="+", required=True)
    parser.add_argument("--write", action="store_true", help="put the weights into the card of the release")
    options = parser.parse_args()
    predictor = Predictor.load(options.model)
    fitted, judged = told(predictor, options.fit), told(predictor, options.judge)
    naming = fit_naming(fitted.names, f"{len(fitted.names)} columns of phantom films that were not trained on")
    fronts = calibrate_outcomes(fitted.fronts)
    if naming is None or fronts is None:
        raise SystemExit("too few films to fit on")
    print(f"weights {np.round(naming.weights, 3).tolist()}, intercept {naming.intercept:.3f}; fronts {fronts}")
    said = np.array([naming.chance(own) for own, _ in judged.names])
    right = np.array([own for _, own in judged.names], bool)
    print_table("names", said, right)
    least = (zoo.read_card(zoo.find(options.model).with_suffix(".json")).get("naming") or {}).get("least", naming.least)
    for limit in sorted({least, naming.least}):
        named = said >= limit
        print(f"named at {limit}: {named.sum()} of {len(said)}, right {right[named].sum()}")
    said = calibrated(np.array([score for score, _ in judged.fronts]), fronts)
    print_table("fronts", said, np.array([own for _, own in judged.fronts], bool))
    if options.write:
        card = zoo.find(options.model).with_suffix(".json")
        content = json.loads(card.read_text(encoding="utf-8"))
        weights = [round(own, 4) for own in naming.weights]
        kept = {key: value for key, value in (content.get("naming") or {}).items() if key in ("alone", "least")}
        content["naming"] = asdict(naming) | kept | {"weights": weights, "intercept": round(naming.intercept, 4)}
        content["fronts"] = [round(value, 4) for value in fronts]
        write_json(card, content)


def told(predictor: Predictor, folders: list[Path]) -> Sacral:
    """What the sacrum tells of all phantoms of some folders."""
    found = Sacral([], [])
    for path in folders:
        folder = CaseFolder(path)
        records = folder.records(folder.cases(), augmented=False)[0]
        own = sacral_outcomes(predictor, records)
        right = sum(true for _, true in own.names)
        print(
            f"{path.name}: {len(records)} films, {len(own.names)} columns on a sacrum, {right} named right", flush=True
        )
        found.names.extend(own.names)
        found.fronts.extend(own.fronts)
    return found


def print_table(what: str, said: np.ndarray, right: np.ndarray) -> None:
    """How often what was said is right, by its probability."""
    for low, high in itertools.pairwise(BINS):
        own = (said >= low) & (said < high)
        if own.any():
            words = f"said {100 * said[own].mean():.1f} %, right {100 * right[own].mean():.1f} %"
            print(f"{what}, probability {low} to {min(high, 1)}: {own.sum()} films, {words}")


if __name__ == "__main__":
    main()

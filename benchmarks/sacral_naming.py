"""How sure names counted up from the sacrum are: fitted on some phantom films, judged on others.

python benchmarks/sacral_naming.py MODEL FIT JUDGE [--write]

FIT and JUDGE are case folders whose films were not trained on and whose truth is named. Prints, for JUDGE, how often
the names are right by their probability, and what is named at the least that the product asks for. With --write the
weights go into the card of a release.
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
from spinetk.keypoints.calibration import fit_naming, sacral_names
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.sacrum import NAMED

BINS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 1.001)


def main() -> None:
    """Fit, judge, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("fit", type=Path)
    parser.add_argument("judge", type=Path)
    parser.add_argument("--write", action="store_true", help="put the weights into the card of the release")
    options = parser.parse_args()
    predictor = Predictor.load(options.model)
    predictor.naming, predictor.unmeasured = None, ()
    seen = {}
    for folder in dict.fromkeys((options.fit, options.judge)):
        records = CaseFolder(folder).records(CaseFolder(folder).cases(), augmented=False)[0]
        seen[folder] = sacral_names(predictor, records)
        right = sum(own for _, own in seen[folder])
        print(f"{folder.name}: {len(records)} films, {len(seen[folder])} columns on a sacrum, {right} named right")
    naming = fit_naming(seen[options.fit], f"{len(seen[options.fit])} phantom films that were not trained on")
    if naming is None:
        raise SystemExit("too few films to fit on")
    print(f"weights {np.round(naming.weights, 3).tolist()}, intercept {naming.intercept:.3f}")
    said = np.array([naming.probability(own) for own, _ in seen[options.judge]])
    right = np.array([own for _, own in seen[options.judge]], bool)
    for low, high in itertools.pairwise(BINS):
        own = (said >= low) & (said < high)
        if own.any():
            words = f"said {100 * said[own].mean():.1f} %, right {100 * right[own].mean():.1f} %"
            print(f"probability {low} to {min(high, 1)}: {own.sum()} films, {words}")
    named = said >= NAMED
    print(f"named at {NAMED}: {named.sum()} of {len(said)}, right {right[named].sum()}")
    if options.write:
        card = zoo.find(options.model).with_suffix(".json")
        content = json.loads(card.read_text(encoding="utf-8"))
        weights = [round(own, 4) for own in naming.weights]
        content["naming"] = asdict(naming) | {"weights": weights, "intercept": round(naming.intercept, 4)}
        write_json(card, content)


if __name__ == "__main__":
    main()

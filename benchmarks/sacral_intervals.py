"""How much wider intervals from the S1 endplate must be, by its score: fitted on some phantom films, judged on others.

python benchmarks/sacral_intervals.py MODEL --fit FOLDER... --judge FOLDER... [--cache FOLDER] [--write]

The folders hold cases whose films were not trained on and whose truth knows S1, also where a film is cut above it
(``lateral_set.py``). Prints, for slope, tilt, incidence, lordosis, lumbosacral disc and slip, how many of the 95 %
intervals hold the truth in each band of the endplate's score, with the factors of their kinds alone (1 where a kind has
none) and with those of S1 where they are greater. With --write factors fitted on all of the films go into the card of
the release, beside what those of one half hold of the other.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from spinetk import zoo
from spinetk.atomic import write_json
from spinetk.cases.folder import CaseFolder
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.release import read_part
from spinetk.keypoints.sacral_spread import Off, coverage, errors_of, fit_sacral
from spinetk.measure.uncertainty import SACRAL
from spinetk.reading import Reading

LEAST = (0.4, 0.6, 0.8, 0.9)
WORDS = "phantom films that were not trained on"
Pair = tuple[Reading, Reading]


def read(predictor: Predictor, folders: list[Path], cache: Path | None) -> Iterator[Pair]:
    """(prediction, truth) of all films of some folders."""
    for folder in folders:
        kept = None if cache is None else cache / f"{folder.name}.json"
        if kept is not None and kept.is_file():
            rows = json.loads(kept.read_text(encoding="utf-8"))
            yield from ((Reading.from_json(a, str(kept)), Reading.from_json(b, str(kept))) for a, b in rows)
            continue
        pairs = [(found, truth) for _, found, truth in read_part(predictor, folder, CaseFolder(folder).cases())]
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_json(kept, [[found.to_json(), truth.to_json()] for found, truth in pairs])
        yield from pairs


def offs(pairs: list[Pair]) -> list[Off]:
    """All that is taken from S1 in these films, with its error."""
    return [one for found, truth in pairs for one in errors_of(found, truth)]


def main() -> None:
    """Fit, judge, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--fit", type=Path, nargs="+", required=True)
    parser.add_argument("--judge", type=Path, nargs="+", required=True)
    parser.add_argument("--cache", type=Path, help="a folder to keep what was read in")
    parser.add_argument("--write", action="store_true", help="put the factors into the card of the release")
    options = parser.parse_args()
    predictor = Predictor.load(options.model)
    parts = [offs(list(read(predictor, folders, options.cache))) for folders in (options.fit, options.judge)]
    fitted, whole = fit_sacral(parts[0], LEAST), fit_sacral([*parts[0], *parts[1]], LEAST)
    if fitted is None or whole is None:
        raise SystemExit("too few films to fit on")
    said = coverage(parts[1], fitted, predictor.scales)
    judged: dict[str, dict[str, list[float]]] = {}  # one number a band
    for name in SACRAL:
        for k, least in enumerate(LEAST):
            if (name, k) in said:
                count, *shares = said[name, k]
                percent = [round(100 * share, 1) for share in shares]
                own = judged.setdefault(name, {"n": [], "inside_percent": []})
                own["n"].append(count)
                own["inside_percent"].append(percent[1])
                factors = [one.factor(name, least, predictor.scales) for one in (fitted, whole)]
                print(f"{name}, from {least:g}: {count}, inside {percent} %, factors {np.round(factors, 2).tolist()}")
    if options.write:
        card = zoo.find(options.model).with_suffix(".json")
        content = json.loads(card.read_text(encoding="utf-8"))
        films = sum(len(CaseFolder(folder).cases()) for folder in (*options.fit, *options.judge))
        known = replace(whole, fitted_on=f"{films} {WORDS}", judged=judged)
        items = [(key, value) for key, value in content.items() if key != "sacral_spread"]
        where = list(dict(items)).index("spread") + 1
        write_json(card, dict([*items[:where], ("sacral_spread", asdict(known)), *items[where:]]))


if __name__ == "__main__":
    main()

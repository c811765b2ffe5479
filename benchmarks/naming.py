"""How often counted level names are right, and how sure they say they are: films as they are, and spoilt.

python benchmarks/naming.py MODEL CASES OUT.jsonl [--part val] [--card NAME.json]

Every film is read as it is and spoilt in eleven ways (spinetk.keypoints.exposure); a line a film goes to OUT.jsonl, and
a run that was stopped goes on where it was. Patients of whom benchmarks/twins.py finds a film in another part of the
split under another name are left out. The others are split by a hash of their name: a third are the last part, which no
fit sees. On the rest the probability is fitted and, ten times over, judged on patients left out of the fit.
The weights printed (and put into a card) are those of the others; the last part is scored with them.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from tqdm import tqdm
from twins import in_two_parts

from spinetk.atomic import write_json
from spinetk.cases.folder import CaseFolder
from spinetk.cases.splitting import PARTS, make_split
from spinetk.keypoints.calibration import Counted, counted, fit_counting
from spinetk.keypoints.counting import NAMED
from spinetk.keypoints.exposure import KINDS
from spinetk.keypoints.predictor import Predictor

FOLDS = 10
BINS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 1.001)
ERRORS = ("right", "one too high", "one too low", "skipped or more off")


def fold_of(patient: str, folds: int, salt: str = "") -> int:
    """The fold of a patient, the same everywhere."""
    return int(hashlib.sha256((salt + patient).encode()).hexdigest(), 16) % folds


def error(film: Counted) -> str:
    """What is wrong with the count of a film, one of ``ERRORS``."""
    if film.names and film.right == film.names:
        return "right"
    if film.shift in (1, -1):
        return "one too high" if film.shift == 1 else "one too low"
    return "skipped or more off"


def read(model: str, cases: Path, part: str, out: Path) -> list[Counted]:
    """All films of a part; those that stand in ``out`` are taken from there."""
    done: dict[str, list[Counted]] = {}
    for line in out.read_text(encoding="utf-8").splitlines() if out.exists() else []:
        films = [Counted(**{**entry, "seen": entry["seen"] and tuple(entry["seen"])}) for entry in json.loads(line)]
        done[films[0].case] = films
    frame = dict(zip(PARTS, make_split(cases)[:3], strict=True))[part]
    patients = frame["group"].to_dict() if "group" in frame else {}
    predictor = Predictor.load(model)
    with out.open("a", encoding="utf-8") as file:
        for record in tqdm(CaseFolder(cases).records(frame.index, augmented=False)[0], "films"):
            case = str(record["case"])
            if case not in done:
                films = counted(predictor, record, str(patients.get(case, case)))
                if films:
                    done[case] = films
                    file.write(json.dumps([asdict(film) for film in films]) + "\n")
                    file.flush()
    return [film for films in done.values() for film in films]


def report(title: str, films: Sequence[Counted], sure: Sequence[float]) -> None:
    """A line: how many films are named and how many of the names are right, all named and by probability."""
    sure = np.asarray(sure)
    names, right = (np.array([getattr(film, key) for film in films]) for key in ("names", "right"))
    named = sure >= NAMED
    wrong = sum(film.right < film.names for film, own in zip(films, named, strict=True) if own)
    print(
        f"{title:<28} {len(films):4d} films, all named: {right.sum() / max(1, names.sum()):.3f} of the names right; "
        f"named {named.mean():.2f}, right {right[named].sum() / max(1, names[named].sum()):.3f}, {wrong} films wrong"
    )


def reliability(films: Sequence[Counted], sure: Sequence[float]) -> None:
    """A table: said against seen."""
    sure, good = np.asarray(sure), np.array([error(film) == "right" for film in films])
    for low, high in itertools.pairwise(BINS):
        own = (sure >= low) & (sure < high)
        if own.any():
            means = f"mean {sure[own].mean():.2f}, right {good[own].mean():.2f} of {own.sum()}"
            print(f"  said {low:.2f} to {min(high, 1):.2f}: {means}")


def main() -> None:
    """Read, fit, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("cases", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--part", choices=PARTS, default="val")
    parser.add_argument("--card", type=Path, help="put the fitted weights into this card")
    options = parser.parse_args()
    films = read(options.model, options.cases, options.part, options.out)
    known = in_two_parts(options.cases)
    twice = {film.patient for film in films if film.case in known}
    films = [film for film in films if film.patient not in twice]
    print(f"left out, in another part under another name: patients {', '.join(sorted(twice)) or 'none'}")
    last = [film for film in films if fold_of(film.patient, 3) == 0]
    others = [film for film in films if fold_of(film.patient, 3) != 0]
    patients = {film.patient for film in others}
    said = (
        f"{options.part} part, {len({film.case for film in others})} films of {len(patients)} patients, each as it is "
    )
    said += f"and spoilt in {len(KINDS) - 1} ways"
    fitted = fit_counting(others, said)
    assert fitted is not None, "too few films"
    print(f"fitted on {said}: weights {fitted.weights}, intercept {fitted.intercept}\n")
    left_out: dict[int, float] = {}
    for fold in range(FOLDS):
        own = fit_counting([film for film in others if fold_of(film.patient, FOLDS, "fold") != fold])
        assert own is not None
        for film in others:
            if fold_of(film.patient, FOLDS, "fold") == fold:
                left_out[id(film)] = own.probability(film.seen) if film.seen else 0.0
    by_part = {
        "cross-validated": (others, [left_out[id(film)] for film in others]),
        "last part": (last, [fitted.probability(film.seen) if film.seen else 0.0 for film in last]),
    }
    for part, (own, sure) in by_part.items():
        plain = [film.kind == next(iter(KINDS)) for film in own]
        for title, kept in (("as they are", plain), ("spoilt", [not one for one in plain])):
            rows = [(film, one) for film, one, keep in zip(own, sure, kept, strict=True) if keep]
            report(f"{part}, {title}", [film for film, _ in rows], [one for _, one in rows])
        reliability(own, sure)
    print("\nerrors by kind, all films of the part (all counts; of those that are named)")
    sure_of = {id(film): one for own, sure in by_part.values() for film, one in zip(own, sure, strict=True)}
    for kind in KINDS:
        own = [film for film in films if film.kind == kind]
        counts = [
            f"{name} {sum(error(film) == name for film in own)}"
            f" ({sum(error(film) == name and sure_of[id(film)] >= NAMED for film in own)})"
            for name in ERRORS
        ]
        whole = sum(film.found == 17 and not film.false for film in own)
        lowest = sum(not film.lowest for film in own)
        print(f"  {kind:<16} {len(own)} films: {', '.join(counts)}; lowest body missed {lowest}, complete {whole}")
    if options.card:
        card = json.loads(options.card.read_text(encoding="utf-8"))
        card["counting"] = asdict(fitted)
        write_json(options.card, card)


if __name__ == "__main__":
    main()

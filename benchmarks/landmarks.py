"""What a keypoint model is worth: vertebrae found, point, height and angle errors, seconds a picture.

python benchmarks/landmarks.py MODEL CASES [--part val] [--threshold 0.6] [--device auto]

MODEL is a released name or a weights file; CASES a case folder with the split the model was trained with. Errors are
over matched vertebrae (spinetk.keypoints.matching). "Flagged" pictures have an entry ``qc_flags`` in metadata.json:
labels that fail a geometric check. A model with more points than the cases (six against four corners) is compared by
those they share. Patients whom twins.py finds in another part under another name are left out in a column of their own.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from twins import known_elsewhere

from spinetk.cases.folder import CaseFolder, read_pixels
from spinetk.cases.splitting import make_split
from spinetk.formats.record import reading_of
from spinetk.keypoints.evaluation import PARTS
from spinetk.keypoints.matching import match, mean_height
from spinetk.keypoints.pictures import to_grey
from spinetk.keypoints.predictor import Predictor
from spinetk.measure import measure
from spinetk.measure.angles import COBB
from spinetk.reading import Reading, Vertebra
from spinetk.schema import KeypointSchema


def in_schema(reading: Reading, schema: KeypointSchema) -> Reading:
    """The same vertebrae with the points of a schema whose names the reading has too."""
    rows = [reading.schema.index(name) for name in schema.keypoints]
    vertebrae = [
        Vertebra.from_points(v.points[rows], v.visible[rows], score=v.score, label=v.label) for v in reading.vertebrae
    ]
    return replace(reading, schema=schema, vertebrae=vertebrae)


def heights_px(reading: Reading, index: int) -> np.ndarray:
    """Length of each column of a vertebra in px."""
    points = reading.vertebrae[index].points
    pairs = [(reading.schema.index(a), reading.schema.index(b)) for a, b in reading.schema.columns.values()]
    return np.array([np.linalg.norm(points[a] - points[b]) for a, b in pairs])


def compare(found: list[Reading], truths: list[Reading]) -> dict[str, float]:
    """All figures of a set of pictures."""
    counts = dict.fromkeys(("vertebrae", "missed", "duplicated", "false", "complete", "named", "named_right"), 0)
    share: list[float] = []
    wide: list[float] = []
    fixed: list[float] = []
    mm: list[float] = []
    height: list[np.ndarray] = []
    angles: list[tuple[np.ndarray, np.ndarray]] = []
    for f, t in zip(found, truths, strict=True):
        pairs, twice, false = match(f, t)
        counts["vertebrae"] += len(t.vertebrae)
        counts["missed"] += len(t.vertebrae) - len(pairs)
        counts["duplicated"] += twice
        counts["false"] += false
        counts["complete"] += len(pairs) == len(t.vertebrae) and not twice and not false
        for i, j in pairs:
            own, true = f.vertebrae[i], t.vertebrae[j]
            seen = true.visible
            difference = (own.points - true.points)[seen]
            distance = np.linalg.norm(difference, axis=1)
            share += (100 * distance / mean_height(true, t.schema)).tolist()
            wide += (100 * distance / np.ptp(true.points[seen, 0])).tolist()
            fixed += np.linalg.norm(difference * [512 / t.width, 1024 / t.height], axis=1).tolist()
            if t.frame.spacing_mm is not None:
                mm += np.linalg.norm(t.frame.to_mm(difference), axis=1).tolist()
            if seen.all() and own.visible.all():
                height.append(100 * np.abs(heights_px(f, i) / heights_px(t, j) - 1))
            counts["named"] += own.label is not None and true.label is not None
            counts["named_right"] += own.label is not None and own.label == true.label
        measured, truth = measure(f).angles, measure(t).angles
        if t.view == "ap" and all(truth.get(name) is not None for name in COBB):
            angles.append(
                (np.array([measured.get(name) or 0.0 for name in COBB]), np.array([truth[name] for name in COBB]))
            )
    result: dict[str, float] = {"pictures": len(truths)} | counts
    for name, values in (("percent_of_height", share), ("percent_of_width", wide), ("px_512x1024", fixed), ("mm", mm)):
        if values:
            result |= {f"median_{name}": float(np.median(values)), f"mean_{name}": float(np.mean(values))}
    if height:
        means = np.mean(height, axis=0)
        result |= {f"height_error_percent_{c}": float(v) for c, v in zip(truths[0].schema.columns, means, strict=True)}
    if angles:
        ours, theirs = (np.stack(side) for side in zip(*angles, strict=True))
        difference = np.abs(ours - theirs)
        result["cobb_smape_percent"] = float(100 * (difference.sum(1) / (ours + theirs).sum(1)).mean())
        result["cobb_mae_deg"] = float(difference.mean())
        result |= {f"{n}_mae_deg": float(v) for n, v in zip(COBB, difference.mean(0), strict=True)}
    return {name: round(value, 3) for name, value in result.items()}


def main() -> None:
    """Print the figures of all pictures, and of the unflagged ones where some are flagged."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("cases", type=Path)
    parser.add_argument("--part", choices=PARTS, default="val")
    parser.add_argument("--threshold", type=float, default=0.6)
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    index = dict(zip(PARTS, make_split(options.cases)[:3], strict=True))[options.part].index
    records, failures = CaseFolder(options.cases).records(index, augmented=False)
    metadata = json.loads((options.cases / "metadata.json").read_text(encoding="utf-8"))
    predictor = Predictor.load(options.model, options.threshold, options.device)
    truths, found, seconds = [], [], []
    for record in records:
        truth, picture = reading_of(record), to_grey(read_pixels(record))
        start = time.perf_counter()
        reading = predictor.read(picture, file=truth.file, frame=truth.frame, view=truth.view)
        seconds.append(time.perf_counter() - start)
        found.append(in_schema(reading, truth.schema))
        truths.append(truth)
    flagged = np.array([bool(metadata.get(r.get("case"), {}).get("qc_flags")) for r in records])
    print(f"{options.model}, {options.part} part, threshold {options.threshold}, {np.median(seconds):.3f} s a picture")
    for failure in failures:
        print(failure)
    elsewhere = known_elsewhere(options.cases)
    twice = np.array([str(metadata.get(r["case"], {}).get("group", r["case"])) in elsewhere for r in records])
    parts = {"all": flagged | True} | ({"unflagged": ~flagged} if flagged.any() else {})
    if twice.any():
        parts |= {"without patients who lie in another part under another name": ~twice}
    for name, rows in parts.items():
        kept = np.flatnonzero(rows)
        print(f"\n{name}")
        for key, value in compare([found[k] for k in kept], [truths[k] for k in kept]).items():
            print(f"{key:>28}  {value:g}")


if __name__ == "__main__":
    main()

"""Share of AASCE 2019 label sets whose three Cobb angles we reproduce from the landmarks within 1 degree.

python benchmarks/cobb_labels.py DATA/aasce2019
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
from scipy.io import loadmat

from spinetk.measure import measure
from spinetk.measure.angles import COBB
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA4

TOLERANCE_DEG = 1.0


def errors_deg(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) absolute errors of the angles and (n,) flags of the quality check, in the order of ``filenames.csv``."""
    labels = folder / "labels" / "training"
    names = (labels / "filenames.csv").read_text(encoding="utf-8").split("\n")
    names = [name.strip().strip('"') for name in names if name.strip()]
    truth = np.loadtxt(labels / "angles.csv", delimiter=",")
    with open(folder / "qc_flags.csv", encoding="utf-8", newline="") as handle:
        checks = {row["file"]: row for row in csv.DictReader(handle) if row["split"] == "training"}
    found = []
    for name in names:
        points = np.asarray(loadmat(labels / f"{name}.mat")["p2"], dtype=np.float64).reshape(17, 4, 2)
        size = {side: int(checks[name][side]) for side in ("height", "width")}
        vertebrae = [Vertebra.from_points(body) for body in points]
        angles = measure(Reading(name, **size, schema=VERTEBRA4, vertebrae=vertebrae, view="ap")).angles
        found.append([angles[angle] for angle in COBB])
    return np.abs(np.array(found) - truth), np.array([bool(checks[name]["flags"]) for name in names])


def main(folder: Path) -> None:
    """Print the table."""
    errors, flagged = errors_deg(folder)
    print(f"share of pictures within {TOLERANCE_DEG:g} degree of angles.csv")
    print("pictures          n  " + "  ".join(f"{name:>10}" for name in COBB))
    for title, rows in (("unflagged", ~flagged), ("flagged", flagged), ("all", flagged | True)):
        shares = (errors[rows] <= TOLERANCE_DEG).mean(axis=0)
        print(f"{title:12} {rows.sum():6}  " + "  ".join(f"{share:10.4f}" for share in shares))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))

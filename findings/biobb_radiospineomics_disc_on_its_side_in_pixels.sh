#!/usr/bin/env bash
# biobb-radiospineomics 1.1.20 (disc height, bulge and inclination of a lumbar disc from three outlines in NRRD), calculate_indices: NRRD files are read first axis first and taken for pictures of rows and columns, so that
# everything is measured on a picture turned over its diagonal. Areas and diameters bear that; inclinations come out as what is missing to a right angle: a disc that slopes by 5 degrees has 85, one that slopes by 30 has 60, and
# of one that lies straight a ZeroDivisionError is raised. The pixel size, which stands in the header, is not asked for: all lengths and areas are in pixels, and of pixels that are not square heights and angles are
# of no spine. Outlines run through the centres of the border pixels, so that a disc of 20 pixels is one of 19. Nothing is said, neither of units nor of axes.
# Seen, bodies of 36 x 28 mm and a disc of 34 x 10 mm in pixels of 0.5 mm: slope 5, 15, 30 degrees: ivd_inclination 85.2, 74.6, 60.6; disc_diameter 67 (34 mm), ivd_area 1273 to 1284 (340 mm2); in pixels
# of 0.5 x 1 mm, slope 15: 82.5, disc_diameter 66, ivd_area 607.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==1.26.4 opencv-python-headless==4.11.0.86 shapely==2.1.2 scikit-learn==1.7.2 pandas==2.2.3 pynrrd==1.1.3 pyyaml==6.0.2
"$work/venv/bin/pip" install -q --no-compile --no-deps biobb-radiospineomics==1.1.20
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import sys
import types

import nrrd
import numpy as np

sys.modules["radiomics"] = types.ModuleType("radiomics")  # imported, but of no use to these measures
from biobb_radiospineomics.radiospineomics.common import calculate_indices  # noqa: E402


def measured(slope, size=(0.5, 0.5)):
    """Indices of a disc between two bodies, turned by `slope` degrees; pixels of `size` mm along x and y."""
    angle = np.deg2rad(slope)
    y, x = np.mgrid[:300, :240] * np.array(size[::-1]).reshape(2, 1, 1)
    along = (x - x.mean()) * np.cos(angle) + (y - y.mean()) * np.sin(angle)
    down = (y - y.mean()) * np.cos(angle) - (x - x.mean()) * np.sin(angle)
    names = []
    disc = None
    for name, width, height, middle in (("above", 36, 28, -19), ("disc", 34, 10, 0), ("below", 36, 28, 19)):
        mask = (abs(along) < width / 2) & (abs(down - middle) < height / 2)
        disc = mask if name == "disc" else disc
        names.append(f"{name}.nrrd")
        nrrd.write(names[-1], mask.T.astype(np.uint8), {"spacings": list(size)})
    grey = np.random.default_rng(0).normal(300, 20, disc.shape) + disc * np.random.default_rng(1).choice([0, 200], disc.shape)
    nrrd.write("film.nrrd", grey.T, {"spacings": list(size)})
    found = {name: round(float(value), 1) for name, value in calculate_indices(names, "film.nrrd").items()}
    print("slope", slope, size, {name: found[name] for name in ("ivd_inclination", "disc_diameter", "ivd_area", "ivd_height_index")})
    return found


for slope in (5, 15, 30):
    found = measured(slope)
    assert abs(found["ivd_inclination"] - (90 - slope)) < 1.5
    assert 65 < found["disc_diameter"] < 68 and 1250 < found["ivd_area"] < 1300
found = measured(15, (0.5, 1.0))
assert found["ivd_inclination"] > 80 and found["ivd_area"] < 650 and found["disc_diameter"] > 64
try:
    measured(0)
except ZeroDivisionError as error:
    print("slope 0", error)
else:
    raise AssertionError("a straight disc has an inclination")
PY

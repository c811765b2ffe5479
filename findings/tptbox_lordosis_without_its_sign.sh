#!/usr/bin/env bash
# TPTBox 1.1.0 (the toolbox under SPINEPS): compute_lordosis_and_kyphosis takes the arc cosine between two vertebrae,
# so that a lumbar spine in 40 degrees of kyphosis has "lumbar_lordosis" 40, as one in lordosis has; PI-LL, taken from it, is 80
# degrees off. compute_segmental_endplate_angles does have a sign, the other way round from its text ("positive: anterior
# opening (typical lordotic disc)"). compute_sva says "posterior-superior corner of S1" and takes the middle of the
# end plate: half the depth of S1 less than the SVA of the literature, for which C7 over the corner is 0.
# Seen: lordosis 40: {'lumbar_lordosis': 40, 'L1-L2': -10, ...}; kyphosis 40: {40, 10, ...}; C7 over the corner, 17 mm: -17.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-cache-dir tptbox==1.1.0 trimesh==5.2.0 scikit-image==0.26.0 scikit-learn==1.9.1 \
  numpy==2.4.6 nibabel==5.4.2 SimpleITK==2.5.7
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import numpy as np
from TPTBox import POI, Location, Vertebra_Instance
from TPTBox.spine.spinestats.angles import compute_lordosis_and_kyphosis
from TPTBox.spine.spinestats.curvature import compute_segmental_endplate_angles, compute_sva


def points():
    return POI({}, orientation=("P", "I", "R"), zoom=(1, 1, 1), shape=(300, 500, 300), origin=(0, 0, 0), rotation=np.eye(3))


def lumbar(tilts):
    """L1 to L5, each turned in the sagittal plane: above 0, its front is higher than its back."""
    spine, place = points(), np.array([150.0, 50, 150])
    for vertebra, tilt in zip(Vertebra_Instance.lumbar(), np.radians(tilts)):
        back = np.array([np.cos(tilt), np.sin(tilt), 0])
        down = np.array([-np.sin(tilt), np.cos(tilt), 0])
        place = place + 15 * down
        spine[vertebra.value, Location.Vertebra_Corpus] = tuple(place)
        spine[vertebra.value, Location.Vertebra_Direction_Posterior] = tuple(place + 10 * back)
        spine[vertebra.value, Location.Vertebra_Direction_Inferior] = tuple(place + 10 * down)
        place = place + 15 * down
        spine[vertebra.value, Location.Vertebra_Disc] = tuple(place)
        place = place + 5 * down
    return spine


for name, tilts, segment in (("lordosis", [20, 10, 0, -10, -20], -10), ("kyphosis", [-20, -10, 0, 10, 20], 10)):
    whole = compute_lordosis_and_kyphosis(lumbar(tilts))["lumbar_lordosis"]
    segments = compute_segmental_endplate_angles(lumbar(tilts))
    print(name, "of 40 degrees:", round(whole, 1), segments)
    assert abs(whole - 40) < 0.1 and segments.keys() == {"L1-L2", "L2-L3", "L3-L4", "L4-L5"}
    assert all(abs(angle - segment) < 0.1 for angle in segments.values())

plumb = points()
corner, depth, c7, s1 = 167.0, 34, Vertebra_Instance.C7.value, Vertebra_Instance.S1.value
plumb[c7, Location.Vertebra_Corpus] = (corner, 20, 150)
plumb[s1, Location.Vertebra_Corpus] = (corner - depth / 2, 415, 150)
plumb[s1, Location.Vertebral_Body_Endplate_Superior] = (corner - depth / 2, 400, 150)
sva = compute_sva(plumb)["sva_mm"]
print("C7 over the corner: SVA", sva)
assert sva == -17
PY

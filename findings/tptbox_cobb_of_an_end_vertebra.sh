#!/usr/bin/env bash
# TPTBox 1.1.0 (the toolbox under SPINEPS), compute_max_cobb_angle: the upper end plate of a vertebra is given the
# mean direction of it and of the one above, the lower that of it and of the one below. The end vertebrae of a curve are its most
# tilted ones, so that the mean with a neighbour is always less: half a step of tilt is lost at each end, 4 of 40 degrees where
# neighbours differ by 4. With MoveTo.CENTER (no mean) the main curve is right, but compute_max_cobb_angle_multi gives the
# vertebra that two curves share to the lower one only: the upper of two equal curves comes out a step smaller.
# compute_multi_cobb, the same by a spline through the centres, has 32.7 for the 40.
# Seen, curves of 20, 40 and 20 degrees over T1 to L3: default 18, 36, 18; CENTER 16, 40, 20; spline 20.9, 32.7, 20.1.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-cache-dir tptbox==1.1.0 trimesh==5.2.0 scikit-image==0.26.0 scikit-learn==1.9.1 \
  numpy==2.4.6 nibabel==5.4.2 SimpleITK==2.5.7 scipy==1.17.1
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import numpy as np
from TPTBox import POI, Location, Vertebra_Instance
from TPTBox.spine.spinestats.angles import MoveTo, compute_max_cobb_angle_multi
from TPTBox.spine.spinestats.curvature import compute_multi_cobb


def spine():
    """T1 to L3, bodies and discs 30 mm together, stacked along their own axes and turned in the coronal plane."""
    tilts = [0, 4, 8, 12, 16, 20, 10, 0, -10, -20, -16, -12, -8, -4, 0]
    names = [*list(Vertebra_Instance.thoracic())[:12], *list(Vertebra_Instance.lumbar())[:3]]
    found = POI({}, orientation=("P", "I", "R"), zoom=(1, 1, 1), shape=(300, 900, 300), origin=(0, 0, 0), rotation=np.eye(3))
    place = np.array([150.0, 50, 150])
    for vertebra, tilt in zip(names, np.radians(tilts), strict=True):
        right = np.array([0, np.sin(tilt), np.cos(tilt)])
        down = np.array([0, np.cos(tilt), -np.sin(tilt)])
        place = place + 15 * down
        found[vertebra.value, Location.Vertebra_Corpus] = tuple(place)
        found[vertebra.value, Location.Vertebra_Direction_Right] = tuple(place + 10 * right)
        place = place + 15 * down
        found[vertebra.value, Location.Vertebra_Disc] = tuple(place)
    return found


def in_order(curves):
    return [float(round(angle, 1)) for angle, *_ in sorted(curves, key=lambda curve: curve[1])]


default = in_order(compute_max_cobb_angle_multi(spine()))
centre = in_order(compute_max_cobb_angle_multi(spine(), vert_id1_mv=MoveTo.CENTER, vert_id2_mv=MoveTo.CENTER))
spline = [round(curve["cobb_deg"], 1) for curve in compute_multi_cobb(spine())["curves"]]
print("20, 40, 20 degrees: default", default, "CENTER", centre, "spline", spline)
assert np.allclose(default, [18, 36, 18], atol=0.1)
assert np.allclose(centre, [16, 40, 20], atol=0.1)
assert np.allclose(spline, [20.9, 32.7, 20.1], atol=0.2)
PY

#!/usr/bin/env bash
# SimpleITK 2.5.7, LandmarkBasedTransformInitializer, the usual start of a registration by landmarks. Where they lie in a line, as the centres of a straight lumbar spine nearly do, the turn
# about it is free, and what is taken can be half a turn: three or five centres one above the other, laid on themselves and moved by some mm, give a rigid transform (similarity alike) that
# has each of them in its place and puts the patient's left on his right and his front on his back. (By the numbers' luck another line keeps its sides.) Where they lie in one plane, as the
# corners in one sagittal slice do, the rigid one is right, but the affine one flattens all that is beside the plane into it: a pedicle 30 mm to the side comes to lie in the middle. The fit
# at the landmarks is 0 mm in each case, so that no residual shows it. Of the line nothing is said; of the plane there is a line on the error stream, of a matrix that is rank-deficient.
# Seen, each set moved by (5, -3, 8): three and five centres in a line: turned by 180 degrees, a point 30 mm left of the middle 30 mm right of it; bent by 3 mm: 0 degrees; corners, affine: 0 mm beside the plane.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-cache-dir SimpleITK==2.5.7 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import numpy as np
import SimpleITK as sitk

SHIFT = np.array([5.0, -3, 8])
five = np.array([[0.0, 0, -35 * i] for i in range(5)])
bent = five + [[0, bow, 0] for bow in (0, 2, 3, 2, 0)]
corners = np.array([[0.0, y, z - 35 * i] for i in range(4) for y, z in ((0, 0), (34, 2), (3, -24), (34, -25))])


def beside(points, transform):
    """Turn of the fit, and where a point 30 mm to the left of the landmarks' plane comes to lie, across it, when the landmarks move by SHIFT."""
    fit = sitk.LandmarkBasedTransformInitializer(transform, points.ravel().tolist(), (points + SHIFT).ravel().tolist())
    moved = np.array([fit.TransformPoint(point) for point in points.tolist()])
    assert np.allclose(moved, points + SHIFT, atol=1e-3), "the landmarks fit"
    left = np.array(fit.TransformPoint((points.mean(0) + [30, 0, 0]).tolist())) - points.mean(0) - SHIFT
    matrix = np.reshape(fit.GetMatrix(), (3, 3))
    turn = round(float(np.degrees(np.arccos(np.clip((np.trace(matrix) - 1) / 2, -1, 1)))))
    print(len(points), "points", type(transform).__name__, "turned by", turn, "30 mm left is now at", round(float(left[0]), 1))
    return turn, round(float(left[0]), 1)


for kind in (sitk.VersorRigid3DTransform, sitk.Similarity3DTransform):
    assert beside(five[:3], kind()) == (180, -30)
    assert beside(five, kind()) == (180, -30)
    assert beside(bent, kind()) == (0, 30)
    assert beside(corners, kind()) == (0, 30)
assert beside(corners, sitk.AffineTransform(3))[1] == 0
PY

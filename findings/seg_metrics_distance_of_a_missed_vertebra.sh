#!/usr/bin/env bash
# seg-metrics 1.2.8: a label that the prediction has not, or that only the prediction has, gets 0 for every distance, as if
# it were met to the voxel: hd, hd95, msd, mdsd and stdsd. The warning speaks of precision and recall. So a vertebra that was
# missed improves the mean Hausdorff distance of a spine. (Dice is 0, as it should be; MedPy 0.5.2 raises.)
# Seen, two bodies, the second one voxel (0.5 mm) off: hd 0.0, 0.5; the second missed or invented: 0.0, 0.0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q seg-metrics==1.2.8 medpy==0.5.2 numpy==2.4.6 SimpleITK==2.5.7
cd "$work"
"$work/venv/bin/python" -W ignore - 2>/dev/null <<'PY'
import numpy as np
from medpy.metric import binary
from seg_metrics.seg_metrics import write_metrics

first = np.zeros((20, 40, 50), np.uint8)
first[5:10, 10:20, 10:20] = 1
both, off = first.copy(), first.copy()
both[12:17, 10:20, 10:20] = 2
off[12:17, 10:20, 11:21] = 2
distances = ["hd", "hd95", "msd", "mdsd", "stdsd"]
for name, truth, predicted, hd, dice in (("off", both, off, 0.5, 0.9), ("missed", both, first, 0, 0), ("invented", first, both, 0, 0)):
    spacing = np.array([4, 1, 0.5])
    (found,) = write_metrics([1, 2], gdth_img=truth, pred_img=predicted, spacing=spacing, metrics=["dice", *distances])
    print(name, {key: [round(float(value), 3) for value in values] for key, values in found.items()})
    assert found["hd"][0] == 0 and found["hd"][1] == hd and abs(found["dice"][1] - dice) < 1e-6
    if hd == 0:
        assert all(found[distance][1] == 0 for distance in distances)
try:
    binary.hd(first == 2, both == 2)
except RuntimeError:
    pass
else:
    raise AssertionError("MedPy has a distance")
PY

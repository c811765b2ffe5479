#!/usr/bin/env bash
# grand-challenge-metrics 0.6.0 (evalutils before, by which challenges of medical images count), get_bootstrapped_roc_ci_curves, the interval of an area under the curve, drawn 100 times from the cases with replacement: numbers of cases are drawn
# below "count - 1", and as the drawing leaves out the upper end by itself, the last case of the table is in none of the samples. Whatever its score, or its truth, interval and mean curve are the same to the last digit, and of a table
# sorted by truth, as most are, it is a positive one: of the few fractures of a small set one is never looked at. The area over all cases beside it takes it along. That the case is left out
# shows neither in the count nor in a message.
# Seen, 10 films without and 10 with a fracture, the score of the last one -5, 0.35 and 5: interval 0.495 to 1 and the same mean curve in all; area by scikit-learn 1.9.1 0.71, 0.74, 0.81; with the last film put first, three
# different intervals.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 grand-challenge-metrics==0.6.0
"$work/venv/bin/python" - <<'PY'
import numpy as np
from grand_challenge_metrics.roc import get_bootstrapped_roc_ci_curves
from sklearn.metrics import roc_auc_score

fracture = np.repeat([0, 1], 10)
scores = np.random.RandomState(0).normal(0, 1, 20) + 1.2 * fracture  # its numbers are kept from version to version
intervals, curves, areas, put_first = [], [], [], []
for score in (-5, 0.35, 5):
    changed = scores.copy()
    changed[-1] = score
    drawn = get_bootstrapped_roc_ci_curves(changed, fracture)
    intervals.append((round(float(drawn.low_az_val), 3), round(float(drawn.high_az_val), 3)))
    curves.append(drawn.mean_tpr_vals.tolist())
    areas.append(round(float(roc_auc_score(fracture, changed)), 2))
    other = get_bootstrapped_roc_ci_curves(np.roll(changed, 1), np.roll(fracture, 1))
    put_first.append((round(float(other.low_az_val), 3), round(float(other.high_az_val), 3), other.mean_tpr_vals.tolist()))
    print(f"last film {score}: interval {intervals[-1]}, area {areas[-1]}; put first: {put_first[-1][:2]}, mean curve {np.mean(put_first[-1][2]):.3f}")
assert intervals == [(0.495, 1.0)] * 3 and curves[0] == curves[1] == curves[2]
assert areas == [0.71, 0.74, 0.81]
assert put_first[0][2] != put_first[1][2] != put_first[2][2]
PY

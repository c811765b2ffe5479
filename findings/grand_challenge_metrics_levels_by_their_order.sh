#!/usr/bin/env bash
# grand-challenge-metrics 0.6.0 (evalutils before, by which challenges of medical images count), accuracies_from_confusion_matrix: the accuracy of each class is divided by //, which leaves whole numbers. It is 1 where all voxels of
# all classes are right and 0 otherwise; a network that misses one row of a body and one that misses the body have the same. score_detection, points found within a radius: each truth takes, in the order of the list, the nearest point
# that is left. Where the spine was found shifted by more than half a level, the first vertebra takes the point of its neighbour, and so on, until the last has none: one found too few and one too many. Listed from
# the other end each takes its own, and all are found; so the count hangs on whether a file goes from head to foot or from foot to head. Its help has no word on an order. Nothing is said of either.
# Seen, two bodies of 20 rows in 100, found lower by 0, 1, 5, 20 rows: accuracies 1 1 1, then 0 0 0 (0.96 0.98 0.98 at 1 row, 0.4 0.6 0.6 at 20), Dice beside them right; five vertebrae 30 mm apart, found 16 mm higher, radius 20 mm: from the
# top 4 found, 1 missed, 1 invented; from below 5, 0, 0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 grand-challenge-metrics==0.6.0
"$work/venv/bin/python" - <<'PY'
import numpy as np
from grand_challenge_metrics.scorers import score_detection
from grand_challenge_metrics.stats import accuracies_from_confusion_matrix, calculate_confusion_matrix, dice_from_confusion_matrix

truth = np.zeros((100, 100), int)
truth[10:30], truth[40:60] = 1, 2
for rows in (0, 1, 5, 20):
    found = np.roll(truth, rows, axis=0)
    matrix = calculate_confusion_matrix(truth, found, [0, 1, 2])
    accuracy = accuracies_from_confusion_matrix(matrix).tolist()
    due = [round(float(np.mean((truth == label) == (found == label))), 2) for label in range(3)]
    print(f"{rows} rows lower: accuracies {accuracy}, due {due}, Dice", dice_from_confusion_matrix(matrix).round(2).tolist())
    assert accuracy == [1.0 if rows == 0 else 0.0] * 3
    assert rows != 20 or due == [0.4, 0.6, 0.6]

vertebrae = [(0.0, 30.0 * k) for k in range(5)]
found = [(x, y - 16) for x, y in vertebrae]
from_the_top, from_below = (score_detection(ground_truth=points, predictions=found, radius=20) for points in (vertebrae, vertebrae[::-1]))
print("from the top", from_the_top, "from below", from_below)
assert from_the_top == (4, 1, 1) and from_below == (5, 0, 0)
PY

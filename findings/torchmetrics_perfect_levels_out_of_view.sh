#!/usr/bin/env bash
# torchmetrics 1.9.0, per-class scores of vertebral levels over a set of films that do not all show the same levels, as none do. GeneralizedDiceScore(per_class=True) gives a level 0 on every film that does not show it, in the prediction
# either, and takes the mean with these zeros: a prediction that is the truth to the voxel has 1 for L3, seen on all four films, 0.25 for L4, seen on one, and 0 for L5, seen on none. The more films are cropped
# above a level, the worse the network is said to be at it. Without per_class the same prediction has 1. MeanIoU(per_class=True) beside it leaves films without the level out, and gives -1 for one seen on none, so that the mean
# of its row, 0.33, is not what MeanIoU itself gives, 1. DiceScore has nan there. HausdorffDistance of the same package raises RuntimeError as soon as one film lacks a level, whether found or not. Nothing is said of the others.
# Seen, four films, the prediction equal to the truth, L3 on all, L4 on one, L5 on none: GeneralizedDice 1, per class 1 0.25 0; MeanIoU 1, per class 1 1 -1; Dice per class 1 1 nan; a film with L3 and L4 missed
# altogether: per class 1 0 0, the score over all 0.92.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
TMPDIR="$work" "$work/venv/bin/pip" install -q --no-cache-dir torch==2.14.1 torchmetrics==1.9.0
"$work/venv/bin/python" - <<'PY'
import torch
from torchmetrics.segmentation import DiceScore, GeneralizedDiceScore, HausdorffDistance, MeanIoU

truth = torch.zeros(4, 20, 20, dtype=torch.long)
truth[:, 2:8, 2:8] = 1  # L3 on every film
truth[0, 10:16, 2:8] = 2  # L4 on the first alone, L5 (3) on none
missed = torch.where(truth == 2, 0, truth)
levels = {"num_classes": 4, "include_background": False, "input_format": "index"}


def score(metric, prediction=truth, **options):
    value = metric(**levels, **options)(prediction, truth)
    return [round(float(x), 2) for x in value.flatten()]


seen = {
    "GeneralizedDice": score(GeneralizedDiceScore),
    "GeneralizedDice per class": score(GeneralizedDiceScore, per_class=True),
    "GeneralizedDice, L4 missed": score(GeneralizedDiceScore, missed),
    "GeneralizedDice per class, L4 missed": score(GeneralizedDiceScore, missed, per_class=True),
    "MeanIoU": score(MeanIoU),
    "MeanIoU per class": score(MeanIoU, per_class=True),
    "Dice per class": score(DiceScore, average="none"),
}
for what, values in seen.items():
    print(what, *values)
undefined = seen.pop("Dice per class")
assert undefined[:2] == [1.0, 1.0] and undefined[2] != undefined[2]
assert seen == {
    "GeneralizedDice": [1.0],
    "GeneralizedDice per class": [1.0, 0.25, 0.0],
    "GeneralizedDice, L4 missed": [0.92],
    "GeneralizedDice per class, L4 missed": [1.0, 0.0, 0.0],
    "MeanIoU": [1.0],
    "MeanIoU per class": [1.0, 1.0, -1.0],
}
try:
    score(HausdorffDistance)
except (RuntimeError, IndexError) as error:
    print("HausdorffDistance", type(error).__name__)
else:
    raise AssertionError("HausdorffDistance of an absent level has a value")
PY

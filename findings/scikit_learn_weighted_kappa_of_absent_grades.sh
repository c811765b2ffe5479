#!/usr/bin/env bash
# scikit-learn 1.9.1, weighted kappa of ordinal grades: a step is the distance between the places of two grades among those
# that occur, not between their numbers. Where nobody gave grade 1, a 0 against a 2 counts as one step, a 2 against a 3 too.
# The same readings have another kappa than with all four grades named, which is that of Cohen's formula on the numbers.
# Seen: quadratic 0.8125 without labels, 0.8481 with labels=[0, 1, 2, 3] and by the formula.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q scikit-learn==1.9.1
"$work/venv/bin/python" - <<'PY'
import numpy as np
import sklearn
from sklearn.metrics import cohen_kappa_score

first = np.array([0, 0, 0, 0, 2, 2, 3, 3, 0, 2, 3, 0])
second = np.array([0, 0, 0, 2, 2, 3, 3, 3, 0, 2, 2, 0])
seen = np.mean((first - second) ** 2.0)
chance = np.mean((first[:, None] - second[None]) ** 2.0)
plain = cohen_kappa_score(first, second, weights="quadratic")
named = cohen_kappa_score(first, second, weights="quadratic", labels=[0, 1, 2, 3])
print(sklearn.__version__, round(plain, 4), round(named, 4), round(1 - seen / chance, 4))
assert (round(plain, 4), round(named, 4)) == (0.8125, 0.8481)
assert np.isclose(named, 1 - seen / chance)
PY

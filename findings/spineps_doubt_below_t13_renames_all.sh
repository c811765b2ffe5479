#!/usr/bin/env bash
# SPINEPS 2.1.3 (vertebrae of an MR, named as VerSe does), find_vert_path_from_predictions: what its network thinks of each vertebra, one by one, is made into the likeliest chain of names. T12 may stand twice, the second is T13, but not three times.
# For each vertebra and name the best way down is worked out once and kept; whether a name stands too often is looked at afterwards, and where the best way down from a second T12 begins with one more, the way through two is given up in the place
# of taking the next best. So in a patient with 13 thoracic vertebrae, each seen without doubt, it hangs on the vertebrae below: as soon as the network leans a little more to T12 than to L1 for the first lumbar one, and likewise
# below, all names, the certain ones too, move up by one, T10 is T9 and L4 is L3, though the chain with the right names has the better score by its own count. Nothing is said. Seen on the 24 names that a network
# with the head VERT has; TPTBox, of which the logger is used, and the network's class, which needs torch, are stood in for.
# Seen, T10 to T13 at 0.9, below them L1 to L4, each this much likelier or less than the name above it: 0.55 against 0.40: T10 T11 T12 T13 L1 L2 L3 L4, score 3.65; 0.50 against 0.45: T9 T10 T11 T12 T13 L1 L2 L3, 2.70, the right chain
# 3.57; 0.45 against 0.50: the same, 2.79, 3.50.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 scipy==1.17.1 typing_extensions==4.15.0
"$work/venv/bin/pip" install -q --no-deps spineps==2.1.3
cd "$work"
"$work/venv/bin/python" - <<'PY'
import importlib.util
import sys
import types
from unittest.mock import MagicMock

import numpy as np

sys.modules["TPTBox"] = MagicMock()
package = types.ModuleType("spineps")
package.__path__ = list(importlib.util.find_spec("spineps").submodule_search_locations)
sys.modules["spineps"] = package
network = types.ModuleType("spineps.lab_model")
network.VertLabelingClassifier = object
sys.modules["spineps.lab_model"] = network
from spineps.phase_labeling import find_vert_path_from_predictions

NAMES = [f"C{k}" for k in range(1, 8)] + [f"T{k}" for k in range(1, 13)] + [f"L{k}" for k in range(1, 6)]
BY_NUMBER = {k + 1: name for k, name in enumerate(NAMES)} | {28: "T13", 25: "L6"}


def chain(thoracic, lean):
    rows = [{name: 0.9} for name in thoracic]
    rows += [{f"L{k}": lean, f"L{k - 1}" if k > 1 else "T12": 0.95 - lean} for k in range(1, 5)]
    predictions = {}
    for k, row in enumerate(rows):
        soft = np.full(24, (1 - sum(row.values())) / (24 - len(row)))
        for name, probability in row.items():
            soft[NAMES.index(name)] = probability
        predictions[k] = {"soft": {"VERT": soft, "VERTT13": np.array([1.0, 0.0])}}
    cost, _, found, scores, _, _ = find_vert_path_from_predictions(predictions)
    truth = thoracic + ["L1", "L2", "L3", "L4"]
    due = sum(scores[k][NAMES.index(name)] for k, name in enumerate(truth))
    found = [BY_NUMBER[number] for number in found]
    print(f"{lean:.2f} against {0.95 - lean:.2f}", *found, f"score {-cost:.2f}, of the right chain {due:.2f}")
    return " ".join(found), round(-cost, 2), round(due, 2)


thirteen = ["T10", "T11", "T12", "T12"]
assert chain(thirteen, 0.55) == ("T10 T11 T12 T13 L1 L2 L3 L4", 3.65, 3.65)
assert chain(thirteen, 0.50) == ("T9 T10 T11 T12 T13 L1 L2 L3", 2.70, 3.57)
assert chain(thirteen, 0.45) == ("T9 T10 T11 T12 T13 L1 L2 L3", 2.79, 3.50)
PY

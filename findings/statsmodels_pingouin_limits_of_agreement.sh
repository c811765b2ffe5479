#!/usr/bin/env bash
# statsmodels 0.15.0 and pingouin 0.7.0, Bland-Altman limits of agreement of the same readings: mean_diff_plot takes the standard
# deviation of the population (divided by n), plot_blandaltman that of the sample (by n - 1), as Bland and Altman did. So the
# limits of a study of few films are narrower by one library than by the other, 5 % at 10 films, 11 % at 5; neither names its
# divisor on the plot, and the labels that statsmodels draws are rounded to two figures.
# Seen, differences 1 3 -2 4 -1 degrees: statsmodels -3.47 to 5.47, pingouin -4.00 to 6.00; by hand, 1 +- 1.96 x 2.55, -4.00 to 6.00.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q statsmodels==0.15.0 pingouin==0.7.0 numpy==2.4.6 matplotlib==3.10.9
cd "$work"
MPLBACKEND=Agg "$work/venv/bin/python" -W ignore - <<'PY'
import math
import statistics

import matplotlib.pyplot as plt
import numpy as np
import pingouin
from statsmodels.graphics.agreement import mean_diff_plot

differences = [1.0, 3, -2, 4, -1]
truth = np.array([22.0, 31, 40, 48, 57])
reading = truth + differences


def limits(axes):
    heights = sorted(float(np.ravel(line.get_ydata())[0]) for line in axes.lines)
    return heights[0], heights[-1]


theirs = limits(mean_diff_plot(reading, truth, ax=plt.figure().add_subplot()).axes[0])
other = limits(pingouin.plot_blandaltman(reading, truth, ax=plt.figure().add_subplot()))
by_hand = [1 + 1.96 * side * statistics.stdev(differences) for side in (-1, 1)]
print("statsmodels", theirs, "pingouin", other, "by hand", by_hand)
assert np.allclose(other, by_hand) and np.allclose(other, (-3.998, 5.998), atol=0.001)
assert np.allclose(theirs, (-3.469, 5.469), atol=0.001)
assert math.isclose((theirs[1] - 1) / (other[1] - 1), math.sqrt(4 / 5))
PY

#!/usr/bin/env bash
# pingouin 0.7.0, intraclass_corr: a table in which each reader read each film twice, as every study of the error between and within readers has it. The two are averaged first, without a word, and
# the mean of two goes in as one reading: ICC(A,1) and ICC(C,1), "single", are those of the mean of two readings. The second reading makes every coefficient better and the interval narrower though the readers are the
# same. Readers who read unequally often, here twice and there once, are averaged the same way, and so is an empty reading beside another one, though nan_policy, "raise" unless told otherwise, says that it is refused. The
# help asks for "long-format". By hand: by the mean squares of Shrout and Fleiss.
# Seen, Cobb angles of 12 films by 3 readers whose readings scatter by 5 degrees: ICC(A,1) of the first readings 0.659, of the second 0.711, of both in one table 0.816, which is that of their means; by hand the same three;
# with one second reading of the 36 left out or empty 0.814.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
TMPDIR="$work" "$work/venv/bin/pip" install -q --no-cache-dir pingouin==0.7.0 numpy==2.4.6 pandas==3.1.1
"$work/venv/bin/python" -W error::UserWarning - <<'PY'
import numpy as np
import pandas as pd
import pingouin as pg

films, readers = 12, 3
drawn = np.random.RandomState(4)  # its numbers are kept from version to version
angles = drawn.normal(30, 10, films)[:, None, None] + drawn.normal(0, 5, (films, readers, 2))


def rows(occasions):
    read = [(f, r, angles[f, r, o]) for f in range(films) for r in range(readers) for o in occasions]
    return pd.DataFrame(read, columns=["film", "reader", "degrees"])


def by_pingouin(table):
    result = pg.intraclass_corr(table, targets="film", raters="reader", ratings="degrees").set_index("Type")
    return float(result.loc["ICC(A,1)", "ICC"]), [float(x) for x in result.loc["ICC(A,1)", "CI95"]]


def by_hand(readings):
    grand, n, k = readings.mean(), *readings.shape
    between_films = k * ((readings.mean(1) - grand) ** 2).sum() / (n - 1)
    between_readers = n * ((readings.mean(0) - grand) ** 2).sum() / (k - 1)
    left = readings - readings.mean(1, keepdims=True) - readings.mean(0) + grand
    error = (left**2).sum() / ((n - 1) * (k - 1))
    return (between_films - error) / (between_films + (k - 1) * error + k * (between_readers - error) / n)


first, second, both = (by_pingouin(rows(o)) for o in ((0,), (1,), (0, 1)))
hand = [by_hand(angles[..., 0]), by_hand(angles[..., 1]), by_hand(angles.mean(2))]
for what, (icc, interval), due in zip(("first", "second", "both"), (first, second, both), hand):
    print(f"{what}: {icc:.3f} {interval}, by hand {due:.3f}")
    assert abs(icc - due) < 1e-6
assert both[0] > max(first[0], second[0]) + 0.05
unequal = rows((0, 1)).drop(index=5)
empty = rows((0, 1))
empty.loc[5, "degrees"] = np.nan
for table in (unequal, empty):
    print("one second reading left out or empty:", round(by_pingouin(table)[0], 3))
    assert round(by_pingouin(table)[0], 3) == 0.814
PY

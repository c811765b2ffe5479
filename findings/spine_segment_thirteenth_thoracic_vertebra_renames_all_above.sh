#!/usr/bin/env bash
# spine-segment 0.1.6 (vertebrae of a CT, numbered as VerSe does), its choice of a chain among the places that its network found, and its number 28. The README calls 28 the sacrum; in VerSe
# that is 26, and 28 is a thirteenth thoracic vertebra. The code agrees with VerSe: its 28 can follow T12 alone and come before L1 alone, so that no spine has a sacrum, and who reads
# a sacral slope off 28 has T13. But the walk looks for a vertebra's upper neighbour among lower indices only, and T13's, 25, lies above L1's, 19: before L1 it is never taken. Of a patient
# with 13 thoracic vertebrae, each found where it is, T13 becomes T12, T12 T11, and so on up to the first one in view: all thoracic names are one level too high, the lumbar ones right.
# Where T1 and the neck are in view, T13 is left out instead. Only where the scan ends at T13 does it bear its number. Without a T13 all names are right. Nothing is said.
# Seen, found T10, T11, T12, T13, L1, L2, L3, 33 mm apart: T9, T10, T11, T12, L1, L2, L3; C6 to L2 with T13: all right but no T13; T10 to T13: T10, T11, T12, 28; L1 to L5 and 28 below: L1 to L5.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-cache-dir numpy==2.4.6 SimpleITK==2.5.7
"$work/venv/bin/pip" install -q --no-cache-dir --no-deps spine-segment==0.1.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import re
from importlib.metadata import metadata

from spine_segment.landmarks import Landmark
from spine_segment.postprocess import add_landmarks_from_neighbors, reshift_landmarks
from spine_segment.sequence_solver import SpineSequenceConfig, solve_spine_sequence

NAMES = [f"C{i}" for i in range(1, 8)] + [f"T{i}" for i in range(1, 13)] + [f"L{i}" for i in range(1, 7)] + ["T13"]  # the network's 26 outputs


def named(*found, weights=(0.8, 0.2)):
    """One sure place for each vertebra of ``found``, from the head down; the names that the package gives them, by its own three steps."""
    maxima = [[Landmark(0, 0, -33 * found.index(name), value=1)] if name in found else [] for name in NAMES]
    for weight in weights:  # the default, and the one that the README names beside it
        chain = solve_spine_sequence(add_landmarks_from_neighbors(maxima), config=SpineSequenceConfig(lambda_weight=weight))
        placed = {round(place.z / -33): name for place, name in zip(reshift_landmarks(chain), NAMES) if place.is_valid}
        given = [placed.get(turn) for turn in range(len(found))]
        print(weight, *found, "->", *given)
    return given


sacrum = re.search(r"`28` \| (\w+)", metadata("spine-segment").get_payload()).group(1)
print("28 by its text:", sacrum)
assert sacrum == "Sacrum"
assert named("T10", "T11", "T12", "L1", "L2", "L3") == ["T10", "T11", "T12", "L1", "L2", "L3"]
assert named("T10", "T11", "T12", "T13", "L1", "L2", "L3") == ["T9", "T10", "T11", "T12", "L1", "L2", "L3"]
whole = ["C6", "C7", *NAMES[7:19], "T13", "L1", "L2"]
assert named(*whole, weights=(0.8,)) == ["C6", "C7", *NAMES[7:19], None, "L1", "L2"]
assert named("T10", "T11", "T12", "T13") == ["T10", "T11", "T12", "T13"]
assert named("L1", "L2", "L3", "L4", "L5", "T13") == ["L1", "L2", "L3", "L4", "L5", None]
PY

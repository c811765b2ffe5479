#!/usr/bin/env bash
# TotalSegmentator 2.18.0, task vertebrae_pp (vertebral bodies), the step after its network, postprocess_vertebrae_pp: where two names touch anywhere, what the network called each body is put aside, and all bodies are named anew, one
# after the other upwards, beginning with the lowest name that is left anywhere. One voxel is enough for both. A scan from T10 to L3, each body named rightly but for a voxel of L4 at the edge of one of them, the uppermost say, becomes T11 to L4. Where
# two bodies grew together, as at a bridging osteophyte, in a block vertebra or by a slip of the mask, they get one name, and all above are one level too low. The help says that the mask is split and relabelled
# "anatomically"; a vote of each body's voxels, 33599 to 1, has no part in it. One voxel of a name that lies higher changes nothing. Nothing is said, unless verbose is asked for.
# Seen, T10 T11 T12 L1 L2 L3, bodies of 33600 voxels: as they are right; one voxel of L4 in L3, or in T11: T11 T12 L1 L2 L3 L4; one voxel of L2 in L3: right; L1 and L2 joined by a bridge of one voxel: T11 T12 L1 L2 L2 L3.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 scipy==1.17.1 nibabel==5.4.2 tqdm==4.70.1
"$work/venv/bin/pip" install -q --no-deps TotalSegmentator==2.18.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import numpy as np
from totalsegmentator.map_to_binary import class_map
from totalsegmentator.postprocessing import postprocess_vertebrae_pp

NAMES = {number: name.removeprefix("vertebrae_") for number, name in class_map["vertebrae_pp"].items()}
NUMBERS = {name: number for number, name in NAMES.items()}
LEVELS = ["T10", "T11", "T12", "L1", "L2", "L3"]
LOWEST = {level: 40 * (len(LEVELS) - 1 - k) + 5 for k, level in enumerate(LEVELS)}  # of 28 rows, upwards


def named(what, change=None):
    labels = np.zeros((60, 60, 40 * len(LEVELS)), np.uint8)
    for level, row in LOWEST.items():
        labels[10:50, 15:45, row : row + 28] = NUMBERS[level]
    if change:
        change(labels)
    found = postprocess_vertebrae_pp(labels, class_map["vertebrae_pp"])
    names = " ".join(NAMES[int(found[30, 30, row + 14])] for row in LOWEST.values())
    print(what, names, sep=": ")
    return names


def voxel(level, name):
    return lambda labels: labels.__setitem__((10, 15, LOWEST[level]), NUMBERS[name])


def bridge(labels):
    labels[30, 30, LOWEST["L2"] + 28 : LOWEST["L1"]] = NUMBERS["L2"]


right, one_lower = " ".join(LEVELS), "T11 T12 L1 L2 L3 L4"
assert named("as they are") == right
assert named("a voxel of L4 in L3", voxel("L3", "L4")) == one_lower
assert named("a voxel of L4 in T11", voxel("T11", "L4")) == one_lower
assert named("a voxel of L2 in L3", voxel("L3", "L2")) == right
assert named("a bridge from L1 to L2", bridge) == "T11 T12 L1 L2 L2 L3"
PY

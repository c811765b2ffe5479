#!/usr/bin/env bash
# SimpleITK 2.5.7, LabelVoting and MultiLabelSTAPLE, by which the masks of several readers or networks become one: where as many votes stand for one label as for another, the voxel gets a label
# of its own, the largest of all plus one, unless another is asked for. In masks of levels that number has a name: by VerSe's table L1 to L5 are 20 to 24, and the plus one is 25, L6; with
# a sacrum, 26, in view it is 27, the coccyx. Two readers who put the border between L4 and L5 two rows apart, or the lower edge of L5, make a plate of L6 there, and so do three who
# say three things of a voxel. A count of vertebrae finds one too many, a height ends at it. That the number stands for "undecided" is in the filters' help; the image does not say so.
# Seen, L4 and L5 of 400 voxels each, the second reader's border two rows higher: 320 of L4, 400 of L5, 80 of L6, by both filters; the lower edge two rows higher: 400, 320, 80 of L6; with a sacrum 80 of 27.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-cache-dir SimpleITK==2.5.7 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import numpy as np
import SimpleITK as sitk

L4, L5, L6, SACRUM, COCCYX = 23, 24, 25, 26, 27


def reader(border=12, lower_edge=22, between=None, sacrum=False):
    mask = np.zeros((4, 34, 10), np.uint8)  # slices, rows, columns
    mask[:, 2:border], mask[:, border:lower_edge] = L4, L5
    if between is not None:
        mask[:, 10:12] = between
    if sacrum:
        mask[:, 26:32] = SACRUM
    return sitk.GetImageFromArray(mask)


def voted(name, *readers):
    found = []
    for join in (sitk.LabelVoting, sitk.MultiLabelSTAPLE):
        labels, counts = np.unique(sitk.GetArrayFromImage(join(readers)), return_counts=True)
        found.append({int(label): int(count) for label, count in zip(labels, counts) if label})
        print(name, join.__name__, found[-1])
    assert found[0] == found[1]
    return found[0]


assert voted("readers agree:", reader(), reader()) == {L4: 400, L5: 400}
assert voted("border:", reader(), reader(border=10)) == {L4: 320, L5: 400, L6: 80}
assert voted("lower edge:", reader(), reader(lower_edge=20)) == {L4: 400, L5: 320, L6: 80}
assert voted("three readers:", reader(), reader(border=10), reader(border=10, between=0)) == {L4: 320, L5: 400, L6: 80}
assert voted("with a sacrum:", reader(sacrum=True), reader(border=10, sacrum=True)) == {L4: 320, L5: 400, SACRUM: 240, COCCYX: 80}
chosen = sitk.GetArrayFromImage(sitk.LabelVoting([reader(), reader(border=10)], 99))
assert (chosen == 99).sum() == 80, "another number can be asked for"
PY

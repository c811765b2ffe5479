#!/usr/bin/env bash
# pycocotools 2.0.11 (faster-coco-eval 1.8.0 alike), key points: of a category at most 20 detections a picture are looked at, so
# that a film with all 24 vertebrae of one category, each found to the pixel, has AP 0.83 and AR 0.83 (20 of 24); boxes get up to 100.
# With area 0, which makers of annotations without outlines write, a perfect place still scores 1, but the smallest error, 0.01 px, 0.
# Nothing is said. A vertebra without num_keypoints is a KeyError in pycocotools, in faster-coco-eval it is one to leave out: AP -1.
# Seen, AP of 20, 21 and 24 perfect vertebrae: 1.0, 0.9505, 0.8317; 2 px off with area 1200 0.7; 0.01 px off with area 0 0.0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pycocotools==2.0.11 faster-coco-eval==1.8.0 numpy==2.4.6
"$work/venv/bin/python" - <<'PY'
import contextlib
import io

import faster_coco_eval
import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

corners = [100, 0, 2, 140, 0, 2, 140, 30, 2, 100, 30, 2]


def spine(count):
    truth, found = [], []
    for level in range(count):
        points = [v + 35 * level if k % 3 == 1 else v for k, v in enumerate(corners)]
        common = {"image_id": 1, "category_id": 1, "keypoints": points}
        truth.append({**common, "id": level + 1, "bbox": [100, 35 * level, 40, 30], "area": 1200, "iscrowd": 0, "num_keypoints": 4})
        found.append({**common, "score": 0.9})
    return truth, found


def dataset(truth):
    return {"info": {}, "images": [{"id": 1, "width": 300, "height": 900}], "annotations": truth,
            "categories": [{"id": 1, "name": "vertebra", "keypoints": list("abcd"), "skeleton": []}]}


def stats(evaluation):
    for step in (evaluation.evaluate, evaluation.accumulate, evaluation.summarize):
        step()
    return evaluation.stats


def faster(truth, found):
    with contextlib.redirect_stdout(io.StringIO()):
        reference = faster_coco_eval.COCO(dataset(truth))
        found = reference.loadRes(found)
        return stats(faster_coco_eval.COCOeval_faster(reference, found, "keypoints", kpt_oks_sigmas=[0.05] * 4))


def scores(truth, found, kind="keypoints"):
    with contextlib.redirect_stdout(io.StringIO()):
        reference = COCO()
        reference.dataset = dataset(truth)
        reference.createIndex()
        evaluation = COCOeval(reference, reference.loadRes(found), kind)
        evaluation.params.kpt_oks_sigmas = np.full(4, 0.05)
        seen = stats(evaluation)
    if kind == "keypoints":
        assert abs(faster(truth, found)[0] - seen[0]) < 1e-6, "faster-coco-eval agrees"
    return round(float(seen[0]), 4), round(float(seen[5 if kind == "keypoints" else 8]), 4)


for count, expected in {20: (1.0, 1.0), 21: (0.9505, 0.9524), 24: (0.8317, 0.8333)}.items():
    seen = scores(*spine(count))
    print(count, "perfect vertebrae, AP and AR:", seen)
    assert seen == expected
truth, found = spine(24)
boxes = [{k: v for k, v in one.items() if k != "keypoints"} | {"bbox": whole["bbox"]} for one, whole in zip(found, truth, strict=True)]
seen = scores(truth, boxes, "bbox")
print("24 perfect boxes:", seen)
assert seen == (1.0, 1.0)

truth, found = spine(1)


def off(dx):
    return [{**one, "keypoints": [v + dx if k % 3 == 0 else v for k, v in enumerate(one["keypoints"])]} for one in found]


unmarked = [{k: v for k, v in truth[0].items() if k != "num_keypoints"}]
print("without num_keypoints, faster-coco-eval:", faster(unmarked, found)[0])
assert faster(unmarked, found)[0] == -1
try:
    scores(unmarked, found)
    raise AssertionError("pycocotools no longer refuses")
except KeyError as error:
    print("without num_keypoints, pycocotools:", repr(error))
for area, dx, expected in [(1200, 2, 0.7), (0, 0, 1.0), (0, 0.01, 0.0)]:
    seen = scores([{**truth[0], "area": area}], off(dx))[0]
    print("area", area, "off by", dx, "px: AP", seen)
    assert seen == expected
PY

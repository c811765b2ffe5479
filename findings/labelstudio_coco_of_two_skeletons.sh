#!/usr/bin/env bash
# label-studio-sdk 2.1.2, the converter behind Label Studio's exports, on one picture with two boxes, each the parent of
# its own two keypoints:
# * COCO: the keypoints of both boxes go into one annotation of a category "default" that is made up for it; of each name
#   the last one wins, so that it mixes both objects. Coordinates are rounded to whole px. Without `model_index` on the
#   <Label>s of the set-up the export raises ValueError.
# * YOLO: keypoints stay with their boxes, unrounded, but without `model_index` every line ends after the box, silently.
# * A picture of a local storage ("/data/local-files/?d=film.png") gives the label file "?d=film.txt".
# Seen: COCO with indices: 1 annotation with keypoints, [11, 60, 2, 51, 66, 2]; YOLO: 11 numbers a line, without them 5
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q label-studio-sdk==2.1.2
cd "$work"
"$work/venv/bin/python" - <<'PY'
import json
from pathlib import Path

from label_studio_sdk.converter import Converter


def region(kind, name, label, x, y, **more):
    value = {"x": x, "y": y, "width": 30, "height": 20, "rotation": 0, kind: [label]}
    size = {"original_width": 100, "original_height": 100, "image_rotation": 0}
    control = {"from_name": kind, "to_name": "image", "type": kind, "origin": "manual"}
    return {"id": name, **control, **size, "value": value, **more}


result = []
for k, y in enumerate((20, 60)):
    result.append(region("rectanglelabels", f"b{k}", "body", 10, y))
    result.append(region("keypointlabels", f"a{k}", "left", 10.6, y + 0.3, parentID=f"b{k}"))
    result.append(region("keypointlabels", f"c{k}", "right", 50.7, y + 5.9, parentID=f"b{k}"))
task = {"id": 1, "data": {"image": "/data/local-files/?d=film.png"}}
Path("tasks.json").write_text(json.dumps([{**task, "annotations": [{"id": 1, "result": result, "completed_by": {}}]}]))


def converter(*index):
    labels = "".join(f'<Label value="{name}" {at}/>' for name, at in zip(("left", "right"), index))
    setup = f"""<View><Image name="image" value="$image"/>
    <RectangleLabels name="rectanglelabels" toName="image"><Label value="body"/></RectangleLabels>
    <KeyPointLabels name="keypointlabels" toName="image">{labels}</KeyPointLabels></View>"""
    return Converter(config=setup, project_dir=".", download_resources=False)


with_index = converter('model_index="0"', 'model_index="1"')
with_index.convert_to_coco("tasks.json", "coco", is_dir=False)
content = json.loads(Path("coco/result.json").read_text())
pointed = [a for a in content["annotations"] if a.get("keypoints")]
names = {c["id"]: c["name"] for c in content["categories"]}
print("COCO", [(names[a["category_id"]], a["keypoints"]) for a in pointed])
assert [(names[a["category_id"]], a["keypoints"]) for a in pointed] == [("default", [11, 60, 2, 51, 66, 2])]
with_index.convert_to_yolo("tasks.json", "yolo", is_dir=False)
(file,) = Path("yolo/labels").iterdir()
lines = file.read_text().splitlines()
print("YOLO", file.name, lines)
assert file.name == "?d=film.txt" and [len(line.split()) for line in lines] == [11, 11]

without = converter("", "")
try:
    without.convert_to_coco("tasks.json", "coco2", is_dir=False)
except ValueError as error:
    print("COCO without model_index:", str(error)[:60])
else:
    raise AssertionError("no longer raises")
without.convert_to_yolo("tasks.json", "yolo2", is_dir=False)
(file,) = Path("yolo2/labels").iterdir()
print("YOLO without model_index:", file.read_text().splitlines())
assert [len(line.split()) for line in file.read_text().splitlines()] == [5, 5]
PY

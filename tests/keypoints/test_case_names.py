"""Case names that look like numbers stay text from the source to the tables: the original did ``int(name)``."""

from __future__ import annotations

import csv
import json

import cv2
import numpy as np
import pandas as pd
import torch

from spinetk import zoo
from spinetk.cases.catalog import DatasetCatalog, setup_catalogs
from spinetk.cases.exporting import export
from spinetk.cases.folder import CaseFolder
from spinetk.cases.preparation import prepare
from spinetk.cases.splitting import make_split
from spinetk.keypoints.batch import predict_cases, predict_files
from spinetk.keypoints.evaluation import evaluate
from spinetk.keypoints.network import VertebraRCNN
from spinetk.keypoints.predictor import Predictor
from spinetk.report.agreement import agree
from spinetk.schema import VERTEBRA6

NAMES = (
    "007",
    "7",
    "07",
    "20240131",
    "2024-01-31",
    "1e5",
    "0x10",
    "12345678901234567890",
    "1.50",
    "NaN",
    "None",
    "True",
)


def test_names_that_look_like_numbers_stay_what_they_are(tiny, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for number, name in enumerate(NAMES):
        picture = np.random.default_rng(number).integers(0, 255, (64, 64), np.uint8)
        picture[20:44, 16:48] = 230
        cv2.imwrite(str(source / f"{name}.png"), picture)
        points = [16, 44, 2, 32, 44, 2, 48, 44, 2, 48, 20, 2, 32, 20, 2, 16, 20, 2]
        vertebra = {"bbox": [16, 20, 48, 44], "bbox_mode": 0, "category_id": 0, "keypoints": points}
        content = {"height": 64, "width": 64, "image_id": name, "annotations": [vertebra]}
        (source / f"{name}.json").write_text(json.dumps(content))
    (source / "metadata.json").write_text(json.dumps({name: {"patient": name, "Hardware": False} for name in NAMES}))

    cases = tmp_path / "cases"
    assert sorted(prepare(source, cases, progress=False).cases) == sorted(NAMES)
    folder = CaseFolder(cases)
    order = folder.cases()
    assert order.index("007") < order.index("07") < order.index("7") < order.index("20240131")
    parts = make_split(cases)[:3]
    assert sorted(name for part in parts for name in part.index) == sorted(NAMES)
    assert all(list(part["case"]) == list(part["patient"]) == list(part.index) for part in parts)
    saved = json.loads((cases / "split.json").read_text())["parts"]
    assert sorted(name for part in saved.values() for name in part) == sorted(NAMES)
    setup_catalogs("names", *parts)
    read = [record["case"] for part in ("train", "val", "test") for record in DatasetCatalog.get(f"vertnames_{part}")]
    assert sorted(read) == sorted(NAMES)
    export(cases, tmp_path / "coco.json")
    exported = json.loads((tmp_path / "coco.json").read_text())["images"]
    assert sorted(entry["file_name"].split("/")[0] for entry in exported) == sorted(NAMES)

    torch.manual_seed(0)
    network = VertebraRCNN(tiny, VERTEBRA6)
    zoo.save(tmp_path / "random.pth", network.state_dict(), {"config": network.config()})
    predictor = Predictor.load(tmp_path / "random.pth", 0.0)
    scores = evaluate(cases, "test", predictor, tmp_path / "scores", progress=False)
    assert len(scores["cases"]) == len(parts[2])
    predict_cases(cases, NAMES, tmp_path / "out", predictor, progress=False)
    assert {path.stem for path in (tmp_path / "out").glob("*.png")} == set(NAMES)
    # A case's pixels are read as they are, its file through a window: a digest would refuse it.
    assert not any("pixels_sha256" in json.loads(path.read_text()) for path in (tmp_path / "out").glob("*.json"))
    predict_files([source], tmp_path / "files", predictor, progress=False)
    with open(tmp_path / "files" / "vertebrae.csv", newline="") as stream:
        named = {row["file"].rsplit("/", 1)[-1].removesuffix(".png") for row in csv.DictReader(stream)}
    assert named
    assert named <= set(NAMES)

    # Two tables of the same cases, read as CSV, are paired by these names.
    rows = [{"file": name, "index": 1, "anterior_mm": 20.0 + k} for k, name in enumerate(NAMES)]
    for table in ("one", "two"):
        pd.DataFrame(rows).to_csv(tmp_path / f"{table}.csv", index=False)
    found = agree(tmp_path / "one.csv", tmp_path / "two.csv")
    assert sorted(found.values["file"]) == sorted(NAMES)
    assert not found.only_first
    assert not found.only_second

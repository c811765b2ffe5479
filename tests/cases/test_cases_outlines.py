"""What a newcomer's annotations get wrong without a program's noticing: said when they come in, and before training."""

from __future__ import annotations

import json
import shutil
import warnings
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest

from spinetk.cases.catalog import DatasetCatalog, setup_catalogs
from spinetk.cases.folder import CaseFolder, read_record
from spinetk.cases.outlines import oddities, said_of
from spinetk.cases.preparation import prepare
from spinetk.geometry import Frame
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA6

NAMES = list(VERTEBRA6.keypoints)
BY_NAME = {name: NAMES.index(name) for name in NAMES}
AROUND = ["top_left", "top_middle", "top_right", "bottom_right", "bottom_middle", "bottom_left"]
BY_ROWS = ["top_left", "top_middle", "top_right", "bottom_left", "bottom_middle", "bottom_right"]


def in_order(names: list[str]):
    """Points set in this order under the names of the schema."""
    return lambda points, size: points[[BY_NAME[name] for name in names]]


MISTAKES = {
    "around from the top": (in_order(AROUND), "mirrored"),
    "by rows from the top": (in_order(BY_ROWS), "order of their names|head at the bottom"),
    "sides of the patient": (lambda points, size: points[list(VERTEBRA6.flip_indices)], "mirrored"),
    "y before x": (lambda points, size: points[:, ::-1], "mirrored"),
    "y from the bottom": (lambda points, size: [0, size[1]] + points * [1, -1], "mirrored"),
    "shares of the picture": (lambda points, size: points / size, "less than 2 px"),
    "a quarter turn off": (
        lambda points, size: points.mean(0) + (points - points.mean(0)) @ [[0, 1], [-1, 0]],
        "quarter turn",
    ),
}


def coco(truth: Reading, change=lambda points, size: points, visibility: int = 2) -> Path:
    """A set of one picture as COCO has it, boxes left out, written without the code under test."""
    size = (truth.width, truth.height)
    folder = Path(truth.file).parent / "in"
    folder.mkdir()
    shutil.copy(truth.file, folder / "film.png")
    annotations = []
    for number, vertebra in enumerate(truth.vertebrae):
        points = change(vertebra.points - 0.5, size)
        flat = [float(v) for x, y in points for v in (x, y, visibility)]
        annotations.append({"id": number, "image_id": 1, "category_id": 1, "keypoints": flat})
    content = {
        "images": [{"id": 1, "file_name": "film.png", "width": size[0], "height": size[1]}],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "vertebra", "keypoints": NAMES, "skeleton": []}],
    }
    (folder / "set.json").write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize("mistake", MISTAKES)
def test_points_that_cannot_bear_their_names_are_said(drawn, tmp_path, mistake):
    change, words = MISTAKES[mistake]
    done = prepare(coco(drawn, change), tmp_path / "cases", layout="coco", progress=False)
    said = [line for line in done.remarks if line.startswith("film: 3 of 3 bodies")]
    assert len(said) == 1, done.remarks
    assert any(word in said[0] for word in words.split("|"))


def test_a_sound_set_gets_no_word(drawn, tmp_path):
    done = prepare(coco(drawn), tmp_path / "cases", progress=False)
    assert done.remarks == []


def test_a_film_that_lies_on_its_side_is_judged_as_it_stands(drawn):
    assert oddities(drawn.turned(6)) == [None] * 3
    # What its file says of the head counts, not which way up it is stored.
    over = drawn.turned(3)
    over.frame = Frame()
    assert oddities(over) == ["have the head at the bottom of the picture by the names of their points"] * 3
    over.frame = Frame(toward_right="A", toward_bottom="H")
    assert oddities(over) == [None] * 3


def test_places_that_are_called_not_visible_are_counted(drawn, tmp_path):
    done = prepare(coco(drawn, visibility=0), tmp_path / "out", progress=False)
    assert "film: 3 x without a visible point: left out" in done.remarks
    assert any("no vertebra is left" in line for line in done.remarks)


def test_the_word_is_there_before_a_training(case_folder):
    """As the original's own copies were: mirrored, their names as before."""
    folder = CaseFolder(case_folder)
    path = folder.source("case 1")
    content = json.loads(path.read_text())
    for entry in content["annotations"]:
        points = np.array(entry["keypoints"]).reshape(-1, 3)
        points[:, 0] = content["width"] - points[:, 0]
        entry["keypoints"] = points.ravel().tolist()
    path.write_text(json.dumps(content))
    read_record(path)
    setup_catalogs("odd", ["case 0", "case 1"], ["case 2"], ["case 3"], base=case_folder)
    with pytest.warns(UserWarning, match="3 of 6 bodies are mirrored against their names"):
        DatasetCatalog.get("vertodd_train")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DatasetCatalog.get("vertodd_val")


def test_one_body_in_many_is_counted(drawn):
    wrong = deepcopy(drawn)
    wrong.vertebrae[1].points = wrong.vertebrae[1].points[::-1].copy()
    (said,) = said_of([wrong, drawn])
    assert said.startswith("1 of 6 bodies are mirrored")

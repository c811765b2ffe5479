"""Label Studio tasks: percent by hand, and the way back through ``prepare``."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from spinetk.formats.labelstudio import labelstudio_items, write_labelling, write_tasks
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6

POINTS = np.array([[10, 52], [35, 51], [60, 52], [60, 20], [35, 21], [10, 20]], float)


@pytest.fixture
def reading():
    hidden = np.array([True, True, False, True, True, True])
    vertebrae = [
        Vertebra.from_points(POINTS, label="L3", score=0.9),
        Vertebra.from_points(POINTS + (2.25, 40), hidden, label=None, score=0.7),
    ]
    return Reading("somewhere/film.png", 200, 100, VERTEBRA6, vertebrae, model="m")


def test_there_and_back(reading, tmp_path):
    """Submitted as they are, tasks come back with the same points, levels and visibility."""
    cv2.imwrite(str(tmp_path / "film.png"), np.zeros((200, 100), np.uint8))
    write_tasks(tmp_path / "tasks.json", [reading])
    tasks = json.loads((tmp_path / "tasks.json").read_text())
    for task in tasks:
        task["annotations"] = [{"id": 1, "result": task.pop("predictions")[0]["result"]}]
    (tmp_path / "export.json").write_text(json.dumps(tasks))
    (item,) = labelstudio_items(tmp_path / "export.json")
    assert item.picture == tmp_path / "film.png"
    for before, after in zip(reading.vertebrae, item.vertebrae, strict=True):
        assert after.label == before.label
        assert (after.visible == before.visible).all()
        assert np.allclose(after.points[after.visible], before.points[before.visible])


def test_the_set_up_names_every_label_that_tasks_use(reading, tmp_path):
    write_labelling(tmp_path / "set-up.xml", VERTEBRA6)
    write_tasks(tmp_path / "tasks.json", [reading])
    view = ElementTree.parse(tmp_path / "set-up.xml").getroot()
    known = {control.get("name"): {label.get("value") for label in control} for control in view}
    (task,) = json.loads((tmp_path / "tasks.json").read_text())
    for region in task["predictions"][0]["result"]:
        assert set(region["value"][region["type"]]) <= known[region["from_name"]]

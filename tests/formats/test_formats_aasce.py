from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.io import savemat

from spinetk.cases.folder import CaseFolder
from spinetk.cases.preparation import prepare
from spinetk.errors import InputError
from spinetk.formats.aasce import aasce_items
from spinetk.formats.registry import detect
from spinetk.schema import VERTEBRA4, VERTEBRA6

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "aasce2019"
NAMES = [
    "sunhl-1th-02-Jan-2017-162 A AP.jpg",
    "sunhl-1th-03-Jan-2017-162 B AP.jpg",
    "sunhl-1th-20-Jul-2016-coronal4.jpg",
]


@pytest.fixture
def source(tmp_path):
    """Three radiographs of two patients; vertebra n lies 40 n px below the first and is 50 x 30 px."""
    pictures, labels = tmp_path / "set/data/training", tmp_path / "set/labels/training"
    pictures.mkdir(parents=True)
    labels.mkdir(parents=True)
    for n, name in enumerate(NAMES):
        pixels = np.random.default_rng(n).integers(0, 255, (740, 300)).astype(np.uint8)
        cv2.imwrite(str(pictures / name), pixels)
        corners = np.array([[100, 20], [150, 22], [101, 50], [151, 52]], dtype=float)
        points = np.concatenate([corners + (0, 40 * k) for k in range(17)])
        savemat(str(labels / f"{name}.mat"), {"p2": points})
    (labels / "filenames.csv").write_text("\n".join(NAMES) + "\n")
    (labels / "angles.csv").write_text("10,5,1\n20,6,2\n30,7,3\n")
    (tmp_path / "set/qc_flags.csv").write_text(f"split,file,width,height,flags\ntraining,{NAMES[1]},300,740,a|b\n")
    return tmp_path / "set"


def test_corners_levels_patients_and_flags(source):
    first, second, third = aasce_items(source)
    assert detect(source)[0].name == "aasce"
    assert first.schema == VERTEBRA4
    assert [v.label for v in first.vertebrae] == [f"T{n}" for n in range(1, 13)] + [f"L{n}" for n in range(1, 6)]
    np.testing.assert_array_equal(first.vertebrae[1].points, [[100, 60], [150, 62], [101, 90], [151, 92]])
    assert [first.group, second.group, third.group] == ["162", "162", "sunhl-1th-20-Jul-2016-coronal4"]
    assert second.metadata == {"group": "162", "cobb_degrees": [20, 6, 2], "qc_flags": ["a", "b"]}
    assert first.view == "ap"


def test_six_points_have_their_middles_on_the_endplates(source):
    first = next(iter(aasce_items(source, VERTEBRA6)))
    points = dict(zip(VERTEBRA6.keypoints, first.vertebrae[0].points.tolist(), strict=True))
    assert points["top_middle"] == [125, 21]
    assert points["bottom_middle"] == [126, 51]
    assert points["top_left"] == [100, 20]


def test_labels_out_of_order_are_put_in_order(source):
    path = source / "labels/training" / f"{NAMES[0]}.mat"
    truth = next(iter(aasce_items(source)))
    points = np.stack([v.points for v in truth.vertebrae])
    # The uppermost vertebra comes last, the sides of another are exchanged, so are the ends of a third.
    mixed = np.concatenate([points[1:], points[:1]])
    mixed[4] = mixed[4][[1, 0, 3, 2]]
    mixed[7] = mixed[7][[2, 3, 0, 1]]
    savemat(str(path), {"p2": mixed.reshape(-1, 2)})
    item = next(iter(aasce_items(source)))
    np.testing.assert_array_equal([v.points for v in item.vertebrae], points)
    assert [v.label for v in item.vertebrae] == [v.label for v in truth.vertebrae]
    assert item.remarks == ["labels put in order: vertebrae, left and right of T6, top and bottom of T9"]


def test_prepared(source, tmp_path):
    labels = source / "labels/training"
    (labels / f"{NAMES[2]}.mat").write_bytes(b"nothing")
    result = prepare(source, tmp_path / "out", width=150, progress=False)
    assert len(result.cases) == 2
    assert "p2" in str(result.failures[0])
    folder = CaseFolder(tmp_path / "out")
    record = folder.records(folder.cases())[0][0]
    assert (record["width"], record["height"], record["view"]) == (150, 370, "ap")
    np.testing.assert_allclose(record["annotations"][0]["keypoints"][:5], [50, 10, 2, 75, 11])
    assert folder.metadata()[folder.cases()[0]]["group"] == "162"


def test_folders_and_labels_of_another_kind(source, tmp_path):
    with pytest.raises(InputError, match="not an AASCE folder"):
        list(aasce_items(tmp_path))
    (source / "labels/training" / f"{NAMES[0]}.mat").unlink()
    savemat(str(source / "labels/training" / f"{NAMES[1]}.mat"), {"p2": np.zeros((60, 2))})
    faults = [str(item) for item in aasce_items(source) if isinstance(item, InputError)]
    assert "is missing" in faults[0]
    assert "(60, 2)" in faults[1]


@pytest.mark.data("aasce2019")
def test_the_real_set(tmp_path):
    """The labels agree with landmarks.csv (fractions of width and height, 68 x then 68 y)."""
    labels = DATA / "labels/training"
    names = (labels / "filenames.csv").read_text().split("\n")
    rows = (labels / "landmarks.csv").read_text().split("\n")
    for item in islice(aasce_items(DATA), 0, 480, 120):
        row = np.array([float(v) for v in rows[names.index(item.picture.name)].split(",")]).reshape(2, 68)
        height, width = cv2.imread(str(item.picture), cv2.IMREAD_GRAYSCALE).shape
        ours = np.concatenate([v.points for v in item.vertebrae])
        truth = row.T * (width, height)
        if not item.remarks:
            np.testing.assert_allclose(ours, truth, atol=0.51)
        assert item.group == item.picture.name.split("-")[5].split()[0]
        assert json.dumps(item.metadata)

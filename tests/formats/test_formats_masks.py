from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from spinetk.errors import InputError
from spinetk.formats.masks import mask_items, vertebrae_of
from spinetk.formats.outline import six_points
from spinetk.schema import VERTEBRA4, VERTEBRA6

DATA = Path(__file__).parents[2].parent / "shared" / "data" / "mr_sagittal"


def raster(polygon: np.ndarray, size: tuple[int, int] = (120, 120)) -> np.ndarray:
    """Pixels whose centre lies in the polygon: independent of OpenCV's own rounding."""
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    inside = np.zeros(size, bool)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        crossing = (y0 > y) != (y1 > y)
        with np.errstate(divide="ignore", invalid="ignore"):
            inside ^= crossing & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return inside


def body(angle: float, shape: str, centre=(60.3, 59.6)) -> np.ndarray:
    """Six points in the order of vertebra6; 34 x 28 px, wedged, biconcave or crushed, turned about its centre."""
    w, h = 17.0, 14.0
    points = np.array([[-w, h], [0, h], [w, h], [w, -h], [0, -h], [-w, -h]])
    if shape == "wedge":
        points[[0, 5], 1] *= 0.7
        points[[1, 4], 1] *= 0.85
    elif shape == "biconcave":
        points[[1, 4], 1] *= 0.65
    elif shape == "crush":
        points[:, 1] *= 0.6
    turn = np.radians(angle)
    return points @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) + centre


@pytest.mark.parametrize("shape", ["upright", "wedge", "biconcave", "crush"])
@pytest.mark.parametrize("angle", [0, 3, 7, -18, 33, -45])
def test_landmarks_of_sharp_shapes(shape, angle):
    """Over places between the pixels. Rasterising alone moves an upright edge by up to 0.5 px."""
    random = np.random.default_rng(abs(angle))
    errors = []
    for _ in range(8):
        truth = body(angle, shape, 60 + random.uniform(0, 1, 2))
        found = six_points(raster(truth), truth[1] - truth[4])
        errors.append(np.hypot(*(found - truth).T))
    assert np.mean(errors) <= 0.5
    assert np.max(errors) <= (0.5 if angle in (7, -18, 33) and shape in ("upright", "crush") else 1.0)


def test_an_upright_rectangle_is_exact():
    mask = np.zeros((60, 60), bool)
    mask[10:31, 12:43] = True
    found = dict(zip(VERTEBRA6.keypoints, six_points(mask, np.array([0, 1])), strict=True))
    truth = {"top_left": (12, 10), "top_right": (43, 10), "bottom_left": (12, 31), "bottom_right": (43, 31)}
    truth |= {"top_middle": (27.5, 10), "bottom_middle": (27.5, 31)}
    for name, place in truth.items():
        np.testing.assert_allclose(found[name], place, atol=0.05)


@pytest.mark.parametrize("off", [-35, 35])
def test_the_direction_of_the_spine_need_not_be_exact(off):
    truth = body(20, "upright")
    turn = np.radians(20 + off)
    found = six_points(raster(truth), np.array([-np.sin(turn), np.cos(turn)]))
    assert np.hypot(*(found - truth).T).max() <= 0.6


def test_smooth_biconcave_endplates():
    x = np.linspace(-17, 17, 60)
    top = np.column_stack([x, -14 + 4 * (1 - (x / 17) ** 2)])
    polygon = np.array([*top, [17, 14], [-17, 14]]) + np.array([60.3, 59.6])
    found = dict(zip(VERTEBRA6.keypoints, six_points(raster(polygon), np.array([0, 1])), strict=True))
    np.testing.assert_allclose(found["top_middle"], (60.3, 49.6), atol=0.4)
    np.testing.assert_allclose(found["bottom_middle"], (60.3, 73.6), atol=0.4)


def test_rounded_edges_keep_their_corners_near_the_contour():
    radius = 4.0
    base = np.zeros((120, 120), np.uint8)
    cv2.rectangle(base, (40 + 4, 45 + 4), (79 - 4, 74 - 4), 1, cv2.FILLED)
    mask = cv2.dilate(base, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))) > 0
    found = six_points(mask, np.array([0, 1]))
    sharp = np.array([[40, 75], [60, 75], [80, 75], [80, 45], [60, 45], [40, 45]])
    away = np.hypot(*(found - sharp).T)
    assert away[[0, 2, 3, 5]].max() <= radius * (np.sqrt(2) - 1) + 0.3
    assert away[[1, 4]].max() <= 0.2


def spine(count: int = 3) -> tuple[np.ndarray, list[np.ndarray]]:
    mask, truth = np.zeros((160, 120), np.uint8), []
    for n in range(count):
        points = body(5 * (n - 1), "upright", (60.3, 30.4 + 45 * n))
        mask[raster(points, mask.shape)] = 9 - n  # values say nothing about the order
        truth.append(points)
    return mask, truth


def test_bodies_come_head_to_foot_with_their_levels():
    mask, truth = spine()
    vertebrae, remarks = vertebrae_of(mask, levels={9: "L1", 8: "L2"})
    assert remarks == []
    assert [v.label for v in vertebrae] == ["L1", "L2", None]
    for vertebra, points in zip(vertebrae, truth, strict=True):
        assert np.hypot(*(vertebra.points - points).T).max() <= 0.6
        x0, y0, x1, y1 = vertebra.bbox
        assert (vertebra.points >= (x0, y0)).all()
        assert (vertebra.points <= (x1, y1)).all()


def test_one_value_for_all_bodies():
    mask, _ = spine()
    assert len(vertebrae_of((mask > 0).astype(np.uint8) * 255)[0]) == 3


def test_other_schemas_take_their_points_by_name():
    mask, truth = spine(1)
    (vertebra,), _ = vertebrae_of(mask, VERTEBRA4)
    np.testing.assert_allclose(vertebra.points[0], truth[0][5], atol=0.5)


def test_a_body_cut_by_the_border_keeps_what_can_be_seen():
    mask, _ = spine()
    vertebrae, remarks = vertebrae_of(mask[22:])  # the first body ends about 6 px below its upper endplate
    assert remarks == []
    seen = dict(zip(VERTEBRA6.keypoints, vertebrae[0].visible, strict=True))
    assert [n for n, v in seen.items() if v] == ["bottom_left", "bottom_middle", "bottom_right"]
    assert all(v.visible.all() for v in vertebrae[1:])
    vertebrae, remarks = vertebrae_of(mask[38:])
    assert len(vertebrae) == 2
    assert "cut by the border" in remarks[0]


def test_shapes_that_are_no_body():
    mask = np.zeros((120, 120), np.uint8)
    mask[5:8, 5:9] = 1
    cv2.ellipse(mask, (60, 60), (40, 40), 0, 20, 300, 2, 4)
    vertebrae, remarks = vertebrae_of(mask)
    assert vertebrae == []
    assert len(remarks) == 2
    assert vertebrae_of(np.zeros((5, 5), np.uint8)) == ([], [])


def write(folder: Path, stem: str = "slice1", picture: bool = True) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    mask, _ = spine()
    cv2.imwrite(str(folder / f"{stem}_label.png"), mask)
    if picture:
        cv2.imwrite(str(folder / f"{stem}.png"), np.random.default_rng(0).integers(0, 255, mask.shape).astype(np.uint8))


def test_a_folder_of_subjects(tmp_path):
    write(tmp_path / "sub-1")
    write(tmp_path / "sub-2", picture=False)
    note = {"sub-1": {"spacing_mm": [1.5, 0.5], "levels": "label 7..9 = L1..L3"}}
    (tmp_path / "annotations.json").write_text(json.dumps(note))
    first, second = mask_items(tmp_path)
    assert (first.case, first.group, first.frame.spacing_mm) == ("sub-1_slice1", "sub-1", (1.5, 0.5))
    assert [v.label for v in first.vertebrae] == ["L3", "L2", "L1"]
    assert isinstance(second, InputError)
    assert "no picture beside it" in str(second)
    (tmp_path / "sub-1/slice1_label.png").write_bytes(b"")
    assert "not a grey label" in str(next(mask_items(tmp_path)))


def test_an_empty_folder(tmp_path):
    with pytest.raises(InputError, match="label"):
        list(mask_items(tmp_path))


@pytest.mark.data("mr_sagittal")
def test_real_slices_agree_with_the_corners_of_the_set():
    """The set's own corners come from the mask's hull, 1-2 px off at rounded edges."""
    notes = json.loads((DATA / "annotations.json").read_text())
    distances = []
    for subject in sorted(notes)[::8]:
        mask = cv2.imread(str(DATA / subject / notes[subject]["mid_slice"].replace(".png", "_label.png")), 0)
        vertebrae, _ = vertebrae_of(mask, VERTEBRA4)
        truth = [np.array(v["corners_TL_TR_BL_BR"]) + 0.5 for v in notes[subject]["vertebrae"]]
        assert len(vertebrae) == len(truth)
        for vertebra, corners in zip(vertebrae, sorted(truth, key=lambda c: c[:, 1].mean()), strict=True):
            distances.append(np.hypot(*(vertebra.points - corners).T))
    assert np.median(distances) < 1.2
    assert np.quantile(distances, 0.95) < 3.5


def test_a_body_of_forty_px_is_looked_at_and_one_of_thirty_nine_is_not():
    mask = np.zeros((30, 30), np.uint8)
    mask[10:15, 10:18] = 1
    (found,), remarks = vertebrae_of(mask)
    assert (found.bbox, remarks) == (pytest.approx((10, 10, 18, 15), abs=0.1), [])
    mask[14, 17] = 0
    assert vertebrae_of(mask) == ([], ["body 1 left out: only 39 px"])


def test_two_bodies_of_one_value_among_others_are_said():
    """One is taken, as a process behind a body has its value too; the other is not dropped without a word."""
    mask = np.zeros((160, 90), np.uint8)
    mask[10:40, 20:60], mask[50:80, 20:60], mask[90:118, 20:60] = 1, 2, 2
    mask[60:70, 70:75] = 2  # of the second: too small to be another body
    found, remarks = vertebrae_of(mask)
    assert [v.bbox[1] for v in found] == [10, 50]
    assert remarks == [
        "body 2 has parts that do not touch: only the largest was taken, not one of 1120 px: give each body its "
        "own value"
    ]
    mask[90:118] = 0
    assert vertebrae_of(mask)[1] == []
    mask[mask == 2] = 0
    mask[50:80, 20:60] = 1  # a mask of one value is split
    assert (len(vertebrae_of(mask)[0]), vertebrae_of(mask)[1]) == (2, [])

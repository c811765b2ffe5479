"""Measurements of the phantoms' true points against what the phantoms were built from."""

from dataclasses import replace

import numpy as np
import pytest

from spinetk.measure import measure
from spinetk.phantoms import draw_spine, lateral_radiograph, sagittal_mr
from spinetk.phantoms.phantom import Field, read_truth

GRADES = [(0.0, 0), (19.9, 0), (20.1, 1), (24.9, 1), (25.1, 2), (39.9, 2), (40.1, 3), (60.0, 3)]


def answers(reading):
    return {v.label: v.measures for v in measure(reading).vertebrae}


def truth(seed, deformities):
    """The true reading of a whole phantom spine, without drawing its picture."""
    spine = draw_spine(np.random.default_rng(seed), deformities)
    points = np.concatenate([body.points() for body in spine.bodies])
    low, high = points.min(axis=0) - 20, points.max(axis=0) + 20
    spacing = (0.8, 1.1)
    size = int((high - low)[1] / spacing[0]), int((high - low)[0] / spacing[1])
    return read_truth(spine, Field(tuple(low), spacing, size), "left", "lateral")[0]


@pytest.mark.parametrize("make", [lateral_radiograph, sagittal_mr])
@pytest.mark.parametrize(("facing", "spacing"), [("left", (0.9, 0.9)), ("right", (1.3, 0.8))])
def test_heights_are_within_half_a_percent_of_the_truth(make, facing, spacing):
    phantom = make(11, facing=facing, spacing_mm=spacing, deformity={"L2": ("crush", 33.0)}, region="lumbar")
    found = answers(phantom.reading)
    assert len(found) > 4
    for true in phantom.deformities:
        got = found[true["label"]]["heights_mm"]
        sides = [got["anterior"], got["middle"], got["posterior"]]
        np.testing.assert_allclose(sides, true["heights_mm"], rtol=0.005)


@pytest.mark.parametrize("kind", ["wedge", "biconcave"])
def test_type_and_grade_at_the_thresholds(kind):
    for loss, grade in GRADES:
        judged = answers(truth(5, {"L2": (kind, loss)}))["L2"]["deformity"]
        if loss:
            assert judged["loss_percent"] == pytest.approx(loss, abs=0.01)
        assert (judged["type"], judged["grade"]) == (kind if grade else "normal", grade), loss


def test_a_crushed_body_is_told_from_its_neighbours():
    """What it was is not in the picture: bodies differ by some percent, and the loss is known as well as that."""
    for seed in range(10):
        judged = answers(truth(seed, {"L2": ("crush", 33.0)}))["L2"]["deformity"]
        assert (judged["type"], judged["grade"]) == ("crush", 2)
        assert judged["loss_percent"] == pytest.approx(33.0, abs=6.0)


def turned(reading, degrees):
    """The same anatomy in mm, turned about the middle of the picture."""
    angle = np.radians(degrees)
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    middle = reading.frame.to_mm(np.array([reading.width, reading.height]) / 2)
    vertebrae = []
    for vertebra in reading.vertebrae:
        points = (reading.frame.to_mm(vertebra.points) - middle) @ matrix + middle
        vertebrae.append(replace(vertebra, points=reading.frame.to_px(points)))
    return replace(reading, vertebrae=vertebrae)


def mirrored(reading):
    vertebrae = [replace(v, points=reading.schema.mirror(v.points, reading.width)) for v in reading.vertebrae]
    return replace(reading, vertebrae=vertebrae, frame=reading.frame.mirrored())


def stretched(reading):
    """The same anatomy on pixels 1.7 times as wide and 0.6 times as high."""
    frame = reading.frame.resized(1 / 1.7, 1 / 0.6)
    vertebrae = [replace(v, points=v.points * (1 / 1.7, 1 / 0.6)) for v in reading.vertebrae]
    return replace(reading, vertebrae=vertebrae, frame=frame, width=reading.width / 1.7, height=reading.height / 0.6)


TURNS = (lambda r: turned(r, 25), lambda r: turned(r, -75))


@pytest.mark.parametrize("change", [*TURNS, mirrored, stretched], ids=["25 deg", "-75 deg", "mirror", "pixels"])
def test_nothing_depends_on_how_the_picture_lies(change):
    wanted = {"L1": ("wedge", 25.1), "L3": ("biconcave", 39.9), "T12": ("crush", 30.0)}
    reading = truth(3, wanted)
    before, after = measure(reading), measure(change(reading))
    for old, new in zip(before.vertebrae, after.vertebrae, strict=True):
        for name in ("anterior", "middle", "posterior"):
            assert new.measures["heights_mm"][name] == pytest.approx(old.measures["heights_mm"][name], abs=2e-4)
        assert new.measures["area_mm2"] == pytest.approx(old.measures["area_mm2"], rel=1e-5)
        was, now = old.measures["deformity"], new.measures["deformity"]
        if was is None:  # cervical levels are not graded
            assert (now, old.label[0]) == (None, "C")
            continue
        assert (now["type"], now["grade"]) == (was["type"], was["grade"])
        assert now["loss_percent"] == pytest.approx(was["loss_percent"], abs=1e-3)
    for name in ("lordosis_l1_l5", "cobb_max"):
        assert after.angles[name] == pytest.approx(before.angles[name], abs=1e-3)

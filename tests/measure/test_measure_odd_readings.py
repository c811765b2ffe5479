"""Whatever stands in a reading, the answer is strict JSON and survives the way to the file and back."""

import json
import warnings

import numpy as np
import pytest

from spinetk.geometry import Frame
from spinetk.measure import compare, measure
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA4, VERTEBRA6, schema_for_names
from spinetk.views import VIEWS

LABELS = ["L1", "L2", "L5", "T12", "S1", "C3", "T1", "T4", "bad", None, None]


def odd_reading(rng):
    schema = [VERTEBRA6, VERTEBRA4, schema_for_names(["a", "b", "c"])][rng.integers(3)]
    vertebrae = []
    for _ in range(rng.integers(1, 8)):
        points = rng.normal(100, 60, (len(schema), 2))
        kind = rng.integers(5)
        if kind == 0:
            points[:] = points[0]
        elif kind == 1:
            points = points.round(-1)
        elif kind == 2:
            points *= 1e6
        vertebrae.append(
            Vertebra.from_points(
                points,
                rng.random(len(schema)) < rng.choice([0, 0.5, 0.9, 1]),
                label=LABELS[rng.integers(len(LABELS))],
                point_sigma_px=None if rng.random() < 0.5 else rng.random(len(schema)) * 2,
            )
        )
    frame = Frame([None, (0.5, 0.5), (0.2, 2)][rng.integers(3)], toward_right=[None, "A", "P", "L"][rng.integers(4)])
    return Reading("odd.png", 200, 200, schema, vertebrae, frame=frame, view=VIEWS[rng.integers(4)])


@pytest.mark.parametrize("seed", range(150))
def test_odd_readings_give_strict_json(seed):
    rng = np.random.default_rng(seed)
    reading = odd_reading(rng)
    picture = rng.integers(0, 255, (200, 200)).astype(np.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        measured = measure(reading, picture=picture)
        comparison = compare(measured, reading)
    text = json.dumps(measured.to_json(), allow_nan=False)
    back = Reading.from_json(json.loads(text))
    assert back.angles == measured.angles
    assert [v.measures for v in back.vertebrae] == [v.measures for v in measured.vertebrae]
    json.dumps(comparison, allow_nan=False)


@pytest.mark.parametrize("turned", [VERTEBRA6.flip_indices, [5, 4, 3, 2, 1, 0], [3, 4, 5, 0, 1, 2], None])
def test_an_outline_that_cannot_be_says_nothing_of_the_discs_beside_it(turned):
    """Left and right, top and bottom, or both of the third body of five changed, or its endplates crossed: no slip."""
    body = np.array([[60, 30], [80, 30], [100, 30], [100, 0], [80, 0], [60, 0]], float)
    vertebrae = [Vertebra.from_points(body + [0, 40 * k + 20], label=f"L{k + 1}") for k in range(5)]
    order = list(range(6)) if turned is None else list(turned)
    points = vertebrae[2].points[order]
    if turned is None:
        points[[2, 3]] = points[[3, 2]]  # the right wall upside down: the endplates cross
    vertebrae[2] = Vertebra.from_points(points, label="L3")
    told = measure(Reading("a.png", 260, 200, VERTEBRA6, vertebrae, Frame((1.0, 1.0)), "lateral"), facing="left")
    discs = [vertebra.measures["disc_below"] for vertebra in told.vertebrae]
    assert [disc and disc["name"] for disc in discs] == ["L1-L2", None, None, "L4-L5", None]
    assert not any("listhesis" in remark for remark in told.remarks)
    assert any(remark.startswith("Measurement: L3: ") for remark in told.remarks)
    assert [v.measures["deformity"] is None for v in told.vertebrae] == [False, False, True, False, False]


# Middle heights 20, 24, 22, 26 mm in steps of 34 mm: discs of 34 - (20 + 24) / 2 = 12, then 11 and 10 mm.
FOUR, DISCS = [(20, 20, 20), (24, 24, 24), (22, 22, 22), (26, 26, 26)], [12.0, 11.0, 10.0, None]


def middle_discs(measured):
    discs = [vertebra.measures["disc_below"] for vertebra in measured.vertebrae]
    return [None if own is None else pytest.approx(own["heights_mm"]["middle"], abs=1e-3) for own in discs]


@pytest.mark.parametrize("labels", [["L1", "L2", "L3", "L4"], None])
@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]])
def test_neighbours_are_those_that_lie_side_by_side_in_whatever_order_a_file_has_them(spine, labels, order):
    reading = spine(FOUR, labels=labels, tilts=[0, 4, 0, -3])
    first = measure(reading)
    reading.vertebrae = [reading.vertebrae[k] for k in order]
    found = measure(reading)
    assert [v.label for v in found.vertebrae] == [v.label for v in reading.vertebrae]
    flat = spine(FOUR, labels=labels)
    flat.vertebrae = [flat.vertebrae[k] for k in order]
    assert middle_discs(measure(flat)) == [DISCS[k] for k in order]
    assert [v.measures for v in found.vertebrae] == [first.vertebrae[k].measures for k in order]
    ends = [end if labels else order[end] for end in found.angles["cobb_max_ends"]]
    assert (found.angles["cobb_max"], ends) == (7.0, ["L2", "L4"] if labels else [1, 3])
    said = [remark for remark in found.remarks if "not ordered" in remark or "missing" in remark]
    assert len(said) == (order != [0, 1, 2, 3])


def test_names_out_of_order_are_no_neighbours(spine):
    measured = measure(spine(FOUR, labels=["L4", "L1", "L2", "L3"]))
    assert middle_discs(measured) == [None, 11.0, 10.0, None]

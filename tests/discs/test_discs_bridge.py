"""Discs between vertebrae that were found, and vertebrae between discs."""

import numpy as np

from spinetk.discs.bridge import convert
from spinetk.geometry import Frame
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA4, VERTEBRA6


def reading_of(schema=VERTEBRA6, labels=("L1", "L2", "L3"), gap=36):
    vertebrae = []
    for k, label in enumerate(labels):
        x0, y0 = 20.0 + 2 * k, 10.0 + gap * k
        corner = {"top_left": (x0, y0), "top_middle": (x0 + 15, y0 + 1), "top_right": (x0 + 30, y0)}
        corner |= {
            "bottom_left": (x0, y0 + 25),
            "bottom_middle": (x0 + 15, y0 + 24),
            "bottom_right": (x0 + 30, y0 + 25),
        }
        vertebrae.append(Vertebra.from_points(np.array([corner[n] for n in schema.keypoints]), label=label, score=0.9))
    return Reading("a.png", 200, 100, schema, vertebrae, Frame((0.5, 0.5), "user"), "sagittal", "m")


def test_discs_lie_between_the_middles_of_facing_endplates():
    discs = convert(reading_of())
    assert [(d.number, d.name) for d in discs.discs] == [(21, "L1/L2"), (22, "L2/L3")]
    # Lower middle of L1 at (35, 34), upper middle of L2 at (37, 47).
    assert discs.discs[0].point == (36.0, 40.5)
    corners = convert(reading_of(VERTEBRA4))
    assert corners.discs[0].point == (36.0, 40.5)  # (35, 35) and (37, 46)


def test_there_and_back_keeps_the_endplate_middles():
    before = reading_of()
    after = convert(convert(before))
    (vertebra,) = after.vertebrae
    assert vertebra.label == "L2"
    for name in ("top_middle", "bottom_middle"):
        assert np.allclose(vertebra.point(VERTEBRA6, name), before.vertebrae[1].point(VERTEBRA6, name))
    assert vertebra.point(VERTEBRA6, "top_left") is None
    assert Reading.from_json(after.to_json()).vertebrae[0].label == "L2"


def test_no_disc_where_a_vertebra_is_missing():
    assert [d.number for d in convert(reading_of(labels=("T12", "L1", "L3"))).discs] == [20]
    unnamed = reading_of(labels=(None,) * 4)
    unnamed.vertebrae[3].points[:, 1] += 40
    discs = convert(unnamed).discs
    assert [d.number for d in discs] == [None, None]
    assert (
        "half a disc"
        in convert(convert(reading_of()).__class__("", 9, 9, [d.__class__(d.point) for d in discs])).remarks[0]
    )

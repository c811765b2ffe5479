"""The pelvis in a lateral film: where its lines run, and that the sacrum is one bone."""

from __future__ import annotations

import numpy as np
import pytest

from spinetk.phantoms import pelvic_bones
from spinetk.phantoms.attenuation import Attenuation
from spinetk.phantoms.phantom import Field
from spinetk.phantoms.spine import Spine, draw_spine

SHOWN = Field((-110.0, -90.0), (0.5, 0.5), (520, 400))  # mm of the anatomy, whose origin is the seat of L5


def drawn(spine: Spine, seed: int) -> np.ndarray:
    """(H, W) what the bones of the pelvis absorb."""
    film = Attenuation(SHOWN, spine, np.random.default_rng(seed))
    pelvic_bones.draw_pelvis(film)
    return film.bone


def mean_at(bone: np.ndarray, place_mm: np.ndarray) -> float:
    """The mean of 2 mm about a place."""
    x, y = np.round(SHOWN.px(place_mm[None])[0]).astype(int)
    return float(bone[y - 2 : y + 3, x - 2 : x + 3].mean())


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_arcuate_lines_cross_s1_and_end_above_the_hips(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    spine = draw_spine(np.random.default_rng(seed), {}, on_film=True)
    whole = drawn(spine, seed)
    monkeypatch.setattr(pelvic_bones, "_draw_arcuate_lines", lambda *_: None)
    lines = whole - drawn(spine, seed)
    assert lines.min() > -1e-5  # nothing else is drawn otherwise without them
    y, x = np.nonzero(lines > 0.02 * lines.max())
    x_mm, y_mm = SHOWN.origin_mm[0] + (x + 0.5) / 2, SHOWN.origin_mm[1] + (y + 0.5) / 2
    first, hips = spine.sacrum[0], np.array(spine.hips)
    assert y_mm.min() > first.centre[1] - 1.5 * first.posterior_mm
    assert y_mm.max() < hips[:, 1].max() - 0.7 * spine.hip_mm  # the roof of a socket lies above the head
    away = np.hypot(x_mm - first.centre[0], y_mm - first.centre[1])
    assert away.min() < 0.5 * first.depth_mm


def test_between_s1_and_s2_lies_nearly_as_much_bone_as_in_them() -> None:
    shares = []
    for seed in range(3, 9):
        spine = draw_spine(np.random.default_rng(seed), {}, on_film=True)
        bone, (upper, lower) = drawn(spine, seed), spine.sacrum[:2]
        gap = (upper.points()[[0, 2]].mean(0) + lower.points()[[3, 5]].mean(0)) / 2
        inside = [mean_at(bone, np.array(body.centre)) for body in (upper, lower)]
        shares.append(mean_at(bone, gap) / np.mean(inside))
    assert np.mean(shares) > 0.78  # two free bodies with a disc between them: below 0.7


def inner_angle(corner: np.ndarray, first: np.ndarray, second: np.ndarray) -> float:
    """The angle at a corner, degrees."""
    a, b = first - corner, second - corner
    return float(np.degrees(np.arccos(a @ b / np.hypot(*a) / np.hypot(*b))))


def test_s1_leans_back_as_the_published_sacral_table_angle_says() -> None:
    """97 degrees between endplate and back wall, less where the endplate is steep."""
    table, front, slope = [], [], []
    for seed in range(60):
        first = draw_spine(np.random.default_rng(seed), {}, on_film=True).sacrum[0]
        points = first.points()
        table.append(inner_angle(points[5], points[3], points[0]))
        front.append(inner_angle(points[3], points[5], points[2]))
        across = points[3] - points[5]
        slope.append(np.degrees(np.arctan2(across[1], across[0])))
    assert np.mean(table) == pytest.approx(97, abs=3)
    assert np.corrcoef(slope, table)[0, 1] < -0.3
    assert 45 < np.mean(front) < 75


def test_a_sacrum_is_hollow_to_the_front() -> None:
    for seed in range(20):
        bodies = draw_spine(np.random.default_rng(seed), {}, on_film=True).sacrum
        middles = np.array([body.points()[[2, 3]].mean(0) for body in bodies])
        chord = middles[-1] - middles[0]
        for middle in middles[1:-1]:  # they lie behind the line from the front of S1 to that of S5
            step = middle - middles[0]
            assert chord[0] * step[1] - chord[1] * step[0] > 0

"""A counted column gets the bodies it lacks: spines drawn by hand, and an engine that knows where their bodies lie."""

from types import SimpleNamespace

import numpy as np
import pytest

from spinetk.keypoints.completion import complete
from spinetk.schema import VERTEBRA4

LEVELS = ("T11", "T12", "L1", "L2", "L3", "L4", "L5")
PIXELS = np.zeros((3, 330, 200), np.float32)
SURE, FLAT = (-7.0, 0.0, -7.5), (0.0, 0.0, 0.0)


def spine(top: float = 40.0) -> np.ndarray:
    """(7, 4, 2) bodies 30 px high, 50 px wide, 40 px apart."""
    corners = np.array([[-25, -15], [25, -15], [-25, 15], [25, 15]], float)
    return np.stack([corners + (100, top + 40 * k) for k in range(len(LEVELS))])


class Knows:
    """Votes -7 for the level above the true one, 0 for it, -7.5 for the one below, -9 for others, or 0 for all; of what
    it is shown roughly it gives the body that is nearest, smaller or not."""

    preset, schema = SimpleNamespace(levels=LEVELS), VERTEBRA4

    def __init__(self, truth: np.ndarray, said: tuple[float, ...] = SURE, size: float = 1.0) -> None:
        self.truth, self.said, self.size = truth, said, size
        self.shown: list[np.ndarray] = []
        self.lines: list[tuple[list[int], int | None]] = []

    def votes(self, picture, centres, line, lowest=None):
        assert picture is PIXELS
        self.lines.append((list(line), lowest))
        held = np.full((len(centres), len(LEVELS) + 2), 0.0 if self.said is FLAT else -9.0)
        for row, centre in zip(held, centres, strict=True):
            true = int(np.linalg.norm(self.truth.mean(1) - centre, axis=1).argmin())
            row[true : true + 3] = self.said
        return held[:, 1:-1]

    def look(self, picture, points):
        assert picture is PIXELS
        self.shown.append(points[0])
        body = self.truth[np.linalg.norm(self.truth.mean(1) - points[0].mean(0), axis=1).argmin()]
        body = body.mean(0) + self.size * (body - body.mean(0))
        return {"points": body[None], "point_scores": np.array([[0.9, 0.7, 0.8, 0.4]]), "sigma": np.full((1, 4), 2.0)}


def seen(truth: np.ndarray, rows: list[int], *others: np.ndarray) -> dict[str, np.ndarray]:
    """What a network finds of a spine, with 0.9, 0.89, ... of confidence; others beside it with 0.9."""
    points = np.stack([*truth[rows], *others])
    scores = np.array([0.9 - 0.01 * k for k in range(len(rows))] + [0.9] * len(others))
    return {"points": points, "scores": scores, "sigma": np.ones((len(points), 4)),
            "point_scores": np.linspace(0.5, 0.8, 4) * scores[:, None]}  # fmt: skip


@pytest.mark.parametrize("lacks", range(len(LEVELS)))
def test_what_a_sure_column_lacks_is_added_where_it_lies(lacks):
    """As sure as the least of its neighbours, times (0.9 + 0.7 + 0.8 + 0.4) / 4 = 0.7. All votes
    one level higher lack 6 x 7, and 8 (the floor) of the first; one lower 6 x 7.5, and 8 of the last."""
    truth = spine()
    rows = [k for k in range(len(LEVELS)) if k != lacks][::-1]
    found = seen(truth, rows, spine()[2] + (90, 0))
    engine = Knows(truth)
    count = complete(engine, PIXELS, found)
    np.testing.assert_allclose(found["points"], truth)
    np.testing.assert_allclose(engine.shown, truth[lacks : lacks + 1])
    assert found["scores"][lacks] == pytest.approx(0.85 * 0.7)
    assert sorted(np.delete(found["scores"], lacks)) == pytest.approx([0.85, 0.86, 0.87, 0.88, 0.89, 0.9])
    assert found["sigma"][:, 0].tolist() == [2.0 if k == lacks else 1.0 for k in range(len(LEVELS))]
    assert count.levels == list(LEVELS)
    assert count.foot == (6 * 7 + 8, 6 * 7.5 + 8)
    first = 0.7 if lacks == 0 else 0.65 * found["scores"][0]
    assert count.seen == pytest.approx((50 / 72, 0.85 * 0.7, first))
    assert engine.lines == [([5, 4, 3, 2, 1, 0], None), (list(range(7)), 9)]


@pytest.mark.parametrize(
    ("rows", "said", "levels", "sure"),
    [
        ([0, 1, 2, 4, 5], SURE, [0, 1, 2, 3, 4, 5], False),  # two lack: the one inside is added, and nothing is counted
        ([0, 1, 3, 4], SURE, [0, 1, 3, 4], False),  # four may be any
        ([0, 1, 2, 3, 4, 5], (-7.0, 0.0, -0.5), [0, 1, 2, 3, 4, 5], False),  # six votes of 0.5: 3 nats, no more
        ([0, 1, 2, 3, 4, 5], (-7.0, 0.0, -0.51), [0, 1, 2, 3, 4, 5, 6], True),
        ([0, 1, 2, 3, 4, 5], FLAT, [0, 1, 2, 3, 4, 5], False),
    ],
)
def test_beyond_its_ends_a_column_is_completed_only_where_its_levels_are_sure(rows, said, levels, sure):
    found = seen(spine(), rows)
    count = complete(Knows(spine(), said), PIXELS, found)
    np.testing.assert_allclose(found["points"], spine()[levels])
    assert count.levels == [LEVELS[k] for k in levels]
    assert (count.seen is not None) == sure
    assert sure or count.foot == (0.0, 0.0)


@pytest.mark.parametrize(
    ("lacks", "top", "size", "looks"),
    [(0, 14.0, 1.0, 0), (6, 76.0, 1.0, 0), (0, 16.0, 1.0, 1), (6, 74.0, 1.0, 1), (3, 40.0, 0.5, 1)],
)
def test_nothing_is_added_outside_the_picture_nor_what_is_no_body_like_its_neighbours(lacks, top, size, looks):
    """The picture ends 330 px down: a body whose centre lies 240 px below the first, and 15 more, must lie above."""
    rows = [k for k in range(len(LEVELS)) if k != lacks]
    found, engine = seen(spine(top), rows), Knows(spine(top), size=size)
    count = complete(engine, PIXELS, found)
    assert len(engine.shown) == looks
    added = looks and size == 1
    assert count.levels == [name for k, name in enumerate(LEVELS) if added or k != lacks]
    assert len(found["points"]) == len(found["sigma"]) == len(count.levels)


def test_of_no_body_nothing_is_counted():
    found = seen(spine(), [0])
    count = complete(Knows(spine()), PIXELS, {key: values[:0] for key, values in found.items()})
    assert (count.levels, count.seen) == ([], None)

"""The column network: lines, strips, levels along them, and what holds for any weights."""

import math

import pytest
import torch

from spinetk.keypoints.centre.column import (
    CELL,
    COLUMNS,
    LEAST_CUT,
    ROWS,
    STEP_ROWS,
    ColumnNet,
    column_loss,
    disturbed_strip,
    levels_of_cells,
    midline,
    recount,
    row_px,
    rows_of,
    straighten,
)


def arc(count=17, radius=500.0, degrees=100.0):
    """(count, 2) places on a circle's arc that bulges to the right."""
    angles = torch.linspace(-degrees / 2, degrees / 2, count) * math.pi / 180
    return torch.stack([radius * angles.cos() - 250, 520 + radius * angles.sin()], -1)


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return ColumnNet(17, (4, 8, 8, 8))


def test_a_straight_line_goes_on_straight():
    centres = torch.tensor([[100.0, 200.0], [100.0, 240.0], [100.0, 300.0]])
    places, tangents = midline(centres, 2.0, shift=5)
    assert places.shape == tangents.shape == (ROWS, 2)
    torch.testing.assert_close(places[:, 0], torch.full((ROWS,), 100.0), atol=1e-3, rtol=0)
    steps = places[1:, 1] - places[:-1, 1]
    torch.testing.assert_close(steps, torch.full((ROWS - 1,), 2.0), atol=1e-2, rtol=0)
    assert places[:, 1].mean().item() == pytest.approx(250 + 10, abs=0.1)
    torch.testing.assert_close(tangents, torch.tensor([[0.0, 1.0]]).expand(ROWS, 2), atol=1e-4, rtol=0)


def test_rows_are_evenly_spaced_along_a_curve():
    places, tangents = midline(arc(), 2.0)
    steps = (places[1:] - places[:-1]).norm(dim=-1)
    assert steps.min() > 0.97 * 2
    assert steps.max() < 1.01 * 2
    # The tangent of a circle about (-250, 520) is at right angles to the radius, away from the straight ends.
    inner = slice(120, ROWS - 120)
    radius = torch.nn.functional.normalize(places[inner] - torch.tensor([-250.0, 520.0]), dim=-1)
    assert (radius * tangents[inner]).sum(-1).abs().max() < 0.05


def test_bodies_on_a_curve_lie_in_the_middle_of_the_strip():
    centres = arc()
    picture = torch.zeros(3, 1040, 400)
    for x, y in centres.round().long():
        picture[:, y - 4 : y + 4, x - 4 : x + 4] = 1
    places, tangents = midline(centres, 2.0)
    strip = straighten(picture, places, tangents, 2.0)
    assert strip.shape == (4, ROWS, COLUMNS)
    rows = rows_of(centres, places)
    assert strip[0, rows.long(), COLUMNS // 2].min() > 0.9
    assert strip[0, :, COLUMNS // 2 + 6 :].max() == 0
    assert strip[3, rows.long()].min() > 0.999
    below = straighten(picture[:, :520], places, tangents, 2.0)[3]
    assert below[places[:, 1] > 520 + 100].max() == 0


def test_a_spine_looks_the_same_at_any_size():
    """The rows follow the distance of the bodies, a missing one aside; a picture three times as large is not sampled
    more coarsely than it is smooth."""
    centres = arc()
    assert row_px(centres) * STEP_ROWS == pytest.approx(500 * math.radians(100 / 16), rel=1e-2)
    assert row_px(centres[[0, 1, 2, 4, 5, 6]]) == pytest.approx(row_px(centres), rel=1e-2)
    random = torch.Generator().manual_seed(0)
    small = torch.nn.functional.avg_pool2d(torch.rand(3, 1040, 400, generator=random), 9, 1, 4)
    large = torch.nn.functional.interpolate(small[None], scale_factor=3.0, mode="bilinear")[0]
    strips = []
    for picture, bodies in ((small, centres), (large, centres * 3)):
        pixel_px = row_px(bodies)
        strips.append(straighten(picture, *midline(bodies, pixel_px), pixel_px))
    inside = (strips[0][3] * strips[1][3]) > 0.999
    assert inside.sum() > 10_000
    torch.testing.assert_close(strips[0][:, inside], strips[1][:, inside], atol=0.05, rtol=0)


def test_levels_are_whole_at_bodies_and_go_on_beyond_them():
    rows = torch.tensor([100.0, 140.0, 200.0])
    levels = levels_of_cells(rows, torch.tensor([4, 5, 6]))
    assert len(levels) == ROWS // CELL

    def at(row):
        return float(levels[round((row - (CELL - 1) / 2) / CELL)])

    assert [at(row) for row in (100, 140, 200)] == pytest.approx([4, 5, 6], abs=CELL / 40)
    assert at(120) == pytest.approx(4.5, abs=CELL / 40)
    assert at(60) == pytest.approx(3, abs=CELL / 40)
    assert at(260) == pytest.approx(7, abs=CELL / 40)


@pytest.mark.parametrize("more", [True, False])
def test_a_spine_with_another_count_is_counted_from_the_foot(more):
    """Seventeen bodies 20 rows apart, painted with their numbers; the fifth is shown twice, or not at all."""
    rows = 100.0 + 20 * torch.arange(17)
    strip = torch.zeros(4, ROWS, COLUMNS)
    strip[3] = 1
    for number, row in enumerate(rows.long()):
        strip[0, row - 7 : row + 8] = number + 1
    shown, places, levels = recount(strip, rows, torch.arange(17), 4, more)
    middle = shown[0, places.long(), COLUMNS // 2]
    if more:
        assert places.tolist() == [80.0, *rows.tolist()]
        assert middle.tolist() == [1, 2, 3, 4, 5, 5, *range(6, 18)]
        assert levels.tolist() == list(range(-1, 17))
    else:
        assert places.tolist() == rows[1:].tolist()
        assert middle.tolist() == [1, 2, 3, 4, *range(6, 18)]
        assert levels.tolist() == list(range(1, 17))
        assert shown[3, :20].max() == 0  # what comes in from above was never on the film
    torch.testing.assert_close(shown[:, 200:], strip[:, 200:])


def test_a_disturbed_strip_says_where_the_bodies_are():
    """Each body is painted with its own number; it must be found in the row that is told, whatever was disturbed."""
    torch.manual_seed(1)
    centres = arc(radius=900.0, degrees=52.0)
    picture = torch.zeros(3, 1040, 800)
    for number, (x, y) in enumerate(centres.round().long(), start=1):
        picture[:, y - 13 : y + 13, max(0, x - 60) : x + 60] = number / 20
    shown = []
    for _ in range(20):
        strip, rows, _ = disturbed_strip(picture, centres, torch.arange(17), whole=False)
        inside = (rows > 0) & (rows < ROWS - 1)
        painted = strip[0, rows.long(), COLUMNS // 2 - 3 : COLUMNS // 2 + 3].amax(1) * 20
        seen = inside & (painted > 0)
        shown.append(int(seen.sum()))
        torch.testing.assert_close(painted[seen], torch.arange(1.0, 18.0)[seen], atol=0.4, rtol=0)
        assert seen.nonzero().diff(dim=0).max() == 1  # a run of bodies: films are cut at their ends
    assert min(shown) >= LEAST_CUT
    assert max(shown) == 17
    assert 2 <= sum(count < 15 for count in shown) <= 14
    counts = [len(disturbed_strip(picture, centres, torch.arange(17), whole=True)[1]) for _ in range(40)]
    assert set(counts) == {16, 17, 18}


def test_loss_counts_known_columns_only(net):
    net.train()
    picture, centres = torch.rand(3, 1040, 400), arc()
    known = column_loss(net, [picture], [centres], [torch.arange(17)])
    assert known > 1
    unknown = (torch.full((17,), -1), torch.arange(17) * 2, torch.arange(3))
    for levels in unknown:
        loss = column_loss(net, [picture], [centres[: len(levels)]], [levels])
        assert loss == 0
        loss.backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad()


def test_votes_are_relative_to_the_likeliest_answer(net):
    net.eval()
    picture, centres = torch.rand(3, 1040, 400), arc()
    with torch.inference_mode():
        votes = net.votes(picture, centres, torch.arange(17))
        assert votes.shape == (17, 17)
        assert votes.max() <= 0
        mirrored = net.votes(
            picture.flip(-1), torch.tensor([400.0, 0.0]) + centres * torch.tensor([-1.0, 1.0]), torch.arange(17)
        )
        torch.testing.assert_close(votes, mirrored, atol=0.02, rtol=0)
        assert not net.votes(picture, centres[:3], torch.arange(3)).any()

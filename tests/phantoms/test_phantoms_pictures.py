"""Radiographs and MR slices: repeatable, mirrored exactly, truthful."""

import cv2
import numpy as np
import pytest

from spinetk.errors import InputError
from spinetk.measure import measure
from spinetk.phantoms import lateral_radiograph, sagittal_mr
from spinetk.phantoms.shape import cover, coverage, distance, ellipse
from spinetk.phantoms.spine import LEVELS

MAKERS = [lateral_radiograph, sagittal_mr]
SMALL = {"size": (256, 160), "region": "lumbar"}


@pytest.mark.parametrize("make", MAKERS)
def test_equal_arguments_give_equal_bits_and_no_global_state(make):
    np.random.seed(3)
    before = np.random.get_state()[1].copy()
    first, second, other = make(11, **SMALL), make(11, **SMALL), make(12, **SMALL)
    assert (np.random.get_state()[1] == before).all()
    assert first.pixels.tobytes() == second.pixels.tobytes()
    assert first.reading.to_json() == second.reading.to_json()
    assert (first.pixels != other.pixels).mean() > 0.5


@pytest.mark.parametrize("make", MAKERS)
def test_contract(make):
    phantom = make(4)
    reading = phantom.reading
    assert phantom.pixels.dtype == np.uint16
    assert phantom.pixels.shape == (reading.height, reading.width)
    assert phantom.pixels.max() <= 4095
    assert np.unique(phantom.pixels).size > 200
    assert phantom.modality == {"lateral": "CR", "sagittal": "MR"}[reading.view]
    assert reading.frame.spacing_source == "phantom"
    assert reading.frame.anterior in ("left", "right")
    assert reading.schema.name == "vertebra6"
    assert len(phantom.deformities) == len(reading.vertebrae) >= 4


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("seed", range(5))
def test_every_whole_body_is_annotated_and_only_those(make, seed):
    reading = make(seed).reading
    labels = [vertebra.label for vertebra in reading.vertebrae]
    order = list(LEVELS)
    start = order.index(labels[0])
    assert labels == order[start : start + len(labels)]
    points = np.array([vertebra.points for vertebra in reading.vertebrae])
    assert (points > 0).all()
    assert (points < (reading.width, reading.height)).all()
    # Names fit the sides of the picture whichever way the patient looks.
    assert (points[:, [0, 5], 0] < points[:, [2, 3], 0]).all()
    assert (points[:, [0, 1, 2], 1] > points[:, [5, 4, 3], 1]).all()


def test_facing_mirrors_the_mr_slice_exactly():
    left, right = (sagittal_mr(5, facing=side, **SMALL) for side in ("left", "right"))
    assert (left.pixels == right.pixels[:, ::-1]).all()
    assert left.reading.frame.anterior == "left"
    assert right.reading.frame.anterior == "right"
    schema = left.reading.schema
    for a, b in zip(left.reading.vertebrae, right.reading.vertebrae, strict=True):
        np.testing.assert_allclose(a.points, schema.mirror(b.points, right.reading.width), atol=1e-9)
        assert a.label == b.label


def test_facing_mirrors_the_radiograph_but_for_the_side_letter():
    for seed in range(2):
        left, right = (lateral_radiograph(seed, facing=side, **SMALL) for side in ("left", "right"))
        assert (left.pixels != right.pixels[:, ::-1]).mean() < 0.02
        schema = left.reading.schema
        for a, b in zip(left.reading.vertebrae, right.reading.vertebrae, strict=True):
            np.testing.assert_allclose(a.points, schema.mirror(b.points, right.reading.width), atol=1e-9)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(("kind", "loss"), [("wedge", 24.9), ("wedge", 25.1), ("biconcave", 39.9), ("biconcave", 40.1)])
def test_deformity_survives_to_the_measurement(make, kind, loss):
    for spacing in (1.2, (1.2, 1.9)):
        phantom = make(9, deformity={"L2": (kind, loss)}, region="lumbar", spacing_mm=spacing, size=(240, 120))
        index = [vertebra.label for vertebra in phantom.reading.vertebrae].index("L2")
        assert phantom.deformities[index]["loss_percent"] == loss
        judged = measure(phantom.reading).vertebrae[index].measures["deformity"]
        assert judged["type"] == kind
        assert judged["loss_percent"] == pytest.approx(loss, abs=1e-3)
        assert judged["grade"] == (1 if loss < 25 else 2 if loss < 40 else 3)


def test_normal_spines_read_as_normal():
    phantom = sagittal_mr(2, deformity={}, region="whole")
    assert {entry["type"] for entry in phantom.deformities} == {"none"}
    for vertebra in measure(phantom.reading).vertebrae:
        judged = vertebra.measures["deformity"]
        assert judged is None or judged["type"] == "normal"


def test_endplates_of_the_mr_slice_lie_at_the_truth():
    """The dark endplate is crossed within a pixel of the middle landmarks."""
    offsets = []
    for seed in range(3):
        phantom = sagittal_mr(
            seed, weighting="T1", region="lumbar", spacing_mm=0.5, size=(600, 340), hardware=False, deformity={}
        )
        picture = cv2.GaussianBlur(phantom.pixels.astype(np.float32), (0, 0), 0.7)
        for vertebra in phantom.reading.vertebrae[1:-1]:
            bottom, top = vertebra.points[1], vertebra.points[4]
            along = (top - bottom) / np.hypot(*(top - bottom))
            for edge, outward in ((top, along), (bottom, -along)):
                steps = np.linspace(-5, 5, 101)
                line = edge + steps[:, None] * outward
                # remap counts from the centre of the first pixel.
                grid = (line - 0.5).astype(np.float32)
                profile = cv2.remap(picture, grid[None, :, 0], grid[None, :, 1], cv2.INTER_LINEAR)[0]
                offsets.append(steps[np.argmin(profile)])
    assert abs(np.median(offsets)) < 1.5
    assert np.mean(np.abs(np.array(offsets)) < 2.5) > 0.85


@pytest.mark.parametrize("centre", [(50.3, 40.7), (50.0, 40.5)])
def test_shapes_are_drawn_without_bias(centre):
    outline = ellipse(centre, (20.0, 12.0), 17.0, 400)
    window, signed = distance(outline, (80, 100))
    wide_window, wide = cover(outline, (80, 100))
    for (rows, columns), share, tolerance in ((window, coverage(signed), 0.004), (wide_window, wide, 0.02)):
        y, x = np.mgrid[rows, columns] + 0.5
        assert share.sum() == pytest.approx(np.pi * 20 * 12, rel=tolerance)
        assert (share * x).sum() / share.sum() == pytest.approx(centre[0], abs=0.02)
        assert (share * y).sum() / share.sum() == pytest.approx(centre[1], abs=0.02)
    assert signed.max() == pytest.approx(12.0, abs=0.5)


def test_shapes_outside_the_picture_are_left_out():
    assert distance(ellipse((-50, 10), (5, 5)), (40, 40)) is None
    assert cover(ellipse((20, 90), (5, 5)), (40, 40)) is None


@pytest.mark.parametrize("make", MAKERS)
def test_size_and_spacing_are_kept(make):
    phantom = make(1, size=(300, 210), spacing_mm=(0.9, 0.7))
    assert phantom.pixels.shape == (300, 210)
    assert phantom.reading.frame.spacing_mm == (0.9, 0.7)


def test_hardware_is_seen():
    for make in MAKERS:
        plain, metal = (make(6, hardware=flag, **SMALL) for flag in (False, True))
        assert (plain.hardware, metal.hardware) == (False, True)
        assert (plain.pixels != metal.pixels).mean() > 0.01
        for a, b in zip(plain.reading.vertebrae, metal.reading.vertebrae, strict=True):
            assert (a.points == b.points).all()


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"facing": "up"}, "facing"),
        ({"region": "neck"}, "region"),
        ({"deformity": "burst"}, "deformity"),
        ({"deformity": {"L9": ("wedge", 30)}}, "level"),
        ({"size": (2, 2)}, "cannot be drawn"),
        ({"spacing_mm": 99.0}, "spacing"),
    ],
)
@pytest.mark.parametrize("make", MAKERS)
def test_bad_arguments_name_themselves(make, arguments, fault):
    with pytest.raises(InputError, match=fault):
        make(0, **arguments)


def test_bad_weighting_and_seed():
    with pytest.raises(InputError, match="weighting"):
        sagittal_mr(0, weighting="T3")
    with pytest.raises(InputError, match="negative"):
        lateral_radiograph(-1)

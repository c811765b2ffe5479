"""One phantom stored any way round gives one reading: the same vertebrae in stored px, names and angles."""

from __future__ import annotations

import numpy as np
import pytest

from spinetk.geometry import Frame, turn
from spinetk.images import to_uint8
from spinetk.keypoints.predictor import Predictor
from spinetk.measure import measure
from spinetk.phantoms import lateral_radiograph

BACK = {6: 8, 8: 6}


@pytest.fixture(scope="module")
def predictor():
    return Predictor.load("phantom-fast")


@pytest.fixture(scope="module", params=[1.0, 1.5], ids=["square", "1.5 to 1"])
def film(request, predictor):
    """The picture as it stands, the height of its pixels, and its reading."""
    aspect = request.param
    phantom = lateral_radiograph(0, facing="left")
    pixels = to_uint8(phantom.pixels)
    if aspect != 1:
        pixels = pixels[np.arange(0, len(pixels), 3)[:, None] + [0, 1]].reshape(-1, pixels.shape[1])
    frame = Frame(None, None, "P", "F", aspect if aspect != 1 else None)
    reading = predictor.read(pixels, frame=frame, view="lateral")
    assert len(reading.vertebrae) >= 5
    return pixels, frame, measure(reading, anchor="L5=last")


@pytest.mark.parametrize(
    ("said", "orientation"), [("letters", 3), ("letters", 4), ("letters", 5), ("letters", 6), ("exif", 6), ("exif", 7)]
)
def test_a_turned_film_is_read_like_the_standing_one(predictor, film, said, orientation):
    pixels, frame, expected = film
    stored_frame = frame.turned(orientation)
    if said == "exif":
        shape = 1 / frame.pixel_aspect if frame.pixel_aspect and orientation > 4 else frame.pixel_aspect
        stored_frame = Frame(pixel_aspect=shape, exif_orientation=BACK.get(orientation, orientation))
    reading = predictor.read(turn(pixels, orientation), frame=stored_frame, view="lateral")
    assert (reading.height, reading.width) == turn(pixels, orientation).shape
    truth = expected.turned(orientation)
    assert len(reading.vertebrae) == len(truth.vertebrae)
    for found, own in zip(reading.vertebrae, truth.vertebrae, strict=True):
        assert np.abs(found.points - own.points).max() < 0.5
    measured = measure(reading, anchor="L5=last")
    assert [v.label for v in measured.vertebrae] == [v.label for v in expected.vertebrae]
    for name in ("cobb_max", "cobb_upper", "cobb_lower"):
        assert measured.angles[name] == pytest.approx(expected.angles[name], abs=0.5)


def test_detections_of_a_turned_film_are_those_of_the_standing_one(predictor, film):
    """As calibration asks for them: where the network sees them, in px of the picture as stored."""
    pixels, frame, _ = film
    expected, scores = predictor.detections(pixels, frame)
    found, again = predictor.detections(turn(pixels, 6), frame.turned(6))
    centres = expected.mean(1)
    # Turned clockwise, (x, y) goes to (height - y, x).
    np.testing.assert_allclose(found.mean(1), np.column_stack([len(pixels) - centres[:, 1], centres[:, 0]]), atol=0.5)
    np.testing.assert_allclose(again, scores, atol=1e-3)

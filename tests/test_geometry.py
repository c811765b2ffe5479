import numpy as np
import pytest

from spinetk.errors import InputError
from spinetk.geometry import Frame


def test_anisotropic_spacing_is_row_then_column():
    frame = Frame((0.5, 0.2), "user")
    np.testing.assert_allclose(frame.to_mm([[10, 10]]), [[2.0, 5.0]])
    np.testing.assert_allclose(frame.to_px(frame.to_mm([[3.25, 7.5]])), [[3.25, 7.5]])


def test_resizing_keeps_the_size_in_mm():
    frame = Frame((0.5, 0.2), "PixelSpacing")
    point = np.array([[40.0, 30.0]])
    np.testing.assert_allclose(frame.resized(2.0, 0.5).to_mm(point * (2.0, 0.5)), frame.to_mm(point))


def test_pixel_centres_lie_at_half_integers():
    """A picture W wide spans 0..W: its mirror image maps the first pixel's centre to the last pixel's."""
    cv2 = pytest.importorskip("cv2")
    picture = np.zeros((1, 8), np.uint8)
    picture[0, 2] = 255
    x = 2 + 0.5
    assert cv2.flip(picture, 1)[0, int(8 - x)] == 255
    enlarged = cv2.resize(picture, (32, 1), interpolation=cv2.INTER_LINEAR).astype(float)[0]
    centroid = (enlarged * (np.arange(32) + 0.5)).sum() / enlarged.sum()
    assert centroid == pytest.approx(4 * x)


@pytest.mark.parametrize(("letter", "side"), [("A", "right"), ("P", "left"), ("L", None), (None, None)])
def test_anterior_side(letter, side):
    frame = Frame(toward_right=letter)
    assert frame.anterior == side
    mirrored = {"left": "right", "right": "left", None: None}[side]
    assert frame.mirrored().anterior == mirrored


@pytest.mark.parametrize("spacing", [(0, 1), (-1, 1), (float("nan"), 1), (1, float("inf")), (1e-6, 1), (500, 500)])
def test_absurd_spacing_is_refused(spacing):
    with pytest.raises(InputError, match="plausible"):
        Frame(spacing)


def test_unknown_spacing_never_becomes_mm():
    with pytest.raises(InputError, match="spacing is unknown"):
        Frame().to_mm([[1, 1]])


def test_json_round_trip():
    for frame in (Frame(), Frame((0.3, 0.4), "user", "A", "F")):
        assert Frame.from_json(frame.to_json()) == frame
    with pytest.raises(InputError, match="spacing_mm"):
        Frame.from_json({"spacing_mm": [1]}, "x.json")

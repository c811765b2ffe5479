"""Negatives: films stored with bone dark are told by their sides, whichever way they lie; slices never are."""

import cv2
import numpy as np
import pytest
from looks import LATERAL, Stub, column

from spinetk.geometry import Frame
from spinetk.images import Picture, to_uint8
from spinetk.keypoints.negative import REMARK, looks_negative, remarks
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.reader import Reader
from spinetk.phantoms import lateral_radiograph
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA6


def trunk(sides: int = 30) -> np.ndarray:
    """A body of 140 grey values, a brighter column in it, and air of 10 beside it."""
    film = np.full((400, 240), 10, np.uint8)
    film[:, sides : 240 - sides] = 140
    film[:, 100:140] = 200
    return film


def found(view: str, shape: tuple[int, int], frame: Frame | None = None) -> Reading:
    return Reading("film.png", *shape, VERTEBRA6, [], frame or Frame(), view)


def test_a_film_and_its_negative():
    assert not looks_negative(trunk())
    assert looks_negative(255 - trunk())
    assert looks_negative((255 - trunk()) // 4)  # of whatever range of grey values


@pytest.mark.parametrize("grey", [np.zeros((50, 50), np.uint8), np.full((40, 2000), 255, np.uint8), trunk(0)])
def test_what_has_no_air_beside_it_is_no_negative(grey):
    assert not looks_negative(grey)
    assert not looks_negative(255 - grey)


def test_one_bright_side_is_not_enough():
    film = trunk()
    film[:, :30] = 255  # a name plate, or a film beside it
    assert not looks_negative(film)


def test_a_film_that_lies_is_looked_at_head_up():
    """Turned by 90 degrees its sides are those of the patient, not of the picture."""
    lying = np.ascontiguousarray(np.rot90(255 - trunk()))
    assert remarks(lying, found("lateral", lying.shape, Frame(exif_orientation=6))) == [REMARK]
    assert remarks(lying, found("lateral", lying.shape)) == []


@pytest.mark.parametrize(("view", "said"), [("lateral", 1), ("ap", 1), ("cervical", 1), ("sagittal", 0)])
def test_slices_have_bright_fat_at_their_sides(view, said):
    film = 255 - trunk()
    assert len(remarks(film, found(view, film.shape))) == said


@pytest.mark.parametrize("seed", range(4))
def test_phantoms(seed):
    grey = to_uint8(lateral_radiograph(seed + 20, region="lumbar").pixels)
    assert not looks_negative(grey)
    assert not looks_negative(cv2.resize(grey, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA))


@pytest.mark.parametrize("inverted", [False, True])
def test_a_reading_says_it(monkeypatch, inverted):
    monkeypatch.setattr(Predictor, "load", Stub)
    monkeypatch.setattr(Stub, "read", lambda self, grey, **about: column(4), raising=False)
    film = cv2.resize(trunk(), (150, 200), interpolation=cv2.INTER_AREA)
    picture = Picture((255 - film if inverted else film).astype(np.float32))
    reading, _ = Reader(view_finder=lambda grey: LATERAL).read_picture(picture, "film.png")
    assert (REMARK in reading.remarks) == inverted

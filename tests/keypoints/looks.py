"""How pictures look, models that stand for released ones, and columns of bodies as they may find them."""

import numpy as np

from spinetk.geometry import Frame
from spinetk.keypoints.viewing.sight import Sight
from spinetk.landmark import Landmark
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6

LATERAL = Sight("lateral", 0.97, 1, 0.99, None, "left", 0.98, "a lateral radiograph")
SLICE = LATERAL._replace(view="sagittal", modality="MR", words="a sagittal MR slice")
NOTHING = Sight("unknown", 0.99, words="no spine that a model reads")
GREY = np.zeros((200, 150), np.uint8)


class Stub:
    """Stands for a released model."""

    def __init__(self, name, *_, **__):
        self.name, self.views, self.modalities, self.threshold = name, (), (), 0.6


def column(bodies, score=0.95, sacrum=None):
    """A reading of so many bodies, each 40 x 30 px and 45 px below the last."""
    box = np.array([[0, 30], [20, 30], [40, 30], [40, 0], [20, 0], [0, 0]], float)
    vertebrae = [Vertebra.from_points(box + (50, 20 + 45 * k), score=score) for k in range(bodies)]
    landmarks = [] if sacrum is None else [Landmark("s1", np.array([[50.0, 260], [90, 275]]), None, sacrum)]
    return Reading("film.png", 200, 150, VERTEBRA6, vertebrae, view="lateral", landmarks=landmarks)


def tapered(bodies, wider, turn=1, **more):
    """A column whose bodies are so many px wider from one to the next; found in a picture turned so."""
    found = column(bodies, **more)
    for k, vertebra in enumerate(found.vertebrae):
        vertebra.points = (vertebra.points - vertebra.centre) * (1 + wider * k / 40, 1) + vertebra.centre
    found.frame = Frame(exif_orientation=turn)
    return found


def growing(bodies, factor, turn=1):
    """A column in which each body, and its distance to the next, is so many times those of the one above it."""
    found, y = column(bodies), 20.0
    for k, vertebra in enumerate(found.vertebrae):
        vertebra.points = (vertebra.points - vertebra.points.min(0)) * factor**k + (60, y)
        y += 45 * factor**k
    found.frame = Frame(exif_orientation=turn)
    return found

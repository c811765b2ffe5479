"""Recognition: the view of a picture whose file does not say it.

One small network (model ``view``, :mod:`spinetk.keypoints.viewing.network`) looks at the whole picture and says what
kind it is, by how many quarter turns it lies, and on which side the patient's front is. Its probabilities are
calibrated by a temperature per answer (Guo et al., ICML 2017) fitted on held-out pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from spinetk import filling, zoo
from spinetk.errors import InputError
from spinetk.geometry import Side
from spinetk.keypoints.centre import runtime
from spinetk.keypoints.centre.decoding import log_softmax
from spinetk.keypoints.viewing.kinds import MODALITY_OF, SIDE_PX, VIEW_OF, WORDS
from spinetk.keypoints.viewing.sight import Sight
from spinetk.views import View, rules_of

if TYPE_CHECKING:
    from spinetk.keypoints.viewing.card import ViewConfig

Answers = Callable[[np.ndarray], Sequence[np.ndarray]]
Temperatures = tuple[float, float, float]
MODEL = "view"
# Kinds whose turn and front, where sure, were right on real pictures (two CTs). On 50 real lateral films the front was
# not (69 to 71 %), and the turn not always (94 to 97 %): it is acted on only where what is found bears it out.
POSE_MEASURED = ("ap", "sagittal-mr", "sagittal-ct")
SURE = 0.8  # least probability of an answer that is acted on


@dataclass(frozen=True)
class Recognition:
    """What a picture shows, as far as its grey values tell.

    Attributes:
        kind: One of :data:`spinetk.keypoints.viewing.kinds.KINDS`; ``none`` means no spine that a model reads.
        probability: Of the kind, calibrated, 0..1.
        quarter_turns: How often the picture was turned counter-clockwise by 90 degrees from upright, 0..3:
            ``numpy.rot90(picture, -quarter_turns)`` is upright.
        turn_probability: Of ``quarter_turns``.
        front: Side of the patient's front in the upright picture; None in a frontal view and where nothing is shown.
        front_probability: Of ``front``; 0 where there is none.
        probabilities: Of every kind.
    """

    kind: str
    probability: float
    quarter_turns: int
    turn_probability: float
    front: Side | None
    front_probability: float
    probabilities: dict[str, float]

    @property
    def view(self) -> View:
        """The view as results name it; ``unknown`` when no spine is shown or the answer is not sure."""
        return VIEW_OF[self.kind] if self.sure else "unknown"

    @property
    def modality(self) -> str | None:
        """``MR`` or ``CT`` where a sure answer implies it."""
        return MODALITY_OF.get(self.kind) if self.sure else None

    @property
    def sure(self) -> bool:
        """Whether the kind may be acted on."""
        return self.probability >= SURE

    @property
    def exif_orientation(self) -> int:
        """How to turn the picture upright, as an EXIF number (1, 3, 6 or 8)."""
        return (1, 6, 3, 8)[self.quarter_turns]

    @property
    def words(self) -> str:
        """What is shown, in words, with the probability."""
        return f"{WORDS[self.kind]} ({self.probability:.0%} sure)"


def recognise(picture: np.ndarray) -> Recognition:
    """Tell the view of a picture from the picture alone.

    Args:
        picture: (H, W) uint8, as stored: turned or mirrored pictures are recognised, too.

    Raises:
        InputError: The model ``view`` is not installed.
    """
    network, config, temperatures = _model()
    kinds = config.kinds
    answers = in_all_turns(network, standardise(picture, config.side_px)[None, None])
    kind, turn, front = (np.exp(log_softmax(a[0] / t)) for a, t in zip(answers, temperatures, strict=True))
    best, turns, side = int(kind.argmax()), int(turn.argmax()), int(front.argmax())
    name = kinds[best]
    lateral = name not in ("none", "ap")
    return Recognition(
        kind=name,
        probability=float(kind[best]),
        quarter_turns=0 if name == "none" else turns,
        turn_probability=0.0 if name == "none" else float(turn[turns]),
        front=(("left", "right")[side]) if lateral else None,
        front_probability=float(front[side]) if lateral else 0.0,
        probabilities={own: float(p) for own, p in zip(kinds, kind, strict=True)},
    )


def in_all_turns(network: Answers, pictures: np.ndarray) -> list[np.ndarray]:
    """The logarithms of the three answers, averaged over the four quarter turns of each picture.

    Args:
        network: (B, 1, S, S) float32 to the logits of :class:`spinetk.keypoints.viewing.network.ViewNet`.
        pictures: (B, 1, S, S).

    Returns:
        (B, kinds), (B, 4) and (B, 2), about the pictures as given.
    """
    seen = np.concatenate([np.rot90(pictures, turn, (2, 3)) for turn in range(4)])
    kind, turn, front = (log_softmax(own).reshape(4, len(pictures), -1) for own in network(seen))
    # Turned once more, a picture is said to lie one turn further.
    turn = np.stack([np.roll(own, -k, 1) for k, own in enumerate(turn)])
    return [answer.mean(0) for answer in (kind, turn, front)]


def find_view(picture: np.ndarray) -> Sight | None:
    """How a picture looks, as the reader asks for it; None where the model is not installed.

    Args:
        picture: (H, W) uint8, as far upright as its file says.
    """
    try:
        found = recognise(picture)
    except InputError:
        return None
    views: dict[View, float] = {}
    for kind, chance in found.probabilities.items():
        views[VIEW_OF[kind]] = views.get(VIEW_OF[kind], 0.0) + chance
    # Trunk and neck are both lateral films, and told apart less surely than from the rest: the likelier has what
    # speaks for both, and the reader looks at a neck with the model of the trunk, too.
    for own in [one for one in views if rules_of(one).neck in views]:
        neck = rules_of(own).neck or own
        more, less = (neck, own) if views[neck] > views[own] else (own, neck)
        views[more] += views.pop(less)
    view = max(views, key=lambda own: views[own])
    kind = max((own for own in found.probabilities if VIEW_OF[own] == view), key=lambda own: found.probabilities[own])
    posed = kind in POSE_MEASURED and kind == found.kind
    return Sight(
        view=view,
        probability=min(views[view], 1.0),
        turn=found.exif_orientation,
        turn_probability=found.turn_probability,
        modality=MODALITY_OF.get(kind),
        front=found.front,
        front_probability=found.front_probability,
        words=WORDS[kind],
        posed=posed,
    )


def standardise(picture: np.ndarray, side_px: int = SIDE_PX) -> np.ndarray:
    """(H, W) uint8 to the network's input: (S, S) float32, mean 0 and SD 1, centred, 0 around it."""
    picture = np.ascontiguousarray(picture)
    factor = side_px / max(picture.shape)
    size = (max(1, round(picture.shape[1] * factor)), max(1, round(picture.shape[0] * factor)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
    values = small.astype(np.float32)
    values = (values - values.mean()) / (values.std() + 1.0)
    whole = np.zeros((side_px, side_px), np.float32)
    y, x = (side_px - size[1]) // 2, (side_px - size[0]) // 2
    whole[y : y + size[1], x : x + size[0]] = values
    return whole


def _model() -> tuple[Answers, ViewConfig, Temperatures]:
    """The network, what it is built from, and its temperatures."""
    return _loaded(zoo.find(MODEL))


@lru_cache(maxsize=1)
def _loaded(path: Path) -> tuple[Answers, ViewConfig, Temperatures]:
    """By its graph, or by PyTorch where nothing is there to run that."""
    from spinetk.keypoints.viewing.card import ViewCard

    if runtime.has_graphs(path, ("whole",)):
        card = zoo.checked(zoo.read_card(path.with_suffix(".json")), ViewCard, MODEL, path.with_suffix(".json"))
        (network,) = runtime.functions(path, ("whole",))
        return network, card.config, card.temperatures
    from spinetk.keypoints.viewing.network import ViewNet, as_function

    weights, card, _ = zoo.load(path, ViewCard)
    own = card.config
    network = as_function(filling.fill(lambda: ViewNet(own.widths, own.kinds, own.side_px), weights, MODEL))
    return network, own, card.temperatures

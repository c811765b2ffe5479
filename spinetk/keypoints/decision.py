"""Decision: what is settled about a picture before a model reads it."""

from __future__ import annotations

from typing import NamedTuple

from spinetk.facing import Facing
from spinetk.geometry import Frame
from spinetk.keypoints.predictor import Predictor
from spinetk.views import View


class Decision(NamedTuple):
    """What was decided about a picture before it is read.

    Attributes:
        view: What it shows.
        frame: Scale and orientation, with the turn that its look tells.
        predictor: The model.
        remarks: What the user should know about it.
        not_graded: Why no grade may be claimed, or None.
        front: The patient's front, where the look of the picture is sure of it.
        turns: EXIF numbers of other positions, of which one is taken where clearly more is found in it.
        unproven: Whether the view has yet to be borne out by what is found.
        trunk: The model of lateral films of the trunk, where only the look of the picture says that it shows a neck.
        others: The remaining positions, which are tried where no column of bodies is found in those.
        looks: What the picture looks like, in words, where nothing else says its view and that is sure.
        doubt: A remark that it looks turned against its file, which holds unless what is found bears the file out.
        grows: Whether it is a slice of which only the look says which way up it is, so that its bodies may doubt that.
    """

    view: View
    frame: Frame
    predictor: Predictor
    remarks: list[str]
    not_graded: str | None
    front: Facing | None = None
    turns: tuple[int, ...] = ()
    unproven: bool = False
    trunk: Predictor | None = None
    others: tuple[int, ...] = ()
    looks: str | None = None
    doubt: str | None = None
    grows: bool = False

"""Decision: what is settled about a picture before a model reads it: its view, how it lies, and the model.

What a picture shows is decided by the user's word, else by what its file says, else by how it looks, else by what its
modality is used for or the model was made for, else by how it most likely looks, if what a model then finds in it bears
that out (:mod:`spinetk.keypoints.second_look`). What the user says against the file is a remark. What the file rules
out (:mod:`spinetk.measure.plausibility`) is refused, or, where the user named the view or the model all the same, read
without a grade.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from spinetk.errors import InputError
from spinetk.facing import Facing
from spinetk.geometry import Frame
from spinetk.images import Picture
from spinetk.keypoints.models import Models, objection
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.second_look import OPPOSITE, against_file
from spinetk.keypoints.viewing.sight import Sight, ViewFinder
from spinetk.measure.plausibility import around_spine, is_neck, names_region, other_part, too_small
from spinetk.overrides import Overrides
from spinetk.upright import upright
from spinetk.views import OFFERED, View, akin, rules_of, usual_view

SURE_VIEW = 0.9
"""Least probability at which the look of a picture decides its view, its turn or its front."""
LIKELY_VIEW = 0.4
"""Least probability at which a picture is read to see whether it shows what it looks like."""
SURE_REFUSAL = 0.95
"""Least probability for refusing what looks like no spine, and for contradicting a file."""
SLICED = ("CT", "MR", "PT")
"""Modalities in whose slices the spine is seen as well whatever part was examined."""
VIEW_REMEDY = f"give --view {', '.join(OFFERED[:-1])} or {OFFERED[-1]}, or --model"


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


class Decider:
    """Decides of pictures, for one model or the released ones.

    Args:
        models: What there is to read with.
        view_finder: As of :class:`spinetk.keypoints.reader.Reader`.
    """

    def __init__(self, models: Models, view_finder: ViewFinder | None) -> None:
        self.models, self._view_finder = models, view_finder

    def decide(self, picture: Picture, grey: np.ndarray, file: str, said: Overrides) -> Decision:
        """View, turn and model of a picture.

        Raises:
            InputError: Nothing says what it shows, no model reads it, or it is too small.
        """
        if too_small(picture.height, picture.width):
            fault = f"is {picture.width} x {picture.height} px: too small to show vertebrae"
            raise InputError(file, fault, "give the picture itself, not a thumbnail")
        remarks: list[str] = []
        frame = picture.frame
        view, modality = self._told(picture, said, remarks), picture.modality
        sight = self._look(grey, frame)
        neck = rules_of(view).neck if self.models.read_necks() else None
        by_file = neck is not None and said.view is None and is_neck(picture.body_part)
        if neck is not None and by_file:
            view = neck
        sure = sight is not None and sight.probability >= SURE_VIEW
        unproven, looks = False, None
        if sight is not None and sure:
            if sight.posed and not frame.says_head and sight.turn != 1 and sight.turn_probability >= SURE_VIEW:
                frame = replace(frame, exif_orientation=sight.turn)
                remarks.append("the picture does not look upright: it was turned for the network")
            if view == "unknown":
                self._refuse_look(sight, file)
                view = sight.view
                if view != "unknown":
                    looks = sight.words if self.models.only is None else None
                    remarks.append(f"view: {view}, judged from the picture (probability {sight.probability:.2f})")
            elif neck is not None and sight.view == neck and said.view is None and not names_region(picture.body_part):
                view = neck
                remarks.append(f"view: {neck}, {sight.words} by its look (probability {sight.probability:.2f})")
            elif sight.probability >= SURE_REFUSAL and not akin(sight.view, view):
                chance = f"probability {sight.probability:.2f}"
                contradicted = "the file" if said.view is None else f"the view that was given ({rules_of(view).title})"
                remarks.append(f"looks like {sight.words} ({chance}), which contradicts {contradicted}: check it")
            elif by_file and sight.view == rules_of(view).trunk and sight.probability >= SURE_REFUSAL:
                part = f"BodyPartExamined is {picture.body_part}, but it looks like a film of the trunk"
                remarks.append(f"{part} (probability {sight.probability:.2f}): give --view {sight.view} if it is one")
        if view == "unknown":
            view = self._usual(picture, remarks)
        if view == "unknown" and sight is not None and self._likely(sight):
            unproven = True
            view = sight.view
            chance = f"probability {sight.probability:.2f}"
            remarks.append(f"view: {view}, judged from the picture ({chance}) and borne out by what was found in it")
        self._refuse(picture, view, file, said)
        if self.models.only is None and (
            modality is None or (said.view is not None and not self.models.read(view, modality))
        ):
            modality = self.models.modality(view, sight, remarks)
        predictor = self.models.only or self.models.pick(view, modality, file, said)
        against = objection(picture, view, predictor)
        if against:
            remarks.append(against)
        if around_spine(picture.body_part) and picture.modality not in SLICED:
            dim = "its bodies may be too dim to be placed well, look at each"
            remarks.append(f"BodyPartExamined is {picture.body_part}, not the spine: {dim}")
        if self.models.only is None and rules_of(view).neck is not None and is_neck(picture.body_part):
            better = "no released model was taught on necks" if neck is None else f"give --view {neck}"
            remarks.append(f"BodyPartExamined is {picture.body_part}: {better}")
        front: Facing | None = None
        turns: tuple[int, ...] = ()
        others: tuple[int, ...] = ()
        doubt, grows = None, False
        if sight is not None and sight.view == view:
            grows = sight.posed and rules_of(view).front and not picture.frame.says_head
            if sight.probability >= SURE_REFUSAL:
                doubt = against_file(sight, picture.frame, SURE_REFUSAL, said.facing == "auto")
            if sure and sight.posed and sight.front is not None and sight.front_probability >= SURE_VIEW:
                front = Facing(sight.front, "look of the picture", sight.front_probability)
            if not frame.says_head and sight.turn != frame.exif_orientation:
                turns = (sight.turn,)
            stands = sight.posed and sight.turn_probability >= SURE_VIEW
            if not (frame.says_head or stands):
                others = tuple(turn for turn in OPPOSITE if turn not in (frame.exif_orientation, *turns))
        trunk, by_look = None, said.view is None and not by_file and self.models.only is None
        if by_look and (other := rules_of(view).trunk) is not None:
            trunk = self.models.pick(other, modality, file, said)
        if doubt and sight is not None and sight.posed:
            remarks.append(doubt)
            doubt = None
        return Decision(
            view, frame, predictor, remarks, against, front, turns, unproven, trunk, others, looks, doubt, grows
        )

    def _told(self, picture: Picture, said: Overrides, remarks: list[str]) -> View:
        """What the user or the file says it shows."""
        if said.view is None:
            return picture.view
        if picture.view != "unknown" and picture.view != said.view:
            remarks.append(f"view: {said.view} by the user's word, against the file, which says {picture.view}")
        return said.view

    def _look(self, grey: np.ndarray, frame: Frame) -> Sight | None:
        """What the picture looks like; a neck is a lateral film where there is no model for necks."""
        sight = None if self._view_finder is None else self._view_finder(upright(grey, frame)[0])
        if sight is None or self.models.read_necks():
            return sight
        return sight._replace(view=rules_of(sight.view).trunk or sight.view)

    def _likely(self, sight: Sight) -> bool:
        """Whether a picture looks enough like something that a released model reads to be tried."""
        if self.models.only is not None or sight.view == "unknown" or sight.probability < LIKELY_VIEW:
            return False
        return self.models.read(sight.view, sight.modality)

    def _refuse_look(self, sight: Sight, file: str) -> None:
        """Raise where a picture looks like no spine, and neither the user nor its file says otherwise."""
        if sight.view == "unknown" and sight.probability >= SURE_REFUSAL and self.models.only is None:
            fault = f"does not look like a spine that a model reads, probability {sight.probability:.2f}"
            raise InputError(file, fault, "give --view to read it anyway")

    def _usual(self, picture: Picture, remarks: list[str]) -> View:
        """What pictures of this modality, or for this model, usually show."""
        view = usual_view(picture.modality)
        if view != "unknown":
            remarks.append(f"view: taken for {view}, as is usual in {picture.modality}; the file does not say")
            return view
        made_for = self.models.only.views if self.models.only is not None else ()
        if self.models.only is not None and len(made_for) == 1:
            remarks.append(
                f"view: taken for {made_for[0]}, which {self.models.only.name} was made for; nothing else says it"
            )
            return made_for[0]
        return "unknown"

    def _refuse(self, picture: Picture, view: View, file: str, said: Overrides) -> None:
        refused = rules_of(view).refused
        if refused:
            raise InputError(file, f"shows {rules_of(view).article}: {refused}", "give another slice, or --view")
        if said.view is not None or self.models.only is not None:
            return
        if other_part(picture.body_part):
            fault = f"shows no spine: BodyPartExamined is {picture.body_part}"
            raise InputError(file, fault, "give --view to read it anyway")
        if view == "unknown":
            raise InputError(file, "does not say which view it is", VIEW_REMEDY)

"""Reader: a picture file in, its measured reading out. The one place that decides view, model, front and level names.

What a picture shows is decided by the user's word, else by what its file says, else by how it looks, else by what its
modality is used for or the model was made for, else by how it most likely looks, if what a model then finds in it bears
that out (:mod:`spinetk.keypoints.second_look`). What the user says against the file is a remark. What the file rules
out (:mod:`spinetk.measure.plausibility`) is refused, or, where the user named the view or the model all the same, read
without a grade.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from spinetk.bounds import USUAL_CONFIDENCE
from spinetk.errors import InputError
from spinetk.facing import Facing
from spinetk.geometry import Frame
from spinetk.images import Picture, read_picture, to_uint8
from spinetk.images.picture import SliceChoice, pixel_hash
from spinetk.keypoints import negative
from spinetk.keypoints.blank import without_cut_points
from spinetk.keypoints.centre.runtime import BFLOAT16_REMARK, Precision
from spinetk.keypoints.decision import Decision
from spinetk.keypoints.models import Models, objection
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.second_look import (
    OPPOSITE,
    against_file,
    evidence,
    missing,
    most_found,
    neck_or_trunk,
    oddities,
    shrinking,
    too_strict,
    upright_spine,
)
from spinetk.keypoints.viewing.recognition import find_view
from spinetk.keypoints.viewing.sight import Sight, ViewFinder
from spinetk.measure import measure
from spinetk.measure.plausibility import (
    around_spine,
    elsewhere,
    impossible_size,
    is_neck,
    names_region,
    other_part,
    too_small,
)
from spinetk.overrides import Overrides
from spinetk.reading import ABOUT_LEVELS, Reading
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


class Reader:
    """Reads pictures with one model, or with the released model that each picture calls for; each is loaded once.

    A model card says what a model is for: ``views`` (names of :mod:`spinetk.views`) and, where it matters,
    ``modalities`` (DICOM: ``MR``, ``CR``, ...).

    Args:
        model: A predictor, a released name, or weights; None chooses by view and modality.
        view: What all pictures show, in place of what their files say.
        threshold: Least confidence of a vertebra, as of :class:`Predictor`, for models loaded here.
        device: ``auto``, ``cpu``, ``cuda``.
        precision: As of :meth:`Predictor.load`.
        view_finder: Tells view, turn and front from the look of a picture whose file does not; None never looks.

    Raises:
        InputError: The model or the view is none, the threshold is no probability, this machine has no such device, or
            nothing here computes in that precision.
    """

    def __init__(
        self,
        model: Predictor | str | Path | None = None,
        view: View | None = None,
        *,
        threshold: float = USUAL_CONFIDENCE,
        device: str = "auto",
        precision: Precision = "32-true",
        view_finder: ViewFinder | None = find_view,
    ) -> None:
        self.usual = Overrides(view=view)
        self.models = Models(model, threshold, device, precision)
        self._precision, self._view_finder = precision, view_finder
        self.threshold, self.device = self.models.threshold, self.models.device

    @classmethod
    def of(cls, model: Reader | Predictor | str | Path | None, view: View | None = None) -> Reader:
        """A reader as it is, or one made of a model."""
        return model if isinstance(model, Reader) else cls(model, view)

    @property
    def only(self) -> Predictor | None:
        """The one model, or None where each picture calls for its own."""
        return self.models.only

    @property
    def name(self) -> str:
        """The model, for manifests."""
        return "chosen by view" if self.only is None else self.only.name

    def read(
        self,
        path: str | Path,
        overrides: Overrides | None = None,
        *,
        slice_choice: SliceChoice = "central",
        series: str | None = None,
    ) -> tuple[Reading, np.ndarray]:
        """One picture file to a measured reading.

        Args:
            path: DICOM, PNG, JPEG, TIFF, NIfTI, NRRD or MetaImage file, or a folder that is one DICOM series.
            overrides: The user's word on it.
            slice_choice, series: Slice of a series or volume, and which of several series, as of
                :func:`spinetk.images.read_picture`.

        Returns:
            The reading and the 8-bit picture it was read from, (H, W) uint8 as stored.

        Raises:
            InputError: It cannot be read, nothing says what it shows, no model reads it, or it shows no spine.
        """
        said = (overrides or Overrides()).over(self.usual)
        picture = read_picture(path, slice_choice=slice_choice, spacing_mm=said.spacing_mm, series=series)
        return self.read_picture(picture, str(path), said)

    def read_picture(
        self, picture: Picture, file: str, overrides: Overrides | None = None, grey: np.ndarray | None = None
    ) -> tuple[Reading, np.ndarray]:
        """As :meth:`read`, of a picture that is decoded already.

        Args:
            picture: The picture, with the user's spacing in its frame.
            file: Named in the reading.
            overrides: The user's word on it; ``spacing_mm`` is not looked at.
            grey: (H, W) uint8 of the picture, where it is there already.
        """
        said = (overrides or Overrides()).over(self.usual)
        # Pixels that were handed over, of a case, are not those that its file gives when it is read again.
        digest = stored = None
        if grey is None:
            grey = to_uint8(picture.pixels, picture.padding)
            digest, stored = pixel_hash(grey), picture.stored_sha256
        chosen = self.decide(picture, grey, file, said)
        found = without_cut_points(grey, self._found(grey, file, chosen))
        found.remarks[:0] = [*picture.remarks, *chosen.remarks]
        if self._precision == "bf16-true":
            found.remarks.append(BFLOAT16_REMARK)
        found.remarks += negative.remarks(grey, found)
        if found.facing is None and found.frame.anterior is None and rules_of(chosen.view).front:
            # Said of the picture as its look would turn it.
            looked = chosen.turns[0] if chosen.turns else chosen.frame.exif_orientation
            found.facing = chosen.front if found.frame.exif_orientation == looked else None
        found.not_graded = chosen.not_graded
        found.slice = picture.slice if picture.slices > 1 else None
        found.series, found.frame_number = picture.series, picture.frame_number
        found.pixels_sha256, found.stored_sha256 = digest, stored
        impossible = impossible_size(found)
        if impossible:
            source = found.frame.spacing_source or "no source"
            remedy = f"give the spacing with --spacing; it is taken from {source}"
            raise InputError(
                file, f"shows no spine, or its spacing is wrong: the bodies found are {impossible}", remedy
            )
        other = elsewhere(picture.body_part, [vertebra.label for vertebra in found.vertebrae])
        if other:
            found.remarks.append(other)
        # What a result file holds is what is measured, so that measuring the file again changes nothing.
        measured = measure(found.rounded(), facing=said.facing, anchor=said.anchor, picture=grey)
        counted, names = ([vertebra.label for vertebra in one.vertebrae] for one in (found, measured))
        if any(counted) and counted != names:
            network = f"{counted[0] or 'a body without a name'} to {counted[-1]}"
            measured.remarks.append(f"{ABOUT_LEVELS}by the user's word, against the network, which counted {network}")
        return measured, grey

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
                    looks = sight.words if self.only is None else None
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
        if self.only is None and (modality is None or (said.view is not None and not self.models.read(view, modality))):
            modality = self.models.modality(view, sight, remarks)
        predictor = self.only or self.models.pick(view, modality, file, said)
        against = objection(picture, view, predictor)
        if against:
            remarks.append(against)
        if around_spine(picture.body_part) and picture.modality not in SLICED:
            dim = "its bodies may be too dim to be placed well, look at each"
            remarks.append(f"BodyPartExamined is {picture.body_part}, not the spine: {dim}")
        if self.only is None and rules_of(view).neck is not None and is_neck(picture.body_part):
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
        trunk, by_look = None, said.view is None and not by_file and self.only is None
        if by_look and (other := rules_of(view).trunk) is not None:
            trunk = self.models.pick(other, modality, file, said)
        if doubt and sight is not None and sight.posed:
            remarks.append(doubt)
            doubt = None
        return Decision(
            view, frame, predictor, remarks, against, front, turns, unproven, trunk, others, looks, doubt, grows
        )

    def _found(self, grey: np.ndarray, file: str, chosen: Decision) -> Reading:
        """What the model finds, in the position in which it finds clearly most.

        Raises:
            InputError: Nothing but the look of the picture says its view, and what is found does not bear it out; or
                the threshold leaves out what is seen.
        """

        def read(turn: int) -> Reading:
            frame = replace(chosen.frame, exif_orientation=turn)
            return chosen.predictor.read(grey, file=file, frame=frame, view=chosen.view)

        found = most_found(read, chosen.frame.exif_orientation, chosen.turns, chosen.others)
        if chosen.trunk is not None:
            view = rules_of(chosen.view).trunk or chosen.view
            ways = {frame.exif_orientation: frame for frame in (chosen.frame, found.frame)}
            trunks = [chosen.trunk.read(grey, file=file, frame=frame, view=view) for frame in ways.values()]
            found = neck_or_trunk(found, max(trunks, key=evidence))
        asked = bool(chosen.others) and not chosen.unproven
        found.remarks[:0] = (shrinking(found) if chosen.grows else []) or (oddities(found) if asked else [])
        if chosen.doubt and not upright_spine(found):
            found.remarks.insert(0, chosen.doubt)
        fault = missing(found, chosen.unproven, chosen.looks)
        if fault or not found.vertebrae:
            strict = self._too_strict(grey, found, chosen)
            if strict:
                raise InputError(file, strict, "give a lower --threshold")
        if fault:
            raise InputError(file, fault, VIEW_REMEDY)
        return found

    def _too_strict(self, grey: np.ndarray, found: Reading, chosen: Decision) -> str | None:
        """That a threshold above the usual one leaves out what is seen, in words; None where it is not to blame."""
        trunk = chosen.trunk
        predictor = trunk if trunk is not None and trunk.name == found.model else chosen.predictor
        if predictor.threshold <= USUAL_CONFIDENCE:
            return None
        (usual,) = predictor.read_at(grey, (USUAL_CONFIDENCE,), file=found.file, frame=found.frame, view=found.view)
        return too_strict(found, usual, chosen.unproven, chosen.looks)

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
        if self.only is not None or sight.view == "unknown" or sight.probability < LIKELY_VIEW:
            return False
        return self.models.read(sight.view, sight.modality)

    def _refuse_look(self, sight: Sight, file: str) -> None:
        """Raise where a picture looks like no spine, and neither the user nor its file says otherwise."""
        if sight.view == "unknown" and sight.probability >= SURE_REFUSAL and self.only is None:
            fault = f"does not look like a spine that a model reads, probability {sight.probability:.2f}"
            raise InputError(file, fault, "give --view to read it anyway")

    def _usual(self, picture: Picture, remarks: list[str]) -> View:
        """What pictures of this modality, or for this model, usually show."""
        view = usual_view(picture.modality)
        if view != "unknown":
            remarks.append(f"view: taken for {view}, as is usual in {picture.modality}; the file does not say")
            return view
        made_for = self.only.views if self.only is not None else ()
        if self.only is not None and len(made_for) == 1:
            remarks.append(f"view: taken for {made_for[0]}, which {self.only.name} was made for; nothing else says it")
            return made_for[0]
        return "unknown"

    def _refuse(self, picture: Picture, view: View, file: str, said: Overrides) -> None:
        refused = rules_of(view).refused
        if refused:
            raise InputError(file, f"shows {rules_of(view).article}: {refused}", "give another slice, or --view")
        if said.view is not None or self.only is not None:
            return
        if other_part(picture.body_part):
            fault = f"shows no spine: BodyPartExamined is {picture.body_part}"
            raise InputError(file, fault, "give --view to read it anyway")
        if view == "unknown":
            raise InputError(file, "does not say which view it is", VIEW_REMEDY)

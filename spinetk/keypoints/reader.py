"""Reader: a picture file in, its measured reading out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from spinetk.bounds import USUAL_CONFIDENCE
from spinetk.errors import InputError
from spinetk.images import Picture, read_picture, to_uint8
from spinetk.images.picture import SliceChoice, pixel_hash
from spinetk.keypoints import negative
from spinetk.keypoints.blank import without_cut_points
from spinetk.keypoints.centre.runtime import BFLOAT16_REMARK, Precision
from spinetk.keypoints.decision import VIEW_REMEDY, Decider, Decision
from spinetk.keypoints.models import Models
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.second_look import (
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
from spinetk.keypoints.viewing.sight import ViewFinder
from spinetk.measure import measure
from spinetk.measure.plausibility import (
    elsewhere,
    impossible_size,
)
from spinetk.overrides import Overrides
from spinetk.reading import ABOUT_LEVELS, Reading
from spinetk.views import View, rules_of


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
        self._precision, self.decider = precision, Decider(self.models, view_finder)
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
        chosen = self.decider.decide(picture, grey, file, said)
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

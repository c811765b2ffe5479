"""Models: the one that was given, or the released ones, of which each picture calls for its own."""

from __future__ import annotations

from pathlib import Path

from spinetk import zoo
from spinetk.bounds import check_confidence
from spinetk.errors import InputError
from spinetk.images import Picture
from spinetk.keypoints.centre.runtime import Precision, check_runtime
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.viewing.sight import Sight
from spinetk.measure.plausibility import other_part
from spinetk.overrides import Overrides
from spinetk.views import View, rules_of

NEEDS_MODEL = "train one and give --model"


class Models:
    """What a reader reads with; each model is loaded once.

    Args:
        model: A predictor, a released name, or weights; None chooses by view and modality.
        threshold, device, precision: As of :class:`spinetk.keypoints.reader.Reader`.

    Attributes:
        only: The one model, or None where each picture calls for its own.
        made_for: Views and modalities of each released model.

    Raises:
        InputError: The model is none, the threshold is no probability, this machine has no such device, or nothing here
            computes in that precision.
    """

    def __init__(
        self, model: Predictor | str | Path | None, threshold: float, device: str, precision: Precision
    ) -> None:
        check_confidence(threshold)
        if model is None:  # models are loaded as pictures call for them: too late to say it of the first
            check_runtime(device, precision)
        if model is not None and not isinstance(model, Predictor):
            model = Predictor.load(model, threshold, device, precision=precision)
        self.only, self._precision = model, precision
        self.made_for: dict[str, tuple[tuple[View, ...], tuple[str, ...]]] = {
            name: (tuple(card["views"]), tuple(card.get("modalities") or ()))
            for name, card in zoo.released()
            if card.get("views")
        }
        self._loaded: dict[str, Predictor] = {}
        self.threshold = threshold if model is None else model.threshold
        self.device = device if model is None else model.device

    def read_necks(self) -> bool:
        """Whether the model, or a released one, was made for films of the neck."""
        made_for = self.made_for.values() if self.only is None else [(self.only.views, ())]
        return any(rules_of(view).trunk is not None for views, _ in made_for for view in views)

    def read(self, view: View, modality: str | None) -> bool:
        """Whether a released model reads such pictures."""
        return any(view in views and _reads(owns, view, modality) for views, owns in self.made_for.values())

    def modality(self, view: View, sight: Sight | None, remarks: list[str]) -> str | None:
        """Which modality a picture of a view is of whose file does not say, where models of several read that view."""
        made = {own: name for name, (views, owns) in self.made_for.items() if view in views for own in owns}
        if len(set(made.values())) < 2:
            return sight.modality if sight is not None and sight.view == view else None
        if sight is not None and sight.view == view and sight.modality is not None:
            taken, why = sight.modality, "judged from the picture"
        else:
            taken, why = next((own for own in made if own in rules_of(view).usual_in), next(iter(made))), "as is usual"
        others = [name for own, name in made.items() if own != taken]
        remarks.append(f"modality: taken for {taken}, {why}; if it is not, give --model {' or '.join(others)}")
        return taken

    def pick(self, view: View, modality: str | None, file: str, said: Overrides) -> Predictor:
        """The released model for a view; one for another modality where the user named the view and there is no other.

        Raises:
            InputError: No released model reads such pictures.
        """
        for_view = [name for name, (views, _) in self.made_for.items() if view in views]
        fitting = [name for name in for_view if _reads(self.made_for[name][1], view, modality)]
        if not fitting and said.view is not None:
            fitting = for_view
        if not fitting:
            what = rules_of(view).article + (f" in {modality}" if modality else "")
            remedy = NEEDS_MODEL if self.made_for else zoo.NO_WEIGHTS
            if for_view:
                remedy = f"give --view {view} to read it without grades all the same, or --model"
            raise InputError(file, f"no released model reads {what}", remedy)
        name = fitting[0]
        if name not in self._loaded:
            self._loaded[name] = Predictor.load(name, self.threshold, self.device, precision=self._precision)
        return self._loaded[name]


def objection(picture: Picture, view: View, predictor: Predictor) -> str | None:
    """What speaks against reading this picture with this model, in words; None where nothing does."""
    made_for = predictor.views
    if made_for and view != "unknown" and view not in made_for:
        shown = " and ".join(rules_of(one).title for one in made_for)
        return f"the model {predictor.name} was made for {shown} views, this is {rules_of(view).article}"
    if made_for and picture.modality and not _reads(predictor.modalities, view, picture.modality):
        return f"the model {predictor.name} was not made for the modality {picture.modality}"
    if other_part(picture.body_part):
        return f"BodyPartExamined is {picture.body_part}, which shows no spine"
    return None


def _reads(modalities: tuple[str, ...], view: View, modality: str | None) -> bool:
    """Whether a model reads a modality: its card names it, or leaves the modality to the view."""
    return modality is None or modality in (modalities or rules_of(view).modalities)

"""Choice: the released model for a picture, from its view and modality."""

from __future__ import annotations

from typing import Any

from spinetk import zoo
from spinetk.errors import InputError
from spinetk.keypoints.predictor import Predictor
from spinetk.training.device import pick_device
from spinetk.views import View


class ModelChoice:
    """Picks a released model for each picture; stands wherever a :class:`Predictor` does and loads each model once.

    A model card says what a model is for: ``views`` (``ap``, ``lateral``, ``sagittal``) and, where it matters,
    ``modalities`` (DICOM: ``MR``, ``CR``, ``DX``, ...).

    Args:
        threshold: Least confidence of a vertebra.
        device: ``auto``, ``cpu``, ``cuda``.
        view: What all pictures show, in place of what their files say.
    """

    def __init__(self, threshold: float = 0.6, device: str = "auto", view: View | None = None) -> None:
        self.name = "chosen by view"
        self.threshold = threshold
        self.device = pick_device(device)
        self.view = view
        self._cards = {name: card for name, card in zoo.released() if card.get("views")}
        self._loaded: dict[str, Predictor] = {}

    def view_of(self, file: str, view: View, modality: str | None) -> View:
        """What a picture shows: as the user said, else its file, else what its modality is used for.

        Raises:
            InputError: Nothing says it.
        """
        view = self.view or view
        if view == "unknown" and modality == "MR":
            view = "sagittal"
        if view == "unknown":
            raise InputError(file, "does not say which view it is", "give --view ap, lateral or sagittal, or --model")
        return view

    def pick(self, file: str, view: View, modality: str | None = None) -> Predictor:
        """The predictor for a picture with a known view.

        Raises:
            InputError: No released model reads such pictures.
        """
        fitting = [name for name, card in self._cards.items() if _reads(card, view, modality)]
        if not fitting:
            what = f"{view} view" + (f" in {modality}" if modality else "")
            raise InputError(file, f"no released model reads a {what}", "train one and give --model")
        name = fitting[0]
        if name not in self._loaded:
            self._loaded[name] = Predictor.load(name, self.threshold, str(self.device))
        return self._loaded[name]


def _reads(card: dict[str, Any], view: View, modality: str | None) -> bool:
    modalities = card.get("modalities")
    return view in card["views"] and (modality is None or not modalities or modality in modalities)

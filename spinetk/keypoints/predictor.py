"""Predictor: one picture in, its reading (ordered vertebrae with points) out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from spinetk import zoo
from spinetk.bounds import USUAL_CONFIDENCE, check_confidence
from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.keypoints import metal, sacrum
from spinetk.keypoints.assembly import METAL, WEAK_SHARE, chained, counted
from spinetk.keypoints.blank import ends_in_blank
from spinetk.keypoints.canvas import Canvas
from spinetk.keypoints.card import KeypointCard
from spinetk.keypoints.centre.decoding import Found, Worth
from spinetk.keypoints.centre.landmarks import landmarks_of, likely
from spinetk.keypoints.centre.runtime import Precision
from spinetk.keypoints.completion import complete
from spinetk.keypoints.counting import Count, Counting
from spinetk.keypoints.edge import Window
from spinetk.keypoints.ends import worth_beyond
from spinetk.keypoints.engine import Engine, open_engine
from spinetk.keypoints.further_look import Column, closer, smaller
from spinetk.keypoints.level_decoding import FINE, ROUGH, contenders
from spinetk.keypoints.logistic import calibrated
from spinetk.keypoints.naming import NOT_ASKED, Evidence, Naming
from spinetk.keypoints.pictures import to_channels
from spinetk.keypoints.sacral_spread import SacralSpread
from spinetk.landmark import Landmark
from spinetk.reading import Reading
from spinetk.upright import upright
from spinetk.views import View, ViewRules, rules_of

MARK = "landmark_"  # begins the names of what is found of landmarks, beside that of the bodies


class Predictor:
    """A trained network with a confidence threshold.

    Attributes:
        views, modalities: What it was made for, where its card says so.
        landmark_calibration: By kind of landmark, slope and intercept that make its scores probabilities.
        unmeasured: Kinds of landmark that serve the names alone and stand in no reading.
        on_square, smaller_look: Whether narrow pictures are shown to it on a black square, and whether a picture in
            which hardly a body is found is shown once more, smaller.
        caution: A remark on every reading, from the model's card; empty: none.
        trained_on: Digests of the pictures that it was trained on (:func:`spinetk.training.record.known_again`), where
            its card has them.
        spread: (K,) factors that make the heatmaps' blur a standard deviation (:mod:`spinetk.keypoints.spread`), or
            None.
        scales: By kind of measurement, how much wider its intervals are than the points make them (ibid.).
        sacral_spread: The same of what rests on the S1 endplate, by its score, or None.

    Args:
        engine: Computes the network.
        name: Named in results.
        threshold: Least confidence of a vertebra. One that reaches 40 % of it may fill a gap between two that pass, and
            a network that counts levels keeps its column whole; such bodies are marked (``below_threshold``).
        calibration: Slope and intercept that make the network's score a probability: logit(p) = slope *
            logit(score) + intercept (Platt scaling, fitted at release).
        naming: The same for names counted up from the sacrum, from the evidence of :mod:`spinetk.keypoints.naming`.
        fronts: The same for the side of the front by the sacrum; None: its confidence is by judgement.
        counting: The same for names of a network that counts levels (:mod:`spinetk.keypoints.counting`).
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        threshold: float = USUAL_CONFIDENCE,
        calibration: tuple[float, float] = (1.0, 0.0),
        naming: Naming | None = None,
        fronts: tuple[float, float] | None = None,
        counting: Counting | None = None,
    ) -> None:
        check_confidence(threshold)
        self.engine = engine
        self.schema, self.device, self.runtime = engine.schema, engine.device, engine.runtime
        self.name = name
        self.threshold = threshold
        self.calibration = calibration
        self.naming, self.fronts, self.counting = naming, fronts, counting
        self.spread: np.ndarray | None = None
        self.scales: dict[str, float] = {}
        self.sacral_spread: SacralSpread | None = None
        self.landmark_calibration: dict[str, tuple[float, float]] = {}
        self.unmeasured: tuple[str, ...] = ()
        self.on_square = self.smaller_look = False
        self.caution = ""
        self.trained_on: frozenset[str] = frozenset()
        self.views: tuple[View, ...] = ()
        self.modalities: tuple[str, ...] = ()

    @classmethod
    def load(
        cls, model: str | Path, threshold: float = USUAL_CONFIDENCE, device: str = "auto", *, graphs: bool = True,
        precision: Precision = "32-true",
    ) -> Predictor:  # fmt: skip
        """A predictor from a released name, a ``.safetensors`` or ``.pth`` of spinetk, or a ``.pth`` of Detectron2.

        A release with graphs is read without PyTorch, unless it is asked to run on a GPU.

        Args:
            model: The weights.
            threshold, device: As of the class.
            graphs, precision: Use the graphs of a release where it has any, and what they compute in.

        Raises:
            InputError: The model is not found or not a keypoint network of spinetk, or what computes it is missing.
        """
        path = zoo.find(model)
        return cls._by(*open_engine(path, device, graphs, precision), path.stem, threshold)

    @classmethod
    def _by(cls, engine: Engine, card: KeypointCard | None, name: str, threshold: float) -> Predictor:
        if card is None:
            return cls(engine, name, threshold)
        predictor = cls(engine, name, threshold, card.calibration, card.naming, card.fronts, card.counting)
        predictor.views, predictor.modalities = card.views, card.modalities
        predictor.trained_on = zoo.pictures_of(card.training)
        predictor.landmark_calibration, predictor.unmeasured = dict(card.landmarks), card.unmeasured
        predictor.caution, predictor.sacral_spread = card.caution, card.sacral_spread
        predictor.on_square, predictor.smaller_look = card.on_square, card.smaller_look
        if card.spread is not None and len(card.spread.points) == len(engine.schema):
            predictor.spread, predictor.scales = np.array(card.spread.points), card.spread.scales_of_all
        return predictor

    def read(
        self, picture: np.ndarray, *, file: str = "", frame: Frame | None = None, view: View = "unknown"
    ) -> Reading:
        """Find the vertebrae of one picture. The network sees it head up with square pixels, as far as ``frame`` says.

        Args:
            picture: (H, W) uint8 as stored, higher = brighter, windowed as :func:`spinetk.images.to_uint8` does.
            file: Named in the reading.
            frame: Scale and orientation of the picture.
            view: What the picture shows.

        Returns:
            Vertebrae from head to foot, points in px of ``picture`` as stored. Boxes are the tight boxes of the points.

        Raises:
            InputError: The picture is another kind of array.
        """
        return self.read_at(picture, (self.threshold,), file=file, frame=frame, view=view)[0]

    def read_at(
        self,
        picture: np.ndarray,
        thresholds: Sequence[float],
        *,
        file: str = "",
        frame: Frame | None = None,
        view: View = "unknown",
    ) -> list[Reading]:
        """As :meth:`read`, one reading for each of several thresholds, from one pass of the network."""
        if picture.dtype != np.uint8 or picture.ndim != 2:
            fault = f"is an array of {picture.shape} {picture.dtype}, not (H, W) uint8"
            raise InputError(file or "picture", fault, "window it with spinetk.images.to_uint8, grey")
        shown, way = upright(picture, frame or Frame())
        told = [self._told(shown, own, found) for own, found in self._columns(shown, thresholds, file, way.frame, view)]
        caution = [self.caution] if self.caution else []
        marks = [[m for m in own.landmarks if self._is_measured(m)] for own in told]
        readings = [
            replace(own, landmarks=seen, interval_scale=self._scales(seen), remarks=[*own.remarks, *caution])
            for own, seen in zip(told, marks, strict=True)
        ]
        return [reading.stored(way) for reading in readings] if way.changes else readings

    def _told(self, shown: np.ndarray, column: Reading, found: Found) -> Reading:
        """A column in an upright picture with its front, its names, and what is said of metal over it."""
        beneath = np.zeros(len(column.vertebrae), bool)
        if self._rules(column.view).screws_cross and column.vertebrae:
            # What a shutter leaves of a body is a bar brighter than the dark on both sides of it, as a screw is.
            ended = ends_in_blank(shown, column)
            points = np.array([own.points for own in column.vertebrae])
            beneath[~ended] = metal.crossed(shown, points[~ended], self.schema)
        hidden = metal.remark(beneath, least=1, share=0.0)
        remarks = [*column.remarks, *([hidden] if hidden else [])]
        column = replace(column, facing=sacrum.facing(column, self.fronts), remarks=remarks)
        return sacrum.named(column, self.naming, found, self._looks(shown, column), beneath)

    def sacral_evidence(
        self, picture: np.ndarray, frame: Frame | None = None, view: View = "unknown"
    ) -> tuple[Reading, Evidence | None]:
        """A column before anything is told by its sacrum, and what speaks for the names that it would give.

        Args:
            picture, frame, view: As of :meth:`read`.

        Returns:
            The column as stored, without names, with its S1 endplate however unsure; and the evidence of
            :mod:`spinetk.keypoints.naming`, None where the sacrum gives no names.
        """
        shown, way = upright(picture, frame or Frame())
        ((column, found),) = self._columns(shown, (self.threshold,), "", way.frame, view)
        return column.stored(way) if way.changes else column, sacrum.evidence_of(
            column, found, self._looks(shown, column)
        )

    def _looks(self, shown: np.ndarray, reading: Reading) -> float:
        """How much the lowest body of an upright picture's column looks like L5, where that can name it."""
        if not self.engine.preset.lumbosacral_look or sacrum.lies_on_sacrum(reading) is None:
            return NOT_ASKED
        return float(self.engine.l5_chances(shown, reading.vertebrae[-1].points[None])[0])

    def _columns(
        self, shown: np.ndarray, thresholds: Sequence[float], file: str, frame: Frame, view: View
    ) -> list[Column]:
        """The column of an upright picture at each threshold, with all landmarks; and all bodies found, in its px."""
        height, width = shown.shape
        empty = Reading(file, height, width, self.schema, [], frame, view, self.name)
        look = partial(self._seen, shown, thresholds, empty)
        return smaller(look(1.0), look) if self.smaller_look else look(1.0)

    def _seen(self, shown: np.ndarray, thresholds: Sequence[float], empty: Reading, share: float) -> list[Column]:
        """As :meth:`_columns`, of one look: the picture takes a share of the square's side."""
        canvas, goes_on = self._canvas(shown, share), self._goes_on(empty.view)
        found = self._detect(canvas.pixels, min(thresholds), goes_on)
        marks = likely(self._landmarks(found, canvas, self.landmark_calibration))
        count = complete(self.engine, canvas.pixels, found) if self.engine.preset.levels else None
        free = found
        if count is not None:
            grey = np.rint(canvas.pixels[0] * 255).astype(np.uint8)
            found[METAL] = metal.covered(grey, found["points"], self.schema)
        found |= self._placed(found, canvas)
        if count is None:
            free = sacrum.above_sacrum(found, marks, min(thresholds) * WEAK_SHARE, self.schema)

        def column(threshold: float) -> Reading:
            own, seen = replace(empty, threshold=threshold, landmarks=marks), free
            if goes_on:
                seen = closer(shown, free, self.schema, threshold, threshold * WEAK_SHARE, self._inside)
            if count is None:
                return chained(seen, own, threshold, goes_on)
            return counted(seen, own, threshold, count, self.counting)

        return [(sacrum.without_stray(sacrum.seated(column(own))), found) for own in thresholds]

    def _inside(self, part: Window, worth: Worth) -> Found:
        """Every detection that is worth it in a part of a picture, calibrated, in px of the picture."""
        found = self.engine.detect(to_channels(part.shown, self.engine.preset.local_contrast), 0.0, worth)
        return self._placed(found, part) | {"scores": calibrated(found["scores"], self.calibration)}

    def _placed(self, found: Found, shown: Canvas | Window) -> Found:
        """Points of what is found, and their standard deviations, in px of the picture."""
        blur = found["sigma"].astype(np.float64) / shown.factors.mean()
        return {
            "points": shown.to_picture(found["points"]),
            "sigma": blur * (1.0 if self.spread is None else self.spread),
        }

    def _scales(self, landmarks: list[Landmark]) -> dict[str, float]:
        return self.scales | ({} if self.sacral_spread is None else self.sacral_spread.of(landmarks, self.scales))

    def _is_measured(self, mark: Landmark) -> bool:
        sure = mark.kind != "s1" or (mark.score or 0.0) >= sacrum.LEAST_SACRUM
        return sure and mark.kind not in self.unmeasured

    def _goes_on(self, view: View) -> bool:
        """Whether a column goes on beyond its sure bodies."""
        return self._rules(view).dim_ends

    def _rules(self, view: View) -> ViewRules:
        """Of the view, else of what it was made for."""
        return rules_of(self.views[0] if view == "unknown" and len(self.views) == 1 else view)

    def detections(self, picture: np.ndarray, frame: Frame | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Everything the network sees in a picture, before any ordering: (N, K, 2) points in px, (N,) scores in 0..1.

        The network sees it as :meth:`read` shows it first; points are in px of ``picture`` as stored, in an order that
        a mirror may have changed. The scores are not calibrated.
        """
        shown, way = upright(picture, frame or Frame())
        canvas = self._canvas(shown)
        found = self.engine.detect(canvas.pixels, 0.0)
        return way.to_stored(canvas.to_picture(found["points"])), calibrated(found["scores"], (1.0, 0.0))

    def count(self, picture: np.ndarray) -> tuple[np.ndarray, Count]:
        """The column of an upright picture (H, W) uint8, (N, K, 2) px, and what the network counts of it.

        Asked of networks that count levels, to fit :class:`spinetk.keypoints.counting.Counting`.
        """
        canvas = self._canvas(picture)
        found = self._detect(canvas.pixels, self.threshold)
        found = {key: values for key, values in found.items() if not key.startswith(MARK)}
        count = complete(self.engine, canvas.pixels, found)
        return canvas.to_picture(found["points"]), count

    def _canvas(self, picture: np.ndarray, share: float = 1.0) -> Canvas:
        return Canvas(picture, self.engine.preset, square=self.on_square or share < 1, share=share)

    def landmarks(self, picture: np.ndarray) -> list[Landmark]:
        """Every landmark that the network sees in a picture, sure or not, in px; the scores are not calibrated."""
        canvas = self._canvas(picture)
        return self._landmarks(self.engine.detect(canvas.pixels, 0.0), canvas, {})

    def _landmarks(self, found: Found, canvas: Canvas, calibration: dict[str, tuple[float, float]]) -> list[Landmark]:
        """What is found of landmarks, surest first, in px of the picture; taken out of ``found``."""
        marks = {key.removeprefix(MARK): found.pop(key) for key in [*found] if key.startswith(MARK)}
        marks |= self._placed(marks, canvas) if marks else {}
        return landmarks_of(marks, self.engine.preset.landmarks, self.schema, calibration)

    def _detect(self, pixels: np.ndarray, threshold: float, goes_on: bool = False) -> Found:
        """Detections in px of the network's input, with calibrated scores; those that no reading can hold may lack."""
        least = threshold * WEAK_SHARE

        def worth(points: np.ndarray, scores: np.ndarray, rough: bool) -> np.ndarray:
            sure = calibrated(scores, self.calibration)
            if self.engine.preset.levels:
                return contenders(points, sure, self.schema, ROUGH if rough else FINE)
            if not rough:  # asked before
                return np.ones(len(sure), bool)
            return worth_beyond(points, sure, least, self.schema) if goes_on else sure >= least

        found = self.engine.detect(pixels, least, worth if threshold else None)
        return found | {"scores": calibrated(found["scores"], self.calibration)}

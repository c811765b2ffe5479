"""Predictor: one picture in, its reading (ordered vertebrae with points) out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from spinetk import zoo
from spinetk.bounds import USUAL_CONFIDENCE, check_confidence
from spinetk.errors import InputError
from spinetk.geometry import Frame, upright
from spinetk.keypoints import edge, metal, sacrum
from spinetk.keypoints.canvas import Canvas
from spinetk.keypoints.card import KeypointCard, read_card
from spinetk.keypoints.centre import runtime
from spinetk.keypoints.centre.decoding import Found
from spinetk.keypoints.centre.preset import CentrePreset
from spinetk.keypoints.chain import find_chain, find_gaps, inside
from spinetk.keypoints.completion import MIN_COLUMN, complete
from spinetk.keypoints.counting import NAMED, ROOM, Count, Counting
from spinetk.keypoints.ends import with_ends, worth_beyond
from spinetk.keypoints.engine import Engine
from spinetk.keypoints.level_decoding import FINE, ROUGH, contenders
from spinetk.keypoints.logistic import calibrated
from spinetk.keypoints.naming import Evidence, Naming
from spinetk.keypoints.pictures import to_channels
from spinetk.keypoints.sacral_spread import SacralSpread
from spinetk.landmark import Landmark
from spinetk.reading import Reading
from spinetk.vertebra import Vertebra
from spinetk.views import View, rules_of

WEAK_SHARE = 0.4  # of the threshold: enough to fill a gap between two vertebrae that pass it
FEWEST = 3  # bodies, below which a picture is looked at again where a card says so
SMALLER = 0.5  # of the square's side, in that look
SURE = 0.8  # mean confidence of at least as many bodies that it must find: in what shows no spine some are found, too
METAL = "metal"  # which bodies lie beneath some
MARK = "landmark_"  # begins the names of what is found of landmarks, beside that of the bodies
LEAST_OF_KIND = {"s1": 0.1, "femoral_head": 0.4}  # of an unsure S1 the names and the front may still make use
MOST_OF_KIND = {"s1": 2, "femoral_head": 2}


class Predictor:
    """A trained network with a confidence threshold.

    Attributes:
        views, modalities: What it was made for, where its card says so.
        landmark_calibration: By kind of landmark, slope and intercept that make its scores probabilities.
        unmeasured: Kinds of landmark that serve the names alone and stand in no reading.
        on_square, smaller_look: Whether narrow pictures are shown to it on a black square, and whether a picture in
            which hardly a body is found is shown once more, smaller.
        caution: A remark on every reading, from the model's card; empty: none.
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
        self.views: tuple[View, ...] = ()
        self.modalities: tuple[str, ...] = ()

    @classmethod
    def load(
        cls, model: str | Path, threshold: float = USUAL_CONFIDENCE, device: str = "auto", *, graphs: bool = True,
        precision: runtime.Precision = "32-true",
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
        if graphs and runtime.reads(path, device):
            told = read_card(path)
            preset = told.config.preset
            if not isinstance(preset, CentrePreset):
                raise InputError(path, "has graphs beside it that are of another network", "remove them")
            engine = runtime.GraphEngine(path, preset, told.config.schema, precision)
            return cls._by(engine, path.stem, threshold, told)
        if precision != "32-true":
            raise runtime.only_released(precision)
        from spinetk.keypoints.torch_engine import TorchEngine, open_network

        network, card = open_network(path)
        return cls._by(TorchEngine(network, device), path.stem, threshold, card)

    @classmethod
    def _by(cls, engine: Engine, name: str, threshold: float, card: KeypointCard | None) -> Predictor:
        if card is None:
            return cls(engine, name, threshold)
        predictor = cls(engine, name, threshold, card.calibration, card.naming, card.fronts, card.counting)
        predictor.views, predictor.modalities = card.views, card.modalities
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
        told = [
            sacrum.named(replace(own, facing=sacrum.facing(own, self.fronts)), self.naming, found)
            for own, found in self._columns(shown, thresholds, file, way.frame, view)
        ]
        caution = [self.caution] if self.caution else []
        marks = [[m for m in own.landmarks if self._is_measured(m)] for own in told]
        readings = [
            replace(own, landmarks=seen, interval_scale=self._scales(seen), remarks=[*own.remarks, *caution])
            for own, seen in zip(told, marks, strict=True)
        ]
        return [reading.stored(way) for reading in readings] if way.changes else readings

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
        return column.stored(way) if way.changes else column, sacrum.evidence_of(column, found)

    def _columns(
        self, shown: np.ndarray, thresholds: Sequence[float], file: str, frame: Frame, view: View
    ) -> list[tuple[Reading, Found]]:
        """The column of an upright picture at each threshold, with all landmarks; and all bodies found, in its px."""
        told = self._seen(self._canvas(shown), shown, thresholds, file, frame, view)
        few = [self.smaller_look and len(own.vertebrae) < FEWEST for own, _ in told]
        if not any(few):
            return told
        # A small piece is enlarged until its bodies are larger than any the network met.
        smaller = self._seen(self._canvas(shown, SMALLER), shown, thresholds, file, frame, view)

        # Each threshold by what reaches it: a column is the same, whatever else is asked for beside it.
        return [
            other if own and _is_sure(other[0]) else one for one, other, own in zip(told, smaller, few, strict=True)
        ]

    def _seen(
        self, canvas: Canvas, shown: np.ndarray, thresholds: Sequence[float], file: str, frame: Frame, view: View
    ) -> list[tuple[Reading, Found]]:
        """As :meth:`_columns`, of one look."""
        height, width = shown.shape
        pixels, factors = canvas.pixels, canvas.factors
        found = self._detect(pixels, min(thresholds), self.calibration, self._goes_on(view))
        marks = {key.removeprefix(MARK): found.pop(key) for key in [*found] if key.startswith(MARK)}
        count = complete(self.engine, pixels, found) if self.engine.preset.levels else None
        if count is not None:
            found[METAL] = metal.covered(np.rint(pixels[0] * 255).astype(np.uint8), found["points"], self.schema)
        found["points"] = canvas.to_picture(found["points"])
        found["sigma"] = self._sigma(found["sigma"], factors)
        empty = Reading(file, height, width, self.schema, [], frame, view, self.name)
        empty.landmarks = self._landmarks(marks, canvas, LEAST_OF_KIND, MOST_OF_KIND)
        free = found
        if count is None:
            free = sacrum.above_sacrum(found, empty.landmarks, min(thresholds) * WEAK_SHARE, self.schema)
        columns = [
            self._chained(self._closer(shown, free, own, view), own, replace(empty, threshold=own), count)
            for own in thresholds
        ]
        return [(sacrum.without_stray(sacrum.seated(own)), found) for own in columns]

    def _closer(self, shown: np.ndarray, found: Found, threshold: float, view: View) -> Found:
        """All bodies found in an upright picture, in its px, and what a closer look at its upper edge adds to them."""
        if not self._goes_on(view):
            return found
        place = edge.window(shown, found["points"], found["scores"], self.schema, threshold, threshold * WEAK_SHARE)
        if place is None:
            return found
        part, highest = place

        def worth(points: np.ndarray, scores: np.ndarray, rough: bool) -> np.ndarray:
            return part.is_near(points) if rough else np.ones(len(points), bool)

        seen = self.engine.detect(to_channels(part.shown, self.engine.preset.local_contrast), 0.0, worth)
        own = {
            "points": part.to_picture(seen["points"]),
            "scores": calibrated(seen["scores"], self.calibration),
            "sigma": self._sigma(seen["sigma"], part.factors),
        }
        return edge.added(found, own, self.schema, highest)

    def _scales(self, landmarks: list[Landmark]) -> dict[str, float]:
        return self.scales | ({} if self.sacral_spread is None else self.sacral_spread.of(landmarks, self.scales))

    def _is_measured(self, mark: Landmark) -> bool:
        sure = mark.kind != "s1" or (mark.score or 0.0) >= sacrum.LEAST_SACRUM
        return sure and mark.kind not in self.unmeasured

    def _goes_on(self, view: View) -> bool:
        """Whether a column goes on beyond its sure bodies: a rule of the view, else of what it was made for."""
        known = self.views[0] if view == "unknown" and len(self.views) == 1 else view
        return rules_of(known).dim_ends

    def detections(self, picture: np.ndarray, frame: Frame | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Everything the network sees in a picture, before any ordering: (N, K, 2) points in px, (N,) scores in 0..1.

        The network sees it as :meth:`read` shows it first; points are in px of ``picture`` as stored, in an order that
        a mirror may have changed. The scores are not calibrated.
        """
        shown, way = upright(picture, frame or Frame())
        canvas = self._canvas(shown)
        found = self._detect(canvas.pixels, 0.0, (1.0, 0.0))
        return way.to_stored(canvas.to_picture(found["points"])), found["scores"].astype(np.float64)

    def _sigma(self, blur: np.ndarray, factors: np.ndarray) -> np.ndarray:
        """(..., K) standard deviations in px of the picture."""
        return blur.astype(np.float64) / factors.mean() * (1.0 if self.spread is None else self.spread)

    def count(self, picture: np.ndarray) -> tuple[np.ndarray, Count]:
        """The column of an upright picture (H, W) uint8, (N, K, 2) px, and what the network counts of it.

        Asked of networks that count levels, to fit :class:`spinetk.keypoints.counting.Counting`.
        """
        canvas = self._canvas(picture)
        seen = self._detect(canvas.pixels, self.threshold, self.calibration)
        found = {key: values for key, values in seen.items() if not key.startswith(MARK)}
        count = complete(self.engine, canvas.pixels, found)
        return canvas.to_picture(found["points"]), count

    def _canvas(self, picture: np.ndarray, share: float = 1.0) -> Canvas:
        return Canvas(picture, self.engine.preset, square=self.on_square or share < 1, share=share)

    def landmarks(self, picture: np.ndarray) -> list[Landmark]:
        """Every landmark that the network sees in a picture, sure or not, in px; the scores are not calibrated."""
        canvas = self._canvas(picture)
        found = self.engine.detect(canvas.pixels, 0.0)
        marks = {key.removeprefix(MARK): values for key, values in found.items() if key.startswith(MARK)}
        kept, self.landmark_calibration = self.landmark_calibration, {}
        try:
            return self._landmarks(marks, canvas, {}, {})
        finally:
            self.landmark_calibration = kept

    def _landmarks(
        self, marks: Found, canvas: Canvas, least: Mapping[str, float], most: Mapping[str, int]
    ) -> list[Landmark]:
        """The surest landmarks in px of the picture: at most so many of a kind, none below its least probability."""
        if not marks:
            return []
        from spinetk.keypoints.centre.landmarks import from_body

        kinds, found = self.engine.preset.landmarks, list[Landmark]()
        for k in np.argsort(-marks["scores"], kind="stable"):
            kind = kinds[int(marks["kinds"][k])]
            score = float(calibrated(marks["scores"][k], self.landmark_calibration.get(kind, (1.0, 0.0))))
            seen = [own for own in found if own.kind == kind]
            if score < least.get(kind, 0.0) or len(seen) >= most.get(kind, len(marks["scores"])):
                continue
            points = canvas.to_picture(marks["points"][k])
            own = from_body(kind, points, self.schema, score, self._sigma(marks["sigma"][k], canvas.factors))
            found.append(own)
        return found

    def _detect(
        self, pixels: np.ndarray, threshold: float, calibration: tuple[float, float], goes_on: bool = False
    ) -> Found:
        """Detections in px of the network's input, with calibrated scores; those that no reading can hold may lack."""
        least = threshold * WEAK_SHARE
        levels = self.engine.preset.levels

        def worth(points: np.ndarray, scores: np.ndarray, rough: bool) -> np.ndarray:
            sure = calibrated(scores, calibration)
            if levels:
                return contenders(points, sure, self.schema, ROUGH if rough else FINE)
            if not rough:  # asked before
                return np.ones(len(sure), bool)
            return worth_beyond(points, sure, least, self.schema) if goes_on else sure >= least

        found = self.engine.detect(pixels, least, worth if threshold else None)
        found["scores"] = calibrated(found["scores"], calibration)
        return found

    def _chained(self, found: Found, threshold: float, empty: Reading, count: Count | None = None) -> Reading:
        """The spine among the detections; a weak one is kept only where the sure ones leave a gap.

        Detections that come with a ``count`` are a column already: it is kept from its first sure body to its last, and
        whole when its levels are all there.
        """
        points, scores = found["points"], found["scores"]
        if count is not None:
            sure = np.flatnonzero(scores >= threshold)
            whole = len(sure) >= MIN_COLUMN and count.seen is not None
            kept = list(range(len(points)) if whole else range(sure[0], sure[-1] + 1) if len(sure) else ())
            hidden = metal.remark(found[METAL][kept])
            skips = whole and count.skips(find_gaps(points[kept], self.schema))
            # No probability was fitted on instrumented spines, nor on columns that close up over a gap.
            probability = count.probability(self.counting) if whole and hidden is None and not skips else None
            named = probability is not None and probability >= NAMED
            reading = self._reading(found, kept, empty, count.levels if named else None)
            told = [ROOM] if skips else [count.remark(probability)] if whole else []
            remarks = [*reading.remarks, *([hidden] if hidden else []), *told]
            return replace(reading, label_probability=probability, remarks=remarks)
        candidates = np.flatnonzero(scores >= threshold * WEAK_SHARE)
        chain = candidates[find_chain(points[candidates], scores[candidates], self.schema)]
        sure = np.flatnonzero(scores[chain] >= threshold)
        room = find_gaps(points[chain[sure]], self.schema)
        kept = []
        for place, start in enumerate(sure):
            kept.append(chain[start])
            if place in room:
                kept += list(chain[start + 1 : sure[place + 1]])
        if self._goes_on(empty.view):
            kept = with_ends(points, scores, kept, empty.landmarks, self.schema, threshold * WEAK_SHARE)
        return self._reading(found, kept, empty, None)

    def _reading(self, found: Found, kept: list[int], empty: Reading, names: list[str] | None) -> Reading:
        points, scores = found["points"], found["scores"]
        seen = inside(points[kept], (empty.width, empty.height), self.schema)
        vertebrae = [
            Vertebra.from_points(
                points[k],
                own,
                score=float(scores[k]),
                point_sigma_px=found["sigma"][k],
                label=names[k] if names is not None else None,
            )
            for k, own in zip(kept, seen, strict=True)
        ]
        gaps = find_gaps(points[kept], self.schema)
        remarks = [f"a vertebra may be missing between #{gap + 1} and #{gap + 2} from the top" for gap in gaps]
        cut = [f"#{n}" for n, v in enumerate(vertebrae, start=1) if not v.visible.all()]
        if cut:
            remarks.append(f"cut off by the edge of the picture: vertebra {', '.join(cut)} from the top")
        if "closer" in found and found["closer"][kept].any():
            remarks.append(edge.REMARK)
        return replace(empty, vertebrae=vertebrae, remarks=remarks)


def _is_sure(seen: Reading) -> bool:
    """Whether a smaller look shows a column: bodies enough, and of enough confidence in the mean."""
    scores = [vertebra.score or 0.0 for vertebra in seen.vertebrae]
    return len(scores) >= FEWEST and float(np.mean(scores)) >= SURE

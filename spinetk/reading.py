"""Reading: what is known about one picture, true or predicted: its vertebrae, points and measurements.

Everything that passes between rooms (case files, predictions, measurements, reports) is this object.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from spinetk.errors import InputError
from spinetk.facing import Facing
from spinetk.fields import check_share, digests_from, extras_from, extras_json, scales_from, schema_from
from spinetk.geometry import Frame
from spinetk.landmark import Landmark
from spinetk.ruler import Ruler, rulers_from
from spinetk.schema import KeypointSchema, schema_field
from spinetk.upright import Upright
from spinetk.vertebra import DECIMALS_SCORE, Vertebra, box_of
from spinetk.views import View, checked_view

ABOUT_LEVELS = "levels: "
"""Begins a remark on the level names that a network gave, or on why it gave none."""
SURE_LEVELS = 0.9
"""Least probability of names that are not said to be likely only."""
BARELY_UNSURE = SURE_LEVELS - 10**-DECIMALS_SCORE
"""The greatest below it that a result file can hold."""


@dataclass
class Reading:
    """The vertebrae of one picture, ordered head to foot, with the frame that gives px a size.

    Attributes:
        file: The picture this is about, as the user named it.
        height, width: Size of the stored picture in px.
        schema: Meaning of the points.
        extras: Landmarks that belong to no vertebra (``femoral_head``, ``sacrum_s1_anterior``): (N, 2) px each.
        model: Name of the network, or None for truth.
        slice: Place of the slice or frame that was read, counted from 0, of a volume or series; else None.
        frame_number: Of the DICOM frame that was read, where its file holds several; counted from 1, as DICOM does.
        series: Key of the series that was read, of a folder or file that holds several kinds of images; else None.
        threshold: Least confidence the network was asked for, or None. Bodies below it are marked in their measures.
        label_probability: Probability, fitted on held-out pictures, that the level names a network gave are right, or
            would be where it was too small to give them; None where nothing was counted or a person named the levels.
        facing: The patient's front, once it was found or told; None while it is unknown or the view has none.
        not_graded: Why no grade may be claimed of this picture whatever its heights (the model was made for other
            pictures); None where one may.
        angles: Filled by ``spinetk.measure``: ``cobb_max``, ``cobb_upper``, ``cobb_lower``, ``lordosis_l1_l5``, ... in
            degrees, or None where not determinable.
        remarks: Short sentences for the user (e.g. "detector-plane spacing: heights in mm are magnified").
        landmarks: The first sacral endplate and the femoral heads, where they were looked for and seen.
        rulers: Lengths and angles that a reader has drawn.
        interval_scale: By kind (:data:`spinetk.measure.uncertainty.KINDS`), how much wider intervals are than points
            make them, as fitted on patients new to the network; a kind that is not there was not fitted. By name
            (``SACRAL``, ibid.), the same for what rests on an S1 endplate as surely seen as this one.
        pixels_sha256: Digest of the picture that was read (:func:`spinetk.images.picture.pixel_hash` of its 8-bit
            window), so that another one in its place is noticed; None where none was taken.
        stored_sha256: The same of what its file stores of it (:attr:`spinetk.images.picture.Picture.stored_sha256`):
            where one of the two is the same, it is the same picture.
    """

    file: str
    height: int
    width: int
    schema: KeypointSchema
    vertebrae: list[Vertebra] = field(default_factory=list)
    frame: Frame = field(default_factory=Frame)
    view: View = "unknown"
    model: str | None = None
    angles: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    extras: dict[str, np.ndarray] = field(default_factory=dict)
    landmarks: list[Landmark] = field(default_factory=list)
    rulers: list[Ruler] = field(default_factory=list)
    slice: int | None = None
    series: str | None = None
    threshold: float | None = None
    label_probability: float | None = None
    facing: Facing | None = None
    not_graded: str | None = None
    interval_scale: dict[str, float] = field(default_factory=dict)
    pixels_sha256: str | None = None
    frame_number: int | None = None
    stored_sha256: str | None = None

    def upright(self, way: Upright) -> Reading:
        """The reading in px of the upright picture of ``way``; not measured."""
        return self.moved(way.matrix, way.size, way.frame)

    def stored(self, way: Upright) -> Reading:
        """Inverse of :meth:`upright`: the reading in px of the picture as stored; not measured."""
        matrix = way.matrix
        back = np.linalg.inv(matrix[:, :2])
        return self.moved(np.column_stack([back, -back @ matrix[:, 2]]), way.stored, way.stored_frame)

    def turned(self, orientation: int) -> Reading:
        """The reading after its picture was turned as an EXIF ``orientation`` (1..8) says; not measured."""
        size = (self.height, self.width) if orientation < 5 else (self.width, self.height)
        way = Upright((self.height, self.width), self.frame, orientation, size, self.frame.turned(orientation))
        return self.upright(way)

    def flipped(self) -> Reading:
        """The reading after a left-right mirror of its picture; not measured."""
        return self.turned(2)

    def resized(self, height: int, width: int) -> Reading:
        """The reading after its picture was resized to this many px; the spacing follows; not measured."""
        factors = width / self.width, height / self.height
        matrix = np.array([[factors[0], 0, 0], [0, factors[1], 0]])
        return self.moved(matrix, (height, width), self.frame.resized(*factors))

    def cropped(self, x0: int, y0: int, x1: int, y1: int) -> Reading:
        """The reading of columns x0 to x1 and rows y0 to y1 of its picture; not measured.

        Points outside become invisible, boxes end at the edge, and a vertebra with no visible point left is dropped.
        """
        size = (y1 - y0, x1 - x0)
        found = self.moved(np.array([[1.0, 0, -x0], [0, 1, -y0]]), size, self.frame)
        kept = []
        for vertebra in found.vertebrae:
            inside = ((vertebra.points >= 0) & (vertebra.points <= size[::-1])).all(axis=1)
            box = np.clip(np.reshape(vertebra.bbox, (2, 2)), 0, size[::-1]).ravel().tolist()
            if (vertebra.visible & inside).any():
                kept.append(replace(vertebra, visible=vertebra.visible & inside, bbox=box_of(box)))
        seen = [own for own in found.landmarks if ((own.points >= 0) & (own.points <= size[::-1])).all()]
        drawn = [own for own in found.rulers if ((own.points >= 0) & (own.points <= size[::-1])).all()]
        return replace(found, vertebrae=kept, landmarks=seen, rulers=drawn)

    def moved(self, matrix: np.ndarray, size: tuple[int, int], frame: Frame) -> Reading:
        """The reading after its picture was moved: everything it holds carried along, nothing measured.

        Args:
            matrix: (2, 3), as of :meth:`Vertebra.moved`.
            size: (H, W) of the moved picture.
            frame: Of the moved picture.
        """
        vertebrae = [vertebra.moved(matrix, self.schema) for vertebra in self.vertebrae]
        extras = {name: points @ matrix[:, :2].T + matrix[:, 2] for name, points in self.extras.items()}
        height, width = size
        landmarks = [landmark.moved(matrix) for landmark in self.landmarks]
        changed: dict[str, Any] = {"vertebrae": vertebrae, "extras": extras, "landmarks": landmarks}
        changed["rulers"] = [ruler.moved(matrix) for ruler in self.rulers]
        # The front is about the picture as it is looked at, which EXIF may mirror.
        mirrored = (np.linalg.det(matrix[:, :2]) < 0) != (self.frame.shown_mirrored != frame.shown_mirrored)
        if self.facing is not None and mirrored:
            changed["facing"] = replace(self.facing, side="left" if self.facing.side == "right" else "right")
        changed |= {"pixels_sha256": None, "stored_sha256": None}  # moved px are another picture's
        return replace(self, height=height, width=width, frame=frame, angles={}, **changed)

    def rounded(self) -> Reading:
        """The reading with the numbers that a result file holds of it."""
        vertebrae = [vertebra.rounded() for vertebra in self.vertebrae]
        landmarks = [Landmark.from_json(landmark.to_json(), self.file) for landmark in self.landmarks]
        return replace(self, vertebrae=vertebrae, landmarks=landmarks, label_probability=self._label_probability)

    def keeps_names(self, vertebrae: Sequence[Vertebra]) -> bool:
        """Whether the names of a correction's bodies are those of the reading, some of which may be gone with theirs.

        Who removes a body, or adds one without a name, has said nothing of the names that stay.
        """
        own, names = ([one.label for one in bodies if one.label] for bodies in (self.vertebrae, vertebrae))
        gone = len(own) - len(names)  # more than bodies: a person took them away
        rest = iter(own)
        return gone <= max(0, len(self.vertebrae) - len(vertebrae)) and all(name in rest for name in names)

    def named_by_person(self) -> Reading:
        """The reading without what was said of a network's level names, now that a person has given others."""
        remarks = [remark for remark in self.remarks if not remark.startswith(ABOUT_LEVELS)]
        return replace(self, label_probability=None, remarks=remarks)

    def probability_of(self, vertebra: Vertebra) -> float | None:
        """That the name of a vertebra is right; None where it has none or a person gave it."""
        return None if vertebra.label is None else self._label_probability

    @property
    def levels_are_unsure(self) -> bool:
        """Whether the names of its vertebrae are likely, but not sure (less than ``SURE_LEVELS``)."""
        sure = self.label_probability
        return sure is not None and sure < SURE_LEVELS and any(vertebra.label for vertebra in self.vertebrae)

    @property
    def _label_probability(self) -> float | None:
        """As a result file keeps it: never rounded up to ``SURE_LEVELS``, by which remark and marks were told."""
        value = self.label_probability
        if value is None:
            return None
        return round(min(value, BARELY_UNSURE) if value < SURE_LEVELS else float(value), DECIMALS_SCORE)

    def to_json(self) -> dict[str, Any]:
        """The result file of design: strict JSON content (every number finite)."""
        kept = {
            "slice": self.slice,
            "frame_number": self.frame_number,
            "series": self.series,
            "pixels_sha256": self.pixels_sha256,
            "stored_sha256": self.stored_sha256,
            "threshold": self.threshold,
            "label_probability": self._label_probability,
            "facing": self.facing.to_json() if self.facing else None,
            "not_graded": self.not_graded,
            "interval_scale": self.interval_scale or None,
        }
        content = {
            "file": self.file,
            "height": self.height,
            "width": self.width,
            "model": self.model,
            "view": self.view,
            **{key: value for key, value in kept.items() if value is not None},
            **self.frame.to_json(),
            "schema": schema_field(self.schema),
            "vertebrae": [vertebra.to_json(self.schema, self._told_of(vertebra)) for vertebra in self.vertebrae],
            **({"landmarks": [landmark.to_json() for landmark in self.landmarks]} if self.landmarks else {}),
            **({"rulers": [ruler.to_json(self.frame) for ruler in self.rulers]} if self.rulers else {}),
            "angles": self.angles,
            "remarks": self.remarks,
        }
        return content | ({"extras": extras_json(self.extras)} if self.extras else {})

    def _told_of(self, vertebra: Vertebra) -> dict[str, float | None]:
        return {} if self.label_probability is None else {"label_probability": self.probability_of(vertebra)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any], source: str = "result") -> Reading:
        """Read a result file back, measurements included.

        Raises:
            InputError: A field is missing or malformed; the message names ``source`` and the field.
        """
        try:
            sure = content.get("label_probability")
            entries = content["vertebrae"]
            schema = schema_from(content.get("schema"), entries, source)
            vertebrae = [Vertebra.from_json(entry, schema, source) for entry in entries]
            digests = digests_from(content, source)
            for field in ("threshold", "label_probability"):
                check_share(content.get(field), field, source)
            if not (int(content["height"]) > 0 and int(content["width"]) > 0):
                raise InputError(source, "field 'height' or 'width' is no size in px", "give that of the picture")
            return cls(
                file=str(content["file"]),
                height=int(content["height"]),
                width=int(content["width"]),
                schema=schema,
                vertebrae=vertebrae,
                frame=Frame.from_json(content, source),
                view=checked_view(content.get("view", "unknown"), source),
                model=content.get("model"),
                slice=None if content.get("slice") is None else int(content["slice"]),
                frame_number=None if content.get("frame_number") is None else int(content["frame_number"]),
                series=None if content.get("series") is None else str(content["series"]),
                **digests,
                threshold=content.get("threshold"),
                label_probability=None if sure is None else float(sure),
                facing=Facing.from_json(content["facing"], source) if content.get("facing") else None,
                not_graded=content.get("not_graded"),
                interval_scale=scales_from(content.get("interval_scale") or {}),
                angles=dict(content.get("angles") or {}),
                remarks=list(content.get("remarks") or []),
                extras=extras_from(content.get("extras"), source),
                landmarks=[Landmark.from_json(entry, source) for entry in content.get("landmarks") or []],
                rulers=rulers_from(content.get("rulers"), source),
            )
        except InputError:
            raise
        except KeyError as error:
            raise InputError(
                source, f"field {error} is missing", "give a result written by `spinetk predict`"
            ) from error
        except (TypeError, ValueError, AttributeError, OverflowError) as error:
            why = str(error).split(". ")[0].rstrip(".")
            raise InputError(source, f"is not a spinetk result: {why}", "give a JSON of `spinetk predict`") from error

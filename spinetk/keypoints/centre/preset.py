"""CentrePreset: the sizes of a :class:`spinetk.keypoints.centre.network.CentreNet`, stored beside its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, StrictBool, StrictStr

from spinetk.anchor import spine_with
from spinetk.errors import InputError
from spinetk.validation import STRICT, above, between, validated

Px = Annotated[int, between(32, 4096)]  # a side of a network's input
Channels = Annotated[int, between(1, 1024)]
Multiple = Annotated[float, above(0, 10)]


@dataclass(frozen=True)
class CentrePreset:
    """Architecture of a centre network.

    Attributes:
        short_px, long_px: As in :class:`spinetk.keypoints.preset.Preset`: the size of the network's input, from which
            the refining crops are taken. The centre map is computed at half of it.
        channels: Channels of the feature pyramid.
        levels: Names, head to foot, of the levels it can tell apart, each the neighbour of the next (T13 and L6 where
            they are named); empty when it is not to name any.
        crop_px: Side of a refining crop; its maps have half as many cells per side.
        crop_share: Size of a crop as a multiple of the body's (width, height).
        crop_widths: Channels of the refining network at 1/2, 1/4 and 1/8 of the crop.
        crops: Bodies per picture that the refining network is trained on.
        detections: Vertebrae per picture at most.
        landmarks: Kinds of :mod:`spinetk.landmark` that it finds beside the bodies, each with a centre map, offsets and
            refining maps of its own.
        landmark_channels: Channels of layers between the bodies' features and the landmarks' maps; 0: none, both are
            read from the same. With layers of their own, landmarks can be taught to a finished network whose bodies
            stay as they are, to the last bit.
        endplate_refine: Whether S1 is refined by a network of its own, instead of by maps of its own.
        endplate_passes: How often S1 is refined: a second time is no gain where its own layers were taught better than
            the refining network was.
        lumbosacral_look: Whether a network of its own tells by a body's surroundings whether it is L5
            (:mod:`spinetk.keypoints.centre.lumbosacral`).
        mirror: Whether a mirrored picture is as good as the picture itself, for training and for looking twice.
        box_margin, local_contrast: As in :class:`spinetk.keypoints.preset.Preset`.
    """

    __pydantic_config__ = STRICT

    name: StrictStr
    short_px: Annotated[tuple[Px, ...], Field(min_length=1, max_length=16)]
    long_px: Px
    levels: Annotated[tuple[StrictStr, ...], Field(max_length=40)] = ()
    channels: Channels = 64
    crop_px: Annotated[int, between(16, 512), Field(multiple_of=8)] = 80
    crop_share: tuple[Multiple, Multiple] = (1.7, 2.4)
    crop_widths: tuple[Channels, Channels, Channels] = (32, 64, 96)
    crops: Annotated[int, between(1, 1000)] = 10
    detections: Annotated[int, between(1, 1000)] = 40
    mirror: StrictBool = True
    box_margin: Annotated[float, between(0, 1)] = 0.0
    local_contrast: StrictBool = True
    landmarks: Annotated[tuple[StrictStr, ...], Field(max_length=16)] = ()
    landmark_channels: Annotated[int, between(0, 1024)] = 0
    endplate_refine: StrictBool = False
    endplate_passes: Annotated[int, between(1, 2)] = 2
    lumbosacral_look: StrictBool = False
    # What only Keypoint R-CNNs choose (Preset).
    kind: ClassVar[str] = "centre"
    body: ClassVar[str] = "resnet18"
    layout: ClassVar[str] = "torchvision"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON content."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any], source: str | Path = "preset") -> CentrePreset:
        """Inverse of :meth:`to_json` (lists become tuples); raises ``InputError`` naming ``source`` and the field."""
        return validated(cls, content, source)

    def __post_init__(self) -> None:
        spine, first = spine_with(self.levels), self.levels[:1]
        begin = spine.index(first[0]) if first and first[0] in spine else 0
        if tuple(spine[begin : begin + len(self.levels)]) != self.levels:
            fault = f"has levels that do not follow each other along a spine: {', '.join(self.levels)}"
            raise InputError(f"preset {self.name!r}", fault, "name neighbours, head to foot, from C1 to S1")
        if self.endplate_refine and "s1" not in self.landmarks:
            fault = "has a refining network for S1 (endplate_refine), but does not look for it"
            raise InputError(f"preset {self.name!r}", fault, "give it the landmark 's1', or leave that out")


THORACOLUMBAR = (*(f"T{n}" for n in range(1, 13)), *(f"L{n}" for n in range(1, 6)))

# Whole-spine frontal films: a thoracic body is 30 to 40 px high at this size. Seventeen levels, T1 to L5. Not mirrored:
# heart and aorta shade one side, and readers place the corners of that side differently.
CENTRE_AP = CentrePreset("centre-ap", short_px=(512,), long_px=1024, levels=THORACOLUMBAR, mirror=False)
# Sagittal slices, which show five to twelve bodies: 35 to 60 px high.
CENTRE = CentrePreset("centre", short_px=(512,), long_px=512)
# The same, which sees the sacrum too: bodies first, then S1 by layers of its own.
CENTRE_MR = CentrePreset("centre-mr", short_px=(512,), long_px=512, landmarks=("s1",), landmark_channels=48)
# Lateral films, which may show the whole spine: from 20 px.
CENTRE_LATERAL = CentrePreset("centre-lateral", short_px=(768,), long_px=768, landmarks=("s1", "femoral_head"))

"""What makes images at one place different: echo, image type, time point, contrast agent, b-value, dimensions, station.

Some traits always part images (``TRAITS``). Others (``FINER``, dimension indices, the order in which the images were
numbered) differ between slices of one volume too, and part images only where several lie at one place.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spinetk.images.elements import functional_group, integer, items, number, numbers, raw, word, words
from spinetk.images.reformat import Plane

if TYPE_CHECKING:
    from pydicom import Dataset

# Name in words, keyword in a classic object, functional group and keyword in an enhanced one, unit.
NUMBERS = (
    ("series number", "SeriesNumber", None, "SeriesNumber", ""),
    ("echo", "EchoNumbers", None, "EchoNumbers", ""),
    ("echo time", "EchoTime", "MREchoSequence", "EffectiveEchoTime", " ms"),
    ("time point", "TemporalPositionIdentifier", "FrameContentSequence", "TemporalPositionIndex", ""),
    ("b-value", "DiffusionBValue", "MRDiffusionSequence", "DiffusionBValue", " s/mm2"),
    ("tube voltage", "KVP", "CTXRayDetailsSequence", "KVP", " kV"),
)
FRAME_TYPES = ("MRImageFrameTypeSequence", "CTImageFrameTypeSequence", "PETFrameTypeSequence")
FINER = (
    ("inversion time", "InversionTime", "MRModifierSequence", "InversionTimes", " ms"),
    ("flip angle", "FlipAngle", "MRTimingAndRelatedParametersSequence", "FlipAngle", " degrees"),
    ("trigger time", "TriggerTime", "CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime", " ms"),
    ("acquisition", "AcquisitionNumber", "FrameContentSequence", "FrameAcquisitionNumber", ""),
)
# Pointers of dimensions that say where a frame lies, not what it shows: StackID, InStackPositionNumber,
# ImagePositionPatient, ImageOrientationPatient, and the time of its slice.
PLACES = frozenset({0x00209056, 0x00209057, 0x00200032, 0x00200037, 0x00189074})
PROJECTED = frozenset({"MAX_IP", "MIN_IP", "MIP", "MINIP", "PROJECTION", "VOLUME_RENDER", "SURFACE_RENDER"})
STATION = 0.25
"""Least distance of stations, as a share of the shorter side of the picture."""
PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ .-")
Traits = dict[str, str]


@dataclass(frozen=True)
class Slice:
    """An image of a series, and where it lies.

    Attributes:
        plane: Its place; ``index`` is its number in the file or folder.
        path: Its file, or None for the frame of one file.
        traits: Name and value of what always parts images.
        finer: The same of what parts them only at one place.
    """

    plane: Plane
    path: Path | None = None
    traits: Traits = field(default_factory=dict)
    finer: Traits = field(default_factory=dict)


def read_traits(dataset: Dataset, frame: int) -> tuple[Traits, Traits]:
    """Traits that always part images, and the finer ones, of one frame; no patient text."""
    traits = _numbers(dataset, frame, NUMBERS)
    kind = words(dataset, "ImageType")
    for macro in FRAME_TYPES:
        group = functional_group(dataset, frame, macro)
        if group is not None:
            derived = word(group, "VolumeBasedCalculationTechnique").replace("NONE", "")
            kind = (*(words(group, "FrameType") or kind), word(group, "ComplexImageComponent"))
            kind = (*kind, *((derived,) if derived not in kind else ()))
    shown = [part for part in kind if part and set(part) <= PLAIN]
    if shown:
        traits["image type"] = " ".join(shown)
    kernel = word(dataset, "ConvolutionKernel")
    if kernel and set(kernel) <= PLAIN:
        traits["kernel"] = kernel
    usage = functional_group(dataset, frame, "ContrastBolusUsageSequence")
    given = (
        word(usage, "ContrastBolusAgentAdministered") == "YES" if usage else bool(word(dataset, "ContrastBolusAgent"))
    )
    traits["contrast agent"] = "yes" if given else "no"

    finer = _numbers(dataset, frame, FINER)
    group = functional_group(dataset, frame, "MRDiffusionSequence")
    direction = numbers(dataset if group is None else group, "DiffusionGradientOrientation")
    if direction:
        finer["gradient"] = " ".join(f"{v:.2f}" for v in direction)
    content = functional_group(dataset, frame, "FrameContentSequence")
    if content is not None:
        values = numbers(content, "DimensionIndexValues")
        for number_, (value, item) in enumerate(zip(values, items(dataset, "DimensionIndexSequence"), strict=False), 1):
            if raw(item, "DimensionIndexPointer") not in PLACES:
                finer[f"dimension {number_}"] = f"{value:g}"
    instance = integer(dataset, "InstanceNumber")
    finer["instance"] = f"{frame if content is not None or instance is None else instance:09}"
    return traits, finer


def _numbers(dataset: Dataset, frame: int, table: Sequence[tuple[str, str, str | None, str, str]]) -> Traits:
    found = {}
    for name, classic, macro, keyword, unit in table:
        value = number(dataset, classic)
        group = functional_group(dataset, frame, macro) if macro else None
        if group is not None and (inner := number(group, keyword)) is not None:
            value = inner
        if value is not None:
            found[name] = f"{value:.4g}{unit}"
    return found


def split(slices: list[Slice]) -> list[list[Slice]]:
    """Images of one series, size and orientation as stacks that each show one thing, usual ones first.

    Where images alike in all traits lie at one place, and equally many at every place, the n-th of each place by
    number belong together. Of stations (neck and loin in one series) the lowest comes first.
    """
    stacks = _parted(slices, lambda entry: tuple(sorted(entry.traits.items())))
    stacks = [part for stack in stacks for part in _stations(stack)]
    names = sorted({name for entry in slices for name in entry.finer} - {"instance"})
    for name in names:
        stacks = [part for stack in stacks for part in _finer(stack, name)]
    stacks = [part for stack in stacks for part in _repeated(stack)]
    return sorted(stacks, key=lambda stack: (-len(stack), *_unusual(stack[0])))


def _parted(slices: list[Slice], key: Callable[[Slice], Hashable]) -> list[list[Slice]]:
    parts: dict[Hashable, list[Slice]] = defaultdict(list)
    for entry in slices:
        parts[key(entry)].append(entry)
    return list(parts.values())


def _place(entry: Slice) -> tuple[float, ...]:
    return tuple(np.round(entry.plane.position, 2) + 0.0)


def _stations(stack: list[Slice]) -> list[list[Slice]]:
    """The stack parted where it shows several stretches of the body, one beside the other in the plane of its slices.

    The slices of a tilted gantry move on in their plane, too, but by little from one to the next; those of two stations
    lie ``STATION`` of the picture apart, at the same depths.
    """
    first = stack[0].plane
    if not all(entry.plane.scaled for entry in stack) or not min(first.size):
        return [stack]
    places = np.array([entry.plane.position for entry in stack])
    within = places @ np.column_stack([first.right, first.down])
    least = STATION * min(side * step for side, step in zip(first.size, first.spacing_mm, strict=True))
    rest, parts = np.arange(1, len(stack)), [[0]]
    while len(rest):
        for member in parts[-1]:  # grows on the way
            near = np.linalg.norm(within[rest] - within[member], axis=1) < least
            parts[-1] += rest[near].tolist()
            rest = rest[~near]
        if len(rest):
            parts.append([int(rest[0])])
            rest = rest[1:]
    depths = [places[part] @ first.normal for part in parts]
    spans = sorted((own.min(), own.max()) for own in depths)
    if len(parts) < 2 or all(after[0] > before[1] for before, after in pairwise(spans)):
        return [stack]
    parts.sort(key=lambda part: -float(places[part, 2].mean()))
    for station, part in enumerate(parts, start=1):
        for k in part:
            stack[k].traits["station"] = str(station)
    return [[stack[k] for k in part] for part in parts]


def _finer(stack: list[Slice], name: str) -> list[list[Slice]]:
    """The stack parted by a finer trait, where that leaves fewer images at one place."""
    if len({_place(entry) for entry in stack}) == len(stack):
        return [stack]
    parts = _parted(stack, lambda entry: entry.finer.get(name))
    most = max(max(Counter(map(_place, part)).values()) for part in parts)
    return parts if most < max(Counter(map(_place, stack)).values()) else [stack]


def _repeated(stack: list[Slice]) -> list[list[Slice]]:
    counts = Counter(map(_place, stack))
    times = counts.most_common(1)[0][1]
    instances = {entry.finer.get("instance") for entry in stack}
    if times == 1 or set(counts.values()) != {times} or len(counts) == 1 or len(instances) < len(stack):
        return [stack]
    seen: Counter[tuple[float, ...]] = Counter()
    parts: list[list[Slice]] = [[] for _ in range(times)]
    for entry in sorted(stack, key=lambda entry: entry.finer["instance"]):
        entry.traits["repetition"] = str(seen[_place(entry)] + 1)
        parts[seen[_place(entry)]].append(entry)
        seen[_place(entry)] += 1
    return parts


def _unusual(entry: Slice) -> tuple[Any, ...]:
    """Sorts usual ones first.

    Slices before projections, originals before what was derived from them, magnitude before phase, native before
    enhanced, the lowest station, low values.
    """
    kind = entry.traits.get("image type", "").split()
    values = {**entry.traits, **entry.finer}
    order = tuple(_value(values.get(name)) for name in (*(name for name, *_ in (*NUMBERS, *FINER)), "repetition"))
    phase = bool({"P", "PHASE", "R", "REAL", "I", "IMAGINARY"} & set(kind[2:]))
    lowest = -_value(values.get("station"))
    projected = bool(PROJECTED & set(kind))
    return projected, "DERIVED" in kind, phase, values.get("contrast agent") == "yes", lowest, order


def _value(text: str | None) -> float:
    try:
        return float((text or "").split(" ")[0])
    except ValueError:
        return 0.0


def describe_stacks(stacks: Sequence[list[Slice]]) -> list[str]:
    """One line each: how many slices of which plane, and the traits in which they differ from the others."""
    all_traits = [{**stack[0].finer, **stack[0].traits} for stack in stacks]
    fixed = [
        {k for k in own if len({(e.finer | e.traits).get(k) for e in stack}) == 1}
        for own, stack in zip(all_traits, stacks, strict=True)
    ]
    names = [name for name in dict.fromkeys(name for own in all_traits for name in own) if name != "instance"]
    differing = [name for name in names if len({own.get(name) for own in all_traits}) > 1]
    lines = []
    for stack, own, sure in zip(stacks, all_traits, fixed, strict=True):
        plane = ("sagittal", "coronal", "axial")[int(np.argmax(np.abs(stack[0].plane.normal)))]
        count = f"{len(stack)} {plane} slice{'s' * (len(stack) > 1)}"
        height, width = stack[0].plane.size
        facts = [f"{name} {own[name]}" for name in differing if name in own and name in sure]
        lines.append(", ".join([f"{count} of {width} x {height} px", *facts]))
    return lines

"""KeypointSchema: the single description of a landmark set.

Head size, left-right swap under mirroring, OKS sigmas, COCO categories and drawing all come from one object, so that
none of them can disagree (the original kept 4 sigmas and an empty flip map for 6 points).
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, StrictStr

from spinetk.errors import InputError
from spinetk.validation import STRICT, above, validated

if TYPE_CHECKING:
    import numpy as np

Pair = tuple[StrictStr, StrictStr]
MOST_POINTS = 64


SIDES = {"left": "right", "right": "left"}


def _left_and_right(names: Sequence[str], where: str) -> list[Pair]:
    """(left, right) for all names with one of these words in them, ``top_left``, ``topLeft`` or ``left-pedicle``.

    Raises:
        InputError: One side has no other.
    """
    known = {name.lower(): name for name in names}
    pairs = []
    for name in names:
        words = [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)]
        side = next((word for word in words if word in SIDES), None)
        if side is None:
            continue
        wanted = re.sub(side, lambda found: _like(found[0], SIDES[found[0].lower()]), name, flags=re.IGNORECASE)
        other = known.get(wanted.lower())
        if other is None:
            fault = f"has {name!r} and no {wanted!r}"
            raise InputError(where, fault, "a mirrored picture needs both; add it, or name the point otherwise")
        if side == "left":
            pairs.append((name, other))
    return pairs


def _like(word: str, other: str) -> str:
    """The other word, with the capitals of the first."""
    return other.upper() if word.isupper() else other.capitalize() if word[0].isupper() else other


@dataclass(frozen=True)
class KeypointSchema:
    """Names and relations of the K landmarks of one object.

    Attributes:
        name: Short identifier, e.g. ``vertebra6``.
        keypoints: The K names, in storage order.
        swap: Pairs of names exchanged when the picture is mirrored left-right. Names in no pair keep theirs. Where the
            names themselves say left and right, the pairs follow from them and may be left out; others are refused, and
            so is a left without its right: the original trained with no pairs at all, half of its labels against the
            other half.
        skeleton: Pairs of names joined by a line when drawn.
        sigmas: K OKS constants sigma_k, one per name: the standard deviation of repeated readings of that point
            divided by sqrt(object area). OKS = mean_k exp(-d_k^2 / (2 area (2 sigma_k)^2)) (COCO keypoint evaluation).
        columns: Anatomical role: column name (``left``, ``middle``, ``right``) to its (top, bottom) pair of names.
            The distance within a pair is a vertebral height.
        category: COCO category name of the object.
    """

    __pydantic_config__ = STRICT

    name: StrictStr
    keypoints: Annotated[tuple[StrictStr, ...], Field(max_length=MOST_POINTS)]
    swap: Annotated[tuple[Pair, ...], Field(max_length=MOST_POINTS)] = ()
    skeleton: Annotated[tuple[Pair, ...], Field(max_length=MOST_POINTS**2)] = ()
    sigmas: Annotated[tuple[Annotated[float, above(0, 10)], ...], Field(max_length=MOST_POINTS)] = ()
    columns: Annotated[Mapping[StrictStr, Pair], Field(max_length=MOST_POINTS)] = field(default_factory=dict)
    category: StrictStr = "vertebra"

    def __post_init__(self) -> None:
        where = f"keypoint schema {self.name!r}"
        if not self.keypoints:
            raise InputError(where, "has no keypoints", "list at least one name under 'keypoints'")
        if len(set(self.keypoints)) != len(self.keypoints):
            raise InputError(where, "repeats a keypoint name", "make the names unique")
        if not self.sigmas:
            object.__setattr__(self, "sigmas", (DEFAULT_SIGMA,) * len(self.keypoints))
        if len(self.sigmas) != len(self.keypoints):
            fault = f"has {len(self.sigmas)} sigmas for {len(self.keypoints)} keypoints"
            raise InputError(where, fault, "give one sigma per keypoint, or none")
        if not all(math.isfinite(s) and s > 0 for s in self.sigmas):
            raise InputError(where, "has a sigma that is not a positive number", "sigmas are SD / sqrt(area)")
        pairs = {"swap": self.swap, "skeleton": self.skeleton, "columns": tuple(self.columns.values())}
        for what, entries in pairs.items():
            for pair in entries:
                if len(pair) != 2 or not set(pair) <= set(self.keypoints):
                    raise InputError(
                        where,
                        f"{what} entry {pair!r} is not a pair of its keypoints",
                        f"use two of {', '.join(self.keypoints)}",
                    )
        swapped = [name for pair in self.swap for name in pair]
        if len(set(swapped)) != len(swapped):
            raise InputError(where, "swaps a keypoint twice", "each name may stand in one swap pair")
        partner = dict(self.swap) | {b: a for a, b in self.swap}
        by_names = _left_and_right(self.keypoints, where)
        for left, right in by_names:
            given = {partner.get(left, right), partner.get(right, left)}
            if given != {left, right}:
                other = sorted(given - {left, right})[0]
                fault = f"swaps {left!r} or {right!r} with {other!r}, against their names"
                raise InputError(where, fault, "pair each left with its right, or leave 'swap' out")
        object.__setattr__(self, "swap", self.swap + tuple(pair for pair in by_names if pair[0] not in partner))

    def __len__(self) -> int:
        return len(self.keypoints)

    def index(self, name: str) -> int:
        """Position of a keypoint name in the storage order."""
        return self.keypoints.index(name)

    def walk(self, visible: np.ndarray) -> list[int]:
        """Positions of the visible points, (K,) bool, in the order of a walk around the skeleton, else as stored."""
        neighbours: dict[int, list[int]] = {k: [] for k in range(len(self))}
        for a, b in self.edges:
            neighbours[a].append(b)
            neighbours[b].append(a)
        walk = [0]
        while len(walk) < len(self):
            onward = [k for k in neighbours[walk[-1]] if k not in walk]
            if not onward:
                break
            walk.append(onward[0])
        order = walk if len(walk) == len(self) else range(len(self))
        return [k for k in order if visible[k]]

    @cached_property
    def flip_indices(self) -> tuple[int, ...]:
        """Permutation p such that ``points[p]`` restores the names after the picture was mirrored left-right."""
        partner = dict(self.swap) | {b: a for a, b in self.swap}
        return tuple(self.index(partner.get(name, name)) for name in self.keypoints)

    @cached_property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """Skeleton as 0-based index pairs."""
        return tuple((self.index(a), self.index(b)) for a, b in self.skeleton)

    def mirror(self, points: np.ndarray, width_px: float) -> np.ndarray:
        """Mirror points left-right in a picture ``width_px`` wide and put every name back on its side.

        Args:
            points: (..., K, 2) or (..., K, C >= 2) array; column 0 is x in px (pixel centres at integer + 0.5).
            width_px: Width of the picture.

        Returns:
            A new array of the same shape. Mirroring twice is the identity.
        """
        import numpy as np  # the list of networks needs none

        mirrored = np.array(points, dtype=np.float64)
        mirrored[..., 0] = width_px - mirrored[..., 0]
        return mirrored[..., list(self.flip_indices), :]

    def coco_category(self, category_id: int = 1) -> dict[str, Any]:
        """The COCO ``categories`` entry (skeleton 1-based, as the format asks)."""
        return {
            "id": category_id,
            "name": self.category,
            "supercategory": "spine",
            "keypoints": list(self.keypoints),
            "skeleton": [[a + 1, b + 1] for a, b in self.edges],
        }

    def with_sigmas(self, sigmas: Sequence[float]) -> KeypointSchema:
        """The same schema with other OKS constants."""
        return replace(self, sigmas=tuple(float(s) for s in sigmas))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON content, read back by :meth:`from_json`."""
        return {
            "name": self.name,
            "keypoints": list(self.keypoints),
            "swap": [list(pair) for pair in self.swap],
            "skeleton": [list(pair) for pair in self.skeleton],
            "sigmas": list(self.sigmas),
            "columns": {name: list(pair) for name, pair in self.columns.items()},
            "category": self.category,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any], source: str | Path = "keypoint schema") -> KeypointSchema:
        """Build a schema from JSON or TOML content; raises ``InputError`` naming ``source`` and the field."""
        named = {"name": Path(source).stem, **content} if isinstance(content, Mapping) else content
        return validated(cls, named, source)


# 1 mm of reading noise on a vertebral body of about 28 mm x 28 mm. An assumption: replace it by your own
# repeat readings through `KeypointSchema.with_sigmas`.
DEFAULT_SIGMA = 0.035

VERTEBRA6 = KeypointSchema(
    name="vertebra6",
    keypoints=("bottom_left", "bottom_middle", "bottom_right", "top_right", "top_middle", "top_left"),
    swap=(("bottom_left", "bottom_right"), ("top_left", "top_right")),
    skeleton=(
        ("bottom_left", "bottom_middle"),
        ("bottom_middle", "bottom_right"),
        ("bottom_right", "top_right"),
        ("top_right", "top_middle"),
        ("top_middle", "top_left"),
        ("top_left", "bottom_left"),
    ),
    columns={
        "left": ("top_left", "bottom_left"),
        "middle": ("top_middle", "bottom_middle"),
        "right": ("top_right", "bottom_right"),
    },
)

VERTEBRA4 = KeypointSchema(
    name="vertebra4",
    keypoints=("top_left", "top_right", "bottom_left", "bottom_right"),
    swap=(("top_left", "top_right"), ("bottom_left", "bottom_right")),
    skeleton=(
        ("top_left", "top_right"),
        ("top_right", "bottom_right"),
        ("bottom_right", "bottom_left"),
        ("bottom_left", "top_left"),
    ),
    columns={"left": ("top_left", "bottom_left"), "right": ("top_right", "bottom_right")},
)

SCHEMAS: dict[str, KeypointSchema] = {schema.name: schema for schema in (VERTEBRA6, VERTEBRA4)}


def get_schema(schema: str | Path | KeypointSchema) -> KeypointSchema:
    """A built-in schema by name, or a user's own from a ``.json`` or ``.toml`` file.

    Raises:
        InputError: The name is unknown, or the file is missing or malformed.
    """
    if isinstance(schema, KeypointSchema):
        return schema
    if str(schema) in SCHEMAS:
        return SCHEMAS[str(schema)]
    path = Path(schema)
    if path.suffix.lower() not in {".json", ".toml"}:
        raise InputError(str(schema)[:80], "unknown keypoint schema", f"use {', '.join(SCHEMAS)} or a .json/.toml file")
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = tomllib.loads(text) if path.suffix.lower() == ".toml" else json.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(path, "cannot be read", "check the path of the schema file") from error
    except ValueError as error:
        raise InputError(path, f"is not valid {path.suffix[1:].upper()}: {error}", "mend the schema file") from error
    if not isinstance(content, Mapping):
        raise InputError(path, "is not a table of fields", "see `keypoints`, `swap`, `skeleton`, `sigmas`")
    return KeypointSchema.from_json(content, path)


def schema_field(schema: KeypointSchema) -> str | dict[str, Any]:
    """How a file names its schema: a built-in one by name, any other one in full."""
    return schema.name if SCHEMAS.get(schema.name) == schema else schema.to_json()


def schema_for_names(names: Sequence[str]) -> KeypointSchema:
    """The built-in schema with exactly these names (any order: reordered to ``names``), else a plain one.

    A plain schema swaps ``*_left`` with ``*_right``, so mirroring is right for new names too.
    """
    names = tuple(names)
    for schema in SCHEMAS.values():
        if set(schema.keypoints) == set(names):
            if schema.keypoints == names:
                return schema
            return replace(schema, keypoints=names, sigmas=tuple(schema.sigmas[schema.index(n)] for n in names))
    loop = tuple(zip(names, names[1:] + names[:1], strict=True)) if len(names) > 2 else ()
    return KeypointSchema(name="custom", keypoints=names, skeleton=loop)

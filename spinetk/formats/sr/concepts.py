"""Concepts: names, units and codes of measurements in a structured report, and their way back.

A measure is named by its path in the result file (``heights_mm.anterior``, ``angles.cobb_max``). Where DICOM or
SNOMED CT has a concept it is used; the rest is coded under the private designator ``99SPINETK`` with the path as the
code, so that nothing is lost on the way back.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from spinetk.measure.levels import TABLE

SCHEME = "99SPINETK"
VERTEBRA = codes.SCT.Vertebra
SPINE = codes.SCT.Spine
# Topographical modifiers of the finding site (CID 2): where on the body a height was taken.
SITES = {"anterior": codes.SCT.Anterior, "middle": codes.SCT.Central, "posterior": codes.SCT.Posterior}
LANDMARKS = {"s1": codes.SCT.Sacrum, "femoral_head": codes.SCT.HeadOfFemur}
PIXELS = Code("{pixels}", "UCUM", "pixels")
SQUARE_PIXELS = Code("{pixels}2", "UCUM", "square pixels")
SQUARE_MILLIMETRES = Code("mm2", "UCUM", "square millimeter")
MEANING_LENGTH = 64
COUNTS = "_heads"  # among the angles: how many femoral heads were seen
ENDS = "_ends"  # among the angles: which vertebrae are the ends of one
# Begins the algorithm parameter that names the points of an outline in their order.
ORDER = "polyline points: "
# Codes of values that are neither number nor text; an escaped text never begins with "%-".
PLAIN = {None: "%-none", True: "%-true", False: "%-false", "": "%-empty", (): "%-nothing"}


def private(code: str, meaning: str | None = None) -> Code:
    """A concept of our own scheme; the meaning defaults to the code in words."""
    words = (meaning or spoken(code)).replace("_", " ").replace(".", ", ").replace("\\", "/").strip() or code
    return Code(code, SCHEME, words[:MEANING_LENGTH])


def spoken(path: str) -> str:
    """A path as readers of a report are shown it: ``angles.sacral_slope_interval.0`` as the low end of an interval."""
    parted = re.fullmatch(r"(.+)_interval(\..+)?\.([01])", path)
    if parted:
        path = f"{parted[1]}{parted[2] or ''}, 95 % interval, {('low', 'high')[int(parted[3])]}"
    return path.removeprefix("angles.")


def escaped(text: str) -> str:
    """Text as a code value: what DICOM strings cannot hold (backslash, control characters) is percent-encoded.

    `urllib.parse.unquote` is the inverse.
    """
    plain = (c if c.isprintable() and c not in "\\%" else quote(c, safe="") for c in text)
    return "".join(plain)


def level(label: str | None) -> Code:
    """SNOMED CT concept of a level name, the general concept of a vertebra when there is none."""
    row = TABLE.get(label or "")
    return Code(row.snomed[0], "SCT", row.snomed[1]) if row and row.snomed else VERTEBRA


def unit(path: str) -> Code:
    """UCUM unit of a measure, by the suffixes of its path; the ends of an interval have that of their measure."""
    suffixes = {
        "_mm2": SQUARE_MILLIMETRES,
        "_px2": SQUARE_PIXELS,
        "_mm": codes.UCUM.Millimeter,
        "_px": PIXELS,
        "_percent": codes.UCUM.Percent,
        "_deg": codes.UCUM.Degree,
        "_degrees": codes.UCUM.Degree,
    }
    parts = path.split(".")
    for part in reversed(parts):
        for suffix, code in suffixes.items():
            if part.removesuffix("_interval").endswith(suffix):
                return code
    if parts[0] in ("angles", "tilt") and not any(part.endswith(COUNTS) for part in parts):
        return codes.UCUM.Degree
    if path.startswith("bbox."):
        return PIXELS
    return codes.UCUM.NoUnits


def height_site(path: str) -> tuple[str, Code] | None:
    """(side, modifier) when the path is an anatomical height that DICOM can name by itself."""
    group, _, side = path.partition(".")
    return (side, SITES[side]) if group in ("heights_mm", "heights_px") and side in SITES else None


def flatten(content: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """(path, leaf) of nested dictionaries and lists; numbers that are not finite become None, empty lists ()."""
    if isinstance(content, Mapping):
        for key, value in content.items():
            yield from flatten(value, f"{path}.{key}" if path else str(key))
    elif isinstance(content, list | tuple) and not content:
        yield path, ()
    elif isinstance(content, list | tuple):
        for index, value in enumerate(content):
            yield from flatten(value, f"{path}.{index}" if path else str(index))
    elif isinstance(content, float) and not math.isfinite(content):
        yield path, None
    else:
        yield path, content


def unflatten(leaves: Mapping[str, Any]) -> dict[str, Any]:
    """Inverse of `flatten`: dictionaries whose keys are 0, 1, 2, ... become lists."""
    tree: dict[str, Any] = {}
    for path, value in leaves.items():
        *parents, last = path.split(".")
        node = tree
        for part in parents:
            node = node.setdefault(part, {})
        node[last] = value
    return {key: _listed(value) for key, value in tree.items()}


def _listed(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if set(node) == {str(index) for index in range(len(node))}:
        return [_listed(node[str(index)]) for index in range(len(node))]
    return {key: _listed(value) for key, value in node.items()}


def _twins(measures: Mapping[str, Any]) -> dict[str, str]:
    """Picture side to anatomical side, where the measures know which is which."""
    anterior = measures.get("anterior_side")
    if anterior not in ("left", "right"):
        return {}
    return {anterior: "anterior", "right" if anterior == "left" else "left": "posterior"}


def without_twins(measures: Mapping[str, Any]) -> dict[str, Any]:
    """Measures without the heights that the anatomical names repeat: once in a report is enough."""
    twins, content = _twins(measures), dict(measures)
    for family, heights in measures.items():
        if family.startswith("heights_") and isinstance(heights, Mapping):
            repeated = {
                side for side, other in twins.items() if other in heights and heights.get(side) == heights[other]
            }
            content[family] = {side: value for side, value in heights.items() if side not in repeated}
    return content


def with_twins(measures: Mapping[str, Any]) -> dict[str, Any]:
    """Inverse of `without_twins`, for measures that name both sides of a picture."""
    twins, content = _twins(measures), dict(measures)
    for family, heights in measures.items():
        if family.startswith("heights_") and isinstance(heights, Mapping):
            added = {side: heights[other] for side, other in twins.items() if other in heights and side not in heights}
            content[family] = dict(heights) | added
    return content


def with_names(angles: Mapping[str, Any]) -> dict[str, Any]:
    """Angles whose end vertebrae are all names: ``#2``, as it is called everywhere, for one at position 1."""
    return {
        key: [f"#{end + 1}" if isinstance(end, int) else end for end in value]
        if key.endswith(ENDS) and isinstance(value, list)
        else value
        for key, value in angles.items()
    }


def with_places(angles: Mapping[str, Any]) -> dict[str, Any]:
    """Inverse of `with_names`; positions stay, as earlier reports have them."""
    return {
        key: [int(end[1:]) - 1 if isinstance(end, str) and re.fullmatch(r"#\d{1,4}", end) else end for end in value]
        if key.endswith(ENDS) and isinstance(value, list)
        else value
        for key, value in angles.items()
    }


def without_pixels(content: Mapping[str, Any], spacing_mm: tuple[float, float] | None) -> dict[str, Any]:
    """Content without the pixels that its millimetres tell: a quarter of a report, which nobody asked for twice.

    Marked by ``px_from_mm``, so that `with_pixels` gives them back to a thousandth of a pixel (results are rounded to
    four decimals); unchanged where that would give something else.
    """
    if spacing_mm is None or spacing_mm[0] != spacing_mm[1]:
        return dict(content)
    less = {"px_from_mm": True} | _less(content)
    return less if _alike(with_pixels(less, spacing_mm), content) else dict(content)


def with_pixels(content: Mapping[str, Any], spacing_mm: tuple[float, float] | None) -> dict[str, Any]:
    """Inverse of `without_pixels`."""
    whole = {key: value for key, value in content.items() if key != "px_from_mm"}
    return _more(whole, spacing_mm[0]) if spacing_mm is not None and "px_from_mm" in content else whole


def _in_pixels(key: str) -> str | None:
    """The name that a measure in millimetres bears in pixels, None for another measure."""
    return re.sub(r"_mm(?=2?(_|$))", "_px", key) if re.search(r"_mm2?(_|$)", key) else None


def _less(node: Mapping[str, Any]) -> dict[str, Any]:
    told = {_in_pixels(key) for key in node}
    return {k: _less(v) if isinstance(v, Mapping) else v for k, v in node.items() if k not in told}


def _more(node: Mapping[str, Any], spacing_mm: float) -> dict[str, Any]:
    more: dict[str, Any] = {}
    for key, value in node.items():
        more[key] = _more(value, spacing_mm) if isinstance(value, Mapping) else value
        name = _in_pixels(key)
        if name is not None and name not in node:
            more[name] = _divided(value, spacing_mm**2 if "_mm2" in key else spacing_mm)
    return more


def _divided(value: Any, by: float) -> Any:
    if isinstance(value, Mapping):
        return {key: _divided(entry, by) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_divided(entry, by) for entry in value]
    return None if value is None else round(value / by, 4)


def _alike(a: Any, b: Any) -> bool:
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(_alike(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(_alike, a, b))
    both = isinstance(a, int | float) and isinstance(b, int | float)
    return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-3) if both else bool(a == b)

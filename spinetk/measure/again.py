"""Again: a reading measured anew under the user's word, keeping what is known of it and saying what is dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from spinetk.images.spacing import with_spacing
from spinetk.measure.deformity import THRESHOLDS_PERCENT
from spinetk.measure.readout import measure
from spinetk.overrides import Overrides
from spinetk.reading import Reading
from spinetk.views import rules_of

PREFIX = "By the user's word: "


def measure_again(
    reading: Reading, overrides: Overrides | None = None, thresholds: Sequence[float] = THRESHOLDS_PERCENT
) -> Reading:
    """:func:`spinetk.measure.measure` of a result or a correction of it, without its picture.

    View, spacing, front and level names that the reading carries are kept until the user says otherwise; what is
    replaced or dropped so is a remark. Without a word and with the points untouched nothing changes.

    Args:
        reading: A result. It is not changed.
        overrides: The user's word.
        thresholds: As of :func:`spinetk.measure.measure`.
    """
    said = overrides or Overrides()
    remarks: list[str] = []
    changed = replace(reading)
    if said.view is not None and said.view != reading.view:
        changed.view = said.view
        remarks.append(f"view: {said.view}, before {reading.view}")
        if reading.facing is not None and not rules_of(said.view).front:
            changed.facing = None
            remarks.append(f"front: dropped ({reading.facing.side}), {rules_of(said.view).article} has none")
    if said.spacing_mm is not None and said.spacing_mm != reading.frame.spacing_mm:
        changed = with_spacing(changed, said.spacing_mm)
        before = reading.frame.spacing_mm
        if before is not None:
            remarks.append(f"spacing: replaced {before[0]:.4g} x {before[1]:.4g} mm ({reading.frame.spacing_source})")
    if said.facing != "auto" and reading.facing is not None and reading.facing.side != said.facing:
        remarks.append(f"front: {said.facing}, before {reading.facing.side} ({reading.facing.source})")
    found = measure(changed, facing=said.facing, anchor=said.anchor, thresholds=thresholds)
    names, after = ([v.label for v in one.vertebrae] for one in (reading, found))
    if names != after and any(names):
        remarks.append(f"levels: replaced {', '.join(label or 'no name' for label in names)}")
    found.remarks += [PREFIX + remark for remark in remarks]
    return found

"""Exporting: the source pictures of a case folder as one COCO keypoint set."""

from __future__ import annotations

from pathlib import Path

from spinetk.cases.folder import CaseFolder
from spinetk.cases.groups import labelled
from spinetk.errors import InputError
from spinetk.formats.coco import write_coco
from spinetk.formats.files import read_json


def export(base: str | Path, out: str | Path, *, part: str | None = None) -> int:
    """Write the source pictures of a case folder, names relative to that folder, each with its ``group``.

    Args:
        base: The case folder.
        out: The JSON to write.
        part: ``train``, ``val`` or ``test`` of the split on file; None writes all cases.

    Returns:
        Number of pictures written.

    Raises:
        InputError: A case cannot be read, or there is no split on file.
    """
    folder = CaseFolder(base)
    cases = folder.cases()
    if part is not None:
        content = read_json(folder.base / "split.json")
        try:
            cases = [str(case) for case in content["parts"][part]]
        except (KeyError, TypeError) as error:
            raise InputError(folder.base / "split.json", f"has no part {part!r}", "split the cases first") from error
    records, failures = folder.records(cases, augmented=False)
    if failures:
        raise failures[0]
    labels = labelled(folder, cases, folder.metadata())
    for record in records:
        label = labels[record["case"]]
        if label.startswith("group:"):
            record["group"] = label.removeprefix("group:")
    write_coco(out, records, folder.base)
    return len(records)

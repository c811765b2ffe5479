"""Text files as Windows writes them: a byte order mark before the first letter is no part of it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from spinetk.batch.sources import sources
from spinetk.formats.results import read_result
from spinetk.measure import measure
from spinetk.node.settings import read_settings as read_node
from spinetk.schema import get_schema
from spinetk.segmentation.data.parts import read_list
from spinetk.training.settings import read_settings
from spinetk.zoo import read_about

CASES = [SimpleNamespace(name=name, image=Path(f"{name}.nii.gz")) for name in ("one", "two")]
SCHEMA = {"name": "pair", "keypoints": ["left", "right"], "swap": [["left", "right"]], "sigmas": [0.1, 0.1]}


@pytest.mark.parametrize(
    ("name", "text", "read", "found"),
    [
        ("inputs.txt", "a.png\nb.png\n", lambda path: list(sources([], [path], expand=list)), ["a.png", "b.png"]),
        ("train.txt", "one\n", lambda path: [case.name for case in read_list(path, CASES)], ["one"]),
        ("points.json", json.dumps(SCHEMA), lambda path: get_schema(path).keypoints, ("left", "right")),
        ("run.yaml", "width: 3\n", read_settings, {"width": 3}),
        ("run.toml", "width = 3\n", read_settings, {"width": 3}),
        ("node.toml", "port = 11113\n", lambda path: read_node(path, {"dry_run": True}).port, 11113),
        ("about.toml", 'data = "ours"\n', lambda path: read_about(path, ["data"]), {"data": "ours"}),
    ],
)
def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path, name, text, read, found):
    """The first file of a list was not found, other files were said not to be JSON or TOML."""
    path = tmp_path / name
    for encoding in ("utf-8", "utf-8-sig"):
        path.write_text(text, encoding=encoding)
        assert read(path) == found


def test_a_result_that_an_editor_saved_with_one_is_read(tmp_path, drawn):
    path = tmp_path / "column.json"
    path.write_text(json.dumps(measure(drawn.rounded()).to_json()), encoding="utf-8-sig")
    assert len(read_result(path).vertebrae) == len(drawn.vertebrae)

import json
import os

import pytest

from spinetk.atomic import replacing, write_json


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path):
    path = tmp_path / "deep" / "result.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"a": float("nan")})
    with pytest.raises(TypeError), replacing(path) as temporary:
        temporary.write_text(3)
    assert json.loads(path.read_text()) == {"a": 1}
    assert os.listdir(path.parent) == ["result.json"]


def test_suffixes_and_mode_are_those_of_an_ordinary_file(tmp_path):
    with replacing(tmp_path / "label.nii.gz") as temporary:
        assert temporary.name.endswith(".nii.gz")
    (tmp_path / "plain").touch()
    assert (tmp_path / "label.nii.gz").stat().st_mode == (tmp_path / "plain").stat().st_mode

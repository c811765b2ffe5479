"""Straightening, with executables on PATH that stand in for those of Spinal Cord Toolbox."""

import json
import os
import shutil
import sys

import numpy as np
import pytest
from disc_volumes import write_subject
from typer.testing import CliRunner

from spinetk.discs.commands import app
from spinetk.discs.preparation import prepare, read_samples
from spinetk.errors import InputError

# "Straightening" moves a volume by whole voxels; the warp is a file with that shift, and labels need `-x label`.
STAND_IN = """#!{python}
import pathlib, sys
import SimpleITK as sitk
import numpy as np

given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
name = pathlib.Path(sys.argv[0]).name
with open({log!r}, "a") as log:
    log.write(name + " " + " ".join(sys.argv[1:]) + "\\n")
def write(values, like, path):
    image = sitk.GetImageFromArray(values)
    image.CopyInformation(like)
    sitk.WriteImage(image, path)
image = sitk.ReadImage(given["-i"])
values = sitk.GetArrayFromImage(image)
if name == "sct_get_centerline":
    assert given["-c"] in ("t1", "t2")
    if values.max() == 7:
        sys.exit("no cord found")
    write((values > 100).astype(np.uint8), image, given["-o"])
elif name == "sct_straighten_spinalcord":
    sitk.ReadImage(given["-s"])
    folder = pathlib.Path(given["-ofolder"])
    write(np.roll(values, (0, -6, 4), (0, 1, 2)), image, str(folder / given["-o"]))
    (folder / "warp_curve2straight.nii.gz").write_text("0 -6 4")
elif name == "sct_apply_transfo":
    assert given["-x"] == "label"
    shift = [int(n) for n in pathlib.Path(given["-w"]).read_text().split()]
    write(np.roll(values, shift, (0, 1, 2)), sitk.ReadImage(given["-d"]), given["-o"])
"""
NAMES = ("sct_get_centerline", "sct_straighten_spinalcord", "sct_apply_transfo")


@pytest.fixture
def toolbox(tmp_path, monkeypatch):
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_text(STAND_IN.format(python=sys.executable, log=str(tmp_path / "log")))
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "log"


@pytest.fixture
def two(tmp_path):
    """Standing volumes (columns to the back, rows to the feet): the axes of the stand-in's shift."""
    for k in (1, 2):
        write_subject(tmp_path / "bids", f"sub-a{k}", k, orientation="PIR")
    return tmp_path / "bids"


def test_labels_move_with_the_volume(toolbox, two, tmp_path):
    prepare(two, tmp_path / "curved")
    content = prepare(two, tmp_path / "straight", straightened=True)
    assert content["straightened"]
    assert content["skipped"] == []
    before, after = (read_samples(tmp_path / kind, "train") for kind in ("curved", "straight"))
    assert before
    for curved, straight in zip(before, after, strict=True):
        assert straight.points.keys() == curved.points.keys()
        for number, (x, y) in curved.points.items():
            assert straight.points[number] == pytest.approx((x + 4, y - 6), abs=1e-3)
        assert np.array_equal(straight.pixels()[:-6, 4:], curved.pixels()[6:, :-4])
    called = [line.split()[0] for line in toolbox.read_text().splitlines()]
    assert called == list(NAMES) * 2


def test_a_mask_of_the_cord_is_followed(toolbox, two, tmp_path):
    source = two / "derivatives/labels/sub-a1/anat"
    for path in sorted(source.glob("*_labels-disc-manual.nii.gz")):
        shutil.copy(path, source / "sub-a1_T2w_seg.nii.gz")
    prepare(two, tmp_path / "out", straightened=True)
    lines = [line for line in toolbox.read_text().splitlines() if "sub-a1" in line]
    assert not [line for line in lines if line.startswith("sct_get_centerline")]
    assert "sub-a1_T2w_seg.nii.gz" in next(line for line in lines if line.startswith("sct_straighten"))


def test_where_it_fails_the_subject_is_listed(toolbox, two, tmp_path):
    import SimpleITK as sitk

    image = sitk.ReadImage(str(two / "sub-a2/anat/sub-a2_T2w.nii.gz"))
    sitk.WriteImage(sitk.Minimum(image, 7), str(two / "sub-a2/anat/sub-a2_T2w.nii.gz"))
    content = prepare(two, tmp_path / "out", straightened=True)
    (skipped,) = content["skipped"]
    why = "could not be straightened: sct_get_centerline ended with code 1"
    assert skipped == {"name": "sub-a2_T2w", "why": why, "failed": True}
    assert [stem for own in content["split"].values() for stem in own] == ["sub-a1_T2w"]


def test_without_the_toolbox_one_line_says_how_to_get_it(two, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("SCT_DIR", raising=False)
    with pytest.raises(InputError, match=r"Spinal Cord Toolbox.*not installed.*spinalcordtoolbox\.com"):
        prepare(two, tmp_path / "out", straightened=True)
    assert not (tmp_path / "out").exists()
    done = CliRunner().invoke(app, ["prepare", str(two), "-o", str(tmp_path / "out"), "--straighten"])
    assert isinstance(done.exception, InputError)
    done = CliRunner().invoke(app, ["prepare", str(two), "-o", str(tmp_path / "out")])
    assert done.exit_code == 0
    assert json.loads((tmp_path / "out/dataset.json").read_text())["straightened"] is False


def test_it_is_found_where_its_own_variable_says(toolbox, two, tmp_path, monkeypatch):
    monkeypatch.setenv("SCT_DIR", str(tmp_path))
    monkeypatch.setenv("PATH", os.defpath)
    assert prepare(two, tmp_path / "out", straightened=True)["skipped"] == []

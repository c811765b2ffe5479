"""Reports of case folders for other programs: all pictures are called ``src-0.png``, so their cases name them."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import numpy as np
import pytest

from spinetk.formats.registry import read
from spinetk.report.results import write_reports

CASES = sorted(f"case {number}" for number in range(12))


@pytest.fixture
def truth(case_folder):
    """Level and (6, 2) points of the bodies of each case, px, as its file has them."""
    files = {case: json.loads((case_folder / case / "src" / "0" / "src-0.json").read_text()) for case in CASES}
    return {
        case: [(one["label"], np.array(one["keypoints"]).reshape(-1, 3)[:, :2]) for one in content["annotations"]]
        for case, content in files.items()
    }


def test_coco_as_its_own_api_reads_it(case_folder, tmp_path, truth):
    """COCO counts from the centre of the first pixel, half a px less than ours."""
    pycocotools = pytest.importorskip("pycocotools.coco")
    done = write_reports([case_folder], tmp_path / "out", html=False, formats=["coco"])
    (file,) = done.written
    found = pycocotools.COCO(str(file))
    images = {image["file_name"]: image["id"] for image in found.loadImgs(found.getImgIds())}
    assert sorted(images) == sorted(f"{case}.png" for case in CASES)
    for case, wanted in truth.items():
        entries = found.loadAnns(found.getAnnIds(imgIds=[images[f"{case}.png"]]))
        for entry, (_, own) in zip(entries, wanted, strict=True):
            points = np.array(entry["keypoints"]).reshape(-1, 3)
            assert points[:, :2] + 0.5 == pytest.approx(own, abs=1e-6)


@pytest.mark.parametrize("name", ["coco", "cvat", "yolo", "labelstudio"])
def test_each_format_comes_back_with_the_pictures_of_the_cases(case_folder, truth, name):
    """Written into the case folder, where the pictures are found."""
    done = write_reports([case_folder], case_folder, html=False, formats=[name])
    assert done.failures == []
    found = {item.case: item for item in read(done.written[0], name)}
    assert sorted(found) == CASES
    for case, item in found.items():
        assert item.picture == case_folder / case / "src" / "0" / "src-0.png"
        for got, (level, points) in zip(item.vertebrae, truth[case], strict=True):
            assert got.label == level
            assert got.points == pytest.approx(points, abs=0.01)


def test_names_are_those_that_the_program_shows(case_folder, tmp_path):
    """The pictures go to it under these names; nothing of the folders they lie in gets out."""
    write_reports([case_folder], tmp_path, html=False, formats=["cvat", "yolo", "labelstudio"])
    images = ElementTree.parse(tmp_path / "annotations.xml").getroot().iter("image")
    assert sorted(image.get("name") for image in images) == sorted(f"{case}.png" for case in CASES)
    assert sorted(path.name for path in (tmp_path / "yolo" / "labels").iterdir()) == sorted(f"{c}.txt" for c in CASES)
    tasks = json.loads((tmp_path / "labelstudio.json").read_text())
    assert sorted(task["data"]["image"].rpartition("=")[2] for task in tasks) == sorted(f"{c}.png" for c in CASES)


def test_cases_of_one_name_are_not_written_together(case_folder, tmp_path):
    (tmp_path / "other").mkdir()
    (case_folder / "case 3").rename(tmp_path / "other" / "case 4")
    for name in ("coco", "cvat", "yolo"):
        done = write_reports([case_folder, tmp_path / "other"], tmp_path / "out", html=False, formats=[name])
        assert "two pictures are named 'case 4" in done.failures[0]

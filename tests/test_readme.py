"""The original README's run, line by line, in every form it documented or coded."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

import spinetk
from spinetk import (
    DatasetCatalog,
    MetadataCatalog,
    eval_img,
    inference,
    make_split,
    setup_catalogs,
    train,
    visualize_sample,
)
from spinetk.errors import InputError

KPNAMES = ["bottom_left", "bottom_middle", "bottom_right", "top_right", "top_middle", "top_left"]


@pytest.fixture
def quick(tiny) -> dict:
    """Settings of a training of moments."""
    return {"preset": tiny, "start": "scratch", "check_every": 2, "batch": 1, "device": "cpu", "progress": False}


def test_the_original_readme(quick, case_folder, picture_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    baseline_directory = str(case_folder)

    X_train, X_val, X_test, y_train, _, _ = make_split(baseline_directory)  # noqa: N806
    assert (len(X_train), len(X_val), len(X_test)) == (7, 2, 3)
    X_train, X_val, X_test, y_train, _, _ = make_split(baseline_directory, "Hardware")  # noqa: N806
    assert set(y_train) == {True, False}

    version = "v1"
    vert_metadata = setup_catalogs(version, X_train, X_val, X_test, kpnames=KPNAMES)
    assert MetadataCatalog.get(f"vert{version}_train").keypoint_names == KPNAMES

    drawn = visualize_sample(DatasetCatalog.get(f"vert{version}_train"), vert_metadata)
    assert drawn[0].ndim == 3

    train(version, 2, True, **quick)
    train(version, 3, True, **quick)  # continues to 3 in total
    assert (tmp_path / "output" / "v1" / "logs" / "from-00000002").is_dir()

    predictor = inference("output/model_final.pth", 0.6)
    assert predictor.threshold == 0.6
    predictor = inference(version, "output/model_final.pth", 0.6)
    assert inference("output/model_final.pth").threshold == 0.6

    image = str(picture_file)
    short = eval_img(vert_metadata, image, "out.png")
    long = eval_img(vert_metadata, predictor, image, "out2.png")
    assert short.to_json() == long.to_json()
    assert cv2.imread("out.png").shape == cv2.imread("out2.png").shape
    DatasetCatalog.clear()


def test_eval_img_takes_every_kind_of_picture(quick, case_folder, picture_file, tmp_path, monkeypatch):
    from spinetk.phantoms import lateral_radiograph, write_dicom

    monkeypatch.chdir(tmp_path)
    metadata = setup_catalogs("v2", *make_split(case_folder)[:3])
    train("v2", 1, **quick)
    picture = cv2.imread(str(picture_file), cv2.IMREAD_GRAYSCALE)
    for name in ("a.jpg", "a.tif"):
        cv2.imwrite(name, picture)
        assert eval_img(metadata, name, "out.png").height == picture.shape[0]
    write_dicom(lateral_radiograph(1, size=(300, 200), spacing_mm=0.9), "a.dcm")
    reading = eval_img(metadata, "a.dcm", "out.png")
    assert reading.frame.spacing_mm == pytest.approx((0.9, 0.9))
    DatasetCatalog.clear()


def test_wrong_calls_say_what_is_right(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("spinetk.keypoints.original._latest", [])
    with pytest.raises(InputError, match=r"a\.png: does not exist"):
        eval_img(None, "a.png", "out.png")
    with pytest.raises(InputError, match="image and an output"):
        eval_img(None, "a.png")
    with pytest.raises(InputError, match="wants a weights file"):
        inference()
    with pytest.raises(InputError, match="wants a weights file"):
        inference(0.6)


def test_public_names_are_functions_not_modules():
    for name in spinetk.__all__:
        assert name in dir(spinetk)
        assert not hasattr(getattr(spinetk, name), "__path__")
    with pytest.raises(AttributeError):
        _ = spinetk.nothing


def test_a_model_of_other_points_is_refused(quick, case_folder, picture_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    setup_catalogs("v3", *make_split(case_folder)[:3])
    train("v3", 1, **quick)
    other = setup_catalogs("v4", *make_split(case_folder)[:3], schema="vertebra4")
    with pytest.raises(InputError, match="same version"):
        eval_img(other, str(picture_file), "out.png")
    assert np.isfinite(eval_img(None, str(picture_file), "out.png").width)
    DatasetCatalog.clear()


def test_the_blocks_of_our_readme(quick, case_folder, picture_file, tmp_path, monkeypatch):
    """As they stand, but for the 1300 iterations."""
    from spinetk.phantoms import lateral_radiograph, write_dicom

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("spinetk.keypoints.original._latest", [])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    real = train
    monkeypatch.setattr(spinetk, "train", lambda version, iterations, resume: real(version, 2, resume, **quick))
    assert case_folder == tmp_path / "cases"
    shutil.copy(picture_file, "image.png")
    write_dicom(lateral_radiograph(1, size=(300, 200), spacing_mm=0.9), "radiograph.dcm")
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```py\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    assert len(blocks) == 2
    assert names["reading"].model == "xray-lateral"
    assert (tmp_path / "out.png").is_file()
    DatasetCatalog.clear()

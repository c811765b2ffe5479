import hashlib
import json
import warnings
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from spinetk.cases.folder import CaseFolder
from spinetk.cases.splitting import make_split
from spinetk.errors import InputError
from spinetk.formats.record import reading_of
from spinetk.keypoints.evaluation import by_name, evaluate
from spinetk.keypoints.network import VertebraRCNN
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.preset import FAST
from spinetk.keypoints.release import read_part
from spinetk.keypoints.torch_engine import TorchEngine
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA4, VERTEBRA6, KeypointSchema


@pytest.fixture
def oracle(case_folder, monkeypatch):
    """A predictor that gives the truth of each case, moved by 2 px to the right."""
    torch.manual_seed(0)
    predictor = Predictor(TorchEngine(VertebraRCNN(FAST, VERTEBRA6), "cpu"), "oracle")
    folder = CaseFolder(case_folder)
    records, _ = folder.records(folder.cases(), augmented=False)
    truth = {r["file_name"]: reading_of(r) for r in records}

    def read_at(pixels, thresholds, *, file, frame):
        assert pixels.ndim == 2
        moved = [
            Vertebra.from_points(v.points + (2, 0), score=0.9) for v in truth[file].vertebrae
        ]  # fmt: skip
        return [replace(truth[file], vertebrae=moved, frame=frame) for _ in thresholds]

    monkeypatch.setattr(predictor, "read_at", read_at)
    return predictor


def test_files_and_figures(oracle, case_folder, tmp_path):
    # Colour pictures, as the original writes them, are evaluated like grey ones.
    path = CaseFolder(case_folder).source("case 1").with_suffix(".png")
    cv2.imwrite(str(path), cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), cv2.COLOR_GRAY2BGR))
    for _ in range(2):
        scores = evaluate(case_folder, "test", oracle, tmp_path, worst=2, progress=False)
    assert (scores["pictures"], scores["vertebrae"], scores["missed"]) == (3, 9, 0)
    assert scores["median_px"] == pytest.approx(2)
    assert scores["median_mm"] == pytest.approx(2)
    assert json.loads((tmp_path / "evaluation.json").read_text()) == scores
    assert len(list(tmp_path.glob("worst-*.png"))) == 2


def test_pictures_that_a_model_was_trained_on_are_counted(oracle, case_folder, tmp_path):
    """A case that came in later makes a new split, in whose test part others lie than a model was kept from."""
    scores = evaluate(case_folder, "test", oracle, tmp_path, worst=0, progress=False)
    assert "pictures_trained_on" not in scores  # nobody knows
    *_, (one, other, _) = (part["case"] for part in make_split(case_folder)[:3])
    files = [CaseFolder(case_folder).source(case).with_suffix(".png") for case in (one, other)]
    oracle.trained_on = frozenset(hashlib.sha256(file.read_bytes()).hexdigest()[:12] for file in files)
    with pytest.warns(UserWarning, match="2 of 3 pictures of part 'test' are among those that oracle was trained on"):
        scores = evaluate(case_folder, "test", oracle, tmp_path, worst=0, progress=False)
    assert scores["pictures_trained_on"] == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = evaluate(case_folder, "val", oracle, tmp_path, worst=0, progress=False)
    assert scores["pictures_trained_on"] == 0


def test_other_points_are_refused(case_folder, tmp_path):
    schema = KeypointSchema("mine", ("bottom_left", "bottom_right", "pedicle"))
    predictor = Predictor(TorchEngine(VertebraRCNN(FAST, schema), "cpu"), "corners")
    with pytest.raises(
        InputError, match=r"src-0.png: has the points of 'vertebra6', .* 'mine' it lacks pedicle \(eval"
    ):
        evaluate(case_folder, "val", predictor, tmp_path, progress=False)
    assert np.all([not p.name.startswith("worst") for p in tmp_path.iterdir()])


SIGMAS = (0.01, 0.02, 0.03, 0.04, 0.05, 0.06)


def test_points_in_another_order_are_judged_by_their_names(oracle, case_folder, tmp_path):
    """The files have them from the last to the first; each is 2 px off, and each has its own OKS constant."""
    folder = CaseFolder(case_folder)
    scores = evaluate(case_folder, "test", oracle, tmp_path, worst=0, progress=False)
    names = [*VERTEBRA6.keypoints[::-1]]
    for case in folder.cases():
        content = json.loads(folder.source(case).read_text())
        for entry in content["annotations"]:
            entry["keypoints"] = np.reshape(entry["keypoints"], (-1, 3))[::-1].ravel().tolist()
        schema = {"name": "mine", "keypoints": names, "columns": {k: list(v) for k, v in VERTEBRA6.columns.items()}}
        folder.source(case).write_text(json.dumps(content | {"schema": schema}))
    assert evaluate(case_folder, "test", oracle, tmp_path, worst=0, progress=False) == scores
    assert scores["median_px"] == pytest.approx(2)


def test_of_six_points_a_model_of_corners_is_judged_by_four():
    """OKS constants stay those of the cases, each that of its point."""
    points = np.arange(12.0).reshape(6, 2)
    body = replace(Vertebra.from_points(points), visible=np.arange(6) != 3)
    own = by_name(Reading("a.png", 20, 20, VERTEBRA6.with_sigmas(SIGMAS), [body]), VERTEBRA4)
    # top_left, top_right, bottom_left, bottom_right are the sixth, fourth, first and third of vertebra6.
    assert own.schema.keypoints == VERTEBRA4.keypoints
    assert own.schema.sigmas == (0.06, 0.04, 0.01, 0.03)
    assert own.vertebrae[0].points.tolist() == [[10, 11], [6, 7], [0, 1], [4, 5]]
    assert own.vertebrae[0].visible.tolist() == [True, False, True, True]


def test_truth_in_another_order_is_taken_by_its_names(case_folder, monkeypatch):
    """The cases that intervals are fitted on may be another set's."""
    predictor = Predictor(TorchEngine(VertebraRCNN(FAST, VERTEBRA6), "cpu"), "any")
    monkeypatch.setattr(predictor, "read", lambda pixels, **known: None)
    folder = CaseFolder(case_folder)
    before = {
        v.points.tobytes() for *_, truth in read_part(predictor, case_folder, folder.cases()) for v in truth.vertebrae
    }
    names = [*VERTEBRA6.keypoints[::-1]]
    for case in folder.cases():
        content = json.loads(folder.source(case).read_text())
        for entry in content["annotations"]:
            entry["keypoints"] = np.reshape(entry["keypoints"], (-1, 3))[::-1].ravel().tolist()
        folder.source(case).write_text(json.dumps(content | {"schema": {"name": "mine", "keypoints": names}}))
    after = {
        v.points.tobytes() for *_, truth in read_part(predictor, case_folder, folder.cases()) for v in truth.vertebrae
    }
    assert before == after
    other = Predictor(TorchEngine(VertebraRCNN(FAST, KeypointSchema("two", ("a", "b"))), "cpu"), "any")
    with pytest.raises(InputError, match="has the points of mine, not those of two"):
        read_part(other, case_folder, folder.cases())


def test_worst_is_what_is_missed_found_twice_or_invented(oracle, case_folder, tmp_path, monkeypatch):
    """Three test cases, one with a vertebra twice: it is worse than those whose points are merely off."""
    cases = list(make_split(case_folder)[2].index)
    plain = oracle.read_at

    def with_a_double(pixels, thresholds, *, file, frame):
        found = plain(pixels, thresholds, file=file, frame=frame)
        for reading in found if f"/{cases[1]}/" in file else ():
            double = Vertebra.from_points(reading.vertebrae[0].points + (0.5, 0), score=0.8)
            reading.vertebrae = [*reading.vertebrae, double]  # the list is shared by the thresholds
        return found

    monkeypatch.setattr(oracle, "read_at", with_a_double)
    scores = evaluate(case_folder, "test", oracle, tmp_path, worst=1, progress=False)
    assert scores["duplicated"] == 1
    assert [path.name for path in tmp_path.glob("worst-*.png")] == [f"worst-1-{cases[1]}.png"]

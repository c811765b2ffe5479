"""Release and choice: model cards, calibrated scores, the right model for a picture."""

import json
import shutil

import cv2
import numpy as np
import pytest
import torch
from erring import SCALE, patients

from spinetk import DatasetCatalog, eval_img, make_split, setup_catalogs, train, zoo
from spinetk.cases.folder import CaseFolder
from spinetk.errors import InputError
from spinetk.images import Picture
from spinetk.keypoints.calibration import calibrate
from spinetk.keypoints.centre.network import CentreNet
from spinetk.keypoints.centre.preset import CentrePreset
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.reader import Reader
from spinetk.keypoints.release import release
from spinetk.overrides import Overrides
from spinetk.phantoms import write_phantom_set
from spinetk.schema import VERTEBRA4, VERTEBRA6

SMALL = CentrePreset("small", (128,), 128, channels=8, crop_px=32, crop_widths=(8, 8, 8))
ABOUT = (
    'task = "keypoints"\nlicence = "Apache-2.0"\nuse = "tests"\ndata = "phantoms"\ncommand = "none"\nviews = ["ap"]\n'
)


@pytest.fixture
def model(tmp_path):
    torch.manual_seed(0)
    network = CentreNet(SMALL, VERTEBRA6)
    torch.nn.init.constant_(network.centre.bias, 0.0)
    zoo.save(tmp_path / "model_final.pth", network.state_dict(), {"config": network.config(), "training": {"seed": 1}})
    return tmp_path / "model_final.pth"


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    base = tmp_path_factory.mktemp("phantoms")
    write_phantom_set(base, 10, seed=3, width=128)
    return base


@pytest.mark.parametrize("elsewhere", [False, True])
def test_intervals_are_fitted_where_it_is_said(elsewhere, model, phantoms, tmp_path, monkeypatch):
    """Readings stand in for the network's: the card has what other pictures say, by patient."""
    asked = []

    def read(predictor, base, cases):
        asked.append((base, sorted(cases)))
        return patients(8)

    monkeypatch.setattr("spinetk.keypoints.release.read_part", read)
    monkeypatch.setattr("spinetk.keypoints.release.write_graphs", lambda *_: [])  # those of test_centre_export.py
    (tmp_path / "about.toml").write_text(ABOUT)
    shutil.copytree(phantoms / "phantom-0001", tmp_path / "real" / "one")
    real = tmp_path / "real" if elsewhere else None
    path = release(model, "tiny-ap", phantoms, tmp_path / "about.toml", tmp_path / "home", intervals=real)
    spread = json.loads(path.with_suffix(".json").read_text())["spread"]
    assert np.allclose(spread["points"], SCALE, rtol=0.4)
    assert spread["coverage"]["patients"] == 8
    said = "pictures of real, " if elsewhere else "val part, "
    assert spread["fitted_on"] == said + "8 pictures of 8 patients"
    ((base, cases),) = asked
    assert (base, cases) == (real, ["one"]) if elsewhere else (base == phantoms and 0 < len(cases) < 10)
    monkeypatch.setenv("SPINETK_HOME", str(tmp_path / "home"))
    assert Predictor.load("tiny-ap").spread.tolist() == spread["points"]


def test_a_card_without_its_licence_is_refused(model, phantoms, tmp_path):
    (tmp_path / "about.toml").write_text(ABOUT.replace("licence", "license"))
    with pytest.raises(InputError, match="no field 'licence'"):
        release(model, "tiny-ap", phantoms, tmp_path / "about.toml", tmp_path)


def test_calibration_finds_the_share_that_is_right(phantoms):
    """Two thirds of what scores 0.8 is right and half of what scores 0.2: a line through ln 2 and 0."""

    class Told(Predictor):
        def __init__(self, scores):
            self.seen, self.scores = 0, scores

        def detections(self, picture, frame):
            truth = truths[self.seen]
            self.seen += 1
            points = np.concatenate([truth, truth, truth + 1000.0, truth, truth + 1000.0])
            return points, np.repeat(self.scores, len(truth))

    index = make_split(phantoms)[1].index
    records, _ = CaseFolder(phantoms).records(index, augmented=False)
    truths = [
        np.array([a["keypoints"] for a in record["annotations"]]).reshape(-1, len(VERTEBRA6), 3)[..., :2]
        for record in records
    ]
    slope, intercept = calibrate(Told([0.8, 0.8, 0.8, 0.2, 0.2]), records)
    assert slope == pytest.approx(np.log(2) / (2 * np.log(4)), rel=1e-3)
    assert intercept == pytest.approx(np.log(2) / 2, rel=1e-3)
    # Scores that are higher where nothing is are left as they are.
    assert calibrate(Told([0.2, 0.2, 0.2, 0.8, 0.8]), records) == (1.0, 0.0)


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name, schema, views, modalities in (
        ("a-ap", VERTEBRA4, ["ap"], []),
        ("b-lateral", VERTEBRA6, ["lateral"], ["CR", "DX"]),
        ("c-mr", VERTEBRA6, ["sagittal"], ["MR"]),
    ):
        network = CentreNet(SMALL, schema)
        card = {"config": network.config(), "views": views, "modalities": modalities, "licence": "x"}
        zoo.save(tmp_path / f"{name}.safetensors", network.state_dict(), card)
    monkeypatch.setattr(zoo, "folders", lambda: [tmp_path])
    return tmp_path


def test_the_model_follows_view_and_modality(home):
    reader, grey = Reader(), np.zeros((96, 80), np.uint8)

    def decide(view, modality, said=None):
        return reader.decider.decide(Picture(grey, view=view, modality=modality), grey, "x.dcm", Overrides(said))

    assert decide("ap", "DX").predictor.name == "a-ap"
    assert decide("lateral", "CR").predictor.name == "b-lateral"
    assert decide("sagittal", "MR").predictor.name == "c-mr"
    assert decide("unknown", "MR").view == "sagittal"
    assert decide("ap", "DX").predictor is decide("ap", "CR").predictor
    assert decide("unknown", None, "lateral").predictor.name == "b-lateral"
    with pytest.raises(InputError, match="--view lateral, ap, sagittal or cervical"):
        decide("unknown", None)
    with pytest.raises(InputError, match=r"a sagittal view in CT \(give --view sagittal to read it without grades"):
        decide("sagittal", "CT")
    # What the message says is so.
    assert "not made for the modality CT" in decide("sagittal", "CT", "sagittal").not_graded


def test_eval_img_works_without_any_training(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("spinetk.keypoints.original._latest", [])
    picture = np.random.default_rng(0).integers(0, 255, (120, 80), dtype=np.uint8)
    cv2.imwrite(str(tmp_path / "film.png"), picture)
    reading = eval_img(None, "film.png", "out.png", view="ap")
    assert reading.model == "a-ap"
    assert reading.view == "ap"
    assert (tmp_path / "out.png").is_file()
    with pytest.raises(InputError, match="which view"):
        eval_img(None, "film.png", "out.png")
    kept = (tmp_path / "film.png").read_bytes()
    with pytest.raises(InputError, match="is the image itself"):
        eval_img(None, tmp_path / "film.png", "film.png", view="ap")
    assert (tmp_path / "film.png").read_bytes() == kept


def test_a_trained_centre_network_is_calibrated(phantoms, tmp_path):
    setup_catalogs("c", *make_split(phantoms)[:3], schema="vertebra6")
    path = train(
        "c", 1, preset=SMALL, start="scratch", output=tmp_path, batch=2, device="cpu", precision="32-true",
        progress=False,
    )  # fmt: skip
    slope, intercept = zoo.load(path)[1]["calibration"]
    assert np.isfinite([slope, intercept]).all()
    assert Predictor.load(path, device="cpu", graphs=False).calibration == (slope, intercept)
    DatasetCatalog.clear()

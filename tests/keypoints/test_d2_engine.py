"""Detectron2 itself against our engine with its weights; collected where it is installed (``conftest.py``)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from spinetk import eval_img, inference, make_split, setup_catalogs, train
from spinetk.cases.catalog import MetadataCatalog
from spinetk.errors import InputError
from spinetk.keypoints.d2.checkpoint import read_checkpoint
from spinetk.keypoints.d2.configuration import configure
from spinetk.keypoints.d2.conversion import load_detectron2, load_into, save_detectron2
from spinetk.keypoints.d2.engine import Detectron2Network, load_predictor
from spinetk.keypoints.d2.names import to_theirs
from spinetk.keypoints.evaluation import evaluate
from spinetk.keypoints.network import VertebraRCNN
from spinetk.keypoints.pictures import network_scale, resize, to_tensor
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.preset import ORIGINAL, R50_DETECTRON2, Preset
from spinetk.keypoints.registry import build
from spinetk.phantoms import write_phantom_set
from spinetk.schema import VERTEBRA6

RADIOGRAPHS = Path(__file__).parents[2].parent / "shared" / "data" / "aasce2019"
SMALL = replace(
    R50_DETECTRON2, channels=24, box_units=48, point_layers=(24, 24), short_px=(160,), long_px=267, box_samples=64,
    proposals=(200, 100), detections=12,
)  # fmt: skip
PX = 0.1


# Spread of what the last layers say, as of a trained network: ties would be broken by rounding.
SPREAD = {
    "proposal_generator.rpn_head.objectness_logits": 2.0,
    "proposal_generator.rpn_head.anchor_deltas": 0.2,
    "roi_heads.box_predictor.cls_score": 1.5,
    "roi_heads.box_predictor.bbox_pred": 0.5,
    "roi_heads.keypoint_head.score_lowres": 3.0,
}


@pytest.fixture(scope="module")
def theirs() -> Detectron2Network:
    """Detectron2's network with random weights, statistics of frozen batch norms included."""
    torch.manual_seed(0)
    network = Detectron2Network(SMALL, VERTEBRA6).eval()
    for name, tensor in network.model.state_dict().items():
        if name.endswith("conv3.norm.weight"):
            tensor.uniform_(0.1, 0.3)
        elif name.endswith(("norm.weight", "running_var")):
            tensor.uniform_(0.5, 1.5)
        elif name.endswith(("norm.bias", "running_mean")):
            tensor.normal_(0, 0.1)
    picture = torch.rand(3, 192, 96)
    network.score_threshold = 0.0
    for name, spread in SPREAD.items():
        layer, said = network.model.get_submodule(name), []
        hook = layer.register_forward_hook(lambda _, __, output, said=said: said.append(output))
        network.detect([picture])
        hook.remove()
        layer.weight.data *= spread / said[0].std()
    return network


@pytest.fixture(scope="module")
def start(theirs, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("d2-start") / "start.pth"
    torch.save({"model": theirs.model.state_dict()}, path)
    return path


@pytest.fixture(scope="module")
def cases(tmp_path_factory) -> Path:
    base = tmp_path_factory.mktemp("d2") / "cases"
    write_phantom_set(base, 10, seed=3, width=160)
    return base


@pytest.fixture(scope="module")
def trained(cases, start, tmp_path_factory) -> Path:
    """``model_final.pth`` of four iterations on Detectron2, the last two after a resume."""
    output = tmp_path_factory.mktemp("d2-output")
    parts = make_split(cases)[:3]
    setup_catalogs("d2", *parts)
    for iterations in (2, 4):
        weights = short_run(output, start, iterations, resume=iterations == 4)
    return weights


def short_run(output: Path, start: Path, iterations: int, resume: bool) -> Path:
    return train(
        "d2", iterations, resume, engine="detectron2", output=output, preset=SMALL, start=str(start), check_every=2,
        recipe=replace(ORIGINAL, rate=1e-4, warmup=2, batch=1), progress=False, device="cpu",
    )  # fmt: skip


def at_work(network: Any) -> Any:
    """A loaded network at the size and with the numbers of ``SMALL``, which weights do not show."""
    again = type(network)(SMALL, network.schema)
    again.load_state_dict(network.state_dict())
    return again.eval()


def differences(theirs: Detectron2Network, ours: VertebraRCNN, grey: np.ndarray, preset: Preset) -> dict[str, float]:
    """Greatest difference in px and score over the detections of a picture, in their order."""
    small, _ = resize(grey, network_scale(*grey.shape, preset.short_px[-1], preset.long_px), preset.layout)
    theirs.score_threshold = ours.score_threshold = 0.05
    a, b = (network.detect([to_tensor(small)])[0] for network in (theirs, ours))
    assert len(a["boxes"])
    assert a["boxes"].shape == b["boxes"].shape
    return {key: (a[key] - b[key]).abs().max().item() for key in ("boxes", "points", "scores")}


def grey_pictures(cases: Path) -> list[np.ndarray]:
    real = sorted(RADIOGRAPHS.rglob("*.jpg"))[:3] if RADIOGRAPHS.is_dir() else []
    files = [*real, *sorted(cases.glob("*/src/0/*.png"))[:2]]
    return [cv2.imread(str(file), cv2.IMREAD_GRAYSCALE) for file in files]


def test_every_tensor_of_detectron2_is_known(theirs):
    assert to_theirs(build(SMALL, VERTEBRA6).state_dict()).keys() == theirs.model.state_dict().keys()


def test_random_weights_find_the_same(theirs, cases):
    ours = build(SMALL, VERTEBRA6).eval()
    load_into(ours, theirs.model.state_dict(), "random weights")
    for grey in grey_pictures(cases):
        found = differences(theirs, ours, grey, SMALL)
        assert found["boxes"] < PX
        assert found["points"] < PX
        assert found["scores"] < 1e-4


def test_without_its_geometry_they_do_not(theirs, cases):
    """The same weights in the plain ``r50`` layout: what the conversion is for."""
    plain = VertebraRCNN(replace(SMALL, layout="torchvision"), VERTEBRA6).eval()
    exact = build(SMALL, VERTEBRA6)
    load_into(exact, theirs.model.state_dict(), "random weights")
    plain.load_state_dict(exact.state_dict())
    small, _ = resize(grey_pictures(cases)[0], 0.2, SMALL.layout)
    a, b = (network.detect([to_tensor(small)])[0]["boxes"] for network in (theirs, plain))
    count = min(len(a), len(b))
    assert (a[:count] - b[:count]).abs().max() > 1


def test_trained_weights_find_the_same(trained, cases):
    """And so do the files: the whole way of ``spinetk convert``, against Detectron2's own predictor."""
    from detectron2.engine import DefaultPredictor

    configuration = configure(SMALL, VERTEBRA6)
    configuration.MODEL.DEVICE, configuration.MODEL.WEIGHTS = "cpu", str(trained)
    configuration.MODEL.ROI_HEADS.SCORE_THRESH_TEST = 0.05
    reference = DefaultPredictor(configuration)
    ours = load_detectron2(trained)
    ours.score_threshold = 0.05
    for grey in grey_pictures(cases):
        expected = reference(cv2.merge([grey] * 3))["instances"]
        small, factors = resize(grey, network_scale(*grey.shape, 160, 267), "detectron2")
        found = ours.detect([to_tensor(small)])[0]
        assert len(expected)
        assert np.abs(found["points"].numpy() / factors - expected.pred_keypoints[..., :2].numpy()).max() < PX
        boxes = found["boxes"].numpy().reshape(-1, 2, 2) / factors
        assert np.abs(boxes - expected.pred_boxes.tensor.numpy().reshape(-1, 2, 2)).max() < PX


def test_our_weights_run_on_detectron2(start, cases, tmp_path):
    """Its checkpointer and its configuration take what we write, and it finds what we find."""
    from detectron2.checkpoint import DetectionCheckpointer
    from detectron2.config import get_cfg
    from detectron2.modeling import build_model

    ours = at_work(load_detectron2(start))
    configuration = get_cfg()
    configuration.merge_from_file(str(save_detectron2(ours, tmp_path / "model.pth")))
    configuration.MODEL.DEVICE = "cpu"
    network = Detectron2Network(SMALL, VERTEBRA6).eval()
    network.model = build_model(configuration).eval()
    DetectionCheckpointer(network.model).load(str(tmp_path / "model.pth"))
    found = differences(network, ours, grey_pictures(cases)[0], SMALL)
    assert found["boxes"] < PX
    assert found["points"] < PX


def test_a_run_goes_on_where_it_stopped(trained, start):
    run = trained.parent / "d2"
    rows = [json.loads(line) for line in (run / "metrics.json").read_text().splitlines()]
    assert rows[-1]["iteration"] == 3
    assert torch.load(run / "model_final.pth", weights_only=True)["iteration"] == 3
    settings = json.loads((run / "settings.json").read_text())
    assert settings["engine"] == "detectron2"
    assert not set(settings["cases"]["train"]) & set(settings["cases"]["val"])
    assert read_checkpoint(trained)[1]["schema"] == VERTEBRA6.to_json()
    assert load_detectron2(trained).preset == SMALL
    assert len(list(run.glob("model_0*.pth"))) == 2
    assert short_run(trained.parent, start, 4, resume=True) == trained  # nothing left to do
    with pytest.raises(InputError, match="was trained with preset"):
        train("d2", 6, True, engine="detectron2", output=trained.parent, preset=replace(SMALL, name="other"))


def test_both_engines_evaluate_and_write_the_same(trained, cases, tmp_path):
    scores, readings = [], []
    picture = next(cases.glob("*/src/0/*.png"))
    for predictor in (load_predictor(trained, 0.3, "cpu"), Predictor.load(trained, 0.3, "cpu")):
        scores.append(evaluate(cases, "test", predictor, tmp_path / "e", worst=1, progress=False))
        readings.append(eval_img(MetadataCatalog.get("vertd2_train"), predictor, picture, tmp_path / "out.png"))
        assert (tmp_path / "out.png").stat().st_size
    assert scores[0].keys() == scores[1].keys()
    assert scores[0]["keypoints_AP"] == pytest.approx(scores[1]["keypoints_AP"], abs=1e-3)
    a, b = (reading.to_json() for reading in readings)
    assert a.keys() == b.keys()
    assert len(a["vertebrae"]) == len(b["vertebrae"]) > 0
    for one, other in zip(*(reading.vertebrae for reading in readings), strict=True):
        np.testing.assert_allclose(one.points, other.points, atol=PX)


@pytest.mark.parametrize(
    ("setting", "fault"),
    [
        ({"early_stop": True}, "does not follow setting 'early_stop'"),
        ({"precision": "bf16-mixed"}, "does not compute in bf16-mixed"),
        ({"preset": "fast"}, "has no network like 'fast'"),
        ({"recipe": "default"}, "cannot follow recipe 'default'"),
        ({"start": "zoo.pkl"}, "no such weights file"),
    ],
)
def test_what_it_cannot_do_is_said(trained, tmp_path, setting, fault):
    with pytest.raises(InputError, match=fault):
        train("d2", 2, engine="detectron2", output=tmp_path, **{"preset": SMALL, **setting})


def test_the_original_calls(trained):
    predictor = inference(trained, 0.05, engine="detectron2", device="cpu")
    assert isinstance(predictor.engine.network, Detectron2Network)
    assert predictor.threshold == 0.05


def test_catalogs_are_mirrored_and_flips_keep_the_names(cases):
    """The mirrored picture of Detectron2's own loader has its names put right by our swap pairs."""
    from detectron2.data import DatasetCatalog, DatasetMapper, transforms
    from detectron2.data import MetadataCatalog as TheirMetadata

    setup_catalogs("mirror", *make_split(cases)[:3])
    names = [f"vertmirror_{part}" for part in ("train", "val", "test")]
    assert set(names) <= set(DatasetCatalog.list())
    metadata = TheirMetadata.get(names[0])
    assert metadata.keypoint_names == list(VERTEBRA6.keypoints)
    assert metadata.keypoint_flip_map == [("bottom_left", "bottom_right"), ("top_left", "top_right")]
    assert [rule[:2] for rule in metadata.keypoint_connection_rules] == list(VERTEBRA6.skeleton)
    assert metadata.sigmas == list(VERTEBRA6.sigmas)
    record = DatasetCatalog.get(names[0])[0]
    options = DatasetMapper.from_config(configure(SMALL, VERTEBRA6, DATASETS={"TRAIN": (names[0],)}))
    options["augmentations"] = [transforms.RandomFlip(prob=1.0)]
    found = DatasetMapper(**options)(record)["instances"].gt_keypoints.tensor.numpy()
    truth = np.array([a["keypoints"] for a in record["annotations"]]).reshape(-1, 6, 3)
    seen = found[..., 2] > 0
    np.testing.assert_allclose(found[seen, :2], VERTEBRA6.mirror(truth, record["width"])[seen, :2], atol=1e-3)

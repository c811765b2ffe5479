"""Conversion of files without Detectron2: round trips, and what is refused."""

from __future__ import annotations

import json
import os
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from spinetk import zoo
from spinetk.cli import app
from spinetk.errors import InputError
from spinetk.keypoints.d2.checkpoint import Weights, read_checkpoint
from spinetk.keypoints.d2.conversion import convert, load_detectron2, save_detectron2
from spinetk.keypoints.d2.names import to_theirs
from spinetk.keypoints.d2.network import Detectron2RCNN
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.preset import FAST, R50_DETECTRON2
from spinetk.keypoints.registry import build
from spinetk.schema import VERTEBRA4, VERTEBRA6

pytestmark = pytest.mark.usefixtures("thin_r50")
SMALL = replace(R50_DETECTRON2, channels=16, box_units=32, point_layers=(16, 24))


@pytest.fixture(scope="module")
def network(thin_r50) -> Detectron2RCNN:
    torch.manual_seed(0)
    return build(SMALL, VERTEBRA6).eval()


@pytest.fixture(scope="module")
def weights(network) -> Weights:
    return to_theirs(network.state_dict())


def saved(folder: Path, content: object) -> Path:
    path = folder / "model_final.pth"
    torch.save(content, path)
    return path


def test_there_and_back_finds_the_same(network, tmp_path):
    yaml = save_detectron2(network, tmp_path / "theirs.pth")
    files = convert(tmp_path / "theirs.pth", tmp_path / "ours")
    assert files == [tmp_path / "ours.pth"]
    assert yaml == tmp_path / "theirs.yaml"
    assert Predictor.load(tmp_path / "theirs.pth", 0.5, "cpu").engine.preset == SMALL  # also without converting
    again = Predictor.load(files[0], 0.0, "cpu").engine.network
    assert again.preset == SMALL
    assert again.schema == VERTEBRA6
    assert again.frozen_norm
    picture = torch.rand(3, 96, 64, generator=torch.Generator().manual_seed(2))
    network.score_threshold = again.score_threshold = 0.0
    before, after = network.detect([picture])[0], again.detect([picture])[0]
    assert len(before["boxes"])
    for key in before:
        torch.testing.assert_close(after[key], before[key], rtol=1e-3, atol=1e-2)


def test_a_release_is_half_as_large(network, tmp_path):
    save_detectron2(network, tmp_path / "theirs.pth")
    files = convert(tmp_path / "theirs.pth", tmp_path / "ours.safetensors")
    assert [file.name for file in files] == ["ours.safetensors", "ours.json"]
    assert files[0].stat().st_size < 0.6 * (tmp_path / "theirs.pth").stat().st_size
    assert zoo.load(files[0])[1]["converted"] == {"from": "detectron2", "file": "theirs.pth"}


def test_detectron2_is_told_how_to_run_it(network, tmp_path):
    exact = json.loads(save_detectron2(network, tmp_path / "a.pth").read_text())["MODEL"]
    plain = build(replace(SMALL, name="r50", layout="torchvision"), VERTEBRA6)
    other = json.loads(save_detectron2(plain, tmp_path / "b.pth").read_text())["MODEL"]
    assert (exact["RESNETS"]["STRIDE_IN_1X1"], other["RESNETS"]["STRIDE_IN_1X1"]) == (True, False)
    assert (exact["ROI_BOX_HEAD"]["POOLER_TYPE"], other["ROI_BOX_HEAD"]["POOLER_TYPE"]) == ("ROIAlignV2", "ROIAlign")
    assert exact["ROI_KEYPOINT_HEAD"]["CONV_DIMS"] == [16, 24]
    assert exact["ROI_KEYPOINT_HEAD"]["NUM_KEYPOINTS"] == 6
    assert exact["PIXEL_MEAN"] == [103.53, 116.28, 123.675]


def test_the_points_are_named(weights, tmp_path):
    path = saved(tmp_path, {"model": weights})
    assert load_detectron2(path).schema == VERTEBRA6
    with pytest.raises(InputError, match="finds 6 points, schema 'vertebra4' has 4"):
        load_detectron2(path, "vertebra4")
    four = replace(VERTEBRA4, name="mine")
    name = "roi_heads.keypoint_head.score_lowres"
    cut = weights | {f"{name}.weight": weights[f"{name}.weight"][:, :4], f"{name}.bias": weights[f"{name}.bias"][:4]}
    assert load_detectron2(saved(tmp_path, {"model": cut, "spinetk": {"schema": four.to_json()}})).schema == four
    five = {f"{name}.weight": weights[f"{name}.weight"][:, :5], f"{name}.bias": weights[f"{name}.bias"][:5]}
    assert load_detectron2(saved(tmp_path, weights | five)).schema.keypoints[4] == "point_5"


def test_what_trainers_add_is_passed_over(weights, tmp_path):
    old = {
        "pixel_mean": torch.tensor([103.53, 116.28, 123.675]).view(3, 1, 1),
        "pixel_std": torch.ones(3, 1, 1),
        "proposal_generator.anchor_generator.cell_anchors.0": torch.zeros(3, 4),
        "backbone.bottom_up.stem.conv1.norm.num_batches_tracked": torch.tensor(7),
    }
    parallel = {f"module.{name}": tensor for name, tensor in (weights | old).items()}
    path = saved(tmp_path, {"model": parallel, "iteration": 1299, "optimizer": {"state": {}}})
    assert load_detectron2(path).schema == VERTEBRA6


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"roi_heads.mask_head.mask_fcn1.weight": torch.zeros(1)}, "holds more than that network: roi_heads.mask"),
        ({"backbone.bottom_up.res4.6.conv1.weight": torch.zeros(1)}, "holds more than that network: .*res4.6"),
        ({"roi_heads.box_predictor.cls_score.weight": torch.zeros(81, 32)}, "holds .81, 32. where"),
        ({"roi_heads.box_head.fc2.weight": None}, "has no tensor 'roi_heads.box_head.fc2.weight'"),
        ({"backbone.fpn_lateral2.weight": None}, "has no tensor 'backbone.fpn_lateral2.weight'"),
        ({"roi_heads.keypoint_head.score_lowres.weight": None}, "holds no Keypoint R-CNN of Detectron2"),
        ({"pixel_mean": torch.tensor([123.675, 116.28, 103.53])}, "wants pixel means"),
        ({"pixel_std": torch.tensor([57.375, 57.12, 58.395])}, "wants pixel deviations"),
    ],
)
def test_another_network_is_refused_by_name(weights, tmp_path, changes, fault):
    changed = {name: tensor for name, tensor in (weights | changes).items() if tensor is not None}
    with pytest.raises(InputError, match=fault) as told:
        load_detectron2(saved(tmp_path, {"model": changed}))
    assert "\n" not in str(told.value)


class Runs:
    """Unpickling it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.folder),)


def test_a_pickle_needs_trust_and_still_runs_nothing(weights, tmp_path):
    path, trap = tmp_path / "zoo.pkl", tmp_path / "trap"
    arrays = {name: tensor.numpy() for name, tensor in weights.items()}
    path.write_bytes(pickle.dumps({"model": arrays, "__author__": "Detectron2"}, protocol=2))
    with pytest.raises(InputError, match="--trust-pickle"):
        load_detectron2(path)
    found, _ = read_checkpoint(path, trust_pickle=True)
    assert found.keys() == weights.keys()
    torch.testing.assert_close(found["roi_heads.box_head.fc1.bias"], weights["roi_heads.box_head.fc1.bias"])
    path.write_bytes(pickle.dumps({"model": arrays, "more": Runs(trap)}))
    with pytest.raises(InputError, match="mkdir is not an array"):
        load_detectron2(path, trust_pickle=True)
    torch.save({"model": weights, "more": Runs(trap)}, tmp_path / "model_final.pth")
    with pytest.raises(InputError, match="is not a file of tensors"):
        load_detectron2(tmp_path / "model_final.pth", trust_pickle=True)
    assert not trap.exists()


def test_files_that_are_none(tmp_path):
    (tmp_path / "cut.pth").write_bytes(b"PK\x03\x04")
    (tmp_path / "cut.pkl").write_bytes(b"\x80\x04}")
    for name, trust in (("cut.pth", False), ("cut.pkl", True), ("absent.pth", False)):
        with pytest.raises(InputError):
            convert(tmp_path / name, tmp_path / "out", trust_pickle=trust)
    assert not (tmp_path / "out.pth").exists()


def test_only_the_r50_kind_goes_back(tmp_path):
    with pytest.raises(InputError, match="'fast': has no counterpart"):
        save_detectron2(build(replace(FAST, point_layers=(8,), box_units=8), VERTEBRA6), tmp_path / "a.pth")
    with pytest.raises(InputError, match=r"end in \.pth"):
        save_detectron2(build(SMALL, VERTEBRA6), tmp_path / "a.pkl")


def test_the_source_is_never_overwritten(network, tmp_path):
    save_detectron2(network, tmp_path / "a.pth")
    with pytest.raises(InputError, match="is the source itself"):
        convert(tmp_path / "a.pth", tmp_path / "a")


def test_from_the_command_line(network, tmp_path):
    save_detectron2(network, tmp_path / "theirs.pth")
    done = CliRunner().invoke(app, ["convert", str(tmp_path / "theirs.pth"), "-o", str(tmp_path / "ours")])
    assert done.exit_code == 0, done.output
    assert done.output.split() == [str(tmp_path / "ours.pth")]
    back = CliRunner().invoke(app, ["convert", str(tmp_path / "ours.pth"), "-o", str(tmp_path / "back.pth")])
    assert back.output.split() == [str(tmp_path / "back.pth"), str(tmp_path / "back.yaml")]
    first, last = (read_checkpoint(tmp_path / name)[0] for name in ("theirs.pth", "back.pth"))
    assert first.keys() == last.keys()
    for name in first:
        torch.testing.assert_close(last[name], first[name], rtol=1e-6, atol=0)

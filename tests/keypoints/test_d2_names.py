"""Tensors by Detectron2's names: written out by hand, and the layers that change on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from spinetk.keypoints.d2.names import BOXES, CLASSES, STEM, their_name, to_ours, to_theirs
from spinetk.keypoints.d2.network import Detectron2RCNN
from spinetk.keypoints.preset import R50_DETECTRON2
from spinetk.schema import VERTEBRA6

SMALL = replace(R50_DETECTRON2, channels=16, box_units=32, point_layers=(16,) * 3)


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return Detectron2RCNN(SMALL, VERTEBRA6).state_dict()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("rcnn.backbone.body.bn1.running_var", "backbone.bottom_up.stem.conv1.norm.running_var"),
        ("rcnn.backbone.body.layer1.0.downsample.0.weight", "backbone.bottom_up.res2.0.shortcut.weight"),
        ("rcnn.backbone.body.layer4.0.downsample.1.bias", "backbone.bottom_up.res5.0.shortcut.norm.bias"),
        ("rcnn.backbone.body.layer3.5.conv2.weight", "backbone.bottom_up.res4.5.conv2.weight"),
        ("rcnn.backbone.body.layer3.5.bn2.weight", "backbone.bottom_up.res4.5.conv2.norm.weight"),
        ("rcnn.backbone.fpn.inner_blocks.0.0.bias", "backbone.fpn_lateral2.bias"),
        ("rcnn.backbone.fpn.layer_blocks.3.0.weight", "backbone.fpn_output5.weight"),
        ("rcnn.rpn.head.conv.0.0.weight", "proposal_generator.rpn_head.conv.weight"),
        ("rcnn.rpn.head.bbox_pred.bias", "proposal_generator.rpn_head.anchor_deltas.bias"),
        ("rcnn.roi_heads.box_head.fc7.weight", "roi_heads.box_head.fc2.weight"),
        ("rcnn.roi_heads.keypoint_head.14.weight", "roi_heads.keypoint_head.conv_fcn8.weight"),
        ("rcnn.roi_heads.keypoint_predictor.kps_score_lowres.bias", "roi_heads.keypoint_head.score_lowres.bias"),
    ],
)
def test_names(ours, theirs):
    assert their_name(ours) == theirs


def test_every_tensor_has_its_own_name_and_comes_back(weights):
    theirs = to_theirs(weights)
    counters = [name for name in weights if name.endswith("num_batches_tracked")]
    assert len(theirs) == len(weights) - len(counters)
    back = to_ours(theirs, weights)
    unused = {f"{BOXES}.{kind}" for kind in ("weight", "bias")}
    for name, tensor in weights.items():
        own = back[name]
        if name in unused:  # boxes of the background
            own, tensor = own[4:], tensor[4:]
        torch.testing.assert_close(own, tensor, rtol=1e-6, atol=0)


def test_the_first_convolution_sees_the_same_colours(weights):
    """BGR minus the pixel means against RGB in 0..1, normalised; zeros around both, as both engines pad."""
    random = torch.Generator().manual_seed(1)
    bgr = torch.randint(0, 256, (1, 3, 17, 23), generator=random).float()
    theirs = to_theirs(weights)["backbone.bottom_up.stem.conv1.weight"]
    expected = F.conv2d(bgr - torch.tensor([103.53, 116.28, 123.675]).view(1, 3, 1, 1), theirs, stride=2, padding=3)
    rgb = bgr.flip(1) / 255
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    normal = (rgb - mean.view(1, 3, 1, 1)) / deviation.view(1, 3, 1, 1)
    torch.testing.assert_close(F.conv2d(normal, weights[STEM], stride=2, padding=3), expected, rtol=1e-4, atol=1e-4)


def test_the_background_is_first_here_and_last_there(weights):
    theirs = to_theirs(weights)
    vertebra, background = theirs["roi_heads.box_predictor.cls_score.bias"]
    assert weights[f"{CLASSES}.bias"].tolist() == [background.item(), vertebra.item()]
    torch.testing.assert_close(theirs["roi_heads.box_predictor.bbox_pred.weight"], weights[f"{BOXES}.weight"][4:])
    assert not to_ours(theirs, weights)[f"{BOXES}.weight"][:4].any()

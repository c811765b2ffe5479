import json
from dataclasses import replace

import pytest
import torch
from torchvision.models.detection import KeypointRCNN_ResNet50_FPN_Weights

from spinetk.errors import InputError
from spinetk.keypoints.card import from_config
from spinetk.keypoints.network import VertebraRCNN
from spinetk.keypoints.preset import FAST, R50, Preset, get_recipe
from spinetk.keypoints.registry import get_preset
from spinetk.schema import VERTEBRA4, VERTEBRA6, schema_for_names


@pytest.fixture(scope="module")
def fast() -> VertebraRCNN:
    torch.manual_seed(0)
    return VertebraRCNN(FAST, VERTEBRA6)


def target(count: int) -> dict[str, torch.Tensor]:
    boxes = torch.tensor([[20.0, 10 + 30.0 * i, 60.0, 35 + 30.0 * i] for i in range(count)]).reshape(count, 4)
    x0, y0, x1, y1 = boxes.unbind(1)
    middle = (x0 + x1) / 2
    corners = [(x0, y1), (middle, y1), (x1, y1), (x1, y0), (middle, y0), (x0, y0)]
    points = torch.stack([torch.stack([x, y, torch.ones(count)], -1) for x, y in corners], 1)
    return {"boxes": boxes, "labels": torch.ones(count, dtype=torch.int64), "keypoints": points.reshape(count, 6, 3)}


def test_r50_with_17_points_is_torchvisions_network():
    """The COCO person network has 59,137,258 parameters (torchvision's own record of its weights).

    Torchvision counts batch norms as constants, and so does this test.
    """
    person = schema_for_names([f"p{i}" for i in range(17)])
    network = VertebraRCNN(R50, person)
    published = KeypointRCNN_ResNet50_FPN_Weights.COCO_V1.meta["num_params"]
    norms = sum(p.numel() for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d) for p in m.parameters())
    assert sum(p.numel() for p in network.parameters()) - norms == published
    # 11 fewer heatmaps: one 4x4 transposed convolution over 512 channels and a bias each.
    six = sum(p.numel() for p in VertebraRCNN(R50, VERTEBRA6).parameters())
    assert published + norms - six == 11 * (512 * 16 + 1)


def test_fast_is_small(fast):
    assert sum(p.numel() for p in fast.parameters()) <= 12_000_000


@pytest.mark.parametrize("schema", [VERTEBRA4, VERTEBRA6], ids=lambda s: s.name)
def test_the_schema_gives_the_head_size(schema):
    network = VertebraRCNN(FAST, schema)
    assert network.rcnn.roi_heads.keypoint_predictor.kps_score_lowres.out_channels == len(schema)


def test_losses_and_gradients(fast):
    fast.train()
    losses = fast.losses([torch.rand(3, 128, 96), torch.rand(3, 100, 120)], [target(3), target(0)])
    assert set(losses) == {
        "loss_classifier", "loss_box_reg", "loss_keypoint", "loss_objectness", "loss_rpn_box_reg",
    }  # fmt: skip
    sum(losses.values()).backward()
    for name, parameter in fast.named_parameters():
        if "layer4" not in name and "fc." not in name:
            assert parameter.grad is not None, name
            assert torch.isfinite(parameter.grad).all(), name


def test_thin_boxes_have_finite_losses_in_bfloat16(fast):
    """610.4 and 613.6 are the same number in bfloat16: proposals must not be rounded to it."""
    fast.train()
    thin = target(1)
    thin["boxes"] = torch.tensor([[100.0, 610.4, 150.0, 613.6]])
    with torch.autocast("cpu", torch.bfloat16):
        losses = fast.losses([torch.rand(3, 640, 200)], [thin])
    assert all(torch.isfinite(value) for value in losses.values()), losses


@pytest.mark.parametrize("shape", [(1, 1), (7, 300), (64, 64)])
def test_detect_on_any_size(fast, shape):
    fast.eval()
    (found,) = fast.detect([torch.rand(3, *shape)])
    count = len(found["boxes"])
    assert found["points"].shape == (count, 6, 2)
    assert found["scores"].shape == (count,)
    assert all(torch.isfinite(value).all() for value in found.values())


def test_config_round_trip(fast):
    config = json.loads(json.dumps(fast.config()))
    again = from_config(config)
    again.load_state_dict(fast.state_dict())
    assert again.preset == fast.preset
    assert again.schema == fast.schema


def test_frozen_norms_stay_frozen():
    network = VertebraRCNN(FAST, VERTEBRA6, frozen_norm=True).train()
    before = network.rcnn.backbone.body.bn1.running_mean.clone()
    network.losses([torch.rand(3, 64, 64)], [target(1)])
    assert torch.equal(network.rcnn.backbone.body.bn1.running_mean, before)
    assert not network.rcnn.backbone.body.bn1.weight.requires_grad


def test_presets_and_recipes_by_name():
    assert Preset.from_json(json.loads(json.dumps(R50.to_json()))) == R50
    assert get_preset(FAST) is FAST
    original = get_recipe("original")
    assert (original.rate, original.warmup, original.batch) == (2.5e-4, 1000, 2)
    assert get_recipe("default", batch=1, rate=None) == replace(get_recipe("default"), batch=1)
    with pytest.raises(InputError, match="r50, fast"):
        get_preset("resnet")
    with pytest.raises(InputError, match="original"):
        get_recipe("best")

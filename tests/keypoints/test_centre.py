"""The centre network: crops, targets, losses, and what holds for any weights."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from spinetk.errors import InputError
from spinetk.keypoints.card import from_config
from spinetk.keypoints.centre.crop import axes, body_boxes, cut, from_crop, sample, to_crop
from spinetk.keypoints.centre.decoding import CentreDecoder
from spinetk.keypoints.centre.network import CentreNet
from spinetk.keypoints.centre.preset import CENTRE, CENTRE_AP, CentrePreset
from spinetk.keypoints.centre.refine import refine_loss
from spinetk.keypoints.centre.target import centre_maps, focal_loss
from spinetk.keypoints.pretrained import train_only
from spinetk.keypoints.registry import build
from spinetk.schema import VERTEBRA4, VERTEBRA6

SHARE = (1.7, 2.4)
SMALL = CentrePreset("small", (128,), 128, levels=("L1", "L2", "L3"), channels=8, crop_px=32, crop_widths=(16, 16, 16))


def body(centre, width, height, degrees):
    """(4, 2) corners TL, TR, BL, BR of a turned rectangle."""
    angle = math.radians(degrees)
    right = np.array([math.cos(angle), math.sin(angle)]) * width / 2
    down = np.array([-math.sin(angle), math.cos(angle)]) * height / 2
    middle = np.array(centre)
    return np.stack([middle - right - down, middle + right - down, middle - right + down, middle + right + down])


def targets(count=3):
    bodies = np.stack([body((60.0, 30.0 + 32 * k), 40.0, 22.0, 4.0 * k) for k in range(count)])
    points = torch.from_numpy(bodies).float()
    keypoints = torch.cat([points, torch.ones(count, 4, 1)], -1)
    return {"keypoints": keypoints, "levels": torch.arange(count)}


@pytest.mark.parametrize("degrees", [-35.0, 0.0, 20.0])
def test_box_of_a_turned_rectangle(degrees):
    box = body_boxes(body((50.0, 70.0), 40.0, 24.0, degrees)[None], VERTEBRA4)[0]
    assert box[:4].tolist() == pytest.approx([50, 70, 40, 24], abs=1e-4)
    assert math.degrees(box[4]) == pytest.approx(degrees)


def test_corners_of_a_body_stand_upright_in_its_crop():
    points = body((50.0, 70.0), 40.0, 24.0, 20.0)[None]
    boxes = body_boxes(points, VERTEBRA4)
    inside = to_crop(points, boxes, SHARE)
    half = np.array([0.5 / 1.7, 0.5 / 2.4])
    signs = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]])
    np.testing.assert_allclose(inside[0], 0.5 + signs * half, atol=1e-12)
    np.testing.assert_allclose(from_crop(inside, boxes, SHARE), points, atol=1e-12)


def test_a_bright_pixel_lies_in_the_crop_where_to_crop_says():
    picture = np.zeros((100, 120), np.float32)
    picture[62, 57] = 1.0  # centre at (57.5, 62.5)
    boxes = body_boxes(body((50.0, 60.0), 30.0, 20.0, 25.0)[None], VERTEBRA4)
    crop = cut(picture, boxes, SHARE, 64)[0, 0]
    row, column = divmod(int(crop.argmax()), 64)
    said = to_crop(np.array([[[57.5, 62.5]]]), boxes, SHARE)[0, 0] * 64
    assert (column + 0.5, row + 0.5) == pytest.approx(said.tolist(), abs=1.0)
    assert not cut(np.zeros_like(picture), boxes, SHARE, 64).any()
    right, down = axes(boxes, SHARE)
    assert np.linalg.norm(right) == pytest.approx(30 * 1.7)
    assert np.linalg.norm(down) == pytest.approx(20 * 2.4)


def test_samples_are_those_of_grid_sample():
    random = np.random.default_rng(0)
    picture = random.random((3, 21, 34))
    where = random.uniform(-4, 40, (5, 6, 2))
    where[0, 0] = 0.0
    where[0, 1] = 34.0, 21.0
    where[0, 2] = 34.5, 10.0
    grid = torch.from_numpy(where / [34, 21] * 2 - 1)
    wanted = F.grid_sample(torch.from_numpy(picture)[None], grid[None], align_corners=False)[0]
    np.testing.assert_allclose(sample(picture, where), wanted.numpy(), atol=1e-5)


def test_a_crop_has_no_brightness_and_no_contrast():
    picture = np.random.default_rng(0).random((80, 80))
    boxes = body_boxes(body((40.0, 40.0), 30.0, 20.0, 10.0)[None], VERTEBRA4)
    one, other = (cut(p, boxes, (1.0, 1.0), 32) for p in (picture, 0.1 + 0.8 * picture))
    assert abs(one.mean()) < 1e-12
    assert np.abs(one - other).max() < 0.1


def test_centre_maps_are_one_in_the_cell_of_each_centre_and_fall_off():
    maps = centre_maps(torch.tensor([[4.3, 7.9], [10.0, 2.0]]), torch.tensor([6.0, 12.0]), (12, 16))
    assert maps[7, 4] == 1
    assert maps[2, 10] == 1
    assert (maps == 1).sum() == 2
    assert maps[7, 5].item() == pytest.approx(math.exp(-0.5))  # one cell off, SD 6 / 6
    assert maps[2, 12].item() == pytest.approx(math.exp(-0.5))  # two cells off, SD 12 / 6
    assert not centre_maps(torch.zeros(0, 2), torch.zeros(0), (3, 3)).any()


def test_focal_loss_by_hand():
    target = torch.tensor([[[1.0, 0.5, 0.0]]])
    loss = focal_loss(torch.zeros(1, 1, 3), target)  # every probability is a half
    by_hand = 0.25 * math.log(2) * (1 + 0.5**4 + 1)
    assert loss.item() == pytest.approx(by_hand, rel=1e-5)


def test_refine_loss_is_least_at_the_point_and_skips_the_unseen():
    axis = torch.arange(20) + 0.5
    truth = torch.tensor([[[7.2, 12.6]]])
    seen = torch.ones(1, 1, dtype=torch.bool)

    def map_at(x, y):
        return (-0.5 * ((axis[None] - x) ** 2 + (axis[:, None] - y) ** 2))[None, None]

    right = refine_loss(map_at(7.2, 12.6), truth, seen)
    assert right < refine_loss(map_at(8.2, 12.6), truth, seen)
    assert right < refine_loss(map_at(7.2, 11.6), truth, seen)
    assert refine_loss(map_at(3.0, 3.0), truth, ~seen) == 0
    assert refine_loss(map_at(3.0, 3.0), truth + 40, seen) == 0


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    net = CentreNet(SMALL, VERTEBRA4)
    torch.nn.init.constant_(net.centre.bias, 0.0)
    return net


def test_losses_are_finite_for_any_sizes_and_no_vertebra(network):
    network.train()
    pictures = [torch.rand(3, 120, 97), torch.rand(3, 101, 128)]
    empty = {"keypoints": torch.zeros(0, 4, 3), "levels": torch.zeros(0, dtype=torch.int64)}
    for wanted in ([targets(), empty], [empty, empty]):
        losses = network.losses(pictures, wanted)
        assert set(losses) == {"loss_centre", "loss_offset", "loss_refine", "loss_level"}
        total = sum(losses.values())
        total.backward()
        assert torch.isfinite(total)
    network.zero_grad()


def ideal_maps(wanted, shape):
    """Centre logits and offsets of a network that knows the answer: each cell speaks for the nearest body."""
    points = wanted["keypoints"][..., :2]
    rows, columns = torch.meshgrid(*(torch.arange(n) + 0.5 for n in shape), indexing="ij")
    cells = 8 * torch.stack([columns, rows], -1)  # middles, px of the input
    owner = torch.cdist(cells.flatten(0, 1), points.mean(1)).argmin(1).reshape(shape)
    offset = (points[owner] - cells[:, :, None]) / 64
    boxes = torch.from_numpy(body_boxes(points.numpy(), VERTEBRA4)) / 8
    centre = centre_maps(boxes[:, :2], boxes[:, 3], shape).clamp(1e-6, 1 - 1e-6).logit()
    return centre[None], offset.permute(2, 3, 0, 1)[None]


def test_what_is_compiled_is_what_trains_and_not_what_reads(monkeypatch):
    torch.manual_seed(0)
    network, called = CentreNet(SMALL, VERTEBRA4), []

    def counted(function, *_, **__):
        return lambda *given: called.append(function.__name__) or function(*given)

    monkeypatch.setattr(torch, "compile", counted)
    network.compile()
    network.train().losses([torch.rand(3, 128, 128)], [targets()])
    assert sorted(called) == ["_call_impl", "maps"]
    network.eval().detect([torch.rand(3, 128, 128)])
    assert len(called) == 2


def test_maps_without_loss_are_read_as_the_truth(network, monkeypatch):
    """What the losses call perfect is what the decoder takes for the vertebrae: one convention of cells and offsets."""
    wanted = targets()
    centre, offset = ideal_maps(wanted, (16, 16))
    monkeypatch.setattr(network, "maps", lambda batch: (centre[:, None], offset[:, None]))
    losses = network.train().losses([torch.rand(3, 128, 128)], [wanted])
    assert losses["loss_offset"] < 1e-6
    assert losses["loss_centre"] < focal_loss(centre + 0.5, centre.sigmoid())
    scores, points = network.decoder().peaks(centre[0].sigmoid().numpy(), offset[0].numpy())
    assert len(scores) == 3
    order = points.mean(1)[:, 1].argsort()
    np.testing.assert_allclose(points[order], wanted["keypoints"][..., :2], atol=1e-3)


def test_crops_without_loss_are_read_as_the_truth(network, monkeypatch):
    """The same of the second part: a heat at the truth, where the crop has it, comes back as that place."""
    truth = targets()["keypoints"][..., :2].numpy()
    cuts = []
    side = 2 * SMALL.crop_px
    axis = np.arange(side) + 0.5

    def remembered(picture, boxes, share, size):
        cuts.append(boxes)
        return cut(picture, boxes, share, size)

    def knowing(crops):
        at = to_crop(truth, cuts[-1], SMALL.crop_share) * side
        return -0.5 * ((axis - at[..., 0, None, None]) ** 2 + (axis[:, None] - at[..., 1, None, None]) ** 2)

    monkeypatch.setattr("spinetk.keypoints.centre.decoding.cut", remembered)
    random = np.random.default_rng(0)
    decoder = CentreDecoder(SMALL, VERTEBRA4, lambda _: None, knowing)
    found = decoder.look(random.random((3, 128, 128)), truth + 3 * random.normal(size=truth.shape), flip=False)
    np.testing.assert_allclose(found["points"], truth, atol=0.1)


def test_detections_of_the_mirrored_picture_are_mirrored(network):
    network.eval()
    picture = torch.rand(3, 128, 128, generator=torch.Generator().manual_seed(1))
    one, other = (network.detect([p])[0] for p in (picture, picture.flip(-1)))
    assert len(one["scores"]) > 3
    torch.testing.assert_close(one["scores"], other["scores"], atol=1e-5, rtol=0)
    mirrored = other["points"][:, list(VERTEBRA4.flip_indices)] * torch.tensor([-1.0, 1.0]) + torch.tensor([128.0, 0.0])
    rough = torch.tensor([torch.cdist(p.flatten()[None], mirrored.flatten(1)).min() for p in one["points"]])
    assert rough.median() < 0.05


def test_config_builds_the_same_network(network):
    twin = from_config(network.config())
    assert isinstance(twin, CentreNet)
    twin.load_state_dict(network.state_dict())
    assert twin.preset == SMALL


def test_sizes_of_the_presets():
    for preset, schema, levels in ((CENTRE, VERTEBRA6, 0), (CENTRE_AP, VERTEBRA4, 17)):
        net = build(preset, schema)
        assert len(preset.levels) == levels
        # Half precision must fit a release of 25 MB.
        assert 2 * sum(v.numel() for v in net.state_dict().values()) < 25e6


def test_only_the_parts_named_are_trained(network):
    twin = from_config(network.config())
    train_only(twin, "column")
    wanted = targets(4) | {"levels": torch.tensor([0, 1, 2, 3])}
    losses = twin.train().losses([torch.rand(3, 160, 120)], [wanted])
    assert set(losses) == {"loss_level"}
    losses["loss_level"].backward()
    assert {name.split(".")[0] for name, p in twin.named_parameters() if p.grad is not None} == {"column"}
    train_only(twin, "refine")
    before = {name: value.clone() for name, value in twin.state_dict().items() if not name.startswith("refine.")}
    losses = twin.train().losses([torch.rand(3, 160, 120)], [wanted])
    assert all(torch.equal(value, twin.state_dict()[name]) for name, value in before.items())
    assert set(losses) == {"loss_centre", "loss_offset", "loss_refine"}
    sum(losses.values()).backward()
    train_only(twin, "centre, column")
    assert {name.split(".")[0] for name, p in twin.named_parameters() if p.requires_grad} == {"centre", "column"}
    with pytest.raises(InputError, match="choose from body, "):
        train_only(twin, "column,nose")

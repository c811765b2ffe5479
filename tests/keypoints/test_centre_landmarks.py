"""Landmarks among the bodies of the centre network: targets, losses, decoding."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from spinetk.errors import InputError
from spinetk.keypoints.centre.crop import body_boxes, cut, to_crop
from spinetk.keypoints.centre.decoding import CentreDecoder
from spinetk.keypoints.centre.landmarks import as_body, fit_circle, from_body, targets, upright_circle
from spinetk.keypoints.centre.network import CLOSE, CentreNet
from spinetk.keypoints.centre.preset import CentrePreset
from spinetk.keypoints.centre.target import centre_maps
from spinetk.keypoints.data import RecordDataset
from spinetk.keypoints.registry import kind_of, losses_of
from spinetk.landmark import Landmark
from spinetk.schema import VERTEBRA6

PLATE = Landmark("s1", np.array([[60.0, 80.0], [100.0, 110.0]]))
HEAD = Landmark("femoral_head", np.array([[90.0, 130.0]]), 18.0)
SMALL = CentrePreset("small", (128,), 192, channels=8, crop_px=32, crop_widths=(4, 8, 8), crops=4,
                     landmarks=("s1", "femoral_head"))  # fmt: skip


@pytest.mark.parametrize("landmark", [PLATE, HEAD])
def test_a_landmark_drawn_as_a_body_reads_back(landmark):
    body = as_body(landmark, VERTEBRA6)
    back = from_body(landmark.kind, body[:, :2], VERTEBRA6, 0.5, np.ones(6))
    np.testing.assert_allclose(back.points, landmark.points)
    assert back.radius_px == (None if landmark.radius_px is None else pytest.approx(18.0))


def test_circle_through_its_points_and_least_squares_through_others():
    angles = np.linspace(0, 5, 9)
    points = np.array([3.0, -2.0]) + 7 * np.column_stack([np.cos(angles), np.sin(angles)])
    centre, radius = fit_circle(points)
    np.testing.assert_allclose(centre, (3, -2))
    assert radius == pytest.approx(7)


def test_a_turned_circle_stands_upright_again():
    body = as_body(HEAD, VERTEBRA6)
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    turned = np.column_stack([(body[:, :2] - HEAD.points) @ turn.T + HEAD.points, body[:, 2]])
    np.testing.assert_allclose(upright_circle(turned, VERTEBRA6), body)


def test_the_left_of_an_endplate_is_left_in_the_mirror_too():
    mirrored = VERTEBRA6.mirror(as_body(PLATE, VERTEBRA6), 192)
    expected = as_body(PLATE.moved(np.array([[-1.0, 0, 192], [0, 1, 0]])), VERTEBRA6)
    np.testing.assert_allclose(mirrored, expected)


def batch(known=True):
    picture = torch.rand(3, 192, 128)
    body = VERTEBRA6.mirror(as_body(Landmark("s1", np.array([[40.0, 20.0], [70.0, 22.0]])), VERTEBRA6), 128)
    points, kinds = targets([PLATE.to_json(), HEAD.to_json()], SMALL.landmarks, VERTEBRA6)
    target = {
        "keypoints": torch.tensor(body[None], dtype=torch.float32),
        "landmarks": torch.tensor(points, dtype=torch.float32),
        "kinds": torch.tensor(kinds),
        "landmarks_known": torch.tensor(known),
    }
    return [picture], [target]


def test_where_nobody_looked_for_landmarks_the_network_is_not_taught_that_there_are_none():
    network = CentreNet(SMALL, VERTEBRA6).train()
    assert {"loss_s1", "loss_femoral_head"} <= network.losses(*batch()).keys()
    pictures, (target,) = batch(known=False)
    unknown = [{k: v for k, v in target.items() if k not in ("landmarks", "kinds")}]
    assert not {"loss_s1", "loss_femoral_head"} & network.losses(pictures, unknown).keys()


@pytest.mark.parametrize("apart", [False, True])
def test_every_loss_changes_with_the_parts_that_the_registry_names(apart):
    """By the gradients that reach them; where landmarks have layers of their own, what the bodies have is spared."""
    preset = replace(SMALL, levels=("L1", "L2", "L3", "L4"), landmark_channels=8 if apart else 0, endplate_refine=apart)
    torch.manual_seed(0)
    network = CentreNet(preset, VERTEBRA6).train()
    pictures, (target,) = batch()
    bodies = [target["keypoints"] + torch.tensor([0.0, 40.0 * k, 0.0]) for k in range(4)]
    target |= {"keypoints": torch.cat(bodies), "levels": torch.arange(4)}
    losses = network.losses(pictures, [target])
    assert [name.removeprefix("loss_") for name in losses] == losses_of(preset)
    named = dict(network.named_parameters())
    for name, changes_with in kind_of(preset).losses.items():
        found = torch.autograd.grad(losses[f"loss_{name}"], [*named.values()], retain_graph=True, allow_unused=True)
        reached = {
            own.partition(".")[0] for own, grad in zip(named, found, strict=True) if grad is not None and grad.any()
        }
        spared = {"centre"} if apart and name in preset.landmarks else set()
        assert reached == changes_with.intersection(dict(network.named_children())) - spared


def test_each_kind_has_maps_of_its_own():
    """Gradients of the loss of one kind reach its row of the last layer and no other."""
    network = CentreNet(SMALL, VERTEBRA6).train()
    network.losses(*batch())["loss_femoral_head"].backward()
    rows = network.centre.weight.grad.abs().sum((1, 2, 3))
    assert rows[2] > 0
    assert rows[0] == rows[1] == 0


def test_layers_of_their_own_leave_the_bodies_as_they_are():
    """Landmarks taught to a finished network: what it says of bodies stays the same, to the last bit."""
    plain = CentreNet(replace(SMALL, landmarks=()), VERTEBRA6).eval()
    wider = CentreNet(replace(SMALL, landmark_channels=8), VERTEBRA6).eval()
    same = {name: own for name, own in plain.state_dict().items() if not name.startswith("refine.head")}
    assert all(
        name.startswith(("landmarks.", "refine.head")) for name in wider.load_state_dict(same, False).missing_keys
    )
    picture = torch.rand(1, 3, 192, 128)
    for ours, theirs, count in zip(wider.maps(picture), plain.maps(picture), (3, 3), strict=True):
        assert ours.shape[1] == count
        assert torch.equal(ours[:, :1], theirs)


def test_layers_of_their_own_learn_alone():
    network = CentreNet(replace(SMALL, landmark_channels=8), VERTEBRA6).train()
    network.losses(*batch())["loss_s1"].backward()
    assert network.landmarks["trunk"][0][0].weight.grad.abs().sum() > 0
    assert float(network.centre.weight.grad.abs().sum()) == 0


def test_a_landmark_is_looked_at_from_several_places(monkeypatch):
    """One body and two landmarks: a crop of the one, three of each of the others."""
    seen = []

    def counted(picture, boxes, share, side):
        seen.append(boxes)
        return cut(picture, boxes, share, side)

    monkeypatch.setattr("spinetk.keypoints.centre.network.cut", counted)
    CentreNet(SMALL, VERTEBRA6).train().losses(*batch())
    assert len(np.unique(seen[0], axis=0)) == 1 + 2 * 3


def test_two_femoral_heads_a_quarter_of_their_size_apart_are_two_peaks():
    """Eight cells wide, two apart: half way the map falls to 0.36, where it would stay at 0.76 for bodies."""
    centres, size = torch.tensor([[4.5, 4.5], [6.5, 4.5]]), torch.full((2,), 8.0)
    between = [float(centre_maps(centres, size * share, (9, 12))[4, 5]) for share in (CLOSE["femoral_head"], 1.0)]
    assert between == pytest.approx([0.361, 0.755], abs=0.001)


def test_detections_name_their_kind():
    network = CentreNet(SMALL, VERTEBRA6).eval()
    torch.nn.init.constant_(network.centre.bias, 0.0)
    found = network.detect(batch()[0])[0]
    assert found["landmark_points"].shape[1:] == (6, 2)
    assert set(found["landmark_kinds"].tolist()) == {0, 1}
    assert len(found["landmark_scores"]) == len(found["landmark_kinds"]) <= 4


def test_dataset_gives_landmarks_and_says_whether_they_were_looked_for(tmp_path):
    import cv2

    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.zeros((192, 128), np.uint8))
    record = {"file_name": str(path), "annotations": [], "landmarks": [PLATE.to_json(), HEAD.to_json()]}
    looked, nothing, silent = record, {**record, "landmarks": []}, {**record}
    del silent["landmarks"]
    dataset = RecordDataset([looked, nothing, silent], VERTEBRA6, SMALL)
    first, second, third = (dataset[k][1] for k in range(3))
    np.testing.assert_allclose(first["landmarks"][0, :, :2], as_body(PLATE, VERTEBRA6)[:, :2], atol=1e-4)
    assert first["kinds"].tolist() == [0, 1]
    assert (bool(second["landmarks_known"]), bool(third["landmarks_known"])) == (True, False)


@pytest.mark.parametrize("passes", [1, 2])
def test_the_refining_network_looks_at_s1_as_often_as_the_preset_says(passes: int):
    """And at femoral heads twice in any case: counted where a crop of one kind comes back as that kind's maps."""
    preset = replace(SMALL, endplate_passes=passes)
    seen = []

    def refine(crops):
        seen.append(len(crops))
        return np.zeros((len(crops), 18, 2 * SMALL.crop_px, 2 * SMALL.crop_px), np.float32)

    centre, offset = np.zeros((3, 24, 16), np.float32), np.zeros((3, 6, 2, 24, 16), np.float32)
    centre[1, 5, 5] = centre[2, [12, 18], 8] = 0.9  # one endplate, two heads
    offset[:] = np.random.default_rng(0).normal(size=(6, 2))[..., None, None]
    decoder = CentreDecoder(preset, VERTEBRA6, lambda _: None, refine)
    found = decoder._landmarks(np.ones((3, 192, 128), np.float32), centre, offset, False)
    assert found["landmark_kinds"].tolist() == [0, 1, 1]
    assert seen == [1] * passes + [2, 2]


def with_endplate() -> CentreNet:
    torch.manual_seed(1)
    return CentreNet(replace(SMALL, endplate_refine=True), VERTEBRA6).eval()


def test_s1_is_refined_by_its_own_network_and_nothing_else_is():
    """With a network of its own that sees S1 in one corner, it lies there; bodies and heads lie as without it."""
    network = with_endplate()
    plain = CentreNet(SMALL, VERTEBRA6).eval()
    plain.load_state_dict({k: v for k, v in network.state_dict().items() if not k.startswith("endplate")})
    assert network.endplate is not None
    network.endplate.forward = lambda crops: corner(len(crops))  # type: ignore[method-assign]
    picture = np.random.default_rng(0).random((3, 192, 128)).astype(np.float32)
    points = np.array([[[40, 60], [64, 60], [88, 60], [40, 84], [64, 84], [88, 84]]], np.float32)
    for kind in (0, 2):
        one, other = (own.decoder().look(picture, points, False, 2, kind)["points"] for own in (network, plain))
        np.testing.assert_array_equal(one, other)
    box = body_boxes(points, VERTEBRA6)
    seen = network.decoder().look(picture, points, False, 1, 1)["points"]
    cells = SMALL.crop_px / 2
    np.testing.assert_allclose(to_crop(seen, box, SMALL.crop_share), np.full((1, 6, 2), 2.5 / cells), atol=1e-3)


def corner(count: int) -> torch.Tensor:
    """Logits whose maps have all their weight in the third cell of the third row."""
    logits = torch.full((count, 6, SMALL.crop_px // 2, SMALL.crop_px // 2), -50.0)
    logits[..., 2, 2] = 50.0
    return logits


def test_training_teaches_s1_to_its_own_network():
    """The maps of S1 that the shared network keeps get no gradient, those of bodies and heads do."""
    network = with_endplate()
    pictures, targets = batch()
    torch.manual_seed(0)
    network.losses(pictures, targets)["loss_refine"].backward()
    assert network.endplate is not None
    assert float(network.endplate.head.weight.grad.abs().sum()) > 0
    of_kind = network.refine.head.weight.grad.abs().flatten(1).sum(1).view(3, 6).sum(1)
    assert of_kind[0] > 0
    assert of_kind[1] == 0
    assert of_kind[2] > 0


def test_a_network_that_looks_for_no_s1_has_none_to_refine():
    content = replace(SMALL, landmarks=("femoral_head",)).to_json() | {"endplate_refine": True}
    with pytest.raises(InputError, match=r"card: has a refining network for S1 .* \(give it the landmark 's1'"):
        CentrePreset.from_json(content, "card")

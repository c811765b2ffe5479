import cv2
import numpy as np
import pytest
import torch

from spinetk.errors import InputError
from spinetk.formats.record import record_of
from spinetk.geometry import Frame, turn
from spinetk.keypoints.data import RecordDataset, make_target, place_unknown, tint, upright_copies, warp
from spinetk.keypoints.pictures import network_scale, resize, to_tensor
from spinetk.keypoints.preset import FAST
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA4


@pytest.fixture
def record(tmp_path):
    picture = np.random.default_rng(0).integers(0, 255, (200, 120), np.uint8)
    path = tmp_path / "src-0.png"
    cv2.imwrite(str(path), picture)
    points = [[30, 40, 2], [80, 42, 2], [31, 70, 2], [82, 75, 2]]
    return {"file_name": str(path), "annotations": [{"keypoints": np.ravel(points).tolist()}]}


def blob(x: float, y: float, shape=(160, 160)) -> np.ndarray:
    rows, columns = np.indices(shape) + 0.5
    return (255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 18)).astype(np.uint8)


def centroid(picture: np.ndarray) -> np.ndarray:
    rows, columns = np.indices(picture.shape) + 0.5
    weight = picture.astype(float) / picture.sum()
    return np.array([(weight * columns).sum(), (weight * rows).sum()])


@pytest.mark.parametrize("seed", range(5))
def test_points_move_with_the_picture(seed):
    picture = blob(80.3, 70.8)
    warped, points = warp(picture, np.array([[[80.3, 70.8, 2]]]), np.random.default_rng(seed))
    np.testing.assert_allclose(points[0, 0, :2], centroid(warped), atol=0.1)
    small, factors = resize(picture, 0.37)
    np.testing.assert_allclose(np.array([80.3, 70.8]) * factors, centroid(small), atol=0.1)


def test_a_sample_depends_on_seed_epoch_and_index_alone(record):
    def item(seed, key):
        return RecordDataset([record] * 2, VERTEBRA4, FAST, "full", seed)[key][0]

    dataset = RecordDataset([record] * 2, VERTEBRA4, FAST, "full", 3)
    later = [dataset[key][0] for key in ((0, 1), (1, 0), (0, 0))]
    assert torch.equal(later[2], item(3, (0, 0)))
    assert not torch.equal(later[1], later[2])
    assert not torch.equal(item(4, (0, 0)), item(3, (0, 0)))


def test_without_augmentation_points_are_scaled(record):
    picture, target = RecordDataset([record], VERTEBRA4, FAST)[0]
    scale = network_scale(200, 120, 320, 640)
    assert picture.shape == (3, round(200 * scale), round(120 * scale))
    np.testing.assert_allclose(target["keypoints"][0, 0, :2], np.array([30, 40]) * scale, rtol=0.01)


def test_a_flipped_sample_swaps_names(record):
    dataset = RecordDataset([record], VERTEBRA4, FAST, "flip")
    plain = RecordDataset([record], VERTEBRA4, FAST)[0][1]["keypoints"][0].numpy()
    width = RecordDataset([record], VERTEBRA4, FAST)[0][0].shape[2]
    flipped = [dataset[(epoch, 0)][1]["keypoints"][0].numpy() for epoch in range(12)]
    changed = [k for k in flipped if not np.allclose(k, plain)]
    assert 0 < len(changed) < 12
    np.testing.assert_allclose(changed[0][0, :2], [width - plain[1, 0], plain[1, 1]], atol=1e-3)


def test_target_margin_and_points_outside():
    inside = [[20, 20, 2], [40, 20, 2], [20, 40, 2], [40, 40, 2]]
    half = [[-9, -9, 2], [5, 1, 2], [-9, 9, 2], [5, 9, 2]]
    outside = [[-9, 0, 2], [-8, 0, 2], [-9, 5, 2], [-8, 5, 2]]
    points = np.array([inside, half, outside], float)
    target = make_target(points, (100, 100), 0.1)
    assert target["boxes"].tolist()[0] == pytest.approx([18, 18, 42, 42])
    assert len(target["boxes"]) == 2
    assert target["keypoints"][1, :, 2].tolist() == [0, 1, 0, 1]
    assert target["boxes"][1].min() >= 0
    empty = make_target(np.zeros((0, 4, 3)), (10, 10), 0.1)
    assert empty["boxes"].shape == (0, 4)
    assert empty["keypoints"].shape == (0, 4, 3)


def test_unknown_points_lie_where_the_neighbours_shape_puts_them():
    """A body turned by 30 degrees and 1.2 times as large as its neighbour, two of its corners beyond the edge."""
    whole = np.array([[0.0, 20], [30, 22], [30, 0], [0, 2]])
    angle = np.deg2rad(30)
    turn = 1.2 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    points = np.ones((4, 4, 3))
    points[0, :, :2], points[1, :, :2] = whole + (50, 40), whole @ turn.T + (48, 4)
    points[2], points[3] = points[0], points[0]
    truth = points.copy()
    points[1, 2:] = points[2, 0] = points[3, :3] = 0
    placed = place_unknown(points)
    np.testing.assert_allclose(placed[:3, :, :2], truth[:3, :, :2], atol=1e-9)
    assert (placed[..., 2] == points[..., 2]).all()
    assert (placed[3] == points[3]).all()
    # Without a complete body: between those known.
    np.testing.assert_allclose(place_unknown(points[1:2])[0, 2:, :2], [points[1, :2, :2].mean(0)] * 2)
    assert place_unknown(np.zeros((0, 4, 3))).shape == (0, 4, 3)


def test_local_contrast_keeps_the_picture_in_channel_one():
    picture = blob(50, 60, (90, 130))
    tensor = to_tensor(picture, local_contrast=True)
    assert tensor.shape == (3, 90, 130)
    assert torch.equal(tensor[0], to_tensor(picture)[0])
    assert not torch.equal(tensor[1], tensor[0])


def test_tint_stays_8_bit():
    random = np.random.default_rng(0)
    for _ in range(10):
        changed = tint(blob(50, 60), random)
        assert changed.dtype == np.uint8
        assert changed.shape == (160, 160)


def test_a_lost_picture_is_named(record, tmp_path):
    (tmp_path / "src-0.png").unlink()
    with pytest.raises(InputError, match="cannot be read"):
        RecordDataset([record], VERTEBRA4, FAST)[0]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_picture_is_trained_as_it_is_read(tmp_path, orientation):
    """A frontal film stored any of eight ways, with pixels 1.5 times as high as wide, gives one and the same sample."""
    film = np.random.default_rng(0).integers(0, 255, (120, 100), np.uint8)
    body = Vertebra.from_points(np.array([[30, 40], [80, 42], [31, 70], [82, 75]], float), label="L1")
    upright_film = Reading("film", 120, 100, VERTEBRA4, [body], Frame((0.6, 0.4), "user", "L", "F"), "ap")
    samples = []
    for name, number in (("upright", 1), ("stored", orientation)):
        path = tmp_path / f"{name}.png"
        cv2.imwrite(str(path), turn(film, number))
        reading = upright_film.turned(number)
        reading.file = str(path)
        samples.append(RecordDataset([record_of(reading, name)], VERTEBRA4, FAST)[0])
    (expected, truth), (picture, target) = samples
    assert expected.shape[1] / expected.shape[2] == pytest.approx(180 / 100, abs=0.01)
    assert torch.equal(picture, expected)
    torch.testing.assert_close(target["keypoints"], truth["keypoints"])


def test_copies_for_another_trainer_stand_upright(record, tmp_path):
    """Turned by 90 degrees clockwise, (x, y) goes to (height - y, x); what stands is not copied."""
    stored = cv2.imread(record["file_name"], cv2.IMREAD_GRAYSCALE)
    frame = Frame((0.5, 0.5), "user", exif_orientation=6)
    points = np.array([[30, 40], [80, 42], [31, 70], [82, 75]], float)
    lying = Reading(record["file_name"], 200, 120, VERTEBRA4, [Vertebra.from_points(points)], frame)
    lying = {**record_of(lying, "a"), "file_name": record["file_name"]}
    plain, copy = upright_copies([record, lying], tmp_path / "upright")
    assert plain is record
    shown = cv2.imread(copy["file_name"], cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(shown, np.rot90(stored, -1))
    assert (copy["height"], copy["width"]) == shown.shape == (120, 200)
    found = np.reshape(copy["annotations"][0]["keypoints"], (-1, 3))[:, :2]
    np.testing.assert_allclose(found, np.column_stack([200 - points[:, 1], points[:, 0]]))
    # Copied again, nothing is turned again.
    assert upright_copies([copy], tmp_path / "again")[0] is copy

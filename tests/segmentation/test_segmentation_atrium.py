"""Locator, crop, segmenter and back: with networks that are known, and a few iterations of ones that learn."""

import json
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from torch import nn

from spinetk.errors import InputError
from spinetk.phantoms.atrium import atrium_volume
from spinetk.phantoms.solid import Grid
from spinetk.segmentation.atrium.augmentation import Augmentation, _bend, _places, _stretch, augment
from spinetk.segmentation.atrium.data import CaseDataset, choose_geometry, collate, prepare
from spinetk.segmentation.atrium.models import load_predictor, read_parts
from spinetk.segmentation.atrium.predictor import AtriumPredictor, Geometry, standardise
from spinetk.segmentation.atrium.trainer import ready_stage, train_atrium
from spinetk.segmentation.data.files import find_pairs
from spinetk.segmentation.metrics import count
from spinetk.segmentation.optimiser import Optimiser
from spinetk.training.sampler import EndlessSampler

NOTHING = Augmentation(flip=0, noise=0, rotate=0, shift=0)
SPACING = (2.5, 1.5, 2.0)


class Bright(nn.Module):
    """Knows: brighter than ``level`` standard deviations is atrium."""

    def __init__(self, level: float) -> None:
        super().__init__()
        self.level = level
        self.seen: list[tuple[int, ...]] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seen.append(tuple(x.shape[2:]))
        return 50 * (x - self.level)


def egg(shape=(40, 70, 60), spacing=SPACING, centre=(-12.0, 20.0, -9.0)):
    """A bright egg in a dark volume, with a small bright speck far away."""
    grid = Grid(shape, spacing)
    solid = grid.ellipsoid(centre, (18, 14, 22))
    values = 20 + 200 * grid.cover(solid)
    values[-2:, 2:4, -4:-2] = 220
    return values.astype(np.float32), solid < 0


@pytest.fixture
def predictor():
    geometry = Geometry(SPACING, (16, 16, 16), locator_mm=(5.0, 5.0, 5.0))
    # Half of the egg's brightness, in SDs of the coarse volume and of the crop.
    values, _ = egg()
    box = AtriumPredictor([], geometry, Bright(2.0)).locate(values)
    crop = box.cut(values)
    return AtriumPredictor([Bright((120 - crop.mean()) / crop.std())], geometry, Bright(2.0), shifts=False)


def test_comes_back_to_its_place(predictor):
    values, truth = egg()
    found = predictor.predict(values, SPACING)
    assert np.array_equal(found, truth)
    (crop,) = predictor.segmenters[0].seen
    assert all(side % 16 == 0 for side in crop)
    assert np.prod(crop) < values.size / 2


def test_other_spacings(predictor):
    for shape, spacing in (((50, 105, 120), (2.0, 1.0, 1.0)), ((25, 53, 40), (4.0, 2.0, 3.0))):
        values, truth = egg(shape, spacing)
        found = predictor.predict(values, spacing)
        assert found.shape == shape
        assert count(found, truth).scores()["dice"] > 0.93


def test_ensembles_and_flips(predictor):
    values, truth = egg()
    strict = Bright(1e3)
    both = AtriumPredictor(
        [*predictor.segmenters, strict], predictor.geometry, predictor.locator, flips=("rows",), shifts=False
    )
    probability = both.probability(values, SPACING)
    assert probability.max() == pytest.approx(0.5, abs=1e-3)
    assert len(strict.seen) == 2
    flipped = AtriumPredictor(predictor.segmenters, predictor.geometry, predictor.locator, flips=("rows",))
    assert np.array_equal(flipped.predict(values, SPACING), truth)


class Strided(nn.Module):
    """Answers yes in every fourth slice of the crop, whatever it shows: what strides do to a network, and no more."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer = torch.full_like(x, -50.0)
        answer[:, :, ::4] = 50.0
        return answer


def test_moved_crops_are_averaged_where_they_lie(predictor):
    values, _ = egg()
    box = predictor.locate(values)
    once, moved = (
        AtriumPredictor([Strided()], predictor.geometry, predictor.locator, shifts=shifts).probability(values, SPACING)
        for shifts in (False, True)
    )
    inside = tuple(slice(max(a + 2, 0), b - 2) for a, b in zip(box.start, box.stop, strict=True))
    phase = (np.arange(values.shape[0]) - box.start[0]) % 4
    for array, shares in ((once, {0: 1.0, 2: 0.0}), (moved, {0: 1 / 5, 2: 4 / 5})):
        # Four of the five crops begin two slices further or earlier: their answers lie on the other phase.
        for step in range(4):
            part = array[inside][phase[inside[0]] == step]
            np.testing.assert_allclose(part, shares.get(step, 0.0), atol=1e-6)


def test_sliding_window_needs_no_locator():
    values, truth = egg()
    level = (120 - values.mean()) / values.std()
    slider = AtriumPredictor([Bright(level)], Geometry(SPACING, (32, 32, 32)))
    assert np.array_equal(slider.predict(values, SPACING, "slide"), truth)
    with pytest.raises(ValueError, match="locator"):
        slider.predict(values, SPACING)


@pytest.mark.parametrize("values", [np.zeros((20, 21, 22)), np.full((5, 5, 5), 7, np.int16)])
def test_nothing_found(predictor, values):
    found = predictor.predict(values, SPACING)
    assert found.shape == values.shape
    assert not found.any()


def test_geometry_json():
    geometry = Geometry((0.625, 0.625, 0.625), (96, 144, 224))
    assert Geometry.from_json(json.loads(json.dumps(geometry.to_json()))) == geometry
    assert geometry.shape((88, 576, 576), (0.63, 0.625, 1.25)) == (88, 576, 1152)


def test_augmentation_moves_all_alike():
    values, mask = egg()
    values = standardise(values)
    distance = np.where(mask, -1.0, 1.0).astype(np.float32)
    for settings in (Augmentation(1, 0, 1, 0, 3, 0), Augmentation(0, 0, 1, 0, 0, 1), Augmentation(elastic=1, noise=0)):
        for seed in range(4):
            out, moved, far = augment(values, mask, distance, settings, np.random.default_rng(seed))
            inside = out[3:37][moved[3:37]]
            assert inside.mean() > values[mask].mean() - 0.4
            assert (np.sign(far) == np.where(moved, -1, 1)).mean() > 0.995
            assert out.min() >= values.min()
            assert (out.shape, moved.dtype, far.dtype) == (values.shape, bool, np.float32)


def test_what_comes_in_is_background():
    values, mask = np.full((2, 20, 20), 5.0, np.float32), np.ones((2, 20, 20), bool)
    values[0, 10, 10] = -3
    shifted, moved, _ = augment(values, mask, None, Augmentation(0, 0, rotate=0, shift=1), np.random.default_rng(0))
    assert moved.sum() < mask.sum()
    assert (shifted[~moved] == -3).all()


def test_flip_is_along_the_rows_and_noise_is_each_ones_own():
    values = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    mask = values > 11
    flipped, turned, _ = augment(values, mask, None, Augmentation(1, 0, rotate=0, shift=0), np.random.default_rng(0))
    assert np.array_equal(flipped, values[:, ::-1])
    assert np.array_equal(turned, mask[:, ::-1])
    noisy = Augmentation(0, 1, rotate=0, shift=0)
    fields = [augment(values, mask, None, noisy, np.random.default_rng(seed))[0] - values for seed in (0, 1)]
    assert abs(np.corrcoef(fields[0].ravel(), fields[1].ravel())[0, 1]) < 0.8
    assert np.array_equal(augment(values, mask, None, NOTHING, np.random.default_rng(0))[0], values)


def test_where_a_changed_pixel_is_read_from():
    """A slice of 5 x 3 px, its middle at (2, 1), turned by 90 degrees, twice as high and four times as wide, moved by
    (1, 2): row 4, column 0 lies ((4 - 2 - 1) / 2, (0 - 1 - 2) / 4) = (0.5, -0.75) from the middle of what is turned.
    """
    places = _places((5, 3), 90.0, np.array([1.0, 2.0]), None, np.array([2.0, 4.0]))
    assert places.shape == (2, 5, 3)
    assert places[:, 4, 0] == pytest.approx([2 + 0.75, 1 + 0.5])
    bent = _places((5, 3), 90.0, np.array([1.0, 2.0]), np.full((2, 5, 3), 0.25), np.array([2.0, 4.0]))
    np.testing.assert_allclose(bent, places + 0.25)


def test_a_bend_is_smooth_and_as_strong_as_was_said():
    """The gauss filter of an eighth of the shorter side leaves neighbours alike: correlation exp(-1 / (4 sigma^2))."""
    bend = _bend((32, 2048), 3.0, np.random.default_rng(5))
    assert bend.shape == (2, 32, 2048)
    assert bend.std() == pytest.approx(3.0)
    for field in bend:
        for axis in (0, 1):
            rolled = np.roll(field, 1, axis)  # it goes on at the other edge
            assert np.corrcoef(field.ravel(), rolled.ravel())[0, 1] == pytest.approx(np.exp(-1 / 64), abs=2e-3)
            assert abs(field - rolled).max() < 3.0
    assert abs(np.corrcoef(bend[0].ravel(), bend[1].ravel())[0, 1]) < 0.1


@pytest.mark.parametrize(("factor", "read"), [(2.0, [0.75, 1.25, 1.75, 2.25]), (0.5, [0.0, 0.5, 2.5, 3.0])])
def test_slices_are_stretched_about_the_middle_one(factor, read):
    """Four slices, 0 to 3, their middle at 1.5: slice n is read at 1.5 + (n - 1.5) / factor, the ends at most."""
    values = np.arange(4, dtype=np.float32)[:, None, None] * np.ones((1, 2, 3), np.float32)
    np.testing.assert_allclose(_stretch(values, factor)[:, 1, 2], read, rtol=1e-6)
    assert _stretch(values[:1], factor).tolist() == values[:1].tolist()


def test_sizes_greys_and_sharpness_change_on_request():
    values, mask = egg()
    values = standardise(values)
    draws = [np.random.default_rng(seed) for seed in range(12)]
    sized = [augment(values, mask, None, replace(NOTHING, scale=1, scale_by=1.25), rng) for rng in draws]
    for other, moved, _ in sized:
        assert 1.25**-3.2 < moved.sum() / mask.sum() < 1.25**3.2
        assert other[moved].mean() > values[mask].mean() - 0.5  # values and mask move alike
    assert len({int(moved.sum()) for _, moved, _ in sized}) > 6
    bent, kept, _ = augment(values, mask, None, replace(NOTHING, contrast=1), draws[0])
    assert np.array_equal(kept, mask)
    assert (bent.mean(), bent.std()) == pytest.approx((values.mean(), values.std()), abs=1e-4)
    order = values.ravel().argsort()[::97]
    assert (np.diff(bent.ravel()[order]) >= -1e-6).all()  # the brighter stays the brighter
    assert np.abs(bent - values).max() > 0.01
    blurred, _, _ = augment(values, mask, None, replace(NOTHING, blur=1), draws[1])
    assert np.abs(np.diff(blurred)).sum() < np.abs(np.diff(values)).sum()


def test_cosine_is_that_of_torch():
    weights = torch.nn.Parameter(torch.zeros(1))
    theirs = torch.optim.SGD([weights], lr=0.03)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(theirs, 20)
    ours = Optimiser("sgd", 0.03, 1, cosine=20)
    for iteration in range(21):
        assert ours.rate_after(iteration) == pytest.approx(theirs.param_groups[0]["lr"], abs=1e-9)
        theirs.step()
        schedule.step()
    assert ours.rate_after(25) == 0


def test_begins_with_the_weights_of_a_model(folder, tmp_path):
    pairs = find_pairs(folder)[:2]
    geometry = choose_geometry(pairs)
    common = {"network": "monai-unet3d", "options": {"width": 8}, "batch": 1, "device": "cpu", "progress": False}
    first = ready_stage("segmenter", pairs, [], tmp_path / "a", geometry, iterations=1, **common).train()
    go_on = {**common, "start": str(first), "decay": "cosine"}
    second = ready_stage("segmenter", pairs, [], tmp_path / "b", geometry, iterations=1, rate=1e-9, **go_on).train()
    before, after = (read_parts(path)["segmenter"].weights for path in (first, second))
    moved = [name for name in before if not torch.allclose(before[name].float(), after[name].float(), atol=1e-6)]
    assert all("running" in name or "num_batches" in name for name in moved)
    with pytest.raises(InputError, match="no locator"):
        ready_stage("locator", pairs, [], tmp_path / "c", geometry, iterations=1, **go_on)
    with pytest.raises(InputError, match="another segmenter"):
        ready_stage("segmenter", pairs, [], tmp_path / "c", geometry, iterations=1, **go_on | {"options": {}})


def test_draws_go_on_where_they_stopped():
    whole = iter(EndlessSampler(5, 0))
    first = [next(whole) for _ in range(15)]
    assert sorted(case for _, case in first[:5]) == [0, 1, 2, 3, 4]
    later = iter(EndlessSampler(5, 0, start=7))
    assert [next(later) for _ in range(8)] == first[7:]


def test_batches_of_unequal_sizes():
    one = np.ones((2, 3, 4), np.float32), np.ones((2, 3, 4), bool), np.full((2, 3, 4), 2.0, np.float32)
    other = np.zeros((3, 3, 2), np.float32) - 4, np.ones((3, 3, 2), bool), np.full((3, 3, 2), 5.0, np.float32)
    values, mask, distance = collate([one, other])
    assert values.shape == mask.shape == distance.shape == (2, 1, 3, 3, 4)
    assert mask.sum() == 24 + 18
    assert (values[1] == -4).all()
    assert (distance[1] == 5).all()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three coarse phantoms in the layout of the challenge."""
    base = tmp_path_factory.mktemp("atria")
    for part in ("raw", "label"):
        (base / part).mkdir()
    for seed in range(3):
        phantom = atrium_volume(seed, shape=(16, 36, 40), spacing_mm=(6.0, 6.0, 6.0))
        files = ("raw", "lgemri", phantom.values), ("label", "laendo", phantom.mask.astype(np.uint8) * 255)
        for part, kind, values in files:
            image = sitk.GetImageFromArray(values)
            image.SetSpacing((6.0, 6.0, 6.0))
            sitk.WriteImage(image, str(base / part / f"case{seed}_{kind}.nii.gz"))
    return base


def test_pairs(folder, tmp_path):
    pairs = find_pairs(folder)
    assert [pair.image.name for pair in pairs] == [f"case{n}_lgemri.nii.gz" for n in range(3)]
    volume, mask = pairs[1].read()
    assert mask.dtype == bool
    assert mask.shape == volume.values.shape
    with pytest.raises(InputError, match="raw"):
        find_pairs(tmp_path)
    for name in ("raw/a_1.nrrd", "label/b_1.nrrd"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    with pytest.raises(InputError, match="no partner"):
        find_pairs(tmp_path)


def test_prepared_crops(folder, tmp_path):
    pairs = find_pairs(folder)
    geometry = choose_geometry(pairs, locator_mm=(12.0, 12.0, 12.0))
    assert geometry.grid_mm == (6.0, 6.0, 6.0)
    assert all(side % 16 == 0 for side in geometry.patch)
    files = prepare(pairs, geometry, tmp_path, "segmenter", distance=True)
    for file, pair in zip(files, pairs, strict=True):
        values, mask, distance = CaseDataset([file])[0]
        assert values.shape == geometry.patch
        assert mask.sum() == pair.read()[1].sum()
        assert values.mean() == pytest.approx(0, abs=1e-5)
        assert (distance[~mask] >= 6).all()
        assert (distance[mask] <= 0).all()
    dataset = CaseDataset(files, Augmentation(), seed=3)
    assert np.array_equal(dataset[(7, 1)][0], dataset[(7, 1)][0])
    assert not np.array_equal(dataset[(7, 1)][0], dataset[(8, 1)][0])
    coarse = prepare(pairs, geometry, tmp_path / "coarse", "locator", distance=False)
    assert CaseDataset(coarse)[0][0].shape == (8, 18, 20)


def test_trains_resumes_and_predicts(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("spinetk.segmentation.atrium.trainer.EPOCH_DRAWS", 1)
    pairs = find_pairs(folder)
    common = {"network": "monai-unet3d", "device": "cpu", "precision": "32-true", "progress": False, "check_every": 2}
    predictor = train_atrium(
        pairs[:2], pairs[2:], tmp_path, locator_mm=(12.0, 12.0, 12.0), iterations=2, batch=2,
        segmenter={"loss": "hybrid", "rate": 1e-3, "patience": 0, "reduce": 0.5}, **common,
    )  # fmt: skip
    checkpoint = torch.load(tmp_path / "segmenter" / "checkpoints" / "00000002.ckpt", weights_only=True)
    # Two cases in batches of two: every iteration is an epoch.
    assert checkpoint["state_dict"]["loss.steps"] == 2
    # Saved before the validation that follows it, which a resumed run does first.
    assert checkpoint["last_dice"] is None
    volume, _ = pairs[2].read()
    assert predictor.predict(volume.values, volume.spacing_mm).shape == volume.values.shape
    ready_stage(
        "segmenter", pairs[:2], pairs[2:], tmp_path, predictor.geometry, loss="hybrid", batch=2, iterations=4,
        resume=True, **common,
    ).train()  # fmt: skip
    later = torch.load(tmp_path / "segmenter" / "checkpoints" / "00000004.ckpt", weights_only=True)
    assert later["global_step"] == 4
    assert later["state_dict"]["loss.steps"] == 4
    moments = later["optimizer_states"][0]["state"]
    assert {int(moment["step"]) for moment in moments.values()} == {4}
    again = load_predictor([tmp_path / "segmenter.pth"], tmp_path / "locator.pth", "cpu")
    assert again.geometry == predictor.geometry
    # Gradients reach every weight of the network through the whole chain.
    assert len(moments) == len(list(again.segmenters[0].parameters()))
    assert all(moment["exp_avg"].any() for moment in moments.values())
    with pytest.raises(InputError, match="is not a locator"):
        load_predictor([tmp_path / "segmenter.pth"], tmp_path / "segmenter.pth")
    with pytest.raises(InputError, match="slices"):
        ready_stage("locator", pairs, [], tmp_path, predictor.geometry, network="spin")

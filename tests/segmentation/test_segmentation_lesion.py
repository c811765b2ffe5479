"""Slice networks through the trainer: a few iterations, resumption, the way back to a predictor."""

import lightning
import numpy as np
import pytest
import SimpleITK as sitk
import torch
from torch.utils.data import DataLoader

from spinetk import zoo
from spinetk.errors import InputError
from spinetk.phantoms.lesion import lesion_volume
from spinetk.segmentation.data.files import Pair, find_pairs
from spinetk.segmentation.losses.overlap import Dice
from spinetk.segmentation.module import SegmentationTraining
from spinetk.segmentation.optimiser import Optimiser
from spinetk.segmentation.run import SegmentationSettings, release
from spinetk.segmentation.slices.lesion_trainer import EverySlice, collate, load_slice_predictor, ready_slices
from spinetk.training.fit import Fit


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    base = tmp_path_factory.mktemp("brains")
    for part in ("raw", "label"):
        (base / part).mkdir()
    for seed in range(3):
        brain = lesion_volume(seed, shape=(5, 40 + 3 * seed, 36), spacing_mm=(8.0, 4.5, 4.5), radius_mm=(5, 9))
        for part, values in (("raw", brain.values), ("label", brain.mask.astype(np.uint8))):
            image = sitk.GetImageFromArray(values)
            image.SetSpacing((4.5, 4.5 + 0.5 * seed, 8.0))
            sitk.WriteImage(image, str(base / part / f"p{seed}.nii.gz"))
    return find_pairs(base)


def test_validation_sees_every_slice(pairs):
    cases = [(volume.values, mask) for volume, mask in (pair.read() for pair in pairs)]
    dataset = EverySlice(cases, 5)
    assert len(dataset) == 15
    assert sum(float(mask.sum()) for _, mask in (dataset[i] for i in range(15))) == sum(m.sum() for _, m in cases)
    values, mask, _ = collate([dataset[0], dataset[14]])
    assert values.shape == (2, 5, 46, 36)
    assert not mask[0, :, 40:].any()


def test_trains_resumes_and_predicts(pairs, tmp_path):
    common = {"network": "monai-unet", "batch": 2, "device": "cpu", "precision": "32-true", "progress": False}
    path = ready_slices(pairs[:2], pairs[2:], tmp_path, iterations=2, check_every=2, **common).train()
    ready_slices(pairs[:2], pairs[2:], tmp_path, iterations=4, check_every=2, resume=True, **common).train()
    last = torch.load(tmp_path / "monai-unet" / "checkpoints" / "00000004.ckpt", weights_only=True)
    # The optimiser keeps its moments over epochs and over resumption.
    assert next(iter(last["optimizer_states"][0]["state"].values()))["step"] == 4
    predictor = load_slice_predictor(path, "cpu")
    training = np.concatenate([pair.read()[0].values.ravel() for pair in pairs[:2]])
    assert predictor.statistics.mean == pytest.approx(training.mean(), rel=1e-5)
    assert predictor.statistics.sd == pytest.approx(training.std(), rel=1e-5)
    assert predictor.statistics.spacing_mm == pytest.approx(np.array([(8, 8), (4.5, 5), (4.5, 4.5)]))
    volume, mask = pairs[2].read()
    assert predictor.predict(volume.values).shape == mask.shape


def test_what_does_not_fit(pairs, tmp_path):
    for network in ("vnet", "tmunet"):
        with pytest.raises(InputError, match="slices of volumes"):
            ready_slices(pairs, [], tmp_path, network=network)
    with pytest.raises(InputError, match="distance"):
        ready_slices(pairs, [], tmp_path, loss="hybrid")
    with pytest.raises(InputError, match="no case"):
        ready_slices([], [], tmp_path)
    for name in ("a", "b"):
        volume, mask = pairs[0].read()
        sitk.WriteImage(sitk.GetImageFromArray(volume.values), str(tmp_path / f"{name}.nii.gz"))
        sitk.WriteImage(sitk.GetImageFromArray(mask.astype(np.uint8) * 0), str(tmp_path / f"{name}_0.nii.gz"))
    healthy = [Pair(tmp_path / f"{name}.nii.gz", tmp_path / f"{name}_0.nii.gz") for name in ("a", "b")]
    with pytest.raises(InputError, match="none of its 2 masks marks anything"):
        ready_slices(healthy, [], tmp_path, network="kiunet")


@pytest.mark.parametrize("validated", [True, False])
def test_the_best_weights_are_released(tmp_path, validated):
    """Not the last, unless nothing was validated."""
    last, best = {"w": torch.ones(2)}, {"w": torch.zeros(2)}
    result = Fit(9, 0, last, best if validated else None, 0.5 if validated else None, False, first=True)
    path = release(tmp_path / "net.pth", result, {"network": "unet"}, SegmentationSettings.of(None))
    weights, card, _ = zoo.load(path)
    assert torch.equal(weights["w"], (best if validated else last)["w"])
    assert card["training"]["val_loss"] == (0.5 if validated else None)


class Says(torch.nn.Module):
    """A network that knows its answers."""

    def __init__(self, logits):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))
        self.logits = logits

    def forward(self, values):
        return self.scale * torch.stack([self.logits[int(v.flatten()[0])] for v in values])


def validated(tmp_path, logits, masks, batch):
    """``val_loss`` and ``val_dice`` of slices with these logits and masks."""
    slices = [(np.full((1, 4, 4), n, np.float32), mask[None].astype(np.float32)) for n, mask in enumerate(masks)]
    module = SegmentationTraining(Says(logits), Dice(), Optimiser("adam", 1e-3, 2), 1)
    trainer = lightning.Trainer(
        accelerator="cpu", logger=False, enable_progress_bar=False, enable_checkpointing=False,
        enable_model_summary=False, default_root_dir=tmp_path,
    )  # fmt: skip
    (found,) = trainer.validate(module, DataLoader(slices, batch, collate_fn=collate), verbose=False)
    return found["val_loss"], found["val_dice"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("batch", [1, 2, 5])
def test_validation_sees_what_is_found_where_there_is_nothing(tmp_path, batch):
    """Five slices, a lesion in the first: the loss is that of the whole part, however it is dealt into batches."""
    random = np.random.default_rng(0)
    masks = np.zeros((5, 4, 4), bool)
    masks[0, 1:3, 1:3] = True
    logits = torch.from_numpy(random.normal(-3, 1, (5, 1, 4, 4)).astype(np.float32))
    loss, dice = validated(tmp_path, logits, masks, batch)
    p = 1 / (1 + np.exp(-logits.double().numpy()[:, 0]))
    assert loss == pytest.approx(1 - 2 * (p * masks).sum() / (p.sum() + masks.sum()), abs=1e-6)
    louder = logits.clone()
    louder[4] += 5  # where there is no lesion
    assert validated(tmp_path, louder, masks, batch)[0] > loss + 0.02
    assert dice == 0


@pytest.mark.filterwarnings("ignore")
def test_nothing_to_find_and_nothing_found(tmp_path):
    masks = np.zeros((3, 4, 4), bool)
    silent = torch.full((3, 1, 4, 4), -200.0)
    assert validated(tmp_path, silent, masks, 2) == pytest.approx((0.0, 1.0), abs=1e-6)
    assert validated(tmp_path, silent + 400, masks, 2) == pytest.approx((1.0, 0.0), abs=1e-6)
    assert np.isnan(validated(tmp_path, silent * float("nan"), masks, 2)[0])

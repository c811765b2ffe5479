"""Colour pictures: what a network sees, random changes, clean-up, prediction."""

import numpy as np
import pytest
import torch
from scipy.ndimage import binary_fill_holes
from torch import nn

from spinetk.phantoms.skin import skin_picture
from spinetk.segmentation.slices.pictures import (
    MIRROR,
    CleanUp,
    PictureAugmentation,
    PictureDataset,
    PictureForm,
    PicturePredictor,
    is_grey,
    resize,
)
from spinetk.validation import validated


def test_statistics_are_of_the_training_pictures_alone():
    pictures = [np.full((4, 4, 3), 10, np.uint8), np.full((8, 4, 3), 40, np.uint8)]
    form = PictureForm.of("z-score", None, pictures)
    assert (form.mean, form.sd) == pytest.approx((30, np.sqrt((16 * 400 + 32 * 100) / 48)))
    assert form.values(np.full((2, 2, 3), 30, np.uint8)).tolist() == np.zeros((3, 2, 2)).tolist()
    assert validated(PictureForm, form.to_json(), "card") == form


def test_a_grey_picture_bears_a_remark_where_the_training_was_coloured_and_the_other_way_round():
    grey = np.repeat(np.arange(0, 200, dtype=np.uint8).reshape(10, 20, 1), 3, 2)
    noisy = grey.copy()
    noisy[..., 0] += 8  # as much as a JPEG leaves
    skin, speck = grey.copy(), grey.copy()
    skin[:, :10, 0] += 50
    speck[0, 0] = (200, 0, 0)  # 1 of 200 pixels
    assert [is_grey(own) for own in (grey, noisy, speck, skin)] == [True, True, True, False]
    of_skin, of_films = (PictureForm.of("0-255", None, [own, own]) for own in (skin, grey))
    assert (of_skin.coloured, of_films.coloured) == (1, 0)
    assert of_skin.remark(skin) is of_films.remark(grey) is None
    said = "the picture is grey, and those of the training were coloured: the mask may be wrong"
    assert of_skin.remark(noisy) == said
    assert (
        of_films.remark(skin) == "the picture is coloured, and those of the training were grey: the mask may be wrong"
    )
    mixed = PictureForm.of("0-255", None, [skin, grey])
    assert mixed.remark(skin) is mixed.remark(grey) is None
    # The card of a model trained before this was kept.
    earlier = PictureForm("0-255")
    assert earlier.remark(skin) is None
    assert earlier.remark(grey).startswith("the picture is grey; whether those of the training were")


def test_stretching_undoes_standardising():
    """TMUnet's published input, z-scores of some statistics stretched to 0..255, needs no statistics."""
    picture = skin_picture(0, size=(40, 50)).pixels
    scores = (picture.astype(np.float64) - 157.3) / 41.2
    published = (scores - scores.min()) / np.ptp(scores) * 255
    assert np.allclose(PictureForm("0-255").values(picture), published.transpose(2, 0, 1), atol=1e-3)
    assert not PictureForm("0-255").values(np.full((3, 3, 3), 7, np.uint8)).any()


def test_resizing_keeps_half_covered_pixels():
    form = PictureForm("0-255", size=(2, 2))
    mask = np.zeros((4, 4), bool)
    mask[0, :2] = mask[3, 3] = True
    assert form.resize_mask(mask).tolist() == [[True, False], [False, False]]
    assert resize(np.arange(16, dtype=np.float32).reshape(4, 4), (2, 2)).tolist() == [[2.5, 4.5], [10.5, 12.5]]


def test_augmentation_keeps_picture_and_mask_together():
    mask = np.zeros((50, 70), bool)
    mask[10:30, 15:45] = True
    values = np.where(mask, 200.0, 50.0).astype(np.float32)[None].repeat(3, 0)
    augment, seen = PictureAugmentation(noise=0.0), set()
    for seed in range(40):
        changed, moved = augment(values, mask, np.random.default_rng(seed))
        # Interpolated edges may fall to either side; nothing else may part.
        assert np.mean((changed[0] > 125) != moved) < 0.01
        assert changed.min() > 49
        seen.add(moved.tobytes())
    assert len(seen) > 20
    mirrored = {MIRROR(values, mask, np.random.default_rng(seed))[1].tobytes() for seed in range(20)}
    assert mirrored == {mask.tobytes(), np.ascontiguousarray(mask[:, ::-1]).tobytes()}


def test_noise_only_where_drawn():
    values = np.tile(np.float32([0, 1]), (3, 30, 15))
    augment = PictureAugmentation((), 0.0, 1.0, noise=0.1)
    spread = [(augment(values, values[0] > 2, np.random.default_rng(s))[0] - values).std() for s in range(200)]
    assert 70 < sum(sd > 0 for sd in spread) < 130
    assert max(spread) == pytest.approx(0.05, rel=0.1)


def test_crops_come_from_everywhere_and_small_pictures_are_mirrored():
    rows, columns = np.mgrid[:12, :20].astype(np.uint8)
    picture = np.stack([rows, columns, rows], -1)
    dataset = PictureDataset([(picture, columns > 9)], PictureForm("z-score"), (6, 8))
    places = set()
    for epoch in range(300):
        values, mask = dataset[(epoch, 0)]
        assert values.shape == (3, 6, 8)
        assert np.array_equal(mask[0] > 0, values[1] > 9)
        places.add((values[0, 0, 0], values[1, 0, 0]))
    assert len(places) > 80
    assert {y for y, _ in places} == set(range(7))
    assert dataset[(3, 0)][0].tolist() == dataset[(3, 0)][0].tolist()
    small = PictureDataset([(picture, columns > 9)], PictureForm("z-score"), (16, 20))
    assert small[(0, 0)][0][0, 12:, 0].tolist() == [11, 10, 9, 8]


def test_clean_up_by_hand():
    probability = np.zeros((40, 40))
    probability[5:25, 5:25] = 0.9
    probability[12:14, 12:14] = 0.1
    probability[30:33, 30:33] = 0.9
    probability[5:25, 28:36] = 0.45
    clean = CleanUp(0.43, 6)(probability)  # TMUnet's
    assert clean[5:25, 5:25].all()
    assert not clean[28:].any()
    assert clean[10, 32]
    plain = CleanUp()(probability)
    assert np.array_equal(plain, probability >= 0.5)
    assert binary_fill_holes(plain).sum() > plain.sum()


class Red(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x[:, :1] - 127.5) / 10


@pytest.mark.parametrize("clean_up", [CleanUp(), CleanUp(0.5, 3)])
def test_the_mask_has_the_size_of_the_picture(clean_up):
    picture = np.zeros((90, 130, 3), np.uint8)
    picture[20:60, 30:90, 0] = 255
    predictor = PicturePredictor(Red(), PictureForm("0-255", size=(32, 48)), "cpu", clean_up, ("rows", "columns"))
    mask = predictor.predict(picture)
    assert mask.shape == (90, 130)
    assert np.mean(mask != (picture[..., 0] > 0)) < 0.03
    exact = PicturePredictor(Red(), PictureForm("0-255"))
    assert np.array_equal(exact.predict(picture), picture[..., 0] > 0)

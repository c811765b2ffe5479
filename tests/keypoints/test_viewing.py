"""Recognition of the view: input, pose, wording; the released model on phantoms and on what shows no spine."""

import numpy as np
import pytest
import torch

from spinetk import filling
from spinetk.errors import InputError
from spinetk.keypoints.viewing import recognition
from spinetk.keypoints.viewing.card import ViewCard, ViewConfig
from spinetk.keypoints.viewing.kinds import KINDS, VIEW_OF, WORDS
from spinetk.keypoints.viewing.network import ViewNet, as_function
from spinetk.keypoints.viewing.recognition import Recognition, standardise
from spinetk.validation import validated


def test_every_kind_has_a_view_and_words():
    assert set(VIEW_OF) == set(WORDS) == set(KINDS)


def test_input_is_centred_and_does_not_depend_on_scale_and_exposure():
    picture = np.random.default_rng(0).integers(0, 200, (40, 80), dtype=np.uint8)
    large = np.kron(picture, np.ones((4, 4), np.uint8))
    first, second = standardise(large, 128), standardise(large // 2 + 20, 128)
    assert first.shape == (128, 128)
    assert (first[:32] == 0).all()
    assert (first[-32:] == 0).all()
    assert first[32:96].std() == pytest.approx(1, abs=0.05)
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.999


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (900, 2)])
def test_odd_shapes_and_flat_pictures_make_an_input(shape):
    assert np.isfinite(standardise(np.full(shape, 7, np.uint8))).all()


def answering(monkeypatch, kind, turn, front):
    """A network that always gives these logits."""

    def fixed(pictures):
        # Says the same of the picture in each of its turns, as a network should.
        turns = [values[-k:] + values[:-k] if k else values for k, values in enumerate([turn] * 4)]
        return [np.array(own, np.float32) for own in ([kind] * 4, turns, [front] * 4)]

    monkeypatch.setattr(recognition, "_model", lambda: (fixed, ViewConfig("view", (1,), KINDS, 64), (2.0, 1.0, 1.0)))
    return recognition.recognise(np.zeros((8, 8), np.uint8))


def test_answers_are_softmax_over_the_temperature(monkeypatch):
    found = answering(monkeypatch, [0, 0, 6, 0, 0, 0], [0, 3, 0, 0], [0, 2])
    assert (found.kind, found.view, found.modality) == ("lateral", "lateral", None)
    assert found.probability == pytest.approx(np.exp(3) / (np.exp(3) + 5))
    assert (found.quarter_turns, found.exif_orientation, found.front) == (1, 6, "right")
    assert found.front_probability == pytest.approx(1 / (1 + np.exp(-2)))
    assert "lateral radiograph" in found.words


def test_an_unsure_answer_is_no_view(monkeypatch):
    found = answering(monkeypatch, [0, 0, 0.1, 0, 0, 0], [0, 0, 0, 0], [0, 0])
    assert not found.sure
    assert found.view == "unknown"


def test_neither_a_frontal_view_nor_a_photograph_has_a_front(monkeypatch):
    assert answering(monkeypatch, [0, 9, 0, 0, 0, 0], [9, 0, 0, 0], [0, 9]).front is None
    none = answering(monkeypatch, [9, 0, 0, 0, 0, 0], [0, 9, 0, 0], [0, 9])
    assert (none.front, none.quarter_turns, none.view) == (None, 0, "unknown")


@pytest.mark.parametrize("turns", range(4))
def test_the_exif_orientation_makes_the_picture_upright(turns):
    """numpy turned it counter-clockwise; the EXIF number that undoes it is what cv2 and Pillow apply."""
    from PIL import Image, ImageOps

    upright = np.arange(12, dtype=np.uint8).reshape(3, 4)
    picture = Image.fromarray(np.ascontiguousarray(np.rot90(upright, turns)))
    exif = Image.Exif()
    exif[0x0112] = Recognition("lateral", 1.0, turns, 1.0, None, 0.0, {}).exif_orientation
    picture.info["exif"] = exif.tobytes()
    picture.getexif()[0x0112] = exif[0x0112]
    np.testing.assert_array_equal(np.asarray(ImageOps.exif_transpose(picture)), upright)


def test_network_is_built_again_from_its_card():
    network = ViewNet(side_px=96)
    card = validated(ViewCard, {"config": network.config(), "temperatures": [1.5, 1, 1]}, "card.json")
    config = card.config
    again = filling.fill(lambda: ViewNet(config.widths, config.kinds, config.side_px), network.state_dict(), "view")
    assert (again.kind.weight == network.kind.weight).all()
    assert again.config() == network.config()
    assert sum(p.numel() for p in network.parameters()) < 1_000_000


def test_a_card_of_other_kinds_is_refused():
    config = {**ViewNet().config(), "kinds": ["none", "elbow"]}
    with pytest.raises(InputError, match="elbow"):
        validated(ViewCard, {"config": config}, "card.json")


def test_a_turned_picture_gets_the_same_answer_turned():
    torch.manual_seed(0)
    network = as_function(ViewNet())
    picture = np.random.default_rng(0).normal(size=(2, 1, 128, 128)).astype(np.float32)
    plain = recognition.in_all_turns(network, picture)
    turned = recognition.in_all_turns(network, np.rot90(picture, 1, (2, 3)))
    np.testing.assert_allclose(turned[0], plain[0], atol=1e-4, rtol=1e-3)
    np.testing.assert_allclose(turned[1], np.roll(plain[1], 1, 1), atol=1e-4, rtol=1e-3)
    np.testing.assert_allclose(turned[2], plain[2], atol=1e-4, rtol=1e-3)


def test_neck_and_trunk_are_one_view_and_the_pose_of_films_from_the_side_is_not_trusted(monkeypatch):
    answering(monkeypatch, [0, 0, 8, 0, 0, 8], [0, 9, 0, 0], [0, 9])
    sight = recognition.find_view(np.zeros((8, 8), np.uint8))
    assert sight.view == "lateral"
    assert sight.probability > 0.9
    assert not sight.posed
    assert (sight.turn, sight.front) == (6, "right")
    answering(monkeypatch, [0, 0, 0, 9, 0, 0], [0, 9, 0, 0], [0, 9])
    sight = recognition.find_view(np.zeros((8, 8), np.uint8))
    assert (sight.modality, sight.turn, sight.front, sight.posed) == ("MR", 6, "right", True)
    answering(monkeypatch, [0, 0, 0, 0, 9, 0], [0, 9, 0, 0], [0, 9])
    sight = recognition.find_view(np.zeros((8, 8), np.uint8))
    assert (sight.modality, sight.turn, sight.front, sight.posed) == ("CT", 6, "right", True)

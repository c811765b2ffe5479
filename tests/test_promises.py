"""Every field of every card and settings file, spoilt in every way: one line that names it, and no memory taken."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from mutations import changed, mutations

from spinetk import filling, zoo
from spinetk.discs.predictor import DiscPredictor, load_points
from spinetk.discs.trainer import DiscSettings, PointSettings
from spinetk.errors import InputError
from spinetk.keypoints.card import load_network
from spinetk.keypoints.preset import DEFAULT, FAST
from spinetk.keypoints.trainer import KeypointSettings
from spinetk.segmentation.atrium.augmentation import Augmentation
from spinetk.segmentation.atrium.models import read_parts
from spinetk.segmentation.atrium.trainer import AtriumSettings
from spinetk.segmentation.slices.lesion_trainer import SliceSettings, load_slice_predictor
from spinetk.segmentation.slices.picture_trainer import PictureSettings, load_picture_predictor
from spinetk.segmentation.slices.pictures import PictureAugmentation
from spinetk.segmentation.slices.predictor import SliceAugmentation

RELEASED = Path(zoo.__file__).parent.parent / "data" / "weights"
LIMIT = 200_000_000
SMALL = {
    "lesion": {"task": "lesion", "network": "kiunet", "channels": 1, "mean": 90.0, "sd": 30.0},
    "gland": {"task": "gland", "network": "kiunet", "form": {"scale": "z-score", "mean": 1.0, "sd": 2.0, "size": None}},
}
LOADERS: dict[str, Callable[[Path], Any]] = {
    "phantom-fast": load_network,
    "sagittal-mr": load_network,
    "discs-t2w": DiscPredictor.load,
    "discs-t2w-points": load_points,
    "atrium-vnet": lambda path: [part.build() for part in read_parts(path).values()],
    "lesion": load_slice_predictor,
    "gland": load_picture_predictor,
}
SETTINGS = [
    KeypointSettings(preset=FAST, recipe=DEFAULT, batch=2, rate=1e-3, stratify="a", devices=1, nodes=1),
    KeypointSettings(preset="centre"),
    DiscSettings(modality="T2w"),
    PointSettings(),
    AtriumSettings(options={"attention": True, "dilation": 2}, reduce=0.5, patience=3, augmentation=Augmentation()),
    SliceSettings(channels=5, augmentation=SliceAugmentation(), loss="dice"),
    PictureSettings(size=(64, 64), crop=(32, 32), start="x.pth", augmentation=PictureAugmentation()),
]


@pytest.fixture
def memory() -> Iterator[Callable[[], int]]:
    """Bytes that torch has been asked for since the test began, on any device but ``meta``."""
    from torch.utils._python_dispatch import TorchDispatchMode

    total = 0

    class Counting(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            nonlocal total
            made = function(*args, **(kwargs or {}))
            for tensor in made if isinstance(made, (list, tuple)) else [made]:
                if isinstance(tensor, torch.Tensor) and tensor.device.type != "meta":
                    total += tensor.untyped_storage().nbytes()
            return made

    with Counting():
        yield lambda: total


def written(folder: Path, name: str) -> Path:
    """A model as released, or a small one of ours where none is."""
    path = folder / f"{name}.safetensors"
    if name in SMALL:
        from spinetk.segmentation.registry import get_entry

        network = get_entry("kiunet").build(SMALL[name].get("channels", 3))
        zoo.save(path, network.state_dict(), {"config": SMALL[name]})
    else:
        path.symlink_to(RELEASED / path.name)
        path.with_suffix(".json").write_bytes((RELEASED / f"{name}.json").read_bytes())
    return path


ALWAYS_WRONG = {"mapping", "huge", "nan", "infinite", "deep"}


@pytest.mark.parametrize("name", LOADERS)
def test_a_spoilt_card_is_one_line(name, tmp_path, monkeypatch, memory):
    path = written(tmp_path, name)
    card = json.loads(path.with_suffix(".json").read_text())
    card = {key: card[key] for key in ("name", "views", "modalities", "calibration", "config", "points") if key in card}
    weights = zoo.load(path)[0]  # read once: here it is the card that is spoilt
    monkeypatch.setattr("safetensors.torch.load_file", lambda _: weights)
    monkeypatch.setattr(filling, "fill", _compared)
    for place, kind, content in mutations(card):
        if name == "sagittal-mr" and place[:2] == ("config", "schema"):
            continue  # the same as of phantom-fast
        path.with_suffix(".json").write_text(json.dumps(content))
        begun, said = memory(), None
        try:
            LOADERS[name](path)
        except InputError as error:
            said = str(error)
            assert "\n" not in said
        except Fitting:
            pass
        assert memory() - begun < LIMIT, (place, kind)
        assert said is not None or kind not in ALWAYS_WRONG, (place, kind)


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: type(settings).__name__)
def test_a_spoilt_settings_file_is_one_line(settings, tmp_path):
    path = tmp_path / "settings.json"
    right = settings.to_json()
    assert type(settings).of(json.loads(json.dumps(right))) == settings
    for place, kind, content in mutations(right):
        path.write_text(json.dumps(content))
        said = None
        try:
            found = type(settings).of(path)
        except InputError as error:
            said = str(error)
            assert said.startswith(f"{path}: setting '{place[0]}"), said
            assert "\n" not in said
        else:
            assert json.loads(json.dumps(found.to_json())) is not None
        assert said is not None or kind not in ALWAYS_WRONG, (place, kind)


def test_absurd_sizes_are_met_before_anything_is_allocated(tmp_path, memory):
    """All within the ranges, and far more than the file holds: 4 GB of box head."""
    path = written(tmp_path, "phantom-fast")
    card = json.loads(path.with_suffix(".json").read_text())
    path.with_suffix(".json").write_text(json.dumps(changed(card, ("config", "preset", "channels"), 1024)))
    begun = memory()
    with pytest.raises(InputError, match="where its card says"):
        load_network(path)
    assert memory() - begun < LIMIT


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda w: w["lateral.0.weight"].fill_(torch.nan), "not finite in 'lateral.0.weight'"),
        (lambda w: w["lateral.0.weight"][0].fill_(torch.inf), "not finite"),
        (lambda w: w.pop("lateral.0.weight"), "lacks the tensor 'lateral.0.weight'"),
        (lambda w: w.update({"odd": torch.ones(1)}), "no place for the tensor 'odd'"),
        (lambda w: w.update({"lateral.0.weight": torch.ones(2, 3)}), r"holds \(2, 3\) where its card says"),
        (lambda w: w.update({"lateral.0.weight": w["lateral.0.weight"].to(torch.int8)}), "another kind"),
        (lambda w: w.update({"lateral.0.weight": torch.ones(1).expand(10**6)}), "holds less than it says"),
        (lambda w: w.update({"lateral.0.weight": "a"}), "something else than a tensor"),
    ],
)
def test_weights_are_the_networks_own_and_finite(tmp_path, spoil, said):
    path = written(tmp_path, "sagittal-mr")
    weights, card, _ = zoo.load(path)
    spoil(weights)
    torch.save({**card, "weights": weights}, tmp_path / "spoilt.pth")
    with pytest.raises(InputError, match=said):
        load_network(tmp_path / "spoilt.pth")


def test_a_damaged_card_does_not_hide_the_others(tmp_path, monkeypatch):
    written(tmp_path, "sagittal-mr")
    (tmp_path / "odd.safetensors").write_bytes(b"")
    (tmp_path / "odd.json").write_text('{"config": null}')
    monkeypatch.setenv("SPINETK_HOME", str(tmp_path))
    with pytest.warns(UserWarning, match=r"odd\.json: field 'config' is None \(give a mapping\): ignored"):
        names = [name for name, _ in zoo.released()]
    assert "sagittal-mr" in names
    assert "odd" not in names


class Fitting(Exception):  # noqa: N818
    """The card fits the weights: the network would be built now."""


def _compared(make: Callable[[], Any], weights: zoo.Weights, source: Any) -> Any:
    filling.compare(make, weights, source)
    raise Fitting

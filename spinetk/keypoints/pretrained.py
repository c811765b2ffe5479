"""Pretrained weights: what a network knows before training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from spinetk.errors import InputError
from spinetk.keypoints.registry import Network
from spinetk.training.download import pretrained

BODY = "rcnn.backbone.body."  # where a Keypoint R-CNN keeps its ResNet; the centre network keeps it in "body."
RANDOM = ("random", "scratch")
PUBLISHED = ("imagenet", "coco")


def load_start(network: Network, start: str) -> str:
    """Load start weights into a network.

    Args:
        network: Changed in place.
        start: ``random`` (or ``scratch``); ``imagenet``: torchvision's ImageNet weights of the body; ``coco``:
            torchvision's COCO person-keypoint weights, for ``r50``; these two are downloaded once, into torch's cache
            (:func:`spinetk.training.download.pretrained`). Anything else: spinetk weights by name or path (layers of
            another size, such as the heatmaps of another schema, stay random).

    Returns:
        One sentence for the user that says which it was.

    Raises:
        InputError: The weights are not there, cannot be downloaded, or share no layer with the network.
    """
    if start in RANDOM:
        return "starting from random weights"
    if start == "auto":  # what it did before depended on the network
        raise InputError("start 'auto'", "is no longer accepted", "give random, imagenet, coco, or weights")
    if start in PUBLISHED:
        return _published(network, start)
    from spinetk import zoo

    weights, card, name = zoo.load(start)
    kept = _load_matching(network, weights, start)
    # Batch norms that were kept as they were loaded (from COCO, from Detectron2) are kept again, if all are there.
    norms = {key for key in network.state_dict() if key.endswith("running_var")}
    network.frozen_norm = bool(card["config"].get("frozen_norm")) and norms <= weights.keys()
    # Layers of one size may have been another's points: as a start they will do, and are learned anew.
    others = points_of(card["config"])
    anew = "" if others in (None, network.schema.keypoints) else "; its points are others, which are learned anew"
    lacking = ", ".join(_lacking(network, weights))
    random = f"; it has no {lacking}: what it lacks begins at random" if lacking else ""
    return f"starting from {name} ({kept} of {len(network.state_dict())} tensors{anew}{random})"


def seen_by(start: str) -> frozenset[str]:
    """Digests of the pictures that start weights were trained on: what goes on from them has seen these, too.

    Args:
        start: As of :func:`load_start`.
    """
    if start in (*RANDOM, *PUBLISHED):
        return frozenset()
    from spinetk import zoo

    return zoo.pictures_of(zoo.load(start)[1].get("training"))


def points_of(config: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Names of the points, in their order, of a network by the ``config`` of its card; None where it says none."""
    schema = config.get("schema")
    names = schema.get("keypoints") if isinstance(schema, Mapping) else None
    return tuple(map(str, names)) if isinstance(names, list | tuple) else None


def _published(network: Network, start: str) -> str:
    from torchvision.models import ResNet18_Weights, ResNet50_Weights
    from torchvision.models.detection import KeypointRCNN_ResNet50_FPN_Weights

    large = network.preset.body == "resnet50"
    choice: Any
    if start == "imagenet":
        choice, prefix = ResNet50_Weights.IMAGENET1K_V1 if large else ResNet18_Weights.IMAGENET1K_V1, BODY
    elif large:
        choice, prefix = KeypointRCNN_ResNet50_FPN_Weights.COCO_V1, "rcnn."
    else:
        raise InputError("start 'coco'", f"has no weights for {network.preset.name!r}", "give imagenet, or preset r50")
    weights = pretrained(choice, start)
    kept = _load_matching(network, {prefix + name: tensor for name, tensor in weights.items()}, start)
    network.frozen_norm = True
    return f"starting from {choice} of torchvision ({kept} of {len(network.state_dict())} tensors)"


def train_only(network: Network, parts: str, start: str = "random") -> None:
    """Freeze all of a network but some of its parts, by the names of its attributes with commas between them.

    Args:
        network: Changed in place.
        parts: Their names.
        start: As of :func:`load_start`: the rest stays what these weights are.

    Raises:
        InputError: The network has no part of such a name, or the weights it started from lack one that is frozen, or
            are of other points, which the frozen parts would go on finding.
    """
    weights: dict[str, Tensor] | None = None
    if start not in (*RANDOM, *PUBLISHED):
        from spinetk import zoo

        weights, card, _ = zoo.load(start)
        others = points_of(card["config"])
        if others not in (None, network.schema.keypoints):
            fault = f"has the points {', '.join(others or ())}, the cases {', '.join(network.schema.keypoints)}"
            raise InputError(start, fault, "leave --only out, so that all of it is trained")
    children = dict(network.named_children())
    chosen = [part.strip() for part in parts.split(",")]
    for part in chosen:
        if part not in children:
            remedy = f"choose from {', '.join(children)}"
            raise InputError(f"only {part!r}", f"is not a part of {network.preset.name!r}", remedy)
    lacking = [] if weights is None else [part for part in _lacking(network, weights) if part not in chosen]
    if lacking:
        fault = f"has no {', '.join(lacking)}, which would stay random"
        raise InputError(start, fault, f"train it too: --only {','.join([*chosen, *lacking])}")
    network.requires_grad_(False)
    for part in chosen:
        children[part].requires_grad_(True)


def _lacking(network: nn.Module, weights: dict[str, Tensor]) -> list[str]:
    """Parts of a network of which weights hold nothing that fits."""
    held = {name.partition(".")[0] for name in _fitting(network, weights)}
    own = {name.partition(".")[0]: None for name in network.state_dict()}
    return [part for part in own if part not in held]


def _load_matching(network: nn.Module, weights: dict[str, Tensor], source: str) -> int:
    fitting = _fitting(network, weights)
    if not fitting:
        raise InputError(source, "shares no layer with this preset", "start from weights of the same preset")
    strange = next((name for name, tensor in fitting.items() if not tensor.isfinite().all()), None)
    if strange is not None:
        raise InputError(source, f"holds numbers that are not finite in {strange!r}", "start from other weights")
    network.load_state_dict(fitting, strict=False)
    return len(fitting)


def _fitting(network: nn.Module, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Those of the weights that have the name and size of a network's own."""
    own = network.state_dict()
    if "body.conv1.weight" in own:
        weights = {("body." + k.removeprefix(BODY) if k.startswith(BODY) else k): v for k, v in weights.items()}
    fitting = {k: v for k, v in weights.items() if k in own and own[k].shape == v.shape}
    if hasattr(getattr(network, "preset", None), "landmarks"):
        # What finds landmarks beside the bodies has further rows: those for the bodies stand first.
        for key in ("centre", "offset", "refine.head"):
            for name in (f"{key}.weight", f"{key}.bias"):
                old = weights.get(name)
                if name in own and name not in fitting and old is not None and old.shape[1:] == own[name].shape[1:]:
                    fitting[name] = torch.cat([old[: len(own[name])], own[name][len(old) :]])
    return fitting

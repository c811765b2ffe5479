"""Pretrained weights: what a network knows before training."""

from __future__ import annotations

import socket
from pathlib import Path

import torch
from torch import Tensor, nn

from spinetk.errors import InputError
from spinetk.keypoints.build import Network

DOWNLOAD_PATIENCE_S = 10
BODY = "rcnn.backbone.body."  # where a Keypoint R-CNN keeps its ResNet; the centre network keeps it in "body."


def load_start(network: Network, start: str) -> str:
    """Load start weights into a network.

    Args:
        network: Changed in place.
        start: ``auto``: torchvision's COCO keypoint weights (``r50``) or ImageNet weights (``fast``) when they are in
            torch's cache or can be downloaded, else random; ``scratch``: random; anything else: spinetk weights by
            name or path (layers of another size, such as the heatmaps of another schema, stay random).

    Returns:
        One sentence for the user that says which it was.
    """
    if start == "scratch":
        return "starting from random weights"
    if start != "auto":
        from spinetk import zoo

        weights, card, name = zoo.load(start)
        kept = _load_matching(network, weights)
        if kept == 0:
            raise InputError(start, "shares no layer with this preset", "start from weights of the same preset")
        # Batch norms that were kept as they were loaded (from COCO, from Detectron2) are kept again, if all are there.
        norms = {key for key in network.state_dict() if key.endswith("running_var")}
        network.frozen_norm = bool(card["config"].get("frozen_norm")) and norms <= weights.keys()
        return f"starting from {name} ({kept} of {len(network.state_dict())} tensors)"
    from torchvision.models import ResNet18_Weights
    from torchvision.models.detection import KeypointRCNN_ResNet50_FPN_Weights

    r50 = network.preset.body == "resnet50"
    choice = KeypointRCNN_ResNet50_FPN_Weights.COCO_V1 if r50 else ResNet18_Weights.IMAGENET1K_V1
    what = "torchvision's COCO person-keypoint weights" if r50 else "torchvision's ImageNet weights"
    cached = Path(torch.hub.get_dir()) / "checkpoints" / choice.url.rsplit("/", 1)[-1]
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(DOWNLOAD_PATIENCE_S)
    try:
        weights = torch.hub.load_state_dict_from_url(choice.url, progress=False, map_location="cpu", weights_only=True)
    except Exception as error:  # no network, no name service, a proxy's page: all mean "not available here"
        return (
            f"starting from random weights ({what} are not on disk and could not be downloaded: {type(error).__name__})"
        )
    finally:
        socket.setdefaulttimeout(before)
    prefix = "rcnn." if r50 else BODY
    kept = _load_matching(network, {prefix + name: tensor for name, tensor in weights.items()})
    network.frozen_norm = True
    return f"starting from {what} ({cached.name}, {kept} of {len(network.state_dict())} tensors)"


def train_only(network: Network, parts: str) -> None:
    """Freeze all of a network but some of its parts, by the names of its attributes with commas between them.

    Raises:
        InputError: The network has no part of such a name.
    """
    children = dict(network.named_children())
    chosen = [part.strip() for part in parts.split(",")]
    for part in chosen:
        if part not in children:
            remedy = f"choose from {', '.join(children)}"
            raise InputError(f"only {part!r}", f"is no part of {network.preset.name!r}", remedy)
    network.requires_grad_(False)
    for part in chosen:
        children[part].requires_grad_(True)


def _load_matching(network: nn.Module, weights: dict[str, Tensor]) -> int:
    own = network.state_dict()
    if "body.conv1.weight" in own:
        weights = {("body." + k.removeprefix(BODY) if k.startswith(BODY) else k): v for k, v in weights.items()}
    fitting = {k: v for k, v in weights.items() if k in own and own[k].shape == v.shape}
    if getattr(getattr(network, "preset", None), "landmarks", ()):
        # What finds landmarks beside the bodies has further rows: those for the bodies stand first.
        for key in ("centre", "offset", "refine.head"):
            for name in (f"{key}.weight", f"{key}.bias"):
                old = weights.get(name)
                if name not in fitting and old is not None and old.shape[1:] == own[name].shape[1:]:
                    fitting[name] = torch.cat([old, own[name][len(old) :]])
    network.load_state_dict(fitting, strict=False)
    return len(fitting)

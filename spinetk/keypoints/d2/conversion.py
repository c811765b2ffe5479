"""Conversion: Detectron2's Keypoint R-CNN R50-FPN to our engine and back, so that both give the same boxes and points.

What could differ and how each is met is listed in :mod:`spinetk.keypoints.d2.network` (geometry) and
:mod:`spinetk.keypoints.d2.names` (weights). Batch norms are frozen on both sides (eps 1e-5). The original's
configuration is taken for granted where weights do not show it: BGR, the default pixel means, ``STRIDE_IN_1X1``,
anchors of 32 to 512 px, short side 800 px and long side 1333 px at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from spinetk import filling, zoo
from spinetk._version import __version__
from spinetk.atomic import write_json
from spinetk.errors import InputError
from spinetk.keypoints.card import load_network
from spinetk.keypoints.d2.checkpoint import POINTS, Weights, is_detectron2, read_checkpoint, write_checkpoint
from spinetk.keypoints.d2.configuration import settings
from spinetk.keypoints.d2.names import to_ours, to_theirs
from spinetk.keypoints.network import IMAGENET_MEAN, VertebraRCNN
from spinetk.keypoints.preset import R50_DETECTRON2, Preset
from spinetk.keypoints.registry import build
from spinetk.schema import SCHEMAS, KeypointSchema, get_schema, schema_for_names

WHICH = "spinetk converts keypoint_rcnn_R_50_FPN with one class"
UNUSED = ("pixel_mean", "pixel_std", "proposal_generator.anchor_generator.cell_anchors.")  # written by old versions


def load_detectron2(
    path: str | Path, schema: str | KeypointSchema | None = None, trust_pickle: bool = False
) -> VertebraRCNN:
    """Our network with the weights of a Detectron2 checkpoint, in evaluation mode.

    Args:
        path: ``model_final.pth`` of Detectron2's trainer; a ``.pkl`` of its zoo with ``trust_pickle``.
        schema: Meaning of the points; None takes what spinetk noted in the file, else the built-in schema with as many
            points, else plain names ``point_1``...
        trust_pickle: See :func:`spinetk.keypoints.d2.checkpoint.read_checkpoint`.

    Raises:
        InputError: The file cannot be read, or holds another network.
    """
    weights, note = read_checkpoint(path, trust_pickle)
    meaning = pick_schema(weights, note, schema, path)
    with filling.undrawn():
        network = build(pick_preset(weights, note, path), meaning)
    assert isinstance(network, VertebraRCNN)  # its presets are no others
    network.frozen_norm = True
    load_into(network, weights, path)
    return network.eval()


def load_into(network: VertebraRCNN, weights: Weights, source: str | Path) -> None:
    """Put Detectron2's weights into a network of ours; raises ``InputError`` when it is not the same network."""
    own = network.state_dict()
    try:
        converted = to_ours(weights, own)
    except KeyError as error:
        raise InputError(source, f"has no tensor {error}", WHICH) from error
    wrong = next((name for name in own if own[name].shape != converted[name].shape), None)
    if wrong is not None:
        fault = f"holds {tuple(converted[wrong].shape)} where {tuple(own[wrong].shape)} belongs ({wrong})"
        raise InputError(source, fault, WHICH)
    extra = set(weights) - set(to_theirs(own)) - {name for name in weights if name.startswith(UNUSED)}
    if extra:
        raise InputError(source, f"holds more than that network: {min(extra)}", WHICH)
    network.load_state_dict(converted)


def pick_schema(
    weights: Mapping[str, Tensor], note: Mapping[str, Any], schema: str | KeypointSchema | None, source: str | Path
) -> KeypointSchema:
    """The meaning of a checkpoint's points (see :func:`load_detectron2`)."""
    count = weights[POINTS].shape[1]
    if schema is not None:
        meaning = get_schema(schema)
    elif "schema" in note:
        meaning = KeypointSchema.from_json(note["schema"], source)
    else:
        fitting = [own for own in SCHEMAS.values() if len(own) == count]
        meaning = fitting[0] if fitting else schema_for_names([f"point_{k + 1}" for k in range(count)])
    if len(meaning) != count:
        fault = f"finds {count} points, schema {meaning.name!r} has {len(meaning)}"
        raise InputError(source, fault, "give the schema it was trained with")
    return meaning


def pick_preset(weights: Mapping[str, Tensor], note: Mapping[str, Any], source: str | Path) -> Preset:
    """The preset with the widths of a checkpoint; all else as spinetk noted it, or as the original had it."""
    mean, deviation = weights.get("pixel_mean"), weights.get("pixel_std")
    expected = 255 * torch.tensor(IMAGENET_MEAN).flip(0)
    if mean is not None and not torch.allclose(mean.flatten().float(), expected, atol=0.01):
        raise InputError(source, f"wants pixel means {mean.flatten().tolist()}", "only the default BGR ones are known")
    if deviation is not None and not (deviation == 1).all():
        raise InputError(source, f"wants pixel deviations {deviation.flatten().tolist()}", "only 1 is known")
    layers = [weights.get(f"roi_heads.keypoint_head.conv_fcn{n}.weight") for n in range(1, 33)]
    try:
        known = Preset.from_json(note["preset"], source) if "preset" in note else R50_DETECTRON2
        return replace(
            known,
            channels=len(weights["backbone.fpn_lateral2.weight"]),
            box_units=len(weights["roi_heads.box_head.fc1.weight"]),
            point_layers=tuple(len(layer) for layer in layers if layer is not None),
        )
    except KeyError as error:
        raise InputError(source, f"has no tensor {error}", WHICH) from error
    except (TypeError, AttributeError) as error:
        raise InputError(source, "holds a note that is not of spinetk", "write the checkpoint again") from error


def save_detectron2(network: VertebraRCNN, path: str | Path) -> Path:
    """Write a network of ours as a Detectron2 checkpoint, and beside it the configuration that runs it.

    ``r50-detectron2`` comes out exactly. For a plain ``r50`` the configuration asks Detectron2 for torchvision's
    strides and ROI align; what it has no setting for remains: torchvision rounds anchors to whole px, lays the coarsest
    ones on a grid that follows the padded size, and our points are means of the heatmap, not its peak.

    Returns:
        Path of the configuration, ``<stem>.yaml``, for Detectron2's ``cfg.merge_from_file``.

    Raises:
        InputError: The network is not of the R50 kind, or ``path`` does not end in ``.pth``.
    """
    path = Path(path)
    if path.suffix != ".pth":
        raise InputError(path, "Detectron2's checkpoints end in .pth", "give such a name")
    known = (
        isinstance(network, VertebraRCNN) and network.preset.body == "resnet50" and not network.preset.local_contrast
    )
    if not known:
        raise InputError(f"preset {network.preset.name!r}", "has no counterpart in Detectron2", "convert r50 networks")
    write_checkpoint(path, to_theirs(network.state_dict()), note_of(network.preset, network.schema))
    configuration = path.with_suffix(".yaml")
    write_json(configuration, settings(network.preset, network.schema))  # JSON is YAML
    return configuration


def note_of(preset: Preset, schema: KeypointSchema) -> dict[str, Any]:
    """What spinetk notes in a Detectron2 checkpoint: what its weights do not show."""
    return {"version": __version__, "preset": preset.to_json(), "schema": schema.to_json()}


def convert(
    source: str | Path, out: str | Path, schema: str | KeypointSchema | None = None, trust_pickle: bool = False
) -> list[Path]:
    """Convert a file: Detectron2's to ours, ours to Detectron2's.

    Args:
        source: Weights of Detectron2 (``.pth``, ``.pkl``) or of spinetk (name, ``.pth``, ``.safetensors``).
        out: To us: ``NAME.pth`` (``.pth`` is added to a bare name; float32) or ``NAME.safetensors`` (16 bit). To
            Detectron2: ``NAME.pth``, with ``NAME.yaml`` beside it.
        schema, trust_pickle: See :func:`load_detectron2`.

    Returns:
        The files written.

    Raises:
        InputError: The source is neither, or cannot be converted.
    """
    out = Path(out)
    target = out if out.suffix in {".pth", ".safetensors"} else out.with_name(f"{out.name}.pth")
    if target.resolve() == Path(source).resolve():
        raise InputError(out, "is the source itself", "choose another name")
    ours = _load_ours(source)
    if ours is not None:
        return [target, save_detectron2(ours, target)]
    network = load_detectron2(source, schema, trust_pickle)
    card = {
        "spinetk": __version__,
        "config": network.config(),
        "parameters": sum(p.numel() for p in network.parameters()),
        "converted": {"from": "detectron2", "file": Path(source).name},
    }
    zoo.save(target, network.state_dict(), card)
    return [target] + ([target.with_suffix(".json")] if target.suffix == ".safetensors" else [])


def _load_ours(source: str | Path) -> VertebraRCNN | None:
    """A network of ours; None when the source is a file of another kind."""
    if Path(source).suffix == ".pkl" or is_detectron2(source):
        return None
    network = load_network(source)[0]
    if not isinstance(network, VertebraRCNN):
        raise InputError(source, "is a centre network, which Detectron2 does not have", "convert r50 networks")
    return network

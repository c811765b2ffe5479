"""Engine: Detectron2's own network behind the interface of ours, so that prediction and evaluation work alike."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from spinetk.bounds import USUAL_CONFIDENCE
from spinetk.errors import InputError
from spinetk.keypoints.d2.checkpoint import read_checkpoint
from spinetk.keypoints.d2.configuration import configure
from spinetk.keypoints.d2.conversion import WHICH, pick_preset, pick_schema
from spinetk.keypoints.heatmap import decode_tensors
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.preset import Preset
from spinetk.keypoints.torch_engine import TorchEngine
from spinetk.schema import KeypointSchema

INSTALL = "https://detectron2.readthedocs.io/en/latest/tutorials/install.html"


def require_detectron2() -> None:
    """Raises ``InputError`` where Detectron2 is not installed."""
    if importlib.util.find_spec("detectron2") is None:
        raise InputError("engine 'detectron2'", "is not installed", f"leave engine out, or see {INSTALL}")


class Detectron2Network(nn.Module):
    """Detectron2's ``GeneralizedRCNN`` with the interface of :class:`spinetk.keypoints.network.VertebraRCNN`.

    Args:
        preset: ``r50-detectron2``, perhaps with other widths.
        schema: Gives the number of heatmaps.
    """

    def __init__(self, preset: Preset, schema: KeypointSchema) -> None:
        require_detectron2()
        from detectron2.modeling import build_model

        super().__init__()
        self.preset = preset
        self.schema = schema
        configuration = configure(preset, schema)
        configuration.MODEL.DEVICE = "cpu"  # moved afterwards, as any module
        self.model: Any = build_model(configuration)

    @property
    def score_threshold(self) -> float:
        """Least score of a detection."""
        return self.model.roi_heads.box_predictor.test_score_thresh

    @score_threshold.setter
    def score_threshold(self, value: float) -> None:
        self.model.roi_heads.box_predictor.test_score_thresh = value

    @torch.inference_mode()
    def detect(self, pictures: list[Tensor]) -> list[dict[str, Tensor]]:
        """As :meth:`spinetk.keypoints.network.VertebraRCNN.detect`; points are Detectron2's own.

        Args:
            pictures: (3, H, W) RGB in 0..1, at network size.
        """
        inputs = [{"image": picture.flip(0) * 255} for picture in pictures]
        # Under autocast Detectron2 rounds the regions it pools to 16 bit.
        with torch.autocast(pictures[0].device.type, enabled=False):
            outputs = self.model.inference(inputs, do_postprocess=False)
        found = []
        for output in outputs:
            output = output[output.pred_boxes.nonempty()]  # the last step of its postprocessing, before its resize
            boxes = output.pred_boxes.tensor
            _, point_scores, sigma = decode_tensors(output.pred_keypoint_heatmaps, boxes)
            points = output.pred_keypoints[..., :2]
            found.append(
                {"boxes": boxes, "scores": output.scores, "points": points, "point_scores": point_scores}
                | {"sigma": sigma}
            )
        return found


def load_predictor(
    path: str | Path,
    threshold: float = USUAL_CONFIDENCE,
    device: str = "auto",
    schema: str | KeypointSchema | None = None,
) -> Predictor:
    """A predictor that runs a Detectron2 checkpoint on Detectron2.

    Args:
        path: ``model_final.pth`` of Detectron2's trainer or of ``train(..., engine="detectron2")``.
        threshold, device: See :class:`spinetk.keypoints.predictor.Predictor`.
        schema: See :func:`spinetk.keypoints.d2.conversion.load_detectron2`.

    Raises:
        InputError: Detectron2 is not installed, or the file is no Keypoint R-CNN R50-FPN of it.
    """
    require_detectron2()
    weights, note = read_checkpoint(path)
    network = Detectron2Network(pick_preset(weights, note, path), pick_schema(weights, note, schema, path))
    own = network.model.state_dict()
    for name, tensor in own.items():
        if name not in weights or weights[name].shape != tensor.shape:
            raise InputError(path, f"has no tensor {name!r} of shape {tuple(tensor.shape)}", WHICH)
    network.model.load_state_dict({name: weights[name] for name in own})
    return Predictor(TorchEngine(network, device), Path(path).stem, threshold)

"""Configuration: the original's, as Detectron2's own keys. One table serves training, prediction and exported weights.

Source: ``COCO-Keypoints/keypoint_rcnn_R_50_FPN_3x`` of Detectron2's model zoo with the original's changes (one class, K
points, 2 pictures per iteration, rate 2.5e-4, no decay). Written out, because the zoo's own module needs parts of
setuptools that are gone.
"""

from __future__ import annotations

from typing import Any

from spinetk.keypoints.network import IMAGENET_MEAN
from spinetk.keypoints.preset import ORIGINAL, Preset, Recipe
from spinetk.schema import KeypointSchema

SMOOTH_L1_BETA = 0.5


def settings(preset: Preset, schema: KeypointSchema) -> dict[str, Any]:
    """Detectron2's configuration of a network, as nested plain values.

    Args:
        preset: ``r50-detectron2``, or ``r50`` (torchvision's strides and ROI align are asked for).
        schema: Gives the number of points and their sigmas.
    """
    exact = preset.layout == "detectron2"
    pool = {"POOLER_TYPE": "ROIAlignV2" if exact else "ROIAlign", "POOLER_SAMPLING_RATIO": 0 if exact else 2}
    kept_train, kept_test = preset.proposals
    model = {
        "META_ARCHITECTURE": "GeneralizedRCNN",
        "MASK_ON": False,
        "KEYPOINT_ON": True,
        "PIXEL_MEAN": [round(255 * value, 3) for value in reversed(IMAGENET_MEAN)],
        "PIXEL_STD": [1.0, 1.0, 1.0],
        "BACKBONE": {"NAME": "build_resnet_fpn_backbone", "FREEZE_AT": 2},
        "RESNETS": {
            "DEPTH": 50,
            "OUT_FEATURES": ["res2", "res3", "res4", "res5"],
            "NORM": "FrozenBN",
            "STRIDE_IN_1X1": exact,
        },
        "FPN": {"IN_FEATURES": ["res2", "res3", "res4", "res5"], "OUT_CHANNELS": preset.channels},
        "ANCHOR_GENERATOR": {
            "SIZES": [[side] for side in preset.anchors_px],
            "ASPECT_RATIOS": [list(preset.ratios)],
            "OFFSET": 0.0,
        },
        "RPN": {
            "IN_FEATURES": ["p2", "p3", "p4", "p5", "p6"],
            "PRE_NMS_TOPK_TRAIN": min(2000, 2 * kept_train),
            "PRE_NMS_TOPK_TEST": min(1000, 2 * kept_test),
            "POST_NMS_TOPK_TRAIN": kept_train,
            "POST_NMS_TOPK_TEST": kept_test,
        },
        "ROI_HEADS": {
            "NAME": "StandardROIHeads",
            "IN_FEATURES": ["p2", "p3", "p4", "p5"],
            "NUM_CLASSES": 1,
            "BATCH_SIZE_PER_IMAGE": preset.box_samples,
        },
        "ROI_BOX_HEAD": {
            "NAME": "FastRCNNConvFCHead",
            "NUM_FC": 2,
            "FC_DIM": preset.box_units,
            "POOLER_RESOLUTION": 7,
            "SMOOTH_L1_BETA": SMOOTH_L1_BETA,
            **pool,
        },
        "ROI_KEYPOINT_HEAD": {
            "NUM_KEYPOINTS": len(schema),
            "CONV_DIMS": list(preset.point_layers),
            "POOLER_RESOLUTION": 14,
            **pool,
        },
    }
    return {
        "VERSION": 2,
        "MODEL": model,
        "INPUT": {
            "FORMAT": "BGR",
            "MIN_SIZE_TRAIN": list(preset.short_px),
            "MIN_SIZE_TRAIN_SAMPLING": "choice",
            "MAX_SIZE_TRAIN": preset.long_px,
            "MIN_SIZE_TEST": preset.short_px[-1],
            "MAX_SIZE_TEST": preset.long_px,
        },
        "TEST": {"KEYPOINT_OKS_SIGMAS": list(schema.sigmas), "DETECTIONS_PER_IMAGE": preset.detections},
    }


def solver(iterations: int, check_every: int, recipe: Recipe = ORIGINAL) -> dict[str, Any]:
    """Detectron2's solver settings of a recipe: SGD with momentum 0.9, linear warm-up from a thousandth, no decay."""
    return {
        "MAX_ITER": iterations,
        "STEPS": [],
        "IMS_PER_BATCH": recipe.batch,
        "BASE_LR": recipe.rate,
        "WEIGHT_DECAY": recipe.decay,
        "MOMENTUM": 0.9,
        "WARMUP_ITERS": recipe.warmup,
        "WARMUP_FACTOR": 0.001,
        "CHECKPOINT_PERIOD": check_every,
    }


def configure(preset: Preset, schema: KeypointSchema, **groups: dict[str, Any]) -> Any:
    """Detectron2's ``CfgNode`` of a network; ``groups`` add top-level groups such as ``SOLVER={...}``."""
    from detectron2.config import CfgNode, get_cfg

    configuration = get_cfg()
    configuration.merge_from_other_cfg(CfgNode({**settings(preset, schema), **groups}))
    return configuration

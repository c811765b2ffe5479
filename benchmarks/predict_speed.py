"""A picture from file to JSON and overlay, beside Keypoint R-CNN R50-FPN at 800 px.

python benchmarks/predict_speed.py [--pictures FOLDER --view ap] [--count 8] [--threads 2]

Without --pictures, DICOM phantoms: lateral radiographs and sagittal MR. The released model of the view is used as
`spinetk predict` uses it; its time is that of `run.json`: read, find, measure, write JSON and overlay; imports and the
first picture (which compiles) do not count. R50-FPN (random weights, short side 800 px, float32) is torchvision's and,
where it can be imported, Detectron2's; its time is the network alone, one picture at a time. Prints seconds, ratios.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from spinetk.images import read_picture, to_uint8
from spinetk.keypoints.batch import predict_files
from spinetk.keypoints.network import VertebraRCNN
from spinetk.keypoints.pictures import network_scale, resize, to_tensor
from spinetk.keypoints.preset import R50
from spinetk.keypoints.reader import Reader
from spinetk.phantoms import lateral_radiograph, sagittal_mr, write_dicom
from spinetk.schema import VERTEBRA6

MAKERS = {"lateral": lateral_radiograph, "sagittal": sagittal_mr}
SHORT_PX, LONG_PX = 800, 1333
BODIES = 17  # detections that the peers keep: random weights would keep a hundred


def whole_predict(files: list[Path], view: str | None, out: Path) -> float:
    """Median seconds a picture, the first left out."""
    predict_files(files, out, Reader(view=view), progress=False)  # type: ignore[arg-type]
    seconds = list(json.loads((out / "run.json").read_text(encoding="utf-8"))["seconds"].values())
    return statistics.median(seconds[1:])


def network_input(file: Path) -> Tensor:
    """(3, H, W) in 0..1, short side 800 px, long side at most 1333."""
    picture = read_picture(file)
    grey = to_uint8(picture.pixels, picture.padding)
    return to_tensor(resize(grey, network_scale(*grey.shape, SHORT_PX, LONG_PX))[0])


def network_alone(inputs: list[Tensor], predict: Callable[[Tensor], object]) -> float:
    """Median seconds a picture, the first left out."""
    seconds = []
    with torch.inference_mode():
        for picture in inputs:
            start = time.perf_counter()
            predict(picture)
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:])


def torchvision_r50() -> Callable[[Tensor], object]:
    """Torchvision's network as it comes."""
    from torchvision.models.detection import keypointrcnn_resnet50_fpn

    model = keypointrcnn_resnet50_fpn(
        weights=None,
        weights_backbone=None,
        num_keypoints=6,
        min_size=SHORT_PX,
        max_size=LONG_PX,
        box_detections_per_img=BODIES,
    ).eval()
    return lambda picture: model([picture])


def detectron2_r50() -> Callable[[Tensor], object]:
    """Detectron2's network of the same sizes, with the random weights of ours."""
    from detectron2.modeling import build_model

    from spinetk.keypoints.d2.configuration import configure
    from spinetk.keypoints.d2.names import to_theirs

    preset = replace(R50, short_px=(SHORT_PX,), long_px=LONG_PX)
    configuration = configure(preset, VERTEBRA6)
    configuration.MODEL.DEVICE, configuration.MODEL.WEIGHTS = "cpu", ""
    configuration.TEST.DETECTIONS_PER_IMAGE = BODIES
    model = build_model(configuration).eval()
    model.load_state_dict(to_theirs(VertebraRCNN(preset, VERTEBRA6).state_dict()), strict=False)
    return lambda picture: model([{"image": picture * 255, "height": picture.shape[1], "width": picture.shape[2]}])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--view", choices=("ap", "lateral", "sagittal"))
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    peers = {"torchvision R50-FPN 800 px": torchvision_r50()}
    if importlib.util.find_spec("detectron2"):
        peers["Detectron2 R50-FPN 800 px"] = detectron2_r50()
    with tempfile.TemporaryDirectory() as folder:
        sets: dict[str, list[Path]] = {}
        if options.pictures:
            found = sorted(p for p in options.pictures.rglob("*") if p.suffix.lower() in {".png", ".jpg", ".dcm"})
            sets[options.view] = found[: options.count + 1]
        else:
            for view, make in MAKERS.items():
                sets[view] = [Path(folder) / view / f"{seed}.dcm" for seed in range(options.count + 1)]
                for seed, path in enumerate(sets[view]):
                    path.parent.mkdir(exist_ok=True)
                    write_dicom(make(seed), path)
        for view, files in sets.items():
            ours = whole_predict(files, view, Path(folder) / "out" / view)
            print(f"{view}: whole predict {ours:.3f} s")
            inputs = [network_input(file) for file in files]
            for name, predict in peers.items():
                theirs = network_alone(inputs, predict)
                print(f"  {name:<28} {theirs:.3f} s  {theirs / ours:.1f} times ours")


if __name__ == "__main__":
    main()

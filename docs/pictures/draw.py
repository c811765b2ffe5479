"""Draw the README's picture: what the released models find on phantoms they have not seen.

python docs/pictures/draw.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from spinetk.images import to_uint8
from spinetk.keypoints.predictor import Predictor
from spinetk.measure import measure
from spinetk.phantoms import lateral_radiograph, sagittal_mr
from spinetk.report.overlay import draw

HEIGHT_PX = 760


def main() -> None:
    phantoms = {
        "xray-lateral": lateral_radiograph(31, region="lumbar", facing="left", deformity={"L1": ("wedge", 30.0)}),
        "sagittal-mr": sagittal_mr(32, weighting="T2", region="lumbar", facing="left"),
    }
    panels = []
    for model, phantom in phantoms.items():
        predictor = Predictor.load(model, 0.6, "cpu")
        picture = to_uint8(phantom.pixels.astype(np.float32))
        reading = predictor.read(picture, file="phantom", frame=phantom.reading.frame, view=phantom.reading.view)
        panel = Image.fromarray(draw(picture, measure(reading, picture=picture)))
        panels.append(panel.resize((round(panel.width * HEIGHT_PX / panel.height), HEIGHT_PX), Image.LANCZOS))
    sheet = Image.new("RGB", (sum(p.width for p in panels), HEIGHT_PX))
    left = 0
    for panel in panels:
        sheet.paste(panel, (left, 0))
        left += panel.width
    sheet.save(Path(__file__).with_name("overlays.jpg"), quality=88)


if __name__ == "__main__":
    main()

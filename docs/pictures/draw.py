"""Draw the README's picture: a lateral film as it is given, and what `spinetk predict FILM.png` makes of it.

python docs/pictures/draw.py

The film is a phantom that no model was trained on, saved as a PNG: nothing says its view, front, scale or levels.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from spinetk.images import to_uint8
from spinetk.keypoints.reader import Reader
from spinetk.phantoms import lateral_radiograph
from spinetk.report.overlay import draw

HEIGHT_PX, SEED = 760, 42


def main() -> None:
    phantom = lateral_radiograph(
        SEED, region="lumbar", facing="left", hardware=False, deformity={"L1": ("wedge", 30.0)}
    )
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.png"
        cv2.imwrite(str(film), to_uint8(phantom.pixels.astype(np.float32)))
        reading, picture = Reader().read(film)
    print(*reading.remarks, sep="\n")
    panels = [Image.fromarray(picture).convert("RGB"), Image.fromarray(draw(picture, reading))]
    panels = [own.resize((round(own.width * HEIGHT_PX / own.height), HEIGHT_PX), Image.LANCZOS) for own in panels]
    sheet = Image.new("RGB", (sum(own.width for own in panels), HEIGHT_PX))
    for place, own in enumerate(panels):
        sheet.paste(own, (sum(before.width for before in panels[:place]), 0))
    sheet.save(Path(__file__).with_name("overlays.jpg"), quality=88)


if __name__ == "__main__":
    main()

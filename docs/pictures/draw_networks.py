"""Draw the figures of docs/explanation as SVG: ``python docs/pictures/draw_networks.py [--png FOLDER] [NAME ...]``."""

from __future__ import annotations

import argparse
from pathlib import Path

from draw_discs import blind_metric, hourglass, look_once, search
from draw_keypoints import centre_net, cobb, coordinates, decoding, heights, keypoint_rcnn
from draw_segmentation import spin, tmunet, unet_family, vnet

HERE = Path(__file__).parent
FIGURES = (
    keypoint_rcnn, centre_net, decoding, hourglass, look_once, search, vnet, spin, unet_family, tmunet, heights, cobb,
    blind_metric, coordinates,
)  # fmt: skip


def main() -> None:
    """Write all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--png", type=Path, help="also write PNGs here, to look at")
    parser.add_argument("names", nargs="*", help="only these")
    given = parser.parse_args()
    for maker in FIGURES:
        if given.names and maker.__name__ not in given.names:
            continue
        figure = maker().figure
        figure.savefig(HERE / f"{maker.__name__}.svg", metadata={"Date": None}, facecolor="white")
        if given.png:
            figure.savefig(given.png / f"{maker.__name__}.png", dpi=100, facecolor="white")


if __name__ == "__main__":
    main()

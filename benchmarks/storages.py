"""One volume in all 48 orders of its axes: how alike are the atria?

``python benchmarks/storages.py VOLUME [--model atrium-vnet] [--codes LPS RAS ...]`` writes the volume with its axes
pointing every way as NIfTI, by nibabel, segments each, and prints the Dice of every mask with that of the volume as
given, after both are brought back to one order, again by nibabel. Takes some two seconds an order.
"""

from __future__ import annotations

import argparse
import tempfile
from itertools import permutations, product
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform

from spinetk.images.volume import read_volume
from spinetk.segmentation.atrium.batch import predict_files
from spinetk.segmentation.atrium.models import load_predictor

CODES = ["".join(code) for order in permutations(("RL", "AP", "SI")) for code in product(*order)]


def turned(image: nib.Nifti1Image, code: str) -> nib.Nifti1Image:
    """The image with its axes pointing most nearly to ``code``."""
    change = ornt_transform(io_orientation(image.affine), axcodes2ornt(tuple(code)))
    return image.as_reoriented(change)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("volume", type=Path)
    parser.add_argument("--model", default="atrium-vnet")
    parser.add_argument("--codes", nargs="*", default=CODES)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    volume = read_volume(options.volume)
    image = nib.Nifti1Image(volume.values.T, volume.affine)
    predictor = load_predictor([options.model])
    truth, worst = None, 1.0
    with tempfile.TemporaryDirectory() as folder:
        for code in ["".join(nib.aff2axcodes(image.affine)), *options.codes]:
            path = Path(folder) / f"{code}.nii.gz"
            nib.save(turned(image, code), path)
            predict_files(predictor, [path], Path(folder) / "masks")
            mask = turned(nib.load(Path(folder) / "masks" / path.name), "RAS")
            found = np.asanyarray(mask.dataobj) > 0
            truth = found if truth is None else truth
            dice = 2 * (found & truth).sum() / max(1, found.sum() + truth.sum())
            worst = min(worst, float(dice))
            print(f"{code} {found.sum()} voxels, Dice {dice:.4f}", flush=True)
    print(f"{len(options.codes)} orders, smallest Dice {worst:.4f}")


if __name__ == "__main__":
    main()

"""Affines and NIfTI files for the tests of volumes."""

from __future__ import annotations

from itertools import permutations, product

import nibabel as nib
import numpy as np

SIZE = (5, 6, 7)  # i, j, k
CODES = ["".join(c) for order in permutations(("RL", "AP", "SI")) for c in product(*order)]


def affine_of(order=(0, 1, 2), signs=(1, 1, 1), spacing=(1.0, 1.5, 2.5), origin=(-12.5, 30.0, 7.25), turn=0.0):
    matrix = np.zeros((3, 3))
    for axis, world in enumerate(order):
        matrix[world, axis] = signs[axis] * spacing[axis]
    c, s = np.cos(turn), np.sin(turn)
    affine = np.eye(4)
    affine[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ matrix
    affine[:3, 3] = origin
    return affine


def write_nifti(path, *, sform=None, qform=None, values=None, kind=nib.Nifti1Image, zooms=None, **fields):
    """A file with these (matrix, code) pairs, as nibabel writes it."""
    values = np.zeros(SIZE, np.int16) if values is None else values
    image = kind(values, None)
    image.header.set_zooms(zooms or (1.0, 1.5, 2.5))
    for name, given_ in (("sform", sform), ("qform", qform)):
        matrix, code = given_ or (None, 0)
        getattr(image.header, f"set_{name}")(matrix, code)
    for name, value in fields.items():
        image.header[name] = value
    nib.save(image, path)
    return path


FAR = affine_of(origin=(40.0, 5.0, 7.25))

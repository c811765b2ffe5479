"""NIfTI files by nibabel: NIfTI-1 and -2, one file, packed or not.

One policy says where voxels lie: the sform where its code is set, else the qform where its code is set, else nobody
knows. That is nibabel's, FSL's and the Spinal Cord Toolbox's order. nibabel and not ITK is underneath because ITK
refuses an sform that is the least bit sheared, may prefer the qform, and does not give back the codes and the second
matrix, which have to be written again as they were.

Where nobody knows, axes are guessed to point to the left, the front and the head, as nibabel does.
"""

from __future__ import annotations

import math
import zlib
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from spinetk.errors import InputError
from spinetk.images.grid import Grid
from spinetk.images.guard import REMEDY_COPY, display_name
from spinetk.images.voxels import VolumeHeader, check_voxels, is_gzip, opened, read_voxels

HEAD_BYTES = 544
UNITS_MM = {1: 1e3, 3: 1e-3}
"""Of ``xyzt_units``: metres and micrometres; all else is taken for mm."""

APART_MM = 0.5
"""Matrices that put a corner of the volume further apart than this differ."""

ANOTHER_SPACING = 0.01
"""Share by which the spacings of pixdim and sform must differ to be remarked."""

SCANNER = 1  # the code of coordinates of the scanner
SHEAR_OF_ITK = 1e-3
GUESS = "LAS"
DAMAGE = (
    nib.spatialimages.HeaderDataError, nib.wrapstruct.WrapStructError, ValueError, OverflowError,
    KeyError,  # of a type of voxels that there is not
)  # fmt: skip
COPIED = (
    "qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z",
    "srow_x", "srow_y", "srow_z", "xyzt_units",
)  # fmt: skip


def read_header(path: Path) -> VolumeHeader:
    """Geometry and form of a NIfTI file, checked against the bytes that are there.

    Raises:
        InputError: It is damaged, a kind of file that is not read, or claims more voxels than it can hold.
    """
    name, packed = display_name(path), is_gzip(path)
    try:
        with opened(path, packed) as stream:
            head = stream.read(HEAD_BYTES)
    except (zlib.error, EOFError, OSError) as error:
        raise InputError(name, "has a damaged NIfTI header", REMEDY_COPY) from error
    if head[344:348] == b"ni1\0" or head[4:8] == b"ni2\0":
        raise InputError(name, "is half of a NIfTI pair (.hdr and .img)", "convert it to one .nii or .nii.gz")
    second = head[4:8] == b"n+2\0"
    kind = nib.Nifti2Header if second else nib.Nifti1Header
    try:
        header = kind(head[: 540 if second else 348], check=False)
        count, *sizes = (int(v) for v in header["dim"])
        dtype = header.get_data_dtype()
        start = int(header["vox_offset"])
    except DAMAGE as error:
        raise InputError(name, "has a damaged NIfTI header", REMEDY_COPY) from error
    if dtype.fields is not None or dtype.kind == "c":
        raise InputError(name, "has several values a voxel", "give one grey volume")
    if not 2 <= count <= 7 or not 0 <= start < 1 << 31 or dtype.itemsize > 8 or dtype.kind not in "iuf":
        raise InputError(name, "has a damaged NIfTI header", REMEDY_COPY)
    sizes = sizes[:count]
    check_voxels(path, tuple(sizes), dtype.itemsize, packed, start)
    shape = tuple(reversed([*sizes, 1][:3]))
    remarks: list[str] = []
    grid, spacing_known = _grid(header, shape, remarks)
    return VolumeHeader(
        "nifti", grid, dtype, math.prod(sizes[3:]), count == 2, spacing_known, tuple(remarks), header
    )  # fmt: skip


def read_values(path: Path, header: VolumeHeader) -> np.ndarray:
    """(D, H, W) of the first volume, scaled as the header says: floats where it scales, else as stored.

    Raises:
        InputError: The data are damaged, or fewer than the header says.
    """
    start, packed = max(int(header.stored["vox_offset"]), int(header.stored["sizeof_hdr"])), is_gzip(path)
    with opened(path, packed) as stream:
        try:
            stream.seek(start)
        except (zlib.error, EOFError, OSError) as error:
            raise InputError(display_name(path), "is damaged", REMEDY_COPY) from error
        values = read_voxels(path, stream, header.dtype, header.grid.shape, whole=header.volumes == 1)
    slope, offset = float(header.stored["scl_slope"]), float(header.stored["scl_inter"])
    if not math.isfinite(slope) or slope == 0 or (slope, offset) == (1.0, 0.0):
        return values
    if not math.isfinite(offset):
        raise InputError(display_name(path), "scales its grey values by what is no number", REMEDY_COPY)
    precise = values.dtype.itemsize > 2 and values.dtype != np.float32
    scaled: Any = values.astype(np.float64 if precise else np.float32, copy=False)
    scaled *= slope
    scaled += offset
    return scaled


def write(path: Path, values: np.ndarray, grid: Grid, like: Any = None) -> None:
    """Write (D, H, W) voxels.

    Args:
        path: ``.nii`` or ``.nii.gz``.
        values: Of a type that NIfTI has.
        grid: Where they lie, unless ``like`` says it.
        like: NIfTI header whose matrices, codes and units are written as they are; nothing else of it.
    """
    header = (nib.Nifti1Header if like is None else type(like))()
    header.set_data_dtype(values.dtype)
    header.set_data_shape(values.shape[::-1])
    if like is not None:
        for field in COPIED:
            header[field] = like[field]
        header["pixdim"][:4] = like["pixdim"][:4]
    else:
        header.set_xyzt_units("mm")
        header.set_zooms(grid.spacing_mm[::-1])
        if grid.oriented:
            header.set_sform(grid.affine, 1)
            header.set_qform(grid.affine, 1 if grid.shear_degrees < 0.01 else 0)
    image = nib.Nifti2Image if isinstance(header, nib.Nifti2Header) else nib.Nifti1Image
    nib.save(image(values.T, None, header), path)


def grid_of_itk(header: VolumeHeader) -> Grid:
    """Where ITK, and with it 3D Slicer, puts the voxels of a file with directions, in the axes of :attr:`Volume.grid`.

    Beside a qform it takes an sform only where the code of that is 1 and it is not sheared; of an sform it takes the
    axes, not the spacing, which is pixdim's. Seen with SimpleITK 2.5.7 (``docs/how-to/volumes.md``).
    """
    stored, shape = header.stored, header.grid.shape
    if int(stored["sform_code"]) <= 0 or not header.grid.oriented:
        return header.grid
    factor = UNITS_MM.get(int(stored["xyzt_units"]) & 7, 1.0)
    sheared = abs(np.sin(np.radians(header.grid.shear_degrees))) > SHEAR_OF_ITK
    if int(stored["qform_code"]) > 0 and (int(stored["sform_code"]) != SCANNER or sheared):
        affine = np.array(stored.get_qform(), np.float64)
        affine[:3] *= factor
        if np.isfinite(affine).all() and abs(np.linalg.det(affine[:3, :3])) > 1e-9:
            return Grid(shape, affine)
    affine, said = header.grid.affine.copy(), np.array([*stored["pixdim"][1:4]], np.float64) * factor
    if (np.isfinite(said) & (said > 0)).all():
        affine[:3, :3] *= said / np.linalg.norm(affine[:3, :3], axis=0)
    return Grid(shape, affine)


def _grid(header: Any, shape: tuple[int, ...], remarks: list[str]) -> tuple[Grid, bool]:
    """By the policy of this module, in mm; and whether the spacing is known."""
    factor = UNITS_MM.get(int(header["xyzt_units"]) & 7, 1.0)
    if factor != 1:
        remarks.append(f"the header gives lengths in {'m' if factor > 1 else 'micrometres'}: they were changed to mm")
    found = {}
    for name, matrix in (("sform", header.get_sform), ("qform", header.get_qform)):
        if int(header[f"{name}_code"]) <= 0:
            continue
        try:
            affine = np.array(matrix(), np.float64)
        except (ValueError, nib.spatialimages.HeaderDataError):
            affine = np.full((4, 4), np.nan)
        affine[:3] *= factor
        if np.isfinite(affine).all() and abs(np.linalg.det(affine[:3, :3])) > 1e-9:
            found[name] = Grid(shape, affine)  # type: ignore[arg-type]
        else:
            remarks.append(f"the {name} is not a matrix of a volume and was ignored")
    if found:
        chosen = next(iter(found.values()))
        if len(found) == 2:
            apart = np.linalg.norm(found["sform"].corners() - found["qform"].corners(), axis=1).max()
            if apart > APART_MM:
                codes = f"sform (code {int(header['sform_code'])}) and qform (code {int(header['qform_code'])})"
                other = "" if int(header["sform_code"]) == SCANNER else ", where ITK and 3D Slicer use the qform"
                remarks.append(f"{codes} lie up to {apart:.1f} mm apart: the sform was used{other}")
        said = np.array([*header["pixdim"][1:4]], np.float64) * factor
        steps = np.array(chosen.spacing_mm[::-1])
        if (np.isfinite(said) & (said > 0)).all() and np.abs(steps / said - 1).max() > ANOTHER_SPACING:
            both = [" x ".join(f"{v:.4g}" for v in spacing) for spacing in (said, steps)]
            remarks.append(f"pixdim says {both[0]} mm, the sform {both[1]} mm: the sform was used")
        return chosen, True
    spacing = np.array([*header["pixdim"][1:4]], np.float64) * factor
    known = np.isfinite(spacing) & (spacing > 0)
    # Two flat dimensions are enough for a picture.
    spacing = np.where(known, spacing, 1.0)
    affine = np.diag([-spacing[0], spacing[1], spacing[2], 1.0])
    affine[:3, 3] = -affine[:3, :3] @ (np.array(shape[::-1]) - 1) / 2
    return Grid(shape, affine, oriented=False), bool(known[: 3 if shape[0] > 1 else 2].all())  # type: ignore[arg-type]

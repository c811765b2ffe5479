"""NIfTI and NRRD volumes through SimpleITK, after their headers have been checked."""

from __future__ import annotations

import math
import shutil
import struct
import tempfile
import zlib
from pathlib import Path

import numpy as np

from spinetk.errors import InputError
from spinetk.geometry import PLAUSIBLE_SPACING_MM, Frame
from spinetk.images.guard import MAX_VOXELS, REMEDY_COPY, check_size, display_name, silent_stderr
from spinetk.images.orientation import letter
from spinetk.images.picture import Picture
from spinetk.images.stack import spine_score

MAX_DEFLATE = 1_032
"""The most bytes one byte of a deflate stream can become."""

NRRD_HEADER_BYTES = 64 << 10
NRRD_BYTES = {
    8: "double int64 int64_t uint64 uint64_t longlong ulonglong",
    4: "float int int32 int32_t uint uint32 uint32_t",
    2: "short int16 int16_t ushort uint16 uint16_t",
    1: "char int8 int8_t uchar uint8 uint8_t",
}
SOURCE = {"nifti": "NIfTI", "nrrd": "NRRD"}


def read_volume(path: Path, kind: str, slice_choice: str, user_frame: Frame | None) -> Picture:
    """Read the sagittal slice of a volume, or the only slice of a flat one.

    Returns:
        +x to the back and +y to the feet where the header gives directions, square pixels.

    Raises:
        InputError: The header claims more than there is, or the data are damaged.
    """
    header = nifti_header(path) if kind == "nifti" else nrrd_header(path)
    image = _load(path, kind, header["packed"])
    import SimpleITK as sitk  # noqa: N813

    remarks: list[str] = []
    if header.get("times", 1) > 1:
        remarks.append(f"the first of {header['times']} volumes was read")
    values = sitk.GetArrayViewFromImage(image)
    if image.GetNumberOfComponentsPerPixel() > 1:
        raise InputError(display_name(path), "has several values a voxel", "give one grey volume")
    size, spacing = np.array(image.GetSize()), np.array(image.GetSpacing())
    if values.ndim == 2:
        values, size, spacing = values[None], np.append(size, 1), np.append(spacing, 1.0)
        directions = np.eye(3)
        oriented = False
    else:
        directions = np.array(image.GetDirection()).reshape(3, 3)
        oriented = bool(header["oriented"]) and bool(np.isfinite(directions).all())
    low, high = PLAUSIBLE_SPACING_MM
    scaled = bool(((spacing >= low) & (spacing <= high)).all())
    if not scaled:
        remarks.append("voxel spacing is not plausible and was ignored")
    if not oriented:
        pixels, frame = _flat(values, spacing, remarks)
    else:
        pixels, frame = _sagittal(values, spacing, directions, slice_choice, remarks)
    if not scaled:
        frame = Frame(None, None, frame.toward_right, frame.toward_bottom)
    elif frame.spacing_mm is not None:
        frame = Frame(frame.spacing_mm, SOURCE[kind], frame.toward_right, frame.toward_bottom)
    if user_frame is not None:
        frame = Frame(user_frame.spacing_mm, "user", frame.toward_right, frame.toward_bottom)
    finite = np.isfinite(pixels)
    if not finite.all():
        remarks.append("pixels that are not finite were left out")
        pixels = np.where(finite, pixels, np.float32(0))
    return Picture(
        pixels=np.ascontiguousarray(pixels, np.float32),
        padding=None if finite.all() else ~finite,
        frame=frame,
        kind=kind,
        view="sagittal" if {frame.toward_right, frame.toward_bottom} == {"P", "F"} else "unknown",
        remarks=tuple(remarks),
    )


def nifti_header(path: Path) -> dict:
    """Size and geometry flags of a NIfTI file, checked against the bytes that are there.

    Raises:
        InputError: It claims more voxels than it can hold.
    """
    stored = path.stat().st_size
    with open(path, "rb") as stream:
        head = stream.read(4096)
        packed = head.startswith(b"\x1f\x8b")
        if packed:
            stream.seek(-4, 2)
            inflated = struct.unpack("<L", stream.read(4))[0]
            head = zlib.decompressobj(wbits=31).decompress(head, 1024)
    name = display_name(path)
    if len(head) < 348:
        raise InputError(name, "has a damaged NIfTI header", REMEDY_COPY)
    second = head[4:8] == b"n+2\0"
    order = "<" if struct.unpack_from("<i", head)[0] in (348, 540) else ">"
    if second:
        count, *sizes = struct.unpack_from(f"{order}8q", head, 16)
        bits, offset = struct.unpack_from(f"{order}h", head, 14)[0], struct.unpack_from(f"{order}q", head, 168)[0]
        codes = struct.unpack_from(f"{order}2i", head, 344)
    else:
        count, *sizes = struct.unpack_from(f"{order}8h", head, 40)
        bits, offset = struct.unpack_from(f"{order}h", head, 72)[0], struct.unpack_from(f"{order}f", head, 108)[0]
        codes = struct.unpack_from(f"{order}2h", head, 252)
    sizes = sizes[:count] if 1 <= count <= 7 else []
    if len(sizes) < 2 or min(sizes) < 1 or not 8 <= bits <= 64 or not 0 <= offset < 1 << 31:
        raise InputError(name, "has a damaged NIfTI header", REMEDY_COPY)
    _check_volume(path, sizes[:3], bits // 8)
    needed = offset + math.prod(sizes) * bits // 8
    there = min(stored * MAX_DEFLATE, inflated if stored * MAX_DEFLATE < 1 << 32 else 1 << 62) if packed else stored
    if needed > there:
        raise InputError(name, "claims more voxels than it holds", REMEDY_COPY)
    return {
        "sizes": sizes,
        "bits": bits,
        "times": math.prod(sizes[3:]),
        "oriented": max(codes) > 0,
        "packed": packed,
    }


def nrrd_header(path: Path) -> dict:
    """Size and geometry flags of an NRRD file, checked against the bytes that are there.

    Raises:
        InputError: It claims more voxels than it can hold, keeps them in another file, or uses a rare encoding.
    """
    name = display_name(path)
    with open(path, "rb") as stream:
        head = stream.read(NRRD_HEADER_BYTES)
    end = min((at for at in (head.find(b"\n\n"), head.find(b"\r\n\r\n")) if at >= 0), default=-1)
    if end < 0:
        raise InputError(name, "has a damaged NRRD header", REMEDY_COPY)
    lines = [line for line in head[:end].decode("latin-1").splitlines()[1:] if not line.startswith("#")]
    fields = dict((part.strip() for part in line.split(":", 1)) for line in lines if ":" in line and ":=" not in line)
    if "data file" in fields or "datafile" in fields:
        raise InputError(name, "keeps its voxels in another file", "store header and data in one .nrrd")
    encoding = fields.get("encoding", "")
    if encoding not in ("raw", "gzip", "gz"):
        raise InputError(name, "uses a rare NRRD encoding", "store it raw or gzip")
    try:
        sizes = [int(v) for v in fields["sizes"].split()]
        kind = fields["type"].replace("signed ", "").replace("unsigned ", "u").replace(" ", "")
        width = next(width for width, names in NRRD_BYTES.items() if kind in names.split())
    except (KeyError, ValueError, StopIteration) as error:
        raise InputError(name, "has a damaged NRRD header", REMEDY_COPY) from error
    if not 2 <= len(sizes) <= 3 or min(sizes) < 1:
        raise InputError(name, f"has {len(sizes)} dimensions", "give a volume of 2 or 3")
    _check_volume(path, sizes, width)
    stored = path.stat().st_size - end
    if math.prod(sizes) * width > (stored if encoding == "raw" else stored * MAX_DEFLATE):
        raise InputError(name, "claims more voxels than it holds", REMEDY_COPY)
    oriented = "space" in fields and "space directions" in fields
    return {"sizes": sizes, "bits": 8 * width, "times": 1, "oriented": oriented, "packed": encoding != "raw"}


def _check_volume(path: Path, sizes: list[int], width: int) -> None:
    check_size(path, sizes[0], sizes[1], width)
    if math.prod(sizes) > MAX_VOXELS:
        fault = f"claims {math.prod(sizes) / 1e6:.0f} million voxels, more than {MAX_VOXELS // 1_000_000}"
        raise InputError(display_name(path), fault, "crop or resample it first")


def _load(path: Path, kind: str, packed: bool) -> object:
    """Read through a link of our own: the NIfTI library chooses by name, and takes ``a.nii`` for ``a.nii.gz``."""
    import SimpleITK as sitk  # noqa: N813

    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    suffix = ".nrrd" if kind == "nrrd" else ".nii.gz" if packed else ".nii"
    with tempfile.TemporaryDirectory() as folder:
        alias = Path(folder) / f"volume{suffix}"
        try:
            alias.symlink_to(path.resolve())
        except OSError:
            shutil.copyfile(path, alias)
        reader = sitk.ImageFileReader()
        reader.SetImageIO("NrrdImageIO" if kind == "nrrd" else "NiftiImageIO")
        reader.SetFileName(str(alias))
        try:
            with silent_stderr():
                reader.ReadImageInformation()
                size = list(reader.GetSize())
                if len(size) > 3:
                    reader.SetExtractSize([*size[:3], *[0] * (len(size) - 3)])
                return reader.Execute()
        except RuntimeError as error:
            raise InputError(display_name(path), f"is a damaged {SOURCE[kind]} file", REMEDY_COPY) from error


def _flat(values: np.ndarray, spacing: np.ndarray, remarks: list[str]) -> tuple[np.ndarray, Frame]:
    """The middle slice as stored, for files that do not say which way it looks."""
    if len(values) > 1:
        remarks.append(f"slice {len(values) // 2 + 1} of {len(values)} was read: the header gives no directions")
    frame = Frame(_plausible(spacing[1], spacing[0]))
    return values[len(values) // 2].astype(np.float32), frame


def _sagittal(
    values: np.ndarray, spacing: np.ndarray, directions: np.ndarray, slice_choice: str, remarks: list[str]
) -> tuple[np.ndarray, Frame]:
    """The slice of (z, y, x) voxels across the left-right axis, turned so that +x is back and +y is feet."""
    axes = _nearest_axes(directions)  # voxel axis (x, y, z) nearest to each of left-right, front-back, head-feet
    count = values.shape[2 - axes[0]]
    if count == 1 or min(values.shape) > 1:
        stack = np.moveaxis(values, (2 - axes[0], 2 - axes[2], 2 - axes[1]), (0, 1, 2))  # (LR, HF, AP)
        chosen = count // 2
        if slice_choice == "most-spine" and count > 2:
            chosen = int(
                np.argmax([spine_score(_square(layer, spacing[axes[2]], spacing[axes[1]])[0]) for layer in stack])
            )
        layer = stack[chosen].astype(np.float32)
        if directions[1, axes[1]] < 0:
            layer = layer[:, ::-1]
        if directions[2, axes[2]] > 0:
            layer = layer[::-1]
        how = "central" if slice_choice == "central" else "most spine"
        remarks.append(f"sagittal slice {chosen + 1} of {count} was read ({how}), turned back to the right, feet down")
        if np.abs(directions).max(axis=0).min() < 0.95:
            remarks.append("the volume is oblique: the slice follows its nearest grid plane")
        pixels, step = _square(layer, spacing[axes[2]], spacing[axes[1]])
        return pixels, Frame(_plausible(*step), None, "P", "F")
    thin = int(np.argmin(values.shape))  # one slice that is not sagittal: as stored
    kept = [axis for axis in (0, 1, 2) if axis != 2 - thin]  # voxel axes of +x and +y
    frame = Frame(_plausible(spacing[kept[1]], spacing[kept[0]]), None, *(letter(directions[:, a]) for a in kept))
    return np.take(values, 0, axis=thin).astype(np.float32), frame


def _nearest_axes(directions: np.ndarray) -> list[int]:
    """Voxel axis for each patient axis, each used once."""
    from itertools import permutations

    strength = np.abs(directions)
    return list(max(permutations(range(3)), key=lambda order: sum(strength[i, axis] for i, axis in enumerate(order))))


def _square(layer: np.ndarray, row_mm: float, column_mm: float) -> tuple[np.ndarray, tuple[float, float]]:
    """Resample (H, W) to square pixels of the finer spacing; left alone within 1 %."""
    import cv2

    step = min(row_mm, column_mm)
    if max(row_mm, column_mm) < 1.01 * step or step <= 0:
        return layer.astype(np.float32), (row_mm, column_mm)
    height, width = round(layer.shape[0] * row_mm / step), round(layer.shape[1] * column_mm / step)
    if height * width > 16 * layer.size or max(height, width) > 32_000:
        return layer.astype(np.float32), (row_mm, column_mm)
    pixels = cv2.resize(layer.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return pixels, (layer.shape[0] * row_mm / height, layer.shape[1] * column_mm / width)


def _plausible(row: float, column: float) -> tuple[float, float] | None:
    low, high = PLAUSIBLE_SPACING_MM
    return (float(row), float(column)) if all(low <= v <= high for v in (row, column)) else None

"""Small valid files of every kind, made on the spot: for tests and as seeds of the fuzz."""

from __future__ import annotations

import functools
import gzip
import io
import json
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

PLANTED = ("PLANTED", "Zyxwvut", "MRN31415926", "19330417", "Hidden Hospital")
"""Patient text put into every DICOM seed; none of it may come out anywhere."""


def truth(height: int = 24, width: int = 20) -> np.ndarray:
    """A picture with a bright block, 100 .. 1100, int32."""
    y, x = np.mgrid[:height, :width]
    picture = 100 + 20 * y + 10 * x
    picture[height // 3 : 2 * height // 3, width // 4 : 3 * width // 4] += 300
    return picture.astype(np.int32)


def dicom(
    pixels: np.ndarray | None = None, syntax: UID = ExplicitVRLittleEndian, frames: int | None = None, **tags: object
) -> FileDataset:
    """A DICOM data set of (H, W), (H, W, 3) or, with ``frames``, (N, H, W) pixels; ``tags`` win over the defaults."""
    pixels = truth().astype(np.uint16) if pixels is None else pixels
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    meta.MediaStorageSOPInstanceUID = generate_uid()
    ds = FileDataset("", Dataset(), file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    ds.StudyInstanceUID = ds.SeriesInstanceUID = "1.2.826.0.1.3680043.8.498.1"
    ds.PatientName, ds.PatientID, ds.PatientBirthDate = f"{PLANTED[0]}^{PLANTED[1]}", PLANTED[2], PLANTED[3]
    ds.InstitutionName, ds.Modality = PLANTED[4], "DX"
    colour = pixels.ndim == 3 and frames is None
    ds.Rows, ds.Columns = pixels.shape[:2] if frames is None else pixels.shape[1:3]
    ds.SamplesPerPixel = 3 if colour else 1
    ds.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        ds.PlanarConfiguration = 0
    if frames is not None:
        ds.NumberOfFrames = frames
    ds.BitsAllocated = ds.BitsStored = 8 * pixels.dtype.itemsize
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = 1 if pixels.dtype.kind == "i" else 0
    for keyword, value in tags.items():
        setattr(ds, keyword, value)
    raw = pixels.astype(pixels.dtype.newbyteorder(">" if syntax == ExplicitVRBigEndian else "<")).tobytes()
    if not syntax.is_compressed or syntax == DeflatedExplicitVRLittleEndian:
        ds.PixelData = raw + b"\0" * (len(raw) % 2)
        ds["PixelData"].VR = "OB" if ds.BitsAllocated <= 8 and not syntax.is_implicit_VR else "OW"
    elif syntax == JPEGBaseline8Bit:
        code = io.BytesIO()
        Image.fromarray(pixels).save(code, "JPEG", quality=95)
        ds.PixelData = encapsulate([code.getvalue()])
        ds["PixelData"].VR = "OB"
    else:
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.PixelData = raw
        ds.compress(syntax, generate_instance_uid=False)
    return ds


def to_bytes(ds: FileDataset, preamble: bool = True) -> bytes:
    """The data set as a file."""
    stream = io.BytesIO()
    syntax = ds.file_meta.TransferSyntaxUID
    ds.set_original_encoding(syntax.is_implicit_VR, syntax.is_little_endian)
    ds.save_as(stream, enforce_file_format=True)
    return stream.getvalue() if preamble else stream.getvalue()[132:]


def head(**tags: object) -> Dataset:
    """Header fields alone."""
    ds = Dataset()
    for name, value in tags.items():
        setattr(ds, name, value)
    return ds


def lut(entries: np.ndarray, first: int) -> Dataset:
    """A modality or VOI LUT item, 16 bits."""
    item = Dataset()
    item.LUTDescriptor = [len(entries), first, 16]
    item.LUTData = [int(v) for v in entries]
    item["LUTDescriptor"].VR = item["LUTData"].VR = "US"
    return item


def enhanced(
    volume: np.ndarray, right: list, down: list, step: list, spacing: list, modality: str = "MR"
) -> FileDataset:
    """An enhanced multi-frame of (N, H, W) uint16 whose frames follow ``step`` (mm)."""
    ds = dicom(volume, frames=len(volume), Modality=modality)
    shared, measures, plane = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing, plane.ImageOrientationPatient = spacing, [*right, *down]
    shared.PixelMeasuresSequence, shared.PlaneOrientationSequence = [measures], [plane]
    ds.SharedFunctionalGroupsSequence = [shared]
    groups = []
    for index in range(len(volume)):
        group, place = Dataset(), Dataset()
        place.ImagePositionPatient = [float(index * v) for v in step]
        group.PlanePositionSequence = [place]
        groups.append(group)
    ds.PerFrameFunctionalGroupsSequence = groups
    return ds


def plain(pixels: np.ndarray, kind: str, **options: object) -> bytes:
    """PNG, JPEG or TIFF bytes of a Pillow-sized array."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind.upper(), **options)
    return stream.getvalue()


def volume(array: np.ndarray, suffix: str, spacing: tuple = (1.0, 1.0, 2.0), direction: tuple | None = None) -> bytes:
    """NIfTI or NRRD bytes of (z, y, x) voxels."""
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing[: array.ndim])
    if direction:
        image.SetDirection(direction)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"volume{suffix}"
        sitk.WriteImage(image, str(path), useCompression=suffix == ".nrrd")
        return path.read_bytes()


def nested(depth: int) -> bytes:
    """A DICOM file whose sequences (undefined length) hold each other ``depth`` deep."""
    head = to_bytes(dicom())
    at = head.index(b"\x08\x00\x16\x00UI")
    start = (
        b"\x08\x00\x05\x00CS\x0a\0ISO_IR 100"
        + b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    )
    inner = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * depth
    end = (b"\xfe\xff\x0d\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0") * (depth + 1)
    return head[:at] + start + inner + end + head[at:]


@functools.cache
def seeds() -> dict[str, bytes]:
    """Name (with suffix) -> bytes of one small valid file of every kind."""
    grey16 = truth().astype(np.uint16)
    grey8 = (truth() // 5).astype(np.uint8)
    colour = np.dstack([grey8, grey8[::-1], grey8[:, ::-1]])
    signed = (truth() - 600).astype(np.int16)
    palette = dicom(grey8 % 16, PhotometricInterpretation="PALETTE COLOR")
    for name in ("Red", "Green", "Blue"):
        setattr(palette, f"{name}PaletteColorLookupTableDescriptor", [16, 0, 16])
        setattr(palette, f"{name}PaletteColorLookupTableData", (np.arange(16, dtype="<u2") * 4000).tobytes())
    sagittal = enhanced(np.stack([grey16 + 10 * k for k in range(5)]), [0, 1, 0], [0, 0, -1], [3, 0, 0], [1, 1])
    axial = enhanced(np.stack([grey16 + 10 * k for k in range(6)]), [1, 0, 0], [0, 1, 0], [0, 0, 2], [1, 1], "CT")
    window = {"WindowCenter": 600, "WindowWidth": 1000}
    cube = np.arange(8 * 10 * 12, dtype=np.int16).reshape(8, 10, 12)
    rgba16 = np.dstack([colour.astype(np.uint16) * 257, np.full(grey8.shape, 65535, np.uint16)])
    import cv2

    found = {
        "explicit.dcm": to_bytes(dicom(grey16, PixelSpacing=[0.2, 0.2], **window)),
        "mono1.dcm": to_bytes(dicom(grey16, PhotometricInterpretation="MONOCHROME1", ImagerPixelSpacing=[0.1, 0.1])),
        "implicit.dcm": to_bytes(dicom(grey16, ImplicitVRLittleEndian, ViewPosition="LL")),
        "big.dcm": to_bytes(dicom(grey16, ExplicitVRBigEndian)),
        "deflated.dcm": to_bytes(dicom(grey16, DeflatedExplicitVRLittleEndian)),
        "bare.dcm": to_bytes(dicom(grey16), preamble=False),
        "signed.dcm": to_bytes(
            dicom(signed, PixelPaddingValue=-500, RescaleSlope=2, RescaleIntercept=-10, Modality="CT")
        ),
        "luts.dcm": to_bytes(
            dicom(
                grey16,
                ModalityLUTSequence=[lut(np.arange(1200) * 2, 0)],
                VOILUTSequence=[lut(np.arange(2400) ** 2 // 100, 0)],
            )
        ),
        "palette.dcm": to_bytes(palette),
        "rgb.dcm": to_bytes(dicom(colour)),
        "sagittal.dcm": to_bytes(sagittal),
        "axial.dcm": to_bytes(axial),
        "rle.dcm": to_bytes(dicom(grey16, RLELossless)),
        "jpegls.dcm": to_bytes(dicom(grey16, JPEGLSLossless)),
        "j2k.dcm": to_bytes(dicom(truth(64, 64).astype(np.uint16), JPEG2000Lossless)),
        "jpeg.dcm": to_bytes(dicom(grey8, JPEGBaseline8Bit)),
        "nested.dcm": nested(20),
        "grey8.png": plain(grey8, "png"),
        "grey16.png": plain(grey16, "png"),
        "rgba.png": plain(np.dstack([colour, grey8]), "png"),
        "rgba16.png": cv2.imencode(".png", rgba16)[1].tobytes(),
        "grey.jpg": plain(grey8, "jpeg"),
        "rgb.jpg": plain(colour, "jpeg"),
        "grey.tif": plain(grey8, "tiff"),
        "grey16.tif": plain(grey16, "tiff", compression="tiff_lzw"),
        "rgb.tif": plain(colour, "tiff", compression="tiff_deflate"),
        "cube.nii": volume(cube, ".nii"),
        "cube.nii.gz": volume(cube.astype(np.float32), ".nii.gz"),
        "cube.nrrd": volume(cube, ".nrrd"),
        "result.json": json.dumps(RESULT).encode(),
    }
    found["raw.nrrd"] = _raw_nrrd(cube)
    return found


def _raw_nrrd(cube: np.ndarray) -> bytes:
    header = (
        "NRRD0004\ntype: short\ndimension: 3\nspace: left-posterior-superior\nsizes: 12 10 8\n"
        "space directions: (1,0,0) (0,1,0) (0,0,2)\nkinds: domain domain domain\nendian: little\nencoding: raw\n"
        "space origin: (0,0,0)\n\n"
    )
    return header.encode() + cube.astype("<i2").tobytes()


def gzip_bomb(size: int) -> bytes:
    """``size`` zero bytes, packed."""
    return gzip.compress(bytes(size), 9)


RESULT = {
    "file": "a.png",
    "height": 24,
    "width": 20,
    "model": None,
    "view": "lateral",
    "spacing_mm": [0.5, 0.5],
    "spacing_source": "user",
    "orientation": ["A", "F"],
    "schema": "vertebra4",
    "vertebrae": [],
    "angles": {"cobb_max": 12.5},
    "remarks": [],
}

"""Small films, a reader that needs no network, and ways to talk to a node."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian

from spinetk.geometry import Frame
from spinetk.images import read_picture, to_uint8
from spinetk.node.service import Node
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA4

PLANTED = "PLANTED^PATIENT"


def film(path: Path, uid: str, *, study: str = "1.2.3", name: str = PLANTED, level: int = 0, **tags) -> Path:
    """A CR file of 40 x 30 px; ``level`` is added to its pixels, ``tags`` are set last."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = ComputedRadiographyImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = uid
    data.StudyInstanceUID, data.SeriesInstanceUID = study, f"{study}.1"
    data.PatientName, data.PatientID, data.PatientBirthDate, data.PatientSex = name, "PLANTED-ID", "19500102", "F"
    data.StudyDate, data.StudyTime, data.StudyID, data.AccessionNumber = "20250102", "101112", "S1", "PLANTED-9"
    data.ReferringPhysicianName, data.SeriesNumber, data.InstanceNumber = "PLANTED^DOCTOR", 1, 1
    data.Modality, data.BodyPartExamined, data.ViewPosition = "CR", "LSPINE", "LL"
    data.SeriesDescription = "LSPINE lateral of PLANTED^PATIENT"
    pixels = np.add.outer(np.arange(40), np.arange(30)).astype("<u2") * 40 + level
    data.Rows, data.Columns = pixels.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.PixelSpacing = [0.5, 0.5]
    data.PixelData = pixels.tobytes()
    for keyword, value in tags.items():
        if value is None:
            delattr(data, keyword)
        else:
            setattr(data, keyword, value)
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.save_as(path, enforce_file_format=True)
    return path


def read(path: Path) -> tuple[Reading, np.ndarray]:
    """A reading of any picture: one vertebra, upright, in the middle."""
    picture = read_picture(path)
    grey = to_uint8(picture.pixels, picture.padding)
    points = np.array([[10, 25], [20, 25], [20, 12], [10, 12]], np.float64)
    vertebrae = [Vertebra.from_points(points, label="L3", score=0.9)]
    frame = picture.frame if picture.frame.spacing_mm else Frame()
    return Reading(str(path), *grey.shape, VERTEBRA4, vertebrae, frame, "lateral", "a model"), grey


def until(condition, seconds: float = 120.0) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def stop(node: Node) -> None:
    """Stop a node and wait for it."""
    node.stop()
    node.wait()


def send(node_port: int, *files: Path, aet: str = "SPINETK", calling: str = "TEST", **options) -> list[int]:
    """C-STORE some files by pynetdicom on one association; their status codes, empty when it is rejected."""
    from pynetdicom import AE
    from pynetdicom.presentation import build_context

    own = AE(calling)
    own.acse_timeout = own.dimse_timeout = own.network_timeout = 120  # a busy machine
    data = [pydicom.dcmread(file) for file in files]
    kinds = {(d.SOPClassUID, d.file_meta.TransferSyntaxUID) for d in data}
    contexts = [build_context(*kind) for kind in kinds]
    association = own.associate("127.0.0.1", node_port, contexts=contexts, ae_title=aet, **options)
    if not association.is_established:
        return []
    codes = [association.send_c_store(file).Status for file in files]
    association.release()
    return codes

"""A picture that structured reports are about, and a reading with everything that they hold."""

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MultiFrameGrayscaleWordSecondaryCaptureImageStorage

from spinetk.geometry import Frame
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6

SECRETS = {
    "PatientComments": "planted comment",
    "OtherPatientIDs": "planted other id",
    "PatientAddress": "planted address",
    "InstitutionName": "planted institution",
    "StationName": "planted station",
    "OperatorsName": "planted^operator",
    "StudyDescription": "planted study words",
    "PatientAge": "077Y",
    "PatientTelephoneNumbers": "planted 555",
    "EthnicGroup": "planted group",
}


def source(rows=300, columns=200, frames=None):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID = CTImageStorage if frames is None else MultiFrameGrayscaleWordSecondaryCaptureImageStorage
    data.SOPInstanceUID, data.SeriesInstanceUID, data.StudyInstanceUID = "1.2.3.1", "1.2.3.2", "1.2.3.3"
    data.SpecificCharacterSet = "ISO_IR 100"
    data.PatientName, data.PatientID, data.PatientBirthDate, data.PatientSex = "Müller^Zoë", "P-7", "19500102", "F"
    data.StudyDate, data.StudyTime, data.StudyID, data.AccessionNumber = "20200304", "101112", "S1", "A9"
    data.ReferringPhysicianName = "Ref^Doc"
    data.Modality = "CT"
    for tag, value in SECRETS.items():
        setattr(data, tag, value)
    data.Rows, data.Columns = rows, columns
    if frames is not None:
        data.NumberOfFrames = frames
    return data


def random_body(rng, count=6, **fields):
    points = rng.uniform(10, 190, (count, 2))
    return Vertebra.from_points(points, **fields)


def full_reading():
    rng = np.random.default_rng(7)
    vertebrae = [
        random_body(rng, label=label, score=s) for label, s in [("T12", 0.123456789), ("L6", 1.0), (None, None)]
    ]
    vertebrae[0].point_sigma_px = rng.uniform(0.1, 2, 6)
    vertebrae[0].measures = {
        "heights_px": {"left": 12.3456789012345, "middle": None, "right": 11.0, "anterior": 11.0, "posterior": 12.1},
        "heights_mm": {"left": 2e-7, "right": 1 / 3, "anterior": 1 / 3, "middle": 24.5, "posterior": 2e-7},
        "heights_mm_interval": {"anterior": [0.1, 0.2], "right": [0.1, 0.2], "middle": None},
        "anterior_side": "right",
        "area_mm2": 812.25,
        "tilt_deg": -3.5,
        "ratios": {"wedge": 0.8, "a_rather_long_ratio_name": 1.25},
        "deformity": {"type": "wedge", "grade": 2, "loss_percent": 31.7, "notes": ["two\\three", "50 %", ""]},
        "deformity_reason": None,
        "flag": True,
    }
    vertebrae[1].measures = {"heights_px": {"left": 5}, "heights_mm": None, "deformity": None}
    vertebrae[2].visible[[1, 4]] = False
    return Reading(
        "/home/someone/Planted_Name.dcm",
        300,
        200,
        VERTEBRA6,
        vertebrae,
        Frame((0.7, 0.35), "PixelSpacing", "P", "F"),
        "sagittal",
        "vertebra-net-1",
        {"cobb_max": 17.123456789, "cobb_max_ends": ["T12", 2], "cobb_upper": None, "cobb_max_interval": [15.0, 19.5]},
        ["Measurement: a remark.", "x" * 300, "größer — 25°"],
    )


def disc_between(reading):
    """Width of the interval of a disc's height."""
    low, high = reading.vertebrae[0].measures["disc_below"]["heights_mm_interval"]["middle"]
    return high - low


def items(node, kind):
    for item in node.get("ContentSequence", []):
        if item.ValueType == kind:
            yield item
        yield from items(item, kind)

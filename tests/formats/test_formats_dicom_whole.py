"""Every element of presentation states, captures and segmentations, in the words of the standard (PS3.3)."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest
from dicom_whole import CONTENT, DATED, MADE, MAKER, PATIENT, among, content, film, told
from pydicom.uid import CTImageStorage, MultiFrameGrayscaleWordSecondaryCaptureImageStorage
from report_source import source

from spinetk._version import __version__
from spinetk.formats.capture import write_capture
from spinetk.formats.presentation import write_presentation
from spinetk.formats.seg import LEFT_ATRIUM, write_seg

pytest.importorskip("highdicom")


def test_a_presentation_state(tmp_path):
    write_presentation(tmp_path / "p.dcm", told(), film(), identity=MADE)
    reference = {"ReferencedSOPClassUID": str(CTImageStorage), "ReferencedSOPInstanceUID": "1.2.3.1"}

    # The names of `told` are right with 0.875: likely, and marked where no remark is shown beside them.
    def text(words, x, y):
        return {
            "AnchorPointAnnotationUnits": "PIXEL", "UnformattedTextValue": words, "AnchorPoint": [x, y],
            "AnchorPointVisibility": "N",
        }  # fmt: skip

    def graphic(kind, *numbers):
        return {
            "GraphicAnnotationUnits": "PIXEL", "GraphicDimensions": 2, "NumberOfGraphicPoints": len(numbers) // 2,
            "GraphicData": [float(v) for v in numbers], "GraphicType": kind, "GraphicFilled": "N",
        }  # fmt: skip

    wanted = DATED | PATIENT | MAKER | {
        "SpecificCharacterSet": "ISO_IR 100",
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.11.1",
        "Modality": "PR",
        "SeriesNumber": "903",
        "InstanceNumber": "4",
        "SeriesDescription": "Vertebral landmarks, research use only",
        "BodyPartExamined": "SPINE",
        "DeviceSerialNumber": "0",
        "PresentationCreationDate": "20260102",
        "PresentationCreationTime": "030405.000000",
        "ContentLabel": "SPINETK",
        "ContentDescription": "Vertebral landmarks, research use only",
        "ContentCreatorName": "spinetk^",
        "ReferencedSeriesSequence": [{"ReferencedImageSequence": [reference]}],
        "RescaleIntercept": "-5.0",
        "RescaleSlope": "2.0",
        "RescaleType": "HU",
        "SoftcopyVOILUTSequence": [{"WindowCenter": "40.0", "WindowWidth": "400.0"}],
        "PresentationLUTShape": "INVERSE",
        "GraphicLayerSequence": [
            {
                "GraphicLayer": "VERTEBRAE", "GraphicLayerOrder": "1",
                "GraphicLayerDescription": "Vertebral outlines, research use only",
            }
        ],
        "GraphicAnnotationSequence": [
            {
                "ReferencedImageSequence": [reference],
                "GraphicLayer": "VERTEBRAE",
                "TextObjectSequence": [text("L1 ?", 32, 48.75), text("hook ?", 36, 96.75), text("T12 ?", 128, 4)],
                "GraphicObjectSequence": [
                    graphic("POLYLINE", 16, 32, 48, 33, 48, 66, 16, 64, 16, 32),
                    graphic("POINT", 128, 4),
                ],
            }
        ],
        "DisplayedAreaSelectionSequence": [
            {
                "PixelOriginInterpretation": "VOLUME", "DisplayedAreaTopLeftHandCorner": [1, 1],
                "DisplayedAreaBottomRightHandCorner": [128, 256], "PresentationSizeMode": "SCALE TO FIT",
                "PresentationPixelAspectRatio": [2, 1],
            }
        ],
    }  # fmt: skip
    assert among(content(pydicom.dcmread(tmp_path / "p.dcm")), wanted) == wanted


def test_a_presentation_state_of_a_frame_and_of_nothing(tmp_path):
    frames = film(5)
    frames.PhotometricInterpretation = "MONOCHROME2"
    del frames.InstanceNumber
    frames.SharedFunctionalGroupsSequence = [pydicom.Dataset()]
    frames.PerFrameFunctionalGroupsSequence = [pydicom.Dataset() for _ in range(5)]
    write_presentation(tmp_path / "p.dcm", told(), frames, frame=3)
    made = pydicom.dcmread(tmp_path / "p.dcm")
    (annotation,) = made.GraphicAnnotationSequence
    assert annotation.ReferencedImageSequence[0].ReferencedFrameNumber == 4
    assert (made.PresentationLUTShape, made.InstanceNumber) == ("IDENTITY", 1)
    nothing = told()
    nothing.vertebrae = []
    write_presentation(tmp_path / "p.dcm", nothing, film())
    assert "GraphicAnnotationSequence" not in pydicom.dcmread(tmp_path / "p.dcm")
    nothing.vertebrae = told().vertebrae[1:2]
    write_presentation(tmp_path / "p.dcm", nothing, film(), frame=0)
    (annotation,) = pydicom.dcmread(tmp_path / "p.dcm").GraphicAnnotationSequence
    assert "GraphicObjectSequence" not in annotation
    assert "ReferencedFrameNumber" not in annotation.ReferencedImageSequence[0]


def test_a_capture(tmp_path):
    drawn = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    write_capture(tmp_path / "c.dcm", np.asfortranarray(drawn), film(5), frame=3, identity=MADE)
    made = pydicom.dcmread(tmp_path / "c.dcm")
    assert made.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert (made.pixel_array == drawn).all()
    wanted = DATED | CONTENT | PATIENT | MAKER | {
        "SpecificCharacterSet": "ISO_IR 100",
        "ImageType": ["DERIVED", "SECONDARY", "OTHER"],
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7",
        "Modality": "OT",
        "ConversionType": "WSD",
        "SeriesNumber": "902",
        "InstanceNumber": "4",
        "SeriesDescription": "Vertebral overlay, research use only",
        "DerivationDescription": "vertebral landmarks drawn on a windowed copy",
        "SourceImageSequence": [
            {
                "ReferencedSOPClassUID": str(MultiFrameGrayscaleWordSecondaryCaptureImageStorage),
                "ReferencedSOPInstanceUID": "1.2.3.1", "ReferencedFrameNumber": "4",
            }
        ],
        "BodyPartExamined": "SPINE",
        "DateOfSecondaryCapture": "20260102",
        "TimeOfSecondaryCapture": "030405.000000",
        "PatientOrientation": "",
        "SamplesPerPixel": 3,
        "PhotometricInterpretation": "RGB",
        "PlanarConfiguration": 0,
        "Rows": 4,
        "Columns": 6,
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelRepresentation": 0,
        "BurnedInAnnotation": "NO",
    }  # fmt: skip
    assert among(content(made), wanted) == wanted
    assert "ContributingEquipmentSequence" not in made


def test_a_segmentation(tmp_path):
    files = []
    for number in range(2):
        data = source(rows=3, columns=4)
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.1.{number}"
        data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
        data.FrameOfReferenceUID, data.InstanceNumber = "1.2.3.7", number + 1
        data.ImagePositionPatient, data.ImageOrientationPatient = [1, 2, 3 * number], [1, 0, 0, 0, 1, 0]
        data.PixelSpacing, data.SliceThickness, data.SpacingBetweenSlices = [0.5, 0.75], 2, 3
        data.PositionReferenceIndicator = "XY"
        data.LossyImageCompression, data.LossyImageCompressionRatio = "01", 10
        data.LossyImageCompressionMethod = "ISO_10918_1"
        files.append(tmp_path / f"{number}.dcm")
        data.save_as(files[-1], enforce_file_format=True)
    mask = np.zeros((2, 3, 4), bool)
    mask[1, 0, 2] = True
    write_seg(tmp_path / "seg.dcm", mask, [str(file) for file in files], LEFT_ATRIUM)
    made = pydicom.dcmread(tmp_path / "seg.dcm")
    assert (made.pixel_array == mask[1]).all()
    found = content(made)
    # Days of the writing, and how the frames are counted, which is highdicom's to say.
    for name in ("InstanceCreationDate", "InstanceCreationTime", "ContentDate", "ContentTime", "ContentLabel"):
        assert found.pop(name)
    for name in ("DimensionOrganizationSequence", "DimensionIndexSequence", "SourceImageSequence"):
        assert found.pop(name)
    (frame,) = found.pop("PerFrameFunctionalGroupsSequence")
    assert frame["PlanePositionSequence"] == [{"ImagePositionPatient": [1, 2, 3]}]
    ((place,),) = (item["SourceImageSequence"] for item in frame["DerivationImageSequence"])
    assert place["ReferencedSOPInstanceUID"] == "1.2.3.1.1"
    wanted = (
        PATIENT
        | MAKER
        | {
            "SpecificCharacterSet": "ISO_IR 100",
            "ImageType": ["DERIVED", "PRIMARY"],
            "SOPClassUID": "1.2.840.10008.5.1.4.1.1.66.4",
            "Modality": "SEG",
            "SeriesDescription": "Segmentation: left atrium",
            "SeriesNumber": "900",
            "InstanceNumber": "1",
            "DeviceSerialNumber": "0",
            "FrameOfReferenceUID": "1.2.3.7",
            "PositionReferenceIndicator": "XY",
            "ReferencedSeriesSequence": [
                {
                    "ReferencedInstanceSequence": [
                        {"ReferencedSOPClassUID": str(CTImageStorage), "ReferencedSOPInstanceUID": f"1.2.3.1.{n}"}
                        for n in range(2)
                    ]
                }
            ],
            "SamplesPerPixel": 1,
            "PhotometricInterpretation": "MONOCHROME2",
            "NumberOfFrames": "1",
            "Rows": 3,
            "Columns": 4,
            "BitsAllocated": 1,
            "BitsStored": 1,
            "HighBit": 0,
            "PixelRepresentation": 0,
            "LossyImageCompression": "01",
            "LossyImageCompressionRatio": "10.0",
            "LossyImageCompressionMethod": "ISO_10918_1",
            "SegmentationType": "BINARY",
            "SegmentSequence": [
                {
                    "SegmentNumber": 1,
                    "SegmentLabel": "left atrium",
                    "SegmentAlgorithmType": "AUTOMATIC",
                    "SegmentAlgorithmName": "spinetk",
                    "SegmentedPropertyCategoryCodeSequence": [coded("123037004", "Anatomical structure")],
                    "SegmentedPropertyTypeCodeSequence": [coded("82471001", "Left atrium")],
                    "SegmentationAlgorithmIdentificationSequence": [
                        {
                            "AlgorithmFamilyCodeSequence": [coded("123110", "Artificial Intelligence", "DCM")],
                            "AlgorithmVersion": __version__,
                            "AlgorithmName": "spinetk",
                        }
                    ],
                    # PS3.3 C.10.7.1.1: L* 54, a* 46 and b* 29 on the scale of 16 bits
                    "RecommendedDisplayCIELabValue": [35389, 44718, 40349],
                }
            ],
            "SegmentsOverlap": "NO",
            "ContentDescription": "",
            "PresentationLUTShape": "IDENTITY",
            "SharedFunctionalGroupsSequence": [
                {
                    "PlaneOrientationSequence": [{"ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}],
                    "PixelMeasuresSequence": [
                        {"SliceThickness": "2.0", "SpacingBetweenSlices": "3.0", "PixelSpacing": [0.5, 0.75]}
                    ],
                    "SegmentIdentificationSequence": [{"ReferencedSegmentNumber": 1}],
                }
            ],
        }
    )
    assert among(found, wanted) == wanted


def coded(value, meaning, scheme="SCT"):
    return {"CodeValue": value, "CodingSchemeDesignator": scheme, "CodeMeaning": meaning}

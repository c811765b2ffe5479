"""Every item and element of a structured report, in the words of the standard (PS3.16 TID 1500, 1410 and 1501)."""

from __future__ import annotations

import pydicom
import pytest
from dicom_whole import CONTENT, DATED, MADE, MAKER, PATIENT, among, content, film, told
from pydicom.uid import MultiFrameGrayscaleWordSecondaryCaptureImageStorage

from spinetk._version import __version__
from spinetk.formats.sr import write_sr
from spinetk.schema import KeypointSchema

pytest.importorskip("highdicom")


def code(entries):
    (entry,) = entries
    value = entry.get("CodeValue") or entry.get("LongCodeValue") or entry.get("URNCodeValue")
    return f"{value}|{entry.CodingSchemeDesignator}|{entry.CodeMeaning}"


def said(item):
    kind = item.ValueType
    if kind == "CODE":
        return code(item.ConceptCodeSequence)
    if kind == "TEXT":
        return item.TextValue
    if kind == "NUM":
        (measured,) = item.MeasuredValueSequence
        value = measured.get("FloatingPointValue", int(measured.NumericValue))
        assert float(measured.NumericValue) == value
        return f"{value!r} {code(measured.MeasurementUnitsCodeSequence)}"
    if kind == "IMAGE":
        (one,) = item.ReferencedSOPSequence
        return f"{one.ReferencedSOPClassUID.name} {one.ReferencedSOPInstanceUID} {one.get('ReferencedFrameNumber')}"
    return f"{item.GraphicType} {list(item.GraphicData)}" if kind == "SCOORD" else ""


def tree(node, depth=0):
    for item in node.get("ContentSequence", []):
        concept = code(item.ConceptNameCodeSequence)
        yield f"{'  ' * depth}{item.RelationshipType} {item.ValueType} {concept}: {said(item)}"
        yield from tree(item, depth + 1)


def own(path, value, unit=""):
    """A measurement or an evaluation under our own scheme."""
    words = path.removeprefix("angles.").replace("_", " ").replace(".", ", ")
    kind = "NUM" if unit else "CODE"
    return f"    CONTAINS {kind} {path}|99SPINETK|{words}: {value}" + (f" {unit}" if unit else "")


PX, NONE, MM = "{pixels}|UCUM|pixels", "1|UCUM|no units", "mm|UCUM|mm"
PICTURE = "Multi-frame Grayscale Word Secondary Capture Image Storage 1.2.3.1 4"


def group(name, site, finding=None, parameters="", drawn=True):
    lines = ["  CONTAINS CONTAINER 125007|DCM|Measurement Group: "]
    lines += [f"    HAS OBS CONTEXT TEXT 112039|DCM|Tracking Identifier: {name}"]
    lines += ["    HAS OBS CONTEXT UIDREF 112040|DCM|Tracking Unique Identifier: "]
    if drawn:
        lines += ["    CONTAINS CODE 276214006|SCT|Finding category: 91723000|SCT|Anatomical Structure"]
    lines += [f"    CONTAINS CODE 121071|DCM|Finding: {finding or site}"]
    lines += [f"    HAS CONCEPT MOD CODE 363698007|SCT|Finding Site: {site}"]
    lines += ["    HAS CONCEPT MOD TEXT 111001|DCM|Algorithm Name: net 1"]
    lines += [f"    HAS CONCEPT MOD TEXT 111003|DCM|Algorithm Version: spinetk {__version__}"]
    if parameters:
        lines += [f"    HAS CONCEPT MOD TEXT 111002|DCM|Algorithm Parameters: polyline points: {parameters}"]
    return lines


def region(kind, *numbers):
    return [
        f"    CONTAINS SCOORD 111030|DCM|Image Region: {kind} {[float(v) for v in numbers]}",
        f"      SELECTED FROM IMAGE 260753009|SCT|Source: {PICTURE}",
    ]


def box(*numbers):
    return [own(f"bbox.{k}", v, PX) for k, v in enumerate(numbers)]


SURE = "    CONTAINS NUM 111012|DCM|Certainty of Finding: {} %|UCUM|Percent"
SPINE, VERTEBRA, L1 = "421060004|SCT|Spine", "51282000|SCT|Vertebra", "66794005|SCT|L1 vertebra"
SOURCE = f"    CONTAINS IMAGE 121112|DCM|Source of Measurement: {PICTURE}"


def ours(text):
    return f"{text}|99SPINETK|{text}"


def test_a_report(tmp_path):
    write_sr(tmp_path / "r.dcm", told(), film(5), frame=3, identity=MADE)
    data = pydicom.dcmread(tmp_path / "r.dcm")
    assert list(tree(data)) == [
        "HAS CONCEPT MOD CODE 121049|DCM|Language of Content Item and Descendants: "
        "en-US|RFC5646|English (United States)",
        "HAS OBS CONTEXT CODE 121005|DCM|Observer Type: 121007|DCM|Device",
        "HAS OBS CONTEXT UIDREF 121012|DCM|Device Observer UID: ",
        "HAS OBS CONTEXT TEXT 121013|DCM|Device Observer Name: spinetk",
        f"HAS OBS CONTEXT TEXT 121015|DCM|Device Observer Model Name: spinetk {__version__}",
        "HAS CONCEPT MOD CODE 121058|DCM|Procedure reported: 363679005|SCT|Imaging procedure",
        "CONTAINS CONTAINER 126010|DCM|Imaging Measurements: ",
        # the picture
        *group("spine", SPINE, drawn=False),
        own("picture.height_px", 256, PX),
        own("picture.width_px", 128, PX),
        own("picture.threshold", 0.5, NONE),
        own("picture.label_probability", 0.875, NONE),
        own("picture.facing.confidence", 0.9688, NONE),
        own("picture.interval_scale.height", 1.5, NONE),
        own("picture.spacing_mm.0", 0.5, MM),
        own("picture.spacing_mm.1", 0.25, MM),
        own("picture.exif_orientation", 3, NONE),
        own("angles.cobb_max", 12.5, "deg|UCUM|Degree"),
        own("picture.view", ours("sagittal")),
        own("picture.schema", ours("vertebra4")),
        own("picture.model", ours("net 1")),
        own("picture.not_graded", ours("made for films")),
        own("picture.facing.side", ours("left")),
        own("picture.facing.source", ours("sacrum")),
        own("picture.spacing_source", ours("PixelSpacing")),
        own("picture.orientation.0", ours("P")),
        own("picture.orientation.1", ours("F")),
        SOURCE,
        "    CONTAINS TEXT 121106|DCM|Comment: a remark",
        # all points
        *group("L1", L1, VERTEBRA, "top_left top_right bottom_right bottom_left"),
        own("index", 1, NONE),
        SURE.format(75.0),
        *box(15, 31, 50, 67),
        own("point_sigma_px.top_left", 0.25, PX),
        own("point_sigma_px.top_right", 0.5, PX),
        own("point_sigma_px.bottom_left", 0.75, PX),
        own("point_sigma_px.bottom_right", 1.0, PX),
        f"    CONTAINS NUM 121207|DCM|Height: 8.25 {MM}",
        f"      HAS CONCEPT MOD CODE 363698007|SCT|Finding Site: {L1}",
        "        HAS CONCEPT MOD CODE 106233006|SCT|Topographical modifier: 255549009|SCT|Anterior",
        own("area_mm2", 12, "mm2|UCUM|square millimeter"),
        own("list.0", 1, NONE),
        own("tilt", 2.5, "deg|UCUM|Degree"),
        own("share_percent", 3, "%|UCUM|Percent"),
        own("wedge_deg", 4, "deg|UCUM|Degree"),
        own("label", ours("L1")),
        own("deformity", "%-none|99SPINETK|not determinable"),
        own("flag", "%-true|99SPINETK|True"),
        own("list.1", "%-none|99SPINETK|not determinable"),
        own("list.2", "a%5Cb|99SPINETK|a/b"),
        own("list.3", "%-empty|99SPINETK|empty"),
        own("empty", "%-nothing|99SPINETK|none"),
        *region("POLYLINE", 16, 32, 48, 33, 48, 66, 16, 64, 16, 32),
        # no point
        *group("hook", VERTEBRA, drawn=False),
        own("index", 2, NONE),
        *box(19, 79, 53, 115),
        own("label", ours("hook")),
        SOURCE,
        # one point, moved to the border
        *group("T12", "23215003|SCT|T12 vertebra", VERTEBRA, "bottom_right"),
        own("index", 3, NONE),
        SURE.format(50.0),
        *box(0, 0, 9, 9),
        own("label", ours("T12")),
        *region("POINT", 128, 4),
        *group("s1", "54735007|SCT|Sacrum"),
        own("landmark", ours("s1")),
        *region("POLYLINE", 20, 200, 56, 212),
        *group("femoral head", "2812003|SCT|Head of Femur"),
        SURE.format(62.5),
        own("radius_px", 9.5, PX),
        own("sigma_px", 1.25, PX),
        own("landmark", "femoral_head|99SPINETK|femoral head"),
        *region("CIRCLE", 30, 240, 39.5, 240),
    ]
    wanted = DATED | CONTENT | PATIENT | MAKER | {
        "SpecificCharacterSet": "ISO_IR 192",
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.33",
        "Modality": "SR",
        "SeriesNumber": "901",
        "InstanceNumber": "1",
        "SeriesDescription": "Vertebral measurements, research use only",
        "CodingSchemeIdentificationSequence": [
            {
                "CodingSchemeDesignator": "99SPINETK", "CodingSchemeName": "spinetk result fields",
                "CodingSchemeResponsibleOrganization": "spinetk",
            }
        ],
        "ReferencedPerformedProcedureStepSequence": [],
        "PerformedProcedureCodeSequence": [],
        "ValueType": "CONTAINER",
        "ConceptNameCodeSequence": [
            {"CodeValue": "126000", "CodingSchemeDesignator": "DCM", "CodeMeaning": "Imaging Measurement Report"}
        ],
        "ContinuityOfContent": "CONTINUOUS",
        "CompletionFlag": "COMPLETE",
        "VerificationFlag": "UNVERIFIED",
        "PreliminaryFlag": "PRELIMINARY",
        "ContentTemplateSequence": [{"MappingResource": "DCMR", "TemplateIdentifier": "1500"}],
        "CurrentRequestedProcedureEvidenceSequence": [
            {
                "StudyInstanceUID": "1.2.3.3",
                "ReferencedSeriesSequence": [
                    {
                        "ReferencedSOPSequence": [
                            {
                                "ReferencedSOPClassUID": str(MultiFrameGrayscaleWordSecondaryCaptureImageStorage),
                                "ReferencedSOPInstanceUID": "1.2.3.1",
                            }
                        ]
                    }
                ],
            }
        ],
    }  # fmt: skip
    assert among(content(data), wanted) == wanted


def test_a_circle_at_the_right_border_has_its_rim_on_the_left(tmp_path):
    """Its second point has to lie in the picture, too."""
    near = told()
    near.landmarks[1].points[0, 0] = 118.5
    write_sr(tmp_path / "r.dcm", near, film(5), frame=3)
    assert list(tree(pydicom.dcmread(tmp_path / "r.dcm")))[-2:] == region("CIRCLE", 118.5, 240, 109, 240)


def test_a_report_of_points_read_by_hand_on_the_only_frame(tmp_path):
    by_hand = told()
    by_hand.model = None
    write_sr(tmp_path / "r.dcm", by_hand, film())
    lines = list(tree(pydicom.dcmread(tmp_path / "r.dcm")))
    assert sum(line.endswith("Algorithm Name: spinetk, points read by hand") for line in lines) == 6
    assert lines[-1].endswith("CT Image Storage 1.2.3.1 None")


def test_an_own_schema_is_written_in_full(tmp_path):
    one = told()
    one.schema = KeypointSchema("own", ("nose", "tail", "left", "right"))
    write_sr(tmp_path / "r.dcm", one, film())
    (line,) = (line for line in tree(pydicom.dcmread(tmp_path / "r.dcm")) if "picture.schema" in line)
    assert '{"name": "own", "keypoints": ["nose", "tail", "left", "right"], "swap": [["left", "right"]]' in line

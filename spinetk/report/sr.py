"""DICOM structured report of a reading: Comprehensive SR, template TID 1500, with the outlines as coordinates.

One measurement group a vertebra (TID 1410: closed POLYLINE through its points, TID 1501 where no point is visible) and
one for the whole picture (TID 1501: angles, view, spacing). SCOORD coordinates are (column, row) with 0\\0 at the outer
corner of the upper left pixel and Columns\\Rows at that of the lower right one (PS3.3 C.18.6.1), so a pixel centre is
at integer + 0.5: the convention of `spinetk.geometry`, and no shift is needed. They are stored as 32-bit floats: in
pictures up to 4096 px a point comes back within 1/8192 px. Measured numbers are stored as 64-bit floats and come back
unchanged.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import generate_uid

from spinetk import __version__
from spinetk.atomic import replacing
from spinetk.errors import InputError
from spinetk.geometry import Frame
from spinetk.reading import Reading, Vertebra
from spinetk.report import concepts, words
from spinetk.schema import SCHEMAS, KeypointSchema

if TYPE_CHECKING:
    import highdicom

# What the Patient and General Study modules require (types 1 and 2); nothing else of the source is copied.
COPIED = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
    "StudyID",
    "AccessionNumber",
)
REFERENCE = ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")
ORDER = "polyline points: "
UNKNOWN = "not determinable"
CONTAINS = "CONTAINS"
# Codes of values that are neither number nor text; an escaped text never begins with "%-".
PLAIN = {None: "%-none", True: "%-true", False: "%-false", "": "%-empty"}
PLAIN_BACK = {code: value for value, code in PLAIN.items()}


@dataclass(frozen=True)
class Report:
    """What a structured report says.

    Attributes:
        reading: The vertebrae, points, measures, angles and remarks. ``file`` is the path of the report: a report names
            its picture by UIDs, not by file.
        sop_class_uid, sop_instance_uid: The picture.
        frame: Frame of the picture, counted from 0; None when it has only one.
        tracking_uids: One a vertebra, in order.
    """

    reading: Reading
    sop_class_uid: str
    sop_instance_uid: str
    frame: int | None
    tracking_uids: list[str]


def _highdicom() -> Any:
    try:
        import highdicom
        import highdicom.sr
    except ImportError as error:
        raise InputError("DICOM SR", "the package highdicom is not installed", "pip install 'spinetk[sr]'") from error
    return highdicom


def write_sr(
    path: str | Path, reading: Reading, source_dicom: str | Path | Dataset, *, frame: int | None = None
) -> None:
    """Write a reading as a DICOM structured report about the picture it was made from, atomically.

    Points outside the picture are moved to its border (DICOM allows no others). Tracking UIDs depend on the picture,
    the model and the position only: repeating a reading keeps them.

    Args:
        path: The file to write.
        reading: The reading; its size must be that of the source.
        source_dicom: The DICOM file or data set the reading is about: patient and study identification are copied
            from it as far as DICOM requires them, nothing else.
        frame: Which frame of a multi-frame source, counted from 0.

    Raises:
        InputError: highdicom is not installed, or the source is no usable DICOM image of the reading's size.
    """
    hd = _highdicom()
    source = _source(source_dicom, reading, frame)
    report = _Writer(hd, reading, source, frame).report()
    with replacing(path) as temporary:
        report.save_as(temporary)


def _source(source_dicom: str | Path | Dataset, reading: Reading, frame: int | None) -> Dataset:
    """The few elements of the source that a report needs."""
    name = "DICOM data set" if isinstance(source_dicom, Dataset) else str(source_dicom)
    try:
        tags = [*COPIED, *REFERENCE, "Rows", "Columns", "NumberOfFrames", "SpecificCharacterSet"]
        full = source_dicom
        if not isinstance(full, Dataset):
            full = pydicom.dcmread(source_dicom, stop_before_pixels=True, specific_tags=tags)
        source = Dataset()
        for tag in tags:
            if full.get(tag) is not None:
                setattr(source, tag, full.get(tag))
    except (InvalidDicomError, OSError, ValueError, TypeError, AttributeError, KeyError, NotImplementedError) as error:
        raise InputError(name, "is not a readable DICOM file", "give the file the reading was made from") from error
    missing = [tag for tag in REFERENCE if not source.get(tag)]
    if missing:
        raise InputError(name, f"has no {missing[0]}", "a report can only refer to a picture with its UIDs")
    if (source.get("Rows"), source.get("Columns")) != (reading.height, reading.width):
        fault = f"is {source.get('Columns')} x {source.get('Rows')} px, the reading {reading.width} x {reading.height}"
        raise InputError(name, fault, "give the file the reading was made from")
    frames = int(source.get("NumberOfFrames") or 1)
    if frame is not None and not 0 <= frame < frames:
        raise InputError(name, f"has no frame {frame}", f"its frames are 0 to {frames - 1}")
    if frame is None and frames > 1:
        raise InputError(name, f"has {frames} frames", "say which one was read")
    for tag in COPIED:
        if tag not in source:
            setattr(source, tag, None)
    return source


def _outline(schema: KeypointSchema, visible: np.ndarray) -> list[int]:
    """Indices of the visible points in the order of a walk around the skeleton, else in storage order."""
    neighbours: dict[int, list[int]] = {k: [] for k in range(len(schema))}
    for a, b in schema.edges:
        neighbours[a].append(b)
        neighbours[b].append(a)
    walk = [0]
    while len(walk) < len(schema):
        onward = [k for k in neighbours[walk[-1]] if k not in walk]
        if not onward:
            break
        walk.append(onward[0])
    order = walk if len(walk) == len(schema) else range(len(schema))
    return [k for k in order if visible[k]]


class _Writer:
    def __init__(self, hd: Any, reading: Reading, source: Dataset, frame: int | None) -> None:
        self.hd, self.reading, self.source = hd, reading, source
        self.frames = None if int(source.get("NumberOfFrames") or 1) == 1 else [int(frame or 0) + 1]

    def report(self) -> highdicom.sr.ComprehensiveSR:
        from highdicom.coding_schemes import CodingSchemeIdentificationItem

        sr, reading = self.hd.sr, self.reading
        device = sr.DeviceObserverIdentifyingAttributes(
            uid=generate_uid(entropy_srcs=["spinetk", __version__]), name="spinetk", model_name=f"spinetk {__version__}"
        )
        context = sr.ObservationContext(
            observer_device_context=sr.ObserverContext(concepts.codes.DCM.Device, device),
        )
        groups = [self._picture_group(), *(self._vertebra_group(i, v) for i, v in enumerate(reading.vertebrae))]
        content = sr.MeasurementReport(
            observation_context=context,
            procedure_reported=concepts.codes.SCT.ImagingProcedure,
            imaging_measurements=groups,
            title=concepts.codes.DCM.ImagingMeasurementReport,
        )
        scheme = CodingSchemeIdentificationItem(
            designator=concepts.SCHEME, name="spinetk result fields", responsible_organization="spinetk"
        )
        return sr.ComprehensiveSR(
            evidence=[self.source],
            content=content[0],
            series_instance_uid=generate_uid(),
            series_number=1,
            sop_instance_uid=generate_uid(),
            instance_number=1,
            manufacturer="spinetk",
            manufacturer_model_name="spinetk",
            software_versions=__version__,
            series_description="Vertebral measurements, research use only",
            coding_schemes=[scheme],
            specific_character_set="ISO_IR 192",
            is_complete=True,
        )

    def _picture_group(self) -> highdicom.sr.MeasurementsAndQualitativeEvaluations:
        reading = self.reading
        about: dict[str, Any] = {
            "picture": {
                "height_px": reading.height,
                "width_px": reading.width,
                "view": reading.view,
                "schema": _schema_text(reading.schema),
                "model": reading.model,
                **reading.frame.to_json(),
            },
            "angles": reading.angles,
        }
        group = self._plain_group("spine", "spine", about, concepts.SPINE)
        # Free text, which the template leaves to extension (TID 1501 is extensible).
        for remark in reading.remarks:
            item = self.hd.sr.TextContentItem(concepts.codes.DCM.Comment, remark, CONTAINS)
            group[0].ContentSequence.append(item)
        return group

    def _vertebra_group(self, index: int, vertebra: Vertebra) -> Any:
        sr, reading = self.hd.sr, self.reading
        order = _outline(reading.schema, vertebra.visible)
        content = {"index": index, "label": vertebra.label, "score": vertebra.score, "bbox": list(vertebra.bbox)}
        if vertebra.point_sigma_px is not None:
            sigma = zip(reading.schema.keypoints, vertebra.point_sigma_px, strict=True)
            content["point_sigma_px"] = {name: float(value) for name, value in sigma}
        content |= vertebra.measures
        name, site = words.name_of(vertebra, index), concepts.level(vertebra.label)
        if not order:
            return self._plain_group(name, f"vertebra {index}", content, site)
        points = np.clip(vertebra.points[order], 0, (reading.width, reading.height))
        image = sr.SourceImageForRegion(self.source.SOPClassUID, self.source.SOPInstanceUID, self.frames)
        kind = "POINT" if len(order) == 1 else "POLYLINE"
        region = sr.ImageRegion(kind, points if len(order) == 1 else np.concatenate([points, points[:1]]), image)
        names = " ".join(reading.schema.keypoints[k] for k in order)
        measurements, evaluations = self._items(content, site)
        return sr.PlanarROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=self._tracking(name, f"vertebra {index}"),
            referenced_region=region,
            finding_type=concepts.VERTEBRA,
            finding_category=concepts.codes.SCT.AnatomicalStructure,
            finding_sites=[sr.FindingSite(site)],
            algorithm_id=self._algorithm([ORDER + names]),
            measurements=measurements,
            qualitative_evaluations=evaluations,
        )

    def _plain_group(self, name: str, key: str, content: Mapping[str, Any], site: Any) -> Any:
        sr = self.hd.sr
        measurements, evaluations = self._items(content, site)
        image = sr.SourceImageForMeasurementGroup(self.source.SOPClassUID, self.source.SOPInstanceUID, self.frames)
        return sr.MeasurementsAndQualitativeEvaluations(
            tracking_identifier=self._tracking(name, key),
            source_images=[image],
            finding_type=site,
            finding_sites=[sr.FindingSite(site)],
            algorithm_id=self._algorithm(None),
            measurements=measurements,
            qualitative_evaluations=evaluations,
        )

    def _tracking(self, name: str, key: str) -> highdicom.sr.TrackingIdentifier:
        parts = [self.source.SOPInstanceUID, str(self.frames), self.reading.model or "", key]
        return self.hd.sr.TrackingIdentifier(uid=generate_uid(entropy_srcs=["\n".join(parts)]), identifier=name)

    def _algorithm(self, parameters: list[str] | None) -> highdicom.sr.AlgorithmIdentification:
        name = self.reading.model or "spinetk, points read by hand"
        return self.hd.sr.AlgorithmIdentification(name=name, version=f"spinetk {__version__}", parameters=parameters)

    def _items(self, content: Mapping[str, Any], site: Any) -> tuple[list, list]:
        """Numbers become measurements, everything else coded evaluations.

        What is not known is left out, except in lists, which keep their places, and for the deformity, where not to
        be determinable is an answer.
        """
        sr = self.hd.sr
        measurements, evaluations = [], []
        for path, value in concepts.flatten(content):
            if isinstance(value, np.generic):
                value = value.item()
            if value is None and path != "deformity" and not path.rpartition(".")[2].isdecimal():
                continue
            if isinstance(value, int | float) and not isinstance(value, bool):
                standard = concepts.height_site(path)
                if path == "score":
                    name, value, unit = (
                        concepts.codes.DCM.CertaintyOfFinding,
                        value * 100.0,
                        concepts.codes.UCUM.Percent,
                    )
                else:
                    name = concepts.codes.DCM.Height if standard else concepts.private(path)
                    unit = concepts.unit(path)
                sites = [sr.FindingSite(site, topographical_modifier=standard[1])] if standard else None
                measurements.append(sr.Measurement(name=name, value=value, unit=unit, finding_sites=sites))
            else:
                meaning = UNKNOWN if value is None else str(value)
                code = concepts.private(PLAIN[value] if value in PLAIN else concepts.escaped(value), meaning or "empty")
                evaluations.append(sr.QualitativeEvaluation(concepts.private(path), code))
        return measurements, evaluations


def read_sr(path: str | Path) -> Report:
    """Read a structured report that `write_sr` wrote.

    Raises:
        InputError: highdicom is not installed, the file is no DICOM SR, or not one of spinetk's.
    """
    hd = _highdicom()
    try:
        content = hd.sr.srread(path).content
        plain = content.get_image_measurement_groups()
        outlined = content.get_planar_roi_measurement_groups()
    except (InvalidDicomError, OSError, ValueError, TypeError, AttributeError, KeyError, RuntimeError) as error:
        raise InputError(path, "is not a readable TID 1500 report", "give a report of `spinetk report --sr`") from error
    try:
        groups = [(group, _leaves(group)) for group in [*plain, *outlined]]
        about, whole = next((tree, group) for group, tree in groups if "picture" in tree)
        picture = about["picture"]
        entries = sorted(
            ((tree["index"], tree, group) for group, tree in groups if "index" in tree), key=lambda entry: entry[0]
        )
        schema = _schema(picture["schema"], path)
        image = whole.source_images[0].ReferencedSOPSequence[0]
        frames = image.get("ReferencedFrameNumber")
        reading = Reading(
            file=str(path),
            height=picture["height_px"],
            width=picture["width_px"],
            schema=schema,
            vertebrae=[_vertebra(schema, tree, group) for _, tree, group in entries],
            frame=Frame.from_json(picture, str(path)),
            view=picture["view"],
            model=picture.get("model"),
            angles=about.get("angles", {}),
            remarks=_texts(whole, concepts.codes.DCM.Comment.value),
        )
        return Report(
            reading,
            str(image.ReferencedSOPClassUID),
            str(image.ReferencedSOPInstanceUID),
            None if frames is None else int(frames) - 1,
            [str(group.tracking_uid) for _, _, group in entries],
        )
    except (StopIteration, KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise InputError(path, "is not a report of spinetk", "give a report of `spinetk report --sr`") from error


def _texts(group: Any, code: str) -> list[str]:
    """The text items of a group under one concept."""
    items = (item for item in group[0].ContentSequence if item.ValueType == "TEXT")
    return [str(item.TextValue) for item in items if item.ConceptNameCodeSequence[0].get("CodeValue") == code]


def _schema_text(schema: KeypointSchema) -> str:
    """The name of a built-in schema, the whole of any other as JSON."""
    return schema.name if SCHEMAS.get(schema.name) == schema else json.dumps(schema.to_json())


def _schema(text: str, path: str | Path) -> KeypointSchema:
    return SCHEMAS[text] if text in SCHEMAS else KeypointSchema.from_json(json.loads(text), path)


def _code(concept: Dataset) -> str:
    return str(concept.get("CodeValue") or concept.get("LongCodeValue") or concept.get("URNCodeValue"))


def _leaves(group: Any) -> dict[str, Any]:
    """The nested content of a group, from its measurements and evaluations."""
    leaves: dict[str, Any] = {}
    sides = {code.value: side for side, code in concepts.SITES.items()}
    for item in group[0].ContentSequence:
        if item.ValueType != "NUM":
            continue
        measured = item.MeasuredValueSequence[0]
        # Whole numbers were written without the floating point value.
        value = float(measured.FloatingPointValue) if "FloatingPointValue" in measured else int(measured.NumericValue)
        name, unit = item.ConceptNameCodeSequence[0], measured.MeasurementUnitsCodeSequence[0]
        if _code(name) == concepts.codes.DCM.CertaintyOfFinding.value:
            leaves["score"] = value / 100.0
        elif _code(name) == concepts.codes.DCM.Height.value:
            family = "heights_mm" if _code(unit) == concepts.codes.UCUM.Millimeter.value else "heights_px"
            modifier = item.ContentSequence[0].ContentSequence[0].ConceptCodeSequence[0]
            leaves[f"{family}.{sides[_code(modifier)]}"] = value
        elif name.CodingSchemeDesignator == concepts.SCHEME:
            leaves[_code(name)] = value
    for item in group.get_qualitative_evaluations():
        text = item.value.value
        if item.name.scheme_designator == concepts.SCHEME:
            leaves[item.name.value] = PLAIN_BACK[text] if text in PLAIN_BACK else unquote(text)
    return concepts.unflatten(leaves)


def _vertebra(schema: KeypointSchema, tree: dict[str, Any], group: Any) -> Vertebra:
    plain = {"index", "label", "score", "bbox", "point_sigma_px"}
    points, visible = np.zeros((len(schema), 2)), np.zeros(len(schema), bool)
    region = getattr(group, "roi", None)
    if region is not None:
        parameters = _texts(group, concepts.codes.DCM.AlgorithmParameters.value)
        names = next(text for text in parameters if text.startswith(ORDER))[len(ORDER) :].split()
        for name, point in zip(names, np.asarray(region.value).reshape(-1, 2), strict=False):
            points[schema.index(name)], visible[schema.index(name)] = point, True
        points[~visible] = points[visible].mean(axis=0)
    sigma = tree.get("point_sigma_px")
    return Vertebra(
        points=points,
        visible=visible,
        bbox=tuple(float(v) for v in tree["bbox"]),
        label=tree.get("label"),
        score=tree.get("score"),
        point_sigma_px=None if sigma is None else np.array([sigma[name] for name in schema.keypoints]),
        measures={key: value for key, value in tree.items() if key not in plain},
    )

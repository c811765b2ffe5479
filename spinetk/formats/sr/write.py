"""Write a reading as a structured report."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

from spinetk._version import __version__
from spinetk.atomic import replacing
from spinetk.errors import InputError
from spinetk.formats.identity import NEEDED, PATIENT_AND_STUDY, Identity, identify, uids
from spinetk.formats.sr import concepts
from spinetk.images.guard import quiet
from spinetk.landmark import Landmark
from spinetk.measure import words
from spinetk.reading import Reading
from spinetk.schema import SCHEMAS, KeypointSchema
from spinetk.vertebra import Vertebra

if TYPE_CHECKING:
    import highdicom

# What the Patient and General Study modules require (types 1 and 2); nothing else of the source is copied.
COPIED = (*PATIENT_AND_STUDY, "StudyInstanceUID")
UNKNOWN = "not determinable"
CONTAINS = "CONTAINS"
SERIES_NUMBER = 901  # far from those of the pictures, as the overlay's and the segmentation's


def _highdicom() -> Any:
    try:
        import highdicom
        import highdicom.sr
    except ImportError as error:
        raise InputError("DICOM SR", "the package highdicom is not installed", "pip install 'spinetk[sr]'") from error
    return highdicom


def write_sr(
    path: str | Path,
    reading: Reading,
    source_dicom: str | Path | Dataset,
    *,
    frame: int | None = None,
    identity: Identity | None = None,
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
        identity: What the report's UIDs and date derive from; new ones when it is not given.

    Raises:
        InputError: highdicom is not installed, or the source is no usable DICOM image of the reading's size.
    """
    hd = _highdicom()
    source = _source(source_dicom, reading, frame)
    series_uid, instance_uid = uids(source, frame, "sr", identity)
    # highdicom and pydicom quote the names of patients that they find odd.
    with quiet(), _no_garbage():
        try:
            report = _Writer(hd, reading, source, frame).report(series_uid, instance_uid)
        except KeyError as error:  # highdicom looks up what a picture of a class has: of private ones it does not know
            name = "DICOM data set" if isinstance(source_dicom, Dataset) else str(source_dicom)
            fault = f"is of the class {source.SOPClassUID}, which is none that reports are known to refer to"
            raise InputError(name, fault, "ask for the JSON or the table") from error
        if identity is not None:
            identity.stamp(report)
        with replacing(path) as temporary:
            report.save_as(temporary)


@contextmanager
def _no_garbage() -> Iterator[None]:
    """No collection meanwhile: a report is some 100,000 small objects that all stay alive, sought through in vain."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _source(source_dicom: str | Path | Dataset, reading: Reading, frame: int | None) -> Dataset:
    """The few elements of the source that a report needs."""
    name = "DICOM data set" if isinstance(source_dicom, Dataset) else str(source_dicom)
    try:
        tags = [*COPIED, *NEEDED, "Rows", "Columns", "NumberOfFrames", "SpecificCharacterSet"]
        full = source_dicom
        if not isinstance(full, Dataset):
            full = pydicom.dcmread(source_dicom, stop_before_pixels=True, specific_tags=tags)
        source = Dataset()
        for tag in tags:
            if full.get(tag) is not None:
                setattr(source, tag, full.get(tag))
        identify(source, full)
    except (InvalidDicomError, OSError, ValueError, TypeError, AttributeError, KeyError, NotImplementedError) as error:
        raise InputError(name, "is not a readable DICOM file", "give the file the reading was made from") from error
    missing = [tag for tag in NEEDED if not source.get(tag)]
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
    return source


class _Writer:
    def __init__(self, hd: Any, reading: Reading, source: Dataset, frame: int | None) -> None:
        self.hd, self.reading, self.source = hd, reading, source
        self.frames = None if int(source.get("NumberOfFrames") or 1) == 1 else [int(frame or 0) + 1]

    def report(self, series_uid: str, instance_uid: str) -> highdicom.sr.ComprehensiveSR:
        from highdicom.coding_schemes import CodingSchemeIdentificationItem

        sr, reading = self.hd.sr, self.reading
        device = sr.DeviceObserverIdentifyingAttributes(
            uid=generate_uid(entropy_srcs=["spinetk", __version__]), name="spinetk", model_name=f"spinetk {__version__}"
        )
        context = sr.ObservationContext(
            observer_device_context=sr.ObserverContext(codes.DCM.Device, device),
        )
        groups = [self._picture_group(), *(self._vertebra_group(i, v) for i, v in enumerate(reading.vertebrae))]
        groups += [self._landmark_group(i, own) for i, own in enumerate(reading.landmarks)]
        content = sr.MeasurementReport(
            observation_context=context,
            procedure_reported=codes.SCT.ImagingProcedure,
            imaging_measurements=groups,
            title=codes.DCM.ImagingMeasurementReport,
        )
        scheme = CodingSchemeIdentificationItem(
            designator=concepts.SCHEME, name="spinetk result fields", responsible_organization="spinetk"
        )
        return sr.ComprehensiveSR(
            evidence=[self.source],
            content=content[0],
            series_instance_uid=series_uid,
            series_number=SERIES_NUMBER,
            sop_instance_uid=instance_uid,
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
                # What measuring the points once more needs.
                "threshold": reading.threshold,
                "not_graded": reading.not_graded,
                "label_probability": reading.label_probability,
                "facing": reading.facing.to_json() if reading.facing else {},
                "interval_scale": reading.interval_scale,
                **reading.frame.to_json(),
            },
            "angles": concepts.with_names(reading.angles),
        }
        group = self._plain_group("spine", "spine", about, concepts.SPINE)
        # Free text, which the template leaves to extension (TID 1501 is extensible).
        for remark in reading.remarks:
            item = self.hd.sr.TextContentItem(codes.DCM.Comment, remark, CONTAINS)
            group[0].ContentSequence.append(item)
        return group

    def _vertebra_group(self, index: int, vertebra: Vertebra) -> Any:
        sr, reading = self.hd.sr, self.reading
        order = reading.schema.walk(vertebra.visible)
        content: dict[str, Any] = {"index": index + 1, "label": vertebra.label, "score": vertebra.score}
        content["bbox"] = list(vertebra.bbox)
        if vertebra.point_sigma_px is not None:
            sigma = zip(reading.schema.keypoints, vertebra.point_sigma_px, strict=True)
            content["point_sigma_px"] = {name: float(value) for name, value in sigma}
        content |= concepts.without_pixels(concepts.without_twins(vertebra.measures), reading.frame.spacing_mm)
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
            finding_category=codes.SCT.AnatomicalStructure,
            finding_sites=[sr.FindingSite(site)],
            algorithm_id=self._algorithm([concepts.ORDER + names]),
            measurements=measurements,
            qualitative_evaluations=evaluations,
        )

    def _landmark_group(self, index: int, landmark: Landmark) -> Any:
        """The S1 endplate as an open line from left to right, a femoral head as a circle."""
        sr, size = self.hd.sr, (self.reading.width, self.reading.height)
        site, points = concepts.LANDMARKS[landmark.kind], np.clip(landmark.points, 0, size)
        kind = "POLYLINE" if len(points) > 1 else "POINT"
        if landmark.radius_px is not None:
            rim = landmark.radius_px if points[0, 0] + landmark.radius_px < size[0] else -landmark.radius_px
            kind, points = "CIRCLE", np.concatenate([points, points + (rim, 0.0)])
        image = sr.SourceImageForRegion(self.source.SOPClassUID, self.source.SOPInstanceUID, self.frames)
        fields = {name: getattr(landmark, name) for name in ("score", "radius_px", "sigma_px")}
        measurements, evaluations = self._items({"landmark": landmark.kind, **fields}, site)
        return sr.PlanarROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=self._tracking(landmark.kind.replace("_", " "), f"landmark {index}"),
            referenced_region=sr.ImageRegion(kind, points, image),
            finding_type=site,
            finding_category=codes.SCT.AnatomicalStructure,
            finding_sites=[sr.FindingSite(site)],
            algorithm_id=self._algorithm(None),
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

    def _items(self, content: Mapping[str, Any], site: Any) -> tuple[list[Any], list[Any]]:
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
                        codes.DCM.CertaintyOfFinding,
                        value * 100.0,
                        codes.UCUM.Percent,
                    )
                else:
                    name = codes.DCM.Height if standard else concepts.private(path)
                    unit = concepts.unit(path)
                sites = [sr.FindingSite(site, topographical_modifier=standard[1])] if standard else None
                measurements.append(sr.Measurement(name=name, value=value, unit=unit, finding_sites=sites))
            else:
                meaning = UNKNOWN if value is None else "none" if value == () else str(value) or "empty"
                text = concepts.PLAIN[value] if value in concepts.PLAIN else concepts.escaped(value)
                code = concepts.private(text, meaning)
                evaluations.append(sr.QualitativeEvaluation(concepts.private(path), code))
        return measurements, evaluations


def _schema_text(schema: KeypointSchema) -> str:
    """The name of a built-in schema, the whole of any other as JSON."""
    return schema.name if SCHEMAS.get(schema.name) == schema else json.dumps(schema.to_json())

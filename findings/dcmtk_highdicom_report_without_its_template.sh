#!/usr/bin/env bash
# DCMTK 3.6.7, a measured report (TID 1500 by highdicom 0.28.2) through dsr2xml and back by xml2dsr, the way to correct a word in one: the templates are gone unless
# dsr2xml is told +Wt (write template identification). Nothing else tells a measurement report from any other: highdicom reads the copy as a bare content sequence and
# raises AttributeError where its regions and measurements are asked for. Even with +Wt the floating point value, which holds what 16 characters cannot,
# comes back with 8 digits and disagrees with the numeric value beside it, and the patient's age and the contributing equipment are gone.
# Both tools exit with 0 and say nothing.
# Seen, a length of 23.456789012345 mm with its polyline: highdicom on the original and by +Wt MeasurementReport, without ContentSequence; templates 1500 and 1410, none;
# NumericValue 23.456789012345, FloatingPointValue 23.456789; PatientAge 074Y, none. Needs the package dcmtk; left out where it is missing or newer.
set -euo pipefail
[[ "$(dpkg-query -W -f '${Version}' dcmtk 2>/dev/null)" == 3.6.7* ]] || { echo "left out: dcmtk 3.6.7 is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pydicom==3.0.2 highdicom==0.28.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import subprocess

import highdicom
import numpy as np
import pydicom
from highdicom import sr
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

film = Dataset()
film.file_meta = FileMetaDataset()
film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
film.SOPClassUID, film.SOPInstanceUID, film.Modality = DigitalXRayImageStorageForPresentation, generate_uid(), "DX"
film.StudyInstanceUID, film.SeriesInstanceUID, film.SeriesNumber, film.InstanceNumber = generate_uid(), generate_uid(), 1, 1
film.PatientName, film.PatientID, film.PatientBirthDate, film.PatientSex, film.PatientAge = "A^B", "1", "19500101", "F", "074Y"
film.StudyDate, film.StudyTime, film.AccessionNumber, film.StudyID, film.ReferringPhysicianName = "20240102", "120000", "", "1", ""
film.Manufacturer, film.Rows, film.Columns = "X", 40, 50

person = sr.PersonObserverIdentifyingAttributes(name="C^D")
region = sr.ImageRegion(
    graphic_type=sr.GraphicTypeValues.POLYLINE,
    graphic_data=np.array([[10.5, 20.25], [40, 22]]),
    source_image=sr.SourceImageForRegion(film.SOPClassUID, film.SOPInstanceUID),
)
group = sr.PlanarROIMeasurementsAndQualitativeEvaluations(
    tracking_identifier=sr.TrackingIdentifier(uid=generate_uid(), identifier="L3"),
    referenced_region=region,
    finding_type=codes.SCT.Bone,
    measurements=[sr.Measurement(name=codes.SCT.Length, value=23.456789012345, unit=codes.UCUM.Millimeter)],
)
content = sr.MeasurementReport(
    observation_context=sr.ObservationContext(observer_person_context=sr.ObserverContext(codes.DCM.Person, person)),
    procedure_reported=codes.SCT.PlainRadiography,
    imaging_measurements=[group],
)
sr.ComprehensiveSR(
    evidence=[film], content=content, series_instance_uid=generate_uid(), series_number=2, sop_instance_uid=generate_uid(),
    instance_number=1, manufacturer="X", is_complete=True, is_verified=False,
).save_as("made.dcm")  # fmt: skip


def back(name, *options):
    for command in (["dsr2xml", *options, "made.dcm", "report.xml"], ["xml2dsr", "report.xml", name]):
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        assert not done.stdout + done.stderr


def seen(name):
    data = pydicom.dcmread(name)
    every = list(data.iterall())
    values = {key: [element.value for element in every if element.keyword == key] for key in ("TemplateIdentifier", "NumericValue", "FloatingPointValue")}
    values = [*values.values(), data.get("PatientAge"), len(data.get("ContributingEquipmentSequence", []))]
    report = highdicom.sr.srread(name).content
    print(name, type(report).__name__, *values)
    return report, values


back("plain.dcm")
back("told.dcm", "+Wt")
report, values = seen("made.dcm")
number = [23.456789012345]
assert isinstance(report, sr.MeasurementReport) and len(report.get_planar_roi_measurement_groups()) == 1
assert values == [["1500", "1410"], number, number, "074Y", 2], values
report, values = seen("plain.dcm")
assert not isinstance(report, sr.MeasurementReport) and not hasattr(report, "get_planar_roi_measurement_groups")
assert values == [[], number, [23.456789], None, 0], values
report, values = seen("told.dcm")
assert isinstance(report, sr.MeasurementReport) and values == [["1500", "1410"], number, [23.456789], None, 0], values
PY

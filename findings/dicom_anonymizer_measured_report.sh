#!/usr/bin/env bash
# dicom-anonymizer 2.1.0 (KitwareMedical), on a TID 1500 report by highdicom 0.28.2: the report is kept, nothing measured is. PS3.15 E
# has Content Sequence removed (X) or, with Clean Structured Content, cleaned. Here the tree stays, item by item, and each
# value in it gets the dummy of its VR: a height of 23.5 mm becomes 0, every code (units, what was measured, the vertebra)
# becomes ANONYMIZED, and the points of the region one number, 0, where an even count is due. Nothing is said; what reads
# NumericValue reads 0. dicognito 0.19.0 leaves values, codes and points and renames UIDs in one way.
# Seen: NumericValue 23.5 to 0, GraphicData [1.5, 2.5, 3.25, 2.5] to [0.0], units mm to ANONYMIZED.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q dicom-anonymizer==2.1.0 dicognito==0.19.0 highdicom==0.28.2 pydicom==3.0.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import subprocess

import numpy as np
from dicognito.anonymizer import Anonymizer
from highdicom import sr
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import ComputedRadiographyImageStorage, generate_uid

film = Dataset()
film.SOPClassUID, film.SOPInstanceUID = ComputedRadiographyImageStorage, generate_uid()
film.StudyInstanceUID, film.SeriesInstanceUID, film.Modality = generate_uid(), generate_uid(), "CR"
film.PatientName, film.PatientID, film.PatientBirthDate, film.PatientSex = "A^B", "1", "", "O"
film.StudyDate = film.StudyTime = film.StudyID = film.AccessionNumber = film.ReferringPhysicianName = ""
film.Rows, film.Columns = 8, 8
reader = sr.PersonObserverIdentifyingAttributes(name="A^B")
group = sr.PlanarROIMeasurementsAndQualitativeEvaluations(
    tracking_identifier=sr.TrackingIdentifier(uid=generate_uid(), identifier="height"),
    referenced_region=sr.ImageRegion(
        sr.GraphicTypeValues.POLYLINE,
        np.array([[1.5, 2.5], [3.25, 2.5]]),
        sr.SourceImageForRegion(film.SOPClassUID, film.SOPInstanceUID),
    ),
    finding_type=codes.SCT.L3Vertebra,
    measurements=[sr.Measurement(name=codes.SCT.Length, value=23.5, unit=codes.UCUM.Millimeter)],
)
report = sr.MeasurementReport(
    sr.ObservationContext(observer_person_context=sr.ObserverContext(codes.DCM.Person, reader)),
    procedure_reported=sr.CodedConcept("24858-1", "LN", "XR Lumbar spine Views"),
    imaging_measurements=[group],
)
made = sr.ComprehensiveSR([film], report, generate_uid(), 2, generate_uid(), 1, manufacturer="m")
made.save_as("report.dcm", enforce_file_format=True)


def measured(data):
    found = [item for item in data.iterall() if item.keyword in ("NumericValue", "GraphicData")]
    return {item.keyword: [float(x) for x in np.atleast_1d(item.value)] for item in found}


before = measured(dcmread("report.dcm"))
subprocess.run(["venv/bin/dicom-anonymizer", "report.dcm", "anonymous.dcm"], check=True, capture_output=True)
after = dcmread("anonymous.dcm")
other = dcmread("report.dcm")
Anonymizer(seed="1").anonymize(other)
codes_left = {item.value for entry in after.ContentSequence for item in entry.iterall() if item.keyword == "CodeValue"}
print(before, measured(after), codes_left, measured(other), sep="\n")
assert before == {"NumericValue": [23.5], "GraphicData": [1.5, 2.5, 3.25, 2.5]} == measured(other)
assert measured(after) == {"NumericValue": [0.0], "GraphicData": [0.0]}
assert codes_left == {"ANONYMIZED"} and len(after.ContentSequence) == len(other.ContentSequence) == 5
PY

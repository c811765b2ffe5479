#!/usr/bin/env bash
# dicom2fhir 0.1.25 (DICOM to a FHIR bundle of ImagingStudy, Patient, Device and Observation, for the German medical informatics initiative; with fhir.resources 8.1.0, as 8.3.0, which it allows, raises ValidationError), from_directory, "a directory containing DICOM
# files": whatever lies there is one study of one patient, those of the file that the file system names first. The series of every other patient are counted into it, under the first one's name, study, date, weight and height, in a bundle that is made to be put into a clinical
# server as it is; of the others no word is left. Two examinations of one patient become one likewise. Which one it is may change with the copy of the folder. Of every procedure code the scheme and the meaning are kept and the code itself is left out, so that
# "MRI of lumbar spine" is text; and with pydicom 3.0.2 the family name is the beginning of a piece of JSON. Sites of the body are coded. Nothing is said.
# Seen, patients A and B, a study of three sagittal slices each: one Patient, A or B, one ImagingStudy of 2 series and 6 instances whose series are "spine of A" and "spine of B", one body weight; procedure code system SCT, display "MRI of
# lumbar spine", no code; family name '{ "Alphabetic": "A' of A^X; body site 122496007.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6 pydicom==3.0.2 pandas==2.3.3 fhir.resources==8.1.0 dicom2fhir==0.1.25
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import asyncio
import json
from pathlib import Path

from dicom2fhir.dicom2fhir import from_directory
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

for patient, weight in (("A", 60), ("B", 90)):
    study, series = generate_uid(), generate_uid()
    (Path("folder") / patient).mkdir(parents=True)
    for k in range(3):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.SOPClassUID, data.SOPInstanceUID, data.Modality = MRImageStorage, generate_uid(), "MR"
        data.StudyInstanceUID, data.SeriesInstanceUID, data.SeriesNumber, data.InstanceNumber = study, series, 1, k + 1
        data.PatientName, data.PatientID, data.PatientWeight = f"{patient}^X", patient, weight
        data.SeriesDescription, data.BodyPartExamined = f"spine of {patient}", "LSPINE"
        data.StudyDate, data.StudyTime = "20200101", "120000"
        code = Dataset()
        code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "241648006", "SCT", "MRI of lumbar spine"
        data.ProcedureCodeSequence = [code]
        data.save_as(Path("folder") / patient / f"{k}.dcm", enforce_file_format=True)

bundle = json.loads(asyncio.run(from_directory("folder", {"dicom_timezone": "UTC"})).model_dump_json())
found = {}
for entry in bundle["entry"]:
    kind = entry["request"]["url"].split("/")[0]
    found.setdefault(kind, []).append(entry["resource"])
((patient,), (study,)) = found["Patient"], found["ImagingStudy"]
name, identifier = patient["name"][0]["family"], patient["identifier"][0]["value"]
descriptions = sorted(series["description"] for series in study["series"])
coding = study["procedureCode"][0]["coding"][0]
print(identifier, repr(name), descriptions, study["numberOfSeries"], study["numberOfInstances"], coding, study["series"][0]["bodySite"]["code"])
assert identifier in ("A", "B") and name.split() == ["{", '"Alphabetic":', f'"{identifier}']
assert descriptions == ["spine of A", "spine of B"] and (study["numberOfSeries"], study["numberOfInstances"]) == (2, 6)
assert study["subject"]["reference"] == f"Patient/{patient['id']}"
assert "code" not in coding and coding == {"system": "SCT", "display": "MRI of lumbar spine"}
assert study["series"][0]["bodySite"]["code"] == "122496007"
weights = [found["valueQuantity"]["value"] for found in found["Observation"]]
print("weights", weights)
assert weights == [60 if identifier == "A" else 90]
PY

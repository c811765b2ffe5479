#!/usr/bin/env bash
# Orthanc 1.10.1 (Debian 12), a study of a film and of the structured report measured on it. /modify, by which a wrong name is put right,
# gives every instance a new UID, but the report goes on naming the old film and the old study, in each of its regions and in its evidence:
# what reads it finds no picture, though both lie in one study. /anonymize does map these references, but removes the
# Content Sequence: the report is there, COMPLETE, and empty, unless it is named under "Keep", and then its regions have the old
# UIDs. Both answer 200 with no failed instance. To put a name right, all UIDs have to be named under "Keep".
# Seen: modify: region and evidence name the old film; anonymize: evidence the new one, no content; with Keep ContentSequence: evidence
# the new, the height is there, its region names the old film. Needs the package orthanc; left out where it is missing or newer.
set -euo pipefail
program=$(command -v Orthanc || echo /usr/sbin/Orthanc)
if ! [ -x "$program" ] || [[ "$("$program" --version)" != *"Orthanc 1.10.1"* ]]; then
  echo "left out: Orthanc 1.10.1 is not installed"; exit 0
fi
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q highdicom==0.28.2 pydicom==3.0.2 numpy==2.4.6
read -r web dicom < <(python3 -c 'import socket; s=[socket.socket() for _ in "ab"]; [x.bind(("127.0.0.1", 0)) for x in s]; print(*(x.getsockname()[1] for x in s))')
cat >"$work/orthanc.json" <<END
{"StorageDirectory": "$work/db", "IndexDirectory": "$work/db", "HttpPort": $web, "DicomPort": $dicom}
END
"$program" "$work/orthanc.json" >"$work/log" 2>&1 &
server=$!
"$work/venv/bin/python" -W ignore - "$web" <<'PY'
import json
import sys
import time
import urllib.request
from io import BytesIO

import numpy as np
from highdicom import sr
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

base = f"http://127.0.0.1:{sys.argv[1]}"


def ask(path, body=None):
    with urllib.request.urlopen(urllib.request.Request(base + path, data=body)) as answer:
        return answer.read()


for _ in range(600):
    try:
        ask("/system")
        break
    except OSError:
        time.sleep(0.1)

film = Dataset()
film.file_meta = FileMetaDataset()
film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
film.SOPClassUID, film.SOPInstanceUID, film.Modality = ComputedRadiographyImageStorage, generate_uid(), "CR"
film.StudyInstanceUID, film.SeriesInstanceUID = generate_uid(), generate_uid()
film.PatientName, film.PatientID, film.StudyDate, film.StudyTime = "ALPHA^BETA", "1", "20250101", ""
film.PatientBirthDate = film.PatientSex = film.StudyID = film.AccessionNumber = ""
film.Rows, film.Columns, film.SamplesPerPixel, film.PixelRepresentation = 2, 2, 1, 0
film.BitsAllocated, film.BitsStored, film.HighBit, film.PhotometricInterpretation = 16, 12, 11, "MONOCHROME2"
film.SeriesNumber, film.InstanceNumber, film.PixelData = 1, 1, bytes(8)
line = np.array([[1.0, 2], [3, 4]])
region = sr.ImageRegion(sr.GraphicTypeValues.POLYLINE, line, sr.SourceImageForRegion(film.SOPClassUID, film.SOPInstanceUID))
group = sr.PlanarROIMeasurementsAndQualitativeEvaluations(
    tracking_identifier=sr.TrackingIdentifier(uid=generate_uid(), identifier="L1"),
    referenced_region=region,
    measurements=[sr.Measurement(codes.DCM.Height, 23.5, codes.UCUM.Millimeter)],
)
device = sr.DeviceObserverIdentifyingAttributes(uid=generate_uid())
observer = sr.ObservationContext(observer_device_context=sr.ObserverContext(codes.DCM.Device, device))
content = sr.MeasurementReport(observer, codes.SCT.ImagingProcedure, imaging_measurements=[group])
report = sr.ComprehensiveSR([film], content, generate_uid(), 2, generate_uid(), 1, "A", is_complete=True)
for data in (film, report):
    packed = BytesIO()
    data.save_as(packed, enforce_file_format=True)
    ask("/instances", packed.getvalue())
(study,) = json.loads(ask("/studies"))


def found(data, keyword):
    return [element.value for element in data.iterall() if element.keyword == keyword]


def made(how, **request):
    answer = json.loads(ask(f"/studies/{study}/{how}", json.dumps(request).encode()))
    assert answer["FailedInstancesCount"] == 0
    files = [ask(f"/instances/{one['ID']}/file") for one in json.loads(ask(f"/studies/{answer['ID']}/instances"))]
    both = {data.Modality: data for data in (dcmread(BytesIO(file)) for file in files)}
    names = {film.SOPInstanceUID: "old", both["CR"].SOPInstanceUID: "new"}
    assert both["CR"].SOPInstanceUID != film.SOPInstanceUID and both["SR"].CompletionFlag == "COMPLETE"
    seen = {
        "evidence": [names[uid] for uid in found(both["SR"].CurrentRequestedProcedureEvidenceSequence[0], "ReferencedSOPInstanceUID")],
        "height": [float(value) for value in found(both["SR"], "NumericValue")],
        "region": [names[one.ReferencedSOPInstanceUID] for tree in both["SR"].get("ContentSequence", []) for one in (
            item[0] for item in found(tree, "ReferencedSOPSequence"))],
    }  # fmt: skip
    print(how, request, seen)
    return seen


assert made("modify", Replace={"PatientName": "BETA^ALPHA"}) == {"evidence": ["old"], "height": [23.5], "region": ["old"]}
assert made("anonymize") == {"evidence": ["new"], "height": [], "region": []}
kept = made("anonymize", Keep=["ContentSequence"])
assert kept == {"evidence": ["new"], "height": [23.5], "region": ["old"]}
PY

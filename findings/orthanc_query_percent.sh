#!/usr/bin/env bash
# Orthanc 1.10.1 with its DICOMweb plugin 1.7 (Debian 12) does not decode percent-encoded values of a QIDO-RS query.
#
# /studies?PatientName=A* finds a study, /studies?PatientName=A%2A finds none, though the two are the same by RFC 3986 2.3 and 6.2.2.2
# only for unreserved characters, every HTTP library is free to encode a reserved one in a value, and Python's requests, which
# dicomweb-client builds on, does. So a wildcard search through dicomweb-client finds nothing on this server, and neither does a name with its
# caret; no error is given. Needs the packages orthanc and orthanc-dicomweb; left out where they are missing or newer.
set -euo pipefail
program=$(command -v Orthanc || echo /usr/sbin/Orthanc)
plugin=/usr/share/orthanc/plugins/libOrthancDicomWeb.so
if ! [ -x "$program" ] || ! [ -e "$plugin" ] || [[ "$("$program" --version)" != *"Orthanc 1.10.1"* ]]; then
  echo "left out: Orthanc 1.10.1 with its DICOMweb plugin is not installed"; exit 0
fi
work=$(mktemp -d); trap 'kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check dicomweb-client==0.61.2 pydicom==3.0.2 numpy==2.3.5
read -r web dicom < <(python3 -c 'import socket; s=[socket.socket() for _ in "ab"]; [x.bind(("127.0.0.1", 0)) for x in s]; print(*(x.getsockname()[1] for x in s))')
cat > "$work/orthanc.json" <<END
{"StorageDirectory": "$work/db", "IndexDirectory": "$work/db", "HttpPort": $web, "DicomPort": $dicom, "Plugins": ["$plugin"],
 "DicomWeb": {"Enable": true, "Root": "/dicom-web/"}}
END
"$program" "$work/orthanc.json" >"$work/log" 2>&1 & server=$!
"$work/env/bin/python" - "$web" <<'END'
import json, sys, time, urllib.request
from dicomweb_client import DICOMwebClient
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

base = f"http://127.0.0.1:{sys.argv[1]}"
for _ in range(200):
    try:
        urllib.request.urlopen(f"{base}/system").read()
        break
    except OSError:
        time.sleep(0.1)
client = DICOMwebClient(f"{base}/dicom-web")
one = Dataset()
one.file_meta = FileMetaDataset()
one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
one.file_meta.MediaStorageSOPClassUID = one.SOPClassUID = SecondaryCaptureImageStorage
one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID = generate_uid()
one.StudyInstanceUID, one.SeriesInstanceUID, one.PatientID, one.PatientName = generate_uid(), generate_uid(), "1", "ALPHA^BETA"
client.store_instances([one])

def found(value):
    with urllib.request.urlopen(f"{base}/dicom-web/studies?PatientName={value}") as answer:
        return len(json.loads(answer.read()))

counts = {value: found(value) for value in ("ALPHA*", "ALPHA%2A", "ALPHA%5EBETA", "ALPHA%3FBETA", "ALPHA?BETA")}
by_client = len(client.search_for_studies(search_filters={"PatientName": "ALPHA*"}))
print(counts, "dicomweb-client with ALPHA*:", by_client)
assert counts == {"ALPHA*": 1, "ALPHA%2A": 0, "ALPHA%5EBETA": 0, "ALPHA%3FBETA": 0, "ALPHA?BETA": 1} and by_client == 0
END
echo "as stated: only what is not encoded is found"

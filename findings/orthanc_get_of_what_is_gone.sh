#!/usr/bin/env bash
# Orthanc 1.10.1 (Debian 12) answers a C-GET for an instance it does not hold with the failure C000H.
#
# PS3.4 C.4.3.1.4: a retrieval that matches nothing is a success with no sub-operations; C000H says "unable to process". A client cannot tell an
# instance that was deleted meanwhile from an archive in trouble, and has to ask by C-FIND, which answers as it should: success, no match.
# DICOMweb on the same server answers 404. Needs the packages orthanc and orthanc-dicomweb; left out where they are missing or newer.
set -euo pipefail
program=$(command -v Orthanc || echo /usr/sbin/Orthanc)
plugin=/usr/share/orthanc/plugins/libOrthancDicomWeb.so
if ! [ -x "$program" ] || ! [ -e "$plugin" ] || [[ "$("$program" --version)" != *"Orthanc 1.10.1"* ]]; then
  echo "left out: Orthanc 1.10.1 with its DICOMweb plugin is not installed"; exit 0
fi
work=$(mktemp -d); trap 'kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check pynetdicom==3.0.4 pydicom==3.0.2
read -r web dicom < <(python3 -c 'import socket; s=[socket.socket() for _ in "ab"]; [x.bind(("127.0.0.1", 0)) for x in s]; print(*(x.getsockname()[1] for x in s))')
cat > "$work/orthanc.json" <<END
{"StorageDirectory": "$work/db", "IndexDirectory": "$work/db", "HttpPort": $web, "DicomPort": $dicom, "DicomAet": "ORTHANC",
 "DicomAlwaysAllowFind": true, "DicomAlwaysAllowGet": true, "Plugins": ["$plugin"], "DicomWeb": {"Enable": true, "Root": "/dicom-web/"}}
END
"$program" "$work/orthanc.json" >"$work/log" 2>&1 & server=$!
"$work/env/bin/python" - "$web" "$dicom" <<'END'
import sys, time, urllib.error, urllib.request
from pydicom.dataset import Dataset
from pynetdicom import AE, build_role

web, port = int(sys.argv[1]), int(sys.argv[2])
base = f"http://127.0.0.1:{web}"
for _ in range(200):
    try:
        urllib.request.urlopen(f"{base}/system").read()
        break
    except OSError:
        time.sleep(0.1)
FIND, GET, CR = "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.5.1.4.1.2.2.3", "1.2.840.10008.5.1.4.1.1.1"
query = Dataset()
query.QueryRetrieveLevel = "IMAGE"
query.StudyInstanceUID, query.SeriesInstanceUID, query.SOPInstanceUID = "1.2.3", "1.2.3.1", "1.2.3.4"
client = AE("CLIENT")
for uid in (FIND, GET, CR):
    client.add_requested_context(uid)
made = client.associate("127.0.0.1", port, ae_title="ORTHANC", ext_neg=[build_role(CR, scp_role=True)])
found = [f"{status.Status:04X}H" for status, _ in made.send_c_find(query, FIND)]
got = [f"{status.Status:04X}H" for status, _ in made.send_c_get(query, GET)]
made.release()
try:
    urllib.request.urlopen(f"{base}/dicom-web/studies/1.2.3/series/1.2.3.1/instances/1.2.3.4")
    answer = 200
except urllib.error.HTTPError as error:
    answer = error.code
print("C-FIND", found, "C-GET", got, "WADO-RS", answer)
assert (found, got, answer) == (["0000H"], ["C000H"], 404)
END
echo "as stated"

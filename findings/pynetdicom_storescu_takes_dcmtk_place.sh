#!/usr/bin/env bash
# pynetdicom 3.0.4 puts programs named echoscu, findscu, getscu, movescu, storescp, storescu into the environment it is installed in. Once that is
# activated they come before DCMTK's of the same names, take most of the same options, and speak the same protocol; the exit code of storescu means
# something else. Of a file that is no DICOM DCMTK 3.6.7 says so with 1, pynetdicom writes a line and ends with 0: a script that looks at the code
# believes that all went out. Nobody listening: both end with 1.
# Seen (pynetdicom, DCMTK): a sound file 0, 0; a text file 0, 1; nobody there 1, 1. Needs the package dcmtk; left out where it is missing or newer.
set -euo pipefail
[[ "$(dpkg-query -W -f '${Version}' dcmtk 2>/dev/null)" == 3.6.7* ]] || { echo "left out: dcmtk 3.6.7 is not installed"; exit 0; }
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pynetdicom==3.0.4 pydicom==3.0.1
cd "$work"
source venv/bin/activate
[ "$(command -v storescu)" = "$work/venv/bin/storescu" ] && echo "storescu is now pynetdicom's"
python - <<'PY'
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

data = Dataset()
data.file_meta = FileMetaDataset()
data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
data.SOPClassUID, data.SOPInstanceUID = SecondaryCaptureImageStorage, generate_uid()
data.save_as("a.dcm", enforce_file_format=True)
PY
echo "no DICOM at all" >notes.txt
port=$(python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
storescp -q "$port" --ignore >/dev/null 2>&1 &
until echoscu -q 127.0.0.1 "$port" >/dev/null 2>&1; do sleep 0.3; done

codes() {
  local ours=0 theirs=0
  venv/bin/storescu 127.0.0.1 "$@" >said 2>&1 || ours=$?
  /usr/bin/storescu 127.0.0.1 "$@" >/dev/null 2>&1 || theirs=$?
  echo "$ours $theirs"
}
sound=$(codes "$port" a.dcm)
text=$(codes "$port" notes.txt)
grep -q "Bad DICOM file" <(venv/bin/storescu 127.0.0.1 "$port" notes.txt 2>&1)
nobody=$(codes 1 a.dcm)
echo "exit codes of pynetdicom's storescu and DCMTK's: a sound file $sound; a text file $text; nobody there $nobody"
[ "$sound" = "0 0" ] && [ "$text" = "0 1" ] && [ "$nobody" = "1 1" ]

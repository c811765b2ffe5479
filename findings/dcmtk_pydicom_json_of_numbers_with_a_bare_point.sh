#!/usr/bin/env bash
# DCMTK 3.6.7, dcm2json (DICOM JSON model, PS3.18 F): a Decimal String is put into the file as it stands where it is a number to DICOM, and "4." is one, as
# some scanners write a slice of 4 mm or a place in whole mm. JSON has no number that ends in its point: the file cannot be read, from the first such value
# on. The exit code is 0 and nothing is said. Signs, leading zeros and points (+1.5, 007, .5) are put right. Values that are not finite are refused (its
# --encode-strict, on unless told otherwise), but only from the second of an element on: the first, and so the only one, goes in as nan.
# pydicom 3.0.2 writes 4.0, but its to_json raises ValueError where one of several values is empty, a window of "40\", which dcm2json writes as null.
# Seen, read by Python's json: -10.\20.\0. as position: dcm2json JSONDecodeError, pydicom [-10.0, 20.0, 0.0]; +1.5 .5 007: 1.5, 0.5, 7 by both; 40\:
# dcm2json [40, null], pydicom ValueError; FD of 1.5 and nan: exit code 81, of nan alone 0 and "nan". Needs the package dcmtk; left out where it is missing or newer.
set -euo pipefail
[[ "$(dpkg-query -W -f '${Version}' dcmtk 2>/dev/null)" == 3.6.7* ]] || { echo "left out: dcmtk 3.6.7 is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pydicom==3.0.2
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import json
import struct
import subprocess
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid


def read(tag, vr, value):
    """The element by dcm2json and by pydicom's to_json, each read by Python's json; the name of the error where that fails."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SOPClassUID, data.SOPInstanceUID = MRImageStorage, generate_uid()
    data.save_as("slice.dcm", enforce_file_format=True)
    value += b" " * (len(value) % 2)
    header = struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value))
    Path("slice.dcm").write_bytes(Path("slice.dcm").read_bytes() + header + value)
    found = []
    for made in (
        lambda: subprocess.run(["dcm2json", "slice.dcm"], check=True, capture_output=True, text=True),
        lambda: pydicom.dcmread("slice.dcm").to_json(),
    ):
        try:
            text = made()
            if not isinstance(text, str):
                assert not text.stderr
                text = text.stdout
                if "      nan\n" in text:
                    found.append("written as nan")
                    continue
            found.append(json.loads(text)[f"{tag:08X}"].get("Value"))
        except (ValueError, subprocess.CalledProcessError) as error:
            found.append(type(error).__name__)
    print(value, *found)
    return found


assert read(0x00200032, b"DS", b"-10.\\20.\\0.") == ["JSONDecodeError", [-10, 20, 0]]
assert read(0x00180050, b"DS", b"4.") == ["JSONDecodeError", [4]]
for written, number in ((b"+1.5", 1.5), (b".5", 0.5), (b"007", 7), (b"-.5E-2", -0.005), (b"4.0", 4)):
    assert read(0x00180050, b"DS", written) == [[number]] * 2
assert read(0x00281050, b"DS", b"40\\") == [[40, None], "ValueError"]
assert read(0x00189087, b"FD", struct.pack("<2d", 1.5, float("nan")))[0] == "CalledProcessError"
assert read(0x00189087, b"FD", struct.pack("<d", float("nan")))[0] == "written as nan"
PY

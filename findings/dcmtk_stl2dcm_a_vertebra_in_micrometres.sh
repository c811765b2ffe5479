#!/usr/bin/env bash
# DCMTK 3.6.7, stl2dcm: an STL file names no unit, and every tool that makes one of a mask (VTK, trimesh, scikit-image, 3D Slicer) counts in mm.
# stl2dcm writes, unless +mu says otherwise, that its numbers are micrometres: Measurement Units Code Sequence, which the
# standard wants in every such object and by which an archive, a viewer or a printer has to scale it. A vertebra of 30 mm is stored as one of
# 0.03 mm, correctly coded; the four lines of warning are about maker, model, serial number and software. The file inside is unchanged.
# Seen, a box of 30 x 20 x 40 mm: units ("um", "UCUM"); with +mu UCUM mm mm ("mm", "UCUM"); the packed STL still 30, 20, 40.
# Needs the package dcmtk; left out where it is missing or newer.
set -euo pipefail
[[ "$(stl2dcm --version 2>/dev/null || true)" == *"v3.6.7"* ]] || { echo "left out: DCMTK 3.6.7 is not installed"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pydicom==3.0.2 trimesh==5.2.0 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import io
import subprocess

import pydicom
import trimesh

trimesh.creation.box((30, 20, 40)).export("body.stl")


def stored(*options):
    said = subprocess.run(["stl2dcm", *options, "body.stl", "body.dcm"], check=True, capture_output=True, text=True).stderr
    data = pydicom.dcmread("body.dcm")
    (unit,) = data.MeasurementUnitsCodeSequence
    inside = data.EncapsulatedDocument[: data.EncapsulatedDocumentLength]
    size = trimesh.load(io.BytesIO(inside), file_type="stl").extents.round(3).tolist()
    print(*options, (unit.CodeValue, unit.CodingSchemeDesignator), size, data.SOPClassUID.name)
    return (unit.CodeValue, unit.CodingSchemeDesignator), size, said


unit, size, said = stored()
assert unit == ("um", "UCUM") and size == [30, 20, 40]
assert not any(word in said for word in ("unit", "um,", "micro")), said
assert stored("+mu", "UCUM", "mm", "mm")[:2] == (("mm", "UCUM"), [30, 20, 40])
PY

#!/usr/bin/env bash
# slicerio 1.4.0: `read_markups_fcsv` (and so `fcsv_to_markups_json`) drops the two columns without a heading that 3D
# Slicer ends its rows with. The first is the status of the point (0 undefined, 2 defined, 3 missing): a missing point
# comes out as a plain point at (0, 0, 0), which a .mrk.json without positionStatus means to be defined.
# Rows are split at every comma, quoted or not: the label "a, b" becomes '"a' and pushes the rest one column on.
# Seen: missing {'position': [0.0, 0.0, 0.0], ...} without 'positionStatus'; label '"a', description 'b"'
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q slicerio==1.4.0 numpy==2.4.6
cd "$work"
cat >points.fcsv <<'FCSV'
# Markups fiducial file version = 5.6
# CoordinateSystem = LPS
# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID
1,1,2,3,0,0,0,1,1,1,0,here,,,2,0
2,0,0,0,0,0,0,1,1,1,0,missing,,,3,0
3,4,5,6,0,0,0,1,1,1,0,"a, b",note,,2,0
FCSV
"$work/venv/bin/python" - <<'PY'
import slicerio

here, missing, quoted = slicerio.read_markups_fcsv("points.fcsv")["markups"][0]["controlPoints"]
print(here, missing, quoted, sep="\n")
assert missing["position"] == [0.0, 0.0, 0.0]
assert {k for k in missing} == {k for k in here} and "positionStatus" not in missing
assert (quoted["label"], quoted["description"]) == ('"a', 'b"')
PY

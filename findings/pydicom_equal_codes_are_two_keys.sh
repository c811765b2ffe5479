#!/usr/bin/env bash
# pydicom 3.0.2 (and highdicom 0.28.2, which builds on it), coded concepts of a structured report: Code of the retired scheme SRT
# equals that of SNOMED CT (T-12710, SRT == 71341001, SCT), both ways, but their hashes differ. So `code in [..]` and ==
# find the older reports' codes, while a set or a dictionary, which is what a table from code to vertebra is, does not.
# The version of a scheme is part of == but the meaning is not. highdicom's CodedConcept does the same.
# Seen: == True, in a list True, in a set False, dict.get None, for Code and CodedConcept.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pydicom==3.0.2 highdicom==0.28.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from highdicom.sr import CodedConcept
from pydicom.sr.coding import Code

for kind in (Code, CodedConcept):
    new, old = kind("71341001", "SCT", "Femur"), kind("T-12710", "SRT", "Femur")
    seen = new == old, old == new, old in [new], old in {new}, {new: "femur"}.get(old), hash(new) == hash(old)
    print(kind.__name__, seen)
    assert seen == (True, True, True, False, None, False)
    other = kind("71341001", "SCT", "Thigh bone")
    assert other == new and hash(other) == hash(new)
    print("another version equal:", kind("71341001", "SCT", "Femur", "2019") == new)
PY

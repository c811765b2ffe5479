#!/usr/bin/env bash
# highdicom 0.28.2 and dciodvfy (dicom3tools 1.00~20220618093127): secondary captures and presentation states do not validate.
#
# Laterality (0020,0060) is type 2C in the General Series module: wanted when the body part is paired. highdicom writes it for a
# secondary capture only when it is given, never for a presentation state, and copies no BodyPartExamined from the picture; dciodvfy, which cannot
# tell what the body part is, then reports an error. An empty Laterality turns it into a warning; an unpaired BodyPartExamined
# ("SPINE") without Laterality passes without a word. Needs the package dicom3tools; left out where it is missing.
set -euo pipefail
command -v dciodvfy >/dev/null || { echo "left out: dicom3tools is not installed"; exit 0; }
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check highdicom==0.28.2 pydicom==3.0.2 numpy==2.3.5
cd "$work"
"$work/env/bin/python" - <<'END'
import subprocess
import warnings
import numpy as np
import highdicom as hd

warnings.simplefilter("ignore")

def verdict(**tags):
    capture = hd.sc.SCImage(
        pixel_array=np.zeros((4, 4, 3), np.uint8), photometric_interpretation="RGB", bits_allocated=8,
        coordinate_system="PATIENT", patient_orientation=("L", "F"), study_instance_uid="1.2.3", patient_id="1",
        series_instance_uid="1.2.3.1", series_number=1, sop_instance_uid="1.2.3.4", instance_number=1, manufacturer="x",
    )
    for name, value in tags.items():
        setattr(capture, name, value)
    capture.save_as("capture.dcm")
    said = subprocess.run(["dciodvfy", "capture.dcm"], capture_output=True, text=True)
    lines = [line for line in (said.stdout + said.stderr).splitlines() if "Laterality" in line]
    return [line.split(" - ")[0] for line in lines]

found = {"as made": verdict(), "Laterality empty": verdict(Laterality=""), "BodyPartExamined SPINE": verdict(BodyPartExamined="SPINE")}
print(found)
assert found == {"as made": ["Error"], "Laterality empty": ["Warning"], "BodyPartExamined SPINE": []}, found
END
echo "as stated"

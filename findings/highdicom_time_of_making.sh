#!/usr/bin/env bash
# highdicom 0.28.2: two reports made of the same content, with the same UIDs and the same content date and time, differ.
#
# content_date and content_time are taken by every highdicom object, but InstanceCreationDate/Time and the ContributionDateTime
# of the item with which highdicom enters itself into ContributingEquipmentSequence are always the clock's, and so are a
# capture's Date and TimeOfSecondaryCapture. A program that derives UIDs from its input, so that sending twice makes nothing
# twice, has to set all of these itself before it may claim that equal UIDs name equal bytes.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check highdicom==0.28.2 pydicom==3.0.2 numpy==2.3.5
"$work/env/bin/python" - <<'END'
import datetime
import time
import warnings
import numpy as np
import highdicom as hd

warnings.simplefilter("ignore")

def made():
    return hd.sc.SCImage(
        pixel_array=np.zeros((4, 4, 3), np.uint8), photometric_interpretation="RGB", bits_allocated=8,
        coordinate_system="PATIENT", patient_orientation=("L", "F"), study_instance_uid="1.2.3",
        series_instance_uid="1.2.3.1", series_number=1, sop_instance_uid="1.2.3.4", instance_number=1, manufacturer="x",
        content_date=datetime.date(2025, 1, 2), content_time=datetime.time(3, 4, 5),
    )

first = made()
time.sleep(1.1)
second = made()
different = sorted(e.keyword for e in first if e.keyword not in second or second[e.keyword] != e)
print("differ:", different)
assert {"InstanceCreationTime", "ContributingEquipmentSequence"} <= set(different), different
assert "ContentTime" not in different and "ContentDate" not in different
items = first.ContributingEquipmentSequence
print("entered by itself:", items[0].Manufacturer, items[0].ContributionDateTime)
END
echo "as stated: the clock is in the object whatever content date it is given"

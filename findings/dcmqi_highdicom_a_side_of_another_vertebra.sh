#!/usr/bin/env bash
# dcmqi 1.5.7, tid1500reader (measurements of a structured report to JSON, the way of many into a table), on reports that highdicom 0.28.2 writes. A group may name several
# finding sites, each with a side of its own, as a curve from T5 to L1 does: the first site alone is kept, but the side is that of whichever site has one, so
# that "T5, and L1 right" becomes T5 right. A measurement that failed, which TID 300 lets say so by a qualifier beside a number that has to be there, loses it: a
# height that is "not a number" is one of 0.0 mm. Of two lengths that each have a site and side of their own, both are gone; of this alone it says
# something. One site with one side is right. DCMTK 3.6.7's dsr2html shows all of it.
# Seen: T5 and L1 right: ("T5 vertebra", "Right", 23.4); T5 left and L1: ("T5 vertebra", "Left"); T5 and L1: T5, no side; L1 right alone: L1 right; "Not a number": "0.0".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q dcmqi==1.5.7 highdicom==0.28.2 pydicom==3.0.2 numpy==2.4.6 pillow==13.0.0
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
from pydicom import Dataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, generate_uid
from pydicom.sr.codedict import codes
from highdicom.sr import (
    CodedConcept,
    ComprehensiveSR,
    FindingSite,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    PersonObserverIdentifyingAttributes,
    TrackingIdentifier,
)

T5, L1 = CodedConcept("82687006", "SCT", "T5 vertebra"), CodedConcept("36470004", "SCT", "L1 vertebra")
COBB, DEGREE = CodedConcept("285285000", "SCT", "Cobb angle"), CodedConcept("deg", "UCUM", "degree")
HEIGHT, MM = CodedConcept("121207", "DCM", "Height"), CodedConcept("mm", "UCUM", "millimeter")
NAN = CodedConcept("114000", "DCM", "Not a number")
LEFT, RIGHT = codes.SCT.Left, codes.SCT.Right

film = Dataset()
film.SOPClassUID, film.SOPInstanceUID = DigitalXRayImageStorageForPresentation, generate_uid()
film.StudyInstanceUID, film.SeriesInstanceUID = generate_uid(), generate_uid()
film.PatientName = film.PatientID = film.StudyID = "1"
film.StudyDate, film.StudyTime = "20200101", "120000"
film.PatientBirthDate = film.PatientSex = film.AccessionNumber = film.ReferringPhysicianName = ""


def site(level, side=None):
    return FindingSite(anatomic_location=level, laterality=side)


def group(name, sites, *measurements):
    return MeasurementsAndQualitativeEvaluations(
        tracking_identifier=TrackingIdentifier(uid=generate_uid(), identifier=name),
        finding_sites=sites,
        measurements=measurements,
    )


angle = Measurement(name=COBB, value=23.4, unit=DEGREE)
groups = [
    group("second right", [site(T5), site(L1, RIGHT)], angle),
    group("first left", [site(T5, LEFT), site(L1)], angle),
    group("no side", [site(T5), site(L1)], angle),
    group("one", [site(L1, RIGHT)], angle),
    group("failed", [site(L1)], Measurement(name=HEIGHT, value=0, unit=MM, qualifier=NAN)),
    group(
        "own sites",
        [],
        Measurement(name=HEIGHT, value=1.0, unit=MM, finding_sites=[site(L1, LEFT)]),
        Measurement(name=HEIGHT, value=2.0, unit=MM, finding_sites=[site(L1, RIGHT)]),
    ),
]
person = PersonObserverIdentifyingAttributes(name="A^B")
report = MeasurementReport(
    observation_context=ObservationContext(
        observer_person_context=ObserverContext(observer_type=codes.DCM.Person, observer_identifying_attributes=person)
    ),
    procedure_reported=CodedConcept("25045-6", "LN", "CT unspecified body region"),
    imaging_measurements=groups,
    title=codes.DCM.ImagingMeasurementReport,
)
ComprehensiveSR(
    evidence=[film],
    content=report,
    series_number=1,
    series_instance_uid=generate_uid(),
    sop_instance_uid=generate_uid(),
    instance_number=1,
    manufacturer="none",
).save_as("report.dcm")
PY
"$work/venv/bin/tid1500reader" --inputDICOM report.dcm --outputMetadata report.json
"$work/venv/bin/python" - <<'PY'
import json

read = {}
for group in json.load(open("report.json"))["Measurements"]:
    site, side = (group.get(key, {}).get("CodeMeaning") for key in ("FindingSite", "Laterality"))
    read[group["TrackingIdentifier"]] = [site, side, *(item["value"] for item in group["measurementItems"])]
    extra = {key for item in group["measurementItems"] for key in item} - {"quantity", "units", "value"}
    print(group["TrackingIdentifier"], read[group["TrackingIdentifier"]], extra)
    assert not extra
assert read["second right"] == ["T5 vertebra", "Right", "23.4"]
assert read["first left"] == ["T5 vertebra", "Left", "23.4"]
assert read["no side"] == ["T5 vertebra", None, "23.4"]
assert read["one"] == ["L1 vertebra", "Right", "23.4"]
assert read["failed"] == ["L1 vertebra", None, "0.0"]
assert read["own sites"] == [None, None, "1.0", "2.0"]
PY
if command -v dsr2html >/dev/null; then
  page=$(dsr2html report.dcm)
  grep -c "L1 vertebra" <<<"$page" && grep -q "Not a number" <<<"$page"
fi

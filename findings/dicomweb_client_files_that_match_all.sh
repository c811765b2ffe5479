#!/usr/bin/env bash
# dicomweb-client 0.61.2, DICOMfileClient (a folder of films behind the calls of an archive): a search condition that it has not is
# left out, so that the answer is everything. That holds for the Accession Number, the modality of a study and every
# range of dates or times: the first study found by its accession number is another patient's. A logger says "skip search filter".
# retrieve_instance_rendered gives the stored values, in 16 bits where the film has them: no
# window, no rescale, and MONOCHROME1 as it is, bones black; as JPEG, its default, a 12-bit film is refused.
# Seen, three studies: AccessionNumber A1: 3 found, ModalitiesInStudy CR: 3, StudyDate 20240101-20241231: 3, PatientID 1: 1.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q dicomweb-client==0.61.2 pydicom==3.0.2 numpy==2.4.6 pillow==13.0.0
mkdir "$work/films"
cd "$work"
HOME="$work" "$work/venv/bin/python" -W ignore - 2>said.txt <<'PY'
import io
from pathlib import Path

import numpy as np
from dicomweb_client.api import DICOMfileClient
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

stored = np.tile(np.linspace(0, 4095, 8).astype("<u2"), (8, 1))
for number, date in enumerate(("20230115", "20240620", "20250301")):
    film = Dataset()
    film.file_meta = FileMetaDataset()
    film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    film.Modality = "DX" if number == 1 else "CR"
    film.SOPClassUID = DigitalXRayImageStorageForPresentation if number == 1 else ComputedRadiographyImageStorage
    film.file_meta.MediaStorageSOPClassUID = film.SOPClassUID
    film.file_meta.MediaStorageSOPInstanceUID = film.SOPInstanceUID = generate_uid()
    film.StudyInstanceUID, film.SeriesInstanceUID = generate_uid(), generate_uid()
    film.PatientName, film.PatientID, film.PatientBirthDate, film.PatientSex = f"A^{number}", str(number), "", "O"
    film.StudyDate, film.StudyTime, film.StudyID, film.AccessionNumber = date, "101010", "1", f"A{number}"
    film.ReferringPhysicianName, film.SeriesNumber, film.InstanceNumber = "", 1, 1
    film.Rows, film.Columns, film.SamplesPerPixel, film.PhotometricInterpretation = 8, 8, 1, "MONOCHROME1"
    film.BitsAllocated, film.BitsStored, film.HighBit, film.PixelRepresentation = 16, 12, 11, 0
    film.WindowCenter, film.WindowWidth, film.PixelData = 1000, 500, stored.tobytes()
    film.save_as(f"films/{number}.dcm", enforce_file_format=True)

client = DICOMfileClient(url=f"file://{Path('films').resolve()}", update_db=True)
conditions = {"AccessionNumber": "A1", "ModalitiesInStudy": "CR", "StudyDate": "20240101-20241231", "PatientID": "1", "PatientName": "*^1"}
found = {key: len(client.search_for_studies(search_filters={key: value})) for key, value in conditions.items()}
print(found)
assert found == {"AccessionNumber": 3, "ModalitiesInStudy": 3, "StudyDate": 3, "PatientID": 1, "PatientName": 1}

(entry,) = client.search_for_instances(search_filters={"PatientID": "1"})
uids = [entry[tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018")]
shown = np.asarray(Image.open(io.BytesIO(client.retrieve_instance_rendered(*uids, media_types=("image/png",)))))
print("rendered", shown[0].tolist())
assert (shown == stored).all()
try:
    client.retrieve_instance_rendered(*uids)
except OSError as error:
    assert "as JPEG" in str(error)
else:
    raise AssertionError("rendered as JPEG")
PY
test "$(grep -c 'skip search filter' said.txt)" = 3

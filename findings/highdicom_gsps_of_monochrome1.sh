#!/usr/bin/env bash
# highdicom 0.28.2: a grayscale presentation state of a MONOCHROME1 picture turns its grey scale over.
#
# A softcopy presentation state replaces the display pipeline of the picture it refers to, whose Photometric Interpretation no
# longer decides (PS3.4 N.2): what MONOCHROME1 says has to be said by Presentation LUT Shape INVERSE. Left to itself,
# GrayscaleSoftcopyPresentationState takes over window and rescale of the picture, but writes IDENTITY whatever the picture is,
# so that viewers that honour the state show bone black on films of many CR systems. Where DCMTK is installed, its renderer
# shows it. A caller has to pass presentation_lut_transformation for such pictures.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q --disable-pip-version-check highdicom==0.28.2 pydicom==3.0.2 numpy==2.3.5
cd "$work"
"$work/env/bin/python" - <<'END'
import warnings
import numpy as np
import highdicom as hd
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian

warnings.simplefilter("ignore")
film = Dataset()
film.file_meta = FileMetaDataset()
film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
film.file_meta.MediaStorageSOPClassUID = film.SOPClassUID = ComputedRadiographyImageStorage
film.file_meta.MediaStorageSOPInstanceUID = film.SOPInstanceUID = "1.2.3.4"
film.StudyInstanceUID, film.SeriesInstanceUID = "1.2.3", "1.2.3.1"
film.PatientName, film.PatientID, film.PatientBirthDate, film.PatientSex = "A^B", "1", "", "O"
film.StudyDate = film.StudyTime = film.StudyID = film.AccessionNumber = film.ReferringPhysicianName = ""
film.Modality, film.SeriesNumber, film.InstanceNumber = "CR", 1, 1
film.Rows, film.Columns, film.SamplesPerPixel, film.PhotometricInterpretation = 8, 8, 1, "MONOCHROME1"
film.BitsAllocated, film.BitsStored, film.HighBit, film.PixelRepresentation = 16, 12, 11, 0
film.WindowCenter, film.WindowWidth = 2048, 4096
film.PixelData = np.repeat(np.linspace(0, 4095, 8).astype("<u2")[None], 8, 0).tobytes()
film.save_as("film.dcm", enforce_file_format=True)
state = hd.pr.GrayscaleSoftcopyPresentationState(
    referenced_images=[film], series_instance_uid="1.2.3.2", series_number=2, sop_instance_uid="1.2.3.5",
    instance_number=1, manufacturer="x", manufacturer_model_name="x", software_versions="x", device_serial_number="x",
    content_label="X",
)
state.save_as("state.dcm")
print(film.PhotometricInterpretation, "->", "PresentationLUTShape", state.PresentationLUTShape)
assert state.PresentationLUTShape == "IDENTITY"
END
if command -v dcmp2pgm >/dev/null; then
  dcmp2pgm film.dcm plain.pgm; dcmp2pgm -p state.dcm film.dcm state.pgm
  "$work/env/bin/python" - <<'END'
import numpy as np
row = {name: np.frombuffer(open(f"{name}.pgm", "rb").read()[-64:], np.uint8)[:8] for name in ("plain", "state")}
print("DCMTK shows a row of the picture as", row["plain"].tolist(), "and with the state as", row["state"].tolist())
assert row["plain"][0] > row["plain"][-1] and row["state"][0] < row["state"][-1]
END
fi
echo "as stated: IDENTITY for a MONOCHROME1 picture"

#!/usr/bin/env bash
# VTK 9.7.2, vtkNrrdReader: a NRRD whose first axis is nine or less is taken for a picture with so many components, whatever "kinds"
# and "space directions" say of that axis. A stack of sagittal slices that pynrrd writes slice first, cropped to the spine, loses its
# slices and is one slice of nine colours, with the spacing of the other two axes; from ten on it is a volume. The axes' directions are dropped
# throughout. Nothing is said. SimpleITK 2.5.7 reads a volume of one component both times.
# Seen, slices x 30 x 20, kinds domain, 4.4 x 0.8 x 0.5 mm: 9 slices: 30 x 20 x 1 voxels of 9 components, 0.8, 0.5, 1; 10 slices: 10 x 30 x 20
# of one, 4.4, 0.8, 0.5; sagittal directions [0, 1, 0, 0, 0, -1]: the identity.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-deps vtk==9.7.2 pynrrd==1.1.3 SimpleITK==2.5.7 numpy==2.4.6 typing_extensions==4.16.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import nrrd
import numpy as np
import SimpleITK as sitk
from vtkmodules.vtkIOImage import vtkNrrdReader


def read(slices):
    # Slices from right to left, rows down the spine, columns to the back.
    directions = np.array([[4.4, 0, 0], [0, 0, -0.8], [0, 0.5, 0]])
    header = {"space": "left-posterior-superior", "space directions": directions, "space origin": [1, 2, 3], "kinds": ["domain"] * 3}
    nrrd.write("spine.nrrd", np.zeros((slices, 30, 20), np.int16), header)
    reader = vtkNrrdReader()
    reader.SetFileName("spine.nrrd")
    reader.Update()
    image = reader.GetOutput()
    itk = sitk.ReadImage("spine.nrrd")
    axes = [image.GetDirectionMatrix().GetElement(i, j) for i in range(3) for j in range(3)]
    assert axes == [1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert np.allclose(itk.GetDirection(), [1, 0, 0, 0, 0, 1, 0, -1, 0])
    assert (itk.GetSize(), itk.GetNumberOfComponentsPerPixel()) == ((slices, 30, 20), 1)
    seen = image.GetDimensions(), image.GetNumberOfScalarComponents(), tuple(round(v, 3) for v in image.GetSpacing())
    print(slices, "slices: VTK", *seen, "SimpleITK", itk.GetSize())
    return seen


assert read(9) == ((30, 20, 1), 9, (0.8, 0.5, 1))
assert read(10) == ((10, 30, 20), 1, (4.4, 0.8, 0.5))
PY

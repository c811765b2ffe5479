#!/usr/bin/env bash
# itk-elastix 0.25.4 (ITK 5.4.7), transformix on a file of landmarks: without "point" in its first line the numbers are voxel
# indices, and those are rounded to whole voxels before the transform, so that a landmark between two sagittal slices moves by up
# to half their distance, and a file of mm that lacks the word is taken for voxels. Where the count in the second line is larger than
# the number of rows, by one, every point becomes (0, 0, 0) and the first rows are not kept either. Nothing is said.
# Seen, voxels of 0.5 x 0.8 x 4 mm from (-10, 5, 7), shifted by (1, 2, 3): "index" 10.5 20.7 10.5: (-3.5, 23.8, 54), by hand
# (-3.75, 23.56, 52); "point" 10 20 30: (11, 22, 33), without the word (-4, 23, 130); two rows, count 3: (1, 2, 3) three times.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
parts=$(printf "itk-%s==5.4.7 " core numerics io filtering registration segmentation)
# shellcheck disable=SC2086
TMPDIR="$work" "$work/venv/bin/pip" install -q --no-cache-dir itk-elastix==0.25.4 itk==5.4.7 $parts numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import re
from pathlib import Path

import itk
import numpy as np

volume = itk.image_from_array(np.zeros((40, 50, 60), np.float32))
volume.SetSpacing([0.5, 0.8, 4.0])
volume.SetOrigin([-10.0, 5.0, 7.0])
shift = itk.ParameterObject.New()
shift.AddParameterMap({
    "Transform": ["TranslationTransform"], "NumberOfParameters": ["3"], "TransformParameters": ["1", "2", "3"],
    "InitialTransformParametersFileName": ["NoInitialTransform"], "HowToCombineTransforms": ["Compose"],
    "FixedImageDimension": ["3"], "MovingImageDimension": ["3"], "FixedInternalImagePixelType": ["float"],
    "MovingInternalImagePixelType": ["float"], "Size": ["60", "50", "40"], "Index": ["0", "0", "0"],
    "Spacing": ["0.5", "0.8", "4"], "Origin": ["-10", "5", "7"], "Direction": list("100010001"),
    "UseDirectionCosines": ["true"], "ResampleInterpolator": ["FinalBSplineInterpolator"],
    "FinalBSplineInterpolationOrder": ["3"], "Resampler": ["DefaultResampler"], "DefaultPixelValue": ["0"],
    "ResultImageFormat": ["mha"], "ResultImagePixelType": ["float"], "CompressResultImage": ["false"],
})


def moved(text):
    Path("landmarks.txt").write_text(text)
    Path("outputpoints.txt").unlink(missing_ok=True)
    transformix = itk.TransformixFilter[type(volume)].New()
    transformix.SetMovingImage(volume)
    transformix.SetTransformParameterObject(shift)
    transformix.SetFixedPointSetFileName("landmarks.txt")
    transformix.SetOutputDirectory(".")
    transformix.UpdateLargestPossibleRegion()
    rows = re.findall(r"OutputPoint = \[ (.*?) \]", Path("outputpoints.txt").read_text())
    where = [tuple(round(float(v), 3) for v in row.split()) for row in rows]
    print(text.split("\n")[:-1], "->", where)
    return where


by_hand = tuple(o + i * s + d for o, i, s, d in zip((-10, 5, 7), (10.5, 20.7, 10.5), (0.5, 0.8, 4), (1, 2, 3), strict=True))
print("by hand, the index 10.5 20.7 10.5:", by_hand)
assert np.allclose(by_hand, (-3.75, 23.56, 52))
assert moved("index\n1\n10.5 20.7 10.5\n") == [(-3.5, 23.8, 54)]
assert moved("index\n1\n10 20 10\n") == [(-4, 23, 50)]
assert moved("point\n1\n10 20 30\n") == [(11, 22, 33)]
assert moved("1\n10 20 30\n") == [(-4, 23, 130)]
assert moved("point\n2\n10 20 30\n1.25 2.5 9.75\n") == [(11, 22, 33), (2.25, 4.5, 12.75)]
assert moved("point\n3\n10 20 30\n1.25 2.5 9.75\n") == [(1, 2, 3)] * 3
PY

#!/usr/bin/env bash
# SimpleITK 2.5.7, the median of a label: LabelStatistics and LabelIntensityStatistics take it from a histogram of 256 and of 128 bins that
# spans the whole image, from its least to its greatest value, whatever lies in the label. So it comes in steps of that range, and one
# voxel far from the label (a vessel, or the value by which a fit of T2 or ADC marks where it failed) moves the median of every disc, to
# half, twice or four times the true one. The two filters differ on the same data; mean and standard deviation beside it are exact, and
# GetMedian of LabelIntensityStatistics says nothing of bins. Of 8-bit images the first is exact.
# Seen, a disc of 81 voxels, T2 60 to 140 ms, median and mean 100; one voxel elsewhere of 140, 4095, 30000 ms: LabelStatistics 99.8, 104.0,
# 58.6, LabelIntensityStatistics 100.1, 112.0, 117.2. ADC 0.0006 to 0.0014, median 0.001, one voxel of 1: 0.00195, 0.00391.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q SimpleITK==2.5.7 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import numpy as np
import SimpleITK as sitk


def medians(values, elsewhere, dtype):
    image, mask = np.zeros((3, 30, 30), dtype), np.zeros((3, 30, 30), np.uint8)
    image[0, 0, 0], image[1, 10:19, 10:19], mask[1, 10:19, 10:19] = elsewhere, values.reshape(9, 9), 1
    image, mask = sitk.GetImageFromArray(image), sitk.GetImageFromArray(mask)
    plain, intensity = sitk.LabelStatisticsImageFilter(), sitk.LabelIntensityStatisticsImageFilter()
    plain.Execute(image, mask)
    intensity.Execute(mask, image)
    assert np.allclose([plain.GetMean(1), intensity.GetMean(1)], values.mean(), rtol=1e-6)
    seen = float(f"{plain.GetMedian(1):.3g}"), float(f"{intensity.GetMedian(1):.3g}")
    print(f"greatest value {elsewhere}: {seen[0]:g}, {seen[1]:g}; by numpy {np.median(values):g}")
    return seen


t2 = np.arange(60, 141)
assert medians(t2, 255, np.uint8) == (100, 101)
assert medians(t2, 140, np.int16) == (99.8, 100)
assert medians(t2, 4095, np.int16) == (104, 112)
assert medians(t2, 30000, np.int16) == (58.6, 117)
assert medians(t2 * 1e-5, 1, np.float32) == (0.00195, 0.00391)
PY

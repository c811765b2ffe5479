#!/usr/bin/env bash
# itk-napari-conversion 0.5.1 (ITK 5.4.7, napari 0.9.2): image_layer_from_image hands ITK's directions to napari transposed, so that a volume is turned the wrong way: one that is
# tilted by 15 degrees lies tilted by -15, and a sagittal one, whose axes change places, lies about its first voxel in another plane. points_layer_from_point_set, of the
# same package, puts points where they are in mm: landmarks of a sagittal volume do not fall on it. Spacing, origin and the voxels themselves are right, and
# image_from_image_layer transposes once more, so that a round trip gives all back. Axial volumes, also with axes reversed, are right. Nothing is said.
# Seen, voxels of 0.8 x 0.5 x 4 mm from (16, -60, 100), voxel (10, 20, 3) and a point at its place: axial both (24, -50, 112); sagittal voxel (26, -72, 92), point (4, -52,
# 90), which falls on the volume at (12.5, -24, -2); tilted by 15 degrees about x (24, -47.2, 109), (24, -53.5, 114.2).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q itk==5.4.7 napari==0.9.2 itk-napari-conversion==0.5.1 numpy==2.4.6
cd "$work"
HOME="$work" "$work/venv/bin/python" -W ignore - <<'PY'
import itk
import numpy as np
from itk_napari_conversion import image_from_image_layer, image_layer_from_image, points_layer_from_point_set

VOXEL = (10, 20, 3)
cosine, sine = np.cos(np.radians(15)), np.sin(np.radians(15))
TILTED = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
SAGITTAL = np.array([[0, 0, -1.0], [1, 0, 0], [0, -1, 0]])


def both(name, direction):
    image = itk.image_from_array(np.zeros((8, 40, 30), np.float32))
    image.SetSpacing((0.8, 0.5, 4.0))
    image.SetOrigin((16.0, -60.0, 100.0))
    image.SetDirection(itk.matrix_from_array(direction))
    place = np.array(image.TransformIndexToPhysicalPoint(VOXEL))
    marks = itk.PointSet[itk.F, 3].New()
    marks.SetPoints(itk.vector_container_from_array(place.astype(np.float32)))
    layer, points = image_layer_from_image(image), points_layer_from_point_set(marks)
    voxel = np.array(layer.data_to_world(VOXEL[::-1]))[::-1]
    point = np.array(points.data_to_world(points.data[0]))[::-1]
    falls_on = np.array(layer.world_to_data(point[::-1]))[::-1]
    print(name, "voxel", np.round(voxel, 1), "point", np.round(point, 1), "which falls on", np.round(falls_on, 1))
    assert np.allclose(point, place, atol=1e-4)
    back = image_from_image_layer(layer)
    assert np.allclose(list(back.TransformIndexToPhysicalPoint(VOXEL)), place)
    return voxel, falls_on


for name, direction in (("axial", np.eye(3)), ("reversed", np.diag([-1.0, -1, 1]))):
    assert np.allclose(both(name, direction)[1], VOXEL, atol=1e-4)
voxel, falls_on = both("sagittal", SAGITTAL)
assert np.allclose(voxel, (26, -72, 92), atol=0.05) and np.allclose(falls_on, (12.5, -24, -2), atol=0.05)
voxel, falls_on = both("tilted", TILTED)
assert np.allclose(voxel, (24, -47.2, 109), atol=0.05) and np.allclose(falls_on, (10, 5.3, 3.8), atol=0.06)
PY

"""Files stored any of eight ways: whatever says how a picture stands, it is read as one, and points go back exactly."""

from __future__ import annotations

import numpy as np
import pytest
from image_seeds import dicom, to_bytes
from PIL import Image

from spinetk.geometry import Frame, turn
from spinetk.images import read_picture
from spinetk.phantoms import lateral_radiograph
from spinetk.upright import upright

AXES = {"L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "H": (0, 0, 1), "F": (0, 0, -1)}
BACK = {6: 8, 8: 6}


def oblong(picture: np.ndarray) -> np.ndarray:
    """The picture with every second and third row left out: its pixels are 1.5 times as high as wide, nearly."""
    return picture[np.arange(0, len(picture) - 2, 3)[:, None] + [0, 1]].reshape(-1, picture.shape[1])


def write_letters(path, pixels, frame, aspect):
    tags = {"PixelAspectRatio": list(aspect)} if aspect != (1, 1) else {}
    path.write_bytes(to_bytes(dicom(pixels, PatientOrientation=[frame.toward_right, frame.toward_bottom], **tags)))


def write_cosines(path, pixels, frame, aspect):
    cosines = [*AXES[frame.toward_right], *AXES[frame.toward_bottom]]
    spacing = [0.5 * aspect[0], 0.5 * aspect[1]]
    path.write_bytes(to_bytes(dicom(pixels, Modality="MR", ImageOrientationPatient=cosines, PixelSpacing=spacing)))


def write_nifti(path, pixels, frame, aspect):
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(pixels[None].astype(np.int16))
    right, down = np.array(AXES[frame.toward_right], float), np.array(AXES[frame.toward_bottom], float)
    image.SetDirection(np.column_stack([right, down, np.cross(right, down)]).ravel())
    image.SetSpacing((0.5 * aspect[1], 0.5 * aspect[0], 3.0))
    sitk.WriteImage(image, str(path))


def write_exif(path, pixels, frame, aspect):
    exif = Image.Exif()
    exif[274] = frame.exif_orientation
    dots = {"dpi": (150 * aspect[0], 150 * aspect[1])} if aspect != (1, 1) else {}
    Image.fromarray(pixels).save(path, "PNG", exif=exif, **dots)


SOURCES = {
    # How the file says it, its suffix, and the letters of the picture when it stands.
    "letters, lateral": (write_letters, ".dcm", ("P", "F")),
    "letters, frontal": (write_letters, ".dcm", ("L", "F")),
    "cosines, sagittal": (write_cosines, ".dcm", ("P", "F")),
    "cosines, coronal": (write_cosines, ".dcm", ("L", "F")),
    "NIfTI, coronal": (write_nifti, ".nii.gz", ("L", "F")),
    "EXIF": (write_exif, ".png", None),
}


@pytest.fixture(scope="module")
def film():
    """A phantom's pixels and the points of its bodies."""
    phantom = lateral_radiograph(0, facing="left", size=(240, 150))
    return phantom.pixels, np.concatenate([vertebra.points for vertebra in phantom.reading.vertebrae])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("aspect", [(1, 1), (3, 2)], ids=["square", "1.5 to 1"])
@pytest.mark.parametrize("source", SOURCES)
def test_eight_ways_from_file_to_upright_and_back(tmp_path, film, source, aspect, orientation):
    write, suffix, letters = SOURCES[source]
    pixels, points = film
    if aspect != (1, 1):
        pixels, points = oblong(pixels), points * (1, 2 / 3)
    exif = BACK.get(orientation, orientation) if letters is None else 1
    standing = Frame(None, None, *(letters or (None, None)))
    stored_frame = Frame(exif_orientation=exif) if letters is None else standing.turned(orientation)
    # The same picture, turned to be stored; its own pixels get their shape from the turned aspect.
    stored = turn(pixels, orientation)
    stored_aspect = aspect if orientation < 5 else aspect[::-1]
    path = tmp_path / f"film{suffix}"
    write(path, stored, stored_frame, stored_aspect)

    picture = read_picture(path)
    np.testing.assert_array_equal(picture.pixels, stored)
    seen, way = upright(picture.pixels, picture.frame)
    expected, straight = upright(pixels.astype(np.float32), Frame(pixel_aspect=aspect[0] / aspect[1]))
    if letters == ("P", "F") and orientation == 2:  # upright and facing the other way: read as it stands
        assert way.orientation == 1
        return
    np.testing.assert_allclose(seen, expected, rtol=1e-4)
    there = stored_points(points, pixels, orientation)
    np.testing.assert_allclose(way.to_upright(there), straight.to_upright(points), atol=1e-6)
    np.testing.assert_allclose(way.to_stored(straight.to_upright(points)), there, atol=1e-6)
    if letters:
        assert (way.frame.toward_right, way.frame.toward_bottom) == letters
    assert sum("stored" in remark for remark in picture.remarks) == (orientation != 1)


def stored_points(points: np.ndarray, pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Where points of the standing picture lie in the stored one, from where three of its pixels went."""
    height, width = pixels.shape
    columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    x, y = turn(columns, orientation), turn(rows, orientation)
    spots = [np.argwhere((x == a) & (y == b))[0][::-1] + 0.5 for a, b in ((0.5, 0.5), (1.5, 0.5), (0.5, 1.5))]
    origin, right, down = spots
    return origin + (points[:, :1] - 0.5) * (right - origin) + (points[:, 1:] - 0.5) * (down - origin)

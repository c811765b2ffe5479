"""Points for 3D Slicer lie where ITK, which reads the picture there, puts its pixels: SimpleITK is asked."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from spinetk.formats.registry import format_named, read
from spinetk.formats.slicer.shown import shown_plane
from spinetk.images import read_picture
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6

sitk = pytest.importorskip("SimpleITK")

STORAGE = "1.2.840.10008.5.1.4.1.1."
CLASSES = {
    "CR": "1",
    "DX": "1.1",
    "DX raw": "1.1.1",
    "MG": "1.2",
    "IO": "1.3",
    "XA": "12.1",
    "RF": "12.2",
    "SC": "7",
    "SC frames": "7.3",
    "US": "6.1",
    "US frames": "3.1",
    "MR": "4",
    "RTIMAGE": "481.1",
    "none": None,
}
SPACINGS = {
    "detector": {"ImagerPixelSpacing": [0.21, 0.22]},
    "calibrated": {"PixelSpacing": [0.11, 0.12]},
    "both": {"ImagerPixelSpacing": [0.21, 0.22], "PixelSpacing": [0.11, 0.12]},
    "scanned": {"NominalScannedPixelSpacing": [0.31, 0.32]},
    "magnified": {"ImagerPixelSpacing": [0.21, 0.22], "EstimatedRadiographicMagnificationFactor": "1.4"},
    "plane of the portal": {"ImagePlanePixelSpacing": [0.41, 0.42], "PixelSpacing": [0.11, 0.12]},
    "nothing": {},
    "placed": {"PixelSpacing": [0.11, 0.12], "ImagerPixelSpacing": [0.21, 0.22],
               "ImagePositionPatient": [1, 2, 3], "ImageOrientationPatient": [0, 1, 0, 0, 0, -1]},
}  # fmt: skip
PIXELS = (np.arange(12, dtype=np.uint8) * 20).reshape(3, 4)
POINTS = np.array([[0.5, 2.5], [1.5, 2.5], [3.5, 2.25], [3.5, 0.5], [2.0, 0.75], [0.5, 0.5]])


def film(path, kind, frames=1, **fields):
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    if CLASSES[kind]:
        data.SOPClassUID = STORAGE + CLASSES[kind]
    data.SOPInstanceUID, data.StudyInstanceUID, data.SeriesInstanceUID = (generate_uid() for _ in range(3))
    data.Modality = "DX" if kind == "none" else kind.split()[0]
    data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = *PIXELS.shape, 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 8, 8, 7, 0
    data.PixelData = PIXELS.tobytes() * frames
    if frames > 1:
        data.NumberOfFrames = frames
    for keyword, value in fields.items():
        setattr(data, keyword, value)
    data.save_as(path, enforce_file_format=CLASSES[kind] is not None)
    return path


def reading(path):
    picture = read_picture(path)
    body = Vertebra.from_points(POINTS.copy(), label="L1")
    file, size = str(path), (picture.height, picture.width)
    return Reading(file, *size, VERTEBRA6, [body], picture.frame, slice=picture.slice)


def itk_places(path, layer=0):
    image = sitk.ReadImage(str(path))
    third = [layer] if image.GetDimension() == 3 else []
    places = [image.TransformContinuousIndexToPhysicalPoint([x - 0.5, y - 0.5, *third]) for x, y in POINTS.tolist()]
    return np.array([[*place, 0.0][:3] for place in places])


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("kind", CLASSES)
def test_dicom_pictures_lie_where_itk_puts_them(tmp_path, kind, spacing):
    path = film(tmp_path / "a.dcm", kind, **SPACINGS[spacing])
    np.testing.assert_allclose(shown_plane(reading(path)).to_space(POINTS), itk_places(path), atol=1e-6)


@pytest.mark.parametrize("name", ["slicer", "fcsv"])
def test_points_of_a_calibrated_film_are_written_and_come_back(tmp_path, name):
    """Ours is 0.1 mm, ITK's 0.2: points in ours lay at half their place in Slicer."""
    path = film(tmp_path / "a.dcm", "DX", ImagerPixelSpacing=[0.2, 0.2], PixelSpacing=[0.1, 0.1])
    one = reading(path)
    assert one.frame.spacing_mm == (0.1, 0.1)
    entry = format_named(name)
    entry.write(tmp_path / f"a{entry.suffix}", [one])
    (item,) = read(tmp_path / f"a{entry.suffix}")
    assert item.vertebrae[0].points == pytest.approx(POINTS, abs=1e-5)
    placed = shown_plane(one).to_space(np.array([3.5, 2.5]))
    assert placed == pytest.approx((0.6, 0.4, 0.0))


@pytest.mark.parametrize("kind", ["XA", "RF", "SC", "SC frames", "US frames"])
@pytest.mark.parametrize("fields", [{}, {"SpacingBetweenSlices": "4"}, SPACINGS["placed"]])
def test_a_frame_of_a_run_lies_behind_the_frames_before_it(tmp_path, kind, fields):
    path = film(tmp_path / "a.dcm", kind, frames=5, **fields)
    one = reading(path)
    assert one.slice == 2
    np.testing.assert_allclose(shown_plane(one).to_space(POINTS), itk_places(path, 2), atol=1e-6)
    np.testing.assert_allclose(shown_plane(one, 4).to_space(POINTS), itk_places(path, 4), atol=1e-6)


def jfif(path, unit, across, down):
    Image.fromarray(PIXELS).save(path, dpi=(72, 72))
    content = bytearray(path.read_bytes())
    at = content.find(b"JFIF\0")
    content[at + 7 : at + 12] = struct.pack(">BHH", unit, across, down)
    path.write_bytes(content)


@pytest.mark.parametrize("density", [(0, 3, 2), (1, 96, 96), (1, 100, 200), (2, 40, 50), (1, 0, 96), (3, 40, 50)])
def test_the_density_of_a_jpeg_is_a_spacing_for_itk(tmp_path, density):
    jfif(tmp_path / "a.jpg", *density)
    np.testing.assert_allclose(
        shown_plane(reading(tmp_path / "a.jpg")).to_space(POINTS), itk_places(tmp_path / "a.jpg"), atol=1e-4
    )


@pytest.mark.parametrize("unit", [None, 1, 2, 3])
@pytest.mark.parametrize("density", [(100.0, 200.0), (None, 200.0)])
def test_the_density_of_a_tiff_is_a_spacing_for_itk(tmp_path, unit, density):
    fields = {282: density[0], 283: density[1], 296: unit}
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for number, value in fields.items():
        if value is not None:
            tags[number] = value
    Image.fromarray(PIXELS).save(tmp_path / "a.tif", tiffinfo=tags)
    np.testing.assert_allclose(
        shown_plane(reading(tmp_path / "a.tif")).to_space(POINTS), itk_places(tmp_path / "a.tif"), atol=1e-4
    )


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_pixel_of_a_tiff_that_says_a_turn_lies_where_itk_has_it(tmp_path, orientation):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[274] = orientation
    Image.fromarray(PIXELS).save(tmp_path / "a.tif", tiffinfo=tags, dpi=(127, 254))
    image = sitk.ReadImage(str(tmp_path / "a.tif"))
    values = sitk.GetArrayFromImage(image).reshape(*PIXELS.shape, -1)[..., 0]
    row, column = map(int, np.argwhere(values == PIXELS[0, 1])[0])
    # Row 0, column 1 as stored: our points are in pixels of the picture as stored.
    one = Reading(str(tmp_path / "a.tif"), *PIXELS.shape, VERTEBRA6)
    place = shown_plane(one).to_space(np.array([1.5, 0.5]))
    assert place[:2] == pytest.approx(image.TransformIndexToPhysicalPoint((column, row)), abs=1e-4)


@pytest.mark.parametrize("unit", [None, 0, 1, 2])
def test_the_scale_chunk_of_a_png_is_a_spacing_for_itk(tmp_path, unit):
    path = tmp_path / "a.png"
    Image.fromarray(PIXELS).save(path, dpi=(96, 96))
    if unit is not None:
        kind, content = b"sCAL", bytes([unit]) + b"0.2\x000.3"
        chunk = struct.pack(">L", len(content)) + kind + content + struct.pack(">L", zlib.crc32(kind + content))
        path.write_bytes(path.read_bytes()[:33] + chunk + path.read_bytes()[33:])
    np.testing.assert_allclose(shown_plane(reading(path)).to_space(POINTS), itk_places(path), atol=1e-6)
    assert shown_plane(reading(path)).scaled == (unit in (1, 2))


@pytest.mark.parametrize("kind", ["nii", "spacings", "directions"])
def test_a_volume_without_directions_lies_where_itk_puts_it(tmp_path, kind):
    """Slice 3 of 7, which was read, lies at 12 mm, not on the first slice."""
    values = np.random.default_rng(0).integers(0, 99, (5, 6, 7)).astype(np.int16)
    path = tmp_path / "a.nrrd"
    if kind == "nii":
        import nibabel

        path = tmp_path / "a.nii"
        image = nibabel.Nifti1Image(values, None)
        image.header.set_zooms((2, 3, 4))
        image.header["qform_code"] = image.header["sform_code"] = 0
        nibabel.save(image, path)
    else:
        import nrrd

        turned = {"space dimension": 3, "space directions": [[0, 2, 0], [3, 0, 0], [0, 0, 4]]}
        nrrd.write(str(path), values, {"spacings": [2, 3, 4]} if kind == "spacings" else turned)
    one = reading(path)
    assert one.slice == 3
    np.testing.assert_allclose(shown_plane(one).to_space(POINTS), itk_places(path, 3), atol=1e-6)


MATRICES = [((1, 1), 3), ((2, 1), 3), ((4, 3), 3), ((2, 0), 3), ((0, 1), 3), ((1, 0), 5), ((2, 0), 5)]


@pytest.mark.parametrize(("codes", "zoom"), MATRICES)
def test_of_two_matrices_of_a_nifti_file_that_of_slicer_is_taken(tmp_path, codes, zoom):
    """Turned and moved against one another: every voxel of the slice lies where ITK finds its value."""
    import nibabel

    values = np.random.default_rng(0).permutation(5 * 6 * 7).reshape(5, 6, 7).astype(np.int16)
    image = nibabel.Nifti1Image(values, None)
    sform = np.array([[2.0, 0, 0, 10], [0, 3 * 0.8, -3 * 0.6, 20], [0, 3 * 0.6, 3 * 0.8, 30], [0, 0, 0, 1]])
    qform = np.array([[2.0, 0, 0, 40], [0, 3, 0, -20], [0, 0, 3, 5], [0, 0, 0, 1]])
    image.header.set_zooms((2, 3, 3))
    image.header.set_sform(sform if codes[0] else None, codes[0])
    image.header.set_qform(qform if codes[1] else None, codes[1])
    image.header["pixdim"][2:4] = zoom
    nibabel.save(image, tmp_path / "a.nii")
    one, picture = reading(tmp_path / "a.nii"), read_picture(tmp_path / "a.nii")
    itk, plane = sitk.ReadImage(str(tmp_path / "a.nii")), shown_plane(one)
    for row, column in np.ndindex(picture.pixels.shape):
        ((i, j, k),) = np.argwhere(values == picture.pixels[row, column]).tolist()
        place = plane.to_space(np.array([column + 0.5, row + 0.5]))
        assert place == pytest.approx(itk.TransformIndexToPhysicalPoint((i, j, k)), abs=1e-4)


def test_points_on_a_sagittal_picture_made_of_axial_slices_lie_in_the_patient(tmp_path):
    """A bright voxel of an axial series: where SimpleITK puts it is where its point goes."""
    folder = tmp_path / "series"
    folder.mkdir()
    series, frame = generate_uid(), generate_uid()
    for k in range(12):
        values = np.zeros((20, 21), np.uint8)
        values[7, 10] = 250 if k == 4 else 0
        film(
            folder / f"{k:02}.dcm", "MR", SeriesInstanceUID=series, FrameOfReferenceUID=frame, Rows=20, Columns=21,
            PixelData=values.tobytes(), PixelSpacing=[1.5, 1.0], SliceThickness="3",
            ImagePositionPatient=[-13, -40, 100 + 3 * k], ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
            InstanceNumber=k + 1,
        )  # fmt: skip
    picture = read_picture(folder)
    row, column = np.unravel_index(picture.pixels.argmax(), picture.pixels.shape)
    one = Reading(str(folder), picture.height, picture.width, VERTEBRA6, frame=picture.frame, series=picture.series)
    place = shown_plane(one).to_space(np.array([column + 0.5, row + 0.5]))
    volume = sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    assert place == pytest.approx(volume.TransformIndexToPhysicalPoint((10, 7, 4)), abs=0.01)

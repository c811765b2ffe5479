"""DICOM series in, DICOM segmentation out, where the slices lie."""

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from torch import nn

from spinetk.errors import InputError
from spinetk.images.dicom_volume import volume_of, volume_of_series
from spinetk.images.find import find_volumes
from spinetk.segmentation.atrium.batch import predict_files
from spinetk.segmentation.atrium.models import load_predictor
from spinetk.segmentation.atrium.predictor import AtriumPredictor, Geometry
from spinetk.segmentation.mask import write_mask

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
NAME = "SECRET^PATIENT"
STEP_MM, SPACING_MM = 2.5, (1.25, 1.5)
ACROSS, DOWN = np.array([0.8, 0.6, 0.0]), np.array([-0.6, 0.8, 0.0])


class Bright(nn.Module):
    def forward(self, x):
        return 50 * (x - 1.0)


@pytest.fixture
def values():
    grey = np.full((10, 20, 24), 40, np.uint16)
    grey[3:7, 6:13, 8:16] = 900
    return grey


@pytest.fixture
def folder(tmp_path, values):
    """Oblique slices whose file names and instance numbers are in no order."""
    where = tmp_path / "study" / "atrium"
    where.mkdir(parents=True)
    uids = {name: generate_uid() for name in ("study", "series", "frame")}
    for number, place in enumerate(np.random.default_rng(0).permutation(len(values))):
        slice_ = pydicom.Dataset()
        slice_.file_meta = FileMetaDataset()
        slice_.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        slice_.file_meta.MediaStorageSOPClassUID = slice_.SOPClassUID = MR_IMAGE
        slice_.file_meta.MediaStorageSOPInstanceUID = slice_.SOPInstanceUID = generate_uid()
        slice_.StudyInstanceUID, slice_.SeriesInstanceUID = uids["study"], uids["series"]
        slice_.FrameOfReferenceUID, slice_.Modality = uids["frame"], "MR"
        slice_.PatientName, slice_.PatientID, slice_.InstanceNumber = NAME, "4711", number + 1
        slice_.ImageOrientationPatient = [*map(float, ACROSS), *map(float, DOWN)]
        slice_.ImagePositionPatient = [11.0, -22.0, 33.0 + STEP_MM * float(place)]
        slice_.PixelSpacing, slice_.SliceThickness = list(SPACING_MM), STEP_MM
        slice_.Rows, slice_.Columns = values.shape[1:]
        slice_.SamplesPerPixel, slice_.PhotometricInterpretation = 1, "MONOCHROME2"
        slice_.BitsAllocated = slice_.BitsStored = 16
        slice_.HighBit, slice_.PixelRepresentation = 15, 0
        slice_.PixelData = values[place].tobytes()
        slice_.save_as(where / f"{number:03d}.dcm", enforce_file_format=True)
    return where


def test_geometry_is_that_of_simpleitk(folder, values):
    series = volume_of_series(folder)
    assert np.array_equal(series.values, values)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    assert series.spacing_mm == pytest.approx(image.GetSpacing()[::-1])
    assert series.origin_mm == pytest.approx(image.GetOrigin())
    assert series.direction == pytest.approx(image.GetDirection())
    assert np.array_equal(series.values, sitk.GetArrayFromImage(image))
    series.write(values > 500, folder.parent / "mask.nii.gz")
    written = sitk.ReadImage(str(folder.parent / "mask.nii.gz"))
    assert written.GetOrigin() == pytest.approx(image.GetOrigin())
    assert written.GetDirection() == pytest.approx(image.GetDirection(), abs=1e-6)


def test_segmentation_lies_on_its_slices(folder, values, tmp_path):
    pytest.importorskip("highdicom")
    spacing = (STEP_MM, *SPACING_MM)
    predictor = AtriumPredictor([Bright()], Geometry(spacing, (16, 16, 16), spacing), Bright())
    out = tmp_path / "out"
    run = predict_files(predictor, [folder.parent], out)
    assert run["failed"] == []
    assert [entry["mask"] for entry in run["written"]] == ["atrium.seg.dcm"]
    found = pydicom.dcmread(out / "atrium.seg.dcm")
    source = pydicom.dcmread(next(folder.iterdir()))
    assert found.Modality == "SEG"
    assert (found.StudyInstanceUID, found.PatientName) == (source.StudyInstanceUID, NAME)
    assert found.FrameOfReferenceUID == source.FrameOfReferenceUID
    (segment,) = found.SegmentSequence
    assert segment.SegmentedPropertyTypeCodeSequence[0].CodeValue == "82471001"
    shared = found.SharedFunctionalGroupsSequence[0]
    assert list(shared.PixelMeasuresSequence[0].PixelSpacing) == list(SPACING_MM)
    assert np.allclose(shared.PlaneOrientationSequence[0].ImageOrientationPatient, [*ACROSS, *DOWN])
    frames = found.pixel_array
    assert len(frames) == 4  # slices without atrium are left out
    for frame, group in zip(frames, found.PerFrameFunctionalGroupsSequence, strict=True):
        height = float(group.PlanePositionSequence[0].ImagePositionPatient[2])
        place = round((height - 33.0) / STEP_MM)
        assert np.array_equal(frame != 0, values[place] > 500)
        referred = group.DerivationImageSequence[0].SourceImageSequence[0].ReferencedSOPInstanceUID
        (file,) = (p for p in folder.iterdir() if pydicom.dcmread(p).SOPInstanceUID == referred)
        assert np.array_equal(pydicom.dcmread(file).pixel_array, values[place])
    assert "SECRET" not in (out / "run.json").read_text()
    assert not [path for path in out.iterdir() if "SECRET" in path.name]


def test_incomplete_series(folder, tmp_path):
    heights = {path: pydicom.dcmread(path).ImagePositionPatient[2] for path in folder.iterdir()}
    sorted(heights, key=heights.get)[4].unlink()
    with pytest.raises(InputError, match="not evenly spaced"):
        volume_of_series(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no DICOM series"):
        volume_of_series(tmp_path / "empty")


def test_empty_mask_says_why(folder):
    pytest.importorskip("highdicom")
    series = volume_of_series(folder)
    with pytest.raises(InputError, match="empty mask"):
        write_mask(series, np.zeros(series.values.shape, bool), folder.parent / "mask.seg.dcm")


def test_inputs_of_all_kinds(folder, tmp_path):
    sitk.WriteImage(sitk.Image(4, 4, 4, sitk.sitkUInt8), str(tmp_path / "study" / "scan.nrrd"))
    (tmp_path / "study" / "notes.txt").touch()
    (tmp_path / "study" / "picture.png").touch()
    assert find_volumes([tmp_path / "study"]) == [tmp_path / "study" / "scan.nrrd", folder]
    assert find_volumes([folder]) == [folder]
    assert find_volumes([tmp_path / "named"]) == [tmp_path / "named"]


def test_the_series_that_was_not_read_is_said(folder, values):
    assert volume_of_series(folder).remarks == ()
    for number in range(4):
        slice_ = pydicom.dcmread(folder / f"{number:03d}.dcm")
        slice_.SeriesInstanceUID, slice_.SOPInstanceUID = "1.2.3", generate_uid()
        slice_.save_as(folder / f"other{number}.dcm")
    series = volume_of_series(folder)
    assert np.array_equal(series.values, values)
    assert series.remarks == (
        "series 1 of 2 was read (10 axial slices of 24 x 20 px), not 2: 4 axial slices of 24 x 20 px"
        " (give a folder of one series)",
    )


def test_a_series_without_a_pixel_spacing_is_refused(folder):
    for path in folder.iterdir():
        slice_ = pydicom.dcmread(path)
        del slice_.PixelSpacing
        slice_.save_as(path)
    with pytest.raises(InputError, match="no pixel spacing"):
        volume_of_series(folder)


def test_one_voxel_that_is_no_number_does_not_hide_the_atrium(values, tmp_path):
    grey = values.astype(np.float32)
    grey[0, 0, 0] = np.nan
    sitk.WriteImage(sitk.GetImageFromArray(grey), str(tmp_path / "a.nrrd"))
    predictor = AtriumPredictor([Bright()], Geometry((1, 1, 1), (16, 16, 16), (1, 1, 1)), Bright())
    (entry,) = predict_files(predictor, [tmp_path / "a.nrrd"], tmp_path / "out")["written"]
    assert entry["voxels"] == (values > 500).sum()
    assert "1 of 4800 voxels are no number: they were taken for the lowest of the others" in entry["remarks"]


def changed(folder, numbers, **tags):
    """Other tags in some of the files."""
    for number in numbers:
        slice_ = pydicom.dcmread(folder / f"{number:03d}.dcm")
        for keyword, value in tags.items():
            setattr(slice_, keyword, value)
        if "PixelPaddingValue" in tags:
            slice_["PixelPaddingValue"].VR = "US"
        slice_.save_as(folder / f"{number:03d}.dcm")


def test_what_is_said_of_single_slices_reaches_the_user(folder, values, tmp_path):
    """Padding is no signal: it is the lowest of the others, here 40, in the two slices that name it."""
    bright = [number for number in range(10) if 900 in pydicom.dcmread(folder / f"{number:03d}.dcm").pixel_array]
    assert len(bright) == 4
    changed(folder, range(10), RescaleSlope=0, RescaleIntercept=0)
    changed(folder, bright[:2], PixelPaddingValue=900)
    series = volume_of_series(folder)
    assert (series.values == 900).sum() == (values == 900).sum() / 2
    assert series.values.min() == 40
    said = {
        "impossible rescale was ignored",
        "padding was taken for the lowest of the other values (2 of 10 slices)",
    }
    assert set(series.remarks) == said
    predictor = AtriumPredictor([Bright()], Geometry((5, 5, 5), (16, 16, 16), (5, 5, 5)), Bright())
    (entry,) = predict_files(predictor, [folder], tmp_path / "out")["written"]
    assert said <= set(entry["remarks"])


def test_inverted_slices_are_all_turned_over_about_one_value(folder, values):
    """Slices of different brightness: 4095 - stored in each, whatever its own least and greatest value are."""
    changed(folder, range(10), PhotometricInterpretation="MONOCHROME1", BitsStored=12, HighBit=11)
    series = volume_of_series(folder)
    assert np.array_equal(series.values, 4095.0 - values)
    assert series.remarks == ("the grey scale is stored inverted and was inverted back",)


def enhanced(folder, path, scout):
    """The same slices as the frames of one enhanced MR file, in the order of no place; a scout among them or not."""
    sources = [pydicom.dcmread(path) for path in sorted(folder.iterdir())]
    whole = pydicom.dcmread(sorted(folder.iterdir())[0])
    for tag in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"):
        del whole[tag]
    whole.file_meta.MediaStorageSOPClassUID = whole.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4.1"
    whole.file_meta.MediaStorageSOPInstanceUID = whole.SOPInstanceUID = generate_uid()
    groups = []
    for source in [*sources, sources[0]]:
        group, place, plane, measures = (pydicom.Dataset() for _ in range(4))
        measures.PixelSpacing, measures.SliceThickness = list(SPACING_MM), STEP_MM
        group.PixelMeasuresSequence = [measures]
        place.ImagePositionPatient = source.ImagePositionPatient
        plane.ImageOrientationPatient = source.ImageOrientationPatient
        group.PlanePositionSequence, group.PlaneOrientationSequence = [place], [plane]
        groups.append(group)
    groups[-1].PlaneOrientationSequence[0] = pydicom.Dataset()
    groups[-1].PlaneOrientationSequence[0].ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    shared, note = pydicom.Dataset(), pydicom.Dataset()
    note.FrameComments = NAME
    shared.FrameContentSequence = [note]
    groups = groups if scout else groups[:-1]
    whole.SharedFunctionalGroupsSequence, whole.PerFrameFunctionalGroupsSequence = [shared], groups
    whole.NumberOfFrames = len(groups)
    pixels = [source.pixel_array for source in sources]
    whole.PixelData = np.stack([*pixels, np.zeros_like(pixels[0])][: len(groups)]).tobytes()
    whole.save_as(path, enforce_file_format=True)
    return path


@pytest.fixture
def frames(folder):
    return enhanced(folder, folder.parent / "frames.dcm", scout=True)


def test_frames_of_one_file_are_the_volume_of_the_series(folder, frames, values):
    """Where each pixel lies is worked out from the headers by hand (PS3.3 C.7.6.2.1.1)."""
    volume, series = volume_of(frames), volume_of(folder)
    assert np.array_equal(volume.values, values)
    assert volume.grid.same(series.grid)
    header = pydicom.dcmread(frames)
    for k, frame in enumerate(volume.frames):
        place = header.PerFrameFunctionalGroupsSequence[frame].PlanePositionSequence[0].ImagePositionPatient
        row, column = 7, 11
        lps = np.array(place, float) + column * SPACING_MM[1] * ACROSS + row * SPACING_MM[0] * DOWN
        assert volume.grid.to_mm(np.array([[column, row, k]]))[0] == pytest.approx(lps * (-1, -1, 1), abs=1e-4)
    (said,) = [remark for remark in volume.remarks if "series" in remark]
    assert "10 " in said.split(", not ")[0]


def test_frames_without_places_and_single_slices_are_no_volume(folder, frames, tmp_path):
    header = pydicom.dcmread(frames)
    del header.PerFrameFunctionalGroupsSequence[2].PlanePositionSequence
    header.save_as(tmp_path / "lost.dcm")
    with pytest.raises(InputError, match="does not say where they lie"):
        volume_of(tmp_path / "lost.dcm")
    with pytest.raises(InputError, match="is one slice, not a volume"):
        volume_of(next(folder.iterdir()))


def test_a_segmentation_of_frames_refers_to_them(folder, values, tmp_path):
    pytest.importorskip("highdicom")
    frames = enhanced(folder, tmp_path / "frames.dcm", scout=False)
    spacing = (STEP_MM, *SPACING_MM)
    predictor = AtriumPredictor([Bright()], Geometry(spacing, (16, 16, 16), spacing), Bright())
    run = predict_files(predictor, [frames], tmp_path / "out")
    assert run["failed"] == []
    assert [entry["mask"] for entry in run["written"]] == ["frames.seg.dcm"]
    found, source = pydicom.dcmread(tmp_path / "out" / "frames.seg.dcm"), pydicom.dcmread(frames)
    assert found.FrameOfReferenceUID == source.FrameOfReferenceUID
    marked = found.pixel_array
    assert len(marked) == 4
    for frame, group in zip(marked, found.PerFrameFunctionalGroupsSequence, strict=True):
        height = float(group.PlanePositionSequence[0].ImagePositionPatient[2])
        assert np.array_equal(frame != 0, values[round((height - 33.0) / STEP_MM)] > 500)
        referred = group.DerivationImageSequence[0].SourceImageSequence[0]
        assert referred.ReferencedSOPInstanceUID == source.SOPInstanceUID
        assert np.array_equal(source.pixel_array[int(referred.ReferencedFrameNumber) - 1] > 500, frame != 0)
    assert str(found).count(NAME) == 1  # the patient's name of the study, no comment of a frame


def test_a_modality_that_the_model_was_not_made_for_is_said(folder, values, tmp_path):
    """By its file or, of formats that say none, by Hounsfield units: a CT got its atrium of LGE MR without a word."""
    predictor = AtriumPredictor([Bright()], Geometry((5, 5, 5), (16, 16, 16), (5, 5, 5)), Bright())
    hounsfield = np.where(values > 500, 60, -1000).astype(np.int16)
    hounsfield[:, :3] = 40
    hounsfield[:, 3] = 400
    sitk.WriteImage(sitk.GetImageFromArray(hounsfield), str(tmp_path / "ct.nrrd"))
    sitk.WriteImage(sitk.GetImageFromArray(values), str(tmp_path / "mr.nrrd"))
    inputs = [folder, tmp_path / "ct.nrrd", tmp_path / "mr.nrrd"]
    words = "and the model was taught on MR: the mask may be wrong"
    for modality, made_for, said in (
        ("MR", ("MR",), [None, "its grey values are those of CT", None]),
        ("CT", ("MR",), ["its file says CT", "its grey values are those of CT", None]),
        ("CT", ("CT", "MR"), [None, None, None]),
        ("CT", (), [None, None, None]),
    ):
        changed(folder, range(10), Modality=modality)
        predictor.modalities = made_for
        done = predict_files(predictor, inputs, tmp_path / "out", again=True)
        found = [[r for r in entry["remarks"] if r.endswith(words)] for entry in done["written"]]
        assert found == [[f"{one}, {words}"] if one else [] for one in said]


def test_the_released_model_knows_what_it_was_made_for():
    assert load_predictor(["atrium-vnet"], device="cpu").modalities == ("MR",)

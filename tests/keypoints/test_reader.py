"""Reader: what is decided about a picture, whoever says it; one phantom is one reading however it is stored."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

from spinetk.errors import InputError
from spinetk.geometry import OPPOSITE, TURNS, Frame, turn
from spinetk.images import Picture
from spinetk.keypoints.network import VertebraRCNN
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.preset import FAST
from spinetk.keypoints.reader import Reader
from spinetk.keypoints.torch_engine import TorchEngine
from spinetk.keypoints.viewing.sight import Sight
from spinetk.measure.again import measure_again
from spinetk.overrides import Overrides
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA6
from spinetk.upright import Upright


def corners(points: np.ndarray) -> np.ndarray:
    """Six points of a bright box: the box of its px turned as it lies, left and right as seen."""
    (_, (wide, high), angle) = box = cv2.minAreaRect(points.astype(np.float32))
    ends = cv2.boxPoints(box)
    del wide, high, angle
    ends = ends[np.argsort(ends[:, 1])]
    top, bottom = ends[:2][np.argsort(ends[:2, 0])], ends[2:][np.argsort(ends[2:, 0])]
    return np.array([bottom[0], bottom.mean(0), bottom[1], top[1], top.mean(0), top[0]]) + 0.5


@pytest.fixture(scope="module")
def seer() -> Predictor:
    """A predictor whose network sees bright bodies wherever they stand in its input, and nothing else."""
    torch.manual_seed(0)
    predictor = Predictor(TorchEngine(VertebraRCNN(FAST, VERTEBRA6), "cpu"), "seer", 0.6)

    def seen(pictures):
        grey = pictures[0][0].numpy()
        parts = cv2.connectedComponents((grey > np.median(grey) + 0.5 * np.ptp(grey)).astype(np.uint8))[1]
        bodies = [np.argwhere(parts == k)[:, ::-1] for k in range(1, parts.max() + 1)]
        points = [corners(body) for body in bodies if len(body) > 80]
        count = len(points)
        stacked = np.array(points, np.float32).reshape(count, 6, 2)
        ones = torch.ones(count)
        return [
            {"boxes": torch.zeros(count, 4), "scores": ones, "points": torch.from_numpy(stacked),
             "point_scores": torch.ones(count, 6), "sigma": torch.full((count, 6), 0.1)}
        ]  # fmt: skip

    predictor.engine.network.detect = seen
    return predictor


def film(bodies: int = 5, step: int = 80) -> np.ndarray:
    """(H, W) uint8: a column of bodies that tilts more and more, so that no turn of it looks like another."""
    picture = np.full((bodies * step + 40, 260), 30, np.uint8)
    for k in range(bodies):
        centre = (100.0 + 6 * k * k / 2, 50.0 + step * k)
        box = cv2.boxPoints((centre, (80.0 - 2 * k, 44.0), 3.0 * k - 4))
        cv2.fillPoly(picture, [np.round(box * 16).astype(np.int32)], 220, shift=4)
    return picture


def stored_as(picture: np.ndarray, number: int, aspect: float) -> np.ndarray:
    """The picture stored so that ``number`` turns it upright, with px ``aspect`` times as high as wide."""
    back = {6: 8, 8: 6}.get(number, number)
    lying = turn(picture, back)
    return cv2.resize(lying, (lying.shape[1], round(lying.shape[0] / aspect)), interpolation=cv2.INTER_AREA)


def letters(number: int) -> tuple[str, str]:
    """Patient directions of +x and +y of a sagittal picture that ``number`` turns to face left, head up."""
    found = ["", ""]
    for (a, b), upright in zip(TURNS[number], ("P", "F"), strict=True):
        axis = 0 if a else 1
        found[axis] = upright if (a or b) > 0 else OPPOSITE[upright]
    return found[0], found[1]


COSINES = {"P": (0, 1, 0), "A": (0, -1, 0), "H": (0, 0, 1), "F": (0, 0, -1)}


def dicom(path, picture, number, aspect, source) -> None:
    right, bottom = letters(number)
    tags = Dataset()
    tags.file_meta = FileMetaDataset()
    tags.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    tags.SOPClassUID = MRImageStorage if source == "cosines" else ComputedRadiographyImageStorage
    tags.file_meta.MediaStorageSOPClassUID = tags.SOPClassUID
    tags.SOPInstanceUID = tags.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    tags.Modality = "MR" if source == "cosines" else "CR"
    tags.PixelSpacing = [0.5 * aspect, 0.5]
    if source == "cosines":
        tags.ImageOrientationPatient = [*COSINES[right], *COSINES[bottom]]
        tags.ImagePositionPatient = [0, 0, 0]
    else:
        tags.PatientOrientation = [right, bottom]
    tags.SamplesPerPixel, tags.PhotometricInterpretation = 1, "MONOCHROME2"
    tags.Rows, tags.Columns = picture.shape
    tags.BitsAllocated = tags.BitsStored = 8
    tags.HighBit, tags.PixelRepresentation = 7, 0
    tags.PixelData = picture.tobytes() + b"\0" * (picture.size % 2)
    tags["PixelData"].VR = "OB"
    tags.save_as(path, enforce_file_format=True)


def nifti(path, picture, number, aspect) -> None:
    import nibabel

    right, bottom = letters(number)
    affine = np.eye(4)
    # NIfTI points right, anterior, head; DICOM left, posterior, head.
    affine[:3, 0] = np.array(COSINES[right]) * (-1, -1, 1) * 0.5
    affine[:3, 1] = np.array(COSINES[bottom]) * (-1, -1, 1) * 0.5 * aspect
    affine[:3, 2] = (1, 0, 0)
    image = nibabel.Nifti1Image(picture.T[:, :, None].astype(np.int16), affine)
    image.set_sform(affine, 1)
    image.set_qform(None, 0)
    image.to_filename(path)


def save(tmp_path, picture, number, aspect, source):
    if source == "nifti":
        path = tmp_path / "a.nii.gz"
        nifti(path, picture, number, aspect)
    elif source == "exif":
        path = tmp_path / "a.png"
        exif = Image.Exif()
        exif[274] = number
        Image.fromarray(picture).save(path, exif=exif)
    else:
        path = tmp_path / "a.dcm"
        dicom(path, picture, number, aspect, source)
    return path


@pytest.mark.parametrize("source", ["letters", "cosines", "nifti", "exif"])
def test_one_phantom_is_one_reading_however_it_is_stored(seer, tmp_path, source):
    """The eight ways to store it, square px and oblong: the same bodies in px as stored, the same names and angles."""
    reader, upright = Reader(seer), film()
    said = Overrides(view="sagittal", spacing_mm=None, anchor="L5=last")
    first = None
    for number, aspect in itertools.product(TURNS, (1.0, 1.5)):
        picture = stored_as(upright, number, aspect)
        here = said if source != "exif" else Overrides("sagittal", (0.5 * aspect, 0.5), "left", "L5=last")
        reading, grey = reader.read(save(tmp_path, picture, number, aspect, source), here)
        assert grey.shape == (reading.height, reading.width)
        told = hashlib.sha256(f"({reading.height}, {reading.width})".encode() + grey.tobytes())
        assert reading.pixels_sha256 == told.hexdigest()
        assert (reading.stored_sha256 is not None) == (source in ("letters", "cosines"))
        assert [v.label for v in reading.vertebrae] == ["L1", "L2", "L3", "L4", "L5"], (number, aspect)
        centres = np.array([v.centre for v in reading.vertebrae])
        columns, rows = np.floor(centres).astype(int).T
        if source == "nifti":  # slices of volumes are read with square px, rows toward the feet
            assert (grey[rows, columns] > 150).all()
            way = Upright.of(reading.frame, grey.shape)
            back = way.to_upright(centres) - np.array(way.size)[::-1] / 2
        else:
            assert grey.shape == picture.shape
            assert (picture[rows, columns] > 150).all()
            middle = np.array(picture.shape)[::-1] / 2
            back = (centres - middle) * (1, aspect) @ np.array(TURNS[number]).T
        angles = {k: v for k, v in reading.angles.items() if k in ("cobb_max", "lordosis_l1_l5")}
        if first is None:
            first = (back, angles)
        np.testing.assert_allclose(back, first[0], atol=0.5)
        for name, value in angles.items():
            assert abs(abs(value) - abs(first[1][name])) < 0.5, (number, aspect, name)


def picture_of(view="unknown", modality=None, **fields) -> Picture:
    return Picture(film().astype(np.float32), view=view, modality=modality, **fields)


def read(reader, picture, view=None, **said) -> Reading:
    return reader.read_picture(picture, "x.dcm", Overrides(view, **said))[0]


def test_the_users_word_stands_above_the_file_and_is_remarked(seer):
    reading = read(Reader(seer), picture_of("lateral", "CR"), "ap")
    assert reading.view == "ap"
    assert any("against the file" in remark for remark in reading.remarks)
    assert all(v.measures["deformity"] is None for v in reading.vertebrae)
    same = read(Reader(seer, "ap"), picture_of("ap", "CR"))
    assert not any("against" in remark for remark in same.remarks)


@pytest.mark.parametrize(
    ("anchor", "said"),
    [
        (None, ["levels: counted, right with probability 0.97"]),
        ("L4=last", []),
        ("L5=last", ["levels: by the user's word, against the network, which counted T12 to L4"]),
    ],
)
def test_levels_by_the_users_word_stand_alone(seer, monkeypatch, anchor, said):
    """What was said of the network's names is dropped with them, and a contradiction is said."""
    found = Reader._found

    def counted(*arguments):
        reading = found(*arguments)
        for vertebra, label in zip(reading.vertebrae, ["T12", "L1", "L2", "L3", "L4"], strict=True):
            vertebra.label = label
        reading.remarks.append("levels: counted, right with probability 0.97")
        return replace(reading, label_probability=0.97)

    monkeypatch.setattr(Reader, "_found", counted)
    reading = read(Reader(seer), picture_of("lateral", "CR"), anchor=anchor)
    assert [remark for remark in reading.remarks if remark.startswith("levels: ")] == said
    assert [v.label for v in reading.vertebrae][-1] == (anchor or "L4=last")[:2]
    assert reading.label_probability == (0.97 if anchor is None else None)


def test_view_by_look_by_modality_by_model(seer, monkeypatch):
    looked = []

    def look(grey):
        looked.append(grey.shape)
        return Sight("lateral", 0.97, 1)

    assert read(Reader(seer, view_finder=look), picture_of()).view == "lateral"
    assert read(Reader(seer, view_finder=lambda grey: Sight("lateral", 0.5)), picture_of()).view == "unknown"
    assert read(Reader(seer, view_finder=look), picture_of("ap", "CR")).view == "ap"
    assert read(Reader(seer), picture_of(modality="MR")).view == "sagittal"
    assert looked[0] == film().shape
    monkeypatch.setattr(seer, "views", ("ap",), raising=False)
    reading = read(Reader(seer), picture_of())
    assert reading.view == "ap"
    assert any("was made for" in remark for remark in reading.remarks)
    assert read(Reader(seer), picture_of("lateral")).not_graded is not None


def test_the_look_turns_a_picture_that_nothing_else_turns(seer):
    lying = turn(film(), 8)
    picture = Picture(lying.astype(np.float32), view="lateral")
    reading = read(Reader(seer, view_finder=lambda grey: Sight("lateral", 0.99, 6)), picture, anchor="L5=last")
    assert reading.frame == Frame(exif_orientation=6)
    assert [v.label for v in reading.vertebrae] == ["L1", "L2", "L3", "L4", "L5"]
    # Head up, by a quarter clockwise, is the left side of the picture as stored.
    assert reading.vertebrae[0].centre[0] < reading.vertebrae[-1].centre[0]


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (picture_of("axial", "MR"), "axial slice"),
        (picture_of("coronal", "CT"), "coronal slice"),
        (Picture(np.zeros((16, 16), np.float32), view="ap"), "thumbnail"),
        (picture_of("sagittal", "MR", frame=Frame((0.002 * 3, 0.002 * 3))), "vertebral bodies are 4 to 60 mm"),
        (picture_of("sagittal", "MR", frame=Frame((5.0, 5.0))), "vertebral bodies are 4 to 60 mm"),
    ],
)
def test_what_cannot_be_a_spine_is_refused(seer, picture, words):
    with pytest.raises(InputError, match=words):
        read(Reader(seer), picture)


def test_what_headers_rule_out_is_refused_or_not_graded(seer, monkeypatch):
    reader = Reader()
    hip = picture_of("lateral", "CR", body_part="HIP")
    with pytest.raises(InputError, match="BodyPartExamined is HIP"):
        read(reader, hip)
    for picture in (picture_of("unknown", "XA"), picture_of("unknown", "PT"), picture_of("sagittal", "CT")):
        if not any("CT" in modalities for _, modalities in reader.models.made_for.values()):
            with pytest.raises(InputError, match=r"which view|no released model reads"):
                read(reader, picture)
    # The user insists: points, a remark, no grade; and measuring the result again grades it no more.
    monkeypatch.setattr(seer, "views", ("sagittal",), raising=False)
    monkeypatch.setattr(seer, "modalities", ("MR",), raising=False)
    for picture in (hip, picture_of("sagittal", "CT")):
        insisted = read(Reader(seer), picture, facing="left")
        assert insisted.not_graded
        assert any(insisted.not_graded in remark for remark in insisted.remarks)
        again = measure_again(Reading.from_json(insisted.to_json()))
        for reading in (insisted, again):
            assert len(reading.vertebrae) == 5
            assert all(v.measures["deformity"] is None for v in reading.vertebrae)


def test_a_film_of_the_neck_is_read_with_a_remark_where_no_model_knows_necks(seer, monkeypatch):
    reader = Reader()
    monkeypatch.delitem(reader.models.made_for, "xray-cervical")
    monkeypatch.setattr(reader.models, "pick", lambda *_: seer)
    necks = [read(reader, picture_of("lateral", "CR", body_part=part)).remarks for part in ("CSPINE", "LSPINE")]
    said = [any("no released model was taught on necks" in remark for remark in remarks) for remarks in necks]
    assert said == [True, False]
    named = read(Reader(seer), picture_of("lateral", "CR", body_part="CSPINE"))
    assert not any("neck" in remark for remark in named.remarks)  # a model of the user's own may be made for it
    found = seer.read

    def counted(*args, **fields):
        reading = found(*args, **fields)
        for vertebra, label in zip(reading.vertebrae, ("L1", "L2", "L3", "L4", "L5"), strict=True):
            vertebra.label = label
        return reading

    monkeypatch.setattr(seer, "read", counted)
    remarks = read(Reader(seer), picture_of("lateral", "CR", body_part="CHEST")).remarks
    assert "levels: named L1 to L5, but BodyPartExamined is CHEST" in remarks


def test_a_lone_body_is_not_graded(seer):
    reading = read(Reader(seer), Picture(film(1, 160).astype(np.float32), view="lateral"), facing="left")
    (body,) = reading.vertebrae
    assert body.measures["deformity"] is None
    assert "no other body" in body.measures["deformity_reason"]


def test_measuring_an_untouched_result_changes_nothing(seer):
    frame = Frame((0.5, 0.5), "PixelSpacing")
    for view, said in (("lateral", {"facing": "right"}), ("ap", {}), ("unknown", {})):
        reading = read(Reader(seer), picture_of(view, "CR", frame=frame), anchor="L5=last", **said)
        content = reading.to_json()
        assert measure_again(Reading.from_json(content)).to_json() == content

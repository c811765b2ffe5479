"""Series of a folder and frames of a file: which is read, what is said, which file it was."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from image_seeds import dicom, enhanced, head, to_bytes
from PIL import Image
from test_images_stacks_whole import AXIAL, SAGITTAL

from spinetk.errors import InputError
from spinetk.images import find_series, read_picture, series, source
from spinetk.images.headers import open_header
from spinetk.images.picture import Picture, pixel_hash
from spinetk.images.series import frame_series, main_series, pick, said_of_frames, scan
from spinetk.images.window import to_uint8
from spinetk.reading import Reading
from spinetk.schema import VERTEBRA4


def save(path: Path, ds):
    path.write_bytes(to_bytes(ds))
    return path


def saved(folder, name, place, axes=SAGITTAL, size=(8, 5), level=0, **tags):
    tags = {"Modality": "MR", "PixelSpacing": [1, 1], "SOPInstanceUID": f"1.2.{name}"} | tags
    pixels = np.full(size, level, np.uint16)
    cosines = {"ImageOrientationPatient": [*axes[0], *axes[1]], "ImagePositionPatient": list(place)}
    return save(folder / name, dicom(pixels, **cosines, **tags))


def test_a_folder_by_series(tmp_path):
    """Five sagittal slices come before six axial ones, four do not; a slice alone is no series."""
    for k in range(6):
        saved(tmp_path, f"a{k}", (0, 0, 4 * k), AXIAL)
    for k in range(4):
        saved(tmp_path, f"s{k}", (4 * k, 0, 0))
    saved(tmp_path, "alone", (0, 0, 0), size=(9, 9))
    (tmp_path / "notes").write_text("no picture, and no header")
    (tmp_path / "empty").write_bytes(b"")
    groups, others = scan(tmp_path)
    assert others == []
    assert [[one.path.name for one in group] for group in groups.values()] == [
        [f"a{k}" for k in range(6)], [f"s{k}" for k in range(4)],
    ]  # fmt: skip
    assert [len(key) for key in groups] == [12, 12]
    assert find_series(tmp_path) == {key: [one.path for one in group] for key, group in groups.items()}
    saved(tmp_path, "s4", (16, 0, 0))
    groups, _ = scan(tmp_path)
    assert [len(group) for group in groups.values()] == [5, 6]
    key, slices, remarks = main_series(tmp_path, 2)
    assert (key, len(slices)) == (list(groups)[1], 6)
    assert remarks == [
        "series 2 of 2 was read (6 axial slices of 5 x 8 px), not 1: 5 sagittal slices of 5 x 8 px (--series chooses)"
    ]
    assert pick(groups, key, "a", "choose")[2] == [remarks[0].replace("--series chooses", "choose")]
    first = groups[next(iter(groups))][0]
    assert first.plane.size == (8, 5)
    assert first.plane.spacing_mm == (1, 1)
    assert first.plane.scaled
    assert first.plane.position.tolist() == [0, 0, 0]


def test_series_that_are_not_there(tmp_path):
    saved(tmp_path, "a", (0, 0, 0))
    saved(tmp_path, "b", (4, 0, 0))
    groups, _ = scan(tmp_path)
    for asked in (0, 2, -1, "2", "x", 1.5):
        with pytest.raises(InputError) as error:
            pick(groups, asked, "folder")
        assert str(error.value) == (f"folder: has no series {asked} among its 1 (see `spinetk info` for their numbers)")
    for asked in (None, 1, "1", next(iter(groups))):
        assert pick(groups, asked, "folder") == (next(iter(groups)), groups[next(iter(groups))], [])
    with pytest.raises(InputError) as error:
        pick({}, None, "folder")
    assert str(error.value) == ("folder: is a folder without a DICOM series (give its pictures themselves: FOLDER/*)")
    assert said_of_frames(0) == []
    assert said_of_frames(1) == [
        "1 DICOM file of several frames was left out of the folder's series: give such a file by its name"
    ]
    assert said_of_frames(2) == [
        "2 DICOM files of several frames were left out of the folder's series: give such a file by its name"
    ]


def test_folders_of_too_many_files(tmp_path, monkeypatch):
    for k in range(3):
        saved(tmp_path, str(k), (k, 0, 0))
    monkeypatch.setattr(series, "MAX_SLICES", 3)
    assert [len(group) for group in scan(tmp_path)[0].values()] == [3]
    monkeypatch.setattr(series, "MAX_SLICES", 2)
    with pytest.raises(InputError) as error:
        scan(tmp_path)
    assert str(error.value) == f"{tmp_path}: holds more than 2 DICOM files (give one series at a time)"


def test_files_that_belong_to_no_series(tmp_path):
    for k in range(2):
        saved(tmp_path, f"a{k}", (4 * k, 0, 0))
    for name, changed in (("rows", "Rows"), ("pixels", "PixelData"), ("place", "ImagePositionPatient"),
                          ("axes", "ImageOrientationPatient")):  # fmt: skip
        path = saved(tmp_path, name, (8, 0, 0))
        ds = pydicom.dcmread(path)
        delattr(ds, changed)
        save(path, ds)
    frames = np.zeros((3, 8, 5), np.uint16)
    save(tmp_path / "frames", dicom(frames, frames=3))
    save(tmp_path / "mask", dicom(frames, frames=3, Modality="SEG"))
    save(tmp_path / "dose", dicom(frames, frames=3, Modality="RTDOSE"))
    groups, others = scan(tmp_path)
    assert [[one.path.name for one in group] for group in groups.values()] == [["a0", "a1"]]
    assert others == [tmp_path / "frames"]


@pytest.mark.parametrize(
    ("first", "second", "stacks"),
    [
        ([0.5, 0.5], [0.504, 0.5], 1),
        ([0.5, 0.5], [0.506, 0.5], 2),
        ([0.5, 0.5], [0.5, 0.506], 2),
        ([0.5, 0.5], None, 2),
        (None, None, 1),
    ],
)
def test_pixel_spacings_of_one_stack(tmp_path, first, second, stacks):
    for k in range(4):
        spacing = first if k < 2 else second
        ds = dicom(np.zeros((8, 5), np.uint16), Modality="MR", ImagePositionPatient=[4 * k, 0, 0],
                   ImageOrientationPatient=[0, 1, 0, 0, 0, -1])  # fmt: skip
        if spacing is not None:
            ds.PixelSpacing = spacing
        save(tmp_path / str(k), ds)
    groups, _ = scan(tmp_path)
    assert len(groups) == stacks
    found = [group[0].traits.get("pixel spacing") for group in groups.values()]
    names = [None if s is None else f"{s[0]:.3g} x {s[1]:.3g} mm" for s in (first, second)]
    assert found == ([None] if stacks == 1 else [name or "unknown" for name in names])
    assert [group[0].plane.scaled for group in groups.values()] == [s is not None for s in (first, second)][:stacks]


@pytest.mark.parametrize(("turn", "stacks"), [(0.049, 1), (0.051, 2)])
def test_directions_of_one_stack(tmp_path, turn, stacks):
    for k in range(4):
        lean = turn if k > 1 else 0
        saved(tmp_path, str(k), (4 * k, 0, 0), ([lean, 1.0, 0], [0, 0, -1.0]))
    groups, _ = scan(tmp_path)
    assert len(groups) == stacks


def test_frames_that_are_no_volume(tmp_path):
    frames = np.arange(4, dtype=np.uint16)[:, None, None] * np.ones((1, 8, 5), np.uint16)
    ds = enhanced(frames, *SAGITTAL, [0, 0, 0], [1, 1])
    header = open_header(save(tmp_path / "a.dcm", ds))
    with header.stream:
        assert frame_series(header) == {}  # all at one place
    picture = read_picture(tmp_path / "a.dcm")
    assert picture.remarks == ("frame 3 of 4 was read, counted by number, not by place",)
    assert (picture.slices, picture.slice, picture.pixels[0, 0], picture.series) == (4, 2, 2, None)
    ds = enhanced(frames, *SAGITTAL, [3, 0, 0], [1, 1])
    del ds.PerFrameFunctionalGroupsSequence[2].PlanePositionSequence
    header = open_header(save(tmp_path / "a.dcm", ds))
    with header.stream:
        assert frame_series(header) == {}
    ds = enhanced(frames, *SAGITTAL, [0, 0, 0], [1, 1])
    for k, group in enumerate(ds.PerFrameFunctionalGroupsSequence):
        group.MREchoSequence = [head(EffectiveEchoTime=10.0 * (1 + k % 2))]
    header = open_header(save(tmp_path / "a.dcm", ds))
    with header.stream:
        groups = frame_series(header)
    assert [[one.plane.index for one in group] for group in groups.values()] == [[0, 2], [1, 3]]
    assert all(one.path is None for group in groups.values() for one in group)
    with pytest.raises(InputError) as error:
        read_picture(tmp_path / "a.dcm", series=3)
    assert str(error.value) == (
        f"{tmp_path / 'a.dcm'}: has no series 3 among its 2 (see `spinetk info` for their numbers)"
    )


def test_a_reformation_whole(tmp_path):
    """Two of six slices have padding, all are inverted; the picture is none of them."""
    for k in range(6):
        tags = {"Modality": "CT", "PhotometricInterpretation": "MONOCHROME1", "BitsStored": 8, "HighBit": 7}
        pixels = np.full((6, 5), 10 * k, np.uint16)
        if k in (2, 3):
            pixels[0, 0], tags["PixelPaddingValue"] = 200, 200
        cosines = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "ImagePositionPatient": [0, 0, k]}
        save(tmp_path / f"{k}.dcm", dicom(pixels, PixelSpacing=[1, 1], BodyPartExamined="LSPINE", **cosines, **tags))
    picture = read_picture(tmp_path)
    assert picture.remarks == (
        "the grey scale is stored inverted and was inverted back",
        "padding was taken for the lowest of the other values (2 of 6 slices)",
        "mid-sagittal reformation of 6 slices at 1 mm",
    )
    np.testing.assert_allclose(picture.pixels, np.repeat(255 - np.arange(50.0, -1, -10)[:, None], 6, axis=1), atol=1e-3)
    assert (picture.inverted, picture.padding, picture.view, picture.body_part) == (False, None, "sagittal", "LSPINE")
    assert (picture.slices, picture.slice, picture.modality, picture.kind) == (1, 0, "CT", "series")
    for choice in (0, "central", "most-spine"):
        np.testing.assert_array_equal(read_picture(tmp_path, slice_choice=choice).pixels, picture.pixels)
    with pytest.raises(InputError, match="slice: 2 is not among the 1 there are"):
        read_picture(tmp_path, slice_choice=1)
    with pytest.raises(InputError) as error:
        source.dicom_source(tmp_path)
    assert error.value.source == str(tmp_path)
    section = source.stored_or_section(tmp_path)
    assert section.size == (6, 6)
    assert section.step_mm == 1


def test_the_stored_picture_that_was_read(tmp_path):
    for k in range(5):
        saved(tmp_path, f"{k}.dcm", (4 * k, 0, 0), level=k)
    assert source.dicom_source(tmp_path) == (tmp_path / "2.dcm", None)
    assert source.dicom_source(tmp_path, 0) == (tmp_path / "4.dcm", None)  # counted along the normal
    assert source.dicom_source(str(tmp_path), 4) == (tmp_path / "0.dcm", None)
    assert source.dicom_source(tmp_path / "3.dcm") == (tmp_path / "3.dcm", None)
    for place in (5, -1):
        with pytest.raises(InputError) as error:
            source.dicom_source(tmp_path, place)
        assert str(error.value) == f"{tmp_path}: has no slice {place + 1} any more (read it again)"
    frames = np.zeros((5, 8, 5), np.uint16)
    path = save(tmp_path / "frames", dicom(frames, frames=5))
    assert source.dicom_source(path) == (path, 2)
    assert source.dicom_source(path, 4) == (path, 4)
    path = save(tmp_path / "volume", enhanced(frames, *SAGITTAL, [3, 0, 0], [1, 1]))
    assert source.dicom_source(path) == (path, 2)
    assert source.dicom_source(path, 0) == (path, 4)
    assert source.dicom_source(path, series=1) == (path, 2)


def test_a_picture_is_known_again_by_its_pixels(tmp_path):
    """SHA-256 of the shape and the bytes, row after row."""
    grey = np.arange(6, dtype=np.uint8).reshape(2, 3)
    digest = hashlib.sha256(b"(2, 3)" + bytes(range(6))).hexdigest()
    assert pixel_hash(grey) == pixel_hash(np.asfortranarray(grey)) == digest
    assert pixel_hash(grey.reshape(3, 2)) != digest
    picture = Picture(grey.astype(np.float32), stored_sha256="d")
    for known, stored, same in (
        (None, None, True), (digest, None, True), ("", None, False), (digest.upper(), None, False), ("", "d", True),
        ("", "e", False), (digest, "e", True),
    ):  # fmt: skip
        about = Reading("a", 2, 3, VERTEBRA4, pixels_sha256=known, stored_sha256=stored)
        assert source.is_same(picture, grey, about) == same
    assert not source.is_same(Picture(grey.astype(np.float32)), grey, Reading("a", 2, 3, VERTEBRA4, pixels_sha256=""))
    path = tmp_path / "a.png"
    Image.fromarray(grey).save(path)
    window = to_uint8(grey)
    for known, height, refused in ((None, 2, False), (pixel_hash(window), 2, False), ("x", 3, False), ("x", 2, True)):
        reading = Reading(str(path), height, 3, VERTEBRA4, pixels_sha256=known)
        if refused:
            with pytest.raises(InputError) as error:
                source.seen_of(reading)
            assert str(error.value) == (
                f"{path}: is not the picture that was read: its pixels differ (put that one back, or predict again)"
            )
        else:
            picture, seen = source.seen_of(reading)
            assert (picture.pixels == grey).all()
            np.testing.assert_array_equal(seen, window)

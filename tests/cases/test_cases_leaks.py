"""Leaks: whichever way slices of a volume come in, ``split`` never puts one volume into two parts."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import cv2
import nibabel
import numpy as np
import pytest
from slices import slice_file

from spinetk.atomic import write_json
from spinetk.cases.exporting import export
from spinetk.cases.folder import CaseFolder, read_pixels, read_record
from spinetk.cases.preparation import prepare
from spinetk.cases.splitting import make_split
from spinetk.errors import InputError
from spinetk.formats.record import record_of
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6

VOLUMES, SLICES, SIZE = 6, 5, (96, 80)
BODY = np.array([[20.5, 60], [40, 60], [60, 60], [60, 30], [40, 30], [21, 30]])
MARK = SIZE[0] // VOLUMES  # rows of the bright block at both edges that tells which volume a picture is of


def volume(number: int) -> np.ndarray:
    """(SLICES, H, W) grey values; neighbours are alike, as slices 2 mm apart are."""
    random = np.random.default_rng(number)
    ends = [cv2.GaussianBlur(random.normal(0, 1, SIZE), (0, 0), 3) for _ in range(2)]
    slices = [ends[0] + 0.08 * k * ends[1] for k in range(SLICES)]
    values = np.stack([100 + 300 * (s - s.min()) / np.ptp(s) for s in slices])
    values += random.normal(0, 4, values.shape)
    for columns in (slice(None, 6), slice(-6, None)):
        values[:, MARK * number : MARK * (number + 1), columns] = 900
    return values.clip(1, 1000).astype(np.uint16)


def volume_of(pixels: np.ndarray) -> int:
    return int(pixels[:, :5].mean(axis=1).argmax()) // MARK


def dicom(path: Path, pixels: np.ndarray, number: int, place: int = 0, **tags) -> Path:
    tags = {"SeriesInstanceUID": f"1.3.{number + 1}", **tags}
    return slice_file(path, pixels, f"1.2.{number + 1}.{place + 1}", -2 * place, **tags)


def truth(path: Path, **more) -> Reading:
    return Reading(str(path), *SIZE, VERTEBRA6, [Vertebra.from_points(BODY, label="L3")], view="sagittal", **more)


def beside(picture: Path) -> None:
    write_json(picture.with_suffix(".json"), record_of(truth(picture), picture.stem))


def plain(path: Path, pixels: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), (pixels // 4).astype(np.uint8))
    return path


def mask(picture: Path) -> None:
    label = np.zeros(SIZE, np.uint8)
    label[30:60, 20:60] = 1
    cv2.imwrite(str(picture.with_name(f"{picture.stem}_label.png")), label)


def slices():
    for number in range(VOLUMES):
        for place, pixels in enumerate(volume(number)):
            yield number, place, pixels


# Each way fills ``base``; the folder ``source`` is free.
def dicom_patients(source: Path, base: Path) -> None:
    """DICOM slices in one folder; a patient's slices are of two studies and series."""
    for number, place, pixels in slices():
        uids = {"StudyInstanceUID": f"1.4.{number}.{place % 2}", "SeriesInstanceUID": f"1.5.{number}.{place % 2}"}
        beside(dicom(source / f"{number}{place}.dcm", pixels, number, place, PatientID=f"P-{number}", **uids))
    prepare(source, base, progress=False)


def dicom_series_without_patient(source: Path, base: Path) -> None:
    for number, place, pixels in slices():
        beside(dicom(source / f"{number}{place}.dcm", pixels, number, place, PatientID="ANONYMOUS"))
    prepare(source, base, progress=False)


def some_slices_anonymised(source: Path, base: Path) -> None:
    """The same series comes twice: with its patient, and some slices with the PatientID removed."""
    for number, place, pixels in slices():
        tags = {"StudyInstanceUID": f"1.4.{number}", "PatientID": f"P-{number}" if place % 2 else "anon"}
        beside(dicom(source / f"{number}{place}.dcm", pixels, number, place, **tags))
    prepare(source, base, progress=False)


def masks_beside_dicom(source: Path, base: Path) -> None:
    for number, place, pixels in slices():
        mask(dicom(source / f"{place}-of-{number}.dcm", pixels, number, place))
    prepare(source, base, layout="masks", progress=False)


def masks_in_folders(source: Path, base: Path) -> None:
    for number, place, pixels in slices():
        mask(plain(source / f"someone-{number}" / f"{place}.png", pixels))
    prepare(source, base, layout="masks", progress=False)


def masks_with_slice_numbers(source: Path, base: Path) -> None:
    for number, place, pixels in slices():
        mask(plain(source / f"v{number}_slice{place:03d}.png", pixels))
    prepare(source, base, layout="masks", progress=False)


def flat_masks_with_numbers_alone(source: Path, base: Path) -> None:
    for number, place, pixels in slices():
        mask(plain(source / f"{1000 + 50 * number + place}.png", pixels))
    prepare(source, base, layout="masks", progress=False)


def bids_pictures(source: Path, base: Path) -> None:
    for number, place, pixels in slices():
        beside(
            plain(source / f"sub-{number:02d}" / "anat" / f"sub-{number:02d}_ses-{place % 2}_view-{place}.png", pixels)
        )
    prepare(source, base, progress=False)


def coco_with_patients(source: Path, base: Path) -> None:
    images, annotations = [], []
    for number, place, pixels in slices():
        name = plain(source / "images" / f"{place}of{number}.png", pixels).name
        key = len(images) + 1
        images.append({"id": key, "file_name": name, "width": SIZE[1], "height": SIZE[0], "patient": number})
        flat = [v for x, y in BODY for v in (x, y, 2)]
        box = {"bbox": [20, 30, 40, 30], "area": 1200, "iscrowd": 0, "category_id": 1, "num_keypoints": 6}
        annotations.append({"id": key, "image_id": key, "keypoints": flat, **box})
    categories = [{"id": 1, "name": "vertebra", "keypoints": list(VERTEBRA6.keypoints), "skeleton": []}]
    write_json(source / "set.json", {"images": images, "annotations": annotations, "categories": categories})
    prepare(source / "set.json", base, progress=False)


def coco_of_a_case_folder(source: Path, base: Path) -> None:
    dicom_patients(source / "dicom", source / "cases")
    export(source / "cases", source / "cases" / "set.json")
    prepare(source / "cases" / "set.json", base, layout="coco", progress=False)


def a_case_folder_without_its_metadata(source: Path, base: Path) -> None:
    dicom_patients(source / "dicom", source / "cases")
    (source / "cases" / "metadata.json").unlink()
    prepare(source / "cases", base, layout="ours", progress=False)


def results_of_volumes(source: Path, base: Path) -> None:
    """Results of ``predict`` about NIfTI volumes, and truth on further slices of the page."""
    for number in range(VOLUMES):
        values = volume(number)[:, ::-1].transpose(0, 2, 1)  # to the right, to the front, up
        path = source / f"{number}.nii.gz"
        source.mkdir(exist_ok=True)
        nibabel.Nifti1Image(np.ascontiguousarray(values), np.diag([2.0, 1, 1, 1])).to_filename(path)
        save_on_the_page(path, base, range(SLICES))


def page_series(source: Path, base: Path) -> None:
    for number in range(VOLUMES):
        for place, pixels in enumerate(volume(number)):
            dicom(source / str(number) / f"{place}.dcm", pixels, number, place)
        save_on_the_page(source / str(number), base, range(0, SLICES, 2))


def page_frames(source: Path, base: Path) -> None:
    for number in range(VOLUMES):
        path = dicom(source / f"{number}.dcm", volume(number), number, NumberOfFrames=SLICES)
        save_on_the_page(path, base, range(SLICES))


def page_and_prepare(source: Path, base: Path) -> None:
    """Some slices are prepared, others of the same series are saved on the page later."""
    for number, place, pixels in slices():
        file = dicom(source / "all" / str(number) / f"{place}.dcm", pixels, number, place, PatientID=f"P-{number}")
        if place < 2:
            copied = source / "some" / f"{number}{place}.dcm"
            copied.parent.mkdir(exist_ok=True)
            copied.write_bytes(file.read_bytes())
            beside(copied)
    prepare(source / "some", base, progress=False)
    for number in range(VOLUMES):
        save_on_the_page(source / "all" / str(number), base, (2, 4))


def save_on_the_page(path: Path, base: Path, places) -> None:
    testclient = pytest.importorskip("fastapi.testclient")
    from spinetk.review.app import create_app
    from spinetk.review.serialization import send
    from spinetk.review.session import ReviewSession

    with ReviewSession(base) as desk:
        (entry,) = desk.add(path)
        client = testclient.TestClient(create_app(desk), base_url="http://127.0.0.1:8000")
        key = entry.id
        for place in places:
            key = client.post(f"/api/entries/{key}/slice", json={"place": place, "keep": True}).json()["id"]
            content = client.get(f"/api/entries/{key}").json()
            sent = {**content["reading"], **{"vertebrae": send(truth(path))["vertebrae"]}, "origin": "given"}
            answer = client.post(f"/api/entries/{key}/save", json=sent)
            assert answer.status_code == 200, answer.text


WAYS: list[Callable[[Path, Path], None]] = [
    dicom_patients, dicom_series_without_patient, some_slices_anonymised, masks_beside_dicom, masks_in_folders,
    masks_with_slice_numbers, flat_masks_with_numbers_alone, bids_pictures, coco_with_patients, coco_of_a_case_folder,
    a_case_folder_without_its_metadata, results_of_volumes, page_series, page_frames, page_and_prepare,
]  # fmt: skip


def volumes_of(base: Path) -> dict[str, int]:
    folder = CaseFolder(base)
    return {case: volume_of(read_pixels(read_record(folder.source(case)))) for case in folder.cases()}


def volumes_by_part(base: Path, seed: int, volumes: dict[str, int]) -> list[set[int]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parts = make_split(base, seed=seed, save=False)[:3]
    return [{volumes[case] for case in part.index} for part in parts]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_no_volume_lies_in_two_parts(way, tmp_path):
    base = tmp_path / "base"
    base.mkdir()
    way(tmp_path / "source", base)
    volumes = volumes_of(base)
    assert len(volumes) >= 2 * VOLUMES
    for seed in range(2):  # where slices fall as they like, the six volumes stay whole in hardly one split of a million
        parts = volumes_by_part(base, seed, volumes)
        assert set.union(*parts) == set(range(VOLUMES))
        assert sum(map(len, parts)) == VOLUMES, f"seed {seed}: {parts}"
    for file in base.rglob("*.json"):
        assert "P-1" not in file.read_text(encoding="utf-8"), "a PatientID is told"


@pytest.mark.parametrize("asked", [{"group": ""}, {"group": "site"}])
def test_a_grouping_that_tears_a_series_apart_is_refused(asked, tmp_path):
    base = tmp_path / "base"
    dicom_series_without_patient(tmp_path / "source", base)
    metadata = json.loads((base / "metadata.json").read_text())
    for number, entry in enumerate(metadata.values()):
        entry["site"] = number % 5
    (base / "metadata.json").write_text(json.dumps(metadata))
    with pytest.raises(InputError, match="are of the same series"):
        make_split(base, **asked)
    assert not (base / "split.json").exists()


def test_a_folder_without_groups_is_told(tmp_path):
    flat_masks_with_numbers_alone(tmp_path / "source", tmp_path / "base")
    with (
        pytest.warns(UserWarning, match="no case has a group"),
        pytest.warns(UserWarning, match="30 cases without a group look like slices of 6 volumes"),
    ):
        make_split(tmp_path / "base")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # it was said when the split was made
        make_split(tmp_path / "base")


def test_both_names_of_the_group_count(tmp_path):
    """Some cases name the patient as ``patient``, others as ``group``: neither is overlooked."""
    masks_in_folders(tmp_path / "source", tmp_path / "base")
    path = tmp_path / "base" / "metadata.json"
    metadata = json.loads(path.read_text())
    for number, entry in enumerate(metadata.values()):
        if number % 2:
            entry["patient"] = entry["group"]
        if number % 6 == 1:
            del entry["group"]
    joined = {case: {k: v for k, v in e.items() if k in ("group", "patient")} for case, e in metadata.items()}
    path.write_text(json.dumps(joined))
    volumes = volumes_of(tmp_path / "base")
    for seed in range(2):
        assert sum(map(len, volumes_by_part(tmp_path / "base", seed, volumes))) == VOLUMES


def test_one_film_under_two_patients_is_told(tmp_path):
    """A film scanned again at another size lies under another patient's name: in two parts, with a warning."""
    source = tmp_path / "source"
    for number in range(12):
        pixels = volume(number % VOLUMES)[0] if number < VOLUMES else 0
        if number >= VOLUMES:
            pixels = cv2.GaussianBlur(np.random.default_rng(number).uniform(1, 900, SIZE), (0, 0), 3)
        mask(plain(source / f"someone-{number}" / "film.png", np.asarray(pixels)))
    again = cv2.resize(volume(2)[0], (SIZE[1] + 4, SIZE[0] + 4), interpolation=cv2.INTER_AREA)[2:-2, 2:-2]
    mask(plain(source / "somebody-else" / "film.png", again))
    prepare(source, tmp_path / "base", layout="masks", progress=False)
    told = set()
    for seed in range(8):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            parts = make_split(tmp_path / "base", seed=seed, save=False)[:3]
        where = [k for name in ("someone-2_film", "somebody-else_film") for k, p in enumerate(parts) if name in p.index]
        said = any("show all but the same: 'som" in str(warning.message) for warning in caught)
        assert said == (where[0] != where[1])
        told.add(said)
        if len(told) == 2:
            break
    assert told == {True, False}

"""augment: changed copies of every case, by the original's imgaug recipe.

Flip left-right (half of the copies), crop by up to 10 % per side, rotate by up to 5 degrees (each half of the copies),
and up to five of: a blur, sharpening, brightness by addition, by multiplication, contrast; all in random order.
"""

from __future__ import annotations

import hashlib
import shutil
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.cases.folder import CaseFolder, read_pixels, read_record, write_record
from spinetk.cases.imgaug_compat import load_imgaug
from spinetk.errors import InputError
from spinetk.fields import extras_json
from spinetk.formats.files import read_json
from spinetk.formats.record import FRAME_FIELDS, Record, annotation_of, reading_of
from spinetk.geometry import Frame
from spinetk.signals import in_worker

RECIPE = 2  # raise it when the same seed gives other files
HARDWARE = "Hardware"


@dataclass
class AugmentedSet:
    """What ``augment`` did.

    Attributes:
        written: Copies made by this run.
        kept: Copies that were there already, made from the same source with the same seed.
        failures: One error per case that was left out.
    """

    written: int = 0
    kept: int = 0
    failures: list[InputError] = field(default_factory=list)


def augment(
    base: str | Path,
    *,
    copies: int = 10,
    hardware_copies: int = 30,
    flag: str = HARDWARE,
    seed: int = 0,
    workers: int = 0,
    progress: bool = True,
) -> AugmentedSet:
    """Write augmented copies of every case as ``augs/<n>/aug-<n>.{png,json}``.

    Every copy depends on (seed, case name, n) and its source alone: any number of workers gives the same files, and a
    copy that is there already is not made again. Points keep fractions of px; when a copy is mirrored they change
    names (``KeypointSchema.swap``); those that leave the picture become unknown (v = 0), and a vertebra with no point
    left is dropped.

    Args:
        base: The case folder.
        copies: Copies of a case.
        hardware_copies: Copies of a case whose ``flag`` is true in ``metadata.json``.
        flag: Name of that variable.
        seed: Of everything random.
        workers: Processes; 0 works in this one.
        progress: Whether to show a bar.

    Returns:
        Counts, and what was left out.

    Raises:
        InputError: The folder or ``metadata.json`` cannot be used, or no case has the ``flag`` asked for.
    """
    from tqdm import tqdm

    for name, value in (("copies", copies), ("hardware_copies", hardware_copies), ("workers", workers)):
        if value < 0:
            raise InputError(name, f"{value} is negative", "give 0 or more")
    folder = CaseFolder(base)
    cases, metadata = folder.cases(), folder.metadata()
    if flag != HARDWARE and not any(flag in entry for entry in metadata.values()):
        raise InputError(folder.base / "metadata.json", f"no case has {flag!r}", "check the name of the flag")
    jobs = {case: hardware_copies if metadata.get(case, {}).get(flag) else copies for case in cases}
    result = AugmentedSet()

    with tqdm(total=sum(jobs.values()), desc="augment", unit="copy", disable=not progress) as bar:

        def note(case: str, outcome: tuple[int, int] | InputError) -> None:
            bar.update(jobs[case])
            if isinstance(outcome, InputError):
                result.failures.append(outcome)
            else:
                result.written += outcome[0]
                result.kept += outcome[1]

        if workers == 0:
            for case, count in jobs.items():
                note(case, _augment_case(folder.base, case, count, seed))
        else:
            with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_single_thread) as pool:
                pending = {pool.submit(_augment_case, folder.base, c, n, seed): c for c, n in jobs.items()}
                for done in as_completed(pending):
                    note(pending[done], done.result())
    result.failures.sort(key=str)
    return result


def recipe() -> Any:
    """The original's imgaug sequence (README of SpineTK, Suri et al.); seed it with ``seed_`` before each use."""
    iaa = load_imgaug().augmenters
    return iaa.Sequential(
        [
            iaa.Fliplr(0.5),
            iaa.Sometimes(0.5, iaa.Crop(percent=(0, 0.1))),
            iaa.Sometimes(0.5, iaa.Affine(rotate=(-5, 5))),
            iaa.SomeOf(
                (0, 5),
                [
                    iaa.OneOf([iaa.GaussianBlur((0, 3.0)), iaa.AverageBlur(k=(2, 7)), iaa.MedianBlur(k=(3, 11))]),
                    iaa.Sharpen(alpha=(0, 1.0), lightness=(0.75, 1.5)),
                    iaa.Add((-10, 10)),
                    iaa.Multiply((0.5, 1.5)),
                    iaa.LinearContrast((0.5, 2.0)),
                ],
                random_order=True,
            ),
        ],
        random_order=True,
    )


def augmented(record: Record, pixels: np.ndarray, sequence: Any, seed: int) -> tuple[Record, np.ndarray]:
    """One changed copy of a picture and its record.

    Args:
        record: A checked record.
        pixels: (H, W) or (H, W, 3) uint8.
        sequence: :func:`recipe`, or any imgaug augmenter that keeps the size and moves points affinely.
        seed: Of the random choices, all of them.

    Returns:
        The record (annotations and frame changed) and the picture, of the same shape.
    """
    from imgaug.augmentables.kps import KeypointsOnImage

    width, height = record["width"], record["height"]
    # Three marks tell how the picture moved: imgaug itself does not say whether a copy was mirrored.
    marks = np.array([[0, 0], [width, 0], [0, height]], dtype=np.float64)
    sequence.seed_(seed, deterministic_too=True)
    picture, came = sequence(image=pixels, keypoints=KeypointsOnImage.from_xy_array(marks, shape=pixels.shape))
    start, *ends = np.array([[p.x, p.y] for p in came.keypoints], dtype=np.float64)
    axes = (np.array(ends) - start) / np.array([[width], [height]])
    frame = Frame.from_json(record)
    if np.linalg.det(axes) < 0:
        frame = frame.mirrored()
    frame = frame.resized(*np.hypot(*axes.T))
    reading = reading_of(record).moved(np.column_stack([axes.T, start]), (height, width), frame)
    annotations = []
    for entry, vertebra in zip(record["annotations"], reading.vertebrae, strict=True):
        seen = vertebra.points[vertebra.visible]
        if not len(seen):
            continue
        # The box of all its points, cut at the picture: the part of the vertebra that can still be seen.
        box = (*seen.min(axis=0), *seen.max(axis=0))
        changed = annotation_of(vertebra.points, vertebra.visible, (width, height), box)
        if changed is not None:
            annotations.append({**entry, **changed})
    fields: dict[str, Any] = {"extras": extras_json(reading.extras)} if reading.extras else {}
    if reading.landmarks:
        fields["landmarks"] = [landmark.to_json() for landmark in reading.landmarks]
    if reading.rulers:
        fields["rulers"] = [ruler.to_json() for ruler in reading.rulers]
    if reading.facing is not None:
        fields["facing"] = reading.facing.to_json()
    about = {name: value for name, value in record.items() if name not in FRAME_FIELDS}
    return {**about, **frame.to_json(), **fields, "annotations": annotations}, picture


def copy_seed(seed: int, case: str, number: int) -> int:
    """The seed of one copy, in 0 .. 2**31 - 1."""
    digest = hashlib.sha256(repr((seed, case, number)).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def _augment_case(base: Path, case: str, count: int, seed: int) -> tuple[int, int] | InputError:
    """(written, kept), or why the case was left out."""
    folder = CaseFolder(base)
    try:
        path = folder.source(case)
        record = read_record(path, left_out=[])  # split and training say what is wrong with one of several
        pixels = read_pixels(record)
        origin = _origin(path, seed)
        there = {p: _made_from(p) for p in folder.augmented(case)}
        if any(mark is None for mark in there.values()):
            raise InputError(path.parents[2] / "augs", "holds copies made by other means", "remove or rename it first")
        wanted = [folder.copy(case, number) for number in range(1, count + 1)]
        for surplus in set(there) - set(wanted):
            shutil.rmtree(surplus.parent)
        missing = [(n, p) for n, p in enumerate(wanted, start=1) if there.get(p) != origin]
        sequence = recipe() if missing else None
        for number, target in missing:
            changed, picture = augmented(record, pixels, sequence, copy_seed(seed, case, number))
            fields = {"image_id": f"{case}-aug-{number}", "case": case, "augmentation": number}
            changed = {k: v for k, v in changed.items() if k not in ("prepared_from", "pixels_sha256")}
            write_record(target, {**changed, **fields, "augmented_from": origin}, picture)
        return len(missing), count - len(missing)
    except InputError as error:
        return error


def _origin(path: Path, seed: int) -> str:
    """SHA-256 of a source picture, its JSON and the seed."""
    total = hashlib.sha256(repr((RECIPE, seed)).encode())
    for file in (path, path.with_suffix(".png")):
        with open(file, "rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()


def _made_from(path: Path) -> str | None:
    if not path.with_suffix(".png").exists():
        return ""
    content = read_json(path)
    return content.get("augmented_from") if isinstance(content, dict) else None


def _single_thread() -> None:
    import cv2

    in_worker()

    cv2.setNumThreads(1)

"""Fuzz the readers: ``PYTHONPATH=. python tests/formats/fuzz_formats.py [FILES [FORMAT ...]]`` (10,000 files a format).

Files of every format that is read are damaged byte by byte, number by number and word by word. A reader may give items
and ``InputError``s; anything else, an error of more than one line, or a second of waiting, is a fault and is printed
with the seed that makes it again.
"""

from __future__ import annotations

import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from spinetk.errors import InputError
from spinetk.formats.registry import readable
from spinetk.geometry import Frame
from spinetk.landmark import Landmark
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6

SLOW_S = 5.0
WIDTH, HEIGHT = 60, 90
BODY = np.array([[0, 12.25], [10.5, 11.5], [20, 12.5], [21, 0], [10, 0.75], [0.5, 0]])
NUMBERS = (
    b"0", b"-1", b"1e308", b"-1e308", b"1e400", b"NaN", b"Infinity", b"9" * 30, b"0.5", b"null", b"true", b'"x"', b"[]",
    b"{}", b"2147483648", b"1e-320", b"",
)  # fmt: skip
WORDS = (b"", b"null", b"L3", b"top_left", b"S1", b"..", b"/etc/passwd", b"\xff\xfe", b"\x00", b"<", b'"', b"a" * 5000)


def picture(folder: Path, name: str = "film.png") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH)).astype(np.uint8)
    cv2.imwrite(str(folder / name), pixels)
    return folder / name


def reading(file: Path) -> Reading:
    vertebrae = [Vertebra.from_points(BODY + [10, 10 + 25 * k], label=f"L{k + 1}", score=0.5) for k in range(3)]
    vertebrae[1].visible[2] = False
    marks = [Landmark("s1", np.array([[10.0, 80], [30, 84]])), Landmark("femoral_head", np.array([[20.0, 88]]))]
    frame = Frame((0.5, 0.5), "user")
    return Reading(str(file), HEIGHT, WIDTH, VERTEBRA6, vertebrae, frame, landmarks=marks)


def written(name: str, folder: Path) -> tuple[Path, list[Path]]:
    """(what is read, files to damage) of one format."""
    entry = readable()[name]
    if name == "sr":
        return _sr(folder)
    if entry.write is not None:
        film = picture(folder)
        path = entry.path_in(folder, "film")
        path.parent.mkdir(parents=True, exist_ok=True)
        files = entry.write(path, [reading(film)])
        return (path, files)
    return {"aasce": _aasce, "masks": _masks, "verse": _verse, "sct": _sct}[name](folder)


def _sr(folder: Path) -> tuple[Path, list[Path]]:
    from spinetk.formats.sr import write_sr
    from spinetk.phantoms import lateral_radiograph, write_dicom

    phantom = lateral_radiograph(4, region="lumbar", spacing_mm=2.0)
    folder.mkdir(parents=True, exist_ok=True)
    write_dicom(phantom, folder / "film.dcm")
    write_sr(folder / "report.dcm", replace(phantom.reading, file="film.dcm"), folder / "film.dcm")
    return folder / "report.dcm", [folder / "report.dcm"]


def _aasce(folder: Path) -> tuple[Path, list[Path]]:
    from scipy.io import savemat

    picture(folder / "data" / "training")
    labels = folder / "labels" / "training"
    labels.mkdir(parents=True)
    points = np.stack([np.tile([10, 30, 10, 30], 17), np.repeat(np.arange(34) * 2.5, 2)], axis=1)
    savemat(labels / "film.png.mat", {"p2": points.astype(float)})
    (labels / "filenames.csv").write_text("film.png\n")
    (labels / "angles.csv").write_text("1.5,2.5,3.5\n")
    shares = [*(points[:, 0] / WIDTH), *(points[:, 1] / HEIGHT)]
    (labels / "landmarks.csv").write_text(",".join(map(str, shares)) + "\n")
    return folder, [labels / "film.png.mat", labels / "angles.csv", labels / "filenames.csv", labels / "landmarks.csv"]


def _masks(folder: Path) -> tuple[Path, list[Path]]:
    picture(folder / "subject")
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    for k in range(3):
        mask[10 + 25 * k : 24 + 25 * k, 12:40] = k + 1
    cv2.imwrite(str(folder / "subject" / "film_label.png"), mask)
    (folder / "annotations.json").write_text(
        '{"subject": {"spacing_mm": [0.5, 0.5], "levels": "labels 1..3 = L1..L3"}}'
    )
    return folder, [folder / "subject" / "film_label.png", folder / "annotations.json"]


def _volume(folder: Path, name: str, values: np.ndarray) -> Path:
    import SimpleITK as sitk

    folder.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(values)
    image.SetDirection((1, 0, 0, 0, -1, 0, 0, 0, 1))
    sitk.WriteImage(image, str(folder / name))
    return folder / name


def _verse(folder: Path) -> tuple[Path, list[Path]]:
    _volume(folder, "sub-1_ct.nii", np.zeros((12, 10, 8), np.int16))
    file = folder / "sub-1_ctd.json"
    file.write_text('[{"direction": ["P", "I", "R"]}, {"label": 20, "X": 2, "Y": 2.5, "Z": 3}]')
    return file, [file]


def _sct(folder: Path) -> tuple[Path, list[Path]]:
    _volume(folder, "sub-1_T2w.nii", np.zeros((12, 10, 8), np.int16))
    labels = np.zeros((12, 10, 8), np.uint8)
    labels[9, 7, 4], labels[5, 7, 4] = 3, 4
    file = _volume(folder, "sub-1_T2w_labels-disc.nii", labels)
    return file, [file]


def damaged(content: bytes, choice: random.Random) -> bytes:
    """The same bytes with one to four faults."""
    for _ in range(choice.choice((1, 1, 1, 2, 4))):
        way = choice.randrange(7)
        at = choice.randrange(len(content) + 1)
        numbers = list(re.finditer(rb"-?\d+(\.\d+)?", content)) if way in (0, 1) else []
        words = list(re.finditer(rb"[A-Za-z_]{2,}", content)) if way == 2 else []
        if numbers:
            found = choice.choice(numbers)
            content = content[: found.start()] + choice.choice(NUMBERS) + content[found.end() :]
        elif words:
            found = choice.choice(words)
            content = content[: found.start()] + choice.choice(WORDS) + content[found.end() :]
        elif way == 3:
            content = content[:at]
        elif way == 4:
            content = content[:at] + choice.randbytes(choice.choice((1, 4, 16))) + content[at + 1 :]
        elif way == 5:
            size = choice.choice((1, 8, 64))
            content = content[:at] + content[at + size :]
        else:
            size = choice.choice((4, 32, 256))
            content = content[:at] + content[at : at + size] * choice.choice((2, 3)) + content[at + size :]
    return content


def fuzz(name: str, count: int, seed: int = 0, slow_s: float = float("inf")) -> tuple[Counter[str], list[str]]:
    """Damage and read ``count`` files of a format; to take longer than ``slow_s`` is a fault too.

    Returns:
        How many gave items, errors or nothing, and a line for each fault.
    """
    outcomes: Counter[str] = Counter()
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        source, files = written(name, Path(folder) / "set")
        sound = {file: file.read_bytes() for file in files}
        reader = readable()[name].read
        assert reader is not None
        for number in range(count):
            choice = random.Random(f"{name} {seed} {number}")
            file = choice.choice(files)
            file.write_bytes(damaged(sound[file], choice))
            began, kind = time.perf_counter(), "nothing"
            try:
                for item in reader(source, None):
                    if isinstance(item, InputError):
                        raise item
                    if item.missing is None:
                        item.reading()
                    kind = "items"
            except InputError as error:
                kind = "errors"
                if "\n" in str(error) or len(str(error)) > 2000 or (not error.remedy and ":" not in str(error)):
                    faults.append(f"{name} {number}: not one short line with a place: {str(error)[:200]!r}")
            except Exception as error:
                faults.append(f"{name} {number}: {type(error).__name__}: {str(error)[:200]}")
            if time.perf_counter() - began > slow_s:
                faults.append(f"{name} {number}: took {time.perf_counter() - began:.1f} s")
            outcomes[kind] += 1
            file.write_bytes(sound[file])
        shutil.rmtree(Path(folder) / "set")
    return outcomes, faults


def main(arguments: list[str]) -> int:
    count = int(arguments[0]) if arguments else 10_000
    bad = 0
    for name in arguments[1:] or readable():
        began = time.perf_counter()
        outcomes, faults = fuzz(name, count, slow_s=SLOW_S)
        bad += len(faults)
        print(f"{name:>12}: {dict(outcomes)} in {time.perf_counter() - began:.0f} s, {len(faults)} faults", flush=True)
        for line in faults[:20]:
            print("   ", line)
    return bad > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

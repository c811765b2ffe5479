"""Masks and pictures as people save them: palettes, transparency, JPEG, soft edges, EXIF; volumes likewise."""

import warnings
from contextlib import nullcontext
from pathlib import Path

import cv2
import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from spinetk.errors import InputError
from spinetk.segmentation.data.case import PictureCase, VolumeCase
from spinetk.segmentation.data.colour import read_both_ways, read_mask
from spinetk.segmentation.data.said import summed
from spinetk.segmentation.run import check_marked
from spinetk.segmentation.slices.batch import _mask as predict_one
from spinetk.segmentation.slices.pictures import PictureForm

TRUTH = np.zeros((20, 30), bool)
TRUTH[4:11, 6:19] = True


def saved(image: Image.Image, path: Path, **options: object) -> Path:
    image.save(path, **options)
    return path


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
@pytest.mark.parametrize("value", [1, 20, 255])
def test_grey(tmp_path, suffix, value):
    mask, remark = read_mask(saved(Image.fromarray(TRUTH.astype(np.uint8) * value), tmp_path / f"m.{suffix}"))
    assert (mask == TRUTH).all()
    assert remark is None


def test_one_bit_and_sixteen(tmp_path):
    for name, image in {
        "one.png": Image.fromarray(TRUTH),
        "deep.png": Image.fromarray(TRUTH.astype(np.uint16) * 40000),
    }.items():
        assert (read_mask(saved(image, tmp_path / name))[0] == TRUTH).all()


@pytest.mark.parametrize("background", [0, 1])
def test_palette_is_read_by_its_colours(tmp_path, background):
    """A writer that sorts colours by number or brightness may give the background another entry than the first."""
    index = np.where(TRUTH, 1 - background, background).astype(np.uint8)
    image = Image.fromarray(index, "P")
    image.putpalette([0, 0, 0, 200, 30, 30] if background == 0 else [200, 30, 30, 0, 0, 0])
    assert (read_mask(saved(image, tmp_path / "m.png"))[0] == TRUTH).all()


def test_quantised_by_pillow(tmp_path):
    grey = Image.fromarray(TRUTH.astype(np.uint8) * 255).convert("RGB")
    for method in (Image.Quantize.MEDIANCUT, Image.Quantize.FASTOCTREE):
        assert (read_mask(saved(grey.quantize(2, method), tmp_path / "m.png"))[0] == TRUTH).all()


def test_palette_without_black(tmp_path):
    image = Image.fromarray(TRUTH.astype(np.uint8), "P")
    image.putpalette([255, 255, 255, 200, 30, 30])
    assert (read_mask(saved(image, tmp_path / "m.png"))[0] == TRUTH).all()


@pytest.mark.parametrize(("under", "ink"), [(0, (255, 0, 0)), (255, (255, 0, 0)), (0, (0, 0, 0))])
def test_drawn_on_transparent_ground(tmp_path, under, ink):
    values = np.full((*TRUTH.shape, 4), under, np.uint8)
    values[..., 3] = 0
    values[TRUTH] = (*ink, 255)
    mask, remark = read_mask(saved(Image.fromarray(values), tmp_path / "m.png"))
    assert (mask == TRUTH).all()
    assert "transparent" in remark


def test_opaque_or_wholly_transparent_rgba(tmp_path):
    for alpha in (255, 0):
        values = np.dstack([TRUTH * np.uint8(255)] * 3 + [np.full(TRUTH.shape, alpha, np.uint8)])
        mask, remark = read_mask(saved(Image.fromarray(values), tmp_path / "m.png"))
        assert (mask == TRUTH).all()
        assert remark is None


@pytest.mark.parametrize("alpha", [60, 127, 128, 254])
@pytest.mark.parametrize("ground", [(0, 0, 0, 255), (0, 0, 0, 127), (0, 0, 0, 0), (90, 90, 90, 0)])
def test_marks_that_are_half_transparent(tmp_path, alpha, ground):
    """Overlays as viewers save them: red seen through, on black that is opaque, or half or wholly transparent."""
    values = np.full((*TRUTH.shape, 4), ground, np.uint8)
    values[TRUTH] = (255, 0, 0, alpha)
    assert (read_mask(saved(Image.fromarray(values), tmp_path / "m.png"))[0] == TRUTH).all()


def test_two_labels_of_which_one_is_half_transparent(tmp_path):
    values = np.zeros((*TRUTH.shape, 4), np.uint8)
    values[..., 3] = 255
    rows, columns = np.nonzero(TRUTH)
    values[rows, columns] = (0, 255, 0, 100)
    values[rows[::2], columns[::2]] = (255, 0, 0, 255)
    assert (read_mask(saved(Image.fromarray(values), tmp_path / "m.png"))[0] == TRUTH).all()


def test_what_is_true_of_many_files_is_said_once(tmp_path):
    """Labels in three masks, soft edges in one; each alone where nobody sums."""
    labels = np.where(TRUTH, 1 + np.arange(TRUTH.size).reshape(TRUTH.shape) % 2, 0).astype(np.uint8)
    image = saved(Image.fromarray(np.zeros((*TRUTH.shape, 3), np.uint8)), tmp_path / "i.png")
    paths = []
    for number in range(5):
        (tmp_path / f"s{number}").mkdir()
        values = labels * np.uint8(number + 1) if number < 4 else TRUTH * np.uint8(255)
        paths.append(saved(Image.fromarray(values), tmp_path / f"s{number}" / "m.png"))
    cases = [PictureCase(path.parent.name, image, (path,)) for path in paths]

    def lines(read, how=nullcontext):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            with how():
                for case in read:
                    assert (case.read()[1] == TRUTH).all()
        return [str(one.message) for one in said]

    assert lines(cases, summed) == [
        f"{tmp_path}: 4 files (s0/m.png, s1/m.png, s2/m.png, ...): it holds 2 values beside 0, up to 2: all of them "
        "count as marked, and alike"
    ]
    alone = f"{paths[1]}: it holds 2 values beside 0, up to 4: all of them count as marked"
    assert lines(cases[1:2], summed) == lines(cases[1:2]) == [alone]
    assert len(lines(cases)) == 4


def test_jpeg(tmp_path):
    bright = saved(Image.fromarray(TRUTH.astype(np.uint8) * 255), tmp_path / "m.jpg", quality=60)
    assert (read_mask(bright)[0] == TRUTH).mean() > 0.98
    dark = saved(Image.fromarray(TRUTH.astype(np.uint8)), tmp_path / "dark.jpg")
    with pytest.raises(InputError, match=r"brightest value is .*save the mask as PNG"):
        read_mask(dark)
    empty = saved(Image.new("L", (30, 20)), tmp_path / "empty.jpg")
    assert not read_mask(empty)[0].any()


def test_soft_edges_are_cut_at_one_half_and_said(tmp_path):
    soft = cv2.resize(TRUTH.astype(np.uint8) * 255, (120, 80), interpolation=cv2.INTER_CUBIC)
    small = cv2.resize(soft, (45, 30), interpolation=cv2.INTER_AREA)
    hard = cv2.resize(TRUTH.astype(np.float32), (45, 30), interpolation=cv2.INTER_AREA) >= 0.5
    image = saved(Image.fromarray(np.zeros((30, 45, 3), np.uint8)), tmp_path / "i.png")
    path = saved(Image.fromarray(small), tmp_path / "m.png")
    with pytest.warns(UserWarning, match="m.png: its values are shares up to 255: half"):
        _, mask = PictureCase("i", image, (path,)).read()
    assert (mask ^ hard).sum() <= 4 < (small > 0).sum() - hard.sum()


def test_inverted_masks_are_said(tmp_path):
    image = saved(Image.fromarray(np.zeros((20, 30, 3), np.uint8)), tmp_path / "i.png")
    path = saved(Image.fromarray((~TRUTH).astype(np.uint8) * 255), tmp_path / "m.png")
    with pytest.warns(UserWarning, match="m.png: marks 85% of its image and all its corners: is it inverted"):
        _, mask = PictureCase("i", image, (path,)).read()
    assert (mask == ~TRUTH).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_stand_as_viewers_show_them(tmp_path, orientation):
    values = np.zeros((20, 30, 3), np.uint8)
    values[2:6, 3:12, 0] = 250
    exif = Image.Exif()
    exif[274] = orientation
    path = saved(Image.fromarray(values), tmp_path / "i.png", exif=exif)
    seen = read_both_ways(path)[0]
    assert (seen == cv2.imread(str(path))[..., ::-1]).all()  # OpenCV turns by EXIF
    shown = Image.fromarray((seen[..., 0] > 0).astype(np.uint8) * 255)
    # A mask drawn on what is seen, and one drawn on what is stored.
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        picture, mask = PictureCase("i", path, (saved(shown, tmp_path / "m.png"),)).read()
    assert ((picture[..., 0] > 0) == mask).all()
    # The size of a mask does not tell whether it was drawn on a picture that is mirrored or upside down.
    turned = [f"{path}: turned as its EXIF says, and so must its mask be, whose size does not tell"]
    assert [str(one.message) for one in said] == (turned if 2 <= orientation <= 4 else [])
    if orientation >= 5:
        stored = saved(Image.fromarray(values[..., 0]), tmp_path / "s.png")
        picture, mask = PictureCase("i", path, (stored,)).read()
        assert ((picture[..., 0] > 0) == mask).all()
        assert picture.shape == values.shape


def test_a_predicted_mask_of_a_turned_picture_says_so(tmp_path):
    class Red:
        form = PictureForm("0-255")

        def predict(self, picture):
            return picture[..., 0] > 100

    values = np.zeros((20, 30, 3), np.uint8)
    values[2:6, 3:12, 0] = 250
    for orientation, said in ((1, 0), (6, 1)):
        exif = Image.Exif()
        exif[274] = orientation
        path = saved(Image.fromarray(values), tmp_path / "i.png", exif=exif)
        entry = predict_one(Red(), False, path, str(path), tmp_path, "mask.png")
        assert [remark for remark in entry["remarks"] if "turned as its EXIF says" in remark] == entry["remarks"]
        assert len(entry["remarks"]) == said
        assert (read_mask(tmp_path / "mask.png")[0] == (cv2.imread(str(path))[..., 2] > 100)).all()


def nifti(path: Path, values: np.ndarray, spacing: float = 1.0) -> Path:
    image = nib.Nifti1Image(values, np.diag([spacing, spacing, spacing, 1.0]))
    image.set_sform(image.affine, 1)
    nib.save(image, path)
    return path


def test_volumes(tmp_path):
    from scipy import ndimage

    whole = np.zeros((12, 12, 12), bool)
    whole[4:9, 3:8, 5:9] = True
    image = nifti(tmp_path / "t1.nii.gz", np.zeros(whole.shape, np.float32))
    soft = nifti(tmp_path / "soft.nii.gz", ndimage.gaussian_filter(whole.astype(np.float32), 0.8))
    with pytest.warns(UserWarning, match="soft.nii.gz: its values are shares"):
        _, mask = VolumeCase("t1", image, (soft,)).read()
    assert 0.8 * whole.sum() < mask.sum() <= whole.sum()
    for kind in (np.uint8, np.int16, np.float64):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            _, mask = VolumeCase("t1", image, (nifti(tmp_path / "m.nii.gz", whole.astype(kind) * 3),)).read()
        assert mask.sum() == whole.sum()


def test_a_mask_on_another_grid_is_said(tmp_path):
    image = nifti(tmp_path / "t1.nii.gz", np.zeros((12, 12, 12), np.float32))
    coarse = np.zeros((6, 6, 6), np.uint8)
    coarse[2:4, 2:4, 2:4] = 1
    with pytest.warns(UserWarning, match="m.nii.gz: .*another grid than its image: resampled"):
        _, mask = VolumeCase("t1", image, (nifti(tmp_path / "m.nii.gz", coarse, 2.0),)).read()
    assert mask.sum() == 4**3  # the voxels of the image whose nearest mask voxel is marked


def test_a_training_part_whose_masks_mark_nothing_is_refused():
    empty, marked = np.zeros((2, 3, 3), bool), np.ones((2, 3, 3), bool)
    check_marked([empty, marked])
    with pytest.raises(InputError) as refused:
        check_marked([empty, empty])
    assert str(refused.value) == "training part: none of its 2 masks marks anything (check the masks)"

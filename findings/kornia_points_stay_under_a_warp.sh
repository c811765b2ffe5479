#!/usr/bin/env bash
# kornia 0.9.0, AugmentationSequential with data_keys "input" and "keypoints": RandomThinPlateSpline, RandomElasticTransform and
# RandomFisheye bend the picture and hand the points back where they were, in the same call by which the affine ones and
# RandomPerspective carry points to a fraction of a pixel. Nothing is said: a landmark network learns to point beside the corner. Boxes
# stay, too. A mask goes with the picture (elastic) or raises NotImplementedError (the other two). Resize puts corner pixels
# on corner pixels, so that a doubled film has lengths of 399 / 199, not of 2: that much has to go into its spacing.
# Seen, a blob at (60, 40) in a picture of 200 x 100, the blob and its point afterwards: perspective (62.69, 40.93), (62.67, 40.93);
# doubled (120.3, 80.4), (120.3, 80.4); thin plate spline (58.8, 41.1), (60, 40); elastic (58.7, 40.0), (60, 40); fisheye (77.5, 44.2),
# (60, 40).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
TMPDIR="$work" "$work/venv/bin/pip" install -q --no-cache-dir torch==2.14.1 kornia==0.9.0 kornia-rs==0.2.0 numpy==2.4.6
"$work/venv/bin/python" - <<'PY'
import kornia.augmentation as K
import torch

rows, columns = torch.meshgrid(torch.arange(100.0), torch.arange(200.0), indexing="ij")
film = torch.exp(-((columns - 60) ** 2 + (rows - 40) ** 2) / 18)[None, None]
point = torch.tensor([[[60.0, 40.0]]])
box = torch.tensor([[[50.0, 30.0, 70.0, 50.0]]])


def centre(picture):
    weight = picture[0, 0]
    y, x = torch.meshgrid(torch.arange(float(weight.shape[0])), torch.arange(float(weight.shape[1])), indexing="ij")
    return torch.stack([(x * weight).sum(), (y * weight).sum()]) / weight.sum()


def moved(name, transform):
    torch.manual_seed(0)
    all_three = K.AugmentationSequential(transform, data_keys=["input", "keypoints", "bbox_xyxy"])
    picture, points, boxes = all_three(film, point.clone(), box.clone())
    place, where, middle = centre(picture), points.flatten(), boxes.flatten().view(2, 2).mean(0)
    print(name, "picture, point, middle of the box:", *([round(v, 2) for v in at.tolist()] for at in (place, where, middle)))
    return (place - where).norm().item(), where.tolist(), middle.tolist()


def with_mask(transform):
    torch.manual_seed(0)
    try:
        picture, mask = K.AugmentationSequential(transform, data_keys=["input", "mask"])(film, film.clone())
    except NotImplementedError:
        return "not implemented"
    return "as the picture" if (picture - mask).abs().max() < 0.2 else "elsewhere"


for name, transform in {
    "flip": K.RandomHorizontalFlip(p=1),
    "rotation": K.RandomRotation((30, 30), p=1),
    "perspective": K.RandomPerspective(0.3, p=1),
    "doubled": K.Resize((200, 400), p=1),
}.items():
    apart, where, _ = moved(name, transform)
    assert apart < 0.1
    if name == "doubled":
        assert abs(where[0] - 60 * 399 / 199) < 1e-3
zero_to = torch.tensor([0.0, 0.1])
for name, transform, least, mask in [
    ("thin plate spline", K.RandomThinPlateSpline(0.1, p=1), 0.5, "not implemented"),
    ("elastic", K.RandomElasticTransform(p=1), 0.5, "as the picture"),
    ("fisheye", K.RandomFisheye(zero_to, zero_to, torch.tensor([0.2, 0.3]), p=1), 5, "not implemented"),
]:
    apart, where, middle = moved(name, transform)
    assert apart > least and where == [60, 40] and middle == [60, 40]
    assert with_mask(transform) == mask
PY

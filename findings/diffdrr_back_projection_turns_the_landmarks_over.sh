#!/usr/bin/env bash
# DiffDRR 0.6.1 (radiographs of a CT, for registering a film with it), inverse_projection, by which a landmark marked on the film becomes a point of its ray in mm: it turns the points that it
# is given over, top to bottom and, as is the default, left to right, in the caller's own tensor. The first call is right. The landmarks that are drawn, compared or saved afterwards are those of
# the film turned by half, and a second call with them, for another pose as every registration makes, gives the ray of another place. perspective_projection, its way back,
# leaves its points as they are. Nothing is said.
# Seen, a film of 200 x 160 px of 0.5 mm, a corner at (67.5, 26.7): after one call it is at (92.5, 173.3), its ray ends 73.3 mm below and 12.5 mm beside the first; projected from a copy, the corner again.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
TMPDIR="$work" "$work/venv/bin/pip" install -q --no-cache-dir torch==2.14.1 numpy==2.4.6 SimpleITK==2.5.7 nibabel==5.4.2 pandas==3.1.1 scipy==1.17.1 fastcore==2.2.41 \
  einops==0.8.2 roma==1.8.0 deprecated==1.3.1 humanize==4.17.0 rich==15.0.0 tqdm==4.70.1 typer==0.29.2 jaxtyping==0.3.11 packaging
"$work/venv/bin/pip" install -q --no-cache-dir --no-deps diffdrr==0.6.1 torchio==1.2.1
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import numpy as np
import torch
import torchio
from diffdrr.data import read
from diffdrr.drr import DRR
from diffdrr.pose import convert

ct = torchio.ScalarImage(tensor=torch.zeros(1, 40, 40, 40), affine=np.diag([1.0, 1, 1, 1]))
film = DRR(read(ct, orientation="AP"), sdd=1000.0, height=200, width=160, delx=0.5)
pose = convert(torch.zeros(1, 3), torch.tensor([[0.0, 800.0, 0.0]]), parameterization="euler_angles", convention="ZXY")
corner = torch.tensor([[[67.5, 26.7]]])


def near(seen, *expected):
    return np.allclose(seen.detach().flatten().numpy(), expected, atol=0.01)


marked = corner.clone()
first = film.inverse_projection(pose, marked)
print("on the detector", first.flatten().tolist(), "marked is now", marked.flatten().tolist())
assert near(film.perspective_projection(pose, first), 67.5, 26.7), "the first call is right"
assert near(marked, 92.5, 173.3), "the caller's landmark was turned by half"
again = film.inverse_projection(pose, marked)
print("the same call again", again.flatten().tolist(), "mm off", (again - first).flatten().tolist())
assert near((again - first).abs(), 12.5, 0, 73.3)
copies = [film.inverse_projection(pose, corner.clone()) for _ in range(2)]
assert torch.equal(copies[0], first) and torch.equal(copies[1], first)
point = first.clone()
film.perspective_projection(pose, point)
assert torch.equal(point, first), "the way back leaves its points alone"
PY

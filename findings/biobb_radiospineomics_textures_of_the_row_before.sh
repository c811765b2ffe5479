#!/usr/bin/env bash
# biobb-radiospineomics 1.1.20 (textures of lumbar discs by pyradiomics, over a list of bin widths and pixel sizes), calculate_textures: in each turn the extractor is made of the parameter file first, and the file is written with the
# turn's bin width and pixel size afterwards. So each row has the textures of the row before it, under its own name, and the first those of whatever the file said, which is left with the last one's. The last pair asked for
# is never computed. A study that picks the bin width of the most repeatable texture picks its neighbour. A second disc begins with the last setting of the first, so that the first row
# differs from disc to disc. Nothing is said.
# Seen, a file of bin width 25 and pixels as they are, asked for bins of 1, 2, 4 at 0.27 mm, then at 0.135: rows named 1, 2, 4 at 0.27 are of 25 unresampled, 1, 2; those at 0.135 of 4 at 0.27, 1, 2; a second disc's first row of 4 at 0.135. In the place of
# pyradiomics stands an extractor that hands back the settings it was made with.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --no-compile numpy==1.26.4 opencv-python-headless==4.11.0.86 shapely==2.1.2 scikit-learn==1.7.2 pandas==2.2.3 pynrrd==1.1.3 pyyaml==6.0.2
"$work/venv/bin/pip" install -q --no-compile --no-deps biobb-radiospineomics==1.1.20
cd "$work"
"$work/venv/bin/python" -W ignore - <<'PY'
import sys
import types
from pathlib import Path

import yaml


class Extractor:
    def __init__(self, file):
        self.setting = yaml.safe_load(Path(file).read_text())["setting"]

    def execute(self, image, mask):
        return {"of_bins": self.setting["binWidth"], "of_pixels": self.setting["resampledPixelSpacing"][0]}


radiomics = types.ModuleType("radiomics")
radiomics.featureextractor = types.SimpleNamespace(RadiomicsFeatureExtractor=Extractor)
sys.modules["radiomics"] = radiomics
from biobb_radiospineomics.radiospineomics.common import calculate_textures  # noqa: E402

Path("textures.yml").write_text("setting:\n  binWidth: 25\n  resampledPixelSpacing: [0, 0]\n")
seen = {}
for disc in ("L4_L5", "L5_S1"):
    table = calculate_textures("film.nrrd", f"{disc}.nrrd", "textures.yml", [[0.27, 0.27], [0.135, 0.135]], [1, 2, 4])
    print(table)
    named = list(zip(table["resampling"], table["binwidth"], strict=True))
    seen[disc] = list(zip(table["of_pixels"], table["of_bins"], strict=True))
    assert named == [(0.27, 1), (0.27, 2), (0.27, 4), (0.135, 1), (0.135, 2), (0.135, 4)]
    assert seen[disc][1:] == named[:-1]
assert seen["L4_L5"][0] == (0, 25) and seen["L5_S1"][0] == (0.135, 4)
PY

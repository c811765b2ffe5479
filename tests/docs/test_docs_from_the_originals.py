"""Every command and cell of ``docs/how-to/from_the_originals.md`` is run, on phantoms in the layouts of the real data.

Budgets are cut to a step or two, and the largest networks to thin ones; nothing else of a line is changed.
"""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image

from spinetk import DatasetCatalog, MetadataCatalog
from spinetk.cli import main
from spinetk.discs import shapeunet
from spinetk.keypoints import registry
from spinetk.phantoms import write_disc_set, write_phantom_set
from spinetk.phantoms.lesion import lesion_volume
from spinetk.phantoms.mask_set import _write_volume
from spinetk.phantoms.skin import skin_picture
from spinetk.segmentation.atrium.cases import write_phantoms
from spinetk.segmentation.registry import REGISTRY

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "from_the_originals.md"
SECTIONS = {
    part.partition("\n")[0]: part
    for part in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
}
SHORTER = (
    (r"(--iterations|--max[-_]epochs|--epochs|--copies|--hardware-copies) \d+", r"\1 1"),
    (r"--check-every \d+|--n_checkpoint \d+", "--check-every 1"),
    (r"\b1300\b", "1"),
    (r"--width 800", "--width 120"),
    (r"--threshold 0.6", "--threshold 0"),  # after one step nothing is sure, and a lone empty picture is an error
    (r"--network tmunet", "--network monai-unet --set size=32"),  # of 165 million parameters
    (r"(train atria .*)", r"\1 --set width=1 --set locator_width=1"),
    (r"(discs prepare .*)", r"\1 --grid 4"),
)


def shorter(line: str) -> str:
    """The line with the budget of a test."""
    for pattern, replacement in SHORTER:
        line = re.sub(pattern, replacement, line)
    return line


def spinetk_data(folder: Path) -> None:
    write_phantom_set(folder / "annotated-dicoms", 10, seed=3, width=120, hardware_share=0.5)
    shutil.copy(next((folder / "annotated-dicoms").rglob("src-0.png")), folder / "film.png")


def disc_data(folder: Path) -> None:
    write_disc_set(folder / "data-multi-subject", 6, seed=6, modalities=["T2w"], slices=3, spacing_mm=(4.0, 3.0, 3.0))


def skin_data(folder: Path) -> None:
    disc_data(folder)
    for number in range(2, 9):
        name, phantom = f"IMD{number:03d}", skin_picture(number)
        for kind, values in (("Dermoscopic_Image", phantom.pixels), ("lesion", phantom.mask.astype(np.uint8) * 255)):
            ending = "" if kind == "Dermoscopic_Image" else "_lesion"
            path = folder / "ph2" / name / f"{name}_{kind}" / f"{name}{ending}.bmp"
            path.parent.mkdir(parents=True)
            Image.fromarray(values).save(path)


def atrium_data(folder: Path) -> None:
    for part, cases in (("train", 3), ("validate", 1), ("test", 1)):
        write_phantoms(folder / "atria" / part, cases, shape=(16, 32, 36), spacing_mm=(6.0, 7.0, 7.0))


def lesion_data(folder: Path) -> None:
    names = []
    for number in range(1, 6):
        name = f"c{number:04d}s0001t01"
        brain = lesion_volume(number, shape=(3, 48, 40), spacing_mm=(9, 4, 4), radius_mm=(5, 9), count=2)
        for ending, values in (("t1w_stx", brain.values), ("LesionSmooth_stx", brain.mask.astype(np.uint8))):
            place = folder / "atlas_standard" / f"c{number:04d}" / name
            _write_volume(place / f"{name}_{ending}.nii.gz", values, brain.spacing_mm)
        names.append(f"c{number:04d}/{name}/{name}_t1w_stx.npy")  # as the lists of the original spell them
    (folder / "training.txt").write_text("\n".join(names[:4]) + "\n")
    (folder / "testing.txt").write_text(names[4] + "\n")


DATA: dict[str, Callable[[Path], None]] = {
    "SpineTK": spinetk_data,
    "Stacked hourglass": disc_data,
    "Look once and TMUnet": skin_data,
    "V-Net": atrium_data,
    "SPiN": lesion_data,
}


def run(line: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """A line of the command line, in this process."""
    program, *arguments = shlex.split(shorter(line))
    assert program == "spinetk", line
    if "train" in arguments[:2] and "--evaluate" not in arguments:
        assert shorter(line) != line, "a training without a budget runs for hours"
    monkeypatch.setattr(sys, "argv", ["spinetk", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)


def test_every_section_has_data():
    assert set(SECTIONS) == set(DATA)
    assert not re.search(r"^```(?!sh$|python$|text$|$)", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("title", DATA)
def test_section_runs(title, tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(
        registry.REGISTRY, "fast", replace(registry.REGISTRY["fast"], preset=replace(tiny, name="fast"))
    )
    monkeypatch.setattr(shapeunet, "WIDTHS", tuple(width // 8 for width in shapeunet.WIDTHS))
    DATA[title](tmp_path)
    names: dict[str, object] = {}
    ran = 0
    for kind, block in re.findall(r"^```(sh|python)\n(.*?)^```", SECTIONS[title], re.MULTILINE | re.DOTALL):
        if kind == "python":
            exec(compile(shorter(block), f"{PAGE.name}: {title}", "exec"), names)
            ran += 1
            continue
        for line in block.splitlines():
            assert run(line, monkeypatch) == 0, line
            ran += 1
    assert ran >= 3


@pytest.fixture(autouse=True)
def clean():
    yield
    for name in ("split", "visualize", "train", "inference", "setup_catalogs", "spinetk.original", "detectron2.data",
                 "detectron2.utils.logger"):  # fmt: skip
        sys.modules.pop(name, None)
    for catalog in (DatasetCatalog, MetadataCatalog):
        for name in [name for name in catalog.list() if name.startswith("vertv1_")]:
            catalog.remove(name)


def test_what_stands_outside_of_blocks_exists():
    """Verbs, networks and flags in the tables and the text."""
    text = re.sub(r"^```.*?^```", "", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    root = typer.main.get_command(__import__("spinetk.cli", fromlist=["app"]).app)
    for words in re.findall(r"`spinetk ([a-z ]+?)(?: -|`)", text):
        command = root
        for word in words.split():
            command = command.commands[word]
    for name in ("tmunet", *re.findall(r"\b(unet-half|xnet|clcinet|dunet|kiunet)\b", text)):
        assert name in REGISTRY

"""The command line imports the module of the verb that is run, and no other; its help names every verb."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from spinetk.rooms import GROUPS, HOMES, VERBS, declared

ROOT = Path(__file__).resolve().parents[1]
PHANTOM = ROOT / "data" / "phantoms" / "phantom-0001" / "src" / "0" / "src-0.png"
CODE = """
import sys
from spinetk.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
finally:
    roots = {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)
    own = {name for name in sys.modules if name.startswith("spinetk.")}
    import json
    print(json.dumps(sorted(roots | own)), file=sys.stderr)
"""
TRAINING = {"torch", "torchvision", "lightning", "monai", "sklearn", "pandas", "matplotlib", "scipy", "SimpleITK"}
FILES = {"pydicom", "nibabel", "nrrd", "requests"}
NETWORKS = {"openvino", "onnxruntime", "spinetk.keypoints.predictor"}
DRAWING = {"cv2", "PIL"}


def imported(*arguments) -> set[str]:
    """Roots of foreign modules, and own modules, that a verb has imported at its end."""
    command = [sys.executable, "-c", CODE, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    return set(json.loads(done.stderr.strip().splitlines()[-1]))


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A folder with the reading of a phantom, and what its making had imported."""
    out = tmp_path_factory.mktemp("rooms") / "results"
    return out, imported("predict", PHANTOM, "--view", "lateral", "-o", out)


@pytest.mark.parametrize("module", VERBS)
def test_every_verb_is_known_by_its_module(module):
    assert tuple(name for name, _ in declared(import_module(module).app)) == VERBS[module]


def test_the_help_names_all_in_order_with_what_they_do(capsys):
    from spinetk.cli import main

    sys.argv, before = ["spinetk", "--help"], sys.argv
    try:
        with pytest.raises(SystemExit):
            main()
    finally:
        sys.argv = before
    lines = capsys.readouterr().out.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in lines] == list(HOMES)
    assert all(len(line.split()) > 3 and len(line) <= 80 for line in lines)


def test_a_misspelt_verb_is_told_what_is_near():
    done = subprocess.run([sys.executable, "-m", "spinetk", "predic"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2
    assert "predict" in done.stderr


def test_a_group_keeps_its_name():
    done = subprocess.run(
        [sys.executable, "-m", "spinetk", "discs", "--help"], capture_output=True, text=True, cwd=ROOT
    )
    assert "discs [OPTIONS] COMMAND" in done.stdout


def test_the_help_imports_the_verbs_and_nothing_they_need():
    assert not imported("--help") & (TRAINING | FILES | NETWORKS | DRAWING | {"numpy", "pydantic"})


def test_info_of_a_picture_imports_what_reads_pictures():
    found = imported("info", PHANTOM)
    assert not found & (TRAINING | FILES | NETWORKS | {"cv2", "spinetk.keypoints.commands"})


def test_models_reads_cards_and_no_network():
    assert not imported("models") & (TRAINING | FILES | NETWORKS | DRAWING)


def test_a_reading_of_a_picture_imports_no_other_format(results):
    assert not results[1] & (TRAINING | FILES | {"openvino", "spinetk.discs.commands"})


@pytest.mark.parametrize("verb", ["measure", "report"])
def test_results_are_measured_and_reported_without_networks(results, verb, tmp_path):
    out = ["-o", tmp_path / "out"]
    assert not imported(verb, results[0], *out) & (TRAINING | NETWORKS | {"nibabel", "nrrd", "requests"})


def test_groups_are_apart():
    assert not set(GROUPS) & {verb for own in VERBS.values() for verb in own}

"""One command line: an idea has one name, a name one meaning, in every verb and in what the pages say."""

from __future__ import annotations

import json
import re
import runpy
from collections import defaultdict
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from spinetk.original_flags import find_flag
from spinetk.verbs import Option, options, verbs

HOME = Path(__file__).parents[1]
VERBS = {name: options(command) for name, command in verbs().items()}
TRAININGS = ("train", "discs train", "segment train")
EVALUATIONS = ("evaluate", "discs evaluate", "segment evaluate")
RELEASES = ("release", "discs release", "segment release")

# Old names that another verb has as its own.
OLD = {
    "--cases": "of release, now --base",
    "--channels": "of discs train, now --heatmaps",
}
# One model or several, one side or three: the value is of the same kind.
SAME = {("random", "None"), ("default", "None"), ("attention", "True")}  # what the help says, the setting
ONE_OR_SEVERAL = {"--model", "--grid"}


def everywhere() -> list[tuple[str, Option]]:
    return [(verb, option) for verb, own in VERBS.items() for option in own.values()]


def test_the_walk_meets_all_verbs():
    assert {"predict", "discs train", "segment release", "node", "node status"} <= VERBS.keys()
    assert len(VERBS) >= 30


@pytest.mark.parametrize("of", ["idea", "help"])
def test_an_idea_has_one_name(of):
    """Options with the same parameter behind them, or explained with the same words."""
    names = defaultdict(set)
    for _, option in everywhere():
        names[getattr(option, of)].add(option.flag)
    assert {what: flags for what, flags in names.items() if len(flags) > 1} == {}


def test_an_old_name_is_nobodys_first_name():
    first = {option.flag for _, option in everywhere()}
    clashes = {other for _, option in everywhere() for other in option.others} & first
    assert clashes == OLD.keys()


def test_a_name_has_one_meaning():
    kinds = defaultdict(set)
    for _, option in everywhere():
        kinds[option.flag].add((option.kind, option.several))
    assert {flag for flag, found in kinds.items() if len(found) > 1} == ONE_OR_SEVERAL
    ideas = defaultdict(set)
    for _, option in everywhere():
        ideas[option.flag].add(option.idea)
    assert {flag for flag, found in ideas.items() if len(found) > 1} == {"--as"}  # of report and of export: a format


@pytest.mark.parametrize(
    ("group", "shared"),
    [
        (TRAININGS, "network rate batch iterations seed config best-by devices nodes accumulate find-rate fit-batch"
                    " resume early-stop check-every workers device precision compile offline out"),
        (EVALUATIONS, "model part device out json"),
        (RELEASES, "about out"),
        (("predict", "discs predict", "segment predict"),
         "model out device json list resume workers scheduler slurm pbs job aet"),
    ],
)  # fmt: skip
def test_what_verbs_of_a_kind_share(group, shared):
    for verb in group:
        assert {f"--{name}" for name in shared.split()} <= VERBS[verb].keys(), verb


def test_parts_default_alike():
    assert {VERBS[verb]["--part"].default for verb in EVALUATIONS} == {"val"}


def test_tables_can_be_had_as_json():
    tables = {"info", "models", "measure", "agree", "predict", "split", "node status", *EVALUATIONS,
              "discs predict", "segment predict"}  # fmt: skip
    assert {verb for verb, own in VERBS.items() if "--json" in own} == tables


def test_no_two_verbs_share_a_folder():
    folders = [str(own["--out"].default) for own in VERBS.values() if "--out" in own and own["--out"].default]
    assert len(folders) == len(set(folders)) >= 13


def test_shown_defaults_are_the_settings():
    from spinetk.discs.trainer import DiscSettings, Recipe
    from spinetk.keypoints.settings import KeypointSettings
    from spinetk.segmentation.atrium.trainer import AtriumSettings
    from spinetk.segmentation.slices.lesion_trainer import SliceSettings

    checked = 0
    for verb, kinds in (
        ("train", [KeypointSettings]), ("discs train", [DiscSettings, Recipe]),
        ("segment train", [AtriumSettings, SliceSettings]),
    ):  # fmt: skip
        for kind in kinds:
            for setting in fields(kind):
                option = VERBS[verb].get("--" + setting.name.replace("_", "-"))
                if option is None or not isinstance(option.default, str) or setting.default is MISSING:
                    continue
                pair = option.default, str(setting.default).removesuffix(".0")
                assert pair[0] == pair[1] or pair in SAME, (verb, pair)
                checked += 1
    assert checked >= 30


def test_the_page_is_in_step():
    page = runpy.run_path(str(HOME / "docs" / "options.py"))
    text = page["PAGE"].read_text(encoding="utf-8")
    assert text.split(page["BEGIN"])[1].split(page["END"])[0] == page["tables"](), "run python docs/options.py"


def told() -> list[tuple[str, str, str]]:
    """(page, verb, option) wherever a page or a notebook shows a command."""
    pages = [HOME / "README.md", HOME / "CONTRIBUTING.md", *sorted((HOME / "docs").rglob("*.md"))]
    texts = {path: path.read_text(encoding="utf-8") for path in pages}
    for path in sorted((HOME / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        texts[path] = "\n".join("".join(cell["source"]) for cell in cells)
    found = []
    for path, text in texts.items():
        for match in re.finditer(r"spinetk ((?:discs |segment |node )?[a-z]+)\b([^`\n;|&]*)", text):
            verb = match[1] if match[1] in VERBS else match[1].split()[0]
            if verb in VERBS:
                found += [(path.name, verb, flag) for flag in re.findall(r"(?<![\w-])--[a-z][\w-]*", match[2])]
    return found


def test_the_pages_name_options_that_there_are():
    shown = told()
    assert len(shown) > 60
    for page, verb, flag in shown:
        own = VERBS[verb]
        names = {name for option in own.values() for name in (option.flag, *option.others)}
        plain = re.sub("^--no-", "--", flag).replace("_", "-")
        row = find_flag(tuple(verb.split()), flag)  # of an original, which becomes ours
        known = {flag, plain, row.ours if row else None} & names or flag in ("--help", "--version", "--again")
        assert known, f"{page}: {verb} {flag}"

"""run.py: the whole job on a user's folder, and what it says to wrong calls."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from spinetk import job

ROOT = Path(__file__).resolve().parent.parent


def test_the_whole_job_on_a_users_folder(tiny, case_folder, tmp_path, capsys):
    out = tmp_path / "output"
    job.run(case_folder, out, visualise=True, version="mine", iterations=2, preset=tiny, start="scratch")
    assert (out / "model_final.pth").is_file()
    assert len(list((out / "samples").glob("*.png"))) == 3
    assert json.loads((out / "evaluation" / "evaluation.json").read_text())["pictures"] == 3
    assert len(list((out / "predict").glob("case*.png"))) == 3
    assert (out / "predict" / "vertebrae.csv").is_file()
    assert (out / "report" / "index.html").is_file()
    assert "7 train, 2 val, 3 test" in capsys.readouterr().out


def test_the_embedded_phantoms_are_a_case_folder_and_stay_as_they_are(tmp_path, monkeypatch):
    from spinetk.cases.folder import CaseFolder

    folder = CaseFolder(job.EMBEDDED)
    records, failures = folder.records(folder.cases())
    assert failures == []
    assert set(folder.metadata()) == set(folder.cases())
    assert {record["view"] for record in records} == {"lateral", "sagittal"}
    seen = []
    monkeypatch.setattr(job, "run", lambda base, output, **options: seen.append((base, options)))
    few = tmp_path / "few"
    few.mkdir()
    for case in folder.cases()[:2]:
        shutil.copytree(job.EMBEDDED / case, few / case)
    metadata = {case: entry for case, entry in folder.metadata().items() if case in folder.cases()[:2]}
    metadata[folder.cases()[0]]["Hardware"] = True
    (few / "metadata.json").write_text(json.dumps(metadata))
    monkeypatch.setattr(job, "EMBEDDED", few)
    job.run_embedded(tmp_path / "output")
    assert not list(few.glob("*/augs"))
    assert len(list((tmp_path / "output" / "cases").glob("*/augs/*/aug-*.png"))) == 5
    assert seen[0][1]["start"] == "xray-lateral"


@pytest.mark.parametrize("arguments", [["a", "b"], ["a", "vis", "c"], ["no such folder"]])
def test_wrong_calls_are_one_line_and_code_2(arguments, capsys):
    assert job.main(arguments) == 2
    out, err = capsys.readouterr()
    assert len((out + err).strip().splitlines()) == 1


def test_what_it_warns_of_is_a_line_as_of_the_verbs(tmp_path, make_case, capsys):
    for case in "ab":
        make_case(tmp_path, case)
    assert job.main([str(tmp_path)]) == 2
    said = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in said] == ["spinetk", "spinetk"]
    assert "no case has a group" in said[0]
    assert "too few cases" in said[1]


def test_run_py_starts():
    done = subprocess.run([sys.executable, str(ROOT / "run.py"), "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith("usage: python run.py")

"""Two gloo processes on loopback: weights, gradients and metrics are those of one process."""

from __future__ import annotations

import csv
import os
import signal
import sys
import time
from pathlib import Path

import pytest
import torch
from forking import begin, ended
from orthanc import free_port

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import small_runs  # noqa: E402


def processes_of(session: int) -> list[int]:
    """Processes of a session that are no zombies (Linux)."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found


def launch(folder: Path, **more: str) -> None:
    """Two processes of the small runs as torchrun would start them, without its agent."""
    shared = {
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2",
        "TORCHELASTIC_RUN_ID": "test", "GROUP_RANK": "0", "GLOO_SOCKET_IFNAME": "lo", **more,
    }  # fmt: skip
    code = f"import sys\nsys.path[:0] = {[str(ROOT), str(ROOT / 'benchmarks')]}\nimport small_runs\n"
    code += f"small_runs.run({str(folder)!r}, {list(small_runs.KINDS)})"
    said = [folder / f"said-{rank}" for rank in ("0", "1")]
    running = [
        begin(code, file, shared | {"RANK": rank, "LOCAL_RANK": rank})
        for rank, file in zip(("0", "1"), said, strict=True)
    ]
    codes = [ended(process, 900) for process in running]
    assert codes == [0, 0], "\n".join(file.read_text() for file in said)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """With the data of small runs in ``data``."""
    folder = tmp_path_factory.mktemp("processes")
    small_runs.write_data(folder / "data")
    return folder


@pytest.fixture(scope="module")
def base(folder) -> Path:
    launch(folder)
    return folder


def newest(folder: Path) -> dict:
    return torch.load(max(folder.rglob("[0-9]*.ckpt")), weights_only=True)


def logged(folder: Path) -> dict[str, list[float]]:
    rows = list(csv.DictReader(next(folder.rglob("metrics.csv")).open()))
    return {name: [float(row[name]) for row in rows if row.get(name)] for name in rows[0]}


# RMSprop's first step is ten times the rate whatever the gradient: where that is 0 but for rounding, weights are not
# comparable. They are compared by their gradients below, as all others are.
WEIGHTS = {"discs": 1e-4}


@pytest.mark.parametrize("kind", small_runs.KINDS)
def test_two_processes_equal_one(base, kind):
    small_runs.KINDS[kind](base / "data", base / "one" / kind)
    one, two = (newest(base / how / kind) for how in ("one", "several"))
    for name, tensor in one["state_dict"].items():
        away = WEIGHTS.get(kind, 1e-6)
        torch.testing.assert_close(two["state_dict"][name], tensor, rtol=away, atol=away, msg=f"{kind}: {name}")
    # What the optimiser remembers of the gradients: means (SGD, Adam) or squares (Adam, RMSprop).
    kept, found = (c["optimizer_states"][0]["state"] for c in (one, two))
    for number, state in kept.items():
        for name, tensor in state.items():
            if isinstance(tensor, torch.Tensor) and tensor.ndim:
                scale = float(tensor.abs().max())
                torch.testing.assert_close(found[number][name], tensor, rtol=1e-5, atol=1e-5 * scale + 1e-9)
    metrics, others = logged(base / "one" / kind), logged(base / "several" / kind)
    assert any(name.startswith("val") for name in metrics)
    for name, values in metrics.items():
        assert others[name] == pytest.approx(values, rel=1e-6, abs=1e-6), (kind, name)


ENDLESS = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import small_runs
from spinetk.signals import leaving
with leaving():
    small_runs.lesion(Path(sys.argv[2]), Path(sys.argv[3]), iterations=100_000, devices=2)
"""

# In a session of its own; the second process is begun anew from what looks like the command of the first.
AS_A_PROGRAM = """
import os, sys
from pathlib import Path
os.setsid()
sys.modules["__main__"].__spec__ = None
sys.argv[:] = {arguments}
exec(compile(Path(sys.argv[0]).read_text(), sys.argv[0], "exec"), {{"__name__": "__main__"}})
"""


def test_a_signal_to_the_first_process_ends_all_and_the_run_goes_on(folder, tmp_path):
    """As ``--devices 2`` begins them; the limits of time are there for a test that would never end."""
    out, script = tmp_path / "out", tmp_path / "endless.py"
    script.write_text(ENDLESS)
    arguments = [str(script), str(ROOT / "benchmarks"), str(folder / "data"), str(out)]
    shared = {"PYTHONPATH": str(ROOT), "GLOO_SOCKET_IFNAME": "lo"}
    first = begin(AS_A_PROGRAM.format(arguments=arguments), tmp_path / "said", shared)
    try:
        assert soon(lambda: list(out.rglob("[0-9]*.ckpt")) or first.exitcode is not None, 300)
        first.terminate()
        assert ended(first) == 128 + signal.SIGTERM, (tmp_path / "said").read_text()
        assert soon(lambda: not processes_of(first.pid), 300)
    finally:
        for number in processes_of(first.pid):
            os.kill(number, signal.SIGKILL)
    words = (tmp_path / "said").read_text()
    assert "go on with --resume" in words
    assert "Traceback" not in words
    done = newest(out)["global_step"]
    small_runs.lesion(folder / "data", out, resume=True, iterations=done + 1, devices=1)
    assert newest(out)["global_step"] == done + 1


def soon(condition, seconds: float) -> bool:
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            return False
        time.sleep(0.1)
    return True

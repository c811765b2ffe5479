"""Shared fixtures: small case folders of drawn vertebrae, fast enough to train on."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib.util
import json
import multiprocessing
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

# One thread in every process of the tests, those they start included: several workers with all threads each take six
# times as long. The only place where this is said; it must stand before anything reads it.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OPENCV_FOR_THREADS_NUM", "1")

import cv2
import numpy as np
import pytest

from spinetk.cases.folder import CaseFolder, write_record
from spinetk.errors import InputError
from spinetk.formats.files import write_metadata
from spinetk.formats.record import record_of
from spinetk.geometry import Frame
from spinetk.reading import Reading, Vertebra
from spinetk.schema import VERTEBRA6

# Where byte code is not kept, as in many containers, every program of the tests compiles the package anew, and each
# process rewrites every test. Here it is kept, beside its source as usual.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# What imports make stays: it is not looked through for garbage meanwhile, nor later (``pytest_collection_finish``).
gc.disable()

# jsonschema, which MONAI loads and nothing here uses, builds a grammar of addresses for three seconds in every process.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

# A test process has run inference engines and has their threads: copies of it (fork, Linux' default before Python 3.14)
# sometimes die.
multiprocessing.set_start_method("forkserver", force=True)
multiprocessing.set_forkserver_preload(["torch", "spinetk.keypoints.trainer"])

# A plugin may have loaded it before. It is not imported here: the process that only hands out tests does without.
if torch := sys.modules.get("torch"):
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
cv2.setNumThreads(int(os.environ["OPENCV_FOR_THREADS_NUM"]))

# Memory that is given back is zeroed page by page when it is taken again: glibc is to keep what a test has freed, here
# and in the programs that tests start, whose own settings then give way to these.
os.environ |= {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**31 - 1)}
if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
    for parameter, value in ((-4, 0), (-1, 2**31 - 1)):  # M_MMAP_MAX, M_TRIM_THRESHOLD
        libc.mallopt(parameter, value)

SHARED = Path(__file__).resolve().parent.parent.parent / "shared" / "data"


# It comes from its source only, so not even CI has it.
DETECTRON2 = importlib.util.find_spec("detectron2") is not None
collect_ignore = [] if DETECTRON2 else ["keypoints/test_d2_engine.py"]


# They start copies of a server that has imported torch and Lightning, five seconds of processor.
FORKING = ("training/", "keypoints/test_training.py")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are not spelt out: those of gzip hold the time, and processes that share tests must give them one name."""
    return argname if isinstance(val, bytes) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked ``data("name")`` need real pictures that may not be passed on; without them they say so."""
    for item in items:
        for mark in item.iter_markers("data"):
            if not (SHARED / mark.args[0]).is_dir():
                item.add_marker(pytest.mark.skip(reason=f"../shared/data/{mark.args[0]} is absent"))
    items.sort(key=lambda item: not item.nodeid.removeprefix("tests/").startswith(FORKING))


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file's tests go to one process, so that what they share is made once; those that fork share a server, too, and
    those of the review page a browser.
    """
    if config.getvalue("dist") != "load":  # what -n asks for
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.partition("::")[0].removeprefix("tests/")
            return "forking" if path.startswith(FORKING) else "review" if path.startswith("review/") else path

    config.option.loadscopereorder = False  # the longest, which fork, are collected first
    return ByFile(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what is not tested; with ``--no-skips`` a skipped test is a failure, as in CI, which installs everything."""
    if not DETECTRON2:
        terminalreporter.line("Detectron2 is not installed: test_d2_engine.py is left out")
    if config.getoption("processor"):
        _say_processor(terminalreporter)
    if config.getoption("no_skips") and (skipped := terminalreporter.stats.get("skipped")):
        terminalreporter.section("skipped, which --no-skips forbids")
        for report in skipped:
            terminalreporter.line(f"{report.nodeid}: {report.longrepr[2]}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.config.getoption("no_skips") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--no-skips", action="store_true", help="count skipped tests as failures")
    parser.addoption("--processor", action="store_true", help="seconds of processor by file, the twenty costliest")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    """Note what each phase of a test took of the processor, programs it began and waited for included."""
    report = yield
    now = sum(os.times()[:4])
    report.processor_s = now - _before[0]
    _before[0] = now
    return report


_before = [sum(os.times()[:4])]


def _say_processor(reporter: pytest.TerminalReporter) -> None:
    files: dict[str, float] = {}
    for report in (r for own in reporter.stats.values() for r in own if hasattr(r, "processor_s")):
        path = report.nodeid.split("::")[0]
        files[path] = files.get(path, 0.0) + report.processor_s
    reporter.section("seconds of processor, user and system")
    for path in sorted(files, key=files.__getitem__, reverse=True)[:20]:
        reporter.line(f"{files[path]:8.1f}  {path}")
    reporter.line(f"{sum(files.values()):8.1f}  all {len(files)} files")


@pytest.fixture(scope="session", autouse=True)
def _temporary_files_go_with_the_run(tmp_path_factory) -> Iterator[None]:
    """What programs put into the system's temporary folder and leave there when they are killed, as tests kill them."""
    folder = str(tmp_path_factory.mktemp("tmp", numbered=False))
    before, own = os.environ.get("TMPDIR"), tempfile.tempdir
    if len(folder) < 60:  # names of sockets lie in it, which may have 103 bytes
        os.environ["TMPDIR"] = tempfile.tempdir = folder
    yield
    tempfile.tempdir = own  # mutmut runs the tests several times in one process
    if before is None:
        os.environ.pop("TMPDIR", None)
    else:
        os.environ["TMPDIR"] = before


def draw_column(seed: int, height: int = 96, width: int = 80, count: int = 3) -> tuple[np.ndarray, Reading]:
    """Bright boxes on a dark noisy ground, and their truth."""
    random = np.random.default_rng(seed)
    picture = random.normal(40, 8, (height, width))
    vertebrae = []
    for i in range(count):
        x0, y0 = 22 + random.uniform(-3, 3), 8 + 28 * i + random.uniform(-2, 2)
        x1, y1 = x0 + 32, y0 + 18
        picture[round(y0) : round(y1), round(x0) : round(x1)] += 150
        middle = (x0 + x1) / 2
        points = [[x0, y1], [middle, y1], [x1, y1], [x1, y0], [middle, y0], [x0, y0]]
        vertebrae.append(Vertebra.from_points(np.array(points), label=f"L{i + 1}"))
    reading = Reading("", height, width, VERTEBRA6, vertebrae, Frame((1.0, 1.0), "user"), "sagittal")
    return picture.clip(0, 255).astype(np.uint8), reading


@pytest.fixture
def case_folder(tmp_path) -> Path:
    """Twelve cases of drawn columns with a ``Hardware`` flag."""
    base = tmp_path / "cases"
    base.mkdir()
    folder = CaseFolder(base)
    for number in range(12):
        case = f"case {number}"
        picture, reading = draw_column(number)
        write_record(folder.source(case), record_of(reading, case, case=case), picture)
    write_metadata(base, {f"case {n}": {"Hardware": n % 3 == 0} for n in range(12)})
    return base


@pytest.fixture
def drawn(tmp_path) -> Reading:
    """The truth of one drawn column, whose picture is ``column.png``."""
    picture, reading = draw_column(99)
    reading.file = str(tmp_path / "column.png")
    cv2.imwrite(reading.file, picture)
    return reading


@pytest.fixture
def picture_file(drawn) -> Path:
    """The picture alone."""
    return Path(drawn.file)


@pytest.fixture(scope="session")
def tiny() -> Any:
    """The fast preset of a Keypoint R-CNN on thumbnails, with thin heads."""
    from spinetk.keypoints.preset import FAST

    heads = {"channels": 16, "point_layers": (8,), "box_units": 16, "box_samples": 16, "detections": 8}
    return replace(FAST, name="tiny", short_px=(64,), long_px=96, proposals=(30, 10), **heads)


# Rooms whose every refusal is read for its form.
READ_FOR_FORM = ("batch", "cases", "formats", "images", "node", "pacs", "test_geometry.py", "test_geometry_frame.py")


@pytest.fixture(autouse=True)
def _refusals_are_well_formed(request, monkeypatch) -> Iterator[None]:
    """Whatever is refused says where, what is wrong and what to do, as parts of a sentence: ``where: what (do)``."""
    if request.path.relative_to(Path(__file__).parent).parts[0] not in READ_FOR_FORM:
        yield
        return
    made: set[tuple[str, str, str]] = set()
    plain = InputError.__init__

    def note(self: InputError, source: object, fault: object, remedy: object = "") -> None:
        plain(self, source, fault, remedy)
        made.add((str(source), str(fault), str(remedy)))

    monkeypatch.setattr(InputError, "__init__", note)
    yield
    monkeypatch.undo()
    wrong = [one for one in made if one[0] in ("", "None") or not all(map(_mid_sentence, one[1:]))]
    assert not wrong, f"source, fault and remedy are wanted, no capital first, no full stop last: {wrong[:5]}"


def _mid_sentence(text: str) -> bool:
    return re.match(r"[a-z0-9'\"`\[({<-]", text) is not None and text[-1] not in ".:;, " and text != "None"


_listening: list[list[tuple[str, str]]] = []


def _hear(event: str, args: tuple) -> None:
    if _listening and event in ("open", "os.listdir", "os.scandir") and isinstance(args[0], str | os.PathLike):
        _listening[-1].append((event, os.fspath(args[0])))


@pytest.fixture(scope="session")
def _audit() -> None:
    sys.addaudithook(_hear)  # it stays until the process ends, and listens only when it is asked to


@pytest.fixture
def file_events(_audit) -> Callable[[], contextlib.AbstractContextManager[list[tuple[str, str]]]]:
    """``with file_events() as seen``: every (event, path) of files opened and folders listed, for limits of work."""

    @contextlib.contextmanager
    def listen() -> Iterator[list[tuple[str, str]]]:
        _listening.append([])
        try:
            yield _listening[-1]
        finally:
            _listening.pop()

    return listen


# bottom_left, bottom_middle, bottom_right, top_right, top_middle, top_left
HAND_BODY = [[10.25, 30.5], [20.0, 29.0], [30.0, 31.0], [29.0, 12.0], [19.5, 13.0], [9.0, 11.0]]


def hand_annotation(points: list[list[float]]) -> dict:
    xs, ys = zip(*points, strict=True)
    flat = [v for x, y in points for v in (x, y, 2.0)]
    return {"bbox": [min(xs), min(ys), max(xs), max(ys)], "bbox_mode": 0, "category_id": 0, "keypoints": flat}


@pytest.fixture
def make_case() -> Callable[..., Path]:
    """Write ``<base>/<case>/src/0/src-0.{png,json}`` (or an augmented copy) without the code under test."""

    def write(base: Path, case: str, *, copy: int = 0, size: tuple[int, int] = (64, 48), **changes) -> Path:
        stem = f"src/0/src-{0}" if copy == 0 else f"augs/{copy}/aug-{copy}"
        path = base / case / f"{stem}.json"
        path.parent.mkdir(parents=True)
        # Every case gets pixels of its own.
        pixels = np.random.default_rng([copy, *case.encode()]).integers(0, 256, size[::-1])
        cv2.imwrite(str(path.with_suffix(".png")), pixels.astype(np.uint8))
        content = {
            "file_name": f"./elsewhere/{stem}.png",
            "height": size[1],
            "width": size[0],
            "image_id": f"{case}-{copy}",
            "annotations": [hand_annotation(HAND_BODY)],
        }
        path.write_text(json.dumps({**content, **changes}))
        return path

    return write

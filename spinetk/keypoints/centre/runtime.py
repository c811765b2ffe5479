"""The graphs of a released CentreNet, run by OpenVINO or ONNX Runtime: a release is read without PyTorch.

OpenVINO is several times faster than PyTorch on a CPU. It computes in bfloat16 where the processor does, which moves
points by some 0.01 px.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spinetk.errors import InputError
from spinetk.keypoints.centre.decoding import CentreDecoder, Found
from spinetk.keypoints.centre.preset import CentrePreset
from spinetk.schema import KeypointSchema

PARTS = ("maps", "refine", "column")
HALF_AND_SINGLE = {"F16": np.float16, "F32": np.float32}
MOST_HEAD_BYTES = 10_000_000
Run = Callable[[np.ndarray], list[np.ndarray]]


def graph_file(weights: Path, part: str) -> Path:
    """``NAME-maps.onnx`` beside ``NAME.safetensors``."""
    return weights.with_name(f"{weights.stem}-{part}.onnx")


def has_graphs(weights: Path, parts: Sequence[str] = PARTS[:2]) -> bool:
    """Whether a weights file is a release with graphs, and something that runs them is installed."""
    there = weights.suffix == ".safetensors" and all(graph_file(weights, part).exists() for part in parts)
    return there and any(importlib.util.find_spec(name) is not None for name in ("openvino", "onnxruntime"))


def functions(weights: Path, parts: Sequence[str], precision: str | None = None) -> list[Run]:
    """The graphs of a release as functions of arrays.

    Args:
        weights: ``NAME.safetensors``, its graphs beside it.
        parts: Names of the graphs.
        precision: ``f32`` or ``bf16``; None leaves it to OpenVINO (bfloat16 where the processor computes it).

    Raises:
        InputError: The weights or a graph are damaged.
    """
    _check_finite(weights)
    files = [graph_file(weights, part) for part in parts]
    try:
        return _by_openvino(files, precision) if engine() == "openvino" else _by_onnxruntime(files)
    except Exception as error:  # each has exceptions of its own
        raise InputError(weights, "has graphs that do not fit it", "download or release it again") from error


def engine() -> str:
    """What runs graphs here."""
    return "openvino" if importlib.util.find_spec("openvino") is not None else "onnxruntime"


def wants_cpu(device: str) -> bool:
    """Whether a network is to run on the CPU: as told, or as PyTorch finds no GPU (asked where one may be)."""
    if device != "auto" or not Path("/dev/nvidiactl").exists() or importlib.util.find_spec("torch") is None:
        return device in ("auto", "cpu")
    import torch

    return not torch.cuda.is_available()


def load_openvino() -> Any:
    """The module ``openvino``, kept from telling its makers of every conversion over the network.

    Without the package ``openvino_telemetry`` it takes a stub that sends nothing.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    return importlib.import_module("openvino")


def layout(weights: Path) -> Iterator[tuple[str, int, int]]:
    """Type, first and last byte (from the file's start) of the tensors of a safetensors file.

    Raises:
        InputError: It is none.
    """
    try:
        with weights.open("rb") as file:
            head = int.from_bytes(file.read(8), "little")
            entries = json.loads(file.read(min(head, MOST_HEAD_BYTES)))
            for name, entry in entries.items():
                if name != "__metadata__":
                    start, stop = (int(value) for value in entry["data_offsets"])
                    yield str(entry["dtype"]), 8 + head + start, 8 + head + stop
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(weights, "is not a safetensors file", "download or release it again") from error


def read_tensor(weights: Path, dtype: str, start: int, stop: int) -> np.ndarray:
    """The numbers of a half or single precision tensor, as they lie in the file."""
    kind = np.dtype(HALF_AND_SINGLE[dtype])
    return np.fromfile(weights, kind, (stop - start) // kind.itemsize, offset=start)


def _check_finite(weights: Path) -> None:
    for dtype, start, stop in layout(weights):
        if dtype in HALF_AND_SINGLE and not np.isfinite(read_tensor(weights, dtype, start, stop)).all():
            raise InputError(weights, "holds numbers that are not finite", "train or release it again")


class GraphEngine:
    """A released centre network by its graphs, on the CPU.

    Args:
        weights: ``NAME.safetensors``, its graphs beside it.
        preset, schema: Of the network, as its card says.
        precision: ``f32`` or ``bf16``; None leaves it to OpenVINO (bfloat16 where the processor computes it).

    Raises:
        InputError: The weights or a graph are damaged.
    """

    device = "cpu"

    def __init__(
        self, weights: Path, preset: CentrePreset, schema: KeypointSchema, precision: str | None = None
    ) -> None:
        self.preset, self.schema, self._weights = preset, schema, weights
        self.runtime = engine()
        maps, refine, *column = functions(weights, PARTS if preset.levels else PARTS[:2], precision)
        strips = (lambda given: column[0](given)[0]) if column else None
        self._decoder = CentreDecoder(
            self.preset, self.schema, lambda given: tuple(maps(given)), lambda given: refine(given)[0], strips
        )

    def fingerprint(self) -> str:
        """SHA-256 of the weights."""
        return hashlib.sha256(self._weights.read_bytes()).hexdigest()

    def detect(self, picture: np.ndarray, least: float) -> Found:
        """Detections in a (3, H, W) picture in 0..1, best first."""
        return self._decoder.detect(picture)

    def look(self, picture: np.ndarray, points: np.ndarray) -> Found:
        """Refine rough points of bodies."""
        return self._decoder.look(picture, points)

    def votes(
        self, picture: np.ndarray, centres: np.ndarray, line: np.ndarray, lowest: int | None = None
    ) -> np.ndarray:
        """Votes for the levels of bodies."""
        return self._decoder.votes(picture, centres, line, lowest)


def _by_openvino(files: list[Path], precision: str | None) -> list[Run]:
    core = load_openvino().Core()
    settings = {"PERFORMANCE_HINT": "LATENCY"}
    if precision is not None:
        settings["INFERENCE_PRECISION_HINT"] = precision

    def function(file: Path) -> Run:
        compiled = core.compile_model(file, "CPU", settings)
        return lambda given: list(compiled(np.ascontiguousarray(given, np.float32)).values())

    return [function(file) for file in files]


def _by_onnxruntime(files: list[Path]) -> list[Run]:
    import onnxruntime

    def function(file: Path) -> Run:
        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return lambda given: session.run(None, {name: np.ascontiguousarray(given, np.float32)})

    return [function(file) for file in files]

"""The graphs of a released CentreNet, run by ONNX Runtime or OpenVINO: a release is read without PyTorch.

Both compute in single precision, so that a picture is read alike on every processor. ONNX Runtime is up in a third of
the time that OpenVINO takes to compile, and as fast from then on; OpenVINO is there for machines that have it alone,
and for those who ask for bfloat16, which takes half the time on a processor that has it and moves points: by 0.05 px of
the network's input in the median, by 0.8 px in one of a hundred. Half precision (AVX-512 FP16) is slower than single.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from spinetk import zoo
from spinetk.errors import InputError
from spinetk.keypoints.centre.decoding import CentreDecoder, Found, Worth
from spinetk.keypoints.centre.preset import CentrePreset
from spinetk.schema import KeypointSchema

ENGINES = ("onnxruntime", "openvino")
PARTS = ("maps", "refine", "endplate", "column", "lumbosacral")
Precision = Literal["32-true", "bf16-true"]
BFLOAT16_REMARK = "computed in bfloat16: points lie up to some px from those in single precision"
HALF_AND_SINGLE = {"F16": np.float16, "F32": np.float32}
CROPS = 4  # refined at a time: what is between the layers stays in the processor's cache, a tenth of the time
EXPONENTS: dict[str, np.uint16 | np.uint32] = {"F16": np.uint16(0x7C00), "F32": np.uint32(0x7F800000)}  # their bits
MOST_HEAD_BYTES = 10_000_000
CONVERTER = "openvino.tools.ovc"
Run = Callable[[np.ndarray], list[np.ndarray]]


def graph_file(weights: Path, part: str) -> Path:
    """``NAME-maps.onnx`` beside ``NAME.safetensors``."""
    return weights.with_name(f"{weights.stem}-{part}.onnx")


def has_graphs(weights: Path, parts: Sequence[str] = PARTS[:2]) -> bool:
    """Whether a weights file is a release with graphs, and something that runs them is installed."""
    there = weights.suffix == ".safetensors" and all(graph_file(weights, part).exists() for part in parts)
    return there and any(importlib.util.find_spec(name) is not None for name in ENGINES)


def functions(weights: Path, parts: Sequence[str], precision: Precision = "32-true") -> list[Run]:
    """The graphs of a release as functions of arrays.

    Args:
        weights: ``NAME.safetensors``, its graphs beside it.
        parts: Names of the graphs.
        precision: That they compute in.

    Raises:
        InputError: The weights or a graph are damaged, or nothing here computes in that precision.
    """
    _check_finite(weights)
    files = [graph_file(weights, part) for part in parts]
    if precision == "bf16-true":
        check_bfloat16()
    try:
        return _by_openvino(files, precision) if engine(precision) == "openvino" else _by_onnxruntime(files)
    except Exception as error:  # each has exceptions of its own
        raise InputError(weights, "has graphs that do not fit it", "download or release it again") from error


def engine(precision: Precision = "32-true") -> str:
    """What runs graphs here."""
    if precision == "bf16-true":
        return "openvino"
    return next((name for name in ENGINES if importlib.util.find_spec(name) is not None), ENGINES[0])


def check_bfloat16() -> None:
    """Raise ``InputError`` where graphs cannot be computed in bfloat16: OpenVINO would use another precision."""
    if importlib.util.find_spec("openvino") is None:
        raise InputError("--precision bf16-true", "needs OpenVINO, which is missing", "pip install 'spinetk[export]'")
    if "BF16" not in load_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise InputError("--precision bf16-true", "is nothing that this processor computes in", "leave it out")


def wants_cpu(device: str) -> bool:
    """Whether a network is to run on the CPU: as told, or as PyTorch finds no GPU (asked where one may be)."""
    if device != "auto" or not Path("/dev/nvidiactl").exists() or importlib.util.find_spec("torch") is None:
        return device in ("auto", "cpu")
    import torch

    return not torch.cuda.is_available()


def check_runtime(device: str, precision: Precision) -> None:
    """Refuse what no released model can be run with on this machine.

    Raises:
        InputError: There is no such device, or nothing here computes in that precision.
    """
    if not wants_cpu(device):
        from spinetk.training.device import pick_device

        pick_device(device)
    if precision != "32-true":
        if not wants_cpu(device):
            raise only_released(precision)
        check_bfloat16()


def only_released(precision: Precision) -> InputError:
    """What is said where a network that is no graph on a CPU is asked to compute in another precision."""
    return InputError(f"--precision {precision}", "is for released models on a CPU", "leave it out")


def reads(model: str | Path | None, device: str = "auto") -> bool:
    """Whether a model, or, with None, what is released, is read by graphs: on one core, without PyTorch.

    Raises:
        InputError: The model is not found.
    """
    return wants_cpu(device) and (model is None or has_graphs(zoo.find(model)))


def load_openvino() -> Any:
    """The module ``openvino``, kept from telling its makers of every conversion over the network, and without its
    converter (``openvino.tools.ovc``), which takes as long to import as all the rest and reading never needs.

    Without the package ``openvino_telemetry`` it takes a stub that sends nothing.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    if "openvino" in sys.modules:
        return sys.modules["openvino"]
    sys.modules[CONVERTER] = None  # type: ignore[assignment]
    try:
        return importlib.import_module("openvino")
    finally:
        del sys.modules[CONVERTER]


def load_converter() -> Any:
    """``openvino.convert_model``'s own module, for export."""
    load_openvino()
    return importlib.import_module(CONVERTER)


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
    tensors, content = list(layout(weights)), np.fromfile(weights, np.uint8)
    for dtype, start, stop in tensors:
        if dtype not in HALF_AND_SINGLE:
            continue
        # All bits of the exponent: infinity or no number. Twenty times as fast as np.isfinite in half precision.
        exponent = EXPONENTS[dtype]
        whole = start + (stop - start) // exponent.itemsize * exponent.itemsize
        if (content[start:whole].view(exponent.dtype) & exponent == exponent).any():
            raise InputError(weights, "holds numbers that are not finite", "train or release it again")


class GraphEngine:
    """A released centre network by its graphs, on the CPU.

    Args:
        weights: ``NAME.safetensors``, its graphs beside it.
        preset, schema: Of the network, as its card says.
        precision: That they compute in.

    Raises:
        InputError: The weights or a graph are damaged, or nothing here computes in that precision.
    """

    device = "cpu"

    def __init__(
        self, weights: Path, preset: CentrePreset, schema: KeypointSchema, precision: Precision = "32-true"
    ) -> None:
        self.preset, self.schema, self.precision, self._weights = preset, schema, precision, weights
        self.runtime = engine(precision)
        there = {
            "endplate": preset.endplate_refine, "column": bool(preset.levels), "lumbosacral": preset.lumbosacral_look,
        }  # fmt: skip
        names = [part for part in PARTS if there.get(part, True)]
        runs = dict(zip(names, functions(weights, names, precision), strict=True))
        maps, (column, endplate, lumbosacral) = runs["maps"], map(runs.get, ("column", "endplate", "lumbosacral"))

        def both(given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            centre, offset = maps(given)
            return centre, offset

        self._decoder = CentreDecoder(
            self.preset,
            self.schema,
            both,
            lambda given: _in_parts(runs["refine"], given),
            None if column is None else lambda given: column(given)[0],
            None if endplate is None else lambda given: _in_parts(endplate, given),
            None if lumbosacral is None else lambda given: lumbosacral(given)[0],
        )

    def fingerprint(self) -> str:
        """SHA-256 of the weights."""
        return hashlib.sha256(self._weights.read_bytes()).hexdigest()

    def detect(self, picture: np.ndarray, least: float, worth: Worth | None = None) -> Found:
        """Detections in a (3, H, W) picture in 0..1, best first."""
        return self._decoder.detect(picture, worth=worth)

    def look(self, picture: np.ndarray, points: np.ndarray) -> Found:
        """Refine rough points of bodies."""
        return self._decoder.look(picture, points)

    def l5_chances(self, picture: np.ndarray, points: np.ndarray) -> np.ndarray:
        """How probable it is by their surroundings that bodies are L5."""
        return self._decoder.l5_chances(picture, points)

    def votes(
        self, picture: np.ndarray, centres: np.ndarray, line: np.ndarray, lowest: int | None = None
    ) -> np.ndarray:
        """Votes for the levels of bodies."""
        return self._decoder.votes(picture, centres, line, lowest)


def _in_parts(run: Run, given: np.ndarray) -> np.ndarray:
    """What a graph says of a batch, a few at a time."""
    return np.concatenate([run(given[start : start + CROPS])[0] for start in range(0, max(1, len(given)), CROPS)])


def _by_openvino(files: list[Path], precision: Precision) -> list[Run]:
    core = load_openvino().Core()
    settings: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16-true" else "f32",
        "INFERENCE_NUM_THREADS": 1,  # as below
    }

    def function(file: Path) -> Run:
        compiled = core.compile_model(file, "CPU", settings)
        return lambda given: list(compiled(np.ascontiguousarray(given, np.float32)).values())

    return [function(file) for file in files]


def _by_onnxruntime(files: list[Path]) -> list[Run]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # a damaged file is told by its exception
    # One thread: sums of several come in another order, and a picture would be read by 0.001 px otherwise in a
    # process with another share of the cores. Many pictures are read by many processes.
    options.intra_op_num_threads = 1

    def function(file: Path) -> Run:
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        return lambda given: session.run(None, {name: np.ascontiguousarray(given, np.float32)})

    return [function(file) for file in files]

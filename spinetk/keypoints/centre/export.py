"""Export of a CentreNet: its networks as ONNX files or OpenVINO models, and the graphs of a release.

What is exported computes everything but the cropping, the choice of peaks and the decoding, which stay in
:mod:`spinetk.keypoints.centre.network`: the first file maps a picture (B, 3, H, W), sides multiples of 64, to its
maps; the second crops (N, 1, S, S) to heatmap logits, as does another, where S1 has one of its own; one, where the
network names levels, strips (B, 4, 576, 96) to level logits and places within a level; one, where it tells L5 by its
surroundings, these (N, 2, 64, 64) to logits of levels.

The graphs of a release (``NAME-maps.onnx``, ...) hold no weights: ONNX lets a tensor lie in another file ("external
data"), and theirs lie in ``NAME.safetensors``, whose half-precision tensors they name by offset. So a release is read
without PyTorch and is hardly larger than its weights.
"""

from __future__ import annotations

import copy
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spinetk.errors import InputError
from spinetk.keypoints.centre.column import ColumnNet
from spinetk.keypoints.centre.decoding import PAD
from spinetk.keypoints.centre.network import CentreNet
from spinetk.keypoints.centre.runtime import (
    HALF_AND_SINGLE,
    graph_file,
    layout,
    load_converter,
    load_openvino,
    read_tensor,
)
from spinetk.keypoints.centre.strip import COLUMNS, ROWS
from spinetk.keypoints.centre.surroundings import SIDE_PX

FORMATS = ("onnx", "openvino")
MOST_FOLDED = 1 << 30  # bytes: any
LEAST_AXES = 2  # of a tensor that is worth a reference: those of a batch norm each cost an engine a cast when it loads


class _Maps(nn.Module):
    """The maps of a network as its whole computation."""

    def __init__(self, network: CentreNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        return self.network.maps(pictures)


class _Recurrent(nn.Module):
    """A bidirectional ``nn.GRU`` as the one operator that ONNX has for a layer of it.

    PyTorch's exporter finds the shapes of a GRU by going through it step by step, which takes minutes. ONNX's gates are
    in the order update, reset, new (PyTorch: reset, update, new), and it applies the reset gate behind the matrix, as
    PyTorch does, where it is told to (``linear_before_reset``).

    Args:
        gru: ``batch_first``.
    """

    def __init__(self, gru: nn.GRU) -> None:
        super().__init__()
        self.layers, self.width = gru.num_layers, gru.hidden_size
        for layer in range(self.layers):
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                both = [getattr(gru, f"{name}_l{layer}{way}").detach() for way in ("", "_reverse")]
                gates = [torch.cat([gate.chunk(3)[k] for k in (1, 0, 2)]) for gate in both]
                self.register_buffer(f"{name}_{layer}", torch.stack(gates))

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """(B, C, inputs) to (B, C, 2 * width), in a tuple as of ``nn.GRU``."""
        x = x.transpose(0, 1)
        told: dict[str, Any] = {"direction": "bidirectional", "hidden_size": self.width, "linear_before_reset": 1}
        for layer in range(self.layers):
            into, on, bias_into, bias_on = (
                getattr(self, f"{name}_{layer}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            )
            given = (x, into, on, torch.cat([bias_into, bias_on], dim=1))
            shape = (x.shape[0], 2, x.shape[1], self.width)
            x = torch.onnx.ops.symbolic("GRU", given, told, dtype=x.dtype, shape=shape)
            x = x.transpose(1, 2).flatten(2)
        return (x.transpose(0, 1),)


def _in_onnx_terms(module: nn.Module) -> nn.Module:
    """The module, its GRU as :class:`_Recurrent`; torch before 2.8 cannot say that and takes its minutes."""
    if not isinstance(module, ColumnNet) or not hasattr(torch.onnx, "ops"):
        return module
    changed = copy.copy(module)
    changed._modules = module._modules | {"along": _Recurrent(module.along)}
    return changed


def parts(network: CentreNet) -> dict[str, tuple[nn.Module, Tensor]]:
    """The networks and an example of their input."""
    side = network.preset.crop_px
    found: dict[str, tuple[nn.Module, Tensor]] = {
        "maps": (_Maps(network).eval(), torch.zeros(2, 3, 4 * PAD, 3 * PAD)),
        "refine": (network.refine.eval(), torch.zeros(3, 1, side, side)),
    }
    if network.endplate is not None:
        found["endplate"] = network.endplate.eval(), torch.zeros(3, 1, side, side)
    if network.column is not None:
        found["column"] = network.column.eval(), torch.zeros(2, 4, ROWS, COLUMNS)
    if network.lumbosacral is not None:
        found["lumbosacral"] = network.lumbosacral.eval(), torch.zeros(2, 2, SIDE_PX, SIDE_PX)
    return found


def export(network: nn.Module, out: str | Path, name: str, kind: str = "onnx") -> list[Path]:
    """Write the networks.

    Args:
        network: In any mode; put into evaluation mode.
        out: Folder.
        name: Start of the file names: ``NAME-maps.onnx`` and so on, or ``.xml`` with ``.bin``.
        kind: ``onnx`` or ``openvino``.

    Raises:
        InputError: Another kind of network, an unknown format, or the packages of the extra ``export`` are missing.
    """
    if not isinstance(network, CentreNet):
        raise InputError("export", "writes centre networks only", "train with --network centre or centre-ap")
    if kind not in FORMATS:
        raise InputError(f"format {kind!r}", "is unknown", f"choose from {', '.join(FORMATS)}")
    folder, network = Path(out), network.float().cpu().eval()
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for part, (module, example) in parts(network).items():
        path = folder / f"{name}-{part}.{'onnx' if kind == 'onnx' else 'xml'}"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the exporters talk to their developers
                if kind == "onnx":
                    _to_onnx(module, example, path)
                else:
                    load_openvino().save_model(to_openvino(module, example), path, compress_to_fp16=False)
        except ImportError as error:
            raise InputError(
                f"export to {kind}", f"{error.name} is missing", "pip install 'spinetk[export]'"
            ) from error
        written.append(path)
    return written


def _to_onnx(module: nn.Module, example: Tensor, path: Path, weights: Path | None = None) -> None:
    import onnx
    import onnxscript  # noqa: F401  (torch's exporter needs it and names it badly when it is missing)

    from spinetk.atomic import replacing

    with torch.no_grad():
        program = _program(module, example)
        if weights is None:
            # In a release, batch norms would be folded into weights that no file holds; engines fold them on loading.
            program.optimize()
        model = program.model_proto
    if weights is not None:
        _fold(model)
        _refer(model, weights)
    with replacing(path) as temporary:
        onnx.save_model(model, temporary)


def _program(module: nn.Module, example: Tensor) -> torch.onnx.ONNXProgram:
    """What the exporter makes of a module, of any batch and, for pictures, any size; not optimised."""
    # An end: torch 2.6 finds fault with a dimension that has none.
    batch = torch.export.Dim("batch", min=1, max=1 << 16)
    shape: dict[int, Any] = {0: batch}
    if example.shape[1] == 3:
        rows, columns = torch.export.Dim("rows", min=2), torch.export.Dim("columns", min=2)
        shape |= {2: PAD * rows, 3: PAD * columns}
    # In two steps: given the module, torch falls back to fixed sizes when a free one cannot be proven.
    traced = torch.export.export(_in_onnx_terms(module), (example,), dynamic_shapes=(shape,))
    program = torch.onnx.export(traced, verbose=False, optimize=False)
    assert program is not None  # with the new exporter, which a traced network takes
    return program


def write_graphs(networks: dict[str, tuple[nn.Module, Tensor]], weights: Path) -> list[Path]:
    """Write the graphs of a release beside its weights.

    Args:
        networks: By the names of their graphs, with an example of their input (:func:`parts`); with the weights as they
            were released, i.e. rounded to half precision.
        weights: ``NAME.safetensors``.

    Raises:
        InputError: The packages of the extra ``export`` are missing.
    """
    written = []
    for part, (module, example) in networks.items():
        path = graph_file(weights, part)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the exporters talk to their developers
                _to_onnx(module.float().cpu().eval(), example, path, weights)
        except ImportError as error:
            raise InputError("graphs", f"{error.name} is missing", "pip install 'spinetk[export]'") from error
        written.append(path)
    return written


def _fold(model: Any) -> None:
    """Compute what is constant, of which the exporter leaves much (casts and copies of batch norms' numbers): engines
    know a batch norm behind a convolution only by its plain numbers.
    """
    from onnxscript import optimizer

    optimizer.fold_constants(model, input_size_limit=MOST_FOLDED, output_size_limit=MOST_FOLDED)
    optimizer.remove_unused_nodes(model)
    model.graph.ClearField("value_info")


def _refer(model: Any, weights: Path) -> None:
    """Let a model's tensors lie in a safetensors file, as far as that holds the same numbers; the rest stay in it."""
    from onnx import TensorProto, helper, numpy_helper

    known: dict[bytes, tuple[str, int, int]] = {}
    for dtype, start, stop in layout(weights):
        if dtype in HALF_AND_SINGLE:
            values = read_tensor(weights, dtype, start, stop)
            known.setdefault(values.astype(np.float32).tobytes(), (dtype, start, stop))
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor)
        found = known.get(values.tobytes())
        if found is None or values.ndim < LEAST_AXES:
            continue
        dtype, start, stop = found
        plain = tensor.name
        tensor.ClearField("raw_data")
        tensor.ClearField("float_data")
        if dtype == "F16":
            tensor.name, tensor.data_type = f"{plain}.half", TensorProto.FLOAT16
            casts.append(helper.make_node("Cast", [tensor.name], [plain], to=TensorProto.FLOAT))
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in (("location", weights.name), ("offset", start), ("length", stop - start)):
            tensor.external_data.add(key=key, value=str(value))
    for node in model.graph.node:  # where in whose source each came from
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    for index, node in enumerate(casts):
        model.graph.node.insert(index, node)


def to_openvino(module: nn.Module, example: Tensor) -> Any:
    """An OpenVINO model of any batch and, for pictures, any size."""
    free = [-1, 3, -1, -1] if example.shape[1] == 3 else [-1, *example.shape[1:]]
    with torch.no_grad():
        return load_converter().convert_model(module, example_input=example, input=[free])

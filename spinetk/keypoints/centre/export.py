"""Export of a CentreNet: its networks as ONNX files or OpenVINO models.

What is exported computes everything but the cropping, the choice of peaks and the decoding, which stay in
:mod:`spinetk.keypoints.centre.network`: the first file maps a picture (B, 3, H, W), sides multiples of 64, to its
maps; the second crops (N, 1, S, S) to heatmap logits; the third, where the network names levels, strips
(B, 4, 576, 96) to level logits and places within a level.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from spinetk.errors import InputError
from spinetk.keypoints.centre.column import COLUMNS, ROWS
from spinetk.keypoints.centre.network import PAD, CentreNet

FORMATS = ("onnx", "openvino")


class _Maps(nn.Module):
    """The maps of a network as its whole computation."""

    def __init__(self, network: CentreNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        return self.network.maps(pictures)


def parts(network: CentreNet) -> dict[str, tuple[nn.Module, Tensor]]:
    """The networks and an example of their input."""
    side = network.preset.crop_px
    found: dict[str, tuple[nn.Module, Tensor]] = {
        "maps": (_Maps(network).eval(), torch.zeros(2, 3, 4 * PAD, 3 * PAD)),
        "refine": (network.refine.eval(), torch.zeros(3, 1, side, side)),
    }
    if network.column is not None:
        found["column"] = network.column.eval(), torch.zeros(2, 4, ROWS, COLUMNS)
    return found


def export(network: CentreNet, out: str | Path, name: str, kind: str = "onnx") -> list[Path]:
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
        raise InputError("export", "writes centre networks only", "train with --preset centre or centre-ap")
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


def _to_onnx(module: nn.Module, example: Tensor, path: Path) -> None:
    import onnx
    import onnxscript  # noqa: F401  (torch's exporter needs it and names it badly when it is missing)

    from spinetk.atomic import replacing

    # An end: torch 2.6 finds fault with a dimension that has none.
    batch = torch.export.Dim("batch", min=1, max=1 << 16)
    shape: dict[int, Any] = {0: batch}
    if example.shape[1] == 3:
        rows, columns = torch.export.Dim("rows", min=2), torch.export.Dim("columns", min=2)
        shape |= {2: PAD * rows, 3: PAD * columns}
    with torch.no_grad(), replacing(path) as temporary:
        # In two steps: given the module, torch falls back to fixed sizes when a free one cannot be proven.
        traced = torch.export.export(module, (example,), dynamic_shapes=(shape,))
        onnx.save_model(torch.onnx.export(traced, verbose=False).model_proto, temporary)


def load_openvino() -> Any:
    """The module ``openvino``, kept from telling its makers of every conversion over the network.

    Without the package ``openvino_telemetry`` it takes a stub that sends nothing.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    return importlib.import_module("openvino")


def to_openvino(module: nn.Module, example: Tensor) -> Any:
    """An OpenVINO model of any batch and, for pictures, any size."""
    free = [-1, 3, -1, -1] if example.shape[1] == 3 else [-1, *example.shape[1:]]
    with torch.no_grad():
        return load_openvino().convert_model(module, example_input=example, input=[free])

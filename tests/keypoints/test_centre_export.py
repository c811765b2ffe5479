"""Exported networks compute what the network computes."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from spinetk import zoo
from spinetk.errors import InputError
from spinetk.keypoints.centre.column import COLUMNS, ROWS
from spinetk.keypoints.centre.export import export, load_openvino, parts
from spinetk.keypoints.centre.network import CentreNet
from spinetk.keypoints.centre.preset import CentrePreset
from spinetk.keypoints.centre.runtime import available
from spinetk.keypoints.predictor import Predictor
from spinetk.schema import VERTEBRA4

SMALL = CentrePreset("small", (128,), 128, levels=("L1", "L2"), channels=8, crop_px=32, crop_widths=(8, 8, 8))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    net = CentreNet(SMALL, VERTEBRA4).eval()
    torch.nn.init.constant_(net.centre.bias, 0.0)
    return net


def skip_without_openvino():
    if not available():  # not by importing it, which would load what reports to its makers
        pytest.skip("OpenVINO is not installed")


def inputs(network):
    """Other sizes than those the exporter saw."""
    generator = torch.Generator().manual_seed(0)
    return {
        "maps": torch.rand(1, 3, 192, 320, generator=generator),
        "refine": torch.randn(5, 1, 32, 32, generator=generator),
        "column": torch.rand(3, 4, ROWS, COLUMNS, generator=generator),
    }


@pytest.mark.parametrize("kind", ["onnx", "openvino"])
def test_exports_agree_at_any_size(network, tmp_path, kind):
    pytest.importorskip("onnxruntime") if kind == "onnx" else skip_without_openvino()
    if kind == "onnx":
        pytest.importorskip("onnxscript")
    files = export(network, tmp_path, "small", kind)
    for (part, (module, _)), path in zip(parts(network).items(), files, strict=True):
        given = inputs(network)[part]
        with torch.no_grad():
            wanted = module(given)
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        if kind == "onnx":
            import onnxruntime

            session = onnxruntime.InferenceSession(path)
            found = session.run(None, {session.get_inputs()[0].name: given.numpy()})
        else:
            compiled = load_openvino().Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
            found = list(compiled(given.numpy()).values())
        assert len(found) == len(wanted)
        for own, other in zip(found, wanted, strict=True):
            np.testing.assert_allclose(own, other.numpy(), atol=1e-3)


def test_an_unknown_format_is_refused(network, tmp_path):
    with pytest.raises(InputError, match="onnx, openvino"):
        export(network, tmp_path, "x", "tflite")


def test_the_fast_engine_reads_the_same(network, tmp_path, monkeypatch):
    skip_without_openvino()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    zoo.save(tmp_path / "net.pth", network.state_dict(), {"config": network.config()})
    picture = np.random.default_rng(0).integers(0, 255, (120, 100), dtype=np.uint8)
    slow, fast = (Predictor.load(tmp_path / "net.pth", device="cpu", openvino=wanted) for wanted in (False, True))
    assert (slow.runtime, fast.runtime) == ("torch", "openvino")
    assert len(list((tmp_path / "cache" / "spinetk").iterdir())) == 1
    slow._mixed = False
    one, other = slow.detections(picture), fast.detections(picture)
    # OpenVINO may compute in bfloat16, so peaks of equal height may change places: compare the best of each.
    assert abs(one[1].max() - other[1].max()) < 0.02
    again = Predictor.load(tmp_path / "net.pth", device="cpu")
    np.testing.assert_array_equal(again.detections(picture)[1], other[1])


CONVERSION = """
import multiprocessing.process, socket, sys, threading
tried = []
multiprocessing.process.BaseProcess.start = lambda own: tried.append(own)
socket.socket.connect = lambda own, address: tried.append(address)
socket.getaddrinfo = lambda *address, **_: tried.append(address)
import torch
from spinetk.keypoints.centre.export import to_openvino
to_openvino(torch.nn.Conv2d(3, 4, 3), torch.rand(1, 3, 64, 64))
for thread in threading.enumerate():
    if thread is not threading.current_thread():
        thread.join(5)
sys.exit(f"spoke to {tried}" if tried else 0)
"""


def test_conversion_speaks_to_nobody():
    """OpenVINO reports conversions to its makers, from a process of its own."""
    skip_without_openvino()
    done = subprocess.run([sys.executable, "-c", CONVERSION], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr

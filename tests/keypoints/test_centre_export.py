"""Exported networks compute what the network computes, those of a release included."""

import importlib.util
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from torchvision.models.resnet import BasicBlock, ResNet

from spinetk import zoo
from spinetk.errors import InputError
from spinetk.images import Picture
from spinetk.keypoints.centre import export as exporting
from spinetk.keypoints.centre.export import export, parts
from spinetk.keypoints.centre.network import CentreNet
from spinetk.keypoints.centre.preset import CentrePreset
from spinetk.keypoints.centre.runtime import GraphEngine, graph_file, load_openvino
from spinetk.keypoints.centre.strip import COLUMNS, ROWS
from spinetk.keypoints.centre.surroundings import SIDE_PX
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.reader import Reader
from spinetk.keypoints.release import release
from spinetk.keypoints.torch_engine import TorchEngine
from spinetk.phantoms import write_phantom_set
from spinetk.schema import VERTEBRA6

SMALL = CentrePreset(
    "small", (128,), 128, levels=("L1", "L2"), channels=8, crop_px=32, crop_widths=(8, 8, 8),
    landmarks=("s1",), endplate_refine=True, lumbosacral_look=True,
)  # fmt: skip
ABOUT = (
    'task = "keypoints"\nlicence = "Apache-2.0"\nuse = "tests"\ndata = "phantoms"\ncommand = "none"\nviews = ["ap"]\n'
)


@pytest.fixture(scope="module")
def thin():
    """A block of each kind: exporters take seconds a block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("spinetk.keypoints.centre.network.resnet18", lambda: ResNet(BasicBlock, [1, 1, 1, 1]))
        yield


@pytest.fixture(scope="module")
def network(thin):
    torch.manual_seed(1)
    net = CentreNet(SMALL, VERTEBRA6).eval()
    torch.nn.init.constant_(net.centre.bias, 0.0)
    return net


def skip_without_openvino():
    if importlib.util.find_spec("openvino") is None:  # not by importing it: that loads what reports to its makers
        pytest.skip("OpenVINO is not installed")


def inputs(network):
    """Other sizes than those the exporter saw."""
    generator = torch.Generator().manual_seed(0)
    return {
        "maps": torch.rand(1, 3, 192, 320, generator=generator),
        "refine": torch.randn(5, 1, 32, 32, generator=generator),
        "endplate": torch.randn(2, 1, 32, 32, generator=generator),
        "column": torch.rand(3, 4, ROWS, COLUMNS, generator=generator),
        "lumbosacral": torch.randn(4, 2, SIDE_PX, SIDE_PX, generator=generator),
    }


@pytest.mark.parametrize("kind", ["onnx", "openvino"])
def test_exports_agree_at_any_size(network, tmp_path, kind, request):
    if kind == "onnx":
        files = request.getfixturevalue("written")[1]
    else:
        skip_without_openvino()
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


@pytest.fixture(scope="module")
def written(network, tmp_path_factory):
    """A release of the network, which then has the weights that the release holds, and the ONNX files of an export.

    Both come from one trace of each part, which takes seconds: the release's graphs first, as the export's are
    optimised in place.
    """
    pytest.importorskip("onnxscript")
    folder = tmp_path_factory.mktemp("release")
    write_phantom_set(folder / "cases", 6, seed=3, width=128)
    content = {"config": network.config(), "training": {"seed": 1}}
    zoo.save(folder / "model_final.pth", network.state_dict(), content)
    (folder / "about.toml").write_text(ABOUT)
    traced, trace = {}, exporting._program

    def once(module, example):
        key = (type(module), example.shape, sum(own.numel() for own in module.parameters()))
        if key not in traced:
            traced[key] = trace(module, example)
        return traced[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporting, "_program", once)
        path = release(folder / "model_final.pth", "tiny-ap", folder / "cases", folder / "about.toml", folder / "home")
        network.load_state_dict(zoo.load(path)[0])
        files = export(network, folder / "export", "small", "onnx")
    assert len(traced) == len(files) == 5
    return path, files


@pytest.fixture(scope="module")
def released(written):
    return written[0]


def test_a_release_holds_a_full_card_and_loads_by_name(released, monkeypatch):
    card = json.loads(released.with_suffix(".json").read_text())
    assert card["licence"] == "Apache-2.0"
    assert card["metrics"]["vertebrae"] > 0
    assert card["training"] == {"seed": 1}
    graphs = {f"tiny-ap-{part}.onnx" for part in ("maps", "refine", "endplate", "column", "lumbosacral")}
    assert {p.name for p in released.parent.iterdir()} == {"tiny-ap.json", "tiny-ap.safetensors"} | graphs
    monkeypatch.setenv("SPINETK_HOME", str(released.parent))
    predictor = Predictor.load("tiny-ap")
    assert predictor.calibration == tuple(card["calibration"])
    reading, _ = Reader().read_picture(Picture(np.zeros((128, 96), np.float32), view="ap"), "x.png")
    assert (reading.model, reading.view) == ("tiny-ap", "ap")


def test_graphs_hold_no_weights_and_no_places_of_this_machine(released):
    import onnx

    for part in ("maps", "refine", "endplate", "column", "lumbosacral"):
        file = graph_file(released, part)
        model = onnx.load(file, load_external_data=False)
        own = sum(len(tensor.raw_data) for tensor in model.graph.initializer if len(tensor.dims) > 1)
        referred = [t for t in model.graph.initializer if t.data_location == onnx.TensorProto.EXTERNAL]
        assert {entry.value for t in referred for entry in t.external_data if entry.key == "location"} == {
            "tiny-ap.safetensors"
        }
        assert own < 20_000 or part == "column"  # a GRU's gates come in another order
        # What engines know as convolution, batch norm and activation, and fuse: nothing lies in between.
        norms = [node for node in model.graph.node if node.op_type == "BatchNormalization"]
        plain = {tensor.name for tensor in model.graph.initializer}
        plain |= {node.output[0] for node in model.graph.node if node.op_type == "Cast" and node.input[0] in plain}
        assert norms
        assert all(set(node.input[1:]) <= plain for node in norms)
        assert str(released.parent).encode() not in file.read_bytes()
        assert b"site-packages" not in file.read_bytes()


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_a_release_is_read_alike_by_all_engines(network, released, engine, monkeypatch):
    if engine == "openvino":
        skip_without_openvino()
    monkeypatch.setattr("spinetk.keypoints.centre.runtime.engine", lambda *_: engine)
    graphs = GraphEngine(released, network.preset, network.schema)
    assert graphs.runtime == engine
    torch_engine = TorchEngine(network, "cpu")
    torch_engine.mixed = False
    one, other = torch_engine._decoder, graphs._decoder
    for part, given in inputs(network).items():
        found, wanted = (getattr(own, part)(given.numpy()) for own in (other, one))
        for own, its in zip(*((v if isinstance(v, tuple) else (v,)) for v in (found, wanted)), strict=True):
            np.testing.assert_allclose(own, its, atol=1e-3)
    assert len(graphs.detect(np.random.default_rng(0).random((3, 120, 100), np.float32), 0.0)["scores"]) > 3


def test_a_release_is_read_without_torch(released, tmp_path):
    """By a process in which torch cannot be imported."""
    code = f"""
import sys
sys.modules["torch"] = sys.modules["torchvision"] = None
import numpy as np
from spinetk.keypoints.predictor import Predictor
predictor = Predictor.load({str(released)!r})
predictor.read(np.random.default_rng(0).integers(0, 255, (120, 100), dtype=np.uint8))
print(predictor.runtime)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() == "onnxruntime", done.stderr


def test_a_damaged_graph_is_one_line(released, tmp_path):
    for file in released.parent.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    graph_file(tmp_path / released.name, "maps").write_bytes(b"no graph")
    with pytest.raises(InputError, match="graphs that do not fit"):
        Predictor.load(tmp_path / released.name)


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

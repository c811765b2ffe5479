"""bfloat16 is computed where it was asked for and where a processor has it, and is told."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from spinetk import zoo
from spinetk.errors import InputError
from spinetk.images import Picture, to_uint8
from spinetk.keypoints.centre import runtime
from spinetk.keypoints.predictor import Predictor
from spinetk.keypoints.reader import Reader
from spinetk.phantoms import sagittal_mr


class FakeCore:
    """OpenVINO as far as it is asked; what it computes is ONNX Runtime's."""

    def __init__(self, capabilities):
        self.capabilities, self.asked = capabilities, []

    def get_property(self, device, name):
        assert (device, name) == ("CPU", "OPTIMIZATION_CAPABILITIES")
        return self.capabilities

    def compile_model(self, file, device, settings):
        self.asked.append((file.name, settings["INFERENCE_PRECISION_HINT"]))
        (run,) = runtime._by_onnxruntime([file])
        return lambda given: dict(enumerate(run(given)))


@pytest.fixture
def processor(monkeypatch):
    """A processor with other capabilities."""

    def have(*capabilities):
        core = FakeCore(list(capabilities))
        monkeypatch.setattr(runtime, "load_openvino", lambda: SimpleNamespace(Core=lambda: core))
        return core

    return have


def test_bfloat16_is_asked_for_and_said_in_every_reading(processor):
    core = processor("FP32", "BF16")
    picture = Picture(to_uint8(sagittal_mr(3).pixels), view="sagittal", modality="MR")
    found, _ = Reader("sagittal-mr", precision="bf16-true", view_finder=None).read_picture(picture, "x.png")
    assert core.asked == [("sagittal-mr-maps.onnx", "bf16"), ("sagittal-mr-refine.onnx", "bf16")]
    assert found.remarks.count(runtime.BFLOAT16_REMARK) == 1
    single, _ = Reader("sagittal-mr", view_finder=None).read_picture(picture, "x.png")
    assert not any("bf16-true" in remark for remark in single.remarks)
    assert len(core.asked) == 2
    np.testing.assert_allclose([v.points for v in found.vertebrae], [v.points for v in single.vertebrae], atol=0.02)


def test_a_processor_without_it_is_told_instead_of_computing_something_else(processor):
    core = processor("FP32", "FP16", "INT8")
    with pytest.raises(InputError, match="processor"):
        Predictor.load("sagittal-mr", precision="bf16-true")
    assert not core.asked


def test_without_openvino_one_line_says_what_to_install(monkeypatch):
    known = runtime.importlib.util.find_spec
    monkeypatch.setattr(runtime.importlib.util, "find_spec", lambda name: None if name == "openvino" else known(name))
    with pytest.raises(InputError, match=r"pip install 'spinetk\[export\]'"):
        runtime.functions(zoo.find("sagittal-mr"), runtime.PARTS[:2], "bf16-true")


def test_what_is_no_graph_is_not_read_in_another_precision_without_a_word(tmp_path):
    with pytest.raises(InputError, match="released models on a CPU"):
        Predictor.load("phantom-fast", precision="bf16-true")

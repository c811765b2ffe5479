"""Lightning's finders, on the data and network of a run."""

import pytest
import torch
from toy import Cloud, Line, cloud

from spinetk.errors import InputError
from spinetk.training.data import Data
from spinetk.training.settings import Settings
from spinetk.training.tuning import advise

HOW = {"device": "cpu", "precision": "32-true", "progress": False}


def test_the_rate_finder_advises_a_rate_that_learns(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    torch.manual_seed(0)
    whole = Data(Cloud(64, 5), None, 64)  # every batch is the whole cloud: the loss falls smoothly
    advice = advise(Line(plain=True), whole, tmp_path, Settings.of(None, **HOW), "rate", steps=60)
    assert 1e-3 < advice.value < 1
    assert advice.curve.stat().st_size > 1000
    assert "learning rate" in str(advice)
    assert not list((tmp_path / "checkpoints").iterdir())
    assert not list(tmp_path.glob("*.ckpt"))


def test_the_batch_is_not_fitted_to_a_cpu(tmp_path):
    with pytest.raises(InputError, match="needs a GPU"):
        advise(Line(), cloud(), tmp_path, Settings.of(None, **HOW), "batch")
    with pytest.raises(InputError, match="one process"):
        advise(Line(), cloud(), tmp_path, Settings.of(None, **HOW, devices=2), "rate")

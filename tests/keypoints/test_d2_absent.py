"""Where Detectron2 is not installed, or broken, only what asks for it notices."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from spinetk import inference, setup_catalogs, train
from spinetk.cases.catalog import DatasetCatalog
from spinetk.errors import InputError


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "detectron2"]:
        monkeypatch.delitem(sys.modules, name)


def test_absent(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "detectron2", None)
    setup_catalogs("absent", ["a"], [], [], base=tmp_path)
    assert "vertabsent_train" in DatasetCatalog.list()
    with pytest.raises(InputError, match="engine 'detectron2': is not installed"):
        train("absent", 1, engine="detectron2", output=tmp_path)
    with pytest.raises(InputError, match="engine 'detectron2': is not installed"):
        inference("model_final.pth", engine="detectron2")
    for call in (lambda: train("absent", 1, engine="caffe2"), lambda: inference("model_final.pth", engine="caffe2")):
        with pytest.raises(InputError, match="'caffe2': is unknown"):
            call()


def test_broken(monkeypatch, tmp_path):
    package = tmp_path / "site" / "detectron2"
    package.mkdir(parents=True)
    Path(package / "__init__.py").write_text("raise OSError('undefined symbol')\n")
    monkeypatch.syspath_prepend(package.parent)
    with pytest.warns(UserWarning, match="Detectron2 cannot be imported"):
        setup_catalogs("broken", ["a"], [], [], base=tmp_path)
    assert "vertbroken_train" in DatasetCatalog.list()

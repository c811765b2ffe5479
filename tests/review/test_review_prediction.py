"""Predictions: in the background, with progress, and only with models that are offered."""

from __future__ import annotations

import pytest
import torch
from fastapi.testclient import TestClient
from onpage import wait_for

from spinetk import zoo
from spinetk.errors import InputError
from spinetk.keypoints.network import VertebraRCNN
from spinetk.review.app import create_app
from spinetk.review.session import ReviewSession
from spinetk.schema import VERTEBRA6


@pytest.fixture
def model(tiny, tmp_path):
    torch.manual_seed(0)
    network = VertebraRCNN(tiny, VERTEBRA6)
    zoo.save(tmp_path / "random.pth", network.state_dict(), {"config": network.config()})
    return tmp_path / "random.pth"


def wait(client) -> dict:
    wait_for(lambda: not client.get("/api/prediction").json()["running"], "the prediction does not end")
    return client.get("/api/prediction").json()


def test_pictures_are_predicted_and_faults_named(tmp_path, model, picture_file):
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    with ReviewSession(tmp_path / "target", model=str(model)) as desk:
        client = TestClient(create_app(desk), base_url="http://127.0.0.1")
        desk.add(picture_file)
        desk.add(tmp_path / "bad.png")
        assert client.get("/api/session").json()["models"][0] == "random.pth"
        body = {"ids": list(desk.entries), "model": "random.pth", "threshold": 0.9}
        assert client.post("/api/prediction", json=body).json()["total"] == 2
        state = wait(client)
        assert state["done"] == 2
        assert [line.split(":")[0] for line in state["failures"]] == ["bad.png"]
        good, bad = desk.entries
        content = client.get(f"/api/entries/{good}?origin=predicted").json()
        assert content["reading"]["origin"] == "predicted"
        assert content["shown"]["model"] == "random"
        assert client.get(f"/api/entries/{bad}?origin=predicted").status_code == 422


@pytest.fixture
def released(tiny, tmp_path, monkeypatch):
    """Two released models, for one view each."""
    monkeypatch.setattr(zoo, "folders", lambda: [tmp_path / "released"])
    (tmp_path / "released").mkdir()
    for seed, (name, view) in enumerate({"frontal": "ap", "sideways": "lateral"}.items()):
        torch.manual_seed(seed)
        network = VertebraRCNN(tiny, VERTEBRA6)
        card = {"config": network.config(), "views": [view]}
        zoo.save(tmp_path / "released" / f"{name}.safetensors", network.state_dict(), card)


def test_the_model_is_chosen_by_what_the_picture_shows(tmp_path, released, picture_file, monkeypatch):
    def blind(picture):
        raise InputError("model 'view'", "is unknown")

    monkeypatch.setattr("spinetk.keypoints.viewing.recognition.recognise", blind)
    with ReviewSession(tmp_path / "target") as desk:
        client = TestClient(create_app(desk), base_url="http://127.0.0.1")
        (entry,) = desk.add(picture_file)
        session = client.get("/api/session").json()
        assert session["models"] == [session["by_view"], "frontal", "sideways"]
        # No more than is usual: a threshold that left out what is seen would be named as a failure.
        body = {"ids": [entry.id], "model": session["by_view"], "threshold": 0.6}
        client.post("/api/prediction", json=body)
        assert "which view" in wait(client)["failures"][0]  # a PNG does not say it, and nobody looks
        for view, name in (("ap", "frontal"), ("lateral", "sideways")):
            client.post("/api/prediction", json={**body, "view": view})
            assert wait(client)["failures"] == []
            content = client.get(f"/api/entries/{entry.id}?origin=predicted").json()
            assert (content["shown"]["model"], content["reading"]["view"]) == (name, view)
        # A model for one view says by itself what it was given.
        client.post("/api/prediction", json={**body, "model": "frontal"})
        wait(client)
        assert client.get(f"/api/entries/{entry.id}?origin=predicted").json()["reading"]["view"] == "ap"


def test_models_are_chosen_from_the_list(client, cases, desk, tmp_path):
    answer = client.post("/api/prediction", json={"ids": list(desk.entries)[:1], "model": "/etc/passwd"})
    assert answer.status_code == 422
    assert client.get("/api/prediction").json()["running"] is False
    with pytest.raises(InputError):
        ReviewSession(tmp_path / "t", model="no-such-model.pth")

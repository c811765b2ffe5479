"""Nodes with a reader that needs no network."""

from __future__ import annotations

import pytest
from films import read

from spinetk.node.service import Node
from spinetk.node.settings import NodeSettings


@pytest.fixture
def make_node(tmp_path, caplog):
    """Starts nodes, and stops those that still run."""
    pytest.importorskip("pynetdicom")
    caplog.set_level("INFO", logger="spinetk.node")
    running = []

    def make(**settings) -> Node:
        options = {"folder": tmp_path / "node", "port": 0, "dry_run": "send_to" not in settings, "settle_s": 0.2}
        node = Node(NodeSettings(**options | settings).checked(), read, lambda model: f"fingerprint of {model}")
        node.start()
        running.append(node)
        return node

    yield make
    for node in running:
        node.stop()
        node.wait()

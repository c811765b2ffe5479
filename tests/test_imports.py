"""Imports go down only: no module of spinetk, imported at once or when it is needed, comes back to itself."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import spinetk

ROOT = Path(spinetk.__file__).parent


def modules() -> dict[str, Path]:
    """Every module of the package by its name."""
    found = {}
    for path in ROOT.rglob("*.py"):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path, known: dict[str, Path]) -> set[str]:
    """Modules of spinetk that a file imports anywhere, but for the sake of types alone."""
    found: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{name.name}" for name in node.names}
            found |= inner & set(known) or {node.module}
        waiting += ast.iter_child_nodes(node)
    return found & set(known)


def test_no_circle_of_imports():
    known = modules()
    graph = {name: imports(path, known) - {name} for name, path in known.items()}
    assert len(graph) > 150
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(" -> ".join(error.args[1])) from None


def test_a_circle_would_be_seen(tmp_path):
    (tmp_path / "a.py").write_text("def f():\n    from spinetk import b\n")
    (tmp_path / "b.py").write_text("import spinetk.a\nif TYPE_CHECKING:\n    import spinetk.c\n")
    known = {f"spinetk.{name}": tmp_path / f"{name}.py" for name in "ab"} | {"spinetk": tmp_path, "spinetk.c": tmp_path}
    assert imports(tmp_path / "a.py", known) == {"spinetk.b"}
    assert imports(tmp_path / "b.py", known) == {"spinetk.a"}

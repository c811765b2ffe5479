"""Imports go down only: no module needs, however indirectly and however late, one that needs it."""

import ast
from pathlib import Path

import spinetk

PACKAGE = Path(spinetk.__file__).parent
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}


def imports(tree: ast.AST, modules=MODULES) -> set[str]:
    """Modules that a source imports anywhere, in functions too; what is for type checkers alone is left out."""
    found: set[str] = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.expr):
            continue  # most of a tree, and no import lies in one
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                inner = f"{node.module}.{name.name}"
                found.add(inner if inner in modules else node.module)
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        found |= imports(node, modules)
    return found & set(modules)


def circle(needs: dict[str, set[str]]) -> list[str]:
    """A chain of modules that leads back to its first, or nothing."""
    done: set[str] = set()

    def follow(module: str, way: list[str]) -> list[str]:
        if module in way:
            return [*way[way.index(module) :], module]
        if module in done:
            return []
        for needed in sorted(needs[module]):
            found = follow(needed, [*way, module])
            if found:
                return found
        done.add(module)
        return []

    return next((found for module in sorted(needs) if (found := follow(module, []))), [])


def test_there_is_no_circle_of_imports():
    # ``spinetk`` itself hands out the original's calls by name, late: it stands above all and below all.
    needs = {
        module: imports(ast.parse(path.read_text(encoding="utf-8"))) - {module, "spinetk"}
        for module, path in MODULES.items()
        if module != "spinetk"
    }
    assert len(needs) > 100
    assert circle(needs) == []


def test_a_circle_is_seen():
    modules = {"a": None, "b": None, "b.c": None}
    late = ast.parse("def f():\n    from b import c\n    import json\n")
    assert imports(late, modules) == {"b.c"}
    hidden = ast.parse("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a\n")
    assert imports(hidden, modules) == set()
    assert circle({"a": {"b.c"}, "b": set(), "b.c": {"a"}}) == ["a", "b.c", "a"]

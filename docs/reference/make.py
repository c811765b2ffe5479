"""Write the reference from the code: ``python docs/reference/make.py``. Nothing is imported; a test compares.

A page a room from the docstrings; the exit codes from ``spinetk/exits.py``, and what the program says from every
``InputError`` in the code.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "spinetk"
SECTIONS = ("Args", "Attributes", "Returns", "Yields", "Raises")
LISTS = ("Args", "Attributes", "Raises")
NOTE = "<!-- Made by docs/reference/make.py from the docstrings; change those. -->\n"
Definition = ast.FunctionDef | ast.ClassDef


def pages() -> dict[str, str]:
    """File name to content of every page: one a room, and an index."""
    found = {}
    index = ["# Reference", "", "| room | |", "|---|---|"]
    rooms = sorted(path for path in SOURCE.iterdir() if (path / "__init__.py").exists())
    for room in (SOURCE, *rooms):
        files = sorted(room.glob("*.py") if room == SOURCE else room.rglob("*.py"))
        modules = [text for file in files if (text := module(file))]
        name = "spinetk" if room == SOURCE else f"spinetk.{room.name}"
        head = docstring(parsed(room / "__init__.py"))
        found[f"{name}.md"] = f"# {name}\n\n{NOTE}\n{head}\n\n" + "\n".join(modules)
        index.append(f"| [{name}]({name}.md) | {head.partition(chr(10))[0]} |")
    found["exit-codes.md"] = exit_codes()
    index.append(
        "| [exit codes and messages](exit-codes.md) | How a verb ends, and what it says when it cannot go on. |"
    )
    index += ["", "On the command line `spinetk VERB --help` says the rest.", ""]
    return found | {"README.md": f"{NOTE}\n" + "\n".join(index)}


@cache
def parsed(path: Path) -> ast.Module:
    """A source file, read once; its tree is not to be changed."""
    return ast.parse(path.read_text(encoding="utf-8"))


def module(path: Path) -> str:
    """A module's section, or nothing when it offers no public name."""
    if path.name in ("__main__.py", "__init__.py", "commands.py"):
        return ""
    tree = parsed(path)
    entries = [entry(node) for node in public(tree)]
    if not entries:
        return ""
    name = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)
    return f"## {name}\n\n{docstring(tree)}\n\n" + "\n\n".join(entries) + "\n"


def public(tree: ast.Module | ast.ClassDef) -> Iterator[Definition]:
    """Functions and classes with a docstring and no underscore; overloads have none."""
    for node in tree.body:
        if isinstance(node, Definition) and not node.name.startswith("_") and ast.get_docstring(node):
            yield node


def entry(node: Definition) -> str:
    """A function, or a class with its methods."""
    if isinstance(node, ast.FunctionDef):
        return f"### `{signature(node)}`\n\n{docstring(node)}"
    bases = ", ".join(ast.unparse(base) for base in node.bases)
    parts = [f"### `class {node.name}{f'({bases})' if bases else ''}`\n\n{docstring(node)}"]
    parts += [f"#### `{signature(method)}`\n\n{docstring(method)}" for method in public(node) if
              isinstance(method, ast.FunctionDef)]  # fmt: skip
    return "\n\n".join(parts)


def signature(node: ast.FunctionDef) -> str:
    """``name(arguments) -> result`` without ``self``."""
    arguments = re.sub(r"^(self|cls)(, |$)", "", ast.unparse(node.args))
    return f"{node.name}({arguments})" + (f" -> {ast.unparse(node.returns)}" if node.returns else "")


def docstring(node: ast.Module | Definition) -> str:
    """A docstring as Markdown: sections bold, their entries as a list."""
    lines, inside = [], ""
    for line in (ast.get_docstring(node) or "").splitlines():
        if (section := line.rstrip(":")) in SECTIONS and line.endswith(":"):
            lines += [f"**{section}**", ""]
            inside = section
        elif not line or not inside:
            inside = inside if not line or line.startswith(" ") else ""
            lines.append(line)
        elif not line.startswith("    "):
            inside = ""
            lines.append(line)
        elif line.startswith("        "):
            lines.append("  " + line.strip())
        else:
            name, colon, rest = line.strip().partition(": ")
            known = inside in LISTS and colon and re.fullmatch(r"[\w, .*|\[\]]+", name)
            lines.append(f"- `{name}`: {rest}" if known else line.strip())
    text = inspect.cleandoc("\n".join(lines))
    text = re.sub(r":(?:func|class|mod|meth|attr|data):`~?([^`]+)`", r"`\1`", text)
    return text.replace("``", "`")


def exit_codes() -> str:
    """The table of exit codes, and that of messages."""
    tree = parsed(SOURCE / "exits.py")
    kind = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "ExitCode")
    codes = {a.targets[0].id: a.value.value for a in kind.body if isinstance(a, ast.Assign)}
    (meaning,) = (a.value for a in tree.body if isinstance(a, ast.Assign) and a.targets[0].id == "MEANING")
    lines = ["# Exit codes and messages", "", NOTE, "| code | when |", "|---|---|"]
    lines += [
        f"| {codes[key.attr]} | {ast.literal_eval(value)} |"
        for key, value in zip(meaning.keys, meaning.values, strict=True)
    ]
    lines += [
        "",
        "A wrong option is answered by the usage of the verb, and 2. A script that is content with what could be done:",
        "",
        "```",
        "spinetk predict films -o results || [ $? -eq 3 ]",
        "```",
        "",
        "## Messages",
        "",
        "Each is one line: `spinetk: FILE OR OPTION: what is wrong (what to do)`; … stands for what is put in.",
    ]
    for path in sorted(SOURCE.rglob("*.py")):
        rows = sorted(set(messages(parsed(path))))
        if rows:
            name = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts)
            lines += ["", f"### {name}", "", "| what is wrong | what to do |", "|---|---|"]
            lines += [f"| {fault} | {remedy} |" for fault, remedy in rows]
    return "\n".join(lines) + "\n"


def messages(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(fault, remedy) of each ``InputError(source, fault, remedy)`` whose words are in the code."""
    for scope in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        known = {}
        for node in sorted((n for n in ast.walk(scope) if hasattr(n, "lineno")), key=lambda n: n.lineno):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                known[node.targets[0].id] = node.value
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "InputError" and len(node.args) > 1:
                parts = [said(part, known) for part in [*node.args[1:3], ast.Constant("")][:2]]
                fault, remedy = (" ".join(part.replace("|", "\\|").split()) for part in parts)
                if fault.strip("… "):
                    yield fault, remedy


def said(node: ast.expr, known: dict[str, ast.expr]) -> str:
    """The words of a string in the code, with … for what is put in."""
    if isinstance(node, ast.Name) and isinstance(known.get(node.id), ast.Constant | ast.JoinedStr):
        node = known[node.id]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return said(node.left, known) + said(node.right, known)
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return "…"


def main() -> None:
    """Write the pages and remove those of rooms that are gone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is behind")
    check = parser.parse_args().check
    wanted = pages()
    behind = [name for name, text in wanted.items() if not (HERE / name).exists() or (HERE / name).read_text() != text]
    gone = [path for path in HERE.glob("*.md") if path.name not in wanted]
    if check and (behind or gone):
        raise SystemExit(f"behind the docstrings: {', '.join([*behind, *(p.name for p in gone)])}")
    for name in behind:
        (HERE / name).write_text(wanted[name], encoding="utf-8")
    for path in gone:
        path.unlink()


if __name__ == "__main__":
    main()

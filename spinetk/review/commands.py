"""``spinetk serve``: the review page on this machine."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from spinetk.errors import InputError
from spinetk.options import verbs

app = verbs()

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@app.command()
def serve(
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(help="Pictures, results of predict, or case folders; none: drop pictures on the page."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Case folder for corrections of pictures that are in none yet.")
    ] = Path("output/cases"),
    model: Annotated[
        str | None, typer.Option(help="Weights the page offers besides the released ones: a path.")
    ] = None,
    blinded: Annotated[
        bool, typer.Option("--blinded", help="Readers see each other's work only once both have signed.")
    ] = False,
    host: Annotated[str, typer.Option(help="Address; any but this machine's own asks for a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8000,
) -> None:
    """A page in the browser to look at pictures, correct vertebrae, save them as truth and export."""
    for name in ("fastapi", "uvicorn"):
        if find_spec(name) is None:
            raise InputError("spinetk serve", f"needs {name}, which is not installed", "pip install 'spinetk[serve]'")
    from spinetk.review.server import run

    run(inputs or [], out, model=model, blinded=blinded, host=host, port=port, local=host in LOOPBACK)

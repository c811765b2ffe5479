"""``spinetk node``: a DICOM node beside the PACS."""

from __future__ import annotations

import logging
import signal
from pathlib import Path
from typing import Annotated, Any

import typer

from spinetk.options import AsJson, Device, ViewSaid, show, verbs

app = verbs(invoke_without_command=True)
Folder = Annotated[Path | None, typer.Option(help="Folder of all the node keeps (default: node).")]


@app.callback()
def node(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option(help="TOML file with these settings and [[rule]] tables.")] = None,
    folder: Folder = None,
    aet: Annotated[str | None, typer.Option(help="Own AE title (default: SPINETK).")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on (default: 127.0.0.1).")] = None,
    port: Annotated[int | None, typer.Option(help="Port (default: 11112).")] = None,
    allow: Annotated[list[str] | None, typer.Option(help="AE title that may call; may be repeated.")] = None,
    send_to: Annotated[
        str | None, typer.Option(help="Where results go: dicom://AET@HOST:PORT or dicomweb+http://HOST/PATH.")
    ] = None,
    result: Annotated[
        list[str] | None, typer.Option(help="sr, overlay or points (GSPS); may be repeated (default: sr, overlay).")
    ] = None,
    rule: Annotated[
        list[str] | None, typer.Option(help="What is read, e.g. 'modality=DX,CR body_part=*SPINE*'; may be repeated.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Weights: a released name or a path.")] = None,
    view: ViewSaid = None,
    threshold: Annotated[float | None, typer.Option(help="Least confidence of a vertebra (default: 0.6).")] = None,
    device: Device = "auto",
    tls_certificate: Annotated[Path | None, typer.Option(help="PEM: accept TLS only.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="PEM: its key.")] = None,
    tls_authority: Annotated[Path | None, typer.Option(help="PEM: whose certificates are trusted.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and make results, but send nothing.")] = False,
) -> None:
    """Take pictures in by C-STORE, read them, and bring the results back into the same study."""
    if context.invoked_subcommand is not None:
        return
    from spinetk.node.rule import Rule
    from spinetk.node.service import Node
    from spinetk.node.settings import read_settings

    given: dict[str, Any] = {
        "folder": folder, "aet": aet, "host": host, "port": port, "allow": allow or None, "send_to": send_to,
        "results": result or None, "model": model, "view": view, "threshold": threshold,
        "rules": [Rule.parse(text) for text in rule] if rule else None, "device": None if device == "auto" else device,
        "tls_certificate": tls_certificate, "tls_key": tls_key, "tls_authority": tls_authority,
        "dry_run": dry_run or None,
    }  # fmt: skip
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    logging.getLogger("spinetk.node").setLevel(logging.INFO)
    running = Node(read_settings(config, given))
    running.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: running.stop())
    running.wait()


@app.command()
def retry(folder: Folder = None) -> None:
    """Take up everything that failed once more."""
    from spinetk.node.service import retry as run

    typer.echo(f"{run(folder or Path('node'))} to be tried again")


@app.command()
def status(folder: Folder = None, as_json: AsJson = False) -> None:
    """Whether the node runs, what waits, and what failed last."""
    from spinetk.node.service import status as run

    found = run(folder or Path("node"))
    if as_json:
        show(found)
        return
    where = f"{found['aet']} on {found['host']}:{found['port']}" if "aet" in found else "never started"
    typer.echo(f"{'running' if found['running'] else 'not running'}: {where}, results to {found.get('send_to')}")
    typer.echo("  ".join(f"{state} {count}" for state, count in found["units"].items()))
    if found["last_word"]:
        typer.echo(f"next try in {found['next_try_s']:.0f} s: {found['last_word']}")
    for entry in found["failed"]:
        typer.echo(f"failed {entry['id']}: {entry['why']}")

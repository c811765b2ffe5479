"""``spinetk node``: a DICOM node beside the PACS."""

from __future__ import annotations

import logging
import signal
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import typer

from spinetk.bounds import USUAL_CONFIDENCE
from spinetk.options import AsJson, ViewSaid, grouped, show, verbs

app = verbs(invoke_without_command=True)
Folder = Annotated[Path | None, typer.Option(help="Folder of all the node keeps.", show_default="node")]


@dataclass(frozen=True)
class NodeOptions:
    """Settings of a node (:class:`spinetk.node.settings.NodeSettings`); None: as the file says, else the default."""

    folder: Folder = None
    aet: Annotated[str | None, typer.Option(help="Own AE title.", show_default="SPINETK")] = None
    host: Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")] = None
    port: Annotated[int | None, typer.Option(help="Port to listen on.", show_default="11112")] = None
    allow: Annotated[list[str] | None, typer.Option(help="AE title that may call; may be repeated.")] = None
    send_to: Annotated[
        str | None, typer.Option(help="Where results go: dicom://AET@HOST:PORT or dicomweb+http://HOST/PATH.")
    ] = None
    results: Annotated[
        list[str] | None,
        typer.Option("--result", help="sr, overlay or points (GSPS); may be repeated.", show_default="sr, overlay"),
    ] = None
    rules: Annotated[
        list[str] | None,
        typer.Option("--rule", help="What is read, e.g. 'modality=DX,CR body_part=*SPINE*'; may be repeated."),
    ] = None
    model: Annotated[str | None, typer.Option(help="Weights: a released name or a path.")] = None
    view: ViewSaid = None
    threshold: Annotated[
        float | None, typer.Option(help="Least confidence of a vertebra.", show_default=str(USUAL_CONFIDENCE))
    ] = None
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.", show_default="auto")] = None
    tls_certificate: Annotated[Path | None, typer.Option(help="PEM: accept TLS only.")] = None
    tls_key: Annotated[Path | None, typer.Option(help="PEM: its key.")] = None
    tls_authority: Annotated[Path | None, typer.Option(help="PEM: whose certificates are trusted.")] = None
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and make results, but send nothing.")] = False

    def given(self) -> dict[str, Any]:
        """The settings that were given."""
        from spinetk.node.rule import Rule

        found = {f.name: getattr(self, f.name) for f in fields(self)}
        # Nothing was said by an empty list or a switch that is off; 0 is a value.
        found = {
            name: value for name, value in found.items() if value is not None and value is not False and value != []
        }
        return found | ({"rules": [Rule.parse(text) for text in self.rules]} if self.rules else {})


@app.callback()
@grouped
def node(
    context: typer.Context,
    options: NodeOptions,
    config: Annotated[Path | None, typer.Option(help="TOML file with these settings and [[rule]] tables.")] = None,
) -> None:
    """Take pictures in by C-STORE, read them, and bring the results back into the same study."""
    if context.invoked_subcommand is not None:
        return
    from spinetk.node.service import Node
    from spinetk.node.settings import read_settings

    given = options.given()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    logging.getLogger("spinetk.node").setLevel(logging.INFO)
    running = Node(read_settings(config, given))
    running.start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: running.stop())
    running.wait()


@app.command()
def retry(folder: Folder = None) -> None:
    """Try again everything that has failed."""
    from spinetk.node.service import retry as run

    typer.echo(f"{run(folder or Path('node'))} to be tried again")


@app.command()
def status(folder: Folder = None, as_json: AsJson = False) -> None:
    """Whether the node runs, what waits, what was remarked, and what failed last."""
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
    for entry in found["remarks"]:
        typer.echo(f"remark {entry['id']}: {entry['said']}")
    for entry in found["failed"]:
        typer.echo(f"failed {entry['id']}: {entry['why']}")

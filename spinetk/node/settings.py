"""Settings of a node, from a TOML file and the command line."""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from spinetk.bounds import USUAL_CONFIDENCE, check_confidence
from spinetk.device import check_device
from spinetk.errors import InputError
from spinetk.node.rule import Rule, default_rules
from spinetk.pacs import Address, parse_address
from spinetk.pacs.address import check_title
from spinetk.pacs.tls import Tls
from spinetk.views import OFFERED, View

RESULTS = ("sr", "overlay", "points")


@dataclass(frozen=True)
class NodeSettings:
    """How a node behaves.

    Attributes:
        folder: Everything the node keeps: what came in, the queue, results on their way.
        aet: Its AE title.
        host, port: Where it listens; port 0 takes a free one.
        allow: AE titles that may call; empty: any, which only a loopback address permits.
        send_to: The archive that results go to; None keeps them in ``folder/outbox``.
        results: Kinds of objects sent: ``sr``, ``overlay``, ``points``.
        rules: A picture is read when one of them matches.
        model, view, threshold, device: As of ``spinetk predict``.
        tls_certificate, tls_key: PEM files: with them, only TLS is accepted, and they are shown to the archive.
        tls_authority: PEM of those whose certificates are trusted, and no others; callers then have to show one.
        dry_run: Read and make results, but send nothing.
        settle_s: Seconds without a new slice after which a series is taken to be complete.
        keep_hours: How long received pictures stay after their results were sent.
    """

    folder: Path = Path("node")
    aet: str = "SPINETK"
    host: str = "127.0.0.1"
    port: int = 11112
    allow: tuple[str, ...] = ()
    send_to: Address | None = None
    results: tuple[str, ...] = ("sr", "overlay")
    rules: tuple[Rule, ...] = field(default_factory=default_rules)
    model: str | None = None
    view: View | None = None
    threshold: float = USUAL_CONFIDENCE
    device: str = "auto"
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    tls_authority: Path | None = None
    dry_run: bool = False
    settle_s: float = 10.0
    keep_hours: float = 24.0

    def checked(self) -> NodeSettings:
        """The same settings.

        Raises:
            InputError: They cannot be used, or would let strangers in.
        """
        for title in (self.aet, *self.allow):
            check_title(title)
        if not 0 <= self.port <= 65535:
            raise InputError(f"--port {self.port}", "is no port", "give 0 (a free one) to 65535")
        check_confidence(self.threshold, "--threshold")
        check_device(self.device)
        if not self.allow and not _is_loopback(self.host):
            fault = "would take pictures from anyone"
            raise InputError(f"--host {self.host}", fault, "name those who may call: --allow TITLE")
        unknown = [kind for kind in self.results if kind not in RESULTS]
        if unknown or not self.results:
            fault = f"is not a kind of result: {unknown[0]!r}" if unknown else "is empty"
            raise InputError("--result", fault, f"choose among {', '.join(RESULTS)}")
        if self.view is not None and self.view not in OFFERED:
            raise InputError(f"--view {self.view}", "is unknown", f"choose among {', '.join(OFFERED)}")
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise InputError("TLS", "needs a certificate and its key", "give --tls-certificate and --tls-key")
        if self.send_to is None and not self.dry_run:
            fault = "does not say where results go"
            raise InputError("spinetk node", fault, "give --send-to dicom://AET@HOST:PORT, or --dry-run")
        for name in ("settle_s", "keep_hours"):
            if not 0 <= getattr(self, name) < 1e6:
                raise InputError(name, f"{getattr(self, name)} is out of range", "give a positive number")
        return self

    @property
    def tls(self) -> Tls:
        """For those who call and for the archive."""
        return Tls(self.tls_certificate, self.tls_key, self.tls_authority)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_settings(path: Path | None, given: Mapping[str, Any]) -> NodeSettings:
    """Settings from a TOML file, overruled by those given on the command line (None: not given).

    Raises:
        InputError: The file cannot be read, a name is unknown, or a value cannot be used.
    """
    content: dict[str, Any] = {}
    source = str(path or "spinetk node")
    if path is not None:
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError) as error:
            raise InputError(path, "cannot be read as TOML", "see docs/how-to/pacs.md") from error
    rules = content.pop("rule", None)
    known = {f.name: f for f in fields(NodeSettings) if f.name != "rules"}
    unknown = sorted(set(content) - set(known))
    if unknown:
        raise InputError(source, f"has an unknown setting {unknown[0]!r}", f"known: rule, {', '.join(known)}")
    values = {name: _converted(name, value, source) for name, value in content.items()}
    values |= {name: _converted(name, value, f"--{name}") for name, value in given.items() if value is not None}
    if rules is not None and "rules" not in values:
        if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
            raise InputError(source, "has a 'rule' that is no [[rule]] table", "see docs/how-to/pacs.md")
        values["rules"] = tuple(Rule.of(rule, source) for rule in rules)
    return replace(NodeSettings(), **values).checked()


def _converted(name: str, value: Any, source: str) -> Any:
    kinds: dict[str, type | tuple[type, ...]] = {
        "port": int, "threshold": (int, float), "settle_s": (int, float), "keep_hours": (int, float), "dry_run": bool,
    }  # fmt: skip
    lists = ("allow", "results", "rules")
    fitting: Any = kinds.get(name, (list, tuple) if name in lists else (str, Path, Address))
    if not isinstance(value, fitting) or (isinstance(value, bool) and name != "dry_run"):
        raise InputError(source, f"has a value of the wrong kind for {name!r}", "see docs/how-to/pacs.md")
    if name in lists:
        return tuple(value)
    if name in ("folder", "tls_certificate", "tls_key", "tls_authority"):
        return Path(value)
    return parse_address(value) if name == "send_to" and isinstance(value, str) else value

"""A real Orthanc on loopback, for tests and benchmarks: DICOM and DICOMweb on free ports, nothing kept."""

from __future__ import annotations

import json
import random
import shutil
import socket
import subprocess
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

PROGRAMS = [path for path in ("/usr/sbin/Orthanc", "/usr/local/sbin/Orthanc", shutil.which("Orthanc")) if path]
PLUGINS = ("/usr/share/orthanc/plugins", "/usr/local/share/orthanc/plugins", "/usr/lib/orthanc")
DEADLINE_S = 120.0
"""Of a busy machine, where it starts a hundred times slower."""
PORTS = range(20_000, 32_000)
"""Below those that the system gives to whoever asks for any: what is free stays so until a slow program binds it."""


def program() -> str | None:
    """Orthanc's executable, where it and its DICOMweb plugin are installed."""
    found = next((path for path in PROGRAMS if Path(path).exists()), None)
    return found if found and plugin() else None


def plugin() -> str | None:
    """The DICOMweb plugin."""
    files = (path for folder in PLUGINS for path in sorted(Path(folder).glob("libOrthancDicomWeb.so*")))
    return next((str(path) for path in files), None)


def free_port() -> int:
    """A port nobody listens on now, nor, but by rare chance, soon."""
    while True:
        port = random.SystemRandom().choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Orthanc:
    """A running Orthanc; as a context it ends with the block.

    Args:
        folder: For its settings and storage.
        modalities: Name -> [AE title, host, port] of those it may answer and send to.
        settings: More of Orthanc's own settings.
    """

    def __init__(self, folder: Path, modalities: dict[str, list] | None = None, **settings: Any) -> None:
        self.folder, self.aet = folder, "ORTHANC"
        self.http_port, self.dicom_port = free_port(), free_port()
        self._settings = {
            "Name": "test",
            "StorageDirectory": str(folder / "storage"),
            "IndexDirectory": str(folder / "storage"),
            "Plugins": [plugin()],
            "HttpPort": self.http_port,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "DicomAet": self.aet,
            "DicomPort": self.dicom_port,
            "DicomCheckCalledAet": True,
            "DicomAlwaysAllowEcho": True,
            "DicomAlwaysAllowStore": True,
            "DicomAlwaysAllowFind": True,
            "DicomAlwaysAllowGet": True,
            "DicomModalities": modalities or {},
            "StableAge": 1,
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "EnableWado": True},
            **settings,
        }
        self.process: subprocess.Popen | None = None

    def set(self, **settings: Any) -> None:
        """Change settings before it starts."""
        self._settings |= settings

    @property
    def web(self) -> str:
        """Address of its DICOMweb service."""
        return f"dicomweb+http://127.0.0.1:{self.http_port}/dicom-web"

    @property
    def dimse(self) -> str:
        """Its DIMSE address."""
        return f"dicom://{self.aet}@127.0.0.1:{self.dicom_port}"

    def start(self, tries: int = 3) -> Orthanc:
        """Start it, and wait until it answers; on other ports when someone else took them meanwhile."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._settings |= {"HttpPort": self.http_port, "DicomPort": self.dicom_port}
        config = self.folder / "orthanc.json"
        config.write_text(json.dumps(self._settings))
        log = open(self.folder / "orthanc.log", "ab")  # noqa: SIM115 - the process writes to it
        self.process = subprocess.Popen([str(program()), str(config)], stdout=log, stderr=log)
        log.close()
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            with suppress(OSError):
                self.get("/system")
                return self
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.stop()
        if tries > 1 and "port" in (self.folder / "orthanc.log").read_text(errors="replace").lower():
            self.http_port, self.dicom_port = free_port(), free_port()
            return self.start(tries - 1)
        raise RuntimeError(f"Orthanc does not start, see {self.folder / 'orthanc.log'}")

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(DEADLINE_S)
            self.process = None

    def __enter__(self) -> Orthanc:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def get(self, path: str) -> Any:
        """JSON of its REST interface."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}{path}", timeout=DEADLINE_S) as answer:
            return json.loads(answer.read())

    def file(self, instance: str) -> bytes:
        """An instance as a DICOM file, by Orthanc's own name of it."""
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.http_port}/instances/{instance}/file", timeout=DEADLINE_S
        ) as answer:
            return answer.read()

    def instances(self) -> list[dict[str, Any]]:
        """Every instance it holds."""
        return self.get("/instances?expand")

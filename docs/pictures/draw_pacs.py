"""Draw docs/pictures/pacs.png: a study in Orthanc's own explorer after `spinetk node` has read its film.

Run from the repository root, with Orthanc, DCMTK and Chromium installed: python docs/pictures/draw_pacs.py
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pydicom
from playwright.sync_api import sync_playwright

from spinetk.phantoms import lateral_radiograph, write_dicom

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from orthanc import Orthanc, free_port  # noqa: E402

OUT = Path(__file__).parent / "pacs.png"
LIMIT_S = 600.0


def main() -> None:
    """Send a phantom to Orthanc and to the node, wait for what comes back, and take the picture of the study."""
    with tempfile.TemporaryDirectory() as folder, Orthanc(Path(folder) / "orthanc") as orthanc:
        film = write_dicom(lateral_radiograph(4), Path(folder) / "film.dcm", patient_name="Phantom^Lateral")
        header = pydicom.dcmread(film)
        header.Modality, header.SOPClassUID = "DX", "1.2.840.10008.5.1.4.1.1.1.1"
        header.StudyDescription, header.SeriesDescription = "Lumbar spine", "Lateral"
        header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID
        header.save_as(film)
        port = free_port()
        command = [sys.executable, "-m", "spinetk", "node", "--folder", f"{folder}/node", "--port", str(port)]
        node = subprocess.Popen([*command, "--send-to", orthanc.dimse])
        try:
            wait_for(lambda: not subprocess.run(["echoscu", "-aec", "SPINETK", "127.0.0.1", str(port)]).returncode)
            for title, where in ((orthanc.aet, orthanc.dicom_port), ("SPINETK", port)):
                subprocess.run(["storescu", "-aec", title, "127.0.0.1", str(where), str(film)], check=True)
            wait_for(lambda: len(orthanc.instances()) == 3)
        finally:
            node.terminate()
            node.wait()
        (study,) = orthanc.get("/studies")
        with sync_playwright() as play:
            browser = play.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"], timeout=300_000
            )
            page = browser.new_page(viewport={"width": 1100, "height": 620})
            page.goto(f"http://127.0.0.1:{orthanc.http_port}/app/explorer.html#study?uuid={study}")
            page.wait_for_selector("#list-series li", timeout=300_000)
            page.wait_for_timeout(1500)
            page.screenshot(path=OUT)
            browser.close()


def wait_for(condition) -> None:
    """Return when it holds.

    Raises:
        SystemExit: It does not in time.
    """
    end = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("it did not happen in time")
        time.sleep(0.2)


if __name__ == "__main__":
    main()

"""Draw docs/pictures/review.png: the review page on a phantom, taken in headless Chromium.

Run from the repository root: python docs/pictures/draw_review.py
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from spinetk.cases.folder import CaseFolder, write_record
from spinetk.formats.record import record_of
from spinetk.images import to_uint8
from spinetk.phantoms import lateral_radiograph

OUT = Path(__file__).parent / "review.png"


def main() -> None:
    """Serve one phantom with its truth, choose its wedged body, and take the picture."""
    phantom = lateral_radiograph(4, region="lumbar", deformity={"L1": ("wedge", 31.0)})
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        cases = CaseFolder(folder)
        record = record_of(phantom.reading, "phantom", case="phantom", modality="CR")
        write_record(cases.source("phantom"), record, to_uint8(phantom.pixels))
        command = [sys.executable, "-u", "-m", "spinetk", "serve", folder, "--port", "0"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            address = server.stdout.readline().split()[0]
            browser = play.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox"], timeout=300_000
            )
            page = browser.new_page(viewport={"width": 1360, "height": 800}, color_scheme="dark")
            page.goto(address)
            page.wait_for_selector("body.ready", timeout=300_000)
            wedged = next(k for k, v in enumerate(phantom.reading.vertebrae) if v.label == "L1")
            page.click(f"#table tbody tr:nth-child({wedged + 1})")
            page.wait_for_timeout(500)
            page.screenshot(path=OUT)
            browser.close()
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()

"""Quiet for the networking libraries: their log lines and warnings may quote patient data."""

from __future__ import annotations

import logging
import warnings

CHATTY = ("pynetdicom", "dicomweb_client", "pydicom", "highdicom", "urllib3")


def quiet_networking() -> None:
    """Switch the log lines of pynetdicom, dicomweb-client, pydicom and their warnings off, for this process."""
    for name in CHATTY:
        logger = logging.getLogger(name)
        logger.handlers = [logging.NullHandler()]
        logger.propagate = False
        logger.setLevel(logging.CRITICAL + 1)
    for module in ("pydicom", "pynetdicom", "highdicom", "dicomweb_client"):
        warnings.filterwarnings("ignore", module=module)

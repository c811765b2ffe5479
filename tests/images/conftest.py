"""Make the helpers of this folder importable whatever pytest's import mode."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from spinetk.images import read_picture

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def read(tmp_path):
    """Write a data set and read it back."""

    def write_and_read(ds, **options):
        from image_seeds import to_bytes

        path = tmp_path / "case.dcm"
        path.write_bytes(ds if isinstance(ds, bytes) else to_bytes(ds))
        return read_picture(path, **options)

    return write_and_read


@pytest.fixture
def pydicom_log() -> Iterator[logging.Logger]:
    """The logger of pydicom as it is where nothing has silenced it, as networking does for a whole process."""
    log = logging.getLogger("pydicom")
    level, propagate, disabled = log.level, log.propagate, log.disabled
    log.setLevel(logging.WARNING)
    log.propagate, log.disabled = True, False
    yield log
    log.setLevel(level)
    log.propagate, log.disabled = propagate, disabled

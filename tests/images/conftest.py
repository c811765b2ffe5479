"""Make the helpers of this folder importable whatever pytest's import mode."""

import sys
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

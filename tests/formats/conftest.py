"""Make the helpers of this folder importable whatever pytest's import mode."""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def folder(tmp_path):
    """A folder with a film in it."""
    from two_bodies import HEIGHT, WIDTH

    pixels = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "film.png"), pixels)
    return tmp_path

from __future__ import annotations

from pathlib import Path

import pytest
from disc_volumes import write_subject


@pytest.fixture(scope="session")
def bids(tmp_path_factory) -> Path:
    """Twelve subjects of two centres in several orientations; three that lack something."""
    root = tmp_path_factory.mktemp("bids")
    for k in range(12):
        name = f"sub-{'amu' if k < 6 else 'bern'}{k:02d}"
        ending = "labels-disc-manual" if k % 2 else "label-discs_dlabel"
        write_subject(root, name, k, orientation=("LPS", "RAS", "PIR", "ASL")[k % 4], ending=ending)
    write_subject(root, "sub-none01", 50, modality="T1w")
    write_subject(root, "sub-none02", 51)
    (root / "derivatives/labels/sub-none02/anat/sub-none02_T2w_labels-disc-manual.nii.gz").unlink()
    write_subject(root, "sub-none03", 52)
    (root / "sub-none03/anat/sub-none03_T2w.nii.gz").write_bytes(b"\x1f\x8bno volume")
    return root


@pytest.fixture(scope="session")
def prepared(bids, tmp_path_factory) -> Path:
    from spinetk.discs.preparation import prepare

    out = tmp_path_factory.mktemp("prepared")
    prepare(bids, out)
    return out

"""Released models by several processes: what they write is what one writes."""

from __future__ import annotations

import cv2

from spinetk.batch.pools import Processes
from spinetk.images import to_uint8
from spinetk.keypoints.batch import predict_files
from spinetk.phantoms import lateral_radiograph, sagittal_mr


def test_several_processes_write_the_same_bytes_as_one(tmp_path):
    films = tmp_path / "films"
    films.mkdir()
    for seed, make in enumerate((sagittal_mr, lateral_radiograph, sagittal_mr)):
        cv2.imwrite(str(films / f"{seed}.png"), to_uint8(make(seed).pixels))
    (films / "1-cut.png").write_bytes((films / "1.png").read_bytes()[:500])
    alone = predict_files([films], tmp_path / "alone", progress=False)
    with Processes(2) as pool:
        several = predict_files([films], tmp_path / "several", pool=pool, progress=False)
    assert several.failures == alone.failures
    assert "1-cut.png" in several.failures[0]
    assert several.vertebrae == alone.vertebrae
    assert min(alone.vertebrae) >= 5

    def written(folder):
        # These two say how long it took.
        return {
            p.name: p.read_bytes() for p in folder.iterdir() if p.name not in ("run.json", "journal.jsonl", ".lock")
        }

    assert written(several.results[0].parent) == written(alone.results[0].parent)
    assert len(written(tmp_path / "several")) == 2 * 3 + 1

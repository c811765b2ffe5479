"""An hour in the reading room, in small: films of three views, two blinded readers, to the split, and nothing lost."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import reading_room


def test_films_of_three_views_are_read_signed_exported_agreed_and_split(browser, tmp_path, capsys):
    truth = reading_room.films(tmp_path / "cases", 5)
    assert reading_room.read(tmp_path / "cases", truth, browser) == []
    assert reading_room.finish(tmp_path / "cases", len(truth), 0) == []
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(",")[0] for line in said if "from open to signed" in line] == [
        "Anna: 5 films",
        "Ben: 5 films",
    ]
    assert any(line.startswith("exported in ") and "coco" in line for line in said)
    assert any(line.startswith("split of 5 films") for line in said)

"""An hour in the reading room, in small: films of three views, two blinded readers, to the split, and nothing lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "reading_room.py"


def test_films_of_three_views_are_read_signed_exported_agreed_and_split(browser):
    command = [sys.executable, str(SCRIPT), "--films", "5", "--iterations", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout.splitlines()
    assert said[-1] == "lost or warned of: nothing"
    assert [line.partition(",")[0] for line in said if "from open to signed" in line] == [
        "Anna: 5 films",
        "Ben: 5 films",
    ]
    assert any(line.startswith("exported in ") and "coco" in line for line in said)
    assert any(line.startswith("split of 5 films") for line in said)

"""Spoil cards and settings files at random: one line each, and little memory.

    PYTHONPATH=tests python benchmarks/spoilt.py [--count 10000] [--seed 0]

One to three places of a released card, or of the settings of a trainer, get a wrong value or go missing. What is not
refused must fit its weights. Prints how many were refused and the memory at most, and exits with 1 on any other error.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import tempfile
from collections import Counter
from pathlib import Path

from mutations import MISSING, WRONG, changed, places
from test_promises import LOADERS, SETTINGS, Fitting, _compared, written

from spinetk import filling
from spinetk.errors import InputError


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance, ends, faults = random.Random(options.seed), Counter(), []
    filling.fill = _compared
    values = [MISSING, *WRONG.values()]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        cards = {name: written(folder, name) for name in LOADERS}
        right = {name: json.loads(path.with_suffix(".json").read_text()) for name, path in cards.items()}
        begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for number in range(options.count):
            name = chance.choice(list(LOADERS))
            settings = chance.choice(SETTINGS)
            is_card = number % 2 == 0
            content = right[name] if is_card else settings.to_json()
            for _ in range(chance.randint(1, 3)):
                content = changed(content, chance.choice(list(places(content)) or [("config",)]), chance.choice(values))
            file = cards[name].with_suffix(".json") if is_card else folder / "settings.json"
            file.write_text(json.dumps(content))
            try:
                LOADERS[name](cards[name]) if is_card else type(settings).of(file)
                ends["taken"] += 1
            except Fitting:
                ends["taken"] += 1
            except InputError as error:
                ends["refused"] += 1
                if "\n" in str(error):
                    faults.append(f"{number}: more than one line: {error}")
            except Exception as error:
                faults.append(f"{number}, {name if is_card else type(settings).__name__}: {error!r}: {content}"[:400])
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - begun
    print(f"{options.count} spoilt: {dict(ends)}, {len(faults)} faults, {grown / 1000:.0f} MB more at most")
    print("\n".join(faults[:20]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

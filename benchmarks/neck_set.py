"""Phantom films of necks, to train ``xray-cervical`` on and to judge it by; no real film of a neck is at hand.

python benchmarks/neck_set.py OUT [--phantoms 400] [--seed 41000] [--stored 0.5]

Of the films ``--stored`` are as teaching files have them (``film_looks.py``: strips, dim, small, JPEG). Bodies of which
nothing is to be seen, under the shoulders as a rule, are left out of the truth in all of them.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from film_looks import shows
from lateral_set import as_stored, rewrite

from spinetk.cases.folder import CaseFolder, read_pixels
from spinetk.formats.record import reading_of
from spinetk.keypoints.pictures import to_grey
from spinetk.phantoms import write_phantom_set


def main() -> None:
    """Write the case folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--phantoms", type=int, default=400)
    parser.add_argument("--seed", type=int, default=41000)
    parser.add_argument("--stored", type=float, default=0.5)
    options = parser.parse_args()
    names = write_phantom_set(options.out, options.phantoms, seed=options.seed, kinds=("cervical",), prefix="neck")
    films = CaseFolder(options.out)
    as_stored(films, names, 0.0, options.stored, options.seed)
    hidden = 0
    for record in films.records(names, augmented=False)[0]:
        picture, reading = to_grey(read_pixels(record)), reading_of(record)
        seen = [own for own in reading.vertebrae if shows(picture, own)]
        if len(seen) < len(reading.vertebrae):
            hidden += len(reading.vertebrae) - len(seen)
            rewrite(films, record, picture, replace(reading, vertebrae=seen))
    print(f"{len(names)} necks in {options.out}; {hidden} bodies that do not show are left out")


if __name__ == "__main__":
    main()

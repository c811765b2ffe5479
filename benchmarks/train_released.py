"""Train a model for release: on the train and test parts of a case folder, watched on its val part.

python benchmarks/train_released.py PRESET CASES OUT --iterations N [--start WEIGHTS] [--rate 1e-3] [--only PARTS]
    [--more CASES ...]

The test sets of the released models lie elsewhere (held back), so the folder's own test part is trained on. Cases with
an entry ``qc_flags`` in metadata.json (labels that fail a geometric check) are left out of training, not of the val
part. ``--more`` are further folders, trained on whole.
Then: spinetk release OUT/model_final.pth NAME --base CASES --about benchmarks/cards/NAME.toml -o data/weights
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from spinetk.cases.catalog import DatasetCatalog, setup_catalogs
from spinetk.cases.folder import CaseFolder
from spinetk.cases.splitting import make_split
from spinetk.keypoints.trainer import train


def parts_of(cases: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What is trained on, the train and test parts without flagged cases, and the val part."""
    x_train, x_val, x_test, *_ = make_split(cases)
    kept = pd.concat([x_train, x_test])
    if "qc_flags" in kept:
        kept = kept[kept["qc_flags"].isna()]
    kept.attrs = x_train.attrs
    return kept, x_val


def main() -> None:
    """Train."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("preset")
    parser.add_argument("cases", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--iterations", type=int, required=True)
    parser.add_argument("--start", default="random")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--check-every", type=int, default=300, help="iterations between two looks at the val part")
    parser.add_argument("--only", default="", help="train these parts alone, such as refine,column")
    parser.add_argument("--more", type=Path, nargs="+", default=[], help="further cases, all for training")
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    kept, x_val = parts_of(options.cases)
    setup_catalogs(options.preset, kept, x_val, x_val, schema=CaseFolder(options.cases).schema())
    if options.more:
        name = f"vert{options.preset}_train"
        every = DatasetCatalog.get(name)
        for folder in map(CaseFolder, options.more):
            every = every + folder.records(folder.cases(), augmented=True)[0]
        DatasetCatalog.remove(name)
        DatasetCatalog.register(name, lambda: every)
    weights = train(
        options.preset, options.iterations, options.resume, preset=options.preset, start=options.start,
        output=options.out, check_every=options.check_every, batch=options.batch, rate=options.rate, seed=options.seed,
        only=options.only,
    )  # fmt: skip
    print(weights)


if __name__ == "__main__":
    main()

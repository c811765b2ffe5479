"""Each: every input done once in a pool, without a journal; for work that is quickly done again."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

from tqdm import tqdm

from spinetk.batch.pools import Here, Pool
from spinetk.batch.task import Outcome, Task, Work


def do_each(
    sources: Iterable[str],
    work: Work,
    pool: Pool,
    out: str | Path = ".",
    stems: Mapping[str, str] | None = None,
) -> dict[str, Outcome]:
    """What became of each input, in their order.

    Args:
        sources: Inputs as the user named them.
        work: Picklable.
        pool: Where.
        out: Folder of what the work writes.
        stems: By input, the ``stem`` of its work; the file's by default, for work that writes nothing.
    """
    here, folder = os.getcwd(), str(Path(out).absolute())
    stems = stems or {}
    named = ((source, stems.get(source, Path(source).stem)) for source in sources)
    tasks = {source: Task(source, here, folder, stem, hashed=False) for source, stem in named}
    made: dict[str, Outcome] = {}
    with tqdm(total=len(tasks), disable=isinstance(pool, Here)) as bar:
        for task, outcome in pool.run(partial(_ready, work), repr(work), tasks.values()):
            made[task.source] = outcome
            bar.update()
    return {source: made[source] for source in tasks}


def _ready(work: Work) -> Work:
    """A maker of work that needs nothing made."""
    return work

"""Run the whole job: prepare, split, train, evaluate, draw.

    python run.py             on the phantom cases in data/, in minutes on a CPU
    python run.py DIR [vis]   on your case folders (see README); `vis` also draws samples of the training part

Pictures and tables end in output/.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV_PYTHON = HERE / ".venv" / "bin" / "python"

if importlib.util.find_spec("spinetk") is None or importlib.util.find_spec("torch") is None:
    # install.sh put everything into .venv: go on with that Python, so that plain `python run.py` works.
    if VENV_PYTHON.exists() and Path(sys.prefix) != VENV_PYTHON.parent.parent:
        os.execv(VENV_PYTHON, [str(VENV_PYTHON), *sys.argv])
    sys.exit("run.py: spinetk is not installed (run ./install.sh first)")

from spinetk.job import main  # noqa: E402

if __name__ == "__main__":  # and not in a process that prepares data
    sys.exit(main(sys.argv[1:]))

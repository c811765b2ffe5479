"""The tests in other environments than that of ``.ci/run``, by command.

    nox -s lowest          # the oldest versions that pyproject.toml allows, torch 2.6 among them, on Python 3.11
    nox -s torch26-3.13    # the oldest torch on a newer Python
    nox -s newest-3.13     # what pip finds today

Each makes its own environment (torch with CUDA takes some 8 GB) and runs the whole suite; arguments after ``--`` go to
pytest. ``benchmarks/RESULTS.md`` notes the last results.
"""

import nox

nox.options.default_venv_backend = "uv"
nox.options.sessions = ["lowest"]
EXTRAS = ".[dev,notebook,sr,serve,export,pacs,cluster]"


def run(session: nox.Session) -> None:
    session.run("python", "-c", "import torch, numpy, sys; print(sys.version, torch.__version__, numpy.__version__)")
    session.run("python", "-m", "pytest", "-n", "2", *session.posargs)


@nox.session(python="3.11")
def lowest(session: nox.Session) -> None:
    """Every direct dependency at its lower bound."""
    session.install("--resolution", "lowest-direct", "-e", EXTRAS)
    run(session)


@nox.session(python=["3.11", "3.13"])
def torch26(session: nox.Session) -> None:
    """The oldest torch, everything else as new as it allows."""
    session.install("-e", EXTRAS, "torch==2.6.*", "torchvision==0.21.*")
    run(session)


@nox.session(python=["3.11", "3.13"])
def newest(session: nox.Session) -> None:
    """As a fresh ``./install.sh --dev``."""
    session.install("--upgrade", "-e", EXTRAS)
    run(session)

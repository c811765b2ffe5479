"""The tests in other environments than that of ``.ci/run``, by command.

    nox -s lowest          # the oldest versions that pyproject.toml allows, torch 2.7 among them, on Python 3.11
    nox -s torch27-3.13    # the oldest torch on a newer Python
    nox -s newest-3.13     # what pip finds today
    nox -s coverage        # how much of the code the tests run
    nox -s mutations       # which breaks of the code no test notices

Each makes its own environment (torch with CUDA takes some 8 GB) and runs the whole suite; arguments after ``--`` go to
pytest. ``benchmarks/RESULTS.md`` notes the last results.
"""

import nox

nox.options.default_venv_backend = "uv"
nox.options.sessions = ["lowest"]
EXTRAS = ".[all,dev]"


def run(session: nox.Session) -> None:
    session.run("python", "-c", "import torch, numpy, sys; print(sys.version, torch.__version__, numpy.__version__)")
    session.run("python", "-m", "pytest", "-n", "2", *session.posargs)


@nox.session(python="3.11")
def lowest(session: nox.Session) -> None:
    """Every direct dependency at its lower bound."""
    session.install("--resolution", "lowest-direct", "-e", EXTRAS)
    run(session)


@nox.session(python=["3.11", "3.13"])
def torch27(session: nox.Session) -> None:
    """The oldest torch, everything else as new as it allows."""
    session.install("-e", EXTRAS, "torch==2.7.*", "torchvision==0.22.*")
    run(session)


@nox.session(python=["3.11", "3.13"])
def newest(session: nox.Session) -> None:
    """As a fresh ``./install.sh --dev``."""
    session.install("--upgrade", "-e", EXTRAS)
    run(session)


@nox.session(python="3.11")
def coverage(session: nox.Session) -> None:
    """The share of lines that the tests run; below the floor of ``pyproject.toml`` it fails."""
    session.install("-e", EXTRAS)
    session.run("python", "-m", "pytest", "-n", "2", "--cov", "--cov-report=term:skip-covered", *session.posargs)


@nox.session(python="3.11")
def mutations(session: nox.Session) -> None:
    """Break a sample of the expressions of each room where a wrong number begins; list the breaks no test notices."""
    session.install("-e", EXTRAS)
    session.run("python", "benchmarks/mutation_score.py", *session.posargs)

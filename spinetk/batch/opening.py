"""Opening: the pool that options of the command line ask for."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from typing import Any

from spinetk.batch.cluster import Cluster
from spinetk.batch.pools import Here, Pool, Processes
from spinetk.device import check_device
from spinetk.errors import InputError


def open_pool(
    workers: int | None = None,
    scheduler: str | None = None,
    batch_system: str | None = None,
    job: Iterable[str] = (),
    device: str = "cpu",
) -> Pool:
    """The pool that options of the command line ask for.

    Args:
        workers: Processes of this machine; jobs of the batch system.
        scheduler: Address of a Dask scheduler.
        batch_system: ``slurm`` or ``pbs``: ``workers`` jobs are submitted, each with one Dask worker.
        job: ``NAME=VALUE`` of dask-jobqueue (``cores=4``, ``memory=16GB``, ``walltime=02:00:00``, ``queue=gpu``); the
            rest comes from ``~/.config/dask/jobqueue.yaml``.
        device: Of the work; processes of this machine share its GPUs unless it is ``cpu``.

    Raises:
        InputError: Options that exclude each other, a package that is not installed, nobody answers, or the device is
            none; of a cluster only its workers know whether they have it.
    """
    check_device(device)
    if scheduler is None and batch_system is None:
        if device not in ("auto", "cpu"):
            from spinetk.training.device import pick_device

            pick_device(device)
        return Here() if workers is None or workers == 1 else Processes(workers, _gpus(device))
    return _connect(workers, scheduler, batch_system, job)


def _connect(workers: int | None, scheduler: str | None, batch_system: str | None, job: Iterable[str]) -> Cluster:
    if scheduler is not None and (batch_system is not None or workers is not None):
        raise InputError("--scheduler", "has its workers already", "leave --workers, --slurm and --pbs out")
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError("a cluster", "needs Dask, which is not installed", "pip install 'spinetk[cluster]'") from error
    if scheduler is not None:
        try:
            return Cluster(Client(scheduler, timeout=10, set_as_default=False))
        except (OSError, TimeoutError, ValueError) as error:
            raise InputError(f"--scheduler {scheduler}", "does not answer", "start dask scheduler there") from error
    cluster = _jobs(str(batch_system), _options(job))
    cluster.scale(jobs=workers or 1)
    return Cluster(Client(cluster, set_as_default=False), cluster)


def _gpus(device: str) -> int:
    """How many GPUs work on a device may share."""
    if device == "cpu" or find_spec("torch") is None:
        return 0
    import torch

    return torch.cuda.device_count()


def _jobs(kind: str, options: dict[str, Any]) -> Any:
    """A cluster of jobs of a batch system."""
    try:
        import dask_jobqueue
    except ImportError as error:
        fault = "needs dask-jobqueue, which is not installed"
        raise InputError(f"--{kind}", fault, "pip install 'spinetk[cluster]'") from error
    make = {"slurm": dask_jobqueue.SLURMCluster, "pbs": dask_jobqueue.PBSCluster}[kind]
    try:
        # A second thread of a worker would wait for the first: networks use the cores by themselves.
        usual: dict[str, Any] = {"cores": 1, "memory": "8GB", "processes": 1}
        return make(**(usual | options))
    except (TypeError, ValueError, OSError) as error:
        text = " ".join(str(error).split())[:200]
        raise InputError(
            f"--{kind}", f"cannot be used: {text}", "see --job, and jobqueue.yaml of dask-jobqueue"
        ) from error


def _options(job: Iterable[str]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for text in job:
        name, found, value = text.partition("=")
        if not found or not name.isidentifier():
            raise InputError(f"--job {text}", "is not NAME=VALUE", "for example --job memory=16GB")
        options[name] = int(value) if value.isdecimal() else value
    return options

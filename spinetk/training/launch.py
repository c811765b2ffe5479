"""Launch: one process or many, on one machine or several, and what they tell each other.

Lightning Fabric starts the processes (``devices`` on this machine) or joins those that torchrun or SLURM started.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from spinetk.errors import InputError
from spinetk.signals import ending


@dataclass(frozen=True)
class Distributed:
    """The process among all that do one job, as torch.distributed counts them.

    Attributes:
        rank: Its number among all, from 0.
        world_size: How many there are.
        devices: How many on each machine.
        nodes: Machines.
    """

    rank: int = 0
    world_size: int = 1
    devices: int = 1
    nodes: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes the files and speaks."""
        return self.rank == 0

    def gather(self, content: Any) -> list[Any]:
        """What every process holds, in order of rank; any picklable content."""
        if self.world_size == 1:
            return [content]
        import torch.distributed

        found: list[Any] = [None] * self.world_size
        torch.distributed.all_gather_object(found, content)
        return found

    def wait(self) -> None:
        """Wait for the others."""
        if self.world_size > 1:
            import torch.distributed

            torch.distributed.barrier()


def is_begun() -> bool:
    """Whether this is a process that another process of the run began; torchrun and SLURM begin all of them."""
    return started()[0] is None and int(os.environ.get("LOCAL_RANK", "0")) > 0


def started() -> tuple[int | None, int | None]:
    """(processes on each machine, machines) as torchrun or ``srun`` says; None where neither started us."""
    env = os.environ
    if "TORCHELASTIC_RUN_ID" in env and "WORLD_SIZE" in env:
        local = int(env.get("LOCAL_WORLD_SIZE", env["WORLD_SIZE"]))
        return local, max(1, int(env["WORLD_SIZE"]) // local)
    if (tasks := _step_tasks()) > 1:
        nodes = int(env.get("SLURM_STEP_NUM_NODES", env.get("SLURM_NNODES", 1)))
        return tasks // nodes, nodes
    return None, None


def _step_tasks() -> int:
    """Processes that ``srun`` started as this step; 1 for whatever else runs inside an allocation.

    An allocation of several tasks (``salloc``, ``sbatch``, a notebook or shell in one) says nothing about how many
    processes there are: only ``srun`` starts one for each, and says so in SLURM_STEP_NUM_TASKS. A shell under
    ``srun --pty`` is one process, of whichever number of tasks.
    """
    env = os.environ
    shell = "SLURM_PTY_PORT" in env or env.get("SLURM_JOB_NAME") in ("bash", "interactive")
    if shell or "SLURM_STEP_ID" not in env or "SLURM_PROCID" not in env:
        return 1
    return int(env.get("SLURM_STEP_NUM_TASKS", 1))


def launch(devices: int | None = None, nodes: int | None = None, device: str = "auto") -> Distributed:
    """Start or join the processes of a run; every one of them goes on from here.

    Args:
        devices: Processes on each machine; None for as many as torchrun or SLURM started, else one.
        nodes: Machines, likewise.
        device: ``auto``, ``cpu`` or ``cuda``; CPU processes talk by gloo, GPU ones by NCCL.

    Raises:
        InputError: Fewer GPUs than devices, or other numbers than the launcher started.
    """
    given = started()
    if given[0] is not None:
        for name, asked, found in (("--devices", devices, given[0]), ("--nodes", nodes, given[1])):
            if asked is not None and asked != found:
                raise InputError(f"{name} {asked}", f"the launcher started {found}", f"leave {name} out")
    devices, nodes = devices or given[0] or 1, nodes or given[1] or 1
    if devices < 1 or nodes < 1:
        raise InputError(f"--devices {devices} --nodes {nodes}", "is not a number of processes", "give 1 or more")
    if devices * nodes == 1:
        return Distributed()
    import torch

    on_gpu = device in {"cuda", "gpu"} or (device == "auto" and torch.cuda.is_available())
    if on_gpu and torch.cuda.device_count() < devices:
        raise InputError(f"--devices {devices}", f"there are {torch.cuda.device_count()} GPUs", "ask for fewer")
    if not torch.distributed.is_initialized():
        from lightning.fabric import Fabric

        from spinetk.training.quiet import quiet

        with quiet():
            fabric = Fabric(
                accelerator="gpu" if on_gpu else "cpu",
                devices=devices,
                num_nodes=nodes,
                strategy="ddp",
                plugins=environment(),
            )
            ending(getattr(fabric.strategy.launcher, "procs", []))
            fabric.launch()
    if on_gpu:
        torch.cuda.set_device(torch.distributed.get_rank() % devices)
    return Distributed(torch.distributed.get_rank(), torch.distributed.get_world_size(), devices, nodes)


def environment() -> list[Any]:
    """Who started the processes, told to Lightning, which would take any process of an allocation for one of several.

    Of SLURM's without Lightning's own requeueing: a stopped run leaves and is resumed by ``--resume``.
    """
    from lightning.fabric.plugins.environments import LightningEnvironment, SLURMEnvironment

    if "TORCHELASTIC_RUN_ID" in os.environ or "SLURM_NTASKS" not in os.environ:
        return []
    tasks, nodes = started()
    if tasks is None:
        return [LightningEnvironment()]
    if nodes:
        os.environ.setdefault("SLURM_NTASKS_PER_NODE", str(tasks))  # Lightning will not count them itself
    return [SLURMEnvironment(auto_requeue=False)]

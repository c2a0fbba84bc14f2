"""The processes of one command: what starts those of several nodes, and which of them speaks for all."""

import os

__all__ = ["is_first_process", "launcher", "srun"]


def is_first_process() -> bool:
    """Return whether this is the process of a training on several devices that writes its outputs."""
    return all(os.environ.get(name, "0") == "0" for name in ("SLURM_PROCID", "NODE_RANK", "LOCAL_RANK"))


def srun(nodes: int, processes: int, threads: int) -> str:
    """Return what stands before a command that runs on several nodes.

    Args:
        nodes: of the training.
        processes: on each node.
        threads: of each process.
    """
    return f"srun --nodes={nodes} --ntasks-per-node={processes} --cpus-per-task={threads} --kill-on-bad-exit "


def launcher() -> str:
    """Return what stood before the command of this process, by what srun tells its processes; "" on one node."""
    nodes = int(os.environ.get("SLURM_STEP_NUM_NODES", "1"))
    if nodes == 1:
        return ""
    processes = int(os.environ["SLURM_STEP_NUM_TASKS"]) // nodes
    return srun(nodes, processes, int(os.environ.get("SLURM_CPUS_PER_TASK", "1")))

"""A real SLURM on one machine: controller, accounting and three nodes, on loopback, without systemd or cgroups.

Each node is a slurmd in a host-name namespace of its own, so that it has its own name and a crash is the end of all
processes in it. Two device files that are always there stand for GPUs: SLURM counts them and opens none.

The configuration is linked from /etc/slurm, since the job step plugin takes SLURM_CONF out of the environment: one such
cluster at a time on a machine.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import final

from configuration import SLURM_CONF, SLURMDBD_CONF

__all__ = ["LocalCluster", "missing"]

# node: partition, number of pretend GPUs
NODES = {"c1": ("cpu", 0), "c2": ("cpu", 0), "g1": ("gpu", 2)}
ACCOUNT = "project"
_PROGRAMS = ("munged", "slurmctld", "slurmd", "slurmdbd", "sbatch", "srun", "mariadbd", "mariadb-install-db", "unshare")
_ETC = Path("/etc/slurm")
_FILES = ("slurm.conf", "gres.conf", "slurmdbd.conf")
_PROBE = ["unshare", "--uts", "--mount", "true"]


def missing() -> str | None:
    """Return why no cluster can be started here, None where it can."""
    if os.geteuid() != 0:
        return "not root"
    absent = [program for program in _PROGRAMS if shutil.which(program) is None]
    if absent:
        return f"no {', '.join(absent)}: 'make test-slurm' installs them on Debian"
    if subprocess.run(_PROBE, check=False, capture_output=True).returncode:
        return "no right to make namespaces"
    if any((_ETC / name).is_symlink() for name in _FILES) and _succeeds("scontrol", "ping"):
        return "a cluster of these tests runs already"
    foreign = [name for name in _FILES if (_ETC / name).exists() and not (_ETC / name).is_symlink()]
    return f"{_ETC / foreign[0]} belongs to another SLURM" if foreign else None


@final
class LocalCluster:
    """One cluster, from ``start`` to ``stop``.

    Args:
        folder: for state, logs and keys; every user must be able to enter it, and its path must be short.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}
        self._ports = _free_ports(3 + len(NODES))

    def start(self) -> None:
        for name in ("log", "munge", "state", "database", *(f"spool/{node}" for node in NODES)):
            (self.folder / name).mkdir(parents=True)
        key = self.folder / "munge/key"
        key.write_bytes(secrets.token_bytes(1024))
        key.chmod(0o600)
        self._configure()
        self._daemon("munged", "munged", "--foreground", f"--key-file={key}", f"--socket={self._socket}",
                     f"--pid-file={self.folder / 'munge/pid'}", f"--log-file={self.folder / 'munge/log'}",
                     f"--seed-file={self.folder / 'munge/seed'}")  # fmt: skip
        _wait_for("munged", lambda: _succeeds("munge", "--no-input", f"--socket={self._socket}"))
        self._start_database()
        self.restart("slurmdbd")
        _run("sacctmgr", "-i", "add", "cluster", "local")
        _run("sacctmgr", "-i", "add", "account", ACCOUNT)
        _run("sacctmgr", "-i", "add", "user", "root", f"account={ACCOUNT}")
        self.restart("slurmctld")
        for node in NODES:
            self.restart(node)
        _wait_for("nodes to be idle", lambda: _run("sinfo", "-hN", "-t", "idle", "-o", "%N").split() == [*NODES])

    def stop(self) -> None:
        for node in NODES:
            self.crash(node)
        for name in ("slurmctld", "slurmdbd", "mariadbd", "munged"):
            if name in self._daemons:
                self._end(name, signal.SIGTERM)
        for name in _FILES:
            if (_ETC / name).is_symlink():
                (_ETC / name).unlink()

    def kill(self, daemon: str) -> None:
        """Kill slurmctld or slurmdbd as a crash would."""
        self._end(daemon, signal.SIGKILL)

    def restart(self, name: str) -> None:
        """Start slurmctld, slurmdbd or a node, and wait until it answers."""
        if name in NODES:
            # The network is shared; the own hosts file gives the node's name an address.
            inside = f"hostname {name} && mount --bind {self.folder / 'hosts'} /etc/hosts && exec slurmd -D -N {name}"
            self._daemon(name, "unshare", "--uts", "--mount", "sh", "-c", inside)
            return
        self._daemon(name, name, "-D")
        asked = {"slurmctld": ("scontrol", "ping"), "slurmdbd": ("sacctmgr", "-n", "show", "cluster")}
        _wait_for(name, lambda: _succeeds(*asked[name]))

    def crash(self, node: str) -> None:
        """End all processes of a node, those of jobs too."""
        if node not in self._daemons:
            return
        namespace = _namespace(self._daemons[node].pid)
        assert namespace != _namespace(os.getpid())
        for entry in Path("/proc").glob("[0-9]*"):
            if namespace is not None and _namespace(int(entry.name)) == namespace:
                _signal(int(entry.name), signal.SIGKILL)
        self._end(node, signal.SIGKILL)

    @property
    def _socket(self) -> Path:
        return self.folder / "munge/socket"

    def _configure(self) -> None:
        controller, accounting, self._database_port, *ports = self._ports
        host = socket.gethostname().split(".", maxsplit=1)[0]
        shutil.copy("/etc/hosts", self.folder / "hosts")
        with (self.folder / "hosts").open("a") as hosts:
            hosts.writelines(f"127.0.0.1 {node}\n" for node in NODES)
        nodes = [
            f"NodeName={node} NodeHostname={node} NodeAddr=127.0.0.1 Port={port} CPUs=2 RealMemory=16000"
            + (f" Gres=gpu:pretended:{gpus}" if gpus else "")
            for port, (node, (_, gpus)) in zip(ports, NODES.items(), strict=True)
        ]
        partitions = [
            f"PartitionName={partition} MaxTime=INFINITE Nodes={','.join(n for n in NODES if NODES[n][0] == partition)}"
            + (" Default=YES" if partition == "cpu" else "")
            for partition in dict(NODES.values())
        ]
        text = SLURM_CONF.format(
            folder=self.folder, host=host, controller=controller, accounting=accounting, socket=self._socket
        )
        (self.folder / "slurm.conf").write_text("\n".join([text, *nodes, *partitions, ""]))
        devices = [f"NodeName=g1 Name=gpu Type=pretended File={device}" for device in ("/dev/zero", "/dev/full")]
        (self.folder / "gres.conf").write_text("\n".join(["AutoDetect=off", *devices, ""]))
        own = self.folder / "slurmdbd.conf"
        own.write_text(
            SLURMDBD_CONF.format(
                folder=self.folder, accounting=accounting, database=self._database_port, socket=self._socket
            )
        )
        own.chmod(0o600)
        _ETC.mkdir(exist_ok=True)
        for name in _FILES:
            (_ETC / name).unlink(missing_ok=True)
            (_ETC / name).symlink_to(self.folder / name)

    def _start_database(self) -> None:
        data, sock = self.folder / "database/data", self.folder / "database/socket"
        own = ("--no-defaults", "--user=root", f"--datadir={data}")
        _run(
            "mariadb-install-db",
            *own,
            "--auth-root-authentication-method=socket",
            "--skip-test-db",
            "--skip-name-resolve",
        )
        self._daemon("mariadbd", "mariadbd", *own, f"--socket={sock}", "--bind-address=127.0.0.1",
                     f"--port={self._database_port}", "--innodb-buffer-pool-size=64M", "--innodb-lock-wait-timeout=900",
                     "--skip-name-resolve")  # fmt: skip
        client = ("mariadb", "--no-defaults", f"--socket={sock}", "--execute")
        _wait_for("mariadbd", lambda: _succeeds(*client, "select 1"))
        _run(*client, "create database accounting; create user slurm@'127.0.0.1' identified by 'local';"
                      "grant all on accounting.* to slurm@'127.0.0.1'")  # fmt: skip

    def _daemon(self, name: str, *command: str) -> None:
        with (self.folder / f"log/{name}.out").open("ab") as log:
            self._daemons[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def _end(self, name: str, number: signal.Signals) -> None:
        daemon = self._daemons.pop(name)
        daemon.send_signal(number)
        try:
            daemon.wait(20)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _namespace(process: int) -> str | None:
    try:
        return os.readlink(f"/proc/{process}/ns/uts")
    except OSError:
        return None


def _signal(process: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, number)


def _run(*command: str) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


def _succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True, timeout=120).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _wait_for(what: str, holds: Callable[[], bool], seconds: float = 600.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"timed out waiting for {what}"
        time.sleep(0.1)

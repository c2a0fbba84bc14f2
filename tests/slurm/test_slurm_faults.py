"""Whatever ends a job, a service of the cluster or Snakemake itself: every output is whole, or the run can go on."""

import re
import signal
import subprocess
import time
from collections.abc import Callable

import pytest
from driver import Driver
from local_cluster import LocalCluster

pytestmark = [pytest.mark.slurm, pytest.mark.slow, pytest.mark.timeout(1800)]

Drive = Callable[..., Driver]


def assert_done(driver: Driver, *faults: str) -> None:
    assert (driver.folder / "done.txt").read_text() == "".join(f"{fault} whole\n" for fault in faults)


def nodes(driver: Driver, fault: str) -> list[str]:
    return [line.split()[1] for line in driver.attempts(fault)]


def jobs(driver: Driver) -> dict[str, str]:
    """Return the SLURM job of each fault that has been submitted last."""
    submitted = re.findall(r"SLURM jobid (\d+) \(log: .*/rule_(\w+)/(?:(\w+)/)?\d+\.log", driver.log)
    return {fault or rule: job for job, rule, fault in submitted}


def slurm(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout.strip()


def running() -> list[str]:
    return slurm("squeue", "--noheader", "--format=%i").split()


def test_jobs_that_fail_outgrow_their_limits_or_are_cancelled_succeed_at_the_next_attempt(drive: Drive) -> None:
    faults = ("fails", "saves", "takes_memory", "takes_time", "waits")
    driver = drive(faults)
    driver.start()
    for fault, options in (("waits", ()), ("saves", ("--signal=TERM",))):
        # A job can start before Snakemake, which waits for sbatch to return, has said which it is.
        driver.wait_for(
            f"the job {fault}", lambda fault=fault: len(driver.attempts(fault)) == 1 and fault in jobs(driver)
        )
        slurm("scancel", *options, jobs(driver)[fault])
    assert driver.finish() == 0, driver.log
    assert_done(driver, *faults)
    assert {fault: len(driver.attempts(fault)) for fault in faults} == dict.fromkeys(faults, 2)
    assert "ended as TIMEOUT" in driver.log
    assert "ended as CANCELLED" in driver.log
    assert [line.split()[1:] for line in driver.attempts("waits")] == [["g1", "gpu=0"]] * 2


def test_a_job_that_loses_its_node_runs_on_another(drive: Drive, cluster: LocalCluster) -> None:
    driver = drive(["waits_once"])
    driver.start()
    driver.wait_for("the job", lambda: len(driver.attempts("waits_once")) == 1)
    lost = nodes(driver, "waits_once")[0]
    cluster.crash(lost)
    try:
        driver.wait_for("a second attempt", lambda: len(driver.attempts("waits_once")) == 2)
        assert driver.finish() == 0, driver.log
    finally:
        cluster.restart(lost)
    assert "ended as NODE_FAIL" in driver.log
    assert nodes(driver, "waits_once") != [lost, lost]
    assert_done(driver, "waits_once")


@pytest.mark.parametrize("service", ["slurmctld", "slurmdbd"])
def test_an_outage_of_a_service_costs_no_attempt(service: str, drive: Drive, cluster: LocalCluster) -> None:
    driver = drive(["waits_always"], seconds=15)
    driver.start()
    driver.wait_for("the job", lambda: len(driver.attempts("waits_always")) == 1)
    # A job whose step is not yet confirmed fails with its controller; that costs one of its attempts.
    time.sleep(4)
    cluster.kill(service)
    time.sleep(25)  # the job ends in the meantime
    cluster.restart(service)
    assert driver.finish() == 0, driver.log
    assert len(driver.attempts("waits_always")) == 1
    assert_done(driver, "waits_always")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_an_ended_snakemake_goes_on(number: signal.Signals, drive: Drive) -> None:
    # SIGTERM lets running jobs end and accepts what they made.
    waits = "waits_always" if number == signal.SIGTERM else "waits_once"
    driver = drive(["fails", waits], seconds=25)
    driver.start()
    driver.wait_for("the job", lambda: len(driver.attempts(waits)) == 1)
    driver.send(number)
    status = driver.finish()
    records = list((driver.folder / ".snakemake/slurm_runs").glob("*.json"))
    if number == signal.SIGKILL:
        assert running(), "the jobs go on alone"
        assert len(records) == 1
        driver.start("--unlock")
        assert driver.finish() == 0
    else:
        assert status == 1
        assert not records
        driver.wait_for("the end of the jobs", lambda: not running())
    driver.start()
    assert driver.finish() == 0, driver.log
    assert ("was killed; its remaining jobs are cancelled" in driver.log) == (number == signal.SIGKILL)
    assert len(driver.attempts(waits)) == (1 if number == signal.SIGTERM else 2)
    assert_done(driver, "fails", waits)

"""What a run listens on: nobody else on the network may reach it."""

import time
from pathlib import Path

import pytest
from commands import SHARDS, start, write_truth
from test_executors_killed import descendants

psutil = pytest.importorskip("psutil")
LOOPBACK = {"127.0.0.1", "::1", "::ffff:127.0.0.1"}


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["processes", "ray"])
def test_a_run_listens_on_the_loopback_address_alone(tmp_path: Path, executor: str) -> None:
    if executor == "ray":
        pytest.importorskip("ray")
    write_truth(tmp_path)
    asked = [f"executor={executor}", "executor.workers=2", "n=3", "seed=0..30"]
    run = start(tmp_path, *asked, "proxies=[synflow,ntk]")
    while not list((tmp_path / SHARDS).glob("[!.]*.parquet")):
        assert run.poll() is None, run.communicate()
        time.sleep(0.01)
    own = {run.pid, *descendants(run.pid)}
    listening = {
        found.laddr.ip
        for found in psutil.net_connections("inet")
        if found.status == psutil.CONN_LISTEN and found.pid in own
    }
    run.terminate()
    run.communicate(timeout=60)
    assert listening <= LOOPBACK
    assert bool(listening) == (executor == "ray")

"""A standalone Spark cluster on loopback, from the classes that the pyspark package brings."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import Any

LOOPBACK = "127.0.0.1"
DEPLOY = "org.apache.spark.deploy"


@dataclass(frozen=True)
class Cluster:
    """A master that runs, and where it answers."""

    url: str
    page: str

    def state(self) -> dict[str, Any]:
        """What the master says of its workers and applications."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.page}/json/", timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
        return found


@contextmanager
def running(folder: Path, *, workers: int = 2, memory: str = "1500m", patience: float = 90) -> Iterator[Cluster]:
    """One master and some workers of one core each, stopped on leaving, however that comes.

    Reads    `folder` takes their logs and work.
    Refuses  RuntimeError when they are not all there after `patience` seconds, with the last words of their logs.
    """
    spec = find_spec("pyspark")
    assert spec is not None
    assert spec.origin is not None
    home = Path(spec.origin).parent
    port, page = free_port(), free_port()
    cluster = Cluster(f"spark://{LOOPBACK}:{port}", f"http://{LOOPBACK}:{page}")
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:

        def start(name: str, *arguments: str) -> subprocess.Popen[bytes]:
            log = stack.enter_context((folder / f"{name}.log").open("wb"))
            environment = {
                **os.environ,
                "SPARK_HOME": str(home),
                "SPARK_LOCAL_IP": LOOPBACK,
                "SPARK_DAEMON_MEMORY": "512m",
            }
            process = subprocess.Popen(
                ["bash", str(home / "bin" / "spark-class"), *arguments],
                env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
            stack.callback(stop, process)
            return process

        started = [start("master", f"{DEPLOY}.master.Master", "--host", LOOPBACK, "--port", str(port),
                         "--webui-port", str(page))]  # fmt: skip
        for number in range(1, workers + 1):
            started.append(
                start(f"worker-{number}", f"{DEPLOY}.worker.Worker", "--host", LOOPBACK, "--cores", "1",
                      "--memory", memory, "--webui-port", "0", "--work-dir", str(folder / "work"), cluster.url)
            )  # fmt: skip
        _await(cluster, started, folder, workers=workers, patience=patience)
        yield cluster


def _await(
    cluster: Cluster, started: list[subprocess.Popen[bytes]], folder: Path, *, workers: int, patience: float
) -> None:
    until = time.monotonic() + patience
    while time.monotonic() < until and all(p.poll() is None for p in started):
        try:
            if cluster.state()["aliveworkers"] == workers:
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        time.sleep(0.5)
    logs = "\n".join(f"{log.name}: {log.read_text(errors='replace')[-1000:]}" for log in sorted(folder.glob("*.log")))
    raise RuntimeError(f"The Spark cluster did not start within {patience:.0f} seconds.\n{logs}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and everything it started."""
    for signal in (SIGTERM, SIGKILL):
        try:
            os.killpg(process.pid, signal)
            process.wait(timeout=15)
        except ProcessLookupError:
            process.wait()
            return
        except subprocess.TimeoutExpired:
            continue


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        port: int = listener.getsockname()[1]
    return port

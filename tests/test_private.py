"""Nothing is sent anywhere: no command opens a network connection."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from finops_lib.lake import Home

COMMANDS = """
import shlex, sys
from finops_lib import cli
for line in sys.stdin:
    code = cli.main(shlex.split(line))
    if code not in (0, 3):
        sys.exit(f"{line}: {code}")
"""

PATCH = """
import os, socket
def patched(connect):
    def seen(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6):
            with open(os.environ["CONNECTIONS"], "a") as log:
                log.write(f"connect({self.family.name}, {address})\\n")
        return connect(self, address)
    return seen
class Watched(socket.socket):
    connect, connect_ex = patched(socket.socket.connect), patched(socket.socket.connect_ex)
socket.socket = Watched
"""


def connections(code: str, typed: str, folder: Path) -> list[str]:
    """What a Python process and all its children tried to connect to; without strace, what Python itself tried."""
    log = folder / "connections"
    log.write_text("", encoding="utf-8")
    command, env = [sys.executable, "-c", code], {**os.environ, "CONNECTIONS": str(log)}
    if shutil.which("strace") and subprocess.run(["strace", "true"], capture_output=True, check=False).returncode == 0:
        command = ["strace", "-f", "-qq", "-e", "trace=connect", "-e", "signal=none", "-o", str(log), *command]
    else:
        (folder / "sitecustomize.py").write_text(PATCH, encoding="utf-8")
        env["PYTHONPATH"] = os.pathsep.join([str(folder), env.get("PYTHONPATH", "")])
    done = subprocess.run(command, input=typed, text=True, capture_output=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    return re.findall(r"connect\(.*AF_INET.*", log.read_text(encoding="utf-8"))


def test_a_connection_would_be_seen(tmp_path: Path) -> None:
    code = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('127.0.0.1', 9))"
    assert len(connections(code, "", tmp_path)) == 1


def test_no_command_opens_a_connection(company: Home, tmp_path: Path) -> None:
    home, out = tmp_path / "home", tmp_path / "out"
    shutil.copytree(company.root, home)
    typed = f"""
        --home {tmp_path / "new"} init
        samples --out {tmp_path / "samples"} --months 1
        sources
        --home {tmp_path / "new"} ingest {tmp_path / "samples" / "inbox"} {home / "plan"}
        --home {home} build --select stg_threshold dim_threshold
        --home {home} deliveries
        --home {home} reconcile
        --home {home} check
        --home {home} report
        --home {home} plan suggest
        --home {home} export focus --out {out / "focus.csv"}
        --home {home} export allocation --out {out / "allocation.parquet"}
        --home {home} conformance
        --home {home} verify
        --home {home} withdraw openai_costs --account default --month 2026-10
    """
    lines = [line.strip() for line in typed.splitlines() if line.strip()]
    assert connections(COMMANDS, "\n".join(lines), tmp_path) == []

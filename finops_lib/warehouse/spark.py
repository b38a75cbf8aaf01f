"""What the target spark needs on this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

from ..errors import FinopsError

JAVA = 17
"""The oldest Java that Spark 4 runs on."""


def need_spark(*, own_session: bool = True) -> None:
    """Say by name what the target spark lacks here; a session of our own needs Java as well."""
    try:
        metadata.version("dbt-spark")
    except metadata.PackageNotFoundError:
        raise FinopsError(
            "The target spark needs dbt-spark and PySpark, which this environment does not have. Make one that does, "
            ".venv-spark, with `make spark`."
        ) from None
    if own_session:
        java = java_version()
        if java is None or java < JAVA:
            found = "no Java, neither on the PATH nor below JAVA_HOME" if java is None else f"Java {java}"
            raise FinopsError(
                f"Spark needs Java {JAVA} or later; found {found}. Debian and Ubuntu have it as the package "
                f"openjdk-{JAVA}-jre-headless."
            )


def java_version() -> int | None:
    """Major version of the Java that Spark would use, or None where there is none."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin") if home else None)
    if java is None:
        return None
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(?:1\.)?(\d+)', said)
    return int(version[1]) if version else None

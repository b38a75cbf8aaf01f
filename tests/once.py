"""What is slow to make and only read: made by whichever worker comes first, for all of them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

FOLDER = "FINOPS_TESTS_FOLDER"
"""The environment variable that names the folder of this test run; workers inherit it."""


def once(name: str, make: Callable[[Path], None]) -> Path:
    """The folder `name` of this test run, which `make` fills the first time."""
    folder = Path(os.environ[FOLDER]) / name
    done = folder.with_suffix(".made")
    with FileLock(folder.with_suffix(".lock")):
        if not done.exists():
            # Left by a worker that failed at it.
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            done.touch()
    return folder

"""What can go wrong, said so that the reader knows what to do next.

Every message says what was found, what was wanted and what to do; where there is one, it names the
file, the row and the column.
"""

import re


class FinopsError(Exception):
    """Base of every error that a user can cause and put right; the command line prints it and exits 1."""


class RefusedError(FinopsError):
    """A delivery, or part of one, that did not enter the lake."""


class NotBuiltError(FinopsError):
    """Something was asked of the warehouse that has not been built yet."""


class DamagedError(FinopsError):
    """Something that finops wrote is not as it was left; what heals it is said."""


class ShortHistoryError(FinopsError):
    """Too few days of history to say anything about the future."""


class LockedError(FinopsError):
    """Somebody else is writing in the home; the command line exits 4."""


class UsageError(FinopsError):
    """The command itself was wrong; the command line exits 2."""


def first_line(error: BaseException) -> str:
    """What a library says of a mistake, without what it says after that."""
    return str(error).splitlines()[0].removesuffix(".")


def is_stop(error: BaseException) -> bool:
    """Whether somebody pressed Ctrl-C: while DuckDB is at work, that arrives as a RuntimeError."""
    return isinstance(error, KeyboardInterrupt) or str(error) == "Query interrupted"


def no_room(error: BaseException) -> str | None:
    """What the system says when a file cannot grow, where that is why something failed; DuckDB only passes it on."""
    said = re.search(r"No space left on device|File too large|Disk quota exceeded|Read-only file system", str(error))
    return said[0] if said else None

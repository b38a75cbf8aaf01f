"""Export → recognise → adapt → check → publish: the only writer of the lake.

A delivery is adapted in one streaming pass into a staged Parquet file, checked there against the contract, and
published unit by unit (see `lake`). What cannot be read or breaks a promise is refused with file, row and column;
nothing of its month is published, and what stood there before stays.
"""

from .adapters import sources, sources_page
from .call import Ingested, Interrupted, Outcome
from .publishing import ingest
from .withdrawing import withdraw

__all__ = ["Ingested", "Interrupted", "Outcome", "ingest", "sources", "sources_page", "withdraw"]

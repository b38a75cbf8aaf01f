"""The warehouse: `building` builds the marts and publishes them whole, `doors` reads what is in force."""

from ..contract import default_thresholds, project
from .building import Built, build, outdated
from .doors import (
    Published,
    data_date,
    data_through,
    dataset,
    dataset_sql,
    mart,
    marts,
    missing_money,
    not_built,
    open_warehouse,
    plan_findings,
    product_version,
    published,
    reading_lake,
    snapshot,
)
from .spark import JAVA, java_version, need_spark

__all__ = [
    "JAVA",
    "Built",
    "Published",
    "build",
    "data_date",
    "data_through",
    "dataset",
    "dataset_sql",
    "default_thresholds",
    "java_version",
    "mart",
    "marts",
    "missing_money",
    "need_spark",
    "not_built",
    "open_warehouse",
    "outdated",
    "plan_findings",
    "product_version",
    "project",
    "published",
    "reading_lake",
    "snapshot",
]

"""Errors of other people's software that a person should read as a sentence: a store, a settings file, a table file."""

from __future__ import annotations

import os
import re

#: Packages whose errors are those of a store behind fsspec.
STORES = ("aiobotocore", "aiohttp", "botocore", "s3fs", "gcsfs", "google", "azure", "adlfs", "fsspec")


def trouble_of(error: BaseException) -> str:
    """What to say of an error and what to do; '' for one that nobody foresaw, whose traceback is worth more."""
    return lake_trouble(error) or settings_trouble(error) or table_trouble(error)


def lake_trouble(error: BaseException) -> str:
    """Of the store that holds the lake: every one has errors of its own."""
    place, seen = os.environ.get("EXPOSURE_LAKE_URL", ""), error
    if "://" not in place or place.startswith("file://"):
        return ""
    while seen.__cause__ is not None:  # a missing right comes as PermissionError, with the store's own answer behind it
        seen = seen.__cause__
    if type(seen).__module__.partition(".")[0] not in STORES:
        return ""
    return (
        f"The lake (EXPOSURE_LAKE_URL) does not answer: {type(error).__name__}: {first_line(error)}\n"
        "Check the address, the network and the credentials of the store; `exposure doctor` looks at it again."
    )


def settings_trouble(error: BaseException) -> str:
    """Of dagster.yaml, which is people's to change: no YAML, or a setting that Dagster does not know."""
    mark = getattr(error, "problem_mark", None)
    if mark is not None and str(mark.name).endswith("dagster.yaml"):
        return (
            f"{mark.name}, line {mark.line + 1} is not valid YAML: correct it, or remove the file to have it made anew."
        )
    if type(error).__name__ == "DagsterInvalidConfigError" and "dagster.yaml" in str(error):
        # after that comes every setting that there is
        found = re.findall(r"Error \d+: (.*?)(?: Expected: |\n|$)", str(error))
        return (
            f"dagster.yaml in the home's folder dagster: {' '.join(found)} "
            "Correct it, or remove the file to have it made anew."
        )
    return ""


def table_trouble(error: BaseException) -> str:
    """Of a table's file that was cut or changed: a build writes it anew."""
    if type(error).__module__.partition(".")[0] not in ("_duckdb", "duckdb", "pyarrow"):
        return ""
    said = str(error)
    if not re.search(r"magic bytes|parquet file|thrift|No files found that match", said, re.IGNORECASE):
        return ""
    return (
        f"A table of the lake cannot be read: {first_line(error)}\n"
        "`exposure build` writes the tables of today anew, `exposure build --date D` those of another date."
    )


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [""])[0]

"""The model engine: plain SELECTs and Python models with contracts, built in order over Parquet with DuckDB.

Importing this package imports neither DuckDB nor the SQL parser.
"""

from dbt_like_transforms.engine.columns import RUN_SOURCES, Column, duckdb_type, landed_source
from dbt_like_transforms.engine.context import BuildContext
from dbt_like_transforms.engine.errors import EngineError, MissingModelData, ModelFailed, ProjectError, SourceError
from dbt_like_transforms.engine.models import Model, ModelTest
from dbt_like_transforms.engine.project import Project
from dbt_like_transforms.engine.results import CheckResult, ModelResult
from dbt_like_transforms.engine.runner import Runner
from dbt_like_transforms.engine.session import open_connection
from dbt_like_transforms.engine.sources import SourcePart, register_sources, register_table
from dbt_like_transforms.engine.storage import FolderStorage, Storage

__all__ = [
    "RUN_SOURCES",
    "BuildContext",
    "CheckResult",
    "Column",
    "EngineError",
    "FolderStorage",
    "MissingModelData",
    "Model",
    "ModelFailed",
    "ModelResult",
    "ModelTest",
    "Project",
    "ProjectError",
    "Runner",
    "SourceError",
    "SourcePart",
    "Storage",
    "duckdb_type",
    "landed_source",
    "open_connection",
    "register_sources",
    "register_table",
]

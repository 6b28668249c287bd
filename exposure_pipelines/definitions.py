"""The Dagster code location of this installation's home."""

from exposure_pipelines.assembly import build_definitions
from exposure_pipelines.home import Home

defs = build_definitions(Home.from_env())

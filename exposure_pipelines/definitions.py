"""The Dagster code location of this installation's home."""

import os

from exposure_pipelines.assembly import build_definitions
from exposure_pipelines.home import Home

# of every process that runs a step, whoever started it: the home holds inventories, nobody else on the machine reads them
os.umask(0o077)
defs = build_definitions(Home.from_env())

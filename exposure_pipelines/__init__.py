"""Exposure management pipelines. In a notebook: `import exposure_pipelines; exposure_pipelines.frame("devices")`."""

from exposure_pipelines.frames import frame, tables

__all__ = ["frame", "tables"]

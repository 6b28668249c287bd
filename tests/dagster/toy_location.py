"""The real code location over the toy products, for processes of their own (webserver, daemon, runs)."""

from tests.dagster import toy

toy.install()

from exposure_pipelines.definitions import defs  # noqa: E402

__all__ = ["defs"]

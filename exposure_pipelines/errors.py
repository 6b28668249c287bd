"""Errors of the pipelines, named by what the caller should do. The command line turns them into exit codes."""

from __future__ import annotations


class ExposureError(Exception):
    """Base of every error a person is meant to read: what, where, and what to do."""


class ConfigurationError(ExposureError):
    """The call or the configuration is wrong: mend it and call again (exit code 2)."""


class WorkFailed(ExposureError):
    """The work itself failed (exit code 1); what was complete before is kept."""

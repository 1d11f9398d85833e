"""Every error this library raises on purpose. Each message says what happened and what to do."""

from __future__ import annotations


class CleanerError(Exception):
    """The parent of all errors of this library."""


class ConfigError(CleanerError, ValueError):
    """A setting that cannot be honoured."""


class InputError(CleanerError, ValueError):
    """A document that cannot be read as text."""


class OutputError(CleanerError, OSError):
    """A result that cannot be written."""


class ModelError(CleanerError):
    """A model folder that is missing, altered, or made for another version."""

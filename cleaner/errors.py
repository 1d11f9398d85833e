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


class NoSpaceError(OutputError):
    """A disk that is full: nothing more can be written until there is space."""


class ModelError(CleanerError):
    """A model folder that is missing, altered, or made for another version."""


class MissingExtraError(CleanerError, ImportError):
    """A library that an optional part needs and that is not installed."""


def missing_extra(purpose: str, library: str, extra: str) -> MissingExtraError:
    """The error for a library that is not installed: what needs it, its name, and the extra that brings it."""
    return MissingExtraError(f'{library} is needed {purpose}; install it with: pip install "cleaner[{extra}]"')


class ProfileError(CleanerError, ValueError):
    """A site profile that is missing or is none."""

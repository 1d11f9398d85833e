"""Give it what your scraper wrote, get back what the author wrote.

>>> from cleaner import clean
>>> clean("")
''
"""

from __future__ import annotations

from cleaner.config import Config
from cleaner.errors import CleanerError, ConfigError, InputError, ModelError, OutputError
from cleaner.pipeline import Cleaner, clean, clean_html, label, label_html
from cleaner.records import Cut, DecidedBy, Document, Label, Line

__version__ = "0.1.0"

__all__ = [
    "Cleaner",
    "CleanerError",
    "Config",
    "ConfigError",
    "Cut",
    "DecidedBy",
    "Document",
    "InputError",
    "Label",
    "Line",
    "ModelError",
    "OutputError",
    "clean",
    "clean_html",
    "label",
    "label_html",
]

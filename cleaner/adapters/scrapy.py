"""Scrapy: `ADDONS = {"cleaner.adapters.scrapy.CleanerAddon": 300}`.

Settings:
    CLEANER_FIELDS: the fields of an item that hold text or HTML, by default ["text"]; a dict names for each the field
        that the clean text goes to.
    CLEANER_LABELS_FIELD: the field for the lines with their labels, or None.
    CLEANER_EMPTY: what happens to an item all of whose fields end up empty: "keep" (the default) or "drop".
    CLEANER_OPTIONS: of `cleaner.adapters.job_of`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from cleaner.adapters import job_of, needs
from cleaner.corpus.job import ERROR
from cleaner.corpus.work import clean_rows

try:
    from itemadapter import ItemAdapter
    from scrapy.exceptions import DropItem
except ModuleNotFoundError:
    raise needs("scrapy", "scrapy") from None


class CleanerAddon:
    """Installs the item pipeline."""

    def update_settings(self, settings: Any) -> None:
        """Called by Scrapy."""
        settings.setdefault_in_component_priority_dict("ITEM_PIPELINES", CleanerPipeline, 300)


class CleanerPipeline:
    """Cleans fields of items, away from the reactor, and counts in Scrapy's statistics."""

    def __init__(self, fields: Mapping[str, str], labels_field: str | None, drops: bool, stats: Any, **options: Any):
        self._fields, self._labels_field, self._drops, self._stats = dict(fields), labels_field, drops, stats
        self._job = job_of("text", labels=labels_field is not None, labels_key="labels", **options)

    @classmethod
    def from_crawler(cls, crawler: Any) -> CleanerPipeline:
        """Called by Scrapy."""
        settings = crawler.settings
        fields = (
            settings.getdict("CLEANER_FIELDS")
            if _is_dict(settings.get("CLEANER_FIELDS"))
            else {name: name for name in settings.getlist("CLEANER_FIELDS", ["text"])}
        )
        return cls(
            fields,
            settings.get("CLEANER_LABELS_FIELD"),
            settings.get("CLEANER_EMPTY", "keep") == "drop",
            crawler.stats,
            **settings.getdict("CLEANER_OPTIONS"),
        )

    async def process_item(self, item: Any) -> Any:
        """Called by Scrapy for each item."""
        adapter = ItemAdapter(item)
        names = [name for name in self._fields if adapter.get(name)]
        rows = [{"url": adapter.get("url"), "text": adapter[name]} for name in names]
        cleaned, summary = await asyncio.to_thread(clean_rows, rows, self._job)
        for label, lines in summary.removed.items():
            self._stats.inc_value(f"cleaner/lines_removed/{label}", lines)
        self._stats.inc_value("cleaner/items")
        for name, row in zip(names, cleaned, strict=True):
            if ERROR in row:
                self._stats.inc_value("cleaner/failed")
                adapter[ERROR] = row[ERROR]
                continue
            adapter[self._fields[name]] = row["text"]
            if self._labels_field is not None:
                adapter[self._labels_field] = row.get("labels")
        if names and not any(row["text"].strip() for row in cleaned):
            self._stats.inc_value("cleaner/empty")
            if self._drops:
                raise DropItem("nothing is left of it once boilerplate is taken out")
        return item


def _is_dict(value: Any) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, str) and value.lstrip().startswith("{"))

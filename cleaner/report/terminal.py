"""The view of `cleaner explain`: a document line by line, what stays, what goes, and why."""

from __future__ import annotations

from rich.text import Text

from cleaner.records import Document, Label, Line

#: Tabs, wide blanks, soft hyphens and joiners: not printable by Python's count, and harmless.
_HARMLESS = "\t\u3000\xa0\u2009\u202f\xad\u200b\u200c\u200d"

#: So many elements of a line's path are shown.
_INNERMOST = 3


def explained(document: Document, line: Line) -> Text:
    """One line of a document as a person should see it: kept lines plain, removed ones dim with the reason."""
    kept = document.is_kept(line)
    row = Text(f"{line.number:5} {' ' if kept else '-'} ")
    if document.is_html:
        row.append(f"{_short(line.path)}  ", style="cyan")
    if not kept:
        row.append(_visible(line.text), style="dim")
        row.append(f"  [{line.label} {line.score:.2f}, {line.decided_by}: {line.reason}]", style="yellow")
        return row
    at = line.start
    for cut in line.cuts:
        row.append(_visible(document.text[at : cut.start]))
        row.append(f"[-{_visible(document.text[cut.start : cut.end])}-]", style="dim")
        row.append(f"[{cut.label}: {cut.reason}]", style="yellow")
        at = cut.end
    row.append(_visible(document.text[at : line.end]), style="bold" if line.label is Label.TITLE else "")
    if document.is_html:
        row.append(f"  [{line.label} {line.score:.2f}, {line.decided_by}]", style="dim")
    return row


def _short(path: str) -> str:
    """The innermost of the elements around a line."""
    names = _visible(path).split(" > ")
    return " > ".join((["…"] if len(names) > _INNERMOST else []) + names[-_INNERMOST:])


def _visible(text: str) -> str:
    """Text that can do nothing to a terminal: control characters and lone surrogates as U+FFFD."""
    return "".join(char if char.isprintable() or char in _HARMLESS else "\ufffd" for char in text)

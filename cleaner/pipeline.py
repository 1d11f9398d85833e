"""The rooms wired together: texts in, labelled documents or clean texts out."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cleaner import compiled, render, residue
from cleaner.batches import Batch, Outline, ReadPage, Sightings, grouped, on_lines, read_pages, sightings_of
from cleaner.config import Config
from cleaner.decide import LABELS, decide, least_score
from cleaner.errors import ModelError
from cleaner.evidence.gather import Evidence, gather, gather_lines, gather_pages
from cleaner.evidence.repeats import Origin, Profile
from cleaner.model import store
from cleaner.model.network import Linear
from cleaner.records import Cut, Document, Label, Line, Shape
from cleaner.rules import rules, signatures
from cleaner.segment.html import Page
from cleaner.segment.plain import split
from cleaner.segment.shapes import shapes_of, view_of

_NOTHING_KEPT = "none of its lines reads like text to keep; its labels say why."


def own_log_probabilities(linear: Linear, evidence: Evidence) -> NDArray[np.float64]:
    """Log-probabilities, [lines, labels], by each line's own words and, on a page, the elements around it."""
    markup = evidence.markup
    if markup is None:
        return linear.log_probabilities(evidence.grams)
    return linear.log_probabilities(evidence.grams, markup.places, markup.place)


class Cleaner:
    """Labels and cleans texts and pages of HTML; holds loaded models and no other state.

    It may be shared between threads, and pickled to other processes.

    Args:
        config: what to keep; the default keeps body and title.
        model: for plain text: the name of a model that ships with the library, the path of a model folder, or a
            loaded model.
        html_model: the same for HTML; it is loaded with the first page.
        fast: whether pages of HTML are labelled without trafilatura's verdicts, in a quarter of the time.
        profile: what the site that documents are from repeats, as `cleaner learn` finds it: a profile or its file.
        keep_first: whether what is taken out because a site repeats it stays in one of the documents.

    Raises:
        ProfileError: if the profile is missing or none.
        ModelError: if the model is missing, altered, or made for another version.
        ConfigError: if the model cannot promise the loss of body that the configuration allows.
    """

    __slots__ = ("_config", "_fast", "_html_model", "_keep_first", "_min_score", "_model", "_profile")

    def __init__(
        self,
        *,
        config: Config | None = None,
        model: str | Path | store.Model = store.DEFAULT,
        html_model: str | Path | store.Model = store.DEFAULT_HTML,
        fast: bool = False,
        profile: str | Path | Profile | None = None,
        keep_first: bool = False,
    ) -> None:
        self._config = config or Config()
        self._model = _of_kind(model, store.TEXT)
        self._html_model = html_model
        self._fast = fast
        self._profile = Profile.load(Path(profile)) if isinstance(profile, str | Path) else profile
        self._keep_first = keep_first
        self._min_score = self._least_score(self._model, self._model.second)

    @property
    def config(self) -> Config:
        """What this cleaner keeps."""
        return self._config

    @property
    def min_score(self) -> float:
        """The least probability of the kept labels together with which a line of a text is kept."""
        return self._min_score

    @property
    def model(self) -> store.Model:
        """The model this cleaner asks about texts."""
        return self._model

    @property
    def html_model(self) -> store.Model:
        """The model this cleaner asks about pages of HTML."""
        if not isinstance(self._html_model, store.Model):
            self._html_model = store.load(self._html_model)
        return _of_kind(self._html_model, store.HTML)

    def clean(self, text: str, *, site: str = "") -> str:
        """The part of a text that its author wrote.

        Args:
            text: a plain text dump of a web page.
            site: the site it is from, by the name it has in the profile; see `cleaner.evidence.repeats.site_of`.

        Raises:
            InputError: if it is not a str.
        """
        return self.clean_many([text], [Origin(site)])[0]

    def label(self, text: str, *, site: str = "") -> Document:
        """Every non-empty line of a text with its label and the reason for it."""
        return self.label_many([text], [Origin(site)])[0]

    def clean_many(self, texts: Iterable[str], origins: Iterable[Origin] | None = None) -> list[str]:
        """Clean many texts at once, which is far faster than one after the other.

        Args:
            texts: plain text dumps.
            origins: where each is from, for the profile; by default all are from one site without a name.
        """
        return [
            render.join(text, self._kept_spans(text, batch, k))
            for batch in self._batches(texts, origins)
            for k, text in enumerate(batch.texts)
        ]

    def label_many(self, texts: Iterable[str], origins: Iterable[Origin] | None = None) -> list[Document]:
        """Label many texts at once, which is far faster than one after the other."""
        return [
            self._document(text, batch, k)
            for batch in self._batches(texts, origins)
            for k, text in enumerate(batch.texts)
        ]

    def clean_html(self, html: str | bytes, *, url: str | None = None) -> str:
        """The part of a page of HTML that its author wrote, as plain text.

        Args:
            html: the page; bytes are decoded as a browser would, by byte order mark, declaration, or guess.
            url: its address, if known; by default the one that the page gives itself.

        Raises:
            InputError: if it is neither str nor bytes, or bytes of something else, such as a picture.
            ModelError: if the model for HTML is missing, altered, or made for another version.
        """
        return self.clean_html_many([(html, url)])[0]

    def label_html(self, html: str | bytes, *, url: str | None = None) -> Document:
        """Every line of a page of HTML with its label, the reason for it, and the elements around it.

        Args:
            html: as for `clean_html`.
            url: as for `clean_html`.
        """
        return self.label_html_many([(html, url)])[0]

    def clean_html_many(
        self, pages: Iterable[tuple[str | bytes, str | None]], origins: Iterable[Origin] | None = None
    ) -> list[str]:
        """Clean many pages of HTML, each given with its address or None, faster than one after the other.

        Args:
            pages: each with its address or None.
            origins: where each is from, for the profile; by default its host.
        """
        return [
            render.join(read.page.text, self._kept_spans(read.page.text, batch, k))
            for read, batch, k in self._pages(pages, origins)
        ]

    def label_html_many(
        self, pages: Iterable[tuple[str | bytes, str | None]], origins: Iterable[Origin] | None = None
    ) -> list[Document]:
        """Label many pages of HTML, each given with its address or None, faster than one after the other."""
        documents = []
        for read, batch, k in self._pages(pages, origins):
            document = self._document(read.page.text, batch, k, read.page)
            notes = _notes(read, batch, k)
            documents.append(replace(document, encoding=read.encoding, notes=notes, is_html=True))
        return documents

    def outline_many(
        self, texts: Iterable[str], origins: Iterable[Origin] | None = None, *, with_lines: bool = False
    ) -> list[Outline]:
        """Clean many texts and count what was taken out: what a run over a corpus needs, at the speed of `clean_many`.

        Args:
            texts: plain text dumps.
            origins: where each is from, for the profile.
            with_lines: whether the outlines tell each line's place, label and score.
        """
        return [
            self._outline(text, batch, k, with_lines)
            for batch in self._batches(texts, origins)
            for k, text in enumerate(batch.texts)
        ]

    def outline_html_many(
        self,
        pages: Iterable[tuple[str | bytes, str | None]],
        origins: Iterable[Origin] | None = None,
        *,
        with_lines: bool = False,
    ) -> list[Outline]:
        """The same for pages of HTML, each given with its address or None."""
        return [
            replace(self._outline(read.page.text, batch, k, with_lines), notes=_notes(read, batch, k))
            for read, batch, k in self._pages(pages, origins)
        ]

    def _outline(self, text: str, batch: Batch, k: int, with_lines: bool) -> Outline:
        a, b = batch.lines.first[k], batch.lines.first[k + 1]
        decisions, words = batch.decisions, batch.words[a:b]
        places: tuple[tuple[int, int, Label, float], ...] = ()
        if with_lines:
            of_lines = (batch.lines.char_start, batch.lines.char_end, decisions.label, decisions.score)
            places = tuple(
                (start, end, LABELS[label], score)
                for start, end, label, score in zip(*(column[a:b].tolist() for column in of_lines), strict=True)
            )
        return Outline(
            text=render.join(text, self._kept_spans(text, batch, k)),
            whole=text,
            labels=tuple(np.bincount(decisions.label[a:b], minlength=len(LABELS)).tolist()),
            words=int(words.sum()),
            kept_words=int(batch.kept_words[a:b].sum()),
            lines=places,
        )

    def _least_score(self, model: store.Model, stage: store.SecondStage) -> float:
        return least_score(self._config, stage.thresholds, model.max_body_loss)

    def sightings_many(self, texts: Iterable[str]) -> list[Sightings]:
        """What a site profile counts of many texts: each logical line's key, label and score."""
        batches = self._batches(texts, None, logical=True)
        return [sightings_of(batch, k) for batch in batches for k in range(len(batch.texts))]

    def sightings_html_many(self, pages: Iterable[tuple[str | bytes, str | None]]) -> list[Sightings]:
        """The same for pages of HTML, each given with its address or None."""
        return [sightings_of(batch, k) for _, batch, k in self._pages(pages, None)]

    def _pages(
        self, pages: Iterable[tuple[str | bytes, str | None]], origins: Iterable[Origin] | None
    ) -> Iterator[tuple[ReadPage, Batch, int]]:
        """Each page, in order, with the batch that it was decided in and its place there.

        Pages without trafilatura's verdict are decided by the networks that do without.
        """
        model = self.html_model
        for group in read_pages(pages, origins, run=not self._fast):
            decided: dict[int, tuple[Batch, int]] = {}
            for with_verdict in (True, False):
                places = [k for k, read in enumerate(group) if (read.verdict is not None) == with_verdict]
                if not places:
                    continue
                stage = model.second if with_verdict or model.fast is None else model.fast
                verdicts = [verdict for k in places if (verdict := group[k].verdict) is not None]
                some = [group[k].page for k in places]
                evidence = gather_pages(some, verdicts or None, model.linear.bits, model.linear.place_bits or 0)
                batch = self._decided(
                    [page.text for page in some], [group[k].origin for k in places], evidence, model, stage
                )
                decided |= {k: (batch, place) for place, k in enumerate(places)}
            for k, read in enumerate(group):
                yield read, *decided[k]

    def _batches(
        self, texts: Iterable[str], origins: Iterable[Origin] | None, *, logical: bool = False
    ) -> Iterator[Batch]:
        for group, of_group in grouped(texts, origins):
            lines = split(group)
            shapes = shapes_of(lines, group)
            views = [view_of(text, shape, lines, k) for k, (text, shape) in enumerate(zip(group, shapes, strict=True))]
            seen = [text if view is None else view.text for text, view in zip(group, views, strict=True)]
            if any(views):
                evidence = gather(seen, self._model.linear.bits)
            else:
                evidence = gather_lines(lines, self._model.linear.bits)
            batch = self._decided(seen, of_group, evidence, self._model, self._model.second)
            batch = replace(batch, shapes=shapes)
            yield on_lines(batch, group, lines, views) if any(views) and not logical else batch

    def _decided(
        self,
        texts: list[str],
        origins: list[Origin],
        evidence: Evidence,
        model: store.Model,
        stage: store.SecondStage,
    ) -> Batch:
        own = own_log_probabilities(model.linear, evidence)
        decisions = decide(
            evidence.lines,
            stage.probabilities(model.network_input(evidence, own), evidence.place, own, model.own_share),
            np.exp(own),
            self._config.keep,
            self._least_score(model, stage),
            rules(evidence.compacted, evidence.grams[1]),
            evidence.grams[1].count,
            None
            if self._profile is None
            else self._profile.look_up(evidence.compacted, evidence.lines.document, origins),
            self._keep_first,
            signatures(evidence.lines, evidence.compacted, evidence.grams[1]),
        )
        seams = residue.candidates(evidence.compacted, evidence.grams[0])
        cuts: list[dict[int, tuple[Cut, ...]]] = [{} for _ in texts]
        for i in seams[decisions.kept[seams]].tolist():
            k = int(evidence.lines.document[i])
            start, end = int(evidence.lines.char_start[i]), int(evidence.lines.char_end[i])
            if found := residue.cuts_in(texts[k], start, end):
                cuts[k][i - int(evidence.lines.first[k])] = found
        compiled.count(len(evidence.lines))
        words = evidence.grams[1].count
        shapes = [Shape.LINES] * len(texts)
        return Batch(texts, evidence.lines, evidence.compacted, words, words * decisions.kept, decisions, cuts, shapes)

    def _kept_spans(self, text: str, batch: Batch, k: int) -> list[render.Span]:
        a, b = batch.lines.first[k], batch.lines.first[k + 1]
        return render.kept_spans(
            text,
            batch.lines.char_start[a:b],
            batch.lines.char_end[a:b],
            batch.decisions.kept[a:b],
            {line: [(cut.start, cut.end) for cut in found] for line, found in batch.cuts[k].items()},
        )

    def _document(self, text: str, batch: Batch, k: int, page: Page | None = None) -> Document:
        a, b = batch.lines.first[k], batch.lines.first[k + 1]
        spans = zip(batch.lines.char_start[a:b].tolist(), batch.lines.char_end[a:b].tolist(), strict=True)
        lines = tuple(
            Line(
                number=number,
                start=start,
                end=end,
                text=text[start:end],
                label=LABELS[batch.decisions.label[i]],
                score=float(batch.decisions.score[i]),
                decided_by=batch.decisions.who(i),
                reason=batch.decisions.why(i),
                cuts=batch.cuts[k].get(number - 1, ()),
                path=page.path(number - 1) if page else "",
            )
            for number, (i, (start, end)) in enumerate(zip(range(a, b), spans, strict=True), start=1)
        )
        return Document(text, lines, self._config.keep, shape=batch.shapes[k])


def _notes(read: ReadPage, batch: Batch, k: int) -> tuple[str, ...]:
    """What the reader of a page's result should know."""
    kept = batch.decisions.kept[batch.lines.first[k] : batch.lines.first[k + 1]]
    return (*read.notes, _NOTHING_KEPT) if len(kept) and not kept.any() else read.notes


def _of_kind(model: str | Path | store.Model, kind: str) -> store.Model:
    """A loaded model for text or for HTML.

    Raises:
        ModelError: if it is for the other.
    """
    loaded = model if isinstance(model, store.Model) else store.load(model)
    if loaded.input != kind:
        raise ModelError(f"the model {loaded.name} is for {loaded.input}, not for {kind}; name another one.")
    return loaded


@functools.cache
def _default() -> Cleaner:
    """The cleaner behind `clean` and `label`: made on first use, and immutable."""
    return Cleaner()


def clean(text: str) -> str:
    """The part of a text dump that its author wrote, with the default model and settings.

    Args:
        text: a plain text dump of a web page.
    """
    return _default().clean(text)


def label(text: str) -> Document:
    """Every non-empty line of a text dump with its label and the reason for it.

    Args:
        text: a plain text dump of a web page.
    """
    return _default().label(text)


def clean_html(html: str | bytes, *, url: str | None = None) -> str:
    """The part of a page of HTML that its author wrote, with the default model and settings.

    Args:
        html: the page.
        url: its address, if known.
    """
    return _default().clean_html(html, url=url)


def label_html(html: str | bytes, *, url: str | None = None) -> Document:
    """Every line of a page of HTML with its label, the reason for it, and the elements around it.

    Args:
        html: the page.
        url: its address, if known.
    """
    return _default().label_html(html, url=url)

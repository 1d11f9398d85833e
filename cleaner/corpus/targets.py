"""Which result goes where, checked before anything is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cleaner.corpus.files import Kind, is_remote, kind_of, library, packing, place
from cleaner.corpus.sinks import beside
from cleaner.corpus.sources import HTML_SUFFIXES, STDIN, TEXT_SUFFIX, InputFormat, Source, sources
from cleaner.errors import ConfigError

#: What holds the rows of a run.
ROWS = (Kind.JSONL, Kind.PARQUET)


@dataclass(frozen=True, slots=True)
class Targets:
    """The paths of a run.

    Attributes:
        inputs: files, folders and "-".
        output: a file or folder to write to; None prints.
        removed_folder: a folder for what was taken out, or None.
        suffix: the ending of results in a folder; None keeps the input's name, but for HTML, which becomes .txt.
        format: what the files are.
        glob: a pattern for the files of a folder, or None.
    """

    inputs: tuple[str, ...]
    output: Path | None
    removed_folder: Path | None
    suffix: str | None
    format: InputFormat = InputFormat.AUTO
    glob: str | None = None

    def sources(self) -> Iterator[Source]:
        """The files, in order; results that lie inside an input folder are not read again."""
        return self._sources(self.inputs)

    def _sources(self, names: tuple[str, ...]) -> Iterator[Source]:
        return sources(names, self._folders(), self.format, self.glob)

    def check(self, prints_many: bool) -> None:
        """Refuse what would lose data or mix documents up.

        Args:
            prints_many: whether several results may be printed one after the other.

        Raises:
            ConfigError: several documents without an output, an output that is an input, two documents with
                one output, or an output folder that cannot be made.
            InputError: an input that does not exist, or a folder without a file to read.
        """
        if self.inputs.count(STDIN) > 1:
            raise ConfigError("standard input (-) is named more than once.")
        first = [next(self._sources((name,))) for name in self.inputs]  # says so if there is nothing to read
        if self.output is None and not prints_many and self._several() and not first[0].holds_many:
            raise ConfigError("several documents would run into each other; name a folder for them with -o OUT.")
        if self.rows is Kind.PARQUET:
            library("pyarrow.parquet", "to write Parquet", "parquet", "pyarrow")
        if self.removed_folder and (self.rows or any(source.holds_many for source in first)):
            raise ConfigError("--removed is for documents that are files; rows get their labels with --labels.")
        self._check_overwriting()
        self._check_collisions()
        for folder in self._folders():
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigError(f"the folder {folder} cannot be made: {error.strerror}.") from None

    @property
    def rows(self) -> Kind | None:
        """What kind of rows the output holds, if it is one file for all documents."""
        if self.output is None or self.output.is_dir():
            return None
        kind = kind_of(self.output.name)
        return kind if kind in ROWS else None

    def rows_of(self, source: Source | None) -> tuple[Path | None, Kind, str] | None:
        """Where the documents of a file go as rows: a file or None to print them, what it holds, how it is packed.

        Args:
            source: the file of many documents; None for documents that are files of their own.

        Returns:
            None where results are files of their own.
        """
        if self.rows is not None:
            assert self.output is not None
            return self.output, self.rows, packing(self.output.name)
        if source is None:
            return None
        if self.output is None:
            return None, Kind.JSONL, ""
        kind = Kind.PARQUET if source.kind is Kind.PARQUET else Kind.JSONL
        name = "stdin.jsonl" if source.path is None else source.id
        if source.kind is Kind.WARC:
            how = packing(name)
            name = f"{name.removesuffix(how)}.jsonl{how}"
        return self.output / name, kind, packing(name)

    def ledger(self) -> Path | None:
        """Where the run keeps what it has done; None where nothing is written that it could go on with."""
        if self.output is None or not (self._is_folder() or self.rows):
            return None
        return beside(self.output if self.rows or is_remote(self.output) else self.output / "cleaner", ".run")

    def profile(self) -> Path:
        """Where a profile that a run learns for itself is kept.

        Raises:
            ConfigError: if there is no place for it.
        """
        if self.output is None:
            raise ConfigError("--learn needs a place for what it learns; name an output with -o.")
        return self.output.parent / f"{self.output.name}.profile.json"

    def target(self, source: Source) -> Path | None:
        """The file for a source's result, or None to print it."""
        if self.output is None or not self._is_folder():
            return self.output
        return self._below(self.output, source, self.suffix)

    def removed(self, source: Source) -> Path | None:
        """The file for what was taken out of a source, or None."""
        return None if self.removed_folder is None else self._below(self.removed_folder, source, None)

    def _below(self, folder: Path, source: Source, suffix: str | None) -> Path:
        name = "stdin.txt" if source.path is None else source.id
        name = name.removesuffix(packing(name))
        path = folder / name
        if suffix:
            return path.with_suffix(suffix)
        if source.path is None or not name.lower().endswith(HTML_SUFFIXES):
            return path
        # page.html and page.txt beside each other must not become one file
        beside_it = (source.path.with_name(path.name).with_suffix(end) for end in (TEXT_SUFFIX, *HTML_SUFFIXES))
        taken = any(other != source.path and other.exists() for other in beside_it)
        return path.with_name(path.name + TEXT_SUFFIX) if taken else path.with_suffix(TEXT_SUFFIX)

    def _several(self) -> bool:
        return len(self.inputs) > 1 or (self.inputs[0] != STDIN and place(self.inputs[0]).is_dir())

    def _is_folder(self) -> bool:
        if self.output is None or self.rows is not None:
            return False
        return self._several() or self.output.is_dir() or next(self._sources(self.inputs)).holds_many

    def _folders(self) -> list[Path]:
        """The folders that are written to."""
        folder = self.output if self.output is not None and (self._several() or self.output.is_dir()) else None
        written = [folder if self.rows is None else None, self.removed_folder]
        return [folder for folder in written if folder is not None]

    def _check_overwriting(self) -> None:
        for name in self.inputs:
            if name == STDIN:
                continue
            path = place(name)
            if is_remote(path):
                if self.output is not None and str(self.output) == str(path):
                    raise ConfigError(f"{name} is both input and output; name another place to write to.")
                continue
            path = path.resolve()
            written: list[Path] = self._folders()
            if self.rows is not None and self.output is not None:
                written = [self.output]
            elif path.is_file():
                source = next(self._sources((name,)))
                rows = self.rows_of(source) if source.holds_many else None
                found = [rows[0]] if rows else [self.target(source), self.removed(source)]
                written = [target for target in found if target is not None]
            for target in written:
                if is_remote(target):
                    continue
                target = target.resolve()
                # below an output folder that holds the input, a result can only hit the input's own folder of that name
                inside = path.is_dir() and path.is_relative_to(target) and (path / path.relative_to(target)).exists()
                if target == path or inside:
                    raise ConfigError(f"{name} is both input and output; name another place to write to.")

    def _check_collisions(self) -> None:
        if len(self.inputs) == 1 or self.output is None or self.rows is not None:
            return
        taken: dict[Path | None, str] = {}
        folders: list[Path] = []
        for name in self.inputs:
            for source in self._sources((name,)):
                target = self._target_of(source)
                first = taken.get(target)
                first = first or next(
                    (str(folder / source.id) for folder in folders if (folder / source.id).exists()), None
                )
                if first is not None:
                    raise ConfigError(
                        f"{first} and {source.path or STDIN} would be written to the same file; clean them apart."
                    )
                if name == STDIN or not place(name).is_dir():
                    taken[target] = name
            if name != STDIN and place(name).is_dir():
                folders.append(place(name))

    def _target_of(self, source: Source) -> Path | None:
        rows = self.rows_of(source) if source.holds_many else None
        return rows[0] if rows else self.target(source)

    def preview(self) -> Iterator[tuple[str, str]]:
        """Each file with what it is taken for and where its result goes, in words."""
        for source in self.sources():
            kind = source.kind.value if source.kind else "text or HTML"
            target = self._target_of(source) if self.rows is None else self.output
            yield f"{source.path or STDIN} ({kind})", str(target or "standard output")

    def size(self) -> int:
        """How many bytes are to be read; 0 if standard input is among them."""
        if STDIN in self.inputs:
            return 0
        return sum(source.path.stat().st_size for source in self.sources() if source.path)

"""Which result goes to which file, checked before anything is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cleaner.corpus.sources import HTML_SUFFIXES, STDIN, TEXT_SUFFIX, InputFormat, Source, has_html_name, sources
from cleaner.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Targets:
    """The paths of a run.

    Attributes:
        inputs: files, folders and "-".
        output: a file or folder to write to; None prints.
        removed_folder: a folder for what was taken out, or None.
        suffix: the ending of results in a folder; None keeps the input's name, but for HTML, which becomes .txt.
        format: what the documents are.
    """

    inputs: tuple[str, ...]
    output: Path | None
    removed_folder: Path | None
    suffix: str | None
    format: InputFormat = InputFormat.AUTO

    def sources(self) -> Iterator[Source]:
        """The documents, in order; results that lie inside an input folder are not read again."""
        return sources(self.inputs, self._folders(), self.format)

    def check(self, prints_many: bool) -> None:
        """Refuse what would lose data or mix documents up.

        Args:
            prints_many: whether several results may be printed one after the other.

        Raises:
            ConfigError: several documents without an output, an output that is an input, two documents with
                one output, or an output folder that cannot be made.
            InputError: an input that does not exist, or a folder without a file to read.
        """
        if self._several() and self.output is None and not prints_many:
            raise ConfigError("several documents would run into each other; name a folder for them with -o OUT.")
        if self.inputs.count(STDIN) > 1:
            raise ConfigError("standard input (-) is named more than once.")
        for name in self.inputs:
            next(sources([name], self._folders(), self.format))  # says so if there is nothing to read
        self._check_overwriting()
        self._check_collisions()
        for folder in self._folders():
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigError(f"the folder {folder} cannot be made: {error.strerror}.") from None

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
        path = folder / name
        if suffix:
            return path.with_suffix(suffix)
        if source.path is None or not has_html_name(name):
            return path
        # page.html and page.txt beside each other must not become one file
        beside = (source.path.with_suffix(ending) for ending in (TEXT_SUFFIX, *HTML_SUFFIXES))
        taken = any(other != source.path and other.exists() for other in beside)
        return path.with_name(path.name + TEXT_SUFFIX) if taken else path.with_suffix(TEXT_SUFFIX)

    def _several(self) -> bool:
        return len(self.inputs) > 1 or Path(self.inputs[0]).is_dir()

    def _is_folder(self) -> bool:
        return self._several() or (self.output is not None and self.output.is_dir())

    def _folders(self) -> list[Path]:
        """The folders that are written to."""
        return [
            folder for folder in (self.output if self._is_folder() else None, self.removed_folder) if folder is not None
        ]

    def _check_overwriting(self) -> None:
        for name in self.inputs:
            if name == STDIN:
                continue
            path = Path(name).resolve()
            written = self._folders()
            if path.is_file():
                source = Source(path, path.name)
                written = [target for target in (self.target(source), self.removed(source)) if target is not None]
            for place in written:
                place = place.resolve()
                # below an output folder that holds the input, a result can only hit the input's own folder of that name
                inside = path.is_dir() and path.is_relative_to(place) and (path / path.relative_to(place)).exists()
                if place == path or inside:
                    raise ConfigError(f"{name} is both input and output; name another place to write to.")

    def _check_collisions(self) -> None:
        if len(self.inputs) == 1 or self.output is None:
            return
        taken: dict[Path | None, str] = {}
        folders: list[Path] = []
        for name in self.inputs:
            for source in sources([name], self._folders(), self.format):
                first = taken.get(self.target(source))
                first = first or next(
                    (str(folder / source.id) for folder in folders if (folder / source.id).exists()), None
                )
                if first is not None:
                    raise ConfigError(
                        f"{first} and {source.path or STDIN} would be written to the same file; clean them apart."
                    )
                if not Path(name).is_dir():
                    taken[self.target(source)] = name
            if Path(name).is_dir():
                folders.append(Path(name))

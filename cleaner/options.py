"""The options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

from cleaner.corpus.sources import InputFormat

Inputs = Annotated[
    list[str] | None,
    typer.Argument(
        help="Files, folders or - for standard input: .txt, .html, .jsonl, .parquet, .warc, .wet, also .gz and .zst.",
        show_default=False,
    ),
]
Keep = Annotated[str | None, typer.Option(help="Labels to keep, with commas; default: body,title.", show_default=False)]
Drop = Annotated[str | None, typer.Option(help="Labels to leave out of the default.", show_default=False)]
MinScore = Annotated[
    float | None,
    typer.Option(help="Keep lines from this score on; default: the model's own threshold.", show_default=False),
]
MaxBodyLoss = Annotated[
    float | None,
    typer.Option(
        help="The share of the body that may be lost, such as 0.01, for the most removal.", show_default=False
    ),
]
Precision = Annotated[bool, typer.Option("--precision", help="Take out more, at the cost of some body.")]
Recall = Annotated[bool, typer.Option("--recall", help="Keep more, and some boilerplate with it.")]
ModelName = Annotated[str, typer.Option("--model", help="A shipped model's name, or the path of a model folder.")]
HtmlModelName = Annotated[str, typer.Option("--html-model", help="The same for HTML.")]
Reads = Annotated[InputFormat, typer.Option("--input-format", help="What the input is; auto goes by name and content.")]
Fast = Annotated[bool, typer.Option("--fast", help="Label HTML without asking trafilatura: less time, nearly as good.")]
Glob = Annotated[
    str | None, typer.Option(help="A pattern for the files of a folder, such as '*.wet.gz'.", show_default=False)
]
TextKey = Annotated[str, typer.Option(help="The field of a row that holds its text.")]
IdKey = Annotated[str, typer.Option(help="The one that holds its name.")]
UrlKey = Annotated[str, typer.Option(help="The one that holds its address.")]
SiteKey = Annotated[
    str | None,
    typer.Option(
        help="The field of a row that names its site; default: its address, else its folder.", show_default=False
    ),
]
Limit = Annotated[int | None, typer.Option(min=1, help="Stop after so many documents.", show_default=False)]
Jobs = Annotated[int, typer.Option(min=1, help="How many processes to use.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say a line about each document.")]

"""HTML becomes lines: in order, whole, with the right breaks, whatever state the page is in."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaner import Cleaner, InputError
from cleaner.render import clean_text, pieces, restore, to_json
from cleaner.segment.decode import decode_html, is_html
from cleaner.segment.html import read_html
from cleaner.segment.plain import split
from cleaner.segment.walker import Place

TAGS = ("p", "div", "a", "li", "ul", "table", "tr", "td", "pre", "br", "span", "noscript", "script", "o:p", "h1")
PIECES = [
    *(f"<{tag}>" for tag in TAGS),
    *(f"</{tag}>" for tag in TAGS),
    *[
        "<div class='share' hidden>",
        "<a href=x>",
        "<!-- c -->",
        "<![CDATA[x]]>",
        "&nbsp;",
        "&#1;",
        "&lt;p&gt;",
        "<",
        ">",
    ],
    *['<script type="application/ld+json">{"@type": "Article", "articleBody": "' + "word " * 20 + '"}</script>'],
    *[
        "\x00",
        "\ud800",
        "\x1f",
        "\x0b",
        "\u2028",
        "\ufeff",
        "\n",
        "  ",
        "\U00020000",
        "Some words here.",
        "字",
        "</html>",
        "</BODY>",
        "<noscript>" + "words " * 60,
        "<svg><title>a</title>",
        "<head><title>",
        "<meta name=description content=c>",
    ],
]


def hard_html() -> st.SearchStrategy[str]:
    """Pieces of pages in any order, and arbitrary characters."""
    return st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6)), max_size=40).map("".join)


@given(html=hard_html())
def test_every_line_of_a_page_is_a_line_of_its_text(html: str) -> None:
    page = read_html(html)
    table = split([page.text])
    assert len(table) == len(page.element) == len(page.characters) == len(page.linked) == len(page.links)
    lines = [page.text[a:b] for a, b in zip(table.char_start, table.char_end, strict=True)]
    for line, characters, linked in zip(lines, page.characters, page.linked, strict=True):
        assert characters <= len(line) and 0 <= linked <= characters
    assert page.notes or lines


@given(html=hard_html())
def test_a_page_reads_the_same_with_and_without_a_tree(html: str) -> None:
    with_tree, without = read_html(html), read_html(html, keeps_tree=False)
    assert without.tree is None and not without.nodes
    for field in ("text", "element", "characters", "linked", "links", "data", "notes"):
        assert getattr(with_tree, field) == getattr(without, field), field
    for field in ("parent", "name", "place", "depth"):
        assert getattr(with_tree.elements, field) == getattr(without.elements, field), field


@given(html=hard_html())
def test_the_laws_hold_on_pages(cleaner: Cleaner, html: str) -> None:
    document = cleaner.label_html(html)
    assert "".join(piece for _, piece in pieces(document)) == document.text
    assert clean_text(document) == cleaner.clean_html(html)
    assert restore(json.loads(json.dumps(to_json(document, "", document.text))))[0] == document.text
    assert all(document.text[line.start : line.end] == line.text for line in document.lines)


@given(pages=st.lists(hard_html(), max_size=5), fast=st.booleans())
def test_a_page_does_not_depend_on_the_batch(cleaner: Cleaner, pages: list[str], fast: bool) -> None:
    some = Cleaner(model=cleaner.model, html_model=cleaner.html_model, fast=fast)
    assert some.label_html_many((page, None) for page in pages) == [some.label_html(page) for page in pages]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One <b>two</b> three</p><p>Four</p>", "One two three\n\nFour\n"),
        ("<div>One<div>two</div>three</div>", "One\n\ntwo\n\nthree\n"),
        ("<p>Verse one<br>verse two<br><br>verse three</p>", "Verse one\nverse two\n\nverse three\n"),
        ("<ul><li>One<li><p>Two</p><li>Three<ul><li>Four</ul></ul><p>Five", "- One\n- Two\n- Three\n- Four\n\nFive\n"),
        ("<table><tr><th>Name<th>Age<tr><td>Ann<td>3</table>", "Name | Age\nAnn | 3\n"),
        ("<table><tr><td><p>One<p>Two<td>Three</table>", "One\n\nTwo\n\nThree\n"),
        ("<pre>def f():\n    if x:\n\n        return 1\n</pre>", "def f():\n    if x:\n\n        return 1\n"),
        ("<p>Call <code>f(x)</code> now", "Call f(x) now\n"),
        ("<h1>Title</h1><h2>Part</h2>Text", "Title\n\nPart\n\nText\n"),
        ("<a href=1>Home</a><a href=2>News</a>", "Home News\n"),
        ("<p>seen<script>no()</script><style>no</style><template>no</template><svg><text>no</text></svg>", "seen\n"),
        ("<title>Page</title><body>text", "text\n"),
        ("<p>a  b\n\tc&nbsp;d</p>", "a b c d\n"),
        ("<my-card>In <my-word>line</my-word></my-card>", "In line\n"),
        ("<html><body><p>one</p></body></html><p>two</p>", "one\n\ntwo\n"),
        ("<p>one</Body ><p>two</BODY><p>three</html><!-- </body> --><p>four", "one\n\ntwo\n\nthree\n\nfour\n"),
        ("<p>before<noscript>Please enable scripts.</noscript>", "before\n"),
        (f"<p>before</p><noscript><p>{'A post. ' * 40}</p></noscript>", f"before\n\n{'A post. ' * 39}A post.\n"),
        ("no element at all", "no element at all\n"),
        ("", ""),
    ],
)
def test_the_text_is_laid_out_for_reading(html: str, text: str) -> None:
    assert read_html(html).text == text


def test_a_line_knows_where_it_stands() -> None:
    page = read_html(
        "<main><article class='Post big' id=p1><h1>Title</h1><p>See <a href=x>this page</a> too</p>"
        "<ul role=navigation hidden><li><a href=y>Next</a></ul></article></main>"
    )
    assert [page.path(line) for line in range(3)] == [
        "html > body > main > article.post > h1",
        "html > body > main > article.post > p",
        "html > body > main > article.post > ul.navigation > li > a",
    ]
    assert page.characters == [5, 17, 4] and page.linked == [0, 9, 4] and page.links == [0, 1, 1]
    places = [Place(page.elements.place[element]) for element in page.element]
    assert places[0] == Place.MAIN | Place.ARTICLE | Place.HEADING
    assert places[2] == Place.MAIN | Place.ARTICLE | Place.LIST | Place.NAV | Place.HIDDEN


ARTICLE = "The ferry sailed again on Monday after three winters in a shed, and the whole town came to see it leave."


def test_text_that_only_structured_data_holds_is_added() -> None:
    data = json.dumps({"@graph": [{"@type": "NewsArticle", "headline": "Ferry", "articleBody": ARTICLE}]})
    script = f'<script type="application/ld+json">{data}</script>'
    hidden = read_html(f"{script}<p>Loading</p>")
    assert hidden.text == f"Loading\n\n{ARTICLE}\n"
    assert hidden.elements.place[hidden.element[1]] == Place.DATA
    assert hidden.notes and "schema:newsarticle" in hidden.data.kinds


@pytest.mark.parametrize("times", [1, 5])
@pytest.mark.parametrize("written", [str, str.upper, lambda text: text.replace(" ", "-")])
def test_text_that_is_shown_is_not_added(times: int, written: Callable[[str], str]) -> None:
    data = json.dumps({"@type": "NewsArticle", "articleBody": " ".join([ARTICLE] * times)})
    rest = "<p>Tickets are sold on board." * 20  # a page of few words may get its text from scripts
    page = read_html(f'<script type="application/ld+json">{data}</script><p>{written(ARTICLE)}</p>{rest}')
    assert page.text.startswith(f"{written(ARTICLE)}\n\nTickets") and not page.notes


def test_a_page_that_scripts_fill_gives_the_text_of_their_data() -> None:
    state = json.dumps({"post": json.dumps({"cooked": f"<p>{ARTICLE}</p>", "id": 7}), "css": "a b c"})
    page = read_html(f'<div id=app></div><script type="application/json">{state}</script>')
    assert page.text == f"{ARTICLE}\n" and page.notes


@pytest.mark.parametrize("depth", [300, 100_000])
def test_depth_costs_no_text(cleaner: Cleaner, depth: int) -> None:
    page = f"{'<div>' * depth}<p>{ARTICLE}</p>{'</div>' * depth}<p>After it.</p>"
    document = cleaner.label_html(page)
    assert [line.text for line in document.lines] == [ARTICLE, "After it."]
    assert document.notes


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"<html></html>",
        b"<p>caf\xe9</p>" * 3,
        b"<p>Nul \x00 here</p>",
        "<p>a lone \ud800 surrogate</p>",
        "<p>&#1;&#11; control</p>",
        "<p>" + "word " * 300_000,
        "<a href=x>link</a>" * 20_000,
        "<" * 10_000,
        "<p " * 10_000,
    ],
    ids=["empty", "no text", "not utf-8", "nul", "surrogate", "controls", "long", "links", "angles", "open tags"],
)
def test_bad_pages_come_back_with_text_or_a_note(cleaner: Cleaner, page: str | bytes) -> None:
    document = cleaner.label_html(page)
    assert document.lines or document.notes


def test_an_empty_result_is_explained(cleaner: Cleaner) -> None:
    document = cleaner.label_html(
        "<nav><a href=1>Home</a> <a href=2>News</a></nav><footer>© 2020 Terms of use</footer>"
    )
    assert not any(document.is_kept(line) for line in document.lines)
    assert document.notes == ("none of its lines reads like text to keep; its labels say why.",)


@pytest.mark.parametrize("data", [b"\x1f\x8b\x08 gzip", b"\x89PNG\r\n\x1a\n", bytes(range(256)) * 9])
def test_what_is_not_html_is_named(data: bytes) -> None:
    with pytest.raises(InputError, match=r"^it is .*; (take it out|.* unpack it first)"):
        decode_html(data)


TEXT = "Größe – „schön“ sagte er."


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (f"<meta charset=iso-8859-1><p>{TEXT}".encode(), "utf-8"),
        (f"\ufeff<p>{TEXT}".encode(), "utf-8"),
        (f"<meta charset=iso-8859-1><p>{TEXT}".encode("cp1252"), "cp1252"),
        (f'<meta http-equiv=x content="text/html; charset=windows-1252"><p>{TEXT}'.encode("cp1252"), "windows-1252"),
        (f"<p>{TEXT}".encode("cp1252"), "cp1252"),
        (f"<meta charset=nonsense><p>{TEXT}".encode("cp1252"), "cp1252"),
        (f"\ufeff<p>{TEXT}".encode("utf-16-le"), "utf-16-le"),
    ],
)
def test_bytes_are_read_as_a_browser_would(data: bytes, encoding: str) -> None:
    decoded = decode_html(data)
    assert decoded.encoding == encoding
    assert read_html(decoded.text).text == f"{TEXT}\n"


@pytest.mark.parametrize(
    ("text", "is_page"),
    [
        ("<!DOCTYPE html><p>hi", True),
        ("\ufeff \n<!-- saved --><!doctype HTML PUBLIC 'x'>", True),
        ('<?xml version="1.0"?><html xmlns="x"><head></head><body><p>One</p></body></html>', True),
        ("<body><p>One</p><p>Two</p></body>", True),
        ("<div><p>One</p><p>Two</p><p>Three</p></div>\n", True),
        ("", False),
        ("A text about <html> and <div> elements.", False),
        ("<div> is the element to use for a block.\nIt is closed by </div>", False),
        ("<p>\n" + "a long text " * 500 + "</p>", False),
        ("<3 is a heart", False),
        ("<html-like> syntax is older than you think", False),
        ("<html> is the first element of a page, <body> the one that is seen, and </html> ends it.", False),
    ],
)
def test_html_and_text_about_html_are_told_apart(text: str, is_page: bool) -> None:
    assert is_html(text) is is_page

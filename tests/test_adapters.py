"""Each adapter in its real engine: the same clean texts from all of them as from the command."""

from __future__ import annotations

import importlib.util
import json
import pickle
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from test_cli import run, said
from test_corpus import as_lines, documents, read_rows, write_wet

from cleaner import Cleaner

#: The engines warn of themselves.
pytestmark = pytest.mark.filterwarnings("default")


def engine(name: str) -> pytest.MarkDecorator:
    """Skip without an engine, and say how to get it."""
    missing, extra = importlib.util.find_spec(name) is None, name.removeprefix("py")
    if name == "pyspark" and not missing and shutil.which("java") is None:
        return pytest.mark.skip(reason="Spark needs Java, which is not installed")
    return pytest.mark.skipif(missing, reason=f'{name} is not installed: pip install "cleaner[{extra}]"')


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    some = [{key: row[key] for key in ("id", "url", "text")} for row in documents(600)]
    some[5]["text"] = None  # a bad document never fails a job
    return some


@pytest.fixture(scope="module")
def wanted(rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("command")
    (folder / "in.jsonl").write_bytes(as_lines(rows))
    run("clean", folder / "in.jsonl", "-o", folder / "out.jsonl")
    return {row["id"]: row["text"] for row in read_rows(folder / "out.jsonl")}


def check(found: list[dict[str, Any]], wanted: dict[str, str]) -> None:
    assert {row["id"]: row["text"] for row in found} == wanted
    errors = {row["id"]: row["cleaner_error"] for row in found if row.get("cleaner_error")}
    assert errors == {"doc-5": "its field 'text' holds NoneType, not text."}


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    ray = pytest.importorskip("ray")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR")
        yield ray
        ray.shutdown()


@engine("ray")
@pytest.mark.parametrize("form", ["pyarrow", "pandas"])
def test_ray(ray: Any, form: str, rows: list[dict[str, Any]], wanted: dict[str, str]) -> None:
    import pyarrow as pa

    from cleaner.adapters.ray import RayCleaner

    dataset = ray.data.from_arrow(pa.Table.from_pylist(rows))
    size = ray.data.ActorPoolStrategy(size=1)
    check(dataset.map_batches(RayCleaner, batch_format=form, compute=size, num_cpus=0.5).take_all(), wanted)


@engine("ray")
def test_ray_learns_what_the_command_learns(ray: Any, learned: tuple[list[dict[str, Any]], str]) -> None:
    import pyarrow as pa

    from cleaner.adapters.ray import learn_profile

    rows, wanted = learned
    dataset = ray.data.from_arrow(pa.Table.from_pylist(rows)).repartition(3)
    assert learn_profile(dataset, "text").to_json() == wanted


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    sql = pytest.importorskip("pyspark.sql")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        session = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
        yield session
        session.stop()


@engine("pyspark")
def test_spark(spark: Any, rows: list[dict[str, Any]], wanted: dict[str, str]) -> None:
    from cleaner.adapters.spark import clean_dataframe

    frame = spark.createDataFrame(rows, "id string, url string, text string")
    check([row.asDict() for row in clean_dataframe(frame, "text").collect()], wanted)


@pytest.fixture(scope="module")
def learned(rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, Any]], str]:
    """Rows of text and of HTML, and the profile that the command learns from them."""
    pages = [{"id": f"page-{n}", "url": f"https://pages.example/{n}", "text": story(n)} for n in range(4)]
    folder = tmp_path_factory.mktemp("learned")
    (folder / "in.jsonl").write_bytes(as_lines([*rows, *pages]))
    run("learn", folder / "in.jsonl", "-o", folder / "p.json")
    profile = (folder / "p.json").read_text(encoding="utf-8")
    assert "Sign up for our newsletter and never miss a story" in profile
    return [*rows, *pages], profile


@engine("pyspark")
def test_spark_learns_what_the_command_learns(spark: Any, learned: tuple[list[dict[str, Any]], str]) -> None:
    from cleaner.adapters.spark import learn_profile

    rows, wanted = learned
    frame = spark.createDataFrame(rows, "id string, url string, text string").repartition(3)
    assert learn_profile(frame, "text").to_json() == wanted


@engine("datasets")
@pytest.mark.parametrize("streaming", [False, True])
def test_datasets(streaming: bool, rows: list[dict[str, Any]], wanted: dict[str, str], tmp_path: Path) -> None:
    import datasets

    from cleaner.adapters.datasets import DatasetCleaner

    (tmp_path / "in.jsonl").write_bytes(as_lines(rows))
    data = datasets.load_dataset(
        "json", data_files=str(tmp_path / "in.jsonl"), split="train", streaming=streaming, cache_dir=str(tmp_path / "c")
    )
    done = data.map(DatasetCleaner(), batched=True, **({} if streaming else {"num_proc": 2}))
    check(list(done), wanted)


@engine("datasets")
def test_the_fingerprint_is_stable() -> None:
    from datasets.fingerprint import Hasher

    from cleaner.adapters.datasets import DatasetCleaner

    one, other = DatasetCleaner(keep=["body"]), DatasetCleaner(keep=["body"])
    one({"text": ["A line."]})  # a loaded model does not show
    assert Hasher.hash(one) == Hasher.hash(other) == Hasher.hash(pickle.loads(pickle.dumps(one)))
    assert Hasher.hash(one) != Hasher.hash(DatasetCleaner())


@engine("datatrove")
@pytest.mark.parametrize("form", ["jsonl", "wet"])
def test_datatrove(form: str, rows: list[dict[str, Any]], wanted: dict[str, str], tmp_path: Path) -> None:
    pytest.importorskip("orjson")
    from datatrove.executor import LocalPipelineExecutor
    from datatrove.pipeline.readers import JsonlReader, WarcReader
    from datatrove.pipeline.writers import JsonlWriter

    from cleaner.adapters.datatrove import CleanerStep

    some = [row for row in rows if row["text"]]
    (tmp_path / "in").mkdir()
    reader: Any
    if form == "jsonl":
        (tmp_path / "in" / "in.jsonl").write_bytes(as_lines(some))
        reader = JsonlReader(str(tmp_path / "in"))
    else:
        write_wet(some, tmp_path / "in")
        reader = WarcReader(str(tmp_path / "in"), glob_pattern="*.wet.gz")
    step = CleanerStep(JsonlWriter(str(tmp_path / "empty"), compression=None))
    writer = JsonlWriter(str(tmp_path / "out"), compression=None)
    stats = LocalPipelineExecutor([reader, step, writer], logging_dir=str(tmp_path / "logs")).run()
    found = [row for path in (tmp_path / "out").glob("*.jsonl") for row in read_rows(path)]
    names = [row["id"].removeprefix("<urn:uuid:").removesuffix(">") for row in found]
    assert {name: row["text"] for name, row in zip(names, found, strict=True)} == {
        name: text for name, text in wanted.items() if text.strip()
    }
    counts = stats.stats[1].stats
    assert counts["forwarded"].total == len(found)
    assert counts["lines_removed_advert"].total > 0


SPIDER = """
import scrapy

class Spider(scrapy.Spider):
    name = "site"
    start_urls = ["http://127.0.0.1:PORT/index.html"]

    def parse(self, response):
        for link in response.css("a.story::attr(href)").getall():
            yield response.follow(link, self.parse_story)

    def parse_story(self, response):
        yield {"url": response.url, "html": response.text, "dump": "\\n".join(response.css("body ::text").getall())}
"""


def story(number: int) -> str:
    return (
        "<!DOCTYPE html><html><head><title>The ferry</title></head><body><nav><a href='/index.html'>Home</a> "
        "<a href='/news'>News</a></nav><main><article><h1>The ferry sails again</h1>"
        f"<p>The ferry that once tied the two halves of the town together sailed again on Monday, "
        f"{number} years late.</p>"
        "<div class='ad'>ADVERTISEMENT</div><p>It had spent three winters in a shed while the council argued over who "
        "should pay for a new boiler, and nobody could find the key.</p></article></main>"
        "<aside class='newsletter'>Sign up for our newsletter and never miss a story</aside></body></html>"
    )


@engine("scrapy")
def test_scrapy(tmp_path: Path, cleaner: Cleaner) -> None:
    site = tmp_path / "site"
    site.mkdir()
    for number in range(6):
        (site / f"{number}.html").write_text(story(number), encoding="utf-8")
    links = "".join(f"<a class='story' href='/{number}.html'>story</a>" for number in range(6))
    (site / "index.html").write_text(f"<html><body>{links}</body></html>", encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (tmp_path / "spider.py").write_text(SPIDER.replace("PORT", str(server.server_port)), encoding="utf-8")
    settings = {
        "ADDONS": json.dumps({"cleaner.adapters.scrapy.CleanerAddon": 300}),
        "CLEANER_FIELDS": json.dumps({"html": "text", "dump": "dump"}),
        "CLEANER_LABELS_FIELD": "labels",
        "TELNETCONSOLE_ENABLED": "False",
        "REMOTE_CONTROL_ENABLED": "False",
        "ROBOTSTXT_OBEY": "False",
    }
    options = [part for name, value in settings.items() for part in ("-s", f"{name}={value}")]
    result = subprocess.run(
        [sys.executable, "-m", "scrapy", "runspider", "spider.py", "-O", "items.jsonl", *options],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=120,
    )
    server.shutdown()
    server.server_close()
    log = result.stderr.decode()
    assert result.returncode == 0, log
    items = [json.loads(line) for line in (tmp_path / "items.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(items) == 6, log
    for item in items:
        number = int(item["url"].rsplit("/", 1)[-1].removesuffix(".html"))
        assert item["text"] == cleaner.clean_html(story(number), url=item["url"])
        assert "ADVERTISEMENT" not in item["text"] and "newsletter" not in item["dump"]
        assert {line["label"] for line in item["labels"]} >= {"body", "advert"}
    assert "'cleaner/items': 6" in log and "'cleaner/lines_removed/advert':" in log


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_scikit_learn(rows: list[dict[str, Any]], cleaner: Cleaner) -> None:
    from sklearn.base import clone
    from sklearn.pipeline import make_pipeline

    from cleaner.adapters.sklearn import CleanTransformer

    texts = [row["text"] for row in rows if row["text"]]
    pipeline = clone(make_pipeline(CleanTransformer()))
    assert pipeline.fit_transform(texts).tolist() == cleaner.clean_many(texts)
    kept = CleanTransformer(keep=["body", "title", "advert"]).fit(texts)
    assert sum("ADVERTISEMENT" in text for text in clone(kept).transform(texts)) > 0


def test_a_missing_engine_says_how_to_get_it(tmp_path: Path) -> None:
    for name in ("scrapy", "datatrove"):
        (tmp_path / f"{name}.py").write_text(f"raise ModuleNotFoundError({name!r}, name={name!r})")
    (tmp_path / "itemadapter.py").write_text("raise ModuleNotFoundError('itemadapter')")
    for name in ("scrapy", "datatrove"):
        result = subprocess.run(
            [sys.executable, "-c", f"import cleaner.adapters.{name}"],
            capture_output=True,
            check=False,
            env={"PYTHONPATH": f"{tmp_path}:{Path(__file__).parent.parent}", "PATH": ""},
        )
        assert f'{name} is needed for cleaner.adapters.{name}; install it with: pip install "cleaner[{name}]"' in said(
            subprocess.CompletedProcess(result.args, result.returncode, result.stdout, result.stderr)
        )

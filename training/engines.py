"""Ray and Spark beside the command on the same rows: `python -m training.engines --documents 200000`.

Each reads one Parquet file and writes Parquet, with two workers on this machine; the time is that of the clock on the
wall, the start of the engine included and told apart.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from training.corpora import CORPORA
from training.scale import made

_RAY = """
import sys, time
began = time.monotonic()
import ray
from cleaner.adapters.ray import RayCleaner
ray.init(num_cpus=2, include_dashboard=False, logging_level="ERROR", log_to_driver=False)
ray.data.DataContext.get_current().enable_progress_bars = False
print(time.monotonic() - began, flush=True)
pool = ray.data.ActorPoolStrategy(size=2)
data = ray.data.read_parquet(sys.argv[1]).repartition(64)
data = data.map_batches(RayCleaner, batch_format="pyarrow", batch_size=2048, compute=pool, num_cpus=0.5)
data.write_parquet(sys.argv[2])
"""
_SPARK = """
import os, sys, time
began = time.monotonic()
os.environ["PYSPARK_PYTHON"] = sys.executable
from pyspark.sql import SparkSession
from cleaner.adapters.spark import clean_dataframe
builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.log.level", "ERROR")
spark = builder.getOrCreate()
spark.range(1).count()
print(time.monotonic() - began, flush=True)
frame = spark.read.parquet(sys.argv[1]).repartition(16)
clean_dataframe(frame, "text").write.parquet(sys.argv[2])
"""


def main(
    documents: Annotated[int, typer.Option(min=1, help="How many documents.")] = 200_000,
    corpora: Annotated[Path, typer.Option(help="The folder with the pages.")] = CORPORA,
) -> None:
    """Print how fast the command, Ray and Spark are on the same rows."""
    import pyarrow.json
    from pyarrow import parquet

    with tempfile.TemporaryDirectory(prefix="cleaner-engines-") as name:
        place = Path(name)
        with (place / "in.jsonl").open("wb") as file:
            file.writelines(made(corpora, documents))
        size = (place / "in.jsonl").stat().st_size / 1e6
        parquet.write_table(pyarrow.json.read_json(place / "in.jsonl"), place / "in.parquet", row_group_size=10_000)
        typer.echo(f"{documents:,} documents, {size:,.0f} MB of text in JSON lines")
        command = ["-m", "cleaner.cli", "clean", "--jobs", "2", "--quiet", "-o"]
        runs = {
            "cleaner clean --jobs 2": [*command, str(place / "out.parquet"), str(place / "in.parquet")],
            "Ray, two actors": ["-c", _RAY, str(place / "in.parquet"), str(place / "ray")],
            "Spark, local[2]": ["-c", _SPARK, str(place / "in.parquet"), str(place / "spark")],
        }
        for what, arguments in runs.items():
            began = time.monotonic()
            done = subprocess.run([sys.executable, *arguments], capture_output=True, check=False)
            spent = time.monotonic() - began
            if done.returncode:
                typer.echo(f"{what}: failed\n{done.stderr.decode()[-2000:]}")
                continue
            start = float(done.stdout.split()[0]) if done.stdout.split() else 0.0
            typer.echo(
                f"{what}: {spent:,.0f} s, {start:,.0f} s of it to start; {size / (spent - start):.2f} MB/s without"
            )


if __name__ == "__main__":
    typer.run(main)

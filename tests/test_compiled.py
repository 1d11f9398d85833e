"""Compiled loops give what numpy gives, bit for bit."""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import hard_text
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cleaner import Cleaner, compiled
from cleaner.evidence.gather import gather
from cleaner.evidence.shape import line_hashes
from cleaner.model import store
from cleaner.model.network import Layer, Network, log_softmax
from cleaner.pipeline import own_log_probabilities
from cleaner.residue import candidates
from cleaner.segment.plain import split
from training.corpora import read_seeds

pytest.importorskip("numba")
CASES = Path(__file__).parent / "cases"


def both(compute: Callable[[], Any]) -> tuple[Any, Any]:
    """What is computed by numpy alone, and with loops."""
    with compiled.used(False):
        plain = compute()
    with compiled.used(True):
        return plain, compute()


def assert_same(plain: Any, fast: Any) -> None:
    """Assert that two values are the same, arrays in all their elements."""
    if isinstance(plain, np.ndarray):
        assert np.array_equal(plain, fast)
    elif dataclasses.is_dataclass(plain):
        for field in dataclasses.fields(plain):
            assert_same(getattr(plain, field.name), getattr(fast, field.name))
    elif isinstance(plain, list | tuple):
        assert len(plain) == len(fast)
        for one, other in zip(plain, fast, strict=True):
            assert_same(one, other)
    else:
        assert plain == fast


def everything(cleaner: Cleaner, texts: list[str]) -> list[Any]:
    """All that is computed of texts, step by step."""
    model = cleaner.model
    evidence = gather(texts, model.linear.bits)
    own = own_log_probabilities(model.linear, evidence)
    features = model.network_input(evidence, own)
    return [
        evidence,
        line_hashes(evidence.grams[0]),
        candidates(evidence.compacted, evidence.grams[0]),
        own,
        features,
        model.second.probabilities(features, evidence.place, own, model.own_share),
        cleaner.label_many(texts),
        cleaner.clean_many(texts),
    ]


@given(texts=st.lists(hard_text(), min_size=1, max_size=6))
def test_every_step_is_the_same_on_hard_texts(cleaner: Cleaner, texts: list[str]) -> None:
    if any(map(str.strip, texts)):
        assert_same(*both(lambda: everything(cleaner, texts)))


#: Half of them are written like what rules, hints and closings look for.
_PROSE = "The committee met on Tuesday and agreed, after long debate, to publish its report in full."
_LONG = [
    "\n".join([_PROSE] * 40 + ["Advertisement", "Share on Facebook", "E-Mail", "Read more: Ten ways"] * 3),
    "\n\n".join([f"{_PROSE} “Quoted.”", "(In brackets.)", "Ende…", "「終わり。」", "http://example.org", "© 2020"] * 9),
    "\n".join("word" * n for n in range(1, 90)),
    " ".join(f"word{n % 700}" for n in range(20_000)) + "\n" + "\n".join([_PROSE] * 30),
    "\r\n".join(["\ufeffStart", "Menu", "Home", "Über uns", "お問い合わせ"] * 20),
    "Love,\nAnna Smith\n" * 10 + "He said.ADVERTISEMENTThe next day he left [Read more: this].\n" * 5,
]


def test_every_step_is_the_same_on_long_texts(cleaner: Cleaner) -> None:
    texts = [*_LONG, *(page.text for page in read_seeds()), "", "   \n\n"]
    assert_same(*both(lambda: everything(cleaner, texts)))


@pytest.mark.parametrize("fast", [True, False])
def test_pages_of_html_are_read_the_same(fast: bool) -> None:
    cleaner = Cleaner(fast=fast)
    pages = [(case["input"], None) for case in json.loads((CASES / "html.json").read_text(encoding="utf-8"))]
    assert_same(*both(lambda: cleaner.label_html_many(pages)))


def test_every_character_is_white_space_to_both_or_to_none() -> None:
    text = "\n".join(f"{chr(code)}" for code in range(sys.maxunicode + 1)) + "\n \u2003\t\n\x1f\x85"
    assert_same(*both(lambda: split([text])))


def _network(inputs: int, units: int, groups: int, layers: int, weight: int, unit: int) -> Network:
    random = np.random.default_rng(units + layers)

    def whole(limit: int, *shape: int) -> NDArray[np.float32]:
        return random.integers(-limit, limit + 1, shape).astype(np.float32)

    def scale(*shape: int) -> NDArray[np.float32]:
        return random.uniform(0.1, 3, shape).astype(np.float32)

    every, step = groups * units, np.float32(40 * weight)
    return Network(
        hidden_weight=whole(500, inputs, every),
        hidden_bias=whole(9000, every),
        hidden_scale=scale(every) * unit / np.float32(inputs * 20_000),
        output_weight=whole(200, every, 13),
        output_bias=whole(1000, 13),
        output_scale=1e-5,
        layers=tuple(
            Layer(2**k, whole(weight, groups, 3, units, units), whole(5000, every), scale(every) / step)
            for k in range(layers)
        ),
        largest=unit,
    )


#: Networks as ship, and of sizes that fit into no register: in units of 10 bits, of 8, and of 8 with larger weights.
_NETWORKS = [
    (183, 96, 2, 3, 127, 255), (183, 96, 2, 3, 600, 1023), (7, 5, 3, 2, 127, 255), (31, 50, 1, 2, 128, 255),
    (394, 64, 1, 0, 1, 1023),
]  # fmt: skip


@pytest.mark.parametrize("sizes", _NETWORKS)
@pytest.mark.parametrize("lines", [1, 9, 2500])
def test_networks_give_the_same(sizes: tuple[int, ...], lines: int) -> None:
    network = _network(*sizes)
    random = np.random.default_rng(lines)
    features = random.integers(-127, 128, (lines, sizes[0])).astype(np.int8)
    place = np.arange(lines) - np.maximum.accumulate(np.where(random.random(lines) < 0.05, np.arange(lines), 0))
    plain, fast = both(lambda: network.logits(features, place))
    assert len(np.unique(plain)) > min(lines, 10), "the network says different things of different lines"
    assert_same(plain, fast)


def test_a_network_of_large_weights_is_left_to_numpy() -> None:
    network = dataclasses.replace(_network(7, 5, 1, 0, 1, 255), output_weight=np.full((5, 13), 40_000, np.float32))
    features = np.ones((20, 7), dtype=np.int8)
    assert_same(*both(lambda: network.logits(features, np.arange(20))))


def test_log_probabilities_are_the_same() -> None:
    logits = np.random.default_rng(1).normal(0, 9, (5000, 12))
    assert_same(*both(lambda: [log_softmax(logits), log_softmax(logits, 12.0)]))


def test_what_was_made_for_this_processor_is_not_pickled() -> None:
    cleaner = Cleaner()
    size = len(pickle.dumps(cleaner))
    with compiled.used(True):
        before = cleaner.label_many(_LONG)
        data = pickle.dumps(cleaner)
        assert len(data) == size
        assert pickle.loads(data).label_many(_LONG) == before


def _run(script: str, **environment: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=os.environ | environment, check=False
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_loops_are_loaded_when_they_pay_and_not_before() -> None:
    script = (
        "import sys; from cleaner import Cleaner, compiled; compiled.WORTH = 300; cleaner = Cleaner(); seen = []\n"
        "for _ in range(4): cleaner.clean_many(['A line of text.\\n' * 100]); seen.append('numba' in sys.modules)\n"
        "print(*seen)"
    )
    assert _run(script).split() == ["False", "False", "True", "True"]


def test_without_numba_nothing_is_missing() -> None:
    script = (
        "import sys; sys.modules['numba'] = None; from cleaner import Cleaner, compiled; compiled.WORTH = 0\n"
        "print(len(Cleaner().label('A line of text.\\n' * 200).lines), compiled.at_hand())"
    )
    assert _run(script) == "200 False\n"


def test_where_nothing_can_be_kept_loops_are_compiled_for_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    import numba

    from cleaner.compiled import jit

    njit = numba.njit

    def refuse(function: Any, **options: Any) -> Any:
        if options.pop("cache", False):
            raise RuntimeError("no locator available")
        return njit(function, **options)

    monkeypatch.setattr(numba, "njit", refuse)

    def double(value: int) -> int:
        return 2 * value

    assert jit.compiled(double)(21) == 42


@pytest.mark.parametrize(
    ("name", "features"),
    [("generic", ""), ("haswell", "+avx,+avx2,+fma"), ("skylake-avx512", "+avx,+avx2,+fma,+avx512f,+avx512bw")],
)
def test_other_processors_give_the_same(name: str, features: str, tmp_path: Path) -> None:
    from numba.core import codegen

    here = codegen.get_host_cpu_features().split(",")  # type: ignore[no-untyped-call]
    if not set(filter(None, features.split(","))) <= set(here):
        pytest.skip(f"this processor is less than {name}")
    script = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import numpy as np\n"
        "from cleaner import compiled; from test_compiled import _NETWORKS, _network, both\n"
        "for sizes in _NETWORKS:\n"
        "    features = np.random.default_rng(3).integers(-127, 128, (100, sizes[0])).astype(np.int8)\n"
        "    plain, fast = both(lambda: _network(*sizes).logits(features, np.arange(100) % 30))\n"
        "    assert np.array_equal(plain, fast), sizes\n"
        "from cleaner.compiled import network; print(network._LANES)"
    )
    environment = {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features, "NUMBA_CACHE_DIR": str(tmp_path)}
    lanes = {"generic": 4, "haswell": 8, "skylake-avx512": 16}
    assert _run(script, **environment) == f"{lanes[name]}\n"


def test_the_model_that_ships_has_units_of_bytes() -> None:
    network = store.load().second.network
    assert network.largest == 255
    assert max(np.abs(layer.weight).max() for layer in network.layers) <= 127

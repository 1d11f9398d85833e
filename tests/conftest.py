"""What several tests share: the loaded model and strategies for difficult text."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from cleaner import Cleaner

settings.register_profile(
    "laws", deadline=None, max_examples=150, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("laws")

#: Everything at which `str.splitlines` or Unicode ends a line.
LINE_BREAKS = ["\n", "\r\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
#: Pieces that have broken text tools before.
HARD_PIECES = [
    *LINE_BREAKS,
    *["\x00", "\t", " ", "\xa0", "\u3000", "\u200b", "\ufeff", "\x1f", "\x1b[31m"],
    *["\ud800", "\udc00", "\udcff", "\ud800\udc00", "e\u0301", "\u0301", "नि", "שלום", "مرحبا\u202e", "👩‍👩‍👧", "𝔘"],
    *[
        "ADVERTISEMENT",
        "Read more: Ten ways",
        "Home | About | Contact",
        "Subscribe to our newsletter",
        "jpeg-640x480The",
    ],
    "The committee met on Tuesday and agreed, after long debate, to publish its report in full.",
    "© 2019 All rights reserved. Terms of use",
]


def hard_text() -> st.SearchStrategy[str]:
    """Text of awkward pieces and arbitrary characters, surrogates included."""
    piece = st.one_of(st.sampled_from(HARD_PIECES), st.text(st.characters(), max_size=12))
    return st.lists(piece, max_size=25).map("".join)


@pytest.fixture(scope="session")
def cleaner() -> Cleaner:
    return Cleaner()

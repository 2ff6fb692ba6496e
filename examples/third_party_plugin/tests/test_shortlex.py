"""The halt condition keeps the contract, on words that come shortest first."""

from hypothesis import strategies as st
from pyspeedup.core.testing import HaltConditionContract
from pyspeedup_plaintext.shortlex import shortlex

WORDS = st.text("abc", max_size=4)


class TestShortlex(HaltConditionContract):
    sequence_strategy = st.lists(WORDS, min_size=1).map(
        lambda ws: sorted(ws, key=lambda w: (len(w), w))
    )
    item_strategy = WORDS

    def make_condition(self):
        return shortlex

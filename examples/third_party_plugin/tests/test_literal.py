"""The serializer keeps the contract."""

import pytest
from hypothesis import strategies as st
from pyspeedup.core import SerializationError
from pyspeedup.core.testing import SerializerContract, strategies
from pyspeedup_plaintext.literal import LiteralSerializer


class TestLiteralSerializer(SerializerContract):
    value_strategy = st.one_of(
        strategies.json_values(), st.binary(), st.tuples(strategies.scalars()), st.sets(st.text())
    )

    def make_serializer(self):
        return LiteralSerializer()


REFUSED = {
    "not a number": float("nan"),
    "infinity": float("inf"),
    "an object": object(),
    "a function inside": [print],
    "too many digits": 1 << 99_999,
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_not_come_back_is_refused(name):
    with pytest.raises(SerializationError):
        LiteralSerializer().dumps(REFUSED[name])

"""DiskDict and DiskList under each serializer, step by step against dict and list."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from pyspeedup.core.testing import Box, state_machine_test, strategies
from pyspeedup.memory.serializers import SafePickleSerializer, compressed, signed
from pyspeedup.memory.testing import DiskDictMachine, DiskListMachine

KEY = b"a key of the tests, 32 bytes it is"

plain_keys = st.one_of(
    st.sampled_from([0, False, 0.0, 1, True, 1.0, "1", "", None, (1, "a"), (True, "a"), b"1"]),
    st.integers(),
    st.text(max_size=5),
)
packable = st.recursive(
    st.one_of(
        *(st.none(), st.booleans(), st.floats(allow_nan=False), st.text(max_size=5)),
        *(st.integers(-(2**63), 2**64 - 1), st.binary(max_size=5), st.just("spam" * 40)),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


class Choices:
    """What the machines share: small pages in a mapping."""

    page_size = 2

    def make_page_store(self):
        return {}


class AnyValues(Choices):
    key_strategy = plain_keys
    serializer = SafePickleSerializer(allow=[Box])


class PlainValues(Choices):
    key_strategy = plain_keys
    value_strategy = packable
    keeps_changes = False  # the machine would put in what these do not take


class SafePickleDict(AnyValues, DiskDictMachine):
    pass


class SafePickleList(AnyValues, DiskListMachine):
    pass


class SignedCompressedPickleDict(AnyValues, DiskDictMachine):
    serializer = signed(compressed("pickle"), KEY)


class SignedCompressedPickleList(AnyValues, DiskListMachine):
    serializer = signed(compressed("pickle"), KEY)


class MsgpackDict(PlainValues, DiskDictMachine):
    serializer = "msgpack"


class MsgpackList(PlainValues, DiskListMachine):
    serializer = "msgpack"


class CompressedSafePickleDict(PlainValues, DiskDictMachine):
    serializer = compressed("safe-pickle")


class JsonList(PlainValues, DiskListMachine):
    value_strategy = strategies.json_values()
    serializer = "json"


def machine(kind):
    """Run less than the machines of the stores do: how values are written is one step of many."""
    loaded = settings()
    return state_machine_test(
        kind, settings(max_examples=loaded.max_examples // 3, stateful_step_count=20)
    )


needs_msgspec = pytest.mark.skipif(not find_spec("msgspec"), reason="needs the extra msgpack")

TestSafePickleDict = machine(SafePickleDict)
TestSafePickleList = machine(SafePickleList)
TestSignedCompressedPickleDict = machine(SignedCompressedPickleDict)
TestSignedCompressedPickleList = machine(SignedCompressedPickleList)
TestMsgpackDict = needs_msgspec(machine(MsgpackDict))
TestMsgpackList = needs_msgspec(machine(MsgpackList))
TestCompressedSafePickleDict = machine(CompressedSafePickleDict)
TestJsonList = machine(JsonList)

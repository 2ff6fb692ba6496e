"""DiskDict against dict: every store, tiny pages, one or two of them resident."""

from __future__ import annotations

import json

from evictions import machine_with_evictions
from hypothesis import strategies as st
from machines_on_stores import on_every_store
from pyspeedup.core.testing import strategies
from pyspeedup.core.testing._values import same
from pyspeedup.memory.testing import DiskDictMachine
from users_keys import LikeStr

plain_keys = st.one_of(
    st.sampled_from([0, False, 0.0, 1, True, 1.0, "1", "", None, (1, "a"), (True, "a"), b"1"]),
    st.integers(),
    st.text(max_size=5),
)


class Json:
    """JSON as Python writes it, infinities too, since the machine puts them into lists."""

    def dumps(self, obj):
        data = json.dumps(obj).encode()
        if not same(self.loads(data), obj):
            raise ValueError(f"{obj!r} would not come back")
        return data

    def loads(self, data):
        return json.loads(bytes(data))


class AsJson(DiskDictMachine):
    page_size = 2
    serializer = Json()
    key_strategy = plain_keys
    value_strategy = strategies.json_values()


class UsersKeys(DiskDictMachine):
    """Keys without a stable hash, some of which equal others that have one."""

    page_size = 2
    key_strategy = st.one_of(
        st.sampled_from(["a", "b", "c"]),
        st.builds(LikeStr, st.sampled_from(["a", "b", "c", "d"])),
        st.tuples(st.builds(LikeStr, st.sampled_from(["a", "b"])), st.integers(0, 1)),
        st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 1)),
        strategies.keys(),
    )


TestOneItemAPage, TestOnFiles, TestOnSqlite, TestOnAMapping, TestInMemory = on_every_store(
    DiskDictMachine, page_size_in_memory=2
)
TestAsJson = machine_with_evictions(AsJson)
TestUsersKeys = machine_with_evictions(UsersKeys)

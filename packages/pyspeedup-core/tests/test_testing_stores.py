"""PageStoreMachine sees each fault that is planted in a store, and none in a right one."""

from __future__ import annotations

import zlib

import pytest
from pyspeedup.core import PageStore
from pyspeedup.core.testing import PageStoreMachine, state_machine_test


class Store:
    """A right page store, whose place is a dict that outlives it."""

    def __init__(self, place):
        self.place = place
        self.pages = None

    def open(self, *, create, readonly):
        if "meta" not in self.place and not create:
            raise FileNotFoundError("nothing was committed here")
        self.pages = dict(self.place.get("pages", {}))
        return self.place.get("meta")

    def read(self, page):
        return self.pages[page]

    def write(self, page, data):
        self.pages[page] = bytes(data)

    def delete(self, page):
        del self.pages[page]

    def commit(self, meta, *, durable=False):
        self.place.update(pages=dict(self.pages), meta=meta)

    def close(self):
        self.pages = None


class KeepsTheFirstVersion(Store):
    def write(self, page, data):
        self.pages.setdefault(page, bytes(data))


class KeepsTheBuffer(Store):
    def write(self, page, data):
        self.pages[page] = data


class ReadsNothingFromNowhere(Store):
    def read(self, page):
        return self.pages.get(page, b"")


class DeletesSilently(Store):
    def delete(self, page):
        self.pages.pop(page, None)


class CommitsNoDeletions(Store):
    def commit(self, meta, *, durable=False):
        self.place.update(pages=self.place.get("pages", {}) | self.pages, meta=meta)


class CommitsOnlyDurably(Store):
    def commit(self, meta, *, durable=False):
        if durable:
            super().commit(meta)


class TakesEmptyMetaForNone(Store):
    def commit(self, meta, *, durable=False):
        super().commit(meta or None)


class CutsMeta(Store):
    def commit(self, meta, *, durable=False):
        super().commit(meta[:5000])


class CommitsAtClose(Store):
    def close(self):
        if self.pages is not None and "meta" in self.place:
            self.commit(self.place["meta"])
        super().close()


class ClosesOnlyOnce(Store):
    def close(self):
        if self.pages is None:
            raise ValueError("closed")
        super().close()


class TellsReadersNothing(Store):
    def open(self, *, create, readonly):
        meta = super().open(create=create, readonly=readonly)
        return None if readonly else meta


class HidesHighPages(Store):
    def commit(self, meta, *, durable=False):
        self.place.update(pages={p: d for p, d in self.pages.items() if p < 2**32}, meta=meta)


class CutsBigPages(Store):
    def write(self, page, data):
        super().write(page, data[: 2**16])


class Peeking(Store):
    """A right page store with abilities."""

    def peek(self, page, start, stop):
        return self.pages[page][start:stop]

    def write_checked(self, page, data, checksum):
        assert checksum == zlib.crc32(data)
        self.write(page, data)


class PeeksBeyondTheEnd(Peeking):
    def peek(self, page, start, stop):
        return super().peek(page, start, stop).ljust(max(0, stop - start), b"\0")


class PeeksAtNothing(Peeking):
    def peek(self, page, start, stop):
        return self.pages.get(page, b"")[start:stop]


class CutsWhatIsChecked(Peeking):
    def write_checked(self, page, data, checksum):
        self.write(page, data[:-1])


FAULTS = {  # seen by every run's end, which reopens, where no rule is named
    KeepsTheFirstVersion: "write overwrite write_from_a_buffer",
    KeepsTheBuffer: "write_from_a_buffer",
    ReadsNothingFromNowhere: "read read_as_reader",
    DeletesSilently: "delete",
    CommitsNoDeletions: "",
    CommitsOnlyDurably: "commit commit_odd_meta",
    TakesEmptyMetaForNone: "commit commit_odd_meta",
    CutsMeta: "commit_odd_meta",
    CommitsAtClose: "",
    ClosesOnlyOnce: "",
    TellsReadersNothing: "read_as_reader",
    HidesHighPages: "",
    CutsBigPages: "",
    PeeksBeyondTheEnd: "peek",
    PeeksAtNothing: "peek",
    CutsWhatIsChecked: "write_checked",
}
PREPARATION = {"compare_contents"}


def machine_of(store, **choices):
    class Machine(PageStoreMachine):
        def __init__(self):
            self.place = {}
            super().__init__()

        def make_store(self):
            return store(self.place)

    return type(store.__name__, (Machine,), choices)


def test_the_right_store_keeps_to_the_protocol():
    assert isinstance(Store({}), PageStore)


@pytest.mark.parametrize("toy", FAULTS)
def test_a_planted_fault_is_seen(sees, toy):
    assert sees(machine_of(toy))


@pytest.mark.parametrize("toy", [toy for toy in FAULTS if FAULTS[toy]])
def test_a_planted_fault_is_seen_by_its_rules_alone(passes, without, thorough, toy):
    assert passes(without(machine_of(toy), FAULTS[toy].split()))


def test_every_rule_has_a_fault_that_it_sees(rules_of):
    seen = {name for names in FAULTS.values() for name in names.split()}
    assert rules_of(PageStoreMachine) == seen | PREPARATION | {"close_and_reopen"}


TestStore = state_machine_test(machine_of(Store))
TestPeekingStore = state_machine_test(machine_of(Peeking))


def test_a_store_that_ends_with_its_object_is_not_reopened(passes, sees):
    class Fleeting(Store):
        def close(self):
            self.place.clear()
            super().close()

    assert passes(machine_of(Fleeting, persistent=False))
    assert sees(machine_of(Fleeting))

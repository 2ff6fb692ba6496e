"""The folder is a mapping, and the page store over it commits all or nothing."""

from hypothesis import strategies as st
from pyspeedup.core.testing import MappingMachine, PageStoreMachine, state_machine_test
from pyspeedup.memory import ShadowStore
from pyspeedup_plaintext.folder import FolderPages, open_folder


class FolderMachine(MappingMachine):
    dict_like = ordered = keeps_changes = False
    key_strategy = st.text(max_size=6) | st.sampled_from(["", ".", "..", "a/b", "a%2Fb", "A", "a"])
    value_strategy = st.binary()

    def make_mapping(self):
        return FolderPages(self.own_folder)


class StoreMachine(PageStoreMachine):
    def make_store(self):
        return ShadowStore(open_folder(str(self.own_folder), "any"))


TestFolder = state_machine_test(FolderMachine)
TestStore = state_machine_test(StoreMachine)

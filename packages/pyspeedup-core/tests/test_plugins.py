"""How plugins are found, loaded, refused, and left out."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace

import pytest
from pyspeedup.core import (
    DuplicateNameError,
    PickleSerializer,
    PluginError,
    PluginWarning,
    UnknownNameError,
    hookimpl,
)
from pyspeedup.core.plugins import DISABLED_VARIABLE, INSTALL_HINTS, Plugins


@dataclass
class FakeEntryPoint:
    """An installed plugin that is not: what loading it does is up to the test."""

    name: str
    load: object

    @property
    def value(self):
        return f"{self.name}_module"

    @property
    def dist(self):
        return SimpleNamespace(name=f"pyspeedup-{self.name}", version="2.5")


class Installed:
    """A list of entry points that counts how often it is asked for."""

    def __init__(self, *entry_points):
        self.entry_points = entry_points
        self.scans = 0

    def __call__(self):
        self.scans += 1
        return list(self.entry_points)


def serializer_plugin(*names, factory=PickleSerializer):
    """Make a plugin that offers `factory` under `names`."""
    plugin = ModuleType("plugin")

    @hookimpl
    def pyspeedup_register_serializers(register):
        for name in names:
            register(name, factory)

    plugin.pyspeedup_register_serializers = pyspeedup_register_serializers
    return plugin


def installed(name, *names, **options):
    plugin = serializer_plugin(*names, **options)
    return FakeEntryPoint(name, lambda: plugin)


def plugins_with(*entry_points):
    scanning = Installed(*entry_points)
    plugins = Plugins(scanning)
    plugins.announce("pyspeedup.core._plugin")
    return plugins, scanning


def names_in(registry):
    return [registration.name for registration in registry]


# Finding


def test_built_ins_are_found_without_a_scan():
    plugins, scanning = plugins_with(installed("spam", "spam"))
    assert plugins.serializers.get("pickle") is PickleSerializer
    assert scanning.scans == 0


def test_installed_plugins_are_scanned_once_at_the_first_unknown_name():
    plugins, scanning = plugins_with(installed("spam", "spam"), installed("eggs", "eggs"))
    assert plugins.serializers.get("spam") is PickleSerializer
    assert plugins.serializers.get("eggs") is PickleSerializer
    for _ in range(2):
        with pytest.raises(UnknownNameError):
            plugins.serializers.get("ham")
    assert scanning.scans == 1


def test_listing_shows_what_is_installed_with_its_distribution():
    plugins, _ = plugins_with(installed("spam", "spam"))
    assert names_in(plugins.serializers) == ["pickle", "spam"]
    owners = [registration.owner for registration in plugins.serializers]
    assert [(owner.distribution, owner.source) for owner in owners] == [
        ("pyspeedup-core", "built-in"),
        ("pyspeedup-spam", "entry point"),
    ]


def test_a_built_in_that_is_also_an_entry_point_is_loaded_once():
    entry_point = FakeEntryPoint("core", lambda: pytest.fail("loaded twice"))
    entry_point_of_core = SimpleNamespace(
        name="core", value="pyspeedup.core._plugin", dist=entry_point.dist, load=entry_point.load
    )
    plugins, _ = plugins_with(entry_point_of_core)
    assert names_in(plugins.serializers) == ["pickle"]


def test_every_hook_fills_its_registry():
    class Everything:
        @hookimpl
        def pyspeedup_register_halt_conditions(self, register):
            register("never", lambda buffer, item, attempts: False)

        @hookimpl
        def pyspeedup_register_serializers(self, register):
            register("spam", PickleSerializer)

        @hookimpl
        def pyspeedup_register_page_stores(self, register):
            register("nowhere", lambda location, basename: {})

        @hookimpl
        def pyspeedup_register_engines(self, register):
            register("nobody", lambda: None)

    plugins, _ = plugins_with()
    plugins.register(Everything())
    assert [names_in(registry) for registry in plugins.registries] == [
        ["never"],
        ["pickle", "spam"],
        ["nowhere"],
        ["nobody"],
    ]


def test_plugins_found_from_several_threads_are_loaded_once():
    loads = []
    started = threading.Barrier(8)

    def load():
        loads.append(threading.current_thread())
        return serializer_plugin("spam")

    plugins, scanning = plugins_with(FakeEntryPoint("spam", load))
    found = []

    def look_up():
        started.wait()
        found.append(plugins.serializers.get("spam"))

    threads = [threading.Thread(target=look_up) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [PickleSerializer] * 8
    assert (len(loads), scanning.scans) == (1, 1)


def test_a_plugin_may_look_names_up_while_it_registers():
    class Looking:
        @hookimpl
        def pyspeedup_register_serializers(self, register):
            register("copy of pickle", plugins.serializers.get("pickle"))
            register("copy of eggs", plugins.serializers.get("eggs"))

    looking = Looking()
    plugins, _ = plugins_with(FakeEntryPoint("spam", lambda: looking), installed("eggs", "eggs"))
    assert plugins.serializers.get("copy of eggs") is PickleSerializer
    assert plugins.serializers.get("copy of pickle") is PickleSerializer


def test_a_built_in_may_look_names_up_while_it_registers(monkeypatch):
    module = ModuleType("pyspeedup.core._looking")

    @hookimpl
    def pyspeedup_register_serializers(register):
        register("copy of pickle", plugins.serializers.get("pickle"))

    module.pyspeedup_register_serializers = pyspeedup_register_serializers
    monkeypatch.setitem(sys.modules, module.__name__, module)
    plugins, _ = plugins_with()
    plugins.announce(module.__name__)
    plugins.announce("pyspeedup.core._plugin")
    assert plugins.serializers.get("copy of pickle") is PickleSerializer


# Faults of plugins


def test_a_plugin_that_cannot_be_imported_is_left_out_with_a_warning():
    def fail():
        raise ModuleNotFoundError("No module named 'spam_engine'")

    plugins, _ = plugins_with(FakeEntryPoint("spam", fail), installed("eggs", "eggs"))
    with pytest.warns(PluginWarning, match=r"pyspeedup-spam 2\.5.*No module named 'spam_engine'"):
        assert plugins.serializers.get("eggs") is PickleSerializer
    assert plugins.serializers.get("pickle") is PickleSerializer


def test_a_hook_that_raises_leaves_nothing_of_its_plugin():
    class HalfDone:
        @hookimpl
        def pyspeedup_register_halt_conditions(self, register):
            register("never", lambda buffer, item, attempts: False)

        @hookimpl
        def pyspeedup_register_serializers(self, register):
            register("first", PickleSerializer)
            raise OSError("no licence found")

    half_done = HalfDone()
    plugins, _ = plugins_with(FakeEntryPoint("spam", lambda: half_done), installed("eggs", "eggs"))
    with pytest.warns(PluginWarning, match="no licence found"):
        assert names_in(plugins.serializers) == ["eggs", "pickle"]
    assert names_in(plugins.halt_conditions) == []


def test_a_script_that_registers_a_failing_plugin_gets_its_error_and_can_try_again():
    fails = [True]

    class Moody:
        @hookimpl
        def pyspeedup_register_serializers(self, register):
            register("moody", PickleSerializer)
            if fails:
                raise OSError("not today")

    moody = Moody()
    plugins, _ = plugins_with()
    with pytest.raises(OSError, match="not today"):
        plugins.register(moody)
    assert names_in(plugins.serializers) == ["pickle"]
    fails.clear()
    plugins.register(moody)
    assert plugins.serializers.get("moody") is PickleSerializer


class Misspelt:
    @hookimpl
    def pyspeedup_register_serialisers(self, register):
        register("spam", PickleSerializer)


class WrongArgument:
    @hookimpl
    def pyspeedup_register_serializers(self, registry):
        registry("spam", PickleSerializer)


class Unmarked:
    def pyspeedup_register_serializers(self, register):
        register("spam", PickleSerializer)


class Wrapping:
    @hookimpl(wrapper=True)
    def pyspeedup_register_serializers(self, register):
        register("spam", PickleSerializer)
        return (yield)


FAULTY = {
    Misspelt: "pyspeedup_register_serialisers",
    WrongArgument: "registry",
    Unmarked: "no function marked by hookimpl",
    Wrapping: "wrap",
}


@pytest.mark.parametrize("plugin", FAULTY)
def test_a_plugin_that_does_not_fit_is_an_error_that_lists_the_hooks(plugin):
    plugins, _ = plugins_with()
    for _ in range(2):
        with pytest.raises(PluginError, match=FAULTY[plugin]) as caught:
            plugins.register(plugin())
        assert "the hooks are pyspeedup_register_halt_conditions" in str(caught.value)
    assert names_in(plugins.serializers) == ["pickle"]
    plugins.register(serializer_plugin("eggs"))
    assert plugins.serializers.get("eggs") is PickleSerializer


@pytest.mark.parametrize("plugin", FAULTY)
def test_an_installed_plugin_that_does_not_fit_is_an_error_naming_its_distribution(plugin):
    faulty = plugin()
    plugins, _ = plugins_with(FakeEntryPoint("spam", lambda: faulty), installed("eggs", "eggs"))
    for _ in range(2):
        with pytest.raises(PluginError, match=r"pyspeedup-spam 2\.5"):
            plugins.serializers.get("spam")
    assert plugins.serializers.get("pickle") is PickleSerializer
    assert plugins.serializers.get("eggs") is PickleSerializer


def test_a_hook_of_a_later_version_may_be_marked_as_optional():
    class FromTheFuture:
        @hookimpl(optionalhook=True)
        def pyspeedup_register_telescopes(self, register):
            raise AssertionError("nobody knows this hook")

        @hookimpl
        def pyspeedup_register_serializers(self, register):
            register("spam", PickleSerializer)

    plugins, _ = plugins_with()
    plugins.register(FromTheFuture())
    assert plugins.serializers.get("spam") is PickleSerializer


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        (5, PickleSerializer, "name of a serializer is a str, not 5"),
        ("spam", PickleSerializer(), "serializer 'spam' stands for must be callable"),
    ],
)
def test_registering_what_is_no_name_or_factory_is_a_type_error(name, value, message):
    plugins, _ = plugins_with()
    with pytest.raises(TypeError, match=message):
        plugins.register(serializer_plugin(name, factory=value))
    assert names_in(plugins.serializers) == ["pickle"]


# Names that clash, plugins that are kept out


def test_a_name_that_two_plugins_claim_names_both_when_it_is_looked_up():
    plugins, _ = plugins_with(installed("spam", "both", "one"), installed("eggs", "both", "two"))
    with pytest.raises(DuplicateNameError) as caught:
        plugins.serializers.get("both")
    assert "pyspeedup-spam 2.5" in str(caught.value)
    assert "pyspeedup-eggs 2.5" in str(caught.value)
    assert plugins.serializers.get("one") is plugins.serializers.get("two")


@pytest.mark.parametrize("name", ["spam", "pyspeedup-spam", "PySpeedup_spam", " spam , other"])
def test_a_disabled_plugin_is_not_even_imported(monkeypatch, name):
    monkeypatch.setenv(DISABLED_VARIABLE, name)
    entry_point = FakeEntryPoint("spam", lambda: pytest.fail("imported"))
    plugins, _ = plugins_with(entry_point, installed("eggs", "eggs"))
    with pytest.raises(UnknownNameError):
        plugins.serializers.get("spam")
    assert plugins.serializers.get("eggs") is PickleSerializer


def test_disabling_one_of_two_ends_their_dispute(monkeypatch):
    monkeypatch.setenv(DISABLED_VARIABLE, "pyspeedup-eggs")
    plugins, _ = plugins_with(installed("spam", "both"), installed("eggs", "both"))
    assert plugins.serializers.get("both") is PickleSerializer


def test_a_plugin_registered_twice_by_a_script_is_a_value_error():
    plugin = serializer_plugin("spam")
    plugins, _ = plugins_with()
    plugins.register(plugin)
    with pytest.raises(ValueError, match="plugin"):
        plugins.register(plugin)
    with pytest.raises(ValueError, match="plugin"):
        plugins.register(serializer_plugin("eggs"))
    plugins.register(serializer_plugin("eggs"), name="another")
    assert names_in(plugins.serializers) == ["eggs", "pickle", "spam"]


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, hints in INSTALL_HINTS.items() for name in hints]
)
def test_a_name_of_an_optional_install_is_answered_with_the_command(kind, name):
    plugins, _ = plugins_with()
    registry = next(registry for registry in plugins.registries if registry.kind == kind)
    with pytest.raises(UnknownNameError, match=r"pip install '?pyspeedup-"):
        registry.get(name)


# The plugins of a whole process


def test_a_script_registers_for_its_process():
    program = """
from pyspeedup.core import hookimpl, register, halt_conditions
class Patience:
    @hookimpl
    def pyspeedup_register_halt_conditions(self, register):
        register("tenTimes", lambda buffer, item, attempts: attempts >= 10)
register(Patience())
print(halt_conditions.get("tenTimes")(None, None, 10))
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout == "True\n"

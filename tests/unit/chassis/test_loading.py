# ruff: noqa: RUF009  (`setting` makes a field)
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.loading import (
    Fault,
    SettingDoc,
    SettingsError,
    documented,
    load,
    setting,
)
from services.chassis.secret import Secret

CANARY = "canary-9f2c"


class Colour(StrEnum):
    RED = "red"
    DARK_BLUE = "dark-blue"


@dataclass(frozen=True, kw_only=True)
class Inner:
    ratio: float = setting("SYNAPTYX_RATIO", default=0.5, minimum=0, maximum=1, help="A part.")
    wait: timedelta = setting(
        "SYNAPTYX_WAIT_SECONDS", default=timedelta(seconds=2.5), maximum=60, help="A time."
    )


@dataclass(frozen=True, kw_only=True)
class Everything:
    inner: Inner
    name: str = setting("SYNAPTYX_NAME", help="The name.")
    size: int = setting("SYNAPTYX_SIZE", default=10, minimum=1, maximum=1048576, help="A size.")
    on: bool = setting("SYNAPTYX_ON", default=True, help="Whether.")
    path: Path | None = setting("SYNAPTYX_PATH", default=None, help="A path.")
    key: Secret | None = setting("SYNAPTYX_KEY", default=None, help="A key.")
    colour: Colour = setting("SYNAPTYX_COLOUR", default=Colour.RED, help="A colour.")
    names: tuple[str, ...] = setting("SYNAPTYX_NAMES", default=("a", "b"), help="Names.")

    def faults(self) -> Iterator[Fault]:
        if self.name == "wrong" and self.size == 13:
            yield Fault("SYNAPTYX_SIZE", "is 13, and the name is wrong", "choose another")


@dataclass(frozen=True, kw_only=True)
class Required:
    key: Secret = setting("SYNAPTYX_KEY", help="The key.")


def faults(environ, cls=Everything) -> dict[str, str]:
    with pytest.raises(SettingsError) as raised:
        load(cls, environ)
    error = raised.value
    assert CANARY not in str(error)
    assert str(error).splitlines()[1:] == [str(fault) for fault in error.faults]
    return {fault.variable: fault.problem for fault in error.faults}


class TestLoad:
    def test_reads_every_type(self):
        loaded = load(
            Everything,
            {
                "SYNAPTYX_RATIO": "0.25",
                "SYNAPTYX_WAIT_SECONDS": "0.5",
                "SYNAPTYX_NAME": " acme ",
                "SYNAPTYX_SIZE": "1048576",
                "SYNAPTYX_ON": "Off",
                "SYNAPTYX_PATH": "/etc/x",
                "SYNAPTYX_KEY": " k ",
                "SYNAPTYX_COLOUR": "dark-blue",
                "SYNAPTYX_NAMES": "x, y,,z ,",
            },
        )
        assert loaded == Everything(
            inner=Inner(ratio=0.25, wait=timedelta(milliseconds=500)),
            name="acme",
            size=1048576,
            on=False,
            path=Path("/etc/x"),
            key=Secret(" k "),
            colour=Colour.DARK_BLUE,
            names=("x", "y", "z"),
        )

    def test_takes_the_defaults_of_what_is_not_set(self):
        loaded = load(Everything, {"SYNAPTYX_NAME": "acme"})
        assert loaded == Everything(inner=Inner(), name="acme")

    def test_takes_a_variable_set_to_nothing_as_not_set(self):
        loaded = load(
            Everything, {"SYNAPTYX_NAME": "acme", "SYNAPTYX_SIZE": " ", "SYNAPTYX_KEY": ""}
        )
        assert loaded == Everything(inner=Inner(), name="acme")
        assert faults({"SYNAPTYX_NAME": "  "}) == {"SYNAPTYX_NAME": "is not set"}

    def test_does_not_mind_variables_that_it_does_not_know(self):
        load(Everything, {"SYNAPTYX_NAME": "acme", "SYNAPTYX_OTHER": "x", "PATH": "/bin"})

    def test_reports_every_fault_at_once(self):
        found = faults(
            {
                "SYNAPTYX_RATIO": "2",
                "SYNAPTYX_WAIT_SECONDS": "soon",
                "SYNAPTYX_SIZE": "0",
                "SYNAPTYX_ON": "maybe",
                "SYNAPTYX_COLOUR": "green",
            }
        )
        assert found == {
            "SYNAPTYX_RATIO": "is too large",
            "SYNAPTYX_WAIT_SECONDS": "is not a number",
            "SYNAPTYX_NAME": "is not set",
            "SYNAPTYX_SIZE": "is too small",
            "SYNAPTYX_ON": "is neither true nor false",
            "SYNAPTYX_COLOUR": "is not one of the choices",
        }

    def test_says_what_to_do(self):
        with pytest.raises(SettingsError) as raised:
            load(Everything, {"SYNAPTYX_SIZE": "9999999"})
        assert str(raised.value).splitlines() == [
            "these settings are wrong:",
            "SYNAPTYX_NAME: is not set; set it: the name.",
            "SYNAPTYX_SIZE: is too large; write at most 1048576",
        ]

    def test_asks_a_group_what_is_wrong_between_its_settings(self):
        found = faults({"SYNAPTYX_NAME": "wrong", "SYNAPTYX_SIZE": "13"})
        assert found == {"SYNAPTYX_SIZE": "is 13, and the name is wrong"}

    @pytest.mark.parametrize(
        ("variable", "value"),
        [
            ("SYNAPTYX_SIZE", "1_0"),
            ("SYNAPTYX_SIZE", "٣"),
            ("SYNAPTYX_SIZE", "1.0"),
            ("SYNAPTYX_SIZE", "0x10"),
            ("SYNAPTYX_SIZE", "9" * 5000),
            ("SYNAPTYX_RATIO", "nan"),
            ("SYNAPTYX_RATIO", "inf"),
            ("SYNAPTYX_RATIO", "1e-3"),
            ("SYNAPTYX_RATIO", "-0.1"),
            ("SYNAPTYX_WAIT_SECONDS", "9" * 18),
            ("SYNAPTYX_WAIT_SECONDS", "61"),
            ("SYNAPTYX_ON", "2"),
            ("SYNAPTYX_COLOUR", "RED"),
            ("SYNAPTYX_PATH", "a\0b"),
            ("SYNAPTYX_NAME", "\udcff"),
            ("SYNAPTYX_KEY", "\udcff"),
        ],
    )
    def test_refuses_what_is_not_of_the_type(self, variable, value):
        assert set(faults({"SYNAPTYX_NAME": "acme", variable: value})) == {variable}

    def test_reports_a_variable_of_two_groups_once(self):
        @dataclass(frozen=True, kw_only=True)
        class Both:
            one: Required
            other: Required

        assert faults({}, Both) == {"SYNAPTYX_KEY": "is not set"}

    def test_knows_at_once_that_a_type_is_no_setting(self):
        @dataclass(frozen=True, kw_only=True)
        class Wrong:
            size: complex = setting("SYNAPTYX_SIZE", help="A size.")

        with pytest.raises(TypeError, match="complex"):
            load(Wrong, {})

    @given(
        st.dictionaries(
            st.sampled_from([doc.variable for doc in documented(Everything)]),
            st.text(min_size=8, max_size=30).map(lambda text: CANARY + text)
            | st.integers().map(str)
            | st.floats().map(str),
        )
    )
    def test_either_loads_or_reports_and_never_shows_a_value(self, environ):
        try:
            load(Everything, environ)
            found = []
        except SettingsError as error:
            found = list(error.faults)
        assert CANARY not in "".join(map(str, found))
        assert {fault.variable for fault in found} <= set(environ) | {"SYNAPTYX_NAME"}

    @given(
        st.builds(
            Everything,
            inner=st.builds(
                Inner,
                ratio=st.integers(0, 1000).map(lambda thousandths: thousandths / 1000),
                wait=st.timedeltas(timedelta(), timedelta(seconds=60)),
            ),
            name=st.from_regex(r"[!-~]{1,20}", fullmatch=True),
            size=st.integers(1, 1048576),
            on=st.booleans(),
            colour=st.sampled_from(Colour),
        )
    )
    def test_reads_what_the_documentation_would_write(self, wanted):
        environ = {
            "SYNAPTYX_RATIO": f"{wanted.inner.ratio:.3f}",
            "SYNAPTYX_WAIT_SECONDS": f"{wanted.inner.wait.total_seconds():.6f}",
            "SYNAPTYX_NAME": wanted.name,
            "SYNAPTYX_SIZE": str(wanted.size),
            "SYNAPTYX_ON": str(wanted.on).lower(),
            "SYNAPTYX_COLOUR": wanted.colour.value,
        }
        assert load(Everything, environ) == wanted


class TestSecretFiles:
    @pytest.mark.parametrize(
        ("content", "text"),
        [
            (b"key", "key"),
            (b"key\n", "key"),
            (b"key\r\n", "key"),
            (b"key\n\n", "key\n"),
            (b" key ", " key "),
            (b"one\ntwo\n", "one\ntwo"),
            (b"key\r", "key\r"),
        ],
    )
    def test_are_read_without_their_last_newline(self, tmp_path, content, text):
        (tmp_path / "key").write_bytes(content)
        loaded = load(Required, {"SYNAPTYX_KEY_FILE": str(tmp_path / "key")})
        assert loaded == Required(key=Secret(text))

    @pytest.mark.parametrize("content", [b"", b"\n", b"\xff", b"a" * (1 << 20) + b"b", b"a\0b"])
    def test_are_refused_if_they_hold_no_secret(self, tmp_path, content):
        (tmp_path / "key").write_bytes(content)
        assert len(faults({"SYNAPTYX_KEY_FILE": str(tmp_path / "key")}, Required)) == 1

    @pytest.mark.parametrize("path", [f"/nowhere/{CANARY}", "/", f"{CANARY}\0"])
    def test_are_refused_without_showing_what_may_be_the_secret_itself(self, path):
        found = faults({"SYNAPTYX_KEY_FILE": path}, Required)
        assert "cannot be read" in found["SYNAPTYX_KEY_FILE"]

    def test_are_refused_beside_the_variable(self, tmp_path):
        (tmp_path / "key").write_text(CANARY)
        environ = {"SYNAPTYX_KEY": CANARY, "SYNAPTYX_KEY_FILE": str(tmp_path / "key")}
        assert faults(environ, Required) == {"SYNAPTYX_KEY": "is set, and so is SYNAPTYX_KEY_FILE"}

    def test_stand_only_for_secrets(self):
        assert faults({"SYNAPTYX_NAME_FILE": "/etc/hostname"}) == {"SYNAPTYX_NAME": "is not set"}


class TestDocumented:
    def test_describes_every_setting_in_order(self):
        assert documented(Everything) == [
            SettingDoc("SYNAPTYX_RATIO", "number", "0.5", "A part."),
            SettingDoc("SYNAPTYX_WAIT_SECONDS", "seconds", "2.5", "A time."),
            SettingDoc("SYNAPTYX_NAME", "text", None, "The name."),
            SettingDoc("SYNAPTYX_SIZE", "whole number", "10", "A size."),
            SettingDoc("SYNAPTYX_ON", "true or false", "true", "Whether."),
            SettingDoc("SYNAPTYX_PATH", "path", "", "A path."),
            SettingDoc("SYNAPTYX_KEY", "secret", "", "A key."),
            SettingDoc("SYNAPTYX_COLOUR", "one of: red, dark-blue", "red", "A colour."),
            SettingDoc("SYNAPTYX_NAMES", "texts, separated by commas", "a,b", "Names."),
        ]

    def test_writes_defaults_as_they_would_be_set(self):
        written = {doc.variable: doc.default for doc in documented(Everything) if doc.default}
        loaded = load(Everything, {**written, "SYNAPTYX_NAME": "acme"})
        assert loaded == Everything(inner=Inner(), name="acme")

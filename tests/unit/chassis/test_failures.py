import json
from datetime import datetime

from services.chassis.errors import ResourceNotFound
from services.chassis.etags import etag
from services.chassis.failures import class_name, described

CANARY = "canary-9f2c"


def caught(act) -> BaseException:
    try:
        act()
    except BaseException as error:  # noqa: BLE001
        return error
    raise AssertionError("nothing was raised")


class TestDescribed:
    def test_quotes_our_errors_only(self):
        def act():
            try:
                raise ValueError(CANARY)
            except ValueError as error:
                raise ResourceNotFound("workspaces/a") from error

        first, second = described(caught(act))
        assert first["type"] == "services.chassis.errors.ResourceNotFound"
        assert "workspaces/a" in first["message"]
        assert second["type"] == "ValueError"
        assert "message" not in second

    def test_follows_causes_and_contexts_as_python_does(self):
        def context():
            try:
                raise KeyError(CANARY)
            except KeyError:
                raise ValueError(CANARY)  # noqa: B904

        def suppressed():
            try:
                raise KeyError(CANARY)
            except KeyError:
                raise ValueError(CANARY) from None

        assert [each["type"] for each in described(caught(context))] == ["ValueError", "KeyError"]
        assert [each["type"] for each in described(caught(suppressed))] == ["ValueError"]

    def test_names_our_frames_and_the_innermost_one(self):
        (failure,) = described(caught(lambda: etag(datetime(2026, 11, 23))))  # noqa: DTZ001
        assert failure["frames"][-1].startswith("services.chassis.etags:")
        assert failure["frames"][-1].endswith(" _octets")

        (failure,) = described(caught(lambda: json.loads("{" + CANARY)))
        assert len(failure["frames"]) == 1
        assert failure["frames"][0].startswith("json.decoder:")

    def test_ends_where_a_chain_bites_its_tail(self):
        one, other = ValueError(CANARY), KeyError(CANARY)
        one.__cause__, other.__cause__ = other, one
        assert [each["type"] for each in described(one)] == ["ValueError", "KeyError"]

    def test_is_short_for_a_chain_and_a_stack_without_end(self):
        def deep(levels):
            if levels == 0:
                raise ValueError(CANARY)
            try:
                deep(levels - 1)
            except ValueError as error:
                raise ValueError(CANARY) from error

        assert len(described(caught(lambda: deep(50)))) == 10

    def test_names_the_members_of_a_group(self):
        group = ExceptionGroup(
            CANARY, [ValueError(CANARY), ExceptionGroup("x", [KeyError(CANARY)])]
        )
        (failure,) = described(group)
        assert [each["type"] for each in failure["members"]] == ["ValueError", "ExceptionGroup"]

    def test_never_quotes_an_exception_that_is_not_ours(self):
        def act():
            try:
                raise BaseExceptionGroup(CANARY, [SystemExit(CANARY)])
            except BaseExceptionGroup as error:
                raise UnicodeDecodeError("utf-8", CANARY.encode(), 0, 1, CANARY) from error

        assert CANARY not in json.dumps(described(caught(act)))


class TestClassName:
    def test_carries_the_module_unless_it_is_built_in(self):
        assert class_name(ValueError()) == "ValueError"
        assert class_name(json.JSONDecodeError("", "", 0)) == "json.decoder.JSONDecodeError"

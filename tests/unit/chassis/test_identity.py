import contextvars
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from services.chassis.errors import CallerNotAllowed, NoIdentity
from services.chassis.identity import (
    ANONYMOUS,
    Caller,
    Policy,
    PolicyError,
    current_caller,
    enter_call,
    require_workspace,
)

INGRESS = Caller("local", "attribution", "ingress")
INGEST = "synaptyx.attribution.v1.EventIngestService"


def text(**changes: Any) -> str:
    content: dict[str, Any] = {
        "trust_domain": "local",
        "identities": {
            "attribution/ingress": {"methods": [f"{INGEST}/*"], "workspaces": ["*"]},
            "attribution/operator": {
                "methods": ["synaptyx.attribution.v1.AttributionService/GetClick"],
                "workspaces": ["shop", "fair"],
            },
        },
    }
    return json.dumps(content | changes)


def identity(**changes: Any) -> str:
    entry = {"methods": [f"{INGEST}/*"], "workspaces": ["*"]} | changes
    return text(identities={"attribution/ingress": entry})


class TestCaller:
    def test_it_is_read_from_a_spiffe_uri(self) -> None:
        caller = Caller.from_spiffe("spiffe://cluster.local/ns/attribution/sa/ingress")
        assert caller == Caller("cluster.local", "attribution", "ingress")
        assert caller.name == "attribution/ingress"

    @pytest.mark.parametrize(
        "uri",
        [
            "",
            "https://local/ns/attribution/sa/ingress",
            "spiffe://local/ns/attribution/sa/",
            "spiffe://local/ns/attribution/sa/ingress/",
            "spiffe://local/ns/attribution/sa/ingress?x=1",
            "spiffe://local/ns/attribution/sa/ingress\n",
            "spiffe://local/ns/attribution/ingress",
            "spiffe://local/ns/../sa/ingress",
            "spiffe://local:443/ns/attribution/sa/ingress",
            "spiffe:///ns/attribution/sa/ingress",
            "spiffe://LOCAL/ns/attribution/sa/ingress",
            "x-spiffe://local/ns/attribution/sa/ingress",
        ],
    )
    def test_anything_else_is_no_identity(self, uri: str) -> None:
        with pytest.raises(NoIdentity):
            Caller.from_spiffe(uri)


class TestPolicy:
    @pytest.mark.parametrize(
        ("caller", "method", "workspace", "allowed"),
        [
            (INGRESS, f"/{INGEST}/IngestEvents", None, True),
            (INGRESS, f"{INGEST}/LogRejectedDeliveries", "shop", True),
            (INGRESS, f"/{INGEST}/IngestEvents", "-", True),
            (INGRESS, "/synaptyx.attribution.v1.EventIngestServiceX/IngestEvents", None, False),
            (INGRESS, "/x.synaptyx.attribution.v1.EventIngestService/IngestEvents", None, False),
            (INGRESS, "/synaptyx.attribution.v1.AttributionService/GetClick", None, False),
            (INGRESS, "", None, False),
            (INGRESS, "/", None, False),
            (Caller("local", "attribution", "stranger"), f"/{INGEST}/IngestEvents", None, False),
            (Caller("local", "other", "ingress"), f"/{INGEST}/IngestEvents", None, False),
            (Caller("else", "attribution", "ingress"), f"/{INGEST}/IngestEvents", None, False),
            (ANONYMOUS, f"/{INGEST}/IngestEvents", None, False),
        ],
    )
    def test_it_allows_what_it_names_and_nothing_else(
        self, caller: Caller, method: str, workspace: str | None, allowed: bool
    ) -> None:
        assert Policy.parse(text()).allows(caller, method, workspace) is allowed

    @pytest.mark.parametrize(
        ("workspace", "allowed"), [("shop", True), ("fair", True), ("market", False), ("-", False)]
    )
    def test_a_list_of_workspaces_is_all_there_is(self, workspace: str, allowed: bool) -> None:
        operator = Caller("local", "attribution", "operator")
        method = "/synaptyx.attribution.v1.AttributionService/GetClick"
        assert Policy.parse(text()).allows(operator, method, workspace) is allowed

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            ("", "line 1: is not JSON (Expecting value)"),
            ("[]", "the file: must be an object with trust_domain and identities"),
            ("[" * 100_000, "is nested too deeply"),
            ('{"trust_domain": "local"}', "the file: identities is missing"),
            (text(extra=1), "the file: extra is unknown"),
            (text(trust_domain=""), "trust_domain: '' must be a trust domain such as"),
            (text(trust_domain=7), "trust_domain: 7 must be a trust domain such as"),
            (text(identities=[]), "identities: must be an object"),
            (text(identities={"ingress": {}}), "identities: 'ingress' must be an identity such as"),
            (text(identities={"a/b": []}), "identities.a/b: must be an object with methods and"),
            (text(identities={"a/b": {"methods": ["a.B/*"]}}), "a/b: workspaces is missing"),
            (identity(also=1), "identities.attribution/ingress: also is unknown"),
            (identity(methods="a.B/*"), "ingress.methods: must be a list with at least one"),
            (identity(methods=[]), "ingress.methods: must be a list with at least one"),
            (identity(methods=["a.B/*", "a.B"]), "ingress.methods[1]: 'a.B' must be a method"),
            (identity(methods=["/a.B/C"]), "ingress.methods[0]: '/a.B/C' must be a method"),
            (identity(methods=["*"]), "ingress.methods[0]: '*' must be a method"),
            (identity(methods=["a.*/C"]), "ingress.methods[0]: 'a.*/C' must be a method"),
            (identity(methods=["a.B/G*"]), "ingress.methods[0]: 'a.B/G*' must be a method"),
            (identity(workspaces=["-"]), "ingress.workspaces[0]: '-' must be a workspace id"),
            (identity(workspaces=["Shop"]), "ingress.workspaces[0]: 'Shop' must be a workspace"),
            (identity(workspaces=[1]), "ingress.workspaces[0]: 1 must be a workspace id"),
            (identity(workspaces=["*", "shop"]), "ingress.workspaces: * stands alone"),
            ('{"trust_domain": "a", "trust_domain": "b"}', "trust_domain: is there twice"),
        ],
    )
    def test_a_mistake_is_one_sentence_with_its_place(
        self, tmp_path: Path, content: str, sentence: str
    ) -> None:
        path = tmp_path / "policy.json"
        path.write_text(content)
        with pytest.raises(PolicyError) as caught:
            Policy.load(path)
        assert str(caught.value).startswith(f"policy {path}: ")
        assert sentence in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_a_file_that_is_not_there_or_not_text_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(PolicyError, match="cannot be read: No such file"):
            Policy.load(tmp_path / "policy.json")
        (tmp_path / "policy.json").write_bytes(b"\xff")
        with pytest.raises(PolicyError, match="is not UTF-8"):
            Policy.load(tmp_path / "policy.json")


def in_a_call(work: Callable[[], None]) -> None:
    contextvars.copy_context().run(work)


class TestCall:
    def test_the_caller_is_known_inside_it(self) -> None:
        def work() -> None:
            enter_call(INGRESS, f"/{INGEST}/IngestEvents", policy=Policy.parse(text()))
            assert current_caller() == INGRESS
            require_workspace("shop")
            require_workspace("-")

        in_a_call(work)

    def test_a_workspace_that_is_not_named_is_refused(self) -> None:
        def work() -> None:
            operator = Caller("local", "attribution", "operator")
            method = "synaptyx.attribution.v1.AttributionService/GetClick"
            enter_call(operator, f"/{method}", policy=Policy.parse(text()))
            require_workspace("shop")
            for workspace in ("market", "-", ""):
                with pytest.raises(CallerNotAllowed) as caught:
                    require_workspace(workspace)
                assert caught.value.method == method
                assert caught.value.identity == "attribution/operator"

        in_a_call(work)

    def test_a_method_that_is_not_named_is_refused(self) -> None:
        def work() -> None:
            with pytest.raises(CallerNotAllowed, match=r"attribution/ingress call a\.B/C"):
                enter_call(INGRESS, "/a.B/C", policy=Policy.parse(text()))
            with pytest.raises(NoIdentity):
                current_caller()

        in_a_call(work)

    def test_without_a_policy_everything_is_allowed(self) -> None:
        def work() -> None:
            enter_call(ANONYMOUS, "/a.B/C", policy=None)
            require_workspace("shop")
            require_workspace("-")
            assert current_caller().name == "anonymous/anonymous"

        in_a_call(work)

    def test_outside_of_one_nobody_is_known(self) -> None:
        with pytest.raises(NoIdentity):
            current_caller()
        with pytest.raises(NoIdentity):
            require_workspace("shop")

import base64
import inspect
from datetime import timedelta
from urllib.parse import quote

import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.rpc import error_details_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st
from synaptyx.type.v1.error_reason_pb2 import ErrorReason

from services.chassis import errors
from services.chassis.errors import (
    CallerNotAllowed,
    CredentialRefused,
    DeadlineExceeded,
    DeadlineRequired,
    DependencyUnavailable,
    EtagMismatch,
    FieldViolation,
    Internal,
    InvalidFields,
    InvalidPageToken,
    InvalidResumeToken,
    NoIdentity,
    Overloaded,
    PromotionCodeTaken,
    ProviderUnavailable,
    ResourceExists,
    ResourceNotFound,
    ResumeTokenExpired,
    SecretStoreRefused,
    SecretUnreadable,
    StateConflict,
    StreamEnded,
    SynaptyxError,
    from_rpc_error,
    to_grpc_status,
    to_status,
)

NAME = "workspaces/acme/goals/signup"
EVERY_ERROR = [
    InvalidFields([FieldViolation("goal", "is missing"), FieldViolation("name", "is too long")]),
    InvalidPageToken(),
    InvalidResumeToken(),
    ResumeTokenExpired(),
    StreamEnded(),
    ResourceNotFound(NAME),
    ResourceExists(NAME),
    PromotionCodeTaken("promotion_codes[2]", campaign="workspaces/acme/campaigns/spring"),
    EtagMismatch(NAME),
    StateConflict(NAME, state="ARCHIVED", advice="restore it first"),
    NoIdentity(),
    CallerNotAllowed("synaptyx.attribution.v1.CampaignService/GetGoal", identity="ns/sa"),
    DeadlineRequired("synaptyx.attribution.v1.CampaignService/GetGoal"),
    DeadlineExceeded(),
    DependencyUnavailable("database", retry_after=timedelta(milliseconds=250)),
    Overloaded(retry_after=timedelta(seconds=3)),
    CredentialRefused("Stripe", explanation="the key was revoked; make another one"),
    ProviderUnavailable("Polar"),
    SecretStoreRefused(),
    SecretUnreadable("workspaces/acme/sources/s/credentials/api-key"),
    Internal(),
    Internal(trace_id="ab" * 16),
]
every_error = pytest.mark.parametrize("error", EVERY_ERROR, ids=lambda error: type(error).__name__)


def raised(
    code: grpc.StatusCode, details: str = "", *metadata: tuple[str, str | bytes]
) -> grpc.aio.AioRpcError:
    """Return what a call raises that ended so."""
    return grpc.aio.AioRpcError(
        code,
        grpc.aio.Metadata(),
        grpc.aio.Metadata(*metadata),
        details=details,
        debug_error_string=None,
    )


def received(status: grpc.Status) -> grpc.aio.AioRpcError:
    """Return what a client raises when a server ended the call with this status."""
    return raised(status.code, status.details, *status.trailing_metadata)


def unpacked(status: status_pb2.Status, message) -> list:
    found = []
    for detail in status.details:
        if detail.Is(message.DESCRIPTOR):
            found.append(message())
            detail.Unpack(found[-1])
    return found


class TestTree:
    def test_has_every_documented_reason_and_no_other(self):
        documented = {
            name.removeprefix("ERROR_REASON_")
            for name in ErrorReason.keys()  # noqa: SIM118
        }
        classes = [
            each
            for _, each in inspect.getmembers(errors, inspect.isclass)
            if issubclass(each, SynaptyxError) and each is not SynaptyxError
        ]
        assert sorted(each.reason for each in classes) == sorted(documented - {"UNSPECIFIED"})
        assert {type(error) for error in EVERY_ERROR} == set(classes)

    @every_error
    def test_is_drawn_in_the_docstring(self, error):
        drawn = [line.split()[1:] for line in (errors.__doc__ or "").splitlines() if "──" in line]
        assert [type(error).__name__, error.code.name, error.reason] in drawn

    @every_error
    def test_makes_a_sentence_of_its_data(self, error):
        assert len(str(error)) > 10
        for value in error.metadata.values():
            assert value in str(error)


class TestToStatus:
    @every_error
    def test_names_reason_and_domain(self, error):
        status = to_status(error)
        (info,) = unpacked(status, error_details_pb2.ErrorInfo)
        assert (info.reason, info.domain) == (error.reason, "synaptyx")
        assert dict(info.metadata) == error.metadata
        assert status.code == error.code.value[0]
        assert status.message == str(error)

    def test_lists_every_violation(self):
        (request,) = unpacked(to_status(EVERY_ERROR[0]), error_details_pb2.BadRequest)
        assert [(each.field, each.description) for each in request.field_violations] == [
            ("goal", "is missing"),
            ("name", "is too long"),
        ]

    def test_says_when_to_try_again(self):
        status = to_status(DependencyUnavailable("database", retry_after=timedelta(seconds=2)))
        (retry,) = unpacked(status, error_details_pb2.RetryInfo)
        assert retry.retry_delay.ToTimedelta() == timedelta(seconds=2)

    @given(
        st.lists(st.builds(FieldViolation, st.text(), st.text()), max_size=5),
        st.integers(1, 400),
        st.text(),
        st.integers(1, 100),
    )
    def test_always_fits_into_the_headers_that_a_client_takes(self, violations, many, text, long):
        for error in (
            InvalidFields(violations * many),
            StateConflict(text * long, state=text * long, advice=text * long),
        ):
            status = to_grpc_status(error)
            ((key, octets),) = status.trailing_metadata
            message = quote(status.details)
            assert isinstance(octets, bytes)
            assert len(key) + len(base64.b64encode(octets)) + len(message) < 7500
            assert type(from_rpc_error(received(status))) is type(error)

    def test_leaves_out_violations_that_are_too_many(self):
        error = InvalidFields([FieldViolation(f"clicks[{n}]", "is wrong") for n in range(1000)])
        (request,) = unpacked(to_status(error), error_details_pb2.BadRequest)
        assert 20 < len(request.field_violations) < 1000
        assert str(error).endswith("; and 997 more")


class TestFromRpcError:
    @every_error
    def test_makes_the_same_error_again(self, error):
        again = from_rpc_error(received(to_grpc_status(error)))
        assert type(again) is type(error)
        assert str(again) == str(error)
        assert vars(again) == vars(error)

    @pytest.mark.parametrize(
        ("code", "expected"),
        [
            (grpc.StatusCode.UNAVAILABLE, DependencyUnavailable),
            (grpc.StatusCode.CANCELLED, DependencyUnavailable),
            (grpc.StatusCode.DEADLINE_EXCEEDED, DeadlineExceeded),
            (grpc.StatusCode.RESOURCE_EXHAUSTED, Overloaded),
            (grpc.StatusCode.UNAUTHENTICATED, NoIdentity),
            (grpc.StatusCode.PERMISSION_DENIED, CallerNotAllowed),
            (grpc.StatusCode.UNIMPLEMENTED, Internal),
            (grpc.StatusCode.INTERNAL, Internal),
            (grpc.StatusCode.UNKNOWN, Internal),
            (grpc.StatusCode.NOT_FOUND, Internal),
        ],
    )
    def test_names_what_grpc_itself_says(self, code, expected):
        error = from_rpc_error(raised(code, "canary"), service="credentials")
        assert type(error) is expected
        assert "canary" not in str(error)

    def test_names_the_service_that_does_not_answer(self):
        error = from_rpc_error(raised(grpc.StatusCode.UNAVAILABLE), service="credentials")
        assert isinstance(error, DependencyUnavailable)
        assert error.dependency == "credentials"
        assert error.retry_after == timedelta(seconds=1)

    def test_does_not_advise_to_send_a_message_again_that_is_too_large(self):
        details = "Received message larger than max (5000000 vs. 4194304)"
        error = from_rpc_error(raised(grpc.StatusCode.RESOURCE_EXHAUSTED, details))
        assert isinstance(error, Internal)

    @pytest.mark.parametrize(
        "octets",
        [
            b"\xff\xff",
            b"",
            status_pb2.Status(code=14, details=[Any(value=b"x")]).SerializeToString(),
            status_pb2.Status(
                code=14,
                details=[
                    Any(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=b"\xff\xff")
                ],
            ).SerializeToString(),
        ],
    )
    def test_falls_back_to_the_code_where_details_cannot_be_read(self, octets):
        error = raised(grpc.StatusCode.UNAVAILABLE, "", ("grpc-status-details-bin", octets))
        assert isinstance(from_rpc_error(error), DependencyUnavailable)

    @pytest.mark.parametrize(
        "info",
        [
            error_details_pb2.ErrorInfo(reason="RESOURCE_NOT_FOUND", domain="googleapis.com"),
            error_details_pb2.ErrorInfo(reason="A_REASON_OF_A_LATER_VERSION", domain="synaptyx"),
        ],
    )
    def test_falls_back_to_the_code_for_reasons_that_it_does_not_know(self, info):
        status = status_pb2.Status(code=14)
        status.details.add().Pack(info)
        entry = ("grpc-status-details-bin", status.SerializeToString())
        error = from_rpc_error(raised(grpc.StatusCode.UNAVAILABLE, "", entry))
        assert isinstance(error, DependencyUnavailable)

    def test_makes_do_with_metadata_that_is_missing(self):
        status = status_pb2.Status(code=5)
        status.details.add().Pack(
            error_details_pb2.ErrorInfo(reason="RESOURCE_NOT_FOUND", domain="synaptyx")
        )
        entry = ("grpc-status-details-bin", status.SerializeToString())
        error = from_rpc_error(raised(grpc.StatusCode.NOT_FOUND, "", entry))
        assert isinstance(error, ResourceNotFound)
        assert error.name == "unknown"

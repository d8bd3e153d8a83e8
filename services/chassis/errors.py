"""The errors that a call may end with, and their form on the wire.

    SynaptyxError
    ├── InvalidFields             INVALID_ARGUMENT      INVALID_FIELD
    ├── InvalidPageToken          INVALID_ARGUMENT      INVALID_PAGE_TOKEN
    ├── InvalidResumeToken        INVALID_ARGUMENT      INVALID_RESUME_TOKEN
    ├── DeadlineRequired          INVALID_ARGUMENT      DEADLINE_REQUIRED
    ├── ResourceNotFound          NOT_FOUND             RESOURCE_NOT_FOUND
    ├── ResourceExists            ALREADY_EXISTS        RESOURCE_EXISTS
    ├── PromotionCodeTaken        ALREADY_EXISTS        PROMOTION_CODE_TAKEN
    ├── EtagMismatch              ABORTED               ETAG_MISMATCH
    ├── StateConflict             FAILED_PRECONDITION   STATE_CONFLICT
    ├── CredentialRefused         FAILED_PRECONDITION   CREDENTIAL_REFUSED
    ├── SecretStoreRefused        FAILED_PRECONDITION   SECRET_STORE_REFUSED
    ├── NoIdentity                UNAUTHENTICATED       NO_IDENTITY
    ├── CallerNotAllowed          PERMISSION_DENIED     CALLER_NOT_ALLOWED
    ├── DeadlineExceeded          DEADLINE_EXCEEDED     DEADLINE_EXCEEDED
    ├── ResumeTokenExpired        OUT_OF_RANGE          RESUME_TOKEN_EXPIRED
    ├── StreamEnded               UNAVAILABLE           STREAM_ENDED
    ├── DependencyUnavailable     UNAVAILABLE           DEPENDENCY_UNAVAILABLE
    ├── ProviderUnavailable       UNAVAILABLE           PROVIDER_UNAVAILABLE
    ├── Overloaded                RESOURCE_EXHAUSTED    OVERLOADED
    ├── SecretUnreadable          DATA_LOSS             SECRET_UNREADABLE
    └── Internal                  INTERNAL              INTERNAL

Every error keeps its data as attributes and makes its own sentence, which a caller
reads: it says what was wrong, where, and what to do, and never holds a secret or a
value that somebody else sent. `metadata` is that data as texts; an error is made
again from it on the other side.

This is the only module that knows statuses: `to_status` writes an error as a
`google.rpc.Status`, `from_rpc_error` reads one back.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final, cast

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

DOMAIN: Final = "synaptyx"

_DETAILS_KEY: Final = "grpc-status-details-bin"
_ONE_SECOND: Final = timedelta(seconds=1)
# In bytes. A client refuses headers over 8 KiB. The sentence travels twice, once
# percent-encoded (up to three times as long), and the whole status in base64.
_SENTENCE_LIMIT: Final = 600
_TEXT_LIMIT: Final = 300
_STATUS_LIMIT: Final = 3500


class SynaptyxError(Exception):
    """Ends a call with a reason that its caller can act on."""

    reason: ClassVar[str]
    code: ClassVar[grpc.StatusCode]

    def __init__(self, message: str, **metadata: str) -> None:
        super().__init__(message)
        self.metadata: Mapping[str, str] = metadata
        self.retry_after: timedelta | None = None


@dataclass(frozen=True)
class FieldViolation:
    """Says what is wrong with one field; the description follows the field's name.

    The field is a path (`click.campaign`, `clicks[3].name`); the description never
    repeats the value ("must be 1 to 200 characters"), but for a path of a mask that
    looks like a field's name.
    """

    field: str
    description: str


class InvalidFields(SynaptyxError):
    """Says that fields of the request are missing or have values they may not have."""

    reason = "INVALID_FIELD"
    code = grpc.StatusCode.INVALID_ARGUMENT

    def __init__(self, violations: Sequence[FieldViolation]) -> None:
        self.violations = tuple(violations)
        shown = "; ".join(f"{each.field} {each.description}" for each in self.violations[:3])
        hidden = len(self.violations) - 3
        more = f"; and {hidden} more" if hidden > 0 else ""
        super().__init__((shown or "a field is not valid") + more)


class InvalidPageToken(SynaptyxError):
    """Says that a page token was not made by this method for these filters."""

    reason = "INVALID_PAGE_TOKEN"
    code = grpc.StatusCode.INVALID_ARGUMENT

    def __init__(self) -> None:
        super().__init__(
            "the page token was not made by this method for these filters: send the"
            " next_page_token of the page before with the same filters, or none to start again"
        )


class InvalidResumeToken(SynaptyxError):
    """Says that a resume token was not made by this method for these filters."""

    reason = "INVALID_RESUME_TOKEN"
    code = grpc.StatusCode.INVALID_ARGUMENT

    def __init__(self) -> None:
        super().__init__(
            "the resume token was not made by this method for these filters: send the last"
            " resume_token of the stream with the same filters, or none to begin now"
        )


class ResumeTokenExpired(SynaptyxError):
    """Says that what came after a resume token is no longer kept."""

    reason = "RESUME_TOKEN_EXPIRED"
    code = grpc.StatusCode.OUT_OF_RANGE

    def __init__(self) -> None:
        super().__init__(
            "what came after the resume token is no longer kept: watch without one, and list"
            " what there is once the first heartbeat has come"
        )


class StreamEnded(SynaptyxError):
    """Says that the server has ended a stream, which is not a fault."""

    reason = "STREAM_ENDED"
    code = grpc.StatusCode.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__(
            "the server has ended the stream, as it does with each after a while and before it"
            " stops: call again with the last resume_token"
        )


class ResourceNotFound(SynaptyxError):
    """Says that no resource has this name."""

    reason = "RESOURCE_NOT_FOUND"
    code = grpc.StatusCode.NOT_FOUND

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"nothing is named {name}: check the name", name=name)


class ResourceExists(SynaptyxError):
    """Says that a resource with this name exists and differs from the one to create."""

    reason = "RESOURCE_EXISTS"
    code = grpc.StatusCode.ALREADY_EXISTS

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"{name} exists and differs: choose another id, or update it", name=name)


class PromotionCodeTaken(SynaptyxError):
    """Says that a promotion code belongs to another campaign of the workspace."""

    reason = "PROMOTION_CODE_TAKEN"
    code = grpc.StatusCode.ALREADY_EXISTS

    def __init__(self, field: str, *, campaign: str) -> None:
        self.field = field
        self.campaign = campaign
        super().__init__(
            f"{field} belongs to {campaign}, archived or not: a code can belong to one campaign"
            " only, so take it off that one first",
            field=field,
            campaign=campaign,
        )


class EtagMismatch(SynaptyxError):
    """Says that a resource has changed since the caller read its etag."""

    reason = "ETAG_MISMATCH"
    code = grpc.StatusCode.ABORTED

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"{name} has changed since its etag was read: read it again, apply the change"
            " to what you read, and send it with the new etag",
            name=name,
        )


class StateConflict(SynaptyxError):
    """Says that the state of a resource does not allow the call."""

    reason = "STATE_CONFLICT"
    code = grpc.StatusCode.FAILED_PRECONDITION

    def __init__(self, name: str, *, state: str, advice: str) -> None:
        self.name = name
        self.state = state
        self.advice = advice
        super().__init__(f"{name} is {state}: {advice}", name=name, state=state, advice=advice)


class NoIdentity(SynaptyxError):
    """Says that the caller presented no identity that can be read."""

    reason = "NO_IDENTITY"
    code = grpc.StatusCode.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__(
            "the caller presented no readable identity: connect with a client certificate"
            " that names spiffe://<trust domain>/ns/<namespace>/sa/<service account>"
        )


class CallerNotAllowed(SynaptyxError):
    """Says that the policy does not let the caller do this, or not in this workspace."""

    reason = "CALLER_NOT_ALLOWED"
    code = grpc.StatusCode.PERMISSION_DENIED

    def __init__(self, method: str, *, identity: str) -> None:
        self.method = method
        self.identity = identity
        super().__init__(
            f"the policy does not let {identity} call {method} with this request: an operator"
            " can allow the method and the workspace in the policy file",
            method=method,
            identity=identity,
        )


class DeadlineRequired(SynaptyxError):
    """Says that the call carries no deadline."""

    reason = "DEADLINE_REQUIRED"
    code = grpc.StatusCode.INVALID_ARGUMENT

    def __init__(self, method: str) -> None:
        self.method = method
        super().__init__(f"the call of {method} carries no deadline: set one", method=method)


class DeadlineExceeded(SynaptyxError):
    """Says that the call did not end before its deadline."""

    reason = "DEADLINE_EXCEEDED"
    code = grpc.StatusCode.DEADLINE_EXCEEDED

    def __init__(self) -> None:
        super().__init__(
            "the call did not end before its deadline: try again, with a later deadline"
            " if it keeps happening"
        )


class DependencyUnavailable(SynaptyxError):
    """Says that a part which the call needs does not answer. Safe to try again."""

    reason = "DEPENDENCY_UNAVAILABLE"
    code = grpc.StatusCode.UNAVAILABLE

    def __init__(self, dependency: str, *, retry_after: timedelta = _ONE_SECOND) -> None:
        self.dependency = dependency
        super().__init__(f"{dependency} does not answer: try again later", dependency=dependency)
        self.retry_after = retry_after


class Overloaded(SynaptyxError):
    """Says that there are too many calls at once. Safe to try again."""

    reason = "OVERLOADED"
    code = grpc.StatusCode.RESOURCE_EXHAUSTED

    def __init__(self, *, retry_after: timedelta = _ONE_SECOND) -> None:
        super().__init__("there are too many calls at once: try again later")
        self.retry_after = retry_after


class CredentialRefused(SynaptyxError):
    """Says that the provider refused the credential; the explanation is ours."""

    reason = "CREDENTIAL_REFUSED"
    code = grpc.StatusCode.FAILED_PRECONDITION

    def __init__(self, provider: str, *, explanation: str) -> None:
        self.provider = provider
        self.explanation = explanation
        super().__init__(
            f"{provider} refused the credential: {explanation}",
            provider=provider,
            explanation=explanation,
        )


class ProviderUnavailable(SynaptyxError):
    """Says that the provider does not answer. Safe to try again."""

    reason = "PROVIDER_UNAVAILABLE"
    code = grpc.StatusCode.UNAVAILABLE

    def __init__(self, provider: str) -> None:
        self.provider = provider
        super().__init__(f"{provider} does not answer: try again later", provider=provider)


class SecretStoreRefused(SynaptyxError):
    """Says that the secret store refuses this service."""

    reason = "SECRET_STORE_REFUSED"
    code = grpc.StatusCode.FAILED_PRECONDITION

    def __init__(self) -> None:
        super().__init__(
            "the secret store refuses this service: an operator must check the role, the"
            " policy and the key that the service is set up with"
        )


class SecretUnreadable(SynaptyxError):
    """Says that a stored secret does not decrypt as the row that holds it."""

    reason = "SECRET_UNREADABLE"
    code = grpc.StatusCode.DATA_LOSS

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"the secret of {name} does not decrypt as its row, so it was altered or moved:"
            " add a new version of it, and find out who changed the row",
            name=name,
        )


class Internal(SynaptyxError):
    """Says that the fault is ours, and no more; the service's log has the rest."""

    reason = "INTERNAL"
    code = grpc.StatusCode.INTERNAL

    def __init__(self, *, trace_id: str | None = None) -> None:
        self.trace_id = trace_id
        where = f" under trace id {trace_id}" if trace_id else ""
        super().__init__(
            f"internal: the service's log has this fault{where}",
            **({"trace_id": trace_id} if trace_id else {}),
        )


def to_status(error: SynaptyxError) -> status_pb2.Status:
    """Write an error as the status that ends a call.

    It always fits into the 8 KiB of headers that a client takes: sentences and
    values are cut short, and violations that are too many are left out.
    """
    status = status_pb2.Status(
        code=error.code.value[0], message=_cut(str(error), limit=_SENTENCE_LIMIT)
    )
    info = error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN)
    for key, value in error.metadata.items():
        info.metadata[key] = _cut(value, limit=_TEXT_LIMIT)
    status.details.add().Pack(info)
    if error.retry_after is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromTimedelta(error.retry_after)
        status.details.add().Pack(retry)
    if isinstance(error, InvalidFields):
        room = _STATUS_LIMIT - status.ByteSize()
        status.details.add().Pack(_bad_request(error.violations, room=room))
    return status


def to_grpc_status(error: SynaptyxError) -> grpc.Status:
    """Write an error in the form that `context.abort_with_status` takes."""
    status: grpc.Status = rpc_status.to_status(to_status(error))
    return status


def from_rpc_error(error: grpc.aio.AioRpcError, *, service: str = "the service") -> SynaptyxError:
    """Read the error that a call ended with.

    Args:
        error: What the call raised.
        service: The called service, named by errors that gRPC itself made.
    """
    status = _status_of(error)
    if status is not None:
        received = _Received.read(status)
        if received is not None and received.reason in _MADE_AGAIN:
            return _MADE_AGAIN[received.reason](received)
    return _from_code(error, service=service)


@dataclass(frozen=True)
class _Received:
    """What a status of ours carries."""

    reason: str
    metadata: Mapping[str, str]
    violations: tuple[FieldViolation, ...]
    retry_after: timedelta

    def text(self, key: str) -> str:
        return self.metadata.get(key, "unknown")

    @staticmethod
    def read(status: status_pb2.Status) -> "_Received | None":
        """Return what the status carries, or None if it is not one of ours."""
        info = error_details_pb2.ErrorInfo()
        request = error_details_pb2.BadRequest()
        retry = error_details_pb2.RetryInfo()
        try:
            for detail in status.details:
                for message in (info, request, retry):
                    detail.Unpack(message)
        except DecodeError:
            return None
        if info.domain != DOMAIN:
            return None
        return _Received(
            reason=info.reason,
            metadata=dict(info.metadata),
            violations=tuple(
                FieldViolation(each.field, each.description) for each in request.field_violations
            ),
            retry_after=(
                retry.retry_delay.ToTimedelta() if retry.HasField("retry_delay") else _ONE_SECOND
            ),
        )


_MADE_AGAIN: Final[Mapping[str, Callable[[_Received], SynaptyxError]]] = {
    InvalidFields.reason: lambda it: InvalidFields(it.violations),
    InvalidPageToken.reason: lambda it: InvalidPageToken(),
    InvalidResumeToken.reason: lambda it: InvalidResumeToken(),
    ResumeTokenExpired.reason: lambda it: ResumeTokenExpired(),
    StreamEnded.reason: lambda it: StreamEnded(),
    ResourceNotFound.reason: lambda it: ResourceNotFound(it.text("name")),
    ResourceExists.reason: lambda it: ResourceExists(it.text("name")),
    PromotionCodeTaken.reason: lambda it: PromotionCodeTaken(
        it.text("field"), campaign=it.text("campaign")
    ),
    EtagMismatch.reason: lambda it: EtagMismatch(it.text("name")),
    StateConflict.reason: lambda it: StateConflict(
        it.text("name"), state=it.text("state"), advice=it.text("advice")
    ),
    NoIdentity.reason: lambda it: NoIdentity(),
    CallerNotAllowed.reason: lambda it: CallerNotAllowed(
        it.text("method"), identity=it.text("identity")
    ),
    DeadlineRequired.reason: lambda it: DeadlineRequired(it.text("method")),
    DeadlineExceeded.reason: lambda it: DeadlineExceeded(),
    DependencyUnavailable.reason: lambda it: DependencyUnavailable(
        it.text("dependency"), retry_after=it.retry_after
    ),
    Overloaded.reason: lambda it: Overloaded(retry_after=it.retry_after),
    CredentialRefused.reason: lambda it: CredentialRefused(
        it.text("provider"), explanation=it.text("explanation")
    ),
    ProviderUnavailable.reason: lambda it: ProviderUnavailable(it.text("provider")),
    SecretStoreRefused.reason: lambda it: SecretStoreRefused(),
    SecretUnreadable.reason: lambda it: SecretUnreadable(it.text("name")),
    Internal.reason: lambda it: Internal(trace_id=it.metadata.get("trace_id")),
}


def _status_of(error: grpc.aio.AioRpcError) -> status_pb2.Status | None:
    """Return the status in the trailing metadata, or None if there is none that can be read."""
    # The stubs of grpc.aio describe an entry wrongly: it is a pair.
    entries = cast("Iterable[tuple[str, str | bytes]]", error.trailing_metadata() or ())
    for key, value in entries:
        if key == _DETAILS_KEY and isinstance(value, bytes):
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:
                return None
    return None


def _from_code(error: grpc.aio.AioRpcError, *, service: str) -> SynaptyxError:
    """Name an error that gRPC or something between the services made."""
    match error.code():
        # CANCELLED comes from a server that stopped before the call ended.
        case grpc.StatusCode.UNAVAILABLE | grpc.StatusCode.CANCELLED:
            return DependencyUnavailable(service)
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return DeadlineExceeded()
        # The same code says that a message is too large, which no retry cures.
        case grpc.StatusCode.RESOURCE_EXHAUSTED if "larger than max" not in (error.details() or ""):
            return Overloaded()
        case grpc.StatusCode.UNAUTHENTICATED:
            return NoIdentity()
        case grpc.StatusCode.PERMISSION_DENIED:
            return CallerNotAllowed(service, identity="this service")
        case _:
            return Internal()


def _bad_request(
    violations: Sequence[FieldViolation], *, room: int
) -> error_details_pb2.BadRequest:
    """Write down as many violations as fit into so many bytes."""
    request = error_details_pb2.BadRequest()
    for violation in violations:
        request.field_violations.add(
            field=_cut(violation.field, limit=_TEXT_LIMIT),
            description=_cut(violation.description, limit=_TEXT_LIMIT),
        )
        if request.ByteSize() > room:
            del request.field_violations[-1]
            break
    return request


def _cut(text: str, *, limit: int) -> str:
    """Shorten a text to so many bytes of UTF-8."""
    # Protobuf takes no lone surrogates; replacing them beats failing to report.
    octets = text.encode("utf-8", "replace")
    if len(octets) <= limit:
        return octets.decode("utf-8")
    return octets[: limit - 3].decode("utf-8", "ignore") + "…"

import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from synaptyx.type.v1 import provider_pb2 as _provider_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_ATTRIBUTED: _ClassVar[Outcome]
    OUTCOME_ADJUSTED: _ClassVar[Outcome]
    OUTCOME_PENDING_PAYMENT: _ClassVar[Outcome]
    OUTCOME_ORPHAN_NO_CLICKID: _ClassVar[Outcome]
    OUTCOME_ORPHAN_UNKNOWN_CLICKID: _ClassVar[Outcome]
    OUTCOME_ORPHAN_NO_PAYMENT: _ClassVar[Outcome]
    OUTCOME_DEFERRED: _ClassVar[Outcome]
    OUTCOME_DUPLICATE: _ClassVar[Outcome]
    OUTCOME_IGNORED: _ClassVar[Outcome]
    OUTCOME_UNKNOWN_ACCOUNT: _ClassVar[Outcome]
    OUTCOME_SOURCE_INACTIVE: _ClassVar[Outcome]
    OUTCOME_QUARANTINED: _ClassVar[Outcome]
    OUTCOME_MALFORMED: _ClassVar[Outcome]
    OUTCOME_INVALID_SIGNATURE: _ClassVar[Outcome]
    OUTCOME_STALE_SIGNATURE: _ClassVar[Outcome]
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_ATTRIBUTED: Outcome
OUTCOME_ADJUSTED: Outcome
OUTCOME_PENDING_PAYMENT: Outcome
OUTCOME_ORPHAN_NO_CLICKID: Outcome
OUTCOME_ORPHAN_UNKNOWN_CLICKID: Outcome
OUTCOME_ORPHAN_NO_PAYMENT: Outcome
OUTCOME_DEFERRED: Outcome
OUTCOME_DUPLICATE: Outcome
OUTCOME_IGNORED: Outcome
OUTCOME_UNKNOWN_ACCOUNT: Outcome
OUTCOME_SOURCE_INACTIVE: Outcome
OUTCOME_QUARANTINED: Outcome
OUTCOME_MALFORMED: Outcome
OUTCOME_INVALID_SIGNATURE: Outcome
OUTCOME_STALE_SIGNATURE: Outcome

class WebhookLog(_message.Message):
    __slots__ = ("name", "provider", "event_id", "event_type", "outcome", "reason", "detail", "conversion", "origin", "test", "receive_time", "delivery_count", "first_outcome", "resolve_time")
    class Origin(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ORIGIN_UNSPECIFIED: _ClassVar[WebhookLog.Origin]
        ORIGIN_WEBHOOK: _ClassVar[WebhookLog.Origin]
        ORIGIN_RECONCILIATION: _ClassVar[WebhookLog.Origin]
    ORIGIN_UNSPECIFIED: WebhookLog.Origin
    ORIGIN_WEBHOOK: WebhookLog.Origin
    ORIGIN_RECONCILIATION: WebhookLog.Origin
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    TEST_FIELD_NUMBER: _ClassVar[int]
    RECEIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_COUNT_FIELD_NUMBER: _ClassVar[int]
    FIRST_OUTCOME_FIELD_NUMBER: _ClassVar[int]
    RESOLVE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    provider: _provider_pb2.Provider
    event_id: str
    event_type: str
    outcome: Outcome
    reason: str
    detail: str
    conversion: str
    origin: WebhookLog.Origin
    test: bool
    receive_time: _timestamp_pb2.Timestamp
    delivery_count: int
    first_outcome: Outcome
    resolve_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., provider: _Optional[_Union[_provider_pb2.Provider, str]] = ..., event_id: _Optional[str] = ..., event_type: _Optional[str] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., reason: _Optional[str] = ..., detail: _Optional[str] = ..., conversion: _Optional[str] = ..., origin: _Optional[_Union[WebhookLog.Origin, str]] = ..., test: _Optional[bool] = ..., receive_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., delivery_count: _Optional[int] = ..., first_outcome: _Optional[_Union[Outcome, str]] = ..., resolve_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from synaptyx.attribution.v1 import webhook_log_pb2 as _webhook_log_pb2
from synaptyx.type.v1 import provider_pb2 as _provider_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ProviderEvent(_message.Message):
    __slots__ = ("source", "provider", "event_id", "event_type", "body", "origin")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    source: str
    provider: _provider_pb2.Provider
    event_id: str
    event_type: str
    body: bytes
    origin: _webhook_log_pb2.WebhookLog.Origin
    def __init__(self, source: _Optional[str] = ..., provider: _Optional[_Union[_provider_pb2.Provider, str]] = ..., event_id: _Optional[str] = ..., event_type: _Optional[str] = ..., body: _Optional[bytes] = ..., origin: _Optional[_Union[_webhook_log_pb2.WebhookLog.Origin, str]] = ...) -> None: ...

class IngestEventsRequest(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[ProviderEvent]
    def __init__(self, events: _Optional[_Iterable[_Union[ProviderEvent, _Mapping]]] = ...) -> None: ...

class IngestResult(_message.Message):
    __slots__ = ("outcome", "reason", "webhook_log", "conversion")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    WEBHOOK_LOG_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_FIELD_NUMBER: _ClassVar[int]
    outcome: _webhook_log_pb2.Outcome
    reason: str
    webhook_log: str
    conversion: str
    def __init__(self, outcome: _Optional[_Union[_webhook_log_pb2.Outcome, str]] = ..., reason: _Optional[str] = ..., webhook_log: _Optional[str] = ..., conversion: _Optional[str] = ...) -> None: ...

class IngestEventsResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[IngestResult]
    def __init__(self, results: _Optional[_Iterable[_Union[IngestResult, _Mapping]]] = ...) -> None: ...

class RejectedDelivery(_message.Message):
    __slots__ = ("source", "provider", "outcome", "reason", "receive_time", "delivery_count")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RECEIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_COUNT_FIELD_NUMBER: _ClassVar[int]
    source: str
    provider: _provider_pb2.Provider
    outcome: _webhook_log_pb2.Outcome
    reason: str
    receive_time: _timestamp_pb2.Timestamp
    delivery_count: int
    def __init__(self, source: _Optional[str] = ..., provider: _Optional[_Union[_provider_pb2.Provider, str]] = ..., outcome: _Optional[_Union[_webhook_log_pb2.Outcome, str]] = ..., reason: _Optional[str] = ..., receive_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., delivery_count: _Optional[int] = ...) -> None: ...

class LogRejectedDeliveriesRequest(_message.Message):
    __slots__ = ("deliveries",)
    DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    deliveries: _containers.RepeatedCompositeFieldContainer[RejectedDelivery]
    def __init__(self, deliveries: _Optional[_Iterable[_Union[RejectedDelivery, _Mapping]]] = ...) -> None: ...

class LogRejectedDeliveriesResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from synaptyx.attribution.v1 import conversion_pb2 as _conversion_pb2
from synaptyx.type.v1 import money_pb2 as _money_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ConversionExplanation(_message.Message):
    __slots__ = ("conversion", "trials", "facts", "attachments")
    class Trial(_message.Message):
        __slots__ = ("basis", "value", "taken", "reason", "detail")
        BASIS_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        TAKEN_FIELD_NUMBER: _ClassVar[int]
        REASON_FIELD_NUMBER: _ClassVar[int]
        DETAIL_FIELD_NUMBER: _ClassVar[int]
        basis: _conversion_pb2.Conversion.Basis
        value: str
        taken: bool
        reason: str
        detail: str
        def __init__(self, basis: _Optional[_Union[_conversion_pb2.Conversion.Basis, str]] = ..., value: _Optional[str] = ..., taken: _Optional[bool] = ..., reason: _Optional[str] = ..., detail: _Optional[str] = ...) -> None: ...
    class AppliedFact(_message.Message):
        __slots__ = ("event_id", "event_type", "webhook_log", "detail", "amounts", "kind")
        EVENT_ID_FIELD_NUMBER: _ClassVar[int]
        EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
        WEBHOOK_LOG_FIELD_NUMBER: _ClassVar[int]
        DETAIL_FIELD_NUMBER: _ClassVar[int]
        AMOUNTS_FIELD_NUMBER: _ClassVar[int]
        KIND_FIELD_NUMBER: _ClassVar[int]
        event_id: str
        event_type: str
        webhook_log: str
        detail: str
        amounts: _containers.RepeatedCompositeFieldContainer[_money_pb2.Money]
        kind: str
        def __init__(self, event_id: _Optional[str] = ..., event_type: _Optional[str] = ..., webhook_log: _Optional[str] = ..., detail: _Optional[str] = ..., amounts: _Optional[_Iterable[_Union[_money_pb2.Money, _Mapping]]] = ..., kind: _Optional[str] = ...) -> None: ...
    class Attachment(_message.Message):
        __slots__ = ("click", "campaign", "actor", "reason", "attach_time")
        CLICK_FIELD_NUMBER: _ClassVar[int]
        CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
        ACTOR_FIELD_NUMBER: _ClassVar[int]
        REASON_FIELD_NUMBER: _ClassVar[int]
        ATTACH_TIME_FIELD_NUMBER: _ClassVar[int]
        click: str
        campaign: str
        actor: str
        reason: str
        attach_time: _timestamp_pb2.Timestamp
        def __init__(self, click: _Optional[str] = ..., campaign: _Optional[str] = ..., actor: _Optional[str] = ..., reason: _Optional[str] = ..., attach_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
    CONVERSION_FIELD_NUMBER: _ClassVar[int]
    TRIALS_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    ATTACHMENTS_FIELD_NUMBER: _ClassVar[int]
    conversion: _conversion_pb2.Conversion
    trials: _containers.RepeatedCompositeFieldContainer[ConversionExplanation.Trial]
    facts: _containers.RepeatedCompositeFieldContainer[ConversionExplanation.AppliedFact]
    attachments: _containers.RepeatedCompositeFieldContainer[ConversionExplanation.Attachment]
    def __init__(self, conversion: _Optional[_Union[_conversion_pb2.Conversion, _Mapping]] = ..., trials: _Optional[_Iterable[_Union[ConversionExplanation.Trial, _Mapping]]] = ..., facts: _Optional[_Iterable[_Union[ConversionExplanation.AppliedFact, _Mapping]]] = ..., attachments: _Optional[_Iterable[_Union[ConversionExplanation.Attachment, _Mapping]]] = ...) -> None: ...

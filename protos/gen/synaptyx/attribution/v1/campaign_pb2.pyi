import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from synaptyx.type.v1 import money_pb2 as _money_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Campaign(_message.Message):
    __slots__ = ("name", "display_name", "state", "create_time", "update_time", "archive_time", "etag", "promotion_codes", "attribution_window", "landing_uri", "fallback_uri", "cost_per_click", "tracking_uri")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Campaign.State]
        STATE_ACTIVE: _ClassVar[Campaign.State]
        STATE_ARCHIVED: _ClassVar[Campaign.State]
    STATE_UNSPECIFIED: Campaign.State
    STATE_ACTIVE: Campaign.State
    STATE_ARCHIVED: Campaign.State
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    ARCHIVE_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    PROMOTION_CODES_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTION_WINDOW_FIELD_NUMBER: _ClassVar[int]
    LANDING_URI_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_URI_FIELD_NUMBER: _ClassVar[int]
    COST_PER_CLICK_FIELD_NUMBER: _ClassVar[int]
    TRACKING_URI_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    state: Campaign.State
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    archive_time: _timestamp_pb2.Timestamp
    etag: str
    promotion_codes: _containers.RepeatedScalarFieldContainer[str]
    attribution_window: _duration_pb2.Duration
    landing_uri: str
    fallback_uri: str
    cost_per_click: _money_pb2.Money
    tracking_uri: str
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., state: _Optional[_Union[Campaign.State, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., archive_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ..., promotion_codes: _Optional[_Iterable[str]] = ..., attribution_window: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., landing_uri: _Optional[str] = ..., fallback_uri: _Optional[str] = ..., cost_per_click: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., tracking_uri: _Optional[str] = ...) -> None: ...

import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from synaptyx.attribution.v1 import click_pb2 as _click_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TrackingLink(_message.Message):
    __slots__ = ("tracking_id", "campaign", "landing_uri", "fallback_uri", "archived")
    TRACKING_ID_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    LANDING_URI_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_URI_FIELD_NUMBER: _ClassVar[int]
    ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    tracking_id: str
    campaign: str
    landing_uri: str
    fallback_uri: str
    archived: bool
    def __init__(self, tracking_id: _Optional[str] = ..., campaign: _Optional[str] = ..., landing_uri: _Optional[str] = ..., fallback_uri: _Optional[str] = ..., archived: _Optional[bool] = ...) -> None: ...

class GetTrackingLinkRequest(_message.Message):
    __slots__ = ("tracking_id", "workspace")
    TRACKING_ID_FIELD_NUMBER: _ClassVar[int]
    WORKSPACE_FIELD_NUMBER: _ClassVar[int]
    tracking_id: str
    workspace: str
    def __init__(self, tracking_id: _Optional[str] = ..., workspace: _Optional[str] = ...) -> None: ...

class ListTrackingLinksRequest(_message.Message):
    __slots__ = ("page_size", "page_token", "changed_since")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CHANGED_SINCE_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    changed_since: _timestamp_pb2.Timestamp
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., changed_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListTrackingLinksResponse(_message.Message):
    __slots__ = ("tracking_links", "next_page_token", "read_time")
    TRACKING_LINKS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    READ_TIME_FIELD_NUMBER: _ClassVar[int]
    tracking_links: _containers.RepeatedCompositeFieldContainer[TrackingLink]
    next_page_token: str
    read_time: _timestamp_pb2.Timestamp
    def __init__(self, tracking_links: _Optional[_Iterable[_Union[TrackingLink, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., read_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class TrackedClick(_message.Message):
    __slots__ = ("click", "cost")
    CLICK_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    click: _click_pb2.Click
    cost: str
    def __init__(self, click: _Optional[_Union[_click_pb2.Click, _Mapping]] = ..., cost: _Optional[str] = ...) -> None: ...

class RecordTrackedClicksRequest(_message.Message):
    __slots__ = ("clicks",)
    CLICKS_FIELD_NUMBER: _ClassVar[int]
    clicks: _containers.RepeatedCompositeFieldContainer[TrackedClick]
    def __init__(self, clicks: _Optional[_Iterable[_Union[TrackedClick, _Mapping]]] = ...) -> None: ...

class RecordTrackedClickResult(_message.Message):
    __slots__ = ("state", "reason")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[RecordTrackedClickResult.State]
        STATE_RECORDED: _ClassVar[RecordTrackedClickResult.State]
        STATE_KNOWN: _ClassVar[RecordTrackedClickResult.State]
        STATE_REFUSED: _ClassVar[RecordTrackedClickResult.State]
    STATE_UNSPECIFIED: RecordTrackedClickResult.State
    STATE_RECORDED: RecordTrackedClickResult.State
    STATE_KNOWN: RecordTrackedClickResult.State
    STATE_REFUSED: RecordTrackedClickResult.State
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    state: RecordTrackedClickResult.State
    reason: str
    def __init__(self, state: _Optional[_Union[RecordTrackedClickResult.State, str]] = ..., reason: _Optional[str] = ...) -> None: ...

class RecordTrackedClicksResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[RecordTrackedClickResult]
    def __init__(self, results: _Optional[_Iterable[_Union[RecordTrackedClickResult, _Mapping]]] = ...) -> None: ...

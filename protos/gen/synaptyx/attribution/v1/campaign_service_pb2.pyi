import datetime

from google.api import client_pb2 as _client_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import empty_pb2 as _empty_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from synaptyx.attribution.v1 import campaign_pb2 as _campaign_pb2
from synaptyx.attribution.v1 import event_mapping_pb2 as _event_mapping_pb2
from synaptyx.attribution.v1 import goal_pb2 as _goal_pb2
from synaptyx.type.v1 import money_pb2 as _money_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetCampaignRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListCampaignsRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token", "show_archived")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SHOW_ARCHIVED_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    show_archived: bool
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., show_archived: _Optional[bool] = ...) -> None: ...

class ListCampaignsResponse(_message.Message):
    __slots__ = ("campaigns", "next_page_token")
    CAMPAIGNS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    campaigns: _containers.RepeatedCompositeFieldContainer[_campaign_pb2.Campaign]
    next_page_token: str
    def __init__(self, campaigns: _Optional[_Iterable[_Union[_campaign_pb2.Campaign, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateCampaignRequest(_message.Message):
    __slots__ = ("parent", "campaign", "campaign_id", "request_id")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    parent: str
    campaign: _campaign_pb2.Campaign
    campaign_id: str
    request_id: str
    def __init__(self, parent: _Optional[str] = ..., campaign: _Optional[_Union[_campaign_pb2.Campaign, _Mapping]] = ..., campaign_id: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class UpdateCampaignRequest(_message.Message):
    __slots__ = ("campaign", "update_mask")
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    campaign: _campaign_pb2.Campaign
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, campaign: _Optional[_Union[_campaign_pb2.Campaign, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class ArchiveCampaignRequest(_message.Message):
    __slots__ = ("name", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class RestoreCampaignRequest(_message.Message):
    __slots__ = ("name", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class GetGoalRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListGoalsRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListGoalsResponse(_message.Message):
    __slots__ = ("goals", "next_page_token")
    GOALS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    goals: _containers.RepeatedCompositeFieldContainer[_goal_pb2.Goal]
    next_page_token: str
    def __init__(self, goals: _Optional[_Iterable[_Union[_goal_pb2.Goal, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateGoalRequest(_message.Message):
    __slots__ = ("parent", "goal", "goal_id", "request_id")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    GOAL_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    parent: str
    goal: _goal_pb2.Goal
    goal_id: str
    request_id: str
    def __init__(self, parent: _Optional[str] = ..., goal: _Optional[_Union[_goal_pb2.Goal, _Mapping]] = ..., goal_id: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class UpdateGoalRequest(_message.Message):
    __slots__ = ("goal", "update_mask")
    GOAL_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    goal: _goal_pb2.Goal
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, goal: _Optional[_Union[_goal_pb2.Goal, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class DeleteGoalRequest(_message.Message):
    __slots__ = ("name", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class GetEventMappingRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListEventMappingsRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListEventMappingsResponse(_message.Message):
    __slots__ = ("event_mappings", "next_page_token")
    EVENT_MAPPINGS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    event_mappings: _containers.RepeatedCompositeFieldContainer[_event_mapping_pb2.EventMapping]
    next_page_token: str
    def __init__(self, event_mappings: _Optional[_Iterable[_Union[_event_mapping_pb2.EventMapping, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateEventMappingRequest(_message.Message):
    __slots__ = ("parent", "event_mapping", "event_mapping_id", "request_id")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    EVENT_MAPPING_FIELD_NUMBER: _ClassVar[int]
    EVENT_MAPPING_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    parent: str
    event_mapping: _event_mapping_pb2.EventMapping
    event_mapping_id: str
    request_id: str
    def __init__(self, parent: _Optional[str] = ..., event_mapping: _Optional[_Union[_event_mapping_pb2.EventMapping, _Mapping]] = ..., event_mapping_id: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class UpdateEventMappingRequest(_message.Message):
    __slots__ = ("event_mapping", "update_mask")
    EVENT_MAPPING_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    event_mapping: _event_mapping_pb2.EventMapping
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, event_mapping: _Optional[_Union[_event_mapping_pb2.EventMapping, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class DeleteEventMappingRequest(_message.Message):
    __slots__ = ("name", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class PreviewEventMappingsRequest(_message.Message):
    __slots__ = ("parent", "event_mappings", "start_time", "end_time", "include_test")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    EVENT_MAPPINGS_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_TEST_FIELD_NUMBER: _ClassVar[int]
    parent: str
    event_mappings: _containers.RepeatedCompositeFieldContainer[_event_mapping_pb2.EventMapping]
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    include_test: bool
    def __init__(self, parent: _Optional[str] = ..., event_mappings: _Optional[_Iterable[_Union[_event_mapping_pb2.EventMapping, _Mapping]]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., include_test: _Optional[bool] = ...) -> None: ...

class PreviewEventMappingsResponse(_message.Message):
    __slots__ = ("event_types", "present", "proposed", "event_count", "unreadable_event_count", "start_time", "end_time", "truncated")
    class Tally(_message.Message):
        __slots__ = ("conversion_count", "gross", "net")
        CONVERSION_COUNT_FIELD_NUMBER: _ClassVar[int]
        GROSS_FIELD_NUMBER: _ClassVar[int]
        NET_FIELD_NUMBER: _ClassVar[int]
        conversion_count: int
        gross: _containers.RepeatedCompositeFieldContainer[_money_pb2.Money]
        net: _containers.RepeatedCompositeFieldContainer[_money_pb2.Money]
        def __init__(self, conversion_count: _Optional[int] = ..., gross: _Optional[_Iterable[_Union[_money_pb2.Money, _Mapping]]] = ..., net: _Optional[_Iterable[_Union[_money_pb2.Money, _Mapping]]] = ...) -> None: ...
    class EventTypePreview(_message.Message):
        __slots__ = ("event_type", "event_count", "present", "proposed")
        EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
        EVENT_COUNT_FIELD_NUMBER: _ClassVar[int]
        PRESENT_FIELD_NUMBER: _ClassVar[int]
        PROPOSED_FIELD_NUMBER: _ClassVar[int]
        event_type: str
        event_count: int
        present: PreviewEventMappingsResponse.Tally
        proposed: PreviewEventMappingsResponse.Tally
        def __init__(self, event_type: _Optional[str] = ..., event_count: _Optional[int] = ..., present: _Optional[_Union[PreviewEventMappingsResponse.Tally, _Mapping]] = ..., proposed: _Optional[_Union[PreviewEventMappingsResponse.Tally, _Mapping]] = ...) -> None: ...
    EVENT_TYPES_FIELD_NUMBER: _ClassVar[int]
    PRESENT_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_FIELD_NUMBER: _ClassVar[int]
    EVENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNREADABLE_EVENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    event_types: _containers.RepeatedCompositeFieldContainer[PreviewEventMappingsResponse.EventTypePreview]
    present: PreviewEventMappingsResponse.Tally
    proposed: PreviewEventMappingsResponse.Tally
    event_count: int
    unreadable_event_count: int
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    truncated: bool
    def __init__(self, event_types: _Optional[_Iterable[_Union[PreviewEventMappingsResponse.EventTypePreview, _Mapping]]] = ..., present: _Optional[_Union[PreviewEventMappingsResponse.Tally, _Mapping]] = ..., proposed: _Optional[_Union[PreviewEventMappingsResponse.Tally, _Mapping]] = ..., event_count: _Optional[int] = ..., unreadable_event_count: _Optional[int] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., truncated: _Optional[bool] = ...) -> None: ...

import datetime

from google.api import client_pb2 as _client_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import empty_pb2 as _empty_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from synaptyx.attribution.v1 import click_pb2 as _click_pb2
from synaptyx.attribution.v1 import conversion_pb2 as _conversion_pb2
from synaptyx.attribution.v1 import conversion_change_pb2 as _conversion_change_pb2
from synaptyx.attribution.v1 import conversion_explanation_pb2 as _conversion_explanation_pb2
from synaptyx.attribution.v1 import revenue_pb2 as _revenue_pb2
from synaptyx.attribution.v1 import webhook_log_pb2 as _webhook_log_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RecordClickRequest(_message.Message):
    __slots__ = ("parent", "click_id", "click")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    CLICK_ID_FIELD_NUMBER: _ClassVar[int]
    CLICK_FIELD_NUMBER: _ClassVar[int]
    parent: str
    click_id: str
    click: _click_pb2.Click
    def __init__(self, parent: _Optional[str] = ..., click_id: _Optional[str] = ..., click: _Optional[_Union[_click_pb2.Click, _Mapping]] = ...) -> None: ...

class BatchRecordClicksRequest(_message.Message):
    __slots__ = ("parent", "requests")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    parent: str
    requests: _containers.RepeatedCompositeFieldContainer[RecordClickRequest]
    def __init__(self, parent: _Optional[str] = ..., requests: _Optional[_Iterable[_Union[RecordClickRequest, _Mapping]]] = ...) -> None: ...

class BatchRecordClicksResponse(_message.Message):
    __slots__ = ("clicks",)
    CLICKS_FIELD_NUMBER: _ClassVar[int]
    clicks: _containers.RepeatedCompositeFieldContainer[_click_pb2.Click]
    def __init__(self, clicks: _Optional[_Iterable[_Union[_click_pb2.Click, _Mapping]]] = ...) -> None: ...

class GetClickRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetConversionRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListConversionsRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token", "source", "campaign", "click", "states", "provider_id", "credited", "test", "start_pay_time", "end_pay_time")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    CLICK_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_ID_FIELD_NUMBER: _ClassVar[int]
    CREDITED_FIELD_NUMBER: _ClassVar[int]
    TEST_FIELD_NUMBER: _ClassVar[int]
    START_PAY_TIME_FIELD_NUMBER: _ClassVar[int]
    END_PAY_TIME_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    source: str
    campaign: str
    click: str
    states: _containers.RepeatedScalarFieldContainer[_conversion_pb2.Conversion.State]
    provider_id: str
    credited: bool
    test: bool
    start_pay_time: _timestamp_pb2.Timestamp
    end_pay_time: _timestamp_pb2.Timestamp
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., source: _Optional[str] = ..., campaign: _Optional[str] = ..., click: _Optional[str] = ..., states: _Optional[_Iterable[_Union[_conversion_pb2.Conversion.State, str]]] = ..., provider_id: _Optional[str] = ..., credited: _Optional[bool] = ..., test: _Optional[bool] = ..., start_pay_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_pay_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListConversionsResponse(_message.Message):
    __slots__ = ("conversions", "next_page_token")
    CONVERSIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    conversions: _containers.RepeatedCompositeFieldContainer[_conversion_pb2.Conversion]
    next_page_token: str
    def __init__(self, conversions: _Optional[_Iterable[_Union[_conversion_pb2.Conversion, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetWebhookLogRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListWebhookLogsRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token", "outcomes", "event_id", "event_type", "conversion", "start_time", "end_time")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    OUTCOMES_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    outcomes: _containers.RepeatedScalarFieldContainer[_webhook_log_pb2.Outcome]
    event_id: str
    event_type: str
    conversion: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., outcomes: _Optional[_Iterable[_Union[_webhook_log_pb2.Outcome, str]]] = ..., event_id: _Optional[str] = ..., event_type: _Optional[str] = ..., conversion: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListWebhookLogsResponse(_message.Message):
    __slots__ = ("webhook_logs", "next_page_token")
    WEBHOOK_LOGS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    webhook_logs: _containers.RepeatedCompositeFieldContainer[_webhook_log_pb2.WebhookLog]
    next_page_token: str
    def __init__(self, webhook_logs: _Optional[_Iterable[_Union[_webhook_log_pb2.WebhookLog, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchConversionsRequest(_message.Message):
    __slots__ = ("parent", "resume_token", "source", "campaign")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    resume_token: str
    source: str
    campaign: str
    def __init__(self, parent: _Optional[str] = ..., resume_token: _Optional[str] = ..., source: _Optional[str] = ..., campaign: _Optional[str] = ...) -> None: ...

class WatchConversionsResponse(_message.Message):
    __slots__ = ("resume_token", "changes")
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    resume_token: str
    changes: _containers.RepeatedCompositeFieldContainer[_conversion_change_pb2.ConversionChange]
    def __init__(self, resume_token: _Optional[str] = ..., changes: _Optional[_Iterable[_Union[_conversion_change_pb2.ConversionChange, _Mapping]]] = ...) -> None: ...

class ExplainConversionRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class AttachConversionRequest(_message.Message):
    __slots__ = ("name", "click", "campaign", "evidence", "reason", "request_id", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    CLICK_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    click: str
    campaign: str
    evidence: _empty_pb2.Empty
    reason: str
    request_id: str
    etag: str
    def __init__(self, name: _Optional[str] = ..., click: _Optional[str] = ..., campaign: _Optional[str] = ..., evidence: _Optional[_Union[_empty_pb2.Empty, _Mapping]] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class ReplayEventRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class QueryRevenueRequest(_message.Message):
    __slots__ = ("parent", "start_time", "end_time", "time_zone", "group_by", "source", "campaign", "goal", "currency_code", "include_test", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_CODE_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_TEST_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    time_zone: str
    group_by: _containers.RepeatedCompositeFieldContainer[_revenue_pb2.RevenueDimension]
    source: str
    campaign: str
    goal: str
    currency_code: str
    include_test: bool
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., time_zone: _Optional[str] = ..., group_by: _Optional[_Iterable[_Union[_revenue_pb2.RevenueDimension, _Mapping]]] = ..., source: _Optional[str] = ..., campaign: _Optional[str] = ..., goal: _Optional[str] = ..., currency_code: _Optional[str] = ..., include_test: _Optional[bool] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class QueryRevenueResponse(_message.Message):
    __slots__ = ("rows", "next_page_token")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[_revenue_pb2.RevenueRow]
    next_page_token: str
    def __init__(self, rows: _Optional[_Iterable[_Union[_revenue_pb2.RevenueRow, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

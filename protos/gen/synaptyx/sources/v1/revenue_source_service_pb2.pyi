from google.api import client_pb2 as _client_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from synaptyx.sources.v1 import revenue_source_pb2 as _revenue_source_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetRevenueSourceRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListRevenueSourcesRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token", "states")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    states: _containers.RepeatedScalarFieldContainer[_revenue_source_pb2.RevenueSource.State]
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., states: _Optional[_Iterable[_Union[_revenue_source_pb2.RevenueSource.State, str]]] = ...) -> None: ...

class ListRevenueSourcesResponse(_message.Message):
    __slots__ = ("revenue_sources", "next_page_token")
    REVENUE_SOURCES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    revenue_sources: _containers.RepeatedCompositeFieldContainer[_revenue_source_pb2.RevenueSource]
    next_page_token: str
    def __init__(self, revenue_sources: _Optional[_Iterable[_Union[_revenue_source_pb2.RevenueSource, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class CreateRevenueSourceRequest(_message.Message):
    __slots__ = ("parent", "revenue_source", "request_id")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    REVENUE_SOURCE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    parent: str
    revenue_source: _revenue_source_pb2.RevenueSource
    request_id: str
    def __init__(self, parent: _Optional[str] = ..., revenue_source: _Optional[_Union[_revenue_source_pb2.RevenueSource, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class UpdateRevenueSourceRequest(_message.Message):
    __slots__ = ("revenue_source", "update_mask")
    REVENUE_SOURCE_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    revenue_source: _revenue_source_pb2.RevenueSource
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, revenue_source: _Optional[_Union[_revenue_source_pb2.RevenueSource, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class GetSnippetRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ConnectRevenueSourceRequest(_message.Message):
    __slots__ = ("name", "api_key", "webhook_signing_secret", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    API_KEY_FIELD_NUMBER: _ClassVar[int]
    WEBHOOK_SIGNING_SECRET_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    api_key: str
    webhook_signing_secret: str
    etag: str
    def __init__(self, name: _Optional[str] = ..., api_key: _Optional[str] = ..., webhook_signing_secret: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class DisconnectRevenueSourceRequest(_message.Message):
    __slots__ = ("name", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

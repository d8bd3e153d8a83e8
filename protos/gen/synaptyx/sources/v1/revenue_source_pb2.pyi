import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from synaptyx.type.v1 import provider_pb2 as _provider_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RevenueSource(_message.Message):
    __slots__ = ("name", "display_name", "provider", "connection_mode", "state", "webhook_uri", "provider_account", "test", "create_time", "update_time", "connect_time", "disconnect_time", "etag", "snippet_settings")
    class ConnectionMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CONNECTION_MODE_UNSPECIFIED: _ClassVar[RevenueSource.ConnectionMode]
        CONNECTION_MODE_API_KEY: _ClassVar[RevenueSource.ConnectionMode]
        CONNECTION_MODE_OAUTH: _ClassVar[RevenueSource.ConnectionMode]
    CONNECTION_MODE_UNSPECIFIED: RevenueSource.ConnectionMode
    CONNECTION_MODE_API_KEY: RevenueSource.ConnectionMode
    CONNECTION_MODE_OAUTH: RevenueSource.ConnectionMode
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[RevenueSource.State]
        STATE_PENDING: _ClassVar[RevenueSource.State]
        STATE_ACTIVE: _ClassVar[RevenueSource.State]
        STATE_NEEDS_RECONNECT: _ClassVar[RevenueSource.State]
        STATE_DISCONNECTED: _ClassVar[RevenueSource.State]
    STATE_UNSPECIFIED: RevenueSource.State
    STATE_PENDING: RevenueSource.State
    STATE_ACTIVE: RevenueSource.State
    STATE_NEEDS_RECONNECT: RevenueSource.State
    STATE_DISCONNECTED: RevenueSource.State
    NAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_MODE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    WEBHOOK_URI_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    TEST_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    CONNECT_TIME_FIELD_NUMBER: _ClassVar[int]
    DISCONNECT_TIME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    SNIPPET_SETTINGS_FIELD_NUMBER: _ClassVar[int]
    name: str
    display_name: str
    provider: _provider_pb2.Provider
    connection_mode: RevenueSource.ConnectionMode
    state: RevenueSource.State
    webhook_uri: str
    provider_account: str
    test: bool
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    connect_time: _timestamp_pb2.Timestamp
    disconnect_time: _timestamp_pb2.Timestamp
    etag: str
    snippet_settings: SnippetSettings
    def __init__(self, name: _Optional[str] = ..., display_name: _Optional[str] = ..., provider: _Optional[_Union[_provider_pb2.Provider, str]] = ..., connection_mode: _Optional[_Union[RevenueSource.ConnectionMode, str]] = ..., state: _Optional[_Union[RevenueSource.State, str]] = ..., webhook_uri: _Optional[str] = ..., provider_account: _Optional[str] = ..., test: _Optional[bool] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., connect_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., disconnect_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., etag: _Optional[str] = ..., snippet_settings: _Optional[_Union[SnippetSettings, _Mapping]] = ...) -> None: ...

class SnippetSettings(_message.Message):
    __slots__ = ("cookie_lifetime", "touch", "consent_required", "link_hosts")
    class Touch(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        TOUCH_UNSPECIFIED: _ClassVar[SnippetSettings.Touch]
        TOUCH_FIRST: _ClassVar[SnippetSettings.Touch]
        TOUCH_LAST: _ClassVar[SnippetSettings.Touch]
    TOUCH_UNSPECIFIED: SnippetSettings.Touch
    TOUCH_FIRST: SnippetSettings.Touch
    TOUCH_LAST: SnippetSettings.Touch
    COOKIE_LIFETIME_FIELD_NUMBER: _ClassVar[int]
    TOUCH_FIELD_NUMBER: _ClassVar[int]
    CONSENT_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    LINK_HOSTS_FIELD_NUMBER: _ClassVar[int]
    cookie_lifetime: _duration_pb2.Duration
    touch: SnippetSettings.Touch
    consent_required: bool
    link_hosts: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, cookie_lifetime: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., touch: _Optional[_Union[SnippetSettings.Touch, str]] = ..., consent_required: _Optional[bool] = ..., link_hosts: _Optional[_Iterable[str]] = ...) -> None: ...

class Snippet(_message.Message):
    __slots__ = ("name", "script_uri", "script_tag", "floating_script_tag", "integrity", "content", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SCRIPT_URI_FIELD_NUMBER: _ClassVar[int]
    SCRIPT_TAG_FIELD_NUMBER: _ClassVar[int]
    FLOATING_SCRIPT_TAG_FIELD_NUMBER: _ClassVar[int]
    INTEGRITY_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    script_uri: str
    script_tag: str
    floating_script_tag: str
    integrity: str
    content: str
    etag: str
    def __init__(self, name: _Optional[str] = ..., script_uri: _Optional[str] = ..., script_tag: _Optional[str] = ..., floating_script_tag: _Optional[str] = ..., integrity: _Optional[str] = ..., content: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

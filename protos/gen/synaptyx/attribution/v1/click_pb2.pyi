import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from synaptyx.type.v1 import money_pb2 as _money_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Click(_message.Message):
    __slots__ = ("name", "campaign", "click_time", "referrer", "parameters", "cost", "create_time", "browser", "device", "country", "ip_address", "traffic_category")
    class Device(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        DEVICE_UNSPECIFIED: _ClassVar[Click.Device]
        DEVICE_DESKTOP: _ClassVar[Click.Device]
        DEVICE_MOBILE: _ClassVar[Click.Device]
        DEVICE_TABLET: _ClassVar[Click.Device]
        DEVICE_OTHER: _ClassVar[Click.Device]
    DEVICE_UNSPECIFIED: Click.Device
    DEVICE_DESKTOP: Click.Device
    DEVICE_MOBILE: Click.Device
    DEVICE_TABLET: Click.Device
    DEVICE_OTHER: Click.Device
    class TrafficCategory(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        TRAFFIC_CATEGORY_UNSPECIFIED: _ClassVar[Click.TrafficCategory]
        TRAFFIC_CATEGORY_PAID: _ClassVar[Click.TrafficCategory]
        TRAFFIC_CATEGORY_ORGANIC: _ClassVar[Click.TrafficCategory]
        TRAFFIC_CATEGORY_SOCIAL: _ClassVar[Click.TrafficCategory]
        TRAFFIC_CATEGORY_AI: _ClassVar[Click.TrafficCategory]
        TRAFFIC_CATEGORY_REFERRAL: _ClassVar[Click.TrafficCategory]
        TRAFFIC_CATEGORY_EMAIL: _ClassVar[Click.TrafficCategory]
        TRAFFIC_CATEGORY_DIRECT: _ClassVar[Click.TrafficCategory]
    TRAFFIC_CATEGORY_UNSPECIFIED: Click.TrafficCategory
    TRAFFIC_CATEGORY_PAID: Click.TrafficCategory
    TRAFFIC_CATEGORY_ORGANIC: Click.TrafficCategory
    TRAFFIC_CATEGORY_SOCIAL: Click.TrafficCategory
    TRAFFIC_CATEGORY_AI: Click.TrafficCategory
    TRAFFIC_CATEGORY_REFERRAL: Click.TrafficCategory
    TRAFFIC_CATEGORY_EMAIL: Click.TrafficCategory
    TRAFFIC_CATEGORY_DIRECT: Click.TrafficCategory
    class ParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    CLICK_TIME_FIELD_NUMBER: _ClassVar[int]
    REFERRER_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    BROWSER_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    IP_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    TRAFFIC_CATEGORY_FIELD_NUMBER: _ClassVar[int]
    name: str
    campaign: str
    click_time: _timestamp_pb2.Timestamp
    referrer: str
    parameters: _containers.ScalarMap[str, str]
    cost: _money_pb2.Money
    create_time: _timestamp_pb2.Timestamp
    browser: str
    device: Click.Device
    country: str
    ip_address: str
    traffic_category: Click.TrafficCategory
    def __init__(self, name: _Optional[str] = ..., campaign: _Optional[str] = ..., click_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., referrer: _Optional[str] = ..., parameters: _Optional[_Mapping[str, str]] = ..., cost: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., browser: _Optional[str] = ..., device: _Optional[_Union[Click.Device, str]] = ..., country: _Optional[str] = ..., ip_address: _Optional[str] = ..., traffic_category: _Optional[_Union[Click.TrafficCategory, str]] = ...) -> None: ...

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.type import date_pb2 as _date_pb2
from synaptyx.type.v1 import money_pb2 as _money_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RevenueDimension(_message.Message):
    __slots__ = ("kind", "parameter")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[RevenueDimension.Kind]
        KIND_CAMPAIGN: _ClassVar[RevenueDimension.Kind]
        KIND_GOAL: _ClassVar[RevenueDimension.Kind]
        KIND_SOURCE: _ClassVar[RevenueDimension.Kind]
        KIND_DAY: _ClassVar[RevenueDimension.Kind]
        KIND_CLICK_PARAMETER: _ClassVar[RevenueDimension.Kind]
    KIND_UNSPECIFIED: RevenueDimension.Kind
    KIND_CAMPAIGN: RevenueDimension.Kind
    KIND_GOAL: RevenueDimension.Kind
    KIND_SOURCE: RevenueDimension.Kind
    KIND_DAY: RevenueDimension.Kind
    KIND_CLICK_PARAMETER: RevenueDimension.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    PARAMETER_FIELD_NUMBER: _ClassVar[int]
    kind: RevenueDimension.Kind
    parameter: str
    def __init__(self, kind: _Optional[_Union[RevenueDimension.Kind, str]] = ..., parameter: _Optional[str] = ...) -> None: ...

class RevenueRow(_message.Message):
    __slots__ = ("campaign", "goal", "source", "day", "click_parameters", "currency_code", "gross", "refunded", "disputed", "net", "conversion_count", "renewal_count", "refund_rate", "cost", "return_on_cost")
    class ClickParametersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DAY_FIELD_NUMBER: _ClassVar[int]
    CLICK_PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_CODE_FIELD_NUMBER: _ClassVar[int]
    GROSS_FIELD_NUMBER: _ClassVar[int]
    REFUNDED_FIELD_NUMBER: _ClassVar[int]
    DISPUTED_FIELD_NUMBER: _ClassVar[int]
    NET_FIELD_NUMBER: _ClassVar[int]
    CONVERSION_COUNT_FIELD_NUMBER: _ClassVar[int]
    RENEWAL_COUNT_FIELD_NUMBER: _ClassVar[int]
    REFUND_RATE_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    RETURN_ON_COST_FIELD_NUMBER: _ClassVar[int]
    campaign: str
    goal: str
    source: str
    day: _date_pb2.Date
    click_parameters: _containers.ScalarMap[str, str]
    currency_code: str
    gross: _money_pb2.Money
    refunded: _money_pb2.Money
    disputed: _money_pb2.Money
    net: _money_pb2.Money
    conversion_count: int
    renewal_count: int
    refund_rate: float
    cost: _money_pb2.Money
    return_on_cost: float
    def __init__(self, campaign: _Optional[str] = ..., goal: _Optional[str] = ..., source: _Optional[str] = ..., day: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., click_parameters: _Optional[_Mapping[str, str]] = ..., currency_code: _Optional[str] = ..., gross: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., refunded: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., disputed: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., net: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., conversion_count: _Optional[int] = ..., renewal_count: _Optional[int] = ..., refund_rate: _Optional[float] = ..., cost: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., return_on_cost: _Optional[float] = ...) -> None: ...

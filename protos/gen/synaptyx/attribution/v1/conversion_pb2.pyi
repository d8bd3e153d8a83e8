import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.api import resource_pb2 as _resource_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from synaptyx.attribution.v1 import click_pb2 as _click_pb2
from synaptyx.type.v1 import money_pb2 as _money_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Conversion(_message.Message):
    __slots__ = ("name", "source", "payment", "provider_ids", "click", "campaign", "goal", "basis", "state", "gross", "refunded", "disputed", "net", "pay_time", "test", "credited_click", "unknown_click_id", "create_time", "update_time", "subscription", "customer", "initial_conversion", "inherited_from", "promotion_code", "attached_by", "attach_reason", "etag")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Conversion.State]
        STATE_PENDING: _ClassVar[Conversion.State]
        STATE_PAID: _ClassVar[Conversion.State]
        STATE_PARTIALLY_REFUNDED: _ClassVar[Conversion.State]
        STATE_REFUNDED: _ClassVar[Conversion.State]
        STATE_DISPUTED: _ClassVar[Conversion.State]
        STATE_CHARGED_BACK: _ClassVar[Conversion.State]
        STATE_FAILED: _ClassVar[Conversion.State]
    STATE_UNSPECIFIED: Conversion.State
    STATE_PENDING: Conversion.State
    STATE_PAID: Conversion.State
    STATE_PARTIALLY_REFUNDED: Conversion.State
    STATE_REFUNDED: Conversion.State
    STATE_DISPUTED: Conversion.State
    STATE_CHARGED_BACK: Conversion.State
    STATE_FAILED: Conversion.State
    class Basis(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        BASIS_UNSPECIFIED: _ClassVar[Conversion.Basis]
        BASIS_METADATA: _ClassVar[Conversion.Basis]
        BASIS_CLIENT_REFERENCE: _ClassVar[Conversion.Basis]
        BASIS_SUBSCRIPTION: _ClassVar[Conversion.Basis]
        BASIS_CUSTOMER: _ClassVar[Conversion.Basis]
        BASIS_PROMOTION_CODE: _ClassVar[Conversion.Basis]
        BASIS_MANUAL: _ClassVar[Conversion.Basis]
    BASIS_UNSPECIFIED: Conversion.Basis
    BASIS_METADATA: Conversion.Basis
    BASIS_CLIENT_REFERENCE: Conversion.Basis
    BASIS_SUBSCRIPTION: Conversion.Basis
    BASIS_CUSTOMER: Conversion.Basis
    BASIS_PROMOTION_CODE: Conversion.Basis
    BASIS_MANUAL: Conversion.Basis
    class ProviderId(_message.Message):
        __slots__ = ("kind", "value")
        KIND_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        kind: str
        value: str
        def __init__(self, kind: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PAYMENT_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_IDS_FIELD_NUMBER: _ClassVar[int]
    CLICK_FIELD_NUMBER: _ClassVar[int]
    CAMPAIGN_FIELD_NUMBER: _ClassVar[int]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    GROSS_FIELD_NUMBER: _ClassVar[int]
    REFUNDED_FIELD_NUMBER: _ClassVar[int]
    DISPUTED_FIELD_NUMBER: _ClassVar[int]
    NET_FIELD_NUMBER: _ClassVar[int]
    PAY_TIME_FIELD_NUMBER: _ClassVar[int]
    TEST_FIELD_NUMBER: _ClassVar[int]
    CREDITED_CLICK_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_CLICK_ID_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIPTION_FIELD_NUMBER: _ClassVar[int]
    CUSTOMER_FIELD_NUMBER: _ClassVar[int]
    INITIAL_CONVERSION_FIELD_NUMBER: _ClassVar[int]
    INHERITED_FROM_FIELD_NUMBER: _ClassVar[int]
    PROMOTION_CODE_FIELD_NUMBER: _ClassVar[int]
    ATTACHED_BY_FIELD_NUMBER: _ClassVar[int]
    ATTACH_REASON_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    source: str
    payment: str
    provider_ids: _containers.RepeatedCompositeFieldContainer[Conversion.ProviderId]
    click: str
    campaign: str
    goal: str
    basis: Conversion.Basis
    state: Conversion.State
    gross: _money_pb2.Money
    refunded: _money_pb2.Money
    disputed: _money_pb2.Money
    net: _money_pb2.Money
    pay_time: _timestamp_pb2.Timestamp
    test: bool
    credited_click: _click_pb2.Click
    unknown_click_id: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    subscription: str
    customer: str
    initial_conversion: str
    inherited_from: str
    promotion_code: str
    attached_by: str
    attach_reason: str
    etag: str
    def __init__(self, name: _Optional[str] = ..., source: _Optional[str] = ..., payment: _Optional[str] = ..., provider_ids: _Optional[_Iterable[_Union[Conversion.ProviderId, _Mapping]]] = ..., click: _Optional[str] = ..., campaign: _Optional[str] = ..., goal: _Optional[str] = ..., basis: _Optional[_Union[Conversion.Basis, str]] = ..., state: _Optional[_Union[Conversion.State, str]] = ..., gross: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., refunded: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., disputed: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., net: _Optional[_Union[_money_pb2.Money, _Mapping]] = ..., pay_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., test: _Optional[bool] = ..., credited_click: _Optional[_Union[_click_pb2.Click, _Mapping]] = ..., unknown_click_id: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., subscription: _Optional[str] = ..., customer: _Optional[str] = ..., initial_conversion: _Optional[str] = ..., inherited_from: _Optional[str] = ..., promotion_code: _Optional[str] = ..., attached_by: _Optional[str] = ..., attach_reason: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

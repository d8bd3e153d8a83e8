import datetime

from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from synaptyx.attribution.v1 import conversion_pb2 as _conversion_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ConversionChange(_message.Message):
    __slots__ = ("before", "after", "change_time")
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    CHANGE_TIME_FIELD_NUMBER: _ClassVar[int]
    before: _conversion_pb2.Conversion
    after: _conversion_pb2.Conversion
    change_time: _timestamp_pb2.Timestamp
    def __init__(self, before: _Optional[_Union[_conversion_pb2.Conversion, _Mapping]] = ..., after: _Optional[_Union[_conversion_pb2.Conversion, _Mapping]] = ..., change_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

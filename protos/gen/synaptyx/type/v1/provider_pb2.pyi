from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class Provider(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROVIDER_UNSPECIFIED: _ClassVar[Provider]
    PROVIDER_STRIPE: _ClassVar[Provider]
    PROVIDER_POLAR: _ClassVar[Provider]
PROVIDER_UNSPECIFIED: Provider
PROVIDER_STRIPE: Provider
PROVIDER_POLAR: Provider

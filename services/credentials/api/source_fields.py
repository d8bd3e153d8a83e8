"""Read the fields of a source that its workspace may change, as requests carry them."""

from datetime import timedelta

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from synaptyx.sources.v1 import revenue_source_pb2

from services.chassis.errors import FieldViolation, InvalidFields
from services.credentials.domain.snippets import AS_AT_FIRST, Touch
from services.credentials.domain.sources import SourceFields

_SETTINGS = "snippet_settings"
_OF_SETTINGS = frozenset({"cookie_lifetime", "touch", "consent_required", "link_hosts"})
_CHANGEABLE = _OF_SETTINGS | {"display_name"}
_TOUCHES = {
    revenue_source_pb2.SnippetSettings.TOUCH_UNSPECIFIED: AS_AT_FIRST.touch,
    revenue_source_pb2.SnippetSettings.TOUCH_FIRST: Touch.FIRST,
    revenue_source_pb2.SnippetSettings.TOUCH_LAST: Touch.LAST,
}


def read_new_fields(sent: revenue_source_pb2.RevenueSource) -> SourceFields:
    """Read the fields of a source that is to be created; what is not set is as at first.

    Raises:
        InvalidFields: A field has no value of its kind.
    """
    return _read(sent, _CHANGEABLE)


def read_changed_fields(sent: revenue_source_pb2.RevenueSource, mask: FieldMask) -> SourceFields:
    """Read the fields of a source that an update changes.

    An empty mask stands for all that are set, `*` for all. Fields that only we write, or that never
    change, may be in the mask and are left alone, so that a caller can send back what it read.

    Raises:
        InvalidFields: The mask names what does not exist, or a field has no value of its kind.

    Source: https://google.aip.dev/134, https://google.aip.dev/203
    """
    return _read(sent, _masked(sent, mask))


def _masked(sent: revenue_source_pb2.RevenueSource, mask: FieldMask) -> frozenset[str]:
    if not mask.paths:
        settings = {name for name in _OF_SETTINGS if _is_set(sent.snippet_settings, name)}
        return frozenset(settings | ({"display_name"} if sent.display_name else set()))
    if list(mask.paths) == ["*"]:
        return _CHANGEABLE
    named: set[str] = set()
    for path in mask.paths:
        head, _, field = path.partition(".")
        if path == _SETTINGS:
            named |= _OF_SETTINGS
        elif path in sent.DESCRIPTOR.fields_by_name:
            named.add(path)
        elif head == _SETTINGS and field in _OF_SETTINGS:
            named.add(field)
        else:
            raise InvalidFields(
                [FieldViolation("update_mask", "must name fields of the source, in snake_case")]
            )
    return _CHANGEABLE & named


def _read(sent: revenue_source_pb2.RevenueSource, wanted: frozenset[str]) -> SourceFields:
    settings = sent.snippet_settings
    fields = SourceFields()
    faults: list[FieldViolation] = []
    if "display_name" in wanted:
        fields["display_name"] = sent.display_name
    if "cookie_lifetime" in wanted:
        lifetime = _lifetime(settings)
        if lifetime is None:
            faults.append(_fault("cookie_lifetime", "must be whole seconds, 1 hour to 400 days"))
        else:
            fields["cookie_lifetime"] = lifetime
    if "touch" in wanted:
        if settings.touch not in _TOUCHES:
            faults.append(_fault("touch", "must be one of the named values"))
        else:
            fields["touch"] = _TOUCHES[settings.touch]
    if "consent_required" in wanted:
        fields["consent_required"] = settings.consent_required
    if "link_hosts" in wanted:
        fields["link_hosts"] = tuple(settings.link_hosts)
    if faults:
        raise InvalidFields(faults)
    return fields


def _lifetime(settings: revenue_source_pb2.SnippetSettings) -> timedelta | None:
    """Give the life of the cookie, None if it is no time that can be."""
    if not settings.HasField("cookie_lifetime"):
        return AS_AT_FIRST.cookie_lifetime
    sent = settings.cookie_lifetime
    if sent.seconds <= 0 or sent.nanos:
        return None
    try:
        return timedelta(seconds=sent.seconds)
    except OverflowError:
        return None


def _is_set(message: Message, field: str) -> bool:
    if message.DESCRIPTOR.fields_by_name[field].has_presence:
        return message.HasField(field)
    return bool(getattr(message, field))


def _fault(field: str, description: str) -> FieldViolation:
    return FieldViolation(f"revenue_source.{_SETTINGS}.{field}", description)

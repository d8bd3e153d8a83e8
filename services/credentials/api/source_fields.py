"""Read the fields of a source that its workspace may change, as requests carry them."""

from datetime import timedelta

from google.protobuf.field_mask_pb2 import FieldMask
from synaptyx.sources.v1 import revenue_source_pb2

from services.chassis.errors import FieldViolation, InvalidFields
from services.chassis.field_masks import masked
from services.credentials.api.messages import read_provider
from services.credentials.domain.snippets import AS_AT_FIRST, Touch
from services.credentials.domain.sources import Provider, SourceFields

_SETTINGS = "snippet_settings"
_COOKIE_LIFETIME = f"{_SETTINGS}.cookie_lifetime"
_TOUCH = f"{_SETTINGS}.touch"
_CONSENT_REQUIRED = f"{_SETTINGS}.consent_required"
_LINK_HOSTS = f"{_SETTINGS}.link_hosts"
_CHANGEABLE = frozenset({"display_name", _COOKIE_LIFETIME, _TOUCH, _CONSENT_REQUIRED, _LINK_HOSTS})
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

    The mask is read as `field_masks.masked` does.

    Raises:
        InvalidFields: The mask names what does not exist, or a field has no value of its kind.
    """
    found = masked(mask, sent, changeable=_CHANGEABLE)
    if found.fault is not None:
        raise InvalidFields([FieldViolation("update_mask", found.fault)])
    return _read(sent, found.fields)


def read_stated_provider(
    sent: revenue_source_pb2.RevenueSource, mask: FieldMask
) -> Provider | None:
    """Read the provider, which no update changes; None if this one says nothing of it.

    Where the mask names it, it must be set; without a mask and with `*`, it may be left out.

    Raises:
        InvalidFields: It is to be read, and is none that there is.
    """
    among_all = not mask.paths or "*" in mask.paths
    if "provider" in mask.paths or (among_all and sent.provider):
        return read_provider(sent.provider, field="revenue_source.provider")
    return None


def _read(sent: revenue_source_pb2.RevenueSource, wanted: frozenset[str]) -> SourceFields:
    settings = sent.snippet_settings
    fields = SourceFields()
    faults: list[FieldViolation] = []
    if "display_name" in wanted:
        fields["display_name"] = sent.display_name
    if _COOKIE_LIFETIME in wanted:
        lifetime = _lifetime(settings)
        if lifetime is None:
            faults.append(_fault(_COOKIE_LIFETIME, "must be whole seconds, 1 hour to 400 days"))
        else:
            fields["cookie_lifetime"] = lifetime
    if _TOUCH in wanted:
        if settings.touch not in _TOUCHES:
            faults.append(_fault(_TOUCH, "must be one of the named values"))
        else:
            fields["touch"] = _TOUCHES[settings.touch]
    if _CONSENT_REQUIRED in wanted:
        fields["consent_required"] = settings.consent_required
    if _LINK_HOSTS in wanted:
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


def _fault(field: str, description: str) -> FieldViolation:
    return FieldViolation(f"revenue_source.{field}", description)

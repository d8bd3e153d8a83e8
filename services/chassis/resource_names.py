"""Resource names: the paths by which resources are called."""

import re
from collections.abc import Collection, Mapping
from typing import Final
from uuid import UUID

from services.chassis.errors import FieldViolation, InvalidFields, ResourceNotFound

_PLAIN_ID: Final = ("[a-z0-9][a-z0-9-]{0,62}", "1 to 63 of a-z 0-9 -, not starting with -")
_OPAQUE_ID: Final = ("[A-Za-z0-9_-]{1,64}", "1 to 64 of A-Z a-z 0-9 _ -")

# What each id may be: its expression, and the same in words.
_IDS: Final[Mapping[str, tuple[str, str]]] = {
    "workspace": _PLAIN_ID,
    "campaign": _PLAIN_ID,
    "goal": _PLAIN_ID,
    "credential": _PLAIN_ID,
    "click": ("[A-Za-z0-9_-]{1,200}", "1 to 200 of A-Z a-z 0-9 _ -"),
    "source": _OPAQUE_ID,
    "conversion": _OPAQUE_ID,
    "webhook_log": _OPAQUE_ID,
    # What providers name their types of events.
    "event_mapping": (
        "[a-z0-9][a-z0-9._-]{0,127}",
        "1 to 128 of a-z 0-9 . _ -, starting with a letter or digit",
    ),
}

# The ids for which "-" stands for all of them.
_ACROSS: Final = frozenset({"workspace", "source"})
_ALL: Final = "-"


class Pattern:
    """Describes the names of one kind of resource: `workspaces/{workspace}/clicks/{click}`."""

    def __init__(self, template: str) -> None:
        self.template = template
        self.ids: tuple[str, ...] = tuple(re.findall(r"{(\w+)}", template))
        expression = template
        for each in self.ids:
            allowed = f"{_ALL}|{_IDS[each][0]}" if each in _ACROSS else _IDS[each][0]
            expression = expression.replace(f"{{{each}}}", f"(?P<{each}>{allowed})")
        self._expression = re.compile(expression)

    def parse(
        self, name: str, *, field: str = "name", wildcard: Collection[str] = ()
    ) -> dict[str, str]:
        """Return the ids in a name, keyed as in the template.

        Args:
            name: The name, as a caller sent it.
            field: The field of the request that it came in.
            wildcard: Which of `workspace` and `source` may be `-`, for all of them.

        Raises:
            InvalidFields: The name is not one of this kind of resource.
        """
        match = self._expression.fullmatch(name)
        ids = match.groupdict() if match else None
        if ids is None or any(ids.get(each) == _ALL for each in _ACROSS if each not in wildcard):
            raise InvalidFields([FieldViolation(field, self._description(wildcard))])
        return ids

    def format(self, **ids: str) -> str:
        """Return the name with these ids; a workspace or source may be `-`.

        Raises:
            ValueError: An id is missing, too many, or not of its form: a fault of ours.
        """
        if len(ids) != len(self.ids) or not all(each in ids for each in self.ids):
            raise ValueError(f"{self.template} takes exactly the ids {', '.join(self.ids)}")
        name = self.template.format_map(ids)
        if not self._expression.fullmatch(name):
            raise ValueError(f"an id for {self.template} is not of its form")
        return name

    def __repr__(self) -> str:
        return f"Pattern({self.template!r})"

    def _description(self, wildcard: Collection[str]) -> str:
        forms = [
            f"{each} is {_IDS[each][1]}" + (f", or {_ALL} for all" if each in wildcard else "")
            for each in self.ids
        ]
        return f"must look like {self.template}, where {'; '.join(forms)}"


def uuid_id(text: str, *, name: str) -> UUID:
    """Return the UUID that an id is, in its one canonical form.

    Args:
        text: The id.
        name: The whole resource name, for the error.

    Raises:
        ResourceNotFound: It is no UUID, so nothing can have this name.
    """
    try:
        uuid = UUID(text)
    except ValueError:
        raise ResourceNotFound(name) from None
    # UUID() also reads upper case, braces and no dashes: other names of one resource.
    if str(uuid) != text:
        raise ResourceNotFound(name)
    return uuid


WORKSPACE: Final = Pattern("workspaces/{workspace}")
CLICK: Final = Pattern("workspaces/{workspace}/clicks/{click}")
CAMPAIGN: Final = Pattern("workspaces/{workspace}/campaigns/{campaign}")
GOAL: Final = Pattern("workspaces/{workspace}/goals/{goal}")
CONVERSION: Final = Pattern("workspaces/{workspace}/conversions/{conversion}")
SOURCE: Final = Pattern("workspaces/{workspace}/sources/{source}")
WEBHOOK_LOG: Final = Pattern("workspaces/{workspace}/sources/{source}/webhookLogs/{webhook_log}")
EVENT_MAPPING: Final = Pattern(
    "workspaces/{workspace}/sources/{source}/eventMappings/{event_mapping}"
)
SNIPPET: Final = Pattern("workspaces/{workspace}/sources/{source}/snippet")
CREDENTIAL: Final = Pattern("workspaces/{workspace}/sources/{source}/credentials/{credential}")

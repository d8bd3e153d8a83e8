"""What one Polar organization holds: its orders, its endpoints, and the events they get."""

import json
from collections.abc import Callable

from deploy.local.sandbox.deliveries import Courier
from deploy.local.sandbox.polar import objects
from deploy.local.sandbox.polar.errors import not_found
from deploy.local.sandbox.state import JsonObject, State
from services.chassis.clock import Clock

KEPT_EVENTS = 5000
# Polar disables an endpoint when its latest ten events have all failed.
FAILURES_ALLOWED = 10


def empty_document() -> JsonObject:
    """Give the document of a Polar without organizations."""
    return {"organizations": {}, "deliveries": {}}


class Ledger:
    """Reads and writes one organization; every change is remembered."""

    def __init__(
        self, organization_id: str, state: State, *, courier: Callable[[], Courier], clock: Clock
    ) -> None:
        self._state = state
        self._courier = courier
        self._clock = clock
        organizations = state.document["organizations"]
        if organization_id not in organizations:
            at = self.now()
            organizations[organization_id] = {
                "organization": objects.organization(organization_id, at=at),
                "product": objects.product(objects.new_id(), organization_id, at=at),
                "objects": {},
                "endpoints": {},
                "events": {},
                "outcomes": {},
            }
            state.changed()
        self._held: JsonObject = organizations[organization_id]

    @property
    def organization(self) -> JsonObject:
        """Give the organization."""
        found: JsonObject = self._held["organization"]
        return found

    @property
    def product(self) -> JsonObject:
        """Give its product that is bought once."""
        found: JsonObject = self._held["product"]
        return found

    @property
    def plan(self) -> JsonObject:
        """Give its product that is paid for every month."""
        if "plan" not in self._held:
            at, organization_id = self.now(), self.organization["id"]
            self._held["plan"] = objects.plan(objects.new_id(), organization_id, at=at)
            self._state.changed()
        found: JsonObject = self._held["plan"]
        return found

    def now(self) -> str:
        """Give the time as Polar writes it."""
        return objects.written(self._clock.now())

    def add(self, kind: str, of: JsonObject) -> JsonObject:
        """Keep a new object."""
        self._held["objects"].setdefault(kind, {})[of["id"]] = of
        self._state.changed()
        return of

    def find(self, kind: str, id_: str) -> JsonObject:
        """Give an object.

        Raises:
            PolarError: there is none.
        """
        found: JsonObject | None = self._held["objects"].get(kind, {}).get(id_)
        if found is None:
            raise not_found()
        return found

    def has(self, kind: str, id_: str) -> bool:
        """Say whether an object, an event or an endpoint is of this organization."""
        if kind in ("event", "endpoint"):
            return id_ in self._held[f"{kind}s"]
        return id_ in self._held["objects"].get(kind, {})

    def all(self, kind: str) -> list[JsonObject]:
        """Give every object of a kind, newest first."""
        return list(reversed(self._held["objects"].get(kind, {}).values()))

    def changed(self) -> None:
        """Say that an object was changed in place."""
        self._state.changed()

    def emit(self, type_: str, of: JsonObject) -> list[str]:
        """Send an event of an object as it is now; every endpoint gets one with its own id.

        Nothing is made for an endpoint that is disabled, now or later.
        """
        envelope = {
            "type": type_,
            "timestamp": self.now(),
            "api_version": objects.API_VERSION,
            "data": of,
        }
        # Polar's bodies are compact.
        body = json.dumps(envelope, separators=(",", ":"), ensure_ascii=False)
        made = []
        for endpoint in self._endpoints.values():
            if endpoint["enabled"] and type_ in endpoint["events"]:
                event = {
                    "id": objects.new_id(),
                    "type": type_,
                    "body": body,
                    "endpoint": endpoint["id"],
                    "created_at": envelope["timestamp"],
                }
                self._events[event["id"]] = event
                while len(self._events) > KEPT_EVENTS:
                    del self._events[next(iter(self._events))]
                self._send(event, endpoint)
                made.append(event["id"])
        return made

    def redeliver(self, event_id: str) -> None:
        """Send an event again: the same body and id.

        Raises:
            PolarError: there is no such event, or its endpoint is gone.
        """
        event = self._events.get(event_id)
        endpoint = self._endpoints.get(event["endpoint"]) if event else None
        if event is None or endpoint is None:
            raise not_found()
        self._send(event, endpoint)

    def deliveries(self) -> list[JsonObject]:
        """Give every delivery of this organization's endpoints, oldest first."""
        return [one for one in self._courier().list() if one["endpoint"] in self._endpoints]

    def event(self, event_id: str) -> JsonObject | None:
        """Give an event (`id`, `type`, `body`, `created_at`), or None."""
        return self._events.get(event_id)

    def add_endpoint(self, endpoint: JsonObject) -> JsonObject:
        """Keep a new endpoint."""
        self._endpoints[endpoint["id"]] = endpoint
        self._state.changed()
        return endpoint

    def endpoint(self, endpoint_id: str) -> JsonObject:
        """Give an endpoint.

        Raises:
            PolarError: there is none.
        """
        found = self._endpoints.get(endpoint_id)
        if found is None:
            raise not_found()
        return found

    def endpoints(self) -> list[JsonObject]:
        """Give every endpoint, newest first."""
        return list(reversed(self._endpoints.values()))

    def remove_endpoint(self, endpoint_id: str) -> None:
        """Forget an endpoint; nothing more is sent to it.

        Raises:
            PolarError: there is none.
        """
        self.endpoint(endpoint_id)
        del self._endpoints[endpoint_id]
        self._courier().skip(endpoint_id)

    def note_outcome(self, delivery: JsonObject) -> None:
        """Take in how a delivery ended; disable an endpoint whose latest ones all failed."""
        endpoint = self._endpoints.get(delivery["endpoint"])
        if endpoint is None:
            return
        outcomes = self._held["outcomes"].setdefault(endpoint["id"], [])
        outcomes.append(delivery["state"] == "delivered")
        del outcomes[:-FAILURES_ALLOWED]
        if len(outcomes) == FAILURES_ALLOWED and not any(outcomes):
            endpoint["enabled"] = False
            self._courier().skip(endpoint["id"])
        self._state.changed()

    @property
    def _endpoints(self) -> dict[str, JsonObject]:
        found: dict[str, JsonObject] = self._held["endpoints"]
        return found

    @property
    def _events(self) -> dict[str, JsonObject]:
        found: dict[str, JsonObject] = self._held["events"]
        return found

    def _send(self, event: JsonObject, endpoint: JsonObject) -> None:
        self._courier().send(
            objects.new_id(), endpoint=endpoint["id"], url=endpoint["url"], event=event
        )

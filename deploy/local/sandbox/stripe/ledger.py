"""What one Stripe account holds: its objects, its events, and the endpoints that get them."""

import copy
import json
from collections.abc import Callable

from deploy.local.sandbox.deliveries import Courier
from deploy.local.sandbox.state import JsonObject, State
from deploy.local.sandbox.stripe import objects, signing
from deploy.local.sandbox.stripe.errors import missing
from services.chassis.clock import Clock

KEPT_EVENTS = 5000


def empty_document() -> JsonObject:
    """Give the document of a Stripe without accounts."""
    return {"accounts": {}, "deliveries": {}}


class Ledger:
    """Reads and writes one account; every change is remembered."""

    def __init__(
        self, account_id: str, state: State, *, courier: Callable[[], Courier], clock: Clock
    ) -> None:
        self._state = state
        self._courier = courier
        self._clock = clock
        accounts = state.document["accounts"]
        if account_id not in accounts:
            accounts[account_id] = {
                "account": objects.account(account_id, created=int(clock.now().timestamp())),
                "objects": {},
                "prices": {},
                "intent_metadata": {},
                "events": {},
                "endpoints": {},
                "answers": {},
            }
            state.changed()
        self._account: JsonObject = accounts[account_id]

    @property
    def account(self) -> JsonObject:
        """Give the account object."""
        found: JsonObject = self._account["account"]
        return found

    @property
    def answers(self) -> dict[str, JsonObject]:
        """Give what was answered before, by idempotency key."""
        found: dict[str, JsonObject] = self._account["answers"]
        return found

    def now(self) -> int:
        """Give the time as Stripe writes it, in whole seconds."""
        return max(int(self._clock.now().timestamp()), self._not_before)

    def let_a_second_pass(self) -> None:
        """Have all that comes be later than all that was: in one second nothing has an order."""
        self._account["not_before"] = self.now() + 1
        self._state.changed()

    def add(self, of: JsonObject) -> JsonObject:
        """Keep a new object, or the new form of one."""
        self._account["objects"].setdefault(of["object"], {})[of["id"]] = of
        self._state.changed()
        return of

    def find(self, kind: str, id_: str, *, param: str) -> JsonObject:
        """Give an object.

        Raises:
            StripeError: there is none.
        """
        found: JsonObject | None = self._account["objects"].get(kind, {}).get(id_)
        if found is None:
            raise missing(kind, id_, param=param)
        return found

    def has(self, kind: str, id_: str) -> bool:
        """Say whether an object, an event or an endpoint is of this account."""
        if kind == "event":
            return id_ in self._account["events"]
        if kind == "webhook_endpoint":
            return id_ in self._endpoints
        return id_ in self._account["objects"].get(kind, {})

    def all(self, kind: str) -> list[JsonObject]:
        """Give every object of a kind, newest first."""
        found = self._account["objects"].get(kind, {})
        return list(reversed(found.values()))

    def set_price(self, link: str, amount: int) -> None:
        """Remember what a Payment Link costs."""
        self._account["prices"][link] = amount
        self._state.changed()

    def price(self, link: str) -> int:
        """Give what a Payment Link costs."""
        amount: int = self._account["prices"][link]
        return amount

    def set_intent_metadata(self, session: str, metadata: dict[str, str]) -> None:
        """Remember the metadata that a session's payment intent will have."""
        self._account["intent_metadata"][session] = metadata
        self._state.changed()

    def intent_metadata(self, session: str) -> dict[str, str]:
        """Give the metadata that a session's payment intent will have."""
        found: dict[str, str] = self._account["intent_metadata"].get(session, {})
        return found

    def note(self, id_: str) -> JsonObject:
        """Give what is remembered of an object and never shown; it may be changed."""
        found: JsonObject = self._account.setdefault("notes", {}).setdefault(id_, {})
        return found

    def events(self) -> list[JsonObject]:
        """Give every event, newest first, with how many endpoints still wait for it."""
        found = []
        for stored in reversed(self._account["events"].values()):
            event: JsonObject = json.loads(stored["body"])
            waiting = [
                one for one in self._courier().list(event=event["id"]) if one["state"] == "pending"
            ]
            found.append({**event, "pending_webhooks": len(waiting)})
        return found

    def emit(
        self,
        type_: str,
        of: JsonObject,
        *,
        previous: JsonObject | None = None,
        request: JsonObject | None = None,
    ) -> str:
        """Make an event of an object as it is now, send it to who wants it, and give its id."""
        endpoints = [one for one in self._endpoints.values() if _wants(one, type_)]
        event = objects.event(
            objects.new_id("evt"),
            type_,
            copy.deepcopy(of),
            created=self.now(),
            pending_webhooks=len(endpoints),
            previous=previous,
            request=request or {"id": None, "idempotency_key": None},
        )
        # Stripe posts its bodies indented.
        body = json.dumps(event, indent=2, ensure_ascii=False)
        stored = {"id": event["id"], "type": type_, "body": body}
        events = self._account["events"]
        events[event["id"]] = stored
        while len(events) > KEPT_EVENTS:
            del events[next(iter(events))]
        self._state.changed()
        for endpoint in endpoints:
            self._send(stored, endpoint)
        event_id: str = event["id"]
        return event_id

    def redeliver(self, event_id: str) -> list[JsonObject]:
        """Send an event again to every enabled endpoint."""
        stored = self._account["events"][event_id]
        return [
            self._send(stored, endpoint)
            for endpoint in self._endpoints.values()
            if endpoint["object"]["status"] == "enabled"
        ]

    def add_endpoint(self, endpoint: JsonObject) -> str:
        """Keep a new endpoint and give its secret, which is shown this once."""
        secret = signing.new_secret()
        self._endpoints[endpoint["id"]] = {
            "object": endpoint,
            "secrets": [{"secret": secret, "until": None}],
        }
        self._state.changed()
        return secret

    def endpoint(self, endpoint_id: str) -> JsonObject:
        """Give an endpoint's object.

        Raises:
            StripeError: there is none.
        """
        found: JsonObject = self._endpoint(endpoint_id)["object"]
        return found

    def endpoints(self) -> list[JsonObject]:
        """Give every endpoint's object, newest first."""
        return [one["object"] for one in reversed(self._endpoints.values())]

    def remove_endpoint(self, endpoint_id: str) -> None:
        """Forget an endpoint; nothing more is sent to it.

        Raises:
            StripeError: there is none.
        """
        self._endpoint(endpoint_id)
        del self._endpoints[endpoint_id]
        self._courier().skip(endpoint_id)

    def roll_secret(self, endpoint_id: str, *, old_until: float) -> str:
        """Give an endpoint a new secret; the old ones sign too until the given Unix time.

        Raises:
            StripeError: there is no such endpoint.
        """
        endpoint = self._endpoint(endpoint_id)
        secret = signing.new_secret()
        for old in endpoint["secrets"]:
            old["until"] = min(old["until"] or old_until, old_until)
        endpoint["secrets"].append({"secret": secret, "until": None})
        self._state.changed()
        return secret

    def changed(self) -> None:
        """Say that an object was changed in place."""
        self._state.changed()

    def active_secrets(self, endpoint_id: str) -> list[str]:
        """Give the secrets that sign for an endpoint now; none if it is gone or disabled."""
        endpoint = self._endpoints.get(endpoint_id)
        if endpoint is None or endpoint["object"]["status"] != "enabled":
            return []
        now = self._clock.now().timestamp()
        return [
            one["secret"]
            for one in endpoint["secrets"]
            if one["until"] is None or one["until"] > now
        ]

    @property
    def _not_before(self) -> int:
        found: int = self._account.get("not_before", 0)
        return found

    @property
    def _endpoints(self) -> dict[str, JsonObject]:
        found: dict[str, JsonObject] = self._account["endpoints"]
        return found

    def _endpoint(self, endpoint_id: str) -> JsonObject:
        found = self._endpoints.get(endpoint_id)
        if found is None:
            raise missing("webhook_endpoint", endpoint_id, param="webhook_endpoint")
        return found

    def _send(self, stored: JsonObject, endpoint: JsonObject) -> JsonObject:
        return self._courier().send(
            objects.new_id("dlv"),
            endpoint=endpoint["object"]["id"],
            url=endpoint["object"]["url"],
            event=stored,
        )


def _wants(endpoint: JsonObject, type_: str) -> bool:
    wanted = endpoint["object"]["enabled_events"]
    return endpoint["object"]["status"] == "enabled" and ("*" in wanted or type_ in wanted)

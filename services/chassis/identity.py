"""Name the caller of a call, and decide what it may do.

A caller is the SPIFFE URI of its client certificate,
`spiffe://<trust domain>/ns/<namespace>/sa/<service account>`. One policy file says which
identity may call which methods, and in which workspaces; what it does not allow is denied:

    {
      "trust_domain": "local",
      "identities": {
        "attribution/ingress": {
          "methods": ["synaptyx.attribution.v1.EventIngestService/*"],
          "workspaces": ["*"]
        }
      }
    }

A method is `package.Service/Method`, or `package.Service/*` for all of a service; a workspace
is an id, or `*` for all of them. The interceptor checks the method before the servicer runs and
notes the caller; the servicer, which alone can read the workspace out of the request, calls
`require_workspace`.
"""

import json
import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from services.chassis.errors import CallerNotAllowed, NoIdentity

ALL_WORKSPACES: Final = "-"
_ANY: Final = "*"
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_SPIFFE: Final = re.compile(
    rf"spiffe://(?P<trust_domain>[a-z0-9._-]{{1,255}})/ns/(?P<namespace>{_LABEL})"
    r"/sa/(?P<service_account>[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)"
)
_TRUST_DOMAIN: Final = re.compile(r"[a-z0-9._-]{1,255}")
_IDENTITY: Final = re.compile(rf"{_LABEL}/[a-z0-9](?:[a-z0-9.-]{{0,251}}[a-z0-9])?")
_METHOD: Final = re.compile(r"(?:[A-Za-z_]\w*\.)+[A-Za-z_]\w*/(?:\*|[A-Za-z_]\w*)", re.ASCII)
_WORKSPACE: Final = re.compile(r"\*|[a-z0-9][a-z0-9-]{0,62}")


@dataclass(frozen=True)
class Caller:
    """Who makes a call."""

    trust_domain: str
    namespace: str
    service_account: str

    @property
    def name(self) -> str:
        """Give the name that policies and logs use, `<namespace>/<service account>`."""
        return f"{self.namespace}/{self.service_account}"

    @classmethod
    def from_spiffe(cls, uri: str) -> "Caller":
        """Read a SPIFFE URI.

        Raises:
            NoIdentity: it is no such URI, or has another path than `/ns/<ns>/sa/<sa>`.
        """
        match = _SPIFFE.fullmatch(uri)
        if match is None:
            raise NoIdentity
        return cls(**match.groupdict())


ANONYMOUS: Final = Caller(trust_domain="", namespace="anonymous", service_account="anonymous")


class PolicyError(Exception):
    """Tells in one sentence what is wrong with a policy file, and where."""


@dataclass(frozen=True)
class Permissions:
    """What one identity may do. `methods` holds `pkg.Service/Method` and `pkg.Service/*`."""

    methods: frozenset[str]
    workspaces: frozenset[str]

    def allow_method(self, full_method: str) -> bool:
        """Tell whether the method, `/pkg.Service/Method` with or without its slash, is allowed."""
        method = full_method.removeprefix("/")
        return method in self.methods or f"{method.rpartition('/')[0]}/{_ANY}" in self.methods

    def allow_workspace(self, workspace: str) -> bool:
        """Tell whether the workspace is allowed; `-` (all) is only where `*` is."""
        return _ANY in self.workspaces or workspace in self.workspaces


_EVERYTHING: Final = Permissions(methods=frozenset(), workspaces=frozenset({_ANY}))


@dataclass(frozen=True)
class Policy:
    """Which identity may do what; whoever is not named may do nothing."""

    trust_domain: str
    identities: Mapping[str, Permissions] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> "Policy":
        """Read a policy file.

        Raises:
            PolicyError: the file cannot be read, or anything in it is not as it should be.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise PolicyError(f"policy {path}: cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise PolicyError(f"policy {path}: is not UTF-8") from error
        try:
            return cls.parse(text)
        except PolicyError as error:
            raise PolicyError(f"policy {path}: {error}") from error

    @classmethod
    def parse(cls, text: str) -> "Policy":
        """Read the text of a policy file.

        Raises:
            PolicyError: its sentence says the place and what is wrong there.
        """
        try:
            content = json.loads(text, object_pairs_hook=_object)
        except json.JSONDecodeError as error:
            raise PolicyError(f"line {error.lineno}: is not JSON ({error.msg})") from error
        except RecursionError:
            raise PolicyError("is nested too deeply") from None
        fields = _exactly(content, place="the file", keys=("trust_domain", "identities"))
        identities = fields["identities"]
        if not isinstance(identities, dict):
            raise PolicyError("identities: must be an object of identity and permissions")
        return cls(
            trust_domain=_text(fields["trust_domain"], "trust_domain", _TRUST_DOMAIN),
            identities={
                _text(name, "identities", _IDENTITY): _permissions(entry, f"identities.{name}")
                for name, entry in identities.items()
            },
        )

    def permissions(self, caller: Caller) -> Permissions | None:
        """Give what the caller may do, or None for a caller that the policy does not name."""
        if caller.trust_domain != self.trust_domain:
            return None
        return self.identities.get(caller.name)

    def allows(self, caller: Caller, full_method: str, workspace: str | None = None) -> bool:
        """Tell whether the caller may call the method, and in the workspace if one is given."""
        permissions = self.permissions(caller)
        if permissions is None or not permissions.allow_method(full_method):
            return False
        return workspace is None or permissions.allow_workspace(workspace)


@dataclass(frozen=True)
class _Call:
    caller: Caller
    method: str
    permissions: Permissions


_current: ContextVar[_Call] = ContextVar("synaptyx_caller")


def enter_call(caller: Caller, full_method: str, *, policy: Policy | None) -> None:
    """Check the method against the policy and note the caller for the rest of the call.

    The interceptor calls it, once a call, in the call's own context. Without a policy (TLS is
    off and no policy file is given) every caller may do everything.

    Raises:
        CallerNotAllowed: the policy does not let this caller call this method.
    """
    permissions = _EVERYTHING
    if policy is not None:
        known = policy.permissions(caller)
        if known is None or not known.allow_method(full_method):
            raise CallerNotAllowed(full_method.removeprefix("/"), identity=caller.name)
        permissions = known
    _current.set(_Call(caller, full_method.removeprefix("/"), permissions))


def current_caller() -> Caller:
    """Give the caller of the call that is being served.

    Raises:
        NoIdentity: no call is being served.
    """
    call = _current.get(None)
    if call is None:
        raise NoIdentity
    return call.caller


def require_workspace(workspace: str) -> None:
    """Refuse the call unless its caller may act in `workspace`.

    Every servicer calls it with the workspace it has read from the request; `-`, which reads
    across all workspaces, is for callers with `*` only.

    Raises:
        CallerNotAllowed: the policy does not name this workspace for this caller.
        NoIdentity: no call is being served.
    """
    call = _current.get(None)
    if call is None:
        raise NoIdentity
    if not call.permissions.allow_workspace(workspace):
        raise CallerNotAllowed(call.method, identity=call.caller.name)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result: dict[str, object] = {}
    for key, value in pairs:
        if key in result:
            # JSON lets the last one win, silently: the other permissions would be lost.
            raise PolicyError(f"{key}: is there twice in one object")
        result[key] = value
    return result


def _exactly(value: object, *, place: str, keys: tuple[str, ...]) -> dict[str, object]:
    if not isinstance(value, dict):
        raise PolicyError(f"{place}: must be an object with {' and '.join(keys)}")
    for key in keys:
        if key not in value:
            raise PolicyError(f"{place}: {key} is missing")
    for key in value:
        if key not in keys:
            raise PolicyError(f"{place}: {key} is unknown; only {' and '.join(keys)} may be here")
    return value


def _text(value: object, place: str, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str) or pattern.fullmatch(value) is None:
        raise PolicyError(f"{place}: {value!r} must be {_FORMS[pattern]}")
    return value


_FORMS: Final[Mapping[re.Pattern[str], str]] = {
    _TRUST_DOMAIN: "a trust domain such as cluster.local",
    _IDENTITY: "an identity such as attribution/ingress (namespace/service account)",
    _METHOD: "a method such as package.Service/Method or package.Service/*",
    _WORKSPACE: "a workspace id, or * for all of them",
}


def _permissions(value: object, place: str) -> Permissions:
    fields = _exactly(value, place=place, keys=("methods", "workspaces"))
    return Permissions(
        methods=_texts(fields["methods"], f"{place}.methods", _METHOD),
        workspaces=_texts(fields["workspaces"], f"{place}.workspaces", _WORKSPACE),
    )


def _texts(value: object, place: str, pattern: re.Pattern[str]) -> frozenset[str]:
    if not isinstance(value, list) or not value:
        raise PolicyError(f"{place}: must be a list with at least one entry")
    texts = [_text(entry, f"{place}[{index}]", pattern) for index, entry in enumerate(value)]
    if _ANY in texts and len(texts) > 1:
        raise PolicyError(f"{place}: * stands alone")
    return frozenset(texts)

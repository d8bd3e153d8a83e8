"""Polar's errors, in the shapes of the real API."""

from collections.abc import Mapping

from deploy.local.sandbox.state import JsonObject


class PolarError(Exception):
    """Refuses a request with one of Polar's error bodies."""

    def __init__(
        self, status: int, body: JsonObject, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(str(body.get("error")))
        self.status = status
        self.body = body
        self.headers = headers or {}


def invalid_token() -> PolarError:
    """Refuse a token that is none, or was one."""
    description = (
        "The access token provided is expired, revoked, malformed, or invalid for other reasons."
    )
    return _bearer(401, "invalid_token", description)


def insufficient_scope() -> PolarError:
    """Refuse a token that lacks the scope."""
    description = "The request requires higher privileges than provided by the access token."
    return _bearer(403, "insufficient_scope", description)


def not_found() -> PolarError:
    """Refuse an id that names nothing."""
    return PolarError(404, {"error": "ResourceNotFound", "detail": "Not found"})


def refused(status: int, error: str, detail: str) -> PolarError:
    """Refuse a request for a reason of its own."""
    return PolarError(status, {"error": error, "detail": detail})


def invalid(
    field: str, message: str, *, kind: str = "value_error", value: object = None
) -> PolarError:
    """Refuse a field of the body."""
    detail = [{"type": kind, "loc": ["body", field], "msg": message, "input": value}]
    return PolarError(422, {"error": "RequestValidationError", "detail": detail})


def _bearer(status: int, error: str, description: str) -> PolarError:
    challenge = f'Bearer realm="polar", error="{error}", error_description="{description}"'
    return PolarError(
        status,
        {"error": error, "error_description": description},
        headers={"WWW-Authenticate": challenge},
    )

"""Stripe's errors, in the words of the real API."""

from deploy.local.sandbox.state import JsonObject

_DOCUMENTATION = "https://stripe.com/docs/error-codes/"


class StripeError(Exception):
    """Refuses a request with one of Stripe's error objects."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.kind = kind

    @property
    def body(self) -> JsonObject:
        """Give the answer's body."""
        error: JsonObject = {"message": self.message, "type": self.kind}
        if self.code is not None:
            error["code"] = self.code
            error["doc_url"] = _DOCUMENTATION + self.code.replace("_", "-")
        if self.param is not None:
            error["param"] = self.param
        return {"error": error}


def no_key() -> StripeError:
    """Refuse a request without a key."""
    return StripeError(
        401,
        "You did not provide an API key. You need to provide your API key in the Authorization "
        "header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
    )


def invalid_key(key: str) -> StripeError:
    """Refuse a key that is none."""
    return StripeError(401, f"Invalid API Key provided: {masked(key)}")


def expired_key(key: str) -> StripeError:
    """Refuse a key that was one."""
    return StripeError(401, f"Expired API Key provided: {masked(key)}", code="api_key_expired")


def forbidden(key: str, account: str) -> StripeError:
    """Refuse a restricted key that lacks the permission."""
    return StripeError(
        403,
        f"The provided key '{masked(key)}' does not have the required permissions for this "
        f"endpoint on account '{account}'.",
    )


def missing(kind: str, id_: str, *, param: str) -> StripeError:
    """Refuse an id that names nothing."""
    name = kind.replace(".", " ").replace("_", " ")
    return StripeError(404, f"No such {name}: '{id_}'", code="resource_missing", param=param)


def missing_parameter(param: str) -> StripeError:
    """Refuse a request that lacks a parameter."""
    return StripeError(
        400, f"Missing required param: {param}.", code="parameter_missing", param=param
    )


def invalid_parameter(param: str, message: str, *, code: str | None = None) -> StripeError:
    """Refuse a parameter's value."""
    return StripeError(400, message, code=code, param=param)


def masked(key: str) -> str:
    """Give a key as Stripe shows it in errors."""
    return f"{key[:8]}{'*' * max(0, len(key) - 12)}{key[-4:]}"

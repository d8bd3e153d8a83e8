"""How a demonstration can go wrong."""

import grpc

from deploy.local.errors import StackError


class DemoFailed(StackError):
    """Report that what should have happened did not."""

    def __init__(self, explanation: str) -> None:
        self.explanation = explanation
        super().__init__(f"The demonstration failed: {explanation}.")


def from_rpc(error: grpc.aio.AioRpcError, *, doing: str) -> DemoFailed:
    """Tell of a call that was refused, or not answered."""
    details = (error.details() or "no details").rstrip(".")
    return DemoFailed(f"{doing} was answered with {error.code().name}: {details}")

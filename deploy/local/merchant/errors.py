"""How a step can go wrong that a merchant takes."""

import grpc

from deploy.local.errors import StackError


class StepFailed(StackError):
    """Report that what should have happened did not."""

    def __init__(self, explanation: str) -> None:
        self.explanation = explanation
        super().__init__(f"A step failed: {explanation}.")


def from_rpc(error: grpc.aio.AioRpcError, *, doing: str) -> StepFailed:
    """Tell of a call that was refused, or not answered."""
    details = (error.details() or "no details").rstrip(".")
    return StepFailed(f"{doing} was answered with {error.code().name}: {details}")

"""Decides whether a delivery is what it claims to be: which source, which signature, which event.

The raw bytes are verified before anything in them is parsed.
"""

from multidict import CIMultiDictProxy

from services.chassis.clock import Clock
from services.ingress.envelopes import NotAnEventError, read_envelope
from services.ingress.event_ingest import VerifiedEvent
from services.ingress.outcomes import Outcome, Reason
from services.ingress.signatures.checking import (
    Signature,
    UnreadableSignatureError,
    judge_age,
    made_with_any,
)
from services.ingress.signatures.reading import read_signature
from services.ingress.signing_secrets import SigningSecrets
from services.ingress.sources import Provider, Source, SourceState


class UnknownSourceError(Exception):
    """No source of this provider has this id."""


class RefusedError(Exception):
    """A delivery of a known source is refused."""

    def __init__(self, source: Source, outcome: Outcome, reason: Reason) -> None:
        super().__init__(f"The delivery is refused: {outcome}, {reason}.")
        self.source = source
        self.outcome = outcome
        self.reason = reason


class Verifier:
    """Turns the headers and the body of a delivery into a verified event."""

    def __init__(self, secrets: SigningSecrets, clock: Clock) -> None:
        self._secrets = secrets
        self._clock = clock

    async def verify(
        self, provider: Provider, source_id: str, *, headers: CIMultiDictProxy[str], body: bytes
    ) -> VerifiedEvent:
        """Verify a delivery.

        Raises:
            UnknownSourceError: the source is unknown, or is one of the other provider.
            RefusedError: the source is known; says what is wrong with the delivery.
            SecretsUnavailableError: nobody can tell what it must be signed with.
        """
        source = _expect(await self._secrets.source(source_id), provider)
        try:
            signature = read_signature(provider, headers)
        except UnreadableSignatureError as error:
            raise RefusedError(source, Outcome.MALFORMED, error.reason) from None
        try:
            text = body.decode()
        except UnicodeDecodeError:
            raise RefusedError(source, Outcome.MALFORMED, Reason.BODY_NOT_UTF8) from None
        if not self._signed(source, signature, text):
            # Perhaps with a secret that was entered a moment ago.
            source = _expect(await self._secrets.recheck(source_id), provider)
            if not self._signed(source, signature, text):
                reason = (
                    Reason.SOURCE_NOT_CONNECTED if not source.secrets else Reason.SIGNATURE_MISMATCH
                )
                raise RefusedError(source, Outcome.INVALID_SIGNATURE, reason)
        stale = judge_age(signature, self._clock.now())
        if stale is not None:
            raise RefusedError(source, Outcome.STALE_SIGNATURE, stale)
        return _event(source, signature, body)

    def _signed(self, source: Source, signature: Signature, text: str) -> bool:
        return made_with_any(signature, source.secrets_at(self._clock.now()), text)


def _expect(source: Source | None, provider: Provider) -> Source:
    if source is None or source.provider is not provider:
        raise UnknownSourceError
    if source.state is SourceState.DISCONNECTED:
        # Its secrets are destroyed: nothing can be verified any more, and nothing counts.
        raise RefusedError(source, Outcome.SOURCE_INACTIVE, Reason.SOURCE_DISCONNECTED)
    return source


def _event(source: Source, signature: Signature, body: bytes) -> VerifiedEvent:
    try:
        envelope = read_envelope(source.provider, body, delivery_id=signature.delivery_id)
    except NotAnEventError as error:
        raise RefusedError(source, Outcome.MALFORMED, error.reason) from None
    return VerifiedEvent(
        source=source.name,
        provider=source.provider,
        event_id=envelope.event_id,
        event_type=envelope.event_type,
        body=body,
    )

"""Reads the signature of a request in the form of its provider."""

from typing import assert_never

from multidict import CIMultiDictProxy

from services.ingress.signatures import polar, stripe
from services.ingress.signatures.checking import Signature
from services.ingress.sources import Provider


def read_signature(provider: Provider, headers: CIMultiDictProxy[str]) -> Signature:
    """Read what the headers of a request claim about its body.

    Raises:
        UnreadableSignatureError: a header is missing, or cannot be read.
    """
    match provider:
        case Provider.STRIPE:
            return stripe.read_stripe_signature(headers.getall(stripe.HEADER, ()))
        case Provider.POLAR:
            return polar.read_polar_signature(
                headers.getall(polar.ID_HEADER, ()),
                headers.getall(polar.TIMESTAMP_HEADER, ()),
                headers.getall(polar.SIGNATURE_HEADER, ()),
            )
    assert_never(provider)

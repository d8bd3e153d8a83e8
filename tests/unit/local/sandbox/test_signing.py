import base64
import json
import time

import pytest
import standardwebhooks
import stripe

from deploy.local.sandbox.polar import signing as polar
from deploy.local.sandbox.stripe import signing

BODY = json.dumps({"id": "evt_1", "object": "event", "data": {"object": {}}, "name": "é"})


class TestStripe:
    def test_stripes_own_library_takes_it(self):
        secret = signing.new_secret()
        header = signing.header([secret], BODY, at=int(time.time()))
        assert stripe.Webhook.construct_event(BODY, header, secret)["id"] == "evt_1"

    def test_while_a_secret_rolls_either_one_verifies(self):
        old, new = signing.new_secret(), signing.new_secret()
        header = signing.header([old, new], BODY, at=int(time.time()))
        for secret in (old, new):
            stripe.Webhook.construct_event(BODY, header, secret)

    def test_another_secret_does_not_verify(self):
        header = signing.header([signing.new_secret()], BODY, at=int(time.time()))
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(BODY, header, signing.new_secret())


class TestPolar:
    def headers(self, secret, *, standard):
        at = int(time.time())
        value = polar.header(secret, "id-1", BODY, at=at, standard=standard)
        return {"webhook-id": "id-1", "webhook-timestamp": str(at), "webhook-signature": value}

    def test_the_reference_library_takes_a_standard_secret(self):
        secret = polar.new_secret()
        assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
        verified = standardwebhooks.Webhook(secret).verify(
            BODY, self.headers(secret, standard=True)
        )
        assert verified["id"] == "evt_1"

    @pytest.mark.parametrize("prefix", polar.LEGACY_PREFIXES)
    def test_the_key_of_a_legacy_secret_is_its_whole_text(self, prefix):
        secret = polar.new_legacy_secret(prefix)
        assert len(secret) == len(prefix) + 43
        webhook = standardwebhooks.Webhook(secret.encode())
        assert webhook.verify(BODY, self.headers(secret, standard=False))["id"] == "evt_1"

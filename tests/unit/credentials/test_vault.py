"""When to log in to Vault again."""

from datetime import timedelta
from random import Random

from services.credentials.vault import renewal_pause

LIFETIME = timedelta(minutes=20)


class TestRenewalPause:
    def test_it_is_two_thirds_of_the_life_less_up_to_a_tenth(self) -> None:
        pauses = [renewal_pause(LIFETIME, random=Random(seed)) for seed in range(200)]
        assert max(pauses) <= LIFETIME * 2 / 3
        assert min(pauses) >= LIFETIME * 0.6

    def test_replicas_do_not_come_together(self) -> None:
        pauses = {renewal_pause(LIFETIME, random=Random(seed)) for seed in range(50)}
        assert len(pauses) == 50

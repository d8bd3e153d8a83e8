import re
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.ids import IdSource, RandomIds, time_of


class TestRandomIds:
    def test_uuids_sort_in_the_order_they_were_made(self):
        ids: IdSource = RandomIds()
        made = [ids.uuid7() for _ in range(2000)]
        assert made == sorted(made)
        assert len(set(made)) == len(made)

    def test_uuids_are_of_the_standard_library_and_version_7(self):
        uuid = RandomIds().uuid7()
        assert type(uuid) is UUID
        assert uuid.version == 7

    def test_a_uuid_carries_the_time_it_was_made(self):
        before = datetime.now(UTC) - timedelta(milliseconds=1)
        at = time_of(RandomIds().uuid7())
        assert before <= at <= datetime.now(UTC) + timedelta(milliseconds=1)

    @pytest.mark.parametrize("length", [1, 2, 3, 22, 64, 201])
    def test_a_token_has_exactly_the_length_and_the_alphabet_asked_for(self, length):
        token = RandomIds().token(length)
        assert re.fullmatch(r"[A-Za-z0-9_-]+", token)
        assert len(token) == length

    def test_tokens_differ(self):
        assert len({RandomIds().token() for _ in range(100)}) == 100
        ids = RandomIds()
        tokens = [ids.token() for _ in range(1000)]
        assert len({token[:11] for token in tokens} | {token[11:] for token in tokens}) == 2000

    @pytest.mark.parametrize("length", [0, -1])
    def test_refuses_a_token_without_characters(self, length):
        with pytest.raises(ValueError, match="at least one"):
            RandomIds().token(length)


class TestTimeOf:
    @given(st.integers(0, 253402300799999), st.integers(0, 2**62 - 1))
    def test_reads_the_millisecond(self, milliseconds, random):
        uuid = UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | random)
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        assert time_of(uuid) == epoch + timedelta(milliseconds=milliseconds)

    def test_refuses_other_versions(self):
        with pytest.raises(ValueError, match="UUIDv7"):
            time_of(uuid4())

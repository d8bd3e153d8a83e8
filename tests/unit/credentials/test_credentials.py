"""Credentials: versions in force, and what a ciphertext is bound to."""

from datetime import UTC, datetime, timedelta

import pytest

from services.credentials.domain.credentials import (
    LONGEST_OVERLAP,
    Credential,
    CredentialKey,
    CredentialKind,
    CredentialVersion,
    VersionState,
    in_force,
    overlap_fault,
)
from services.credentials.domain.sources import SourceKey

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEY = CredentialKey(SourceKey("acme", "s1"), CredentialKind.API_KEY)


def version(
    number: int, *, expire_time: datetime | None = None, destroy_time: datetime | None = None
) -> CredentialVersion:
    return CredentialVersion(
        version=number,
        create_time=NOW - 9 * HOUR + number * HOUR,
        ciphertext=None if destroy_time else "vault:v1:x",
        expire_time=expire_time,
        destroy_time=destroy_time,
    )


class TestCredentialVersion:
    def test_it_is_active_until_its_end(self) -> None:
        assert version(1, expire_time=NOW + HOUR).state(NOW) is VersionState.ACTIVE
        assert version(1).state(NOW) is VersionState.ACTIVE

    def test_it_has_expired_at_its_end(self) -> None:
        assert version(1, expire_time=NOW).state(NOW) is VersionState.EXPIRED

    def test_destroyed_outweighs_everything(self) -> None:
        gone = version(1, expire_time=NOW + HOUR, destroy_time=NOW - HOUR)
        assert gone.state(NOW) is VersionState.DESTROYED

    def test_its_repr_shows_no_ciphertext(self) -> None:
        assert "vault:v1" not in repr(version(1))


class TestInForce:
    def test_the_newest_comes_first_and_the_others_are_left_out(self) -> None:
        versions = [
            version(1, destroy_time=NOW),
            version(2, expire_time=NOW),
            version(3, expire_time=NOW + HOUR),
            version(4),
        ]
        assert [each.version for each in in_force(versions, NOW)] == [4, 3]

    def test_nothing_is_in_force_of_nothing(self) -> None:
        assert in_force([], NOW) == []


class TestCredential:
    def test_its_times_are_those_of_its_versions(self) -> None:
        credential = Credential(KEY, (version(2), version(1, destroy_time=NOW)))
        assert credential.create_time == NOW - 8 * HOUR
        assert credential.update_time == NOW


class TestAssociatedData:
    def test_every_part_of_the_name_counts(self) -> None:
        bound = {
            CredentialKey(SourceKey(workspace, source), kind).associated_data(number)
            for workspace in ("a", "b")
            for source in ("s", "t")
            for kind in CredentialKind
            for number in (1, 2)
        }
        assert len(bound) == 16

    def test_no_two_names_run_into_the_same_text(self) -> None:
        one = CredentialKey(SourceKey("ab", "c"), CredentialKind.API_KEY)
        other = CredentialKey(SourceKey("a", "bc"), CredentialKind.API_KEY)
        assert one.associated_data(1) != other.associated_data(1)

    def test_it_never_changes(self) -> None:
        assert KEY.associated_data(12) == b"4:acme2:s17:api-key2:12"


class TestOverlap:
    @pytest.mark.parametrize("overlap", [timedelta(0), HOUR, LONGEST_OVERLAP])
    def test_up_to_seven_days_are_taken(self, overlap: timedelta) -> None:
        assert overlap_fault(overlap) is None

    @pytest.mark.parametrize(
        "overlap", [timedelta(microseconds=-1), LONGEST_OVERLAP + timedelta(microseconds=1)]
    )
    def test_everything_else_is_refused(self, overlap: timedelta) -> None:
        assert overlap_fault(overlap) is not None

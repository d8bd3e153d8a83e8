"""What texts may be."""

from __future__ import annotations

import pytest

from services.attribution.domain.fields import display_name_fault, request_id_fault, text_fault


class TestTextFault:
    def test_the_length_counts_characters(self) -> None:
        assert text_fault("🦊" * 5, longest=5) is None
        assert text_fault("🦊" * 6, longest=5) is not None

    @pytest.mark.parametrize("text", ["\x00", "a\x00", "\ud83e"])
    def test_what_postgres_cannot_store_is_a_fault(self, text: str) -> None:
        assert text_fault(text, longest=5) is not None


class TestDisplayNameFault:
    @pytest.mark.parametrize("name", ["x", "x" * 200, "Überraschung 🦊", " x "])
    def test_names_of_1_to_200_characters_have_none(self, name: str) -> None:
        assert display_name_fault(name) is None

    @pytest.mark.parametrize("name", ["", " ", "\n\t", "x" * 201, "a\x00"])
    def test_others_have_one(self, name: str) -> None:
        assert display_name_fault(name) is not None


class TestRequestIdFault:
    def test_it_has_at_most_64_characters(self) -> None:
        assert request_id_fault("x" * 64) is None
        assert request_id_fault("x" * 65) is not None

"""What is known of a visitor."""

from __future__ import annotations

import pytest

from services.attribution.domain.visitors import Visitor


class TestVisitor:
    @pytest.mark.parametrize(
        "visitor",
        [
            Visitor(),
            Visitor("Firefox", None, "DE", "203.0.113.0"),
            Visitor(ip_address="2001:db8::"),
        ],
    )
    def test_takes_what_can_be(self, visitor: Visitor) -> None:
        assert list(visitor.faults()) == []

    @pytest.mark.parametrize(
        ("visitor", "field"),
        [
            (Visitor(browser="F" * 65), "browser"),
            (Visitor(browser="\x00"), "browser"),
            (Visitor(country="de"), "country"),
            (Visitor(country="DEU"), "country"),
            (Visitor(country="ДЕ"), "country"),
            (Visitor(ip_address="203.0.113.256"), "ip_address"),
            (Visitor(ip_address="fe80::1%eth0"), "ip_address"),
            (Visitor(ip_address="localhost"), "ip_address"),
        ],
    )
    def test_tells_which_field_is_wrong(self, visitor: Visitor, field: str) -> None:
        assert [fault.field for fault in visitor.faults()] == [field]

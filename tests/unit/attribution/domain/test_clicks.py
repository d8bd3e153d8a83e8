"""What a click keeps."""

from __future__ import annotations

import pytest

from services.attribution.domain.clicks import NAMED_PARAMETERS
from tests.documents import ROOT


class TestParameters:
    @pytest.mark.parametrize(
        "document", ["docs/installing/README.md", "protos/synaptyx/attribution/v1/click.proto"]
    )
    def test_documents_list_them_all(self, document: str) -> None:
        text = (ROOT / document).read_text()
        assert [name for name in NAMED_PARAMETERS if f"`{name}`" not in text] == []

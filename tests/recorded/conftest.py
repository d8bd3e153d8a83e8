"""Recorded payloads of third parties lie beside a developer's checkout, or do not.

Where they do, the tests here are one more check; what they check is also checked elsewhere with
payloads that are the project's own.
"""

from pathlib import Path

FIXTURES = Path(__file__).parents[3] / "shared" / "fixtures"

collect_ignore_glob = [] if FIXTURES.is_dir() else ["test_*.py"]

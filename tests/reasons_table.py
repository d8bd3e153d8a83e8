"""Render the README's table of reasons from the reasons themselves.

python -m tests.reasons_table        writes it into README.md
"""

from __future__ import annotations

from services.attribution.domain.outcomes import REASONS
from tests.settings_table import README

START, END = "<!-- reasons -->\n", "<!-- /reasons -->\n"


def table() -> str:
    """Return the table, a row a reason."""
    lines = ["| outcome | reason | what it says |", "|---|---|---|"]
    for outcome, reasons in REASONS.items():
        lines += [f"| `{outcome}` | `{token}` | {says} |" for token, says in reasons.items()]
    return "\n".join(lines) + "\n"


def rendered(readme: str) -> str:
    """Return the README with the table as it should be."""
    head, _, rest = readme.partition(START)
    _, _, tail = rest.partition(END)
    return f"{head}{START}\n{table()}\n{END}{tail}"


if __name__ == "__main__":
    README.write_text(rendered(README.read_text()))

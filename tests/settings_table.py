"""Render the README's table of settings from the settings themselves.

python -m tests.settings_table        writes it into README.md
"""

from __future__ import annotations

from pathlib import Path

from deploy.local.settings import LocalSettings
from services.attribution.settings import AttributionSettings
from services.chassis.migrations import MigrationSettings
from services.chassis.settings import SettingDoc, documented
from services.credentials.settings import CredentialsSettings
from services.ingress.settings import IngressSettings

README = Path(__file__).resolve().parent.parent / "README.md"
START, END = "<!-- settings -->\n", "<!-- /settings -->\n"

READERS = {
    "ingress": IngressSettings,
    "attribution": AttributionSettings,
    "credentials": CredentialsSettings,
    "migrations": MigrationSettings,
    "local stack": LocalSettings,
}


def table() -> str:
    """Return the table, a row a setting, with those who read it."""
    rows: dict[SettingDoc, list[str]] = {}
    for reader, settings in READERS.items():
        for row in documented(settings):
            rows.setdefault(row, []).append(reader)
    lines = ["| setting | type | default | read by | what it says |", "|---|---|---|---|---|"]
    for row in sorted(rows, key=lambda row: row.variable):
        default = "required" if row.default is None else f"`{row.default}`" if row.default else ""
        lines.append(
            f"| `{row.variable}` | {row.type} | {default} | {', '.join(rows[row])} | {row.help} |"
        )
    return "\n".join(lines) + "\n"


def rendered(readme: str) -> str:
    """Return the README with the table as it should be."""
    head, _, rest = readme.partition(START)
    _, _, tail = rest.partition(END)
    return f"{head}{START}\n{table()}\n{END}{tail}"


if __name__ == "__main__":
    README.write_text(rendered(README.read_text()))

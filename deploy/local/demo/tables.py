"""Show what the demonstration did, as lines and tables."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from synaptyx.attribution.v1 import conversion_pb2, webhook_log_pb2
from synaptyx.type.v1 import money_pb2

from deploy.local.merchant.sandboxes import Answer


class Show:
    """Writes to the terminal, one numbered step after the other."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._steps = 0

    def step(self, text: str) -> None:
        """Begin a step."""
        self._steps += 1
        self._console.print(f"[bold]{self._steps}.[/bold] {text}", highlight=False)

    def line(self, text: str) -> None:
        """Tell something of the step."""
        self._console.print(f"   {text}", highlight=False)

    def answers(self, answers: Iterable[Answer]) -> None:
        """Tell what deliveries were answered with."""
        for answer in answers:
            self.line(f"{answer.event_type:<28} HTTP {answer.status}  {answer.outcome}")

    def conversions(self, conversions: Iterable[conversion_pb2.Conversion]) -> None:
        """Show conversions."""
        table = Table("Payment", "State", "Gross", "Refunded", "Net", "Basis", "Click", "Campaign")
        table.title = "Conversions"
        for one in conversions:
            table.add_row(
                one.payment,
                conversion_pb2.Conversion.State.Name(one.state).removeprefix("STATE_"),
                money(one.gross),
                money(one.refunded),
                money(one.net),
                conversion_pb2.Conversion.Basis.Name(one.basis).removeprefix("BASIS_"),
                _last(one.click),
                _last(one.campaign),
            )
        self._console.print(table)

    def webhook_logs(self, rows: Iterable[webhook_log_pb2.WebhookLog]) -> None:
        """Show rows of the webhook log."""
        table = Table("Time", "Event", "Outcome", "Reason", "What it means", title="Webhook log")
        for row in rows:
            table.add_row(
                f"{row.receive_time.ToDatetime():%H:%M:%S}",
                row.event_type or "(refused)",
                webhook_log_pb2.Outcome.Name(row.outcome).removeprefix("OUTCOME_").lower(),
                row.reason,
                row.detail,
            )
        self._console.print(table)


def money(amount: money_pb2.Money) -> str:
    """Write an amount of a currency with two decimals, as all of the demonstration's are."""
    units, cents = divmod(amount.minor_units, 100)
    return f"{units}.{cents:02d} {amount.currency_code}"


def _last(name: str) -> str:
    return name.rpartition("/")[2]

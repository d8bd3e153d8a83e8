"""What can keep the local stack from running, each as one sentence for a person.

StackError
├── SettingsRefused       the environment holds a value that cannot be used
├── DirectoryInUse        another stack runs in the directory
├── DirectoryDamaged      the directory lacks something that its data needs
├── DirectoryUnusable     the directory cannot be written or read
├── PortsInUse            other programs hold our ports
├── AccountUnusable       PostgreSQL refuses root and no other account will do
├── StartFailed           a process ended, or did not get ready in time
└── StackNotRunning       there is no stack to talk to
"""

from collections.abc import Mapping
from pathlib import Path

NAMED_PORTS = 3


class StackError(Exception):
    """Stop the stack, and tell the person at the terminal why and what to do."""


class SettingsRefused(StackError):
    """Refuse the environment."""

    def __init__(self, explanation: str) -> None:
        self.explanation = explanation
        super().__init__(explanation)


class DirectoryInUse(StackError):
    """Refuse to run two stacks in one directory."""

    def __init__(self, directory: Path, *, process: str) -> None:
        self.directory = directory
        self.process = process
        who = f" (process {process})" if process else ""
        super().__init__(
            f"Another `make run`{who} uses {directory}: stop it first, or give this one a "
            "directory and ports of its own with SYNAPTYX_LOCAL_DIR and SYNAPTYX_PORT_BASE."
        )


class DirectoryDamaged(StackError):
    """Refuse to go on with half of the data."""

    def __init__(self, directory: Path, *, damage: str) -> None:
        self.directory = directory
        self.damage = damage
        super().__init__(
            f"{directory} is damaged: {damage}; move it away "
            f"(`mv {directory} {directory}.damaged`) and run again to start with an empty one."
        )


class DirectoryUnusable(StackError):
    """Refuse a directory that this user cannot use."""

    def __init__(self, directory: Path, *, explanation: str) -> None:
        self.directory = directory
        self.explanation = explanation
        super().__init__(
            f"{directory} cannot be used ({explanation}): run as the user it belongs to, or name "
            "another directory with SYNAPTYX_LOCAL_DIR."
        )


class PortsInUse(StackError):
    """Refuse to start where other programs listen."""

    def __init__(self, ports: Mapping[int, str], *, base: int) -> None:
        self.ports = ports
        self.base = base
        first = sorted(ports.items())[:NAMED_PORTS]
        named = ", ".join(f"{port} ({purpose})" for port, purpose in first)
        more = f" and {len(ports) - len(first)} more" if len(ports) > len(first) else ""
        what = f"Port {named} is" if len(ports) == 1 else f"Ports {named}{more} are"
        other = base + 100 if base + 100 < 65500 else 7400
        super().__init__(
            f"{what} in use by another program: stop it, or move every port of the stack, for "
            f"example with `SYNAPTYX_PORT_BASE={other} make run`."
        )


class AccountUnusable(StackError):
    """Refuse to run PostgreSQL where no account can run it."""

    def __init__(self, explanation: str) -> None:
        self.explanation = explanation
        super().__init__(f"PostgreSQL does not run as root, and {explanation}.")


class StartFailed(StackError):
    """Report a process that did not get ready."""

    def __init__(
        self, name: str, *, what: str, log_file: Path, last_line: str, advice: str = ""
    ) -> None:
        self.name = name
        self.what = what
        self.log_file = log_file
        self.last_line = last_line
        self.advice = advice
        advised = f"; {advice}" if advice else ""
        said = f"; it last said: {last_line}" if last_line else ""
        super().__init__(f"{name} {what} (its log is {log_file}){advised}{said}")


class StackNotRunning(StackError):
    """Report that there is no stack to talk to."""

    def __init__(self, stack_file: Path) -> None:
        self.stack_file = stack_file
        super().__init__(
            f"No local stack is ready in {stack_file.parent}: start it with `make run` in another "
            "terminal, and wait until it says that it is ready."
        )

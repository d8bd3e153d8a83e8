"""Become another program: one that ends with its parent, and that root is not.

    python -I -S launch.py --parent PID --death-signal N [--user UID:GID [--reach]] -- PROGRAM ...

It runs as a program of its own, between fork and exec of the real one, because what it sets
belongs to the process, and because a fork that runs Python is unsafe beside gRPC's threads.
It imports the standard library only, and so starts in a few milliseconds.

`--death-signal` has the kernel send that signal when the parent dies, however it dies.

`--user` gives up root. PostgreSQL refuses to run as root, yet the checkout may lie below a
directory such as /root that no other user may enter. With `--reach` the new user keeps, through
Linux' ambient capabilities, the right to read what root can read, and nothing else of root.
access(2), which PostgreSQL asks about its own binaries, ignores capabilities of users other
than root unless the securebit SECBIT_NO_SETUID_FIXUP is set, so it is.
"""

import argparse
import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
SECBIT_NO_SETUID_FIXUP = 1 << 2
LINUX_CAPABILITY_VERSION_3 = 0x20080522
# Either will do. The first is the smaller one; containers often have only the second.
CAP_DAC_READ_SEARCH = 2
CAP_DAC_OVERRIDE = 1


@dataclass(frozen=True)
class Account:
    """An operating-system account that a program runs as."""

    user_id: int
    group_id: int
    reach: bool = False
    """Keep the right to read what only root can read."""


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def command(
    program: Sequence[str], *, death_signal: signal.Signals, account: Account | None = None
) -> list[str]:
    """Give the command that runs `program` through this file, as a child of this process."""
    words = [sys.executable, "-I", "-S", __file__, "--parent", str(os.getpid())]
    words += ["--death-signal", str(int(death_signal))]
    if account is not None:
        words += ["--user", f"{account.user_id}:{account.group_id}"]
        words += ["--reach"] if account.reach else []
    return [*words, "--", *program]


def can_reach() -> bool:
    """Say whether root here has a capability that `--reach` can hand on."""
    return sys.platform == "linux" and _reading_capability() is not None


def end_with_parent(death_signal: signal.Signals, *, parent: int) -> None:
    """Have the kernel send `death_signal` to this process when its parent dies.

    Does nothing where there is no such thing (outside Linux).
    """
    if sys.platform != "linux":
        return
    _prctl(PR_SET_PDEATHSIG, int(death_signal))
    if os.getppid() != parent:
        # It died before the kernel was asked.
        os.kill(os.getpid(), death_signal)


def become(account: Account) -> None:
    """Give up root for `account`.

    Raises:
        OSError: the kernel refuses; this process is then of no use any more.
    """
    if account.reach:
        capability = _reading_capability()
        if capability is None:
            raise PermissionError("this root has no capability to read everything")
        _prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
    os.setgroups([])
    os.setresgid(account.group_id, account.group_id, account.group_id)
    os.setresuid(account.user_id, account.user_id, account.user_id)
    if account.reach and capability is not None:
        _keep_only(capability)


def _reading_capability() -> int | None:
    header = _Header(LINUX_CAPABILITY_VERSION_3, 0)
    sets = (_Sets * 2)()
    if _libc().capget(ctypes.byref(header), sets) != 0:
        return None
    for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
        if sets[0].permitted & (1 << capability):
            return capability
    return None


def _keep_only(capability: int) -> None:
    mask = 1 << capability
    header = _Header(LINUX_CAPABILITY_VERSION_3, 0)
    sets = (_Sets * 2)(_Sets(mask, mask, mask), _Sets(0, 0, 0))
    if _libc().capset(ctypes.byref(header), sets) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)


def _prctl(option: int, *arguments: int) -> None:
    words = [ctypes.c_ulong(word) for word in (*arguments, 0, 0, 0, 0)][:4]
    if _libc().prctl(option, *words) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option}")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Become what the arguments say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--death-signal", type=int, required=True)
    parser.add_argument("--user")
    parser.add_argument("--reach", action="store_true")
    parser.add_argument("program", nargs="+")
    arguments = parser.parse_args()
    if arguments.user is not None:
        user_id, group_id = (int(part) for part in arguments.user.split(":"))
        become(Account(user_id, group_id, reach=arguments.reach))
    # After the change of user, which makes the kernel forget it.
    end_with_parent(signal.Signals(arguments.death_signal), parent=arguments.parent)
    os.execv(arguments.program[0], arguments.program)


if __name__ == "__main__":
    main()

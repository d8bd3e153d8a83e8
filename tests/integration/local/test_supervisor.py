"""The supervisor with small stand-ins: an HTTP server that can be told to crash."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from datetime import timedelta
from pathlib import Path

import pytest

from deploy.local import probes
from deploy.local.errors import StartFailed
from deploy.local.processes import Command
from deploy.local.supervisor import Backoff, Supervisor, Unit

SERVER = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1"]
ENVIRON = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"}
QUICK = Backoff(first=timedelta(milliseconds=10), most=timedelta(milliseconds=50))


def command(tmp_path, program, *, name="standin", **options):
    return Command(name, program, tmp_path / f"{name}.log", environ=ENVIRON, **options)


@pytest.fixture
def port(unused_port):
    return unused_port()


@pytest.fixture
async def supervised():
    """Give a supervisor and the lines that it reports, as they come."""
    lines: asyncio.Queue[str] = asyncio.Queue()
    supervisor = Supervisor(lines.put_nowait, backoff=QUICK)
    yield supervisor, lines
    supervisor.hurry()
    await supervisor.stop()


def http_unit(tmp_path, port, **options):
    unit = command(tmp_path, [*SERVER, str(port)], **options)
    return Unit(unit, probes.http_ok(f"http://127.0.0.1:{port}/"))


def is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


async def gone(process):
    async with asyncio.timeout(10):
        while is_alive(process):
            await asyncio.sleep(0.02)


class TestSupervisor:
    async def test_a_crashed_process_is_started_again_and_reported(
        self, supervised, tmp_path, port
    ):
        supervisor, lines = supervised
        await supervisor.start(http_unit(tmp_path, port), place=0)
        first = supervisor.process_id("standin")
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(20):
            assert (await lines.get()).startswith("standin was ended by SIGKILL; starting it")
            assert (await lines.get()).startswith("standin runs again")
        assert supervisor.process_id("standin") not in (None, first)

    async def test_one_that_keeps_crashing_says_where_its_log_is(self, supervised, tmp_path):
        supervisor, lines = supervised

        async def ready():
            return True

        program = [sys.executable, "-c", "import time; time.sleep(0.3); raise SystemExit(3)"]
        await supervisor.start(Unit(command(tmp_path, program), ready), place=0)
        async with asyncio.timeout(20):
            while "times in a row" not in (line := await lines.get()):
                assert "exit code 3" in line or "runs again" in line
        assert f"see {tmp_path / 'standin.log'}" in line

    async def test_one_that_does_not_start_is_told_with_its_last_words(self, supervised, tmp_path):
        supervisor, _ = supervised

        async def never():
            return False

        program = [sys.executable, "-c", "raise SystemExit('no such thing')"]
        unit = Unit(command(tmp_path, program), never, advice="look at it")
        with pytest.raises(StartFailed) as caught:
            await supervisor.start(unit, place=0)
        assert "exit code 1" in str(caught.value)
        assert "look at it" in str(caught.value)
        assert str(caught.value).endswith("it last said: no such thing")

    async def test_one_that_never_gets_ready_is_told_too(self, supervised, tmp_path):
        supervisor, _ = supervised

        async def never():
            return False

        program = [sys.executable, "-c", "import time; time.sleep(60)"]
        unit = Unit(command(tmp_path, program), never, start_within=timedelta(milliseconds=300))
        with pytest.raises(StartFailed, match=r"did not get ready within 0\.3 s"):
            await supervisor.start(unit, place=0)

    async def test_everything_stops_in_reverse_order(self, supervised, tmp_path):
        supervisor, _ = supervised
        journal = tmp_path / "journal"

        async def ready():
            return journal.exists() and len(journal.read_text().split()) >= expected

        program = textwrap.dedent(f"""
            import pathlib, signal, sys
            journal = pathlib.Path({str(journal)!r})
            def write(word):
                with journal.open("a") as file:
                    file.write(word + "\\n")
            def end(*_):
                write("stop-" + sys.argv[1])
                sys.exit(0)
            signal.signal(signal.SIGTERM, end)
            write("start-" + sys.argv[1])
            while True:
                signal.pause()
        """)
        for expected, name in enumerate(("database", "service", "door"), start=1):
            unit = Unit(command(tmp_path, [sys.executable, "-c", program, name], name=name), ready)
            await supervisor.start(unit, place=expected)
        await supervisor.stop()
        assert journal.read_text().split() == [
            "start-database",
            "start-service",
            "start-door",
            "stop-door",
            "stop-service",
            "stop-database",
        ]

    async def test_one_that_does_not_end_is_ended_when_somebody_hurries(self, supervised, tmp_path):
        supervisor, _ = supervised
        marker = tmp_path / "ready"
        program = (
            "import pathlib, signal, sys\n"
            "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "pathlib.Path(sys.argv[1]).touch()\n"
            "while True: signal.pause()"
        )

        async def ready():
            return marker.exists()

        stubborn = command(
            tmp_path,
            [sys.executable, "-c", program, str(marker)],
            grace=timedelta(seconds=200),
        )
        await supervisor.start(Unit(stubborn, ready), place=0)
        process = supervisor.process_id("standin")
        stopping = asyncio.create_task(supervisor.stop())
        await asyncio.sleep(0.1)
        assert not stopping.done()
        supervisor.hurry()
        async with asyncio.timeout(10):
            await stopping
        assert not is_alive(process)

    async def test_ctrl_c_at_the_terminal_does_not_reach_the_children(
        self, supervised, tmp_path, port
    ):
        supervisor, _ = supervised
        await supervisor.start(http_unit(tmp_path, port), place=0)
        process = supervisor.process_id("standin")
        assert os.getsid(process) == process


class TestOrphans:
    async def test_children_die_with_a_supervisor_that_is_killed(self, tmp_path):
        program = textwrap.dedent(f"""
            import asyncio, os, sys
            from pathlib import Path
            from deploy.local.processes import Command, Process

            async def main():
                command = Command(
                    "sleeper", [sys.executable, "-c", "import time; time.sleep(600)"],
                    Path({str(tmp_path / "sleeper.log")!r}), environ=dict(os.environ),
                )
                print((await Process.start(command)).pid, flush=True)
                await asyncio.sleep(600)

            asyncio.run(main())
        """)
        root = Path(__file__).resolve().parents[3]
        parent = subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=root
        )
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.kill()
        parent.wait()
        parent.stdout.close()
        await gone(child)

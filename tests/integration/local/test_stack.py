"""The whole stack as a person runs it: start, demo, crash, damage, Ctrl-C, and again."""

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack import ROOT, Stack, children, free_ports, start_stack


def run(directory, base, *words, within=60):
    """Run one of our commands to its end, and give exit code, output and errors."""
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SYNAPTYX_")},
        "SYNAPTYX_LOCAL_DIR": str(directory),
        "SYNAPTYX_PORT_BASE": str(base),
    }
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def one_sentence(text):
    """Say whether the text is a sentence for a person rather than a traceback."""
    return text.count("\n") == 1 and "Traceback" not in text


def alive(processes):
    found = []
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, 0)
            found.append(process)
    return found


def wait_for(condition, *, within=30.0):
    until = time.monotonic() + within
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    # Below a directory that only its owner may enter, as /root is.
    closed: Path = tmp_path_factory.mktemp("closed")
    closed.chmod(0o700)
    return closed / "local"


@pytest.fixture(scope="module")
def base() -> int:
    return free_ports()


@pytest.fixture(scope="module")
def stack(place, base) -> Iterator[Stack]:
    running = start_stack(place, port_base=base)
    yield running
    with contextlib.suppress(ProcessLookupError):
        running.stop()


@pytest.mark.slow
class TestStack:
    """The tests follow one another on the same stack."""

    def test_the_stack_file_is_private_and_complete(self, stack, base):
        path = stack.directory / "stack.json"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stack.file["ingress_url"] == f"http://127.0.0.1:{base}"
        assert Path(stack.file["operator_key_file"]).exists()
        output = (stack.directory.parent / "local.out").read_text()
        assert "Ready in" in output
        assert "make demo" in output

    def test_the_demo_runs_any_number_of_times(self, stack, base):
        for _ in range(2):
            code, output, errors = run(stack.directory, base, "deploy.local.demo")
            assert (code, errors) == (0, ""), output
            assert "HTTP 200  duplicate" in output
            assert "HTTP 401  invalid_signature" in output
            assert "34.00 USD" in output
            assert "17.85 USD" in output

    def test_a_second_stack_in_the_directory_is_refused(self, stack, base):
        code, _, errors = run(stack.directory, base, "deploy.local", "run")
        assert code == 1
        assert one_sentence(errors)
        assert "Another `make run`" in errors

    def test_taken_ports_are_refused(self, stack, base, tmp_path):
        code, _, errors = run(tmp_path / "other", base, "deploy.local", "run")
        assert code == 1
        assert one_sentence(errors)
        assert f"{base} (ingress, public)" in errors

    def test_a_crashed_service_comes_back(self, stack, base):
        before = stack.process_id("attribution")
        os.kill(before, signal.SIGKILL)
        output = stack.directory.parent / "local.out"
        wait_for(lambda: "attribution runs again" in output.read_text())
        assert stack.process_id("attribution") != before
        code, printed, _ = run(stack.directory, base, "deploy.local.demo")
        assert code == 0, printed

    def test_ctrl_c_stops_everything(self, stack):
        processes = [pid for pid, _ in children(stack.process.pid)]
        assert stack.stop() == 0
        assert alive(processes) == []
        assert not (stack.directory / "stack.json").exists()

    def test_without_a_stack_the_demo_says_so(self, place, base):
        code, _, errors = run(place, base, "deploy.local.demo")
        assert code == 1
        assert one_sentence(errors)
        assert "make run" in errors

    def test_a_second_start_goes_on_with_the_data_and_a_killed_one_leaves_nothing(
        self, place, base
    ):
        again = start_stack(place, port_base=base)
        code, output, errors = run(place, base, "deploy.local.demo")
        assert (code, errors) == (0, "")
        assert output.count("connected by an earlier run") == 2
        processes = [pid for pid, _ in children(again.process.pid)]
        again.process.kill()
        again.process.wait()
        wait_for(lambda: alive(processes) == [])

    @pytest.mark.parametrize(
        ("lost", "told"),
        [
            ("secrets/unseal.key", "secrets/unseal.key is missing"),
            ("secrets/body-keys", "secrets/body-keys is missing"),
            ("postgres/PG_VERSION", "postgres/PG_VERSION cannot be read"),
            ("postgres/global/pg_control", "PostgreSQL did not start"),
            ("openbao/data", "openbao/data is gone"),
        ],
    )
    def test_a_damaged_directory_is_told_in_one_sentence(self, place, base, lost, told):
        kept = place.with_name("kept")
        (place / lost).rename(kept)
        try:
            code, _, errors = run(place, base, "deploy.local", "run")
        finally:
            if (place / lost).is_dir():
                shutil.rmtree(place / lost)
            kept.rename(place / lost)
        assert code == 1
        assert one_sentence(errors)
        assert told in errors
        assert str(place) in errors

    def test_a_setting_that_cannot_be_is_named(self, place):
        code, _, errors = run(place, "many", "deploy.local", "run")
        assert code == 1
        assert "SYNAPTYX_PORT_BASE" in errors
        assert "Traceback" not in errors

    def test_a_port_taken_by_one_stranger_is_named(self, place, base):
        with socket.socket() as stranger:
            stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            stranger.bind(("127.0.0.1", base + 11))
            stranger.listen()
            code, _, errors = run(place, base, "deploy.local", "run")
        assert code == 1
        assert f"Port {base + 11} (PostgreSQL) is in use" in errors

import asyncio
import gc
import io
import logging
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.chassis import logs
from services.chassis.errors import ResourceNotFound
from services.chassis.secret import Secret
from services.chassis.settings import TelemetrySettings
from services.chassis.telemetry import configure_tracing, current_span_id, current_trace_id, span

CANARY = "canary-9f2c"
log = logs.logger("services.test")


class Written:
    """Holds what was written."""

    def __init__(self) -> None:
        self.stream = io.BytesIO()

    @property
    def lines(self) -> list[dict]:
        return [orjson.loads(line) for line in self.stream.getvalue().splitlines()]

    @property
    def line(self) -> dict:
        (line,) = self.lines
        return line


@pytest.fixture
def written():
    written = Written()
    with restored():
        logs.configure("attribution", "info", output=written.stream)
        yield written
    assert CANARY.encode() not in written.stream.getvalue()


@contextmanager
def restored():
    """Put the logging of this process back as it was."""
    root = logging.getLogger()
    lines, level = logs._Pipeline.lines, root.level
    try:
        yield
    finally:
        logs._Pipeline.lines = lines
        root.setLevel(level)
        for handler in root.handlers[:]:
            if isinstance(handler, logs._LibraryHandler):
                root.removeHandler(handler)


class TestLogger:
    def test_writes_one_json_line(self, written):
        log.info("event_ingested", source="workspaces/a/sources/b", size=3, text="a\nb")
        at = datetime.fromisoformat(written.line["time"])
        assert timedelta() <= datetime.now(UTC) - at < timedelta(minutes=1)
        assert {**written.line, "time": ""} == {
            "time": "",
            "level": "info",
            "service": "attribution",
            "logger": "services.test",
            "event": "event_ingested",
            "source": "workspaces/a/sources/b",
            "size": 3,
            "text": "a\nb",
        }
        assert written.stream.getvalue().count(b"\n") == 1

    def test_writes_from_the_level_on(self, written):
        log.debug("a")
        log.info("b")
        log.warning("c")
        log.error("d")
        assert [(line["event"], line["level"]) for line in written.lines] == [
            ("b", "info"),
            ("c", "warning"),
            ("d", "error"),
        ]

    def test_writes_no_secret(self, written):
        log.info(
            "event",
            key=Secret(CANARY),
            token=CANARY,
            nested={"body": CANARY, "octets": CANARY.encode()},
            failure=ValueError(CANARY),
        )
        assert written.line["key"] == "[redacted]"
        assert written.line["nested"] == {"body": "[redacted]", "octets": "[11 octets]"}

    def test_does_not_let_a_field_take_the_place_of_its_own(self, written):
        log.info("event", service="x", level="y", logger="z", time=1)
        assert written.line["service"] == "attribution"
        assert written.line["level"] == "info"
        assert (written.line["service_"], written.line["level_"]) == ("x", "y")
        assert (written.line["logger_"], written.line["time_"]) == ("z", 1)

    def test_describes_a_failure_by_classes_and_frames(self, written):
        try:
            try:
                orjson.loads(CANARY)
            except ValueError as error:
                raise ResourceNotFound("workspaces/a") from error
        except ResourceNotFound as error:
            log.exception("call_failed", error=error, method="m")
        assert written.line["level"] == "error"
        assert written.line["method"] == "m"
        assert written.line["error"] == "services.chassis.errors.ResourceNotFound"
        first, second = written.line["exceptions"]
        assert "workspaces/a" in first["message"]
        assert second["type"] == "orjson.JSONDecodeError"
        assert first["frames"][0].endswith("test_describes_a_failure_by_classes_and_frames")

    def test_takes_any_value_and_a_broken_output(self, written):
        log.info("event", value="\ud800", big=10**5000, thing=object())
        assert written.line["thing"] == "[object]"
        written.stream.close()
        log.info("event")
        written.stream = io.BytesIO()

    def test_adds_the_trace_only_inside_of_one(self, written):
        settings = TelemetrySettings(traces=True, traces_ratio=0.0)
        stop = configure_tracing(
            "test", settings, processor=SimpleSpanProcessor(InMemorySpanExporter())
        )
        try:
            log.info("outside")
            with span("work"):
                ids = current_trace_id(), current_span_id()
                log.info("inside")
        finally:
            stop()
        outside, inside = written.lines
        assert "trace_id" not in outside
        assert (inside["trace_id"], inside["span_id"]) == ids

    def test_writes_nothing_before_it_is_configured(self, capfdbinary):
        with restored():
            logs._Pipeline.lines = None
            log.debug("event")
            log.info("event")
            log.warning("event")
            log.error("event")
            log.exception("event", error=ValueError())  # noqa: LOG004
            logs._LibraryHandler().handle(logging.makeLogRecord({"msg": "x"}))
        assert capfdbinary.readouterr() == (b"", b"")

    def test_writes_to_standard_output(self, capfdbinary):
        with restored():
            logs.configure("attribution", "info")
            log.info("event")
        out, err = capfdbinary.readouterr()
        assert orjson.loads(out)["event"] == "event"
        assert err == b""


class TestConfigure:
    def test_again_moves_every_logger(self, written):
        other = Written()
        logs.configure("credentials", "error", output=other.stream)
        log.warning("a")
        log.error("b")
        logging.getLogger("library").error("c")
        assert written.lines == []
        assert [line["event"] for line in other.lines] == ["b", "library_line"]

    def test_refuses_a_level_that_does_not_exist(self):
        with pytest.raises(KeyError):
            logs.configure("attribution", "loud")


class TestLibraryLines:
    def test_go_the_same_way_with_their_texts_masked(self, written):
        logging.getLogger("library.part").warning(
            "got %s from %r after %d tries in %.1f s: %s",
            CANARY,
            [CANARY],
            3,
            0.5,
            ValueError(CANARY),
        )
        assert written.line["event"] == "library_line"
        assert written.line["logger"] == "library.part"
        assert written.line["level"] == "warning"
        assert written.line["message"] == "got … from '…' after 3 tries in 0.5 s: ValueError"

    @pytest.mark.parametrize(
        ("message", "arguments", "expected"),
        [
            ("100 % sure", (), "100 % sure"),
            ("%d", (CANARY,), "%d"),
            ("%(name)s is %(age)d", ({"name": CANARY, "age": 3},), "… is 3"),
            ("%s %s", (1,), "%s %s"),
            ("%s", (logs.Output,), "…"),
            ("first\n" + CANARY, (), "first"),
            (ValueError(CANARY), (), "[ValueError]"),
            ("a" * 1000, (), "a" * 300),
        ],
    )
    def test_are_written_whatever_they_are(self, written, message, arguments, expected):
        # Not through logging itself: pytest's handlers fail for a wrong placeholder.
        record = logging.LogRecord("library", 40, "x.py", 1, message, arguments, None)
        logs._LibraryHandler().handle(record)
        assert written.line["message"] == expected

    def test_show_failures_by_classes_and_frames(self, written):
        try:
            int(CANARY)
        except ValueError:
            logging.getLogger("library").exception("failed")
        assert written.line["error"] == "ValueError"
        assert [each["type"] for each in written.line["exceptions"]] == ["ValueError"]

    def test_are_heard_from_warning_on_or_from_info_on_at_debug(self, written):
        logging.getLogger("library").info("a")
        assert written.lines == []
        logs.configure("attribution", "debug", output=written.stream)
        logging.getLogger("library").debug("b")
        logging.getLogger("library").info("c")
        logging.getLogger("library").critical("d")
        assert [(line["message"], line["level"]) for line in written.lines] == [
            ("c", "info"),
            ("d", "error"),
        ]

    async def test_show_no_text_of_a_failed_task(self, written):
        async def fail():
            raise ValueError(CANARY)

        task = asyncio.get_running_loop().create_task(fail())
        await asyncio.wait([task])
        del task
        gc.collect()
        assert written.line["message"] == "Task exception was never retrieved"
        assert written.line["error"] == "ValueError"

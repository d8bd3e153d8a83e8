from pathlib import Path

from deploy.local.processes import inherited_environ, last_line, rotate


class TestInheritedEnviron:
    def test_settings_of_the_person_reach_the_child(self):
        child = inherited_environ({"SYNAPTYX_LOG_LEVEL": "debug"}, settings={"SYNAPTYX_X": "1"})
        assert child == {"SYNAPTYX_LOG_LEVEL": "debug", "SYNAPTYX_X": "1"}

    def test_our_setting_wins_whether_it_comes_as_a_value_or_as_a_file(self):
        person = {"SYNAPTYX_URL": "theirs", "SYNAPTYX_KEY_FILE": "theirs"}
        ours: dict[str, str | Path] = {"SYNAPTYX_URL_FILE": Path("/ours"), "SYNAPTYX_KEY": "ours"}
        assert inherited_environ(person, settings=ours) == {
            "SYNAPTYX_URL_FILE": "/ours",
            "SYNAPTYX_KEY": "ours",
        }

    def test_what_would_mislead_the_programs_is_left_out(self):
        person = {
            "PATH": "/bin",
            "PGHOST": "elsewhere",
            "BAO_API_ADDR": "elsewhere",
            "VAULT_ADDR": "elsewhere",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        assert inherited_environ(person, settings={}) == {"PATH": "/bin"}


class TestLogFiles:
    def test_a_new_start_keeps_one_log_before(self, tmp_path):
        log = tmp_path / "service.log"
        for text in ("first", "second"):
            log.write_text(text)
            rotate(log)
        assert (tmp_path / "service.log.1").read_text() == "second"
        assert not log.exists()

    def test_rotating_what_is_not_there_does_nothing(self, tmp_path):
        rotate(tmp_path / "service.log")
        assert list(tmp_path.iterdir()) == []

    def test_the_last_line_that_says_something_is_found(self, tmp_path):
        log = tmp_path / "service.log"
        log.write_bytes(b"x" * 20_000 + b"\nit went wrong\n\n  \n")
        assert last_line(log) == "it went wrong"

    def test_a_missing_log_has_no_last_line(self, tmp_path):
        assert last_line(tmp_path / "service.log") == ""

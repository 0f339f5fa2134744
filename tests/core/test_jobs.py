"""Background jobs: real processes, followed by their status files."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from core import files, jobs
from core.backbones import available
from core.errors import LikenessError
from core.jobs import JobStatus, Reporter
from core.store import EmbeddingStore
from tests import pictures


def _wait(job: str, until: Callable[[JobStatus], bool], seconds: float = 60) -> JobStatus:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        status = jobs.status(job)
        assert status is not None
        if until(status):
            return status
        time.sleep(0.02)
    raise AssertionError(f"{status}\n{jobs.output(job)}")


def _finished(status: JobStatus) -> bool:
    return not status.live


def _embedding(status: JobStatus) -> bool:
    return status.stage == "Embedding" and status.done > 0


def _start(root: Path, network: str) -> str:
    return jobs.start(["embed", "--dataset", str(root), "--models", network])


def test_a_job_runs_to_its_end_and_tells_how_far_it_is(tmp_path: Path, network: str) -> None:
    root = pictures.paint(tmp_path / "d", 30)
    job = _start(root, network)
    states = [jobs.status(job)]
    assert [running.id for running in jobs.running()] == [job]
    done = _wait(job, lambda status: (states.append(status), _finished(status))[1])
    order = list(dict.fromkeys(status.state for status in states if status))
    assert order in (["starting", "running", "done"], ["starting", "done"])
    assert done.done == done.total > 0
    assert done.eta_s == 0
    assert done.pid > 0
    assert done.command[:2] == ("embed", "--dataset")
    assert done.started <= done.updated
    assert "90 images" in jobs.output(job)
    assert jobs.running() == []


def test_a_cancelled_job_keeps_what_it_finished(tmp_path: Path, cache: Path, network: str) -> None:
    job = _start(pictures.paint(tmp_path / "d", 400), network)
    seen = _wait(job, lambda status: _embedding(status) or _finished(status))
    assert seen.state == "running"
    jobs.cancel(job)
    status = _wait(job, _finished)
    assert (status.state, status.live) == ("cancelled", False)
    assert "kept" in status.message
    kept = len(EmbeddingStore(cache).keys(available()[network].fingerprint))
    assert seen.done <= kept < 1200
    jobs.cancel(job)  # again, to no effect
    assert jobs.status(job) == status


def test_a_killed_job_is_failed_and_never_shown_as_running(tmp_path: Path, network: str) -> None:
    job = _start(pictures.paint(tmp_path / "d", 400), network)
    seen = _wait(job, lambda status: status.state != "starting")
    os.kill(seen.pid, signal.SIGKILL)
    status = _wait(job, _finished, 10)
    assert status.state == "failed"
    assert "ended unexpectedly" in status.message
    assert jobs.running() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["embed", "--dataset", "/no/such/folder"], "/no/such/folder"),
        (["embed", "--split", "1/2"], "70/15/15"),
        (["frobnicate"], "frobnicate"),
    ],
)
def test_a_job_of_bad_input_fails_with_the_reason_at_once(cache: Path, arguments: list[str], message: str) -> None:
    job = jobs.start(arguments)
    status = _wait(job, _finished, 20)
    assert status.state == "failed"
    assert message in status.message
    deadline = time.monotonic() + 10  # it says so on its way out, after its last status
    while message not in jobs.output(job) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert message in jobs.output(job)


def test_a_public_demo_starts_no_jobs(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKENESS_PUBLIC", "1")
    with pytest.raises(LikenessError, match="public demo"):
        jobs.start(["doctor"])
    assert not (cache / "jobs").exists()


@pytest.mark.parametrize("job", ["", "..", "../../etc", "/etc", "1-2/../..", "x", "1\n", "1\0"])
@pytest.mark.parametrize("ask", [jobs.status, jobs.output, jobs.cancel])
def test_ids_that_no_job_has_are_refused(cache: Path, job: str, ask: Callable[[str], object]) -> None:
    with pytest.raises(LikenessError, match="not the id of a job"):
        ask(job)


def test_an_unknown_job_has_no_status_and_no_output(cache: Path) -> None:
    assert jobs.status("123-abc") is None
    assert jobs.output("123-abc") == ""
    jobs.cancel("123-abc")


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"command": 3}', '{"command": [], "odd": 1}'])
def test_a_damaged_status_or_a_strange_folder_hides_no_other_job(cache: Path, content: str) -> None:
    good = JobStatus("1-a", ("embed",), "starting", started=time.time())
    files.write_json(cache / "jobs" / "1-a" / "status.json", asdict(good))
    (cache / "jobs" / "2-b").mkdir()
    (cache / "jobs" / "2-b" / "status.json").write_text(content)
    (cache / "jobs" / "notes of mine").mkdir()
    assert jobs.status("2-b") is None
    assert jobs.running() == [good]


def test_a_job_that_never_came_up_is_given_up_after_a_minute(cache: Path) -> None:
    old = JobStatus("1-a", ("embed",), "starting", started=time.time() - 61)
    files.write_json(cache / "jobs" / "1-a" / "status.json", asdict(old))
    status = jobs.status("1-a")
    assert status is not None
    assert status.state == "failed"


def test_the_history_is_of_jobs_that_ended_newest_first(cache: Path) -> None:
    now = time.time()
    told = [
        JobStatus("1-a", ("embed",), "done", started=now - 90, updated=now - 80),
        JobStatus("2-b", ("embed",), "cancelled", started=now - 70, updated=now),
        JobStatus("3-c", ("embed",), "starting", started=now),
        JobStatus("4-d", ("project",), "failed", message="no such folder", started=now - 50, updated=now - 40),
    ]
    for one in told:
        files.write_json(cache / "jobs" / one.id / "status.json", asdict(one))
    (cache / "jobs" / "notes of mine").mkdir()
    (cache / "jobs" / "9-f").mkdir()
    assert jobs.history() == [told[3], told[1], told[0]]
    assert jobs.running() == [told[2]]


def test_a_killed_job_is_history_and_a_live_one_is_not(cache: Path) -> None:
    status = JobStatus("1-a", ("embed",), "running", pid=1, started=time.time() - 9)
    files.write_json(cache / "jobs" / "1-a" / "status.json", asdict(status))
    with files.locked(cache / "jobs" / "1-a" / "alive"):
        assert jobs.history() == []
    assert [(one.id, one.state) for one in jobs.history()] == [("1-a", "failed")]


def _reported(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = cache / "jobs" / "5-c"
    files.write_json(folder / "status.json", asdict(JobStatus("5-c", ("embed",), "starting", started=time.time())))
    monkeypatch.setenv(jobs.JOB_VARIABLE, str(folder))
    return folder


def test_rate_and_time_left_come_from_the_stage_under_way(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _reported(cache, monkeypatch)
    clock = 1000.0
    monkeypatch.setattr(time, "time", lambda: clock)
    with Reporter() as report:
        report("Scanning", 0, 10)
        clock += 100
        report("Embedding", 20, 100)
        clock += 10
        report("Embedding", 40, 100)
        found = jobs._read("5-c")
        assert found is not None
        assert (found.stage, found.done, found.total, found.rate, found.eta_s) == ("Embedding", 40, 100, 2.0, 30.0)


def test_the_status_file_is_written_at_most_twice_a_second(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _reported(cache, monkeypatch)
    writes: list[int] = []
    write = jobs._write
    monkeypatch.setattr(jobs, "_write", lambda status: (writes.append(status.done), write(status))[1])
    with Reporter() as report:
        for done in range(1001):
            report("Embedding", done, 1000)
    assert writes[-1] == 1000
    assert len(writes) < 50
    assert json.loads((folder / "status.json").read_text())["state"] == "done"


@pytest.mark.parametrize(
    ("error", "state", "message"),
    [
        (KeyboardInterrupt(), "cancelled", "kept"),
        (LikenessError("the folder is empty"), "failed", "the folder is empty"),
        (ZeroDivisionError("oops"), "failed", "ZeroDivisionError: oops"),
        (SystemExit(0), "done", ""),
    ],
)
def test_how_a_job_ends_is_told(
    cache: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, state: str, message: str
) -> None:
    _reported(cache, monkeypatch)
    with pytest.raises(type(error)), Reporter():
        raise error
    status = jobs.status("5-c")
    assert status is not None
    assert status.state == state
    assert message in status.message


def test_a_process_that_is_no_job_reports_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(jobs.JOB_VARIABLE, raising=False)
    with Reporter() as report:
        report("Embedding", 1, 2)
    assert not (cache / "jobs").exists()

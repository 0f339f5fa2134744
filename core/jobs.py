"""Work that outlives the page that started it: ``python -m core ...`` processes with a status file.

A job is a folder ``jobs/<id>/`` in the cache with ``status.json``, ``output.txt`` and a lock that the process holds
for as long as it lives. The lock, not the status file, tells whether it is still running, so a job that was killed is
never shown as running.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from core import files
from core.errors import LikenessError
from core.paths import REPOSITORY, cache_dir

JOB_VARIABLE = "LIKENESS_JOB"
PUBLIC_VARIABLE = "LIKENESS_PUBLIC"
State = Literal["starting", "running", "done", "failed", "cancelled"]
_STARTING_S = 60.0
_WRITE_EVERY_S = 0.5


@dataclass(frozen=True)
class JobStatus:
    """How far a job is. ``rate`` is in steps a second; ``eta_s`` the seconds left, both 0 when unknown."""

    id: str
    command: tuple[str, ...]
    state: State
    pid: int = 0
    stage: str = ""
    done: int = 0
    total: int = 0
    rate: float = 0.0
    eta_s: float = 0.0
    message: str = ""
    started: float = 0.0
    updated: float = 0.0

    @property
    def live(self) -> bool:
        """Whether there is still something to wait for."""
        return self.state in ("starting", "running")


def start(arguments: Sequence[str]) -> str:
    """Run ``python -m core <arguments>`` in the background and return the job's id.

    Raises:
        LikenessError: this is a public demo, which starts no jobs.
    """
    if os.environ.get(PUBLIC_VARIABLE) == "1":
        raise LikenessError(
            "This is a public demo: it starts no jobs. Run Likeness on your own machine to embed images."
        )
    now = time.time()
    job = f"{int(now)}-{uuid.uuid4().hex[:8]}"
    folder = _folder(job)
    _write(JobStatus(job, tuple(arguments), "starting", started=now, updated=now))
    with (folder / "output.txt").open("wb") as output:
        subprocess.Popen(
            [sys.executable, "-m", "core", *arguments],
            cwd=REPOSITORY,
            env={**os.environ, JOB_VARIABLE: str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # closing the dashboard must not end it
        )
    return job


def status(job: str) -> JobStatus | None:
    """The status of a job, or None if there is none of that id."""
    found = _read(job)
    if found is None or not found.live or files.is_locked(_folder(job) / "alive"):
        return found
    if found.state == "starting" and time.time() - found.started < _STARTING_S:
        return found
    # Nobody holds the lock: it may have ended between the two looks, else it was killed.
    found = _read(job) or found
    if not found.live:
        return found
    return replace(
        found, state="failed", message="The process ended unexpectedly. What it had finished is kept; start it again."
    )


def running() -> list[JobStatus]:
    """Jobs still under way, oldest first."""
    return [job for job in _all() if job.live]


def history() -> list[JobStatus]:
    """Jobs that ended, however they did, newest first."""
    return [job for job in reversed(_all()) if not job.live]


def _all() -> list[JobStatus]:
    found = [status(folder.name) for folder in sorted((cache_dir() / "jobs").glob("*")) if _is_id(folder.name)]
    return [job for job in found if job is not None]


def cancel(job: str) -> None:
    """Ask a running job to stop. It keeps what it has finished."""
    current = status(job)
    if current is not None and current.state == "running":
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.kill(current.pid, signal.SIGTERM)


def output(job: str) -> str:
    """What the job printed."""
    path = _folder(job) / "output.txt"
    return path.read_text("utf-8", "replace") if path.is_file() else ""


def is_helper() -> bool:
    """Whether this process helps another that trains on several devices: it runs the same command and keeps quiet.

    Launchers of distributed training number the processes of a machine in ``LOCAL_RANK``.
    """
    return os.environ.get("LOCAL_RANK", "0") != "0"


class Reporter:
    """The job's side: keeps the status file up to date for as long as the ``with`` block runs.

    Does nothing when the process was not started as a job, or only helps one.
    """

    def __init__(self) -> None:
        folder = None if is_helper() else os.environ.get(JOB_VARIABLE)
        self._status: JobStatus | None = None
        if folder:
            self._status = status(Path(folder).name)
            self._lock = files.lock_for(Path(folder) / "alive")
        self._stage_started = (0.0, 0)

    def __enter__(self) -> Reporter:
        if self._status is not None:
            self._lock.acquire()
            self._update(state="running", pid=os.getpid())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._status is None:
            return
        if error is None or (isinstance(error, SystemExit) and not error.code):
            self._update(state="done", eta_s=0.0)
        elif isinstance(error, KeyboardInterrupt):
            self._update(state="cancelled", message="Cancelled. What was finished is kept.")
        else:
            message = str(error) if isinstance(error, LikenessError) else f"{type(error).__name__}: {error}"
            self._update(state="failed", message=message)
        self._lock.release()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """A :data:`core.progress.Progress` that writes to the status file, at most twice a second."""
        if self._status is None:
            return
        now = time.time()
        if stage != self._status.stage:
            self._stage_started = (now, done)
        elif now - self._status.updated < _WRITE_EVERY_S and done < total:
            return
        begun, first = self._stage_started
        rate = (done - first) / (now - begun) if now > begun else 0.0
        eta = (total - done) / rate if rate > 0 else 0.0
        self._update(stage=stage, done=done, total=total, rate=round(rate, 2), eta_s=round(eta, 1))

    def _update(self, **changes: object) -> None:
        assert self._status is not None
        self._status = replace(self._status, updated=time.time(), **changes)  # type: ignore[arg-type]
        _write(self._status)


def _folder(job: str) -> Path:
    if not _is_id(job):
        raise LikenessError(f"{job!r} is not the id of a job.")
    return cache_dir() / "jobs" / job


def _is_id(job: str) -> bool:
    return bool(job) and all(character in "0123456789abcdef-" for character in job)


def _read(job: str) -> JobStatus | None:
    raw: Any = files.read_json(_folder(job) / "status.json")
    try:
        return JobStatus(**{**raw, "command": tuple(raw["command"])})
    except (KeyError, TypeError):  # missing, damaged, or written by another version
        return None


def _write(current: JobStatus) -> None:
    files.write_json(_folder(current.id) / "status.json", asdict(current), durable=False)

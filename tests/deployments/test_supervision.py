import os
import signal
import threading
from pathlib import Path

import pytest
from regie_toy_holder import until

from deployments import supervision
from deployments.supervision import Supervisor

DEAF = """
import signal, time
signal.signal(signal.SIGTERM, lambda *_: print("I am not done", flush=True))
print("at work", flush=True)
while True:
    time.sleep(1)
"""


def test_who_interrupts_the_end_has_what_does_not_end_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "GRACE_SECONDS", 600)
    log = tmp_path / "workers.log"
    supervisor = Supervisor(os.environ, tmp_path, print)
    deaf = supervisor.start("workers", ["-c", DEAF])
    until(lambda: "at work" in log.read_text())

    def interrupt() -> None:
        until(lambda: "I am not done" in log.read_text())
        os.kill(os.getpid(), signal.SIGINT)

    impatient = threading.Thread(target=interrupt)
    impatient.start()
    supervisor.end()
    impatient.join()
    assert deaf.returncode is not None
    assert log.read_text() == "at work\nI am not done\n"

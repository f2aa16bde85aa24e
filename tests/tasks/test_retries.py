"""A task is tried again where that can help, and nowhere else."""

import errno

import pytest
from prefect import State, Task
from prefect.client.schemas.objects import StateType, TaskRun

from lib.errors import InputError, UnavailableError
from tasks import video
from tasks.video import may_pass

HELPS = [OSError(code, "") for code in (errno.EBUSY, errno.EAGAIN, errno.ESTALE, errno.EIO, errno.ETIMEDOUT)]
HELPS += [TimeoutError(), ConnectionResetError(), ConnectionRefusedError(errno.ECONNREFUSED, "")]
HELPS_NOT = [OSError(code, "") for code in (errno.ENOSPC, errno.ENOENT, errno.EACCES, errno.EROFS, errno.EISDIR)]
HELPS_NOT += [OSError("a picture that is cut off"), InputError("no video"), UnavailableError("no key"), ValueError("x")]


def tried_again(error: Exception) -> bool:
    state: State[None] = State(type=StateType.FAILED, data=error)
    return may_pass(Task(lambda: None, name="t"), TaskRun(task_key="t", dynamic_key="0"), state)


@pytest.mark.parametrize("error", HELPS, ids=repr)
def test_what_may_be_otherwise_in_a_moment_is_tried_again(error: Exception) -> None:
    assert tried_again(error)


@pytest.mark.parametrize("error", HELPS_NOT, ids=repr)
def test_what_stays_as_it_is_is_not_tried_again(error: Exception) -> None:
    assert not tried_again(error)


@pytest.mark.parametrize("name", ["bring_in_source", "convert", "analyse", "reduce", "finish_video", "finish_project"])
def test_every_task_waits_longer_and_longer_with_a_random_part(name: str) -> None:
    task = getattr(video, name)
    assert isinstance(task, Task)
    assert task.retries == len(task.retry_delay_seconds) == 2
    assert task.retry_delay_seconds[0] < task.retry_delay_seconds[1]
    assert task.retry_jitter_factor
    assert task.retry_condition_fn is may_pass

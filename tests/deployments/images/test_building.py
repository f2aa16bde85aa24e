import pytest

from deployments.images.building import explanation, index_settings
from deployments.images.listing import unique_bytes


def test_a_build_is_told_of_pips_index_where_it_can_reach_it() -> None:
    assert index_settings({"PIP_INDEX_URL": "https://user:secret@index.example/simple", "PIP_TRUSTED_HOST": "x"}) == {
        "PIP_INDEX_URL": "https://user:secret@index.example/simple",
        "PIP_TRUSTED_HOST": "x",
    }
    assert index_settings({"PIP_EXTRA_INDEX_URL": "file:///srv/index https://index.example/simple"}) == {
        "PIP_EXTRA_INDEX_URL": "https://index.example/simple"
    }
    assert index_settings({"PIP_INDEX_URL": "file:///srv/index", "PIP_TRUSTED_HOST": "x"}) == {}


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("write /var/lib/docker/x: no space left on device", "docker system df"),
        ("OSError: [Errno 28] No space left on device", "docker system df"),
        ("pull access denied for there-is-none, repository does not exist", "--base-image"),
        ("dial tcp: lookup registry.example: no such host", "--base-image"),
        ("ERROR: No matching distribution found for torch==2.13.*", "--wheels"),
        ("error: command 'gcc' failed", "build again"),
    ],
)
def test_a_build_that_failed_says_what_to_do(said: str, advice: str) -> None:
    words = explanation("scenes", ["Step 3/40 : RUN pip", said])
    assert said in words
    assert advice in words.splitlines()[-1]


def test_only_the_end_of_a_long_complaint_is_told() -> None:
    words = explanation("base", [f"line {number}" for number in range(1000)])
    assert "line 999" in words
    assert len(words.splitlines()) < 40


def test_bytes_are_its_own_that_are_in_no_other_image() -> None:
    assert unique_bytes({"a": 1, "b": 10, "c": 100}, [{"a": 1}, {"a": 1, "c": 100}]) == 10
    assert unique_bytes({"a": 1}, []) == 1

import pytest

from lib.errors import InputError
from lib.storage import checked, folder_of, is_url, name_of, protocol_of


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("s3://bucket/rushes/", "s3://bucket/rushes"),
        ("s3://bucket", "s3://bucket"),
        ("file:///mnt/films", "file:///mnt/films"),
        ("memory://a b/é", "memory://a b/é"),
        ("s3://bucket/what?", "s3://bucket/what?"),
    ],
)
def test_a_url_of_a_folder_is_taken(given: str, taken: str) -> None:
    assert checked(given) == taken


@pytest.mark.parametrize(
    "url",
    ["s3://key:secret@bucket/x", "s3://secret@bucket/x", "https://u:secret@host/x", "sftp://u:secret@h:22/x"],
)
def test_a_url_with_a_password_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(InputError, match="password") as refused:
        checked(url)
    assert "secret" not in str(refused.value).replace("AWS_SECRET_ACCESS_KEY", "")


@pytest.mark.parametrize("url", ["https://host/x?signature=secret", "http://host/x#secret"])
def test_a_url_that_may_be_signed_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(InputError, match="query") as refused:
        checked(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        *("s3://", "s3:///", "://x", "s3://b//x", "s3://b/../x", "s3://b/./x", "zip::s3://b/x", "S3://b/x"),
        *("file://host/x", "s3://b/x\n", "s3://b/\x1b[31m"),
    ],
)
def test_a_url_that_leads_elsewhere_or_nowhere_is_refused(url: str) -> None:
    with pytest.raises(InputError):
        checked(url)


def test_parts_of_a_url() -> None:
    assert is_url("s3://b")
    assert not is_url("/a/b:c")
    assert (protocol_of("s3://b"), protocol_of("/a/b:c")) == ("s3", "")
    assert (folder_of("s3://b/x/y.zip"), name_of("s3://b/x/y.zip")) == ("s3://b/x", "y.zip")
    assert (folder_of("s3://b"), name_of("s3://b")) == ("s3://b", "b")

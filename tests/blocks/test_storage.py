"""Credentials for storage are tried against moto's server, which speaks S3."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from blocks.storage import Storage, storage_options
from lib.errors import UnavailableError

SECRET = "canary-0123456789"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def s3(endpoint: str) -> Any:
    client = boto3.client(
        "s3", endpoint_url=endpoint, aws_access_key_id="id", aws_secret_access_key=SECRET, region_name="us-east-1"
    )
    client.create_bucket(Bucket="rushes")
    return client


def block(endpoint: str, **values: Any) -> Storage:
    given = {"url": "s3://rushes/a folder/", "access_key": "id", "secret_key": SECRET, "region": "us-east-1"}
    return Storage(**{**given, "endpoint_url": endpoint, **values})


def test_a_folder_that_can_be_used_is_left_as_it_was(s3: Any, endpoint: str) -> None:
    said = block(endpoint).check()
    assert said == "s3://rushes/a folder can be listed, written, read and deleted from"
    assert s3.list_objects_v2(Bucket="rushes")["KeyCount"] == 0


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"url": "s3://nobody-s/x"}, "cannot write to s3://nobody-s/x: there is no such bucket"),
        ({"endpoint_url": "http://127.0.0.1:9"}, "nothing answers at http://127.0.0.1:9. Check the endpoint"),
        ({"access_key": None, "secret_key": None}, "there are no credentials"),
        ({"url": "tape://rushes"}, "no storage is known by tape://"),
        ({"options": {"config_kwargs": SECRET}}, "cannot open"),
    ],
)
def test_what_cannot_be_done_is_said(
    s3: Any, endpoint: str, values: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(UnavailableError, match=words) as wrong:
        block(endpoint, **values).check()
    assert SECRET not in str(wrong.value)


def test_who_may_not_write_is_told_so(tmp_path: Path, s3: Any, endpoint: str) -> None:
    s3.create_bucket(Bucket="closed")
    deny = '{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "*"}]}'
    s3.put_bucket_policy(Bucket="closed", Policy=deny)
    with pytest.raises(UnavailableError, match="cannot write to s3://closed: access is refused"):
        block(endpoint, url="s3://closed").check()


def test_any_storage_that_fsspec_knows_can_be_tried(tmp_path: Path) -> None:
    assert "can be listed" in Storage(url=f"file://{tmp_path}").check()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["rushes", "s3://", "s3://id:secret@rushes", "/tmp"])
def test_a_url_says_which_storage_and_no_password(url: str) -> None:
    with pytest.raises(ValueError, match=r"Give one such as s3://bucket/folder|give the URL without it"):
        Storage(url=url)


def test_its_options_are_those_of_fsspec() -> None:
    every = block("http://127.0.0.1:9", token="t", options={"anon": False}).storage_options()
    assert every == {
        "key": "id",
        "secret": SECRET,
        "token": "t",
        "endpoint_url": "http://127.0.0.1:9",
        "client_kwargs": {"region_name": "us-east-1"},
        "anon": False,
    }


def test_a_url_is_given_the_credentials_of_its_kind(registered: None) -> None:
    block("http://127.0.0.1:9").save("regie", overwrite=True)
    try:
        assert storage_options("s3://any/folder", {})["secret"] == SECRET
        assert storage_options("s3a://any/folder", {})["secret"] == SECRET
        assert storage_options("gs://any/folder", {}) == {}
        assert storage_options("/a/path", {}) == {}
        assert storage_options("s3://any/folder", {"AWS_ACCESS_KEY_ID": "another"}) == {}
    finally:
        Storage.delete("regie")
    assert storage_options("s3://any/folder", {}) == {}

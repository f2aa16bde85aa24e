"""What a folder in storage costs beside a folder: megabytes a second, and requests.

    python benchmarks/storage.py

Runs a server that speaks S3 (moto's) on this machine, in a process of its own: the figures are of the mirror and of
that server, not of a network.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec
import httpx

from lib.storage import Mirror, connect

ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=200, help="small files, of 20 kB")
    parser.add_argument("--videos", type=int, default=4, help="large files, of 64 MB")
    arguments = parser.parse_args()
    sizes = [20_000] * arguments.files + [64_000_000] * arguments.videos
    print(f"{len(sizes)} files, {sum(sizes) / 1e6:.0f} MB; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    print(f"{'':<36}{'seconds':>9}{'MB/s':>9}  requests")
    with tempfile.TemporaryDirectory() as place, server() as requests:
        home = Path(place)
        made = home / "made"
        made.mkdir()
        for number, size in enumerate(sizes):
            (made / f"{number}.bin").write_bytes(os.urandom(size))
        row("copied to a folder", sizes, lambda: shutil.copytree(made, home / "copy"), requests)
        mirror = Mirror(connect("s3://bench/work"), home / "one")
        with mirror.opened():
            shutil.copytree(made, mirror.folder, dirs_exist_ok=True)
            row("handed over to S3", sizes, mirror.push, requests)
            row("handed over again: nothing to do", [], mirror.push, requests)
        with mirror.opened():
            row("fetched again: nothing to do", [], lambda: mirror.pull(lambda names: names), requests)
        other = Mirror(connect("s3://bench/work"), home / "other")
        with other.opened():
            row("fetched to another machine", sizes, lambda: other.pull(lambda names: names), requests)


def row(what: str, sizes: list[int], work: Callable[[], object], requests: Callable[[], Counter[str]]) -> None:
    requests()
    begin = time.perf_counter()
    work()
    seconds = time.perf_counter() - begin
    speed = f"{sum(sizes) / 1e6 / seconds:9.0f}" if sizes else f"{'':9}"
    made = ", ".join(f"{count} {method}" for method, count in sorted(requests().items()))
    print(f"{what:<36}{seconds:9.2f}{speed}  {made}")


@contextmanager
def server() -> Iterator[Callable[[], Counter[str]]]:
    """Run the server with an empty bucket; give what returns the requests since it was asked last, by method."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    os.environ.update(ENVIRONMENT, AWS_ENDPOINT_URL=url)
    with tempfile.NamedTemporaryFile("a") as log, Path(log.name).open() as said:
        command = [str(Path(sys.executable).with_name("moto_server")), "-H", "127.0.0.1", "-p", str(port)]
        with subprocess.Popen(command, stdout=log, stderr=log) as process:
            try:
                deadline = time.monotonic() + 60
                while time.monotonic() < deadline:
                    try:
                        httpx.get(url)
                        break
                    except httpx.TransportError:
                        time.sleep(0.1)
                fsspec.filesystem("s3").mkdir("bench")

                def since() -> Counter[str]:
                    methods = (line.partition('] "')[2].partition(" ")[0] for line in said)
                    return Counter(method for method in methods if method.isupper())

                yield since
            finally:
                process.terminate()


if __name__ == "__main__":
    main()

"""A real IMAP server on this machine: Dovecot, as a user without rights, in a folder of its own; and a wire to it."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

DOVECOT = "/usr/sbin/dovecot"
PASSWORD = "canary-0123456789"
OTHERS = {"jürgen": 'pass wörd (of) "a\\ test'}
"""Users with passwords of their own."""
HERE = "127.0.0.1"
WITHOUT_MOVE = "127.0.0.2"
"""The same server, which says there that it has no MOVE."""
WITHOUT_UIDPLUS = "127.0.0.3"
"""Nor UIDPLUS."""

CONFIG = """
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log
protocols = imap
listen = 127.0.0.1, 127.0.0.2, 127.0.0.3
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
mail_location = maildir:{home}/mail/%u
mail_fsync = never
first_valid_uid = 1
auth_username_chars =
auth_failure_delay = 0
disable_plaintext_auth = no
ssl = yes
ssl_cert = <{home}/cert.pem
ssl_key = <{home}/key.pem
passdb {{
  driver = passwd-file
  args = {home}/users
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}/mail/%u
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  chroot =
  service_count = 0
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
local 127.0.0.2 {{
  protocol imap {{
    imap_capability = IMAP4rev1 UIDPLUS
  }}
}}
local 127.0.0.3 {{
  protocol imap {{
    imap_capability = IMAP4rev1
  }}
}}
"""


@dataclass
class Dovecot:
    """A server that runs; whoever gives PASSWORD is let in under any name, and has a mailbox at once."""

    home: Path
    port: int
    """Without encryption, or with STARTTLS."""
    tls_port: int
    uid: int
    gid: int

    @property
    def certificate(self) -> Path:
        """Its certificate, for 127.0.0.1 and localhost, which nobody else has signed."""
        return self.home / "cert.pem"

    def put(self, user: str, messages: list[bytes], folder: str = "") -> None:
        """Have messages arrive, the first the oldest."""
        new = self._maildir(user, folder) / "new"
        moment = int(time.time()) - len(messages)
        for number, message in enumerate(messages):
            path = new / f"{moment + number}.M{time.monotonic_ns()}P1.toy"
            path.write_bytes(message)
            os.chown(path, self.uid, self.gid)

    def raw(self, user: str, folder: str = "") -> dict[str, bytes]:
        """Return the messages of a folder as they are on the disk: flags, in the order of their contents, and all."""
        top = self._maildir(user, folder)
        return {path.name: path.read_bytes() for each in ("new", "cur") for path in (top / each).iterdir()}

    def _maildir(self, user: str, folder: str) -> Path:
        top = self.home / "mail" / user
        made = top / f".{folder}" if folder else top
        for path in (top, made, *(made / each for each in ("cur", "new", "tmp"))):
            if not path.exists():
                path.mkdir()
                os.chown(path, self.uid, self.gid)
        return made


@contextlib.contextmanager
def dovecot() -> Iterator[Dovecot]:
    """Run the server; FileNotFoundError where it is not installed."""
    if not Path(DOVECOT).exists():
        raise FileNotFoundError(DOVECOT)
    uid, gid = (65534, 65534) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    home = Path(tempfile.mkdtemp(prefix="regie-dovecot-"))
    try:
        server = Dovecot(home, *_free_ports(2), uid, gid)
        _write(server)
        with (home / "out").open("wb") as out:
            process = subprocess.Popen(
                [DOVECOT, "-F", "-c", str(home / "dovecot.conf")],
                stdout=out,
                stderr=out,
                user=uid if os.geteuid() == 0 else None,
                group=gid if os.geteuid() == 0 else None,
                extra_groups=[] if os.geteuid() == 0 else None,
            )
        try:
            _wait(server, process)
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _write(server: Dovecot) -> None:
    import grp
    import pwd

    (server.home / "mail").mkdir()
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    subprocess.run(
        [
            *make.split(),
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
        ],
        cwd=server.home,
        check=True,
        capture_output=True,
    )
    users = "".join(f"{name}:{{PLAIN}}{password}::::::\n" for name, password in OTHERS.items())
    (server.home / "users").write_text(users)
    config = CONFIG.format(
        **vars(server),
        user=pwd.getpwuid(server.uid).pw_name,
        group=grp.getgrgid(server.gid).gr_name,
        password=PASSWORD,
    )
    (server.home / "dovecot.conf").write_text(config)
    for path in (server.home, *server.home.iterdir()):
        os.chown(path, server.uid, server.gid)


def _wait(server: Dovecot, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while True:
        with contextlib.suppress(OSError), socket.create_connection((HERE, server.port), 5) as wire:
            wire.settimeout(5)
            if wire.recv(100).startswith(b"* OK"):
                return
        if process.poll() is not None or time.monotonic() > deadline:
            said = [path.read_text() for name in ("out", "log") if (path := server.home / name).exists()]
            raise RuntimeError("Dovecot does not start: " + "".join(said)[-3000:])
        time.sleep(0.05)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("0.0.0.0", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in taken]


@dataclass
class Wire:
    """A way to a server on which everything that is asked can be counted, and that can be cut."""

    target: tuple[str, int]
    asked: list[str] = field(default_factory=list)
    """The commands, without tags and arguments: `LOGIN`, `UID FETCH`."""
    cut_at: str = ""
    """The command at which the wire is cut, once, before the server hears of it."""
    port: int = 0
    received: int = 0
    """Bytes that the server sent."""
    _sockets: list[socket.socket] = field(default_factory=list)

    def cut(self) -> None:
        """Cut all connections that there are."""
        there, self._sockets = self._sockets, []
        for each in there:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
                server = socket.create_connection(self.target)
            except OSError:
                return
            self._sockets += [client, server]
            threading.Thread(target=self._up, args=(client, server), daemon=True).start()
            threading.Thread(target=self._down, args=(server, client), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError), client, client.makefile("rb") as lines:
            for line in lines:
                words = line.split()[1:]
                command = b" ".join(words[: 2 if words[:1] == [b"UID"] else 1]).decode()
                self.asked.append(command)
                if self.cut_at and command == self.cut_at:
                    self.cut_at = ""
                    self.cut()
                    return
                server.sendall(line)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError), server:
            while piece := server.recv(65536):
                self.received += len(piece)
                client.sendall(piece)
            client.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def wire(host: str, port: int) -> Iterator[Wire]:
    """Give a wire to a server."""
    with socket.create_server((HERE, 0)) as listener:
        made = Wire((host, port), port=listener.getsockname()[1])
        thread = threading.Thread(target=made._serve, args=(listener,), daemon=True)
        thread.start()
        yield made
        made.cut()
        listener.shutdown(socket.SHUT_RDWR)

"""A connection to an IMAP server that logs in, opens again when it broke, and says in words what does not work."""

import imaplib
import socket
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from imap_tools.errors import ImapToolsError, MailboxFolderSelectError
from imap_tools.mailbox import BaseMailBox
from imap_tools.utils import check_command_status

from lib.errors import UnavailableError
from lib.offers.mail.account import ImapAccount
from lib.offers.mail.heading import readable
from lib.offers.mail.sockets import stoppable, tls

T = TypeVar("T")
BROKEN = (imaplib.IMAP4.abort, OSError)
"""What tells that a connection is of no use any more."""


class Connection:
    """One account and one of its folders, reached when it is first needed."""

    def __init__(self, account: ImapAccount, folder: str, timeout: float, literal_limit: int) -> None:
        self.account = account
        self.folder = folder
        self._timeout = timeout
        self._limit = literal_limit
        self._box: _Box | None = None
        self._writable: bool | None = None
        self._validity = ""
        self.abilities: frozenset[str] = frozenset()
        """What the server can do, in capitals, as it says when one has logged in."""
        self.count = 0
        """How many messages were in the folder when it was opened."""

    def __call__(self, work: Callable[[imaplib.IMAP4, str], T], *, writing: bool = False) -> T:
        """Do some work in the opened folder, given a client and the folder's UIDVALIDITY; raises UnavailableError.

        It is done once more from its beginning when the connection broke, as one that was idle for minutes has. A
        folder that was opened to be read is not changed by the server either. While the server is silent, an exception
        that is raised from outside in the thread ends it; only while it is being connected to it is heard afterwards.
        """
        with self._words():
            reused = self._box is not None
            try:
                return self._attempt(work, writing)
            except imaplib.IMAP4.readonly:
                raise
            except BROKEN:
                self._drop()
                if not reused:
                    raise
                return self._attempt(work, writing)
            except BaseException as error:
                if not isinstance(error, Exception):
                    # It was stopped in the middle of an answer: there is nobody to say goodbye to.
                    self._drop()
                raise

    def close(self) -> None:
        """Say goodbye, if there is anybody to say it to."""
        if self._box is not None:
            with suppress(ImapToolsError, imaplib.IMAP4.error, OSError):
                self._box.logout()
        self._drop()

    def _drop(self) -> None:
        box, self._box, self._writable = self._box, None, None
        if box is not None:
            with suppress(OSError):
                box.client.shutdown()

    def _attempt(self, work: Callable[[imaplib.IMAP4, str], T], writing: bool) -> T:
        box = self._box or self._logged_in()
        if self._writable is None or (writing and not self._writable):
            self._open_folder(box, writing)
        return work(box.client, self._validity)

    def _logged_in(self) -> "_Box":
        user, password = self.account.user, self.account.password
        self._box = box = _Box(self.account, self._timeout, self._limit)
        try:
            if f"{user}{password}".isascii():
                box.login(user, password, initial_folder=None)
            else:
                box.login_utf8(user, password, initial_folder=None)
        except BROKEN:
            raise
        except (ImapToolsError, imaplib.IMAP4.error) as error:
            self._drop()
            raise UnavailableError(
                f"{self.account.host} does not accept the user {user} with this password. Many services want one made "
                f"for programs, and IMAP switched on in their settings. {self._said(error)}".strip()
            ) from None
        # What it can do is more than what it said before.
        answer = box.client.capability()
        check_command_status(answer, ImapToolsError)
        self.abilities = frozenset(answer[1][-1].decode("ascii", "replace").upper().split())
        return box

    def _open_folder(self, box: "_Box", writing: bool) -> None:
        self._writable = None
        try:
            answer = box.folder.set(self.folder, readonly=not writing)
        except MailboxFolderSelectError as error:
            raise UnavailableError(
                f"The folder {self.folder!r} cannot be opened (`mail.folder`). {self._said(error)}".strip()
            ) from None
        self.count = int(answer[1][0] or 0)
        validity = box.client.response("UIDVALIDITY")[1][-1]
        self._validity = validity.decode("ascii", "replace") if isinstance(validity, bytes) else "0"
        self._writable = writing

    @contextmanager
    def _words(self) -> Iterator[None]:
        """Say in words what goes wrong; what an error shows may hold what was sent, and goes nowhere else."""
        where = f"{self.account.host}, port {self.account.port}"
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            reason = f"The certificate of {where} is not to be trusted: {error.verify_message}. Check the host."
        except ssl.SSLError:
            reason = f"{where} does not encrypt in the way of `{self.account.security}`: check port and security."
        except TimeoutError:
            reason = f"{where} did not answer within {self._timeout:g} s."
        except socket.gaierror:
            reason = f"There is no host {self.account.host}: check its name, and the network."
        except ConnectionRefusedError:
            reason = f"Nothing answers at {where}: check host and port."
        except imaplib.IMAP4.readonly:
            reason = f"The folder {self.folder!r} can be read only: imported messages stay in it as unread."
        except BROKEN as error:
            reason = f"The connection to {where} broke. {self._said(error)}"
        except (ImapToolsError, imaplib.IMAP4.error) as error:
            reason = f"{where} refuses. {self._said(error)}"
        else:
            return
        self._drop()
        raise UnavailableError(reason.strip())

    def _said(self, error: Exception) -> str:
        """Return what the server said, in one short line without the password."""
        result = getattr(error, "command_result", None)
        said = result[1] if result else error.args
        last = said[-1] if said else ""
        text = last.decode(errors="replace") if isinstance(last, bytes) else str(last)
        account = self.account
        encoded = b64encode(f"\0{account.user}\0{account.password}".encode()).decode()
        for secret in (encoded, account.password):
            text = text.replace(secret, "…")
        text = readable(text[:1000])[:200]
        return f"It says: {text}" if text else ""


class _Box(BaseMailBox):
    """A connection that was made as an account says."""

    def __init__(self, account: ImapAccount, timeout: float, limit: int) -> None:
        self._account = account
        self._timeout = timeout
        self._limit = limit
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        host, port = self._account.host, self._account.port
        client: _Client | _SecureClient
        if self._account.security == "ssl":
            client = _SecureClient(host, port, ssl_context=tls(), timeout=self._timeout)
        else:
            client = _Client(host, port, self._timeout)
            if self._account.security == "starttls":
                try:
                    client.starttls(tls())
                except BaseException:
                    with suppress(OSError):
                        client.shutdown()
                    raise
        client.limit = self._limit
        return client


class _Bounded(imaplib.IMAP4):
    """Refuses an answer that would fill the memory."""

    limit = 1024 * 1024

    def __init__(self, *args: Any, **options: Any) -> None:
        try:
            super().__init__(*args, **options)
        except BaseException:
            # One that is stopped while it is greeted is left open by imaplib.
            with suppress(OSError, AttributeError):
                self.shutdown()
            raise

    def read(self, size: int) -> bytes:
        if size > self.limit:
            raise self.abort(f"an answer of {size} bytes, where {self.limit} would be many")
        return super().read(size)


class _Client(_Bounded):
    def _create_socket(self, timeout: float | None) -> socket.socket:
        return stoppable(super()._create_socket(timeout))  # type: ignore[misc]  # typeshed does not know it


class _SecureClient(_Bounded, imaplib.IMAP4_SSL):
    pass

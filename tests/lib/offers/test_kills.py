"""A process that is killed while it imports loses nothing, and the next one doubles nothing."""

import os
import signal
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from regie_toy_airtable import Airtable, Request, airtable

IMPORT = """
import sys
from pathlib import Path
from lib.offers.board import OfferBoard
from lib.offers.importing import import_alerts
from lib.offers.mail.opening import open_mailbox
from lib.offers.mail.options import MailOptions
from lib.offers.stores.airtable import AirtableStore
from lib.offers.stores.options import StoreOptions
from lib.offers.writing import Writing

folder, options, token, endpoint = sys.argv[1:]
options = StoreOptions.model_validate_json(options)
store = AirtableStore(options, token, endpoint)
mailbox = open_mailbox(folder, MailOptions(), None)
waiting = mailbox.audit()
board = OfferBoard(offer for page in store.load(open_only=options.open_only) for offer in page)
import_alerts(waiting, mailbox, board, Writing(store, board), lambda link: None, lambda key, item: None)
"""
OFFERS = 24
OF = {f"Baker {n}": f"{start:02}.eml" for start in range(0, 24, 8) for n in range(start, min(start + 10, 24))}
"""The last alert that each offer is in."""


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    """Give a folder of alerts of eight offers each, two of which are in the next alert too."""
    folder = tmp_path / "mail"
    folder.mkdir()
    for start in range(0, OFFERS, 8):
        message = EmailMessage()
        message["From"] = "jobalerts-noreply@linkedin.com"
        message["Subject"] = f"New jobs {start}"
        cards = "\n---------\n\n".join(
            f"Baker {n}\nOven {n}\nLyon\nView job: https://www.linkedin.com/comm/jobs/view/{4_000_000_000 + n}/\n"
            for n in range(start, min(start + 10, OFFERS))
        )
        message.set_content(f"Your job alert for baker\n\n{cards}")
        (folder / f"{start:02}.eml").write_bytes(message.as_bytes())
    return folder


def begin(mail: Path, server: Airtable, open_only: bool) -> "subprocess.Popen[bytes]":
    options = server.options(open_only=open_only).model_dump_json()
    return subprocess.Popen([sys.executable, "-c", IMPORT, str(mail), options, server.token, server.endpoint])


@pytest.mark.parametrize("open_only", [False, True])
@pytest.mark.parametrize("after", [False, True], ids=["before the server writes", "before it hears that it did"])
def test_killed_again_and_again(mail: Path, monkeypatch: pytest.MonkeyPatch, open_only: bool, after: bool) -> None:
    with airtable() as server:
        answer, victims, writes = server.answer, [], 0

        def deadly(request: Request) -> Any:
            nonlocal writes
            writes += request.method == "PATCH"
            kill = request.method == "PATCH" and writes in {2, 4, 7}
            if kill and not after:
                os.kill(victims[-1].pid, signal.SIGKILL)
                return None
            said = answer(request)
            if kill:
                os.kill(victims[-1].pid, signal.SIGKILL)
            return said

        monkeypatch.setattr(server, "answer", deadly)
        codes = []
        while not codes or codes[-1] != 0:
            assert len(codes) < 8
            victims.append(begin(mail, server, open_only))
            codes.append(victims[-1].wait(60))
            stored = {row.get("Titre") for row in server.rows}
            assert {title for title, file in OF.items() if not (mail / file).exists()} <= stored
        assert codes[0] == -signal.SIGKILL
        assert sorted(row["Titre"] for row in server.rows) == sorted(f"Baker {n}" for n in range(OFFERS))
        assert {row["Statut"] for row in server.rows} == {"A compléter"}
        assert not list(mail.glob("*.eml"))

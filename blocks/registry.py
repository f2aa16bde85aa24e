"""The blocks that Régie knows: a new one is a module here and one line below."""

from collections.abc import Mapping

from blocks.huggingface import HuggingFace
from blocks.lemonfox import Lemonfox
from blocks.mailbox import Mailbox
from blocks.service import ServiceBlock
from blocks.storage import Storage

BLOCKS: Mapping[str, type[ServiceBlock]] = {
    HuggingFace.key: HuggingFace,
    Lemonfox.key: Lemonfox,
    Mailbox.key: Mailbox,
    Storage.key: Storage,
}
"""Type of each block by its name for `regie blocks`."""

"""The blocks that Régie knows: a new one is a module here and one line below."""

from collections.abc import Mapping

from blocks.airtable import Airtable
from blocks.huggingface import HuggingFace
from blocks.language_model import LanguageModel
from blocks.lemonfox import Lemonfox
from blocks.mailbox import Mailbox
from blocks.service import ServiceBlock
from blocks.storage import Storage

BLOCKS: Mapping[str, type[ServiceBlock]] = {
    Airtable.key: Airtable,
    HuggingFace.key: HuggingFace,
    Lemonfox.key: Lemonfox,
    LanguageModel.key: LanguageModel,
    Mailbox.key: Mailbox,
    Storage.key: Storage,
}
"""Type of each block by its name for `regie blocks`."""

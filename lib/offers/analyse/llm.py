"""The engine that asks a language model. The model gives marks and reasons, and nothing else of its answer is used."""

import secrets as random_secrets
import threading
from importlib.util import find_spec
from typing import TYPE_CHECKING

from lib.errors import InputError
from lib.offers.analyse.analysis import Analysis, Engine, Spent
from lib.offers.analyse.answers import AnswerError, marks_in
from lib.offers.analyse.options import AnalyseOptions, ModelSecrets
from lib.offers.analyse.profile import Profile
from lib.offers.analyse.prompt import messages, schema
from lib.offers.analyse.scoring import Mark, total
from lib.offers.offer import Offer

if TYPE_CHECKING:
    from lib.offers.analyse.chat import Chat, Reply


def unavailable(options: AnalyseOptions, secrets: ModelSecrets | None) -> str:
    """Say that a package, the key or the model's name is missing."""
    if find_spec("openai") is None:
        return "openai is missing: install the environment `base` (`regie sync base`)"
    if secrets is None or not secrets.api_key:
        return "no key: set OPENAI_API_KEY, or fill in the block `model`"
    if not (options.model or secrets.model):
        return "no model is named: set `offers.analyse.model` or OPENAI_MODEL, or fill in the block `model`"
    return ""


def version(options: AnalyseOptions, secrets: ModelSecrets | None) -> str:
    """Return the model's name; the service does not tell which version of it answers."""
    return options.model or (secrets.model if secrets else "")


def engine(options: AnalyseOptions, profile: Profile, secrets: ModelSecrets | None) -> Engine:
    """Return the engine for a profile."""
    from lib.offers.analyse.chat import Chat

    assert secrets is not None  # else it is not available
    model = version(options, secrets)
    return LanguageModel(Chat(secrets, model, options), model, options, profile)


class LanguageModel:
    """Has a model mark each offer by itself, and computes the score."""

    name = "llm"

    def __init__(self, chat: "Chat", model: str, options: AnalyseOptions, profile: Profile) -> None:
        self.reason = ""
        self._chat = chat
        self._model = model
        self._options = options
        self._profile = profile
        self._spent = Spent()
        self._lock = threading.Lock()

    @property
    def spent(self) -> Spent:
        """What all analyses used up together, those included that failed."""
        with self._lock:
            return self._spent

    def analyse(self, offer: Offer) -> Analysis:
        """Give marks to an offer; the model is told what is wrong with its answer a few times."""
        nonce = random_secrets.token_hex(8)
        first = messages(self._profile, offer, nonce, self._options.description_limit)
        spent, wrong = Spent(), ""
        for _ in range(1 + self._options.corrections):
            # Of an answer that is wrong nothing is repeated: an offer may have dictated it.
            again = [{"role": "user", "content": AGAIN.format(wrong=wrong)}] if wrong else []
            reply = self._chat.ask([*first, *again], schema(self._profile))
            spent += self._count(reply)
            if reply.is_refusal:
                raise InputError(f"{self._model} refuses to mark this offer.")
            try:
                marks = self._marks(reply)
            except AnswerError as error:
                wrong = str(error)
            else:
                score = total(marks, self._profile)
                return Analysis(score, marks, spent.tokens, spent.cost, engine=self._model)
        raise InputError(f"{self._model} gives no answer that can be used: {wrong}.")

    def close(self) -> None:
        """Let go of connections; what other threads still ask for ends soon, with UnavailableError."""
        self._chat.close()

    def _marks(self, reply: "Reply") -> tuple[Mark, ...]:
        if reply.is_cut:
            raise AnswerError("it was cut off: give shorter reasons")
        return marks_in(reply.text, self._profile)

    def _count(self, reply: "Reply") -> Spent:
        """Return what an answer used up, and add it to what all did."""
        price_in, price_out = self._options.price_in, self._options.price_out
        cost = None
        if price_in is not None and price_out is not None:
            cost = (reply.tokens_in * price_in + reply.tokens_out * price_out) / 1_000_000
        spent = Spent(reply.tokens_in + reply.tokens_out, cost)
        with self._lock:
            self._spent += spent
        return spent


AGAIN = "Your last answer was refused: {wrong}. Answer again in full, as you were asked at first."

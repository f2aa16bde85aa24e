"""The options of a whole run of `offers`, one group per phase and service."""

from pydantic import BaseModel, ConfigDict, Field

from lib.offers.alerts.options import AlertOptions
from lib.offers.analyse.options import AnalyseOptions
from lib.offers.complete.options import CompleteOptions
from lib.offers.mail.options import MailOptions
from lib.offers.stores.options import StoreOptions
from lib.web.options import WebOptions


class OffersOptions(BaseModel):
    """How each phase of `offers` does its work."""

    model_config = ConfigDict(extra="forbid")

    alerts: AlertOptions = Field(default_factory=AlertOptions, description="Phase 1: who sends alerts.")
    mail: MailOptions = Field(default_factory=MailOptions, description="Phase 1: the mailbox.")
    store: StoreOptions = Field(default_factory=StoreOptions, description="Where offers are kept.")
    web: WebOptions = Field(default_factory=WebOptions, description="How pages are fetched.")
    complete: CompleteOptions = Field(default_factory=CompleteOptions, description="Phase 2: the pages of offers.")
    analyse: AnalyseOptions = Field(default_factory=AnalyseOptions, description="Phase 3: marks and scores.")
    retry: bool = Field(default=False, description="Work again on offers that ended in an error.")

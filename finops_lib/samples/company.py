"""Lumenar, the sample company: who works on what, what it runs, what that costs, and what goes wrong.

Everything here is data. The vendor modules beside it only know how their vendor writes a bill.
Quantities are those of October 2026; earlier days follow from the growth of each line.
"""

# fmt: off

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import NamedTuple

LAST_DAY = date(2026, 10, 25)
"""Day through which every export is written; its month is still open."""

AWS = "AWS"
AZURE = "Microsoft"
GCP = "Google Cloud"
OPENAI = "OpenAI"
ANTHROPIC = "Anthropic"

ACCOUNTS = {
    AWS: "004512087731",
    AZURE: "8800417",
    GCP: "01A7F3-5C22B9-E4D810",
    OPENAI: "default",
    ANTHROPIC: "default",
}
"""Billing account per vendor. OpenAI and Anthropic do not name theirs, so it is what ingestion calls it."""

CURRENCIES = {AWS: "USD", AZURE: "EUR", GCP: "USD", OPENAI: "USD", ANTHROPIC: "USD"}

UNALLOCATED = "unallocated"
POOL_TEAM = "ml-platform"


class UseCase(NamedTuple):
    """What a team does with AI, and for which product."""

    team: str
    product: str


USE_CASES = {
    "semantic-search": UseCase("search", "marketplace"),
    "shopping-assistant": UseCase("assistant", "assistant-app"),
    "ticket-resolution": UseCase("support-bot", "care"),
    "fraud-scoring": UseCase("fraud", "trust"),
    "product-recommendations": UseCase("recommendations", "marketplace"),
    "photo-moderation": UseCase("vision", "studio"),
    "voice-support": UseCase("speech", "care"),
    "agent-lab": UseCase("research", "platform"),
    "orion-distill": UseCase("research", "platform"),
    "document-mining": UseCase("data-platform", "platform"),
    "shared-platform": UseCase(POOL_TEAM, "platform"),
    "app-summaries": UseCase("mobile", "marketplace"),
    "campaign-copy": UseCase("marketing", "studio"),
}
TEAMS = tuple(dict.fromkeys(u.team for u in USE_CASES.values()))

PROMOTED_ON = date(2026, 6, 1)
"""Day on which voice-support went from pilot to production."""
ABANDONED_ON = date(2026, 7, 11)
"""First day without a training run of orion-distill, whose machines run on."""
ORPHANED = "orion-distill"
"""Use case whose owner has left, and nobody took over."""
PRICE_CUTS = ((OPENAI, "o3", date(2025, 6, 10)), (OPENAI, "gpt-5.6-luna", date(2026, 7, 30)))
UNAPPROVED = (OPENAI, "gpt-5.2")


class Runaway(NamedTuple):
    """An API key in a retry loop."""

    api_key_id: str
    first_day: date
    last_day: date
    factor: int


RUNAWAY = Runaway("key_marketing_batch", date(2026, 9, 15), date(2026, 9, 17), 25)


class Fault(NamedTuple):
    """A way in which tags are wrong. `repaired` says whether the plan's tag rules make up for it."""

    key: str | None
    """Key that stands in place of `team`; None where no team is tagged."""
    value: str | None
    """Value that stands in place of the team; None for the right one."""
    repaired: bool
    others: bool = True
    """Whether the other tags are there."""


FAULTS = {
    "untagged": Fault(None, None, False, others=False),
    "no team": Fault(None, None, False),
    "other key": Fault("team_name", None, True),
    "misspelt key": Fault("tema", None, False),
    "misspelt support-bot": Fault("team", "suport-bot", True),
    "misspelt recommendations": Fault("team", "recomendations", True),
    "misspelt data-platform": Fault("team", "Data Plattform", True),
    "misspelt vision": Fault("team", "visoin", False),
}

ALIASED = ("other key", "misspelt data-platform")
"""Faults that the plan repairs as other spellings of a key or value; the rest of the repaired ones have a rule each."""

class Place(NamedTuple):
    """Sub account of a vendor. With a team, everything in it is that team's unless a tag says otherwise."""

    name: str
    team: str | None = None
    use_case: str | None = None
    environment: str | None = None


PLACES: dict[str, Place] = {
    # AWS accounts
    "118430265901": Place("lumenar-production"),
    "226715340082": Place("lumenar-research", "research"),
    "330988121467": Place("lumenar-data", "data-platform"),
    "441207765530": Place("lumenar-sandbox"),
    # Azure subscriptions
    "5b0a7c1e-93d2-4f0b-8a61-2c4e7d9f1a10": Place("Lumenar EU Production"),
    "c2f4e8a6-1d37-4b95-9e02-7a8b6c5d4e3f": Place("Lumenar EU Data", "data-platform"),
    # GCP projects
    "lumenar-ml-prod": Place("ML Production"),
    "lumenar-research": Place("Research", "research"),
    # OpenAI projects
    "proj_assistant_prod": Place("Assistant", "assistant", "shopping-assistant", "production"),
    "proj_search_prod": Place("Search", "search", "semantic-search", "production"),
    "proj_support_prod": Place("Support bot", "support-bot", "ticket-resolution", "production"),
    "proj_fraud_prod": Place("Fraud", "fraud", "fraud-scoring", "production"),
    "proj_reco_prod": Place("Recommendations", "recommendations", "product-recommendations", "production"),
    "proj_voice_pilot": Place("Voice pilot", "speech", "voice-support", "pilot"),
    "proj_voice_prod": Place("Voice", "speech", "voice-support", "production"),
    "proj_marketing": Place("Marketing", "marketing", "campaign-copy", "production"),
    "proj_mobile_prod": Place("Mobile", "mobile", "app-summaries", "production"),
    "proj_docs_prod": Place("Documents", "data-platform", "document-mining", "production"),
    "proj_research": Place("Research", "research", "agent-lab", "experiment"),
    "proj_default": Place("Default project"),
    # Anthropic workspaces; the default workspace has no id
    "wrkspc_support": Place("Support", "support-bot", "ticket-resolution", "production"),
    "wrkspc_assistant": Place("Assistant", "assistant", "shopping-assistant", "production"),
    "wrkspc_research": Place("Research", "research", "agent-lab", "experiment"),
    "wrkspc_docs": Place("Documents", "data-platform", "document-mining", "production"),
    "wrkspc_fraud": Place("Fraud", "fraud", "fraud-scoring", "production"),
    "wrkspc_marketing": Place("Marketing", "marketing", "campaign-copy", "production"),
    "wrkspc_search": Place("Search", "search", "semantic-search", "production"),
}
AWS_PROD, AWS_RESEARCH, AWS_DATA, AWS_SANDBOX = list(PLACES)[:4]
AZURE_PROD, AZURE_DATA = list(PLACES)[4:6]

BUSINESS_UNITS = {
    "search": "commerce", "recommendations": "commerce", "assistant": "commerce", "mobile": "commerce",
    "support-bot": "care", "speech": "care", "fraud": "trust", "vision": "trust", "marketing": "growth",
    "research": "labs", "data-platform": "core", POOL_TEAM: "core",
}


class Account(NamedTuple):
    """A node of a vendor's tree of accounts. What no team has is the business unit's that the tree says."""

    vendor: str
    account_id: str
    name: str
    parent: str | None = None
    business_unit: str | None = None


TREE = (
    Account(AWS, ACCOUNTS[AWS], "lumenar", None, "corporate"),
    Account(AWS, "ou-lmnr-workloads", "Workloads", ACCOUNTS[AWS], "commerce"),
    Account(AWS, "ou-lmnr-labs", "Labs", ACCOUNTS[AWS], "labs"),
    Account(AWS, AWS_PROD, PLACES[AWS_PROD].name, "ou-lmnr-workloads"),
    Account(AWS, AWS_DATA, PLACES[AWS_DATA].name, "ou-lmnr-workloads", "core"),
    Account(AWS, AWS_RESEARCH, PLACES[AWS_RESEARCH].name, "ou-lmnr-labs"),
    Account(AWS, AWS_SANDBOX, PLACES[AWS_SANDBOX].name, "ou-lmnr-labs"),
    Account(AZURE, ACCOUNTS[AZURE], "Lumenar EU", None, "europe"),
    Account(AZURE, AZURE_PROD, PLACES[AZURE_PROD].name, ACCOUNTS[AZURE]),
    Account(AZURE, AZURE_DATA, PLACES[AZURE_DATA].name, ACCOUNTS[AZURE]),
)


class Tokens(NamedTuple):
    """Tokens that one key, deployment or profile sends to one model."""

    vendor: str
    use_case: str
    environment: str
    place: str | None
    key: str
    model: str
    millions: float
    """Input tokens per working day, in millions."""
    output: float
    """Output tokens per input token."""
    cached: float = 0.0
    """Share of the input read from the cache."""
    written: float = 0.0
    """Share of the input written to the cache."""
    growth: float = 0.06
    weekend: float = 0.55
    since: date = date.min
    until: date = date.max
    fault: str | None = None
    tier: str = "standard"
    request_tokens: int = 2400
    """Input tokens of a typical request."""


_GPT5 = date(2025, 8, 11)
_HAIKU45 = date(2025, 10, 20)
_SONNET4 = date(2025, 5, 26)
_LUNA = date(2026, 6, 15)
TOKENS = (
    Tokens(OPENAI, "shopping-assistant", "production", "proj_assistant_prod", "key_assistant_web", "gpt-4o-2024-08-06",
           62, 0.19, 0.35, weekend=0.9),
    Tokens(OPENAI, "shopping-assistant", "production", "proj_assistant_prod", "key_assistant_app",
           "gpt-5-mini-2025-08-07", 210, 0.16, 0.4, weekend=0.95, since=_GPT5),
    Tokens(OPENAI, "shopping-assistant", "production", "proj_assistant_prod", "key_assistant_app", "gpt-5.6-luna",
           150, 0.2, 0.2, growth=0.09, weekend=0.95, since=_LUNA),
    Tokens(OPENAI, "semantic-search", "production", "proj_search_prod", "key_search_index", "text-embedding-3-small",
           2100, 0, growth=0.05, weekend=0.8, request_tokens=900),
    Tokens(OPENAI, "semantic-search", "production", "proj_search_prod", "key_search_rank", "gpt-4o-mini-2024-07-18",
           600, 0.06, 0.3, weekend=0.85),
    Tokens(OPENAI, "ticket-resolution", "production", "proj_support_prod", "key_support_chat", "gpt-4.1-2025-04-14",
           84, 0.22, 0.3),
    Tokens(OPENAI, "ticket-resolution", "staging", "proj_support_prod", "key_support_staging",
           "gpt-4.1-mini-2025-04-14", 25, 0.2, weekend=0.2),
    Tokens(OPENAI, "fraud-scoring", "production", "proj_fraud_prod", "key_fraud_scoring", "gpt-5-2025-08-07",
           42, 0.2, 0.25, weekend=0.9, since=_GPT5),
    Tokens(OPENAI, "product-recommendations", "production", "proj_reco_prod", "key_reco_items",
           "text-embedding-3-large", 420, 0, growth=0.05, weekend=0.8, request_tokens=700),
    Tokens(OPENAI, "voice-support", "pilot", "proj_voice_pilot", "key_voice_pilot", "gpt-4o-2024-08-06",
           22, 0.25, 0.1, growth=0.1, until=PROMOTED_ON),
    Tokens(OPENAI, "voice-support", "production", "proj_voice_prod", "key_voice_prod", "gpt-4o-2024-08-06",
           48, 0.25, 0.3, growth=0.08, weekend=0.7, since=PROMOTED_ON),
    Tokens(OPENAI, "campaign-copy", "production", "proj_marketing", "key_marketing_batch", "gpt-4o-2024-08-06",
           36, 0.24, weekend=0.25),
    Tokens(OPENAI, "app-summaries", "production", "proj_mobile_prod", "key_mobile_app", "gpt-4o-mini-2024-07-18",
           310, 0.2, 0.2, weekend=1.1),
    Tokens(OPENAI, "document-mining", "production", "proj_docs_prod", "key_docs_extract", "gpt-4.1-mini-2025-04-14",
           320, 0.1, weekend=0.5),
    Tokens(OPENAI, "agent-lab", "experiment", "proj_research", "key_research_sandbox", "o3-2025-04-16",
           40, 0.4, 0.2, growth=0.04, weekend=0.3),
    Tokens(OPENAI, "agent-lab", "experiment", "proj_research", "key_research_trial", "gpt-5.2-2025-12-11",
           15, 0.3, growth=0.1, weekend=0.3, since=date(2026, 8, 10)),
    Tokens(OPENAI, "shared-platform", "production", "proj_default", "key_default", "gpt-4o-2024-08-06",
           13, 0.22, fault="untagged"),
    Tokens(ANTHROPIC, "ticket-resolution", "production", "wrkspc_support", "apikey_support_chat",
           "claude-3-7-sonnet-20250219", 260, 0.08, 0.6, 0.1, until=_SONNET4),
    Tokens(ANTHROPIC, "ticket-resolution", "production", "wrkspc_support", "apikey_support_chat",
           "claude-sonnet-4-20250514", 200, 0.08, 0.6, 0.1, since=_SONNET4),
    Tokens(ANTHROPIC, "ticket-resolution", "production", "wrkspc_support", "apikey_support_email",
           "claude-sonnet-4-20250514", 70, 0.1, 0.5, 0.1, since=_SONNET4),
    Tokens(ANTHROPIC, "shopping-assistant", "production", "wrkspc_assistant", "apikey_assistant",
           "claude-sonnet-4-20250514", 85, 0.09, 0.55, 0.12, since=_SONNET4, weekend=0.9),
    Tokens(ANTHROPIC, "agent-lab", "experiment", "wrkspc_research", "apikey_research_agents",
           "claude-opus-4-1-20250805", 26, 0.05, 0.7, 0.1, since=date(2025, 8, 18), growth=0.05, weekend=0.3),
    Tokens(ANTHROPIC, "document-mining", "production", "wrkspc_docs", "apikey_docs_nightly",
           "claude-3-5-haiku-20241022", 150, 0.1, tier="batch", until=_HAIKU45),
    Tokens(ANTHROPIC, "document-mining", "production", "wrkspc_docs", "apikey_docs_nightly",
           "claude-haiku-4-5-20251001", 170, 0.1, tier="batch", since=_HAIKU45),
    Tokens(ANTHROPIC, "fraud-scoring", "production", "wrkspc_fraud", "apikey_fraud", "claude-haiku-4-5-20251001",
           70, 0.1, 0.4, 0.05, since=_HAIKU45, weekend=0.95),
    Tokens(ANTHROPIC, "campaign-copy", "production", "wrkspc_marketing", "apikey_marketing",
           "claude-sonnet-4-20250514", 24, 0.2, since=_SONNET4, weekend=0.2),
    Tokens(ANTHROPIC, "semantic-search", "production", "wrkspc_search", "apikey_search", "claude-haiku-4-5-20251001",
           45, 0.08, 0.3, 0.05, since=_HAIKU45, weekend=0.85),
    Tokens(ANTHROPIC, "shared-platform", "production", None, "apikey_default", "claude-sonnet-4-20250514",
           18, 0.12, 0.3, 0.1, since=_SONNET4, weekend=0.3, fault="untagged"),
    Tokens(AWS, "product-recommendations", "production", AWS_PROD, "reco-explain", "NovaLite", 1500, 0.1),
    Tokens(AWS, "photo-moderation", "production", AWS_PROD, "photo-caption", "NovaPro", 260, 0.1, weekend=0.9),
    Tokens(AWS, "fraud-scoring", "production", AWS_PROD, "fraud-narrative", "Claude3.5Haiku", 100, 0.1),
    Tokens(AWS, "document-mining", "production", AWS_DATA, "contract-extract", "Claude4Sonnet", 85, 0.1, 0.3, 0.05,
           since=_SONNET4, fault="misspelt data-platform"),
    Tokens(AWS, "ticket-resolution", "production", AWS_PROD, "ticket-triage", "Claude4Sonnet", 62, 0.1, 0.4, 0.05,
           since=_SONNET4, fault="misspelt support-bot"),
    Tokens(GCP, "photo-moderation", "production", "lumenar-ml-prod", "photo-check", "gemini-2.5-flash", 800, 0.08,
           weekend=0.95),
    Tokens(GCP, "app-summaries", "production", "lumenar-ml-prod", "review-digest", "gemini-2.5-flash", 320, 0.08, 0.3,
           weekend=1.05),
    Tokens(GCP, "semantic-search", "production", "lumenar-ml-prod", "query-intent", "gemini-2.5-pro", 60, 0.1, 0.2),
    Tokens(GCP, "voice-support", "pilot", "lumenar-ml-prod", "call-notes", "gemini-2.5-flash", 90, 0.1, growth=0.1,
           until=PROMOTED_ON),
    Tokens(GCP, "voice-support", "production", "lumenar-ml-prod", "call-notes", "gemini-2.5-flash", 220, 0.1,
           growth=0.08, since=PROMOTED_ON),
    Tokens(AZURE, "document-mining", "production", AZURE_DATA, "aoai-documents", "gpt 4.1", 64, 0.14, 0.2),
    Tokens(AZURE, "shopping-assistant", "production", AZURE_PROD, "aoai-assistant-eu", "gpt-4o-mini-0718", 420, 0.2,
           weekend=0.9),
    Tokens(AZURE, "ticket-resolution", "production", AZURE_PROD, "aoai-support-eu", "GPT 5 Mini", 160, 0.18, 0.3,
           since=_GPT5),
    Tokens(AZURE, "shared-platform", "production", AZURE_PROD, "aoai-trial", "gpt 4.1", 22, 0.15, fault="untagged"),
)


class Price(NamedTuple):
    """Price of a million tokens in the vendor's billing currency, from a day on."""

    vendor: str
    model: str
    since: date
    input_uncached: Decimal
    output: Decimal
    cache_read: Decimal
    cache_write_5m: Decimal


def _price(vendor: str, model: str, prices: str, since: date = date.min) -> Price:
    given = [Decimal(p) for p in prices.split()]
    return Price(vendor, model, since, *given, *[Decimal(0)] * (4 - len(given)))


PRICES = (
    _price(OPENAI, "gpt-4o-2024-08-06", "2.50 10.00 1.25"),
    _price(OPENAI, "gpt-4o-mini-2024-07-18", "0.15 0.60 0.075"),
    _price(OPENAI, "gpt-4.1-2025-04-14", "2.00 8.00 0.50"),
    _price(OPENAI, "gpt-4.1-mini-2025-04-14", "0.40 1.60 0.10"),
    _price(OPENAI, "gpt-5-2025-08-07", "1.25 10.00 0.125"),
    _price(OPENAI, "gpt-5-mini-2025-08-07", "0.25 2.00 0.025"),
    _price(OPENAI, "gpt-5.2-2025-12-11", "1.75 14.00 0.175"),
    _price(OPENAI, "gpt-5.6-luna", "1.00 6.00 0.10"),
    _price(OPENAI, "gpt-5.6-luna", "0.20 1.20 0.02", date(2026, 7, 30)),
    _price(OPENAI, "o3-2025-04-16", "10.00 40.00 0.50"),
    _price(OPENAI, "o3-2025-04-16", "2.00 8.00 0.50", date(2025, 6, 10)),
    _price(OPENAI, "text-embedding-3-small", "0.02"),
    _price(OPENAI, "text-embedding-3-large", "0.13"),
    _price(ANTHROPIC, "claude-3-7-sonnet-20250219", "3.00 15.00 0.30 3.75"),
    _price(ANTHROPIC, "claude-sonnet-4-20250514", "3.00 15.00 0.30 3.75"),
    _price(ANTHROPIC, "claude-opus-4-1-20250805", "15.00 75.00 1.50 18.75"),
    _price(ANTHROPIC, "claude-3-5-haiku-20241022", "0.80 4.00 0.08 1.00"),
    _price(ANTHROPIC, "claude-haiku-4-5-20251001", "1.00 5.00 0.10 1.25"),
    _price(AWS, "NovaLite", "0.06 0.24 0.015"),
    _price(AWS, "NovaPro", "0.80 3.20 0.20"),
    _price(AWS, "Claude3.5Haiku", "0.80 4.00 0.08 1.00"),
    _price(AWS, "Claude4Sonnet", "3.00 15.00 0.30 3.75"),
    _price(GCP, "gemini-2.5-flash", "0.30 2.50 0.075"),
    _price(GCP, "gemini-2.5-pro", "1.25 10.00 0.31"),
    _price(AZURE, "gpt 4.1", "1.84 7.36 0.46"),
    _price(AZURE, "gpt-4o-mini-0718", "0.14 0.56 0.07"),
    _price(AZURE, "GPT 5 Mini", "0.23 1.84 0.023"),
)
BATCH_DISCOUNT = Decimal("0.5")


class Fleet(NamedTuple):
    """Machines of one type that run all day, fewer hours on weekends."""

    vendor: str
    name: str
    use_case: str
    environment: str
    place: str
    machine: str
    first: int
    """Machines in May 2025, or on the first day if that is later."""
    last: int
    """Machines in October 2026, or on the last day if that is earlier."""
    weekend: float = 1.0
    since: date = date(2025, 5, 1)
    until: date = date(2026, 11, 1)
    fault: str | None = None
    purpose: str = "inference"
    busy: float = 0.5
    """Share of the time its GPUs work."""


FLEETS = (
    Fleet(AWS, "research-train", "agent-lab", "experiment", AWS_RESEARCH, "p4d.24xlarge", 1, 1, purpose="training",
          busy=0.62),
    Fleet(AWS, "vision-train", "photo-moderation", "production", AWS_PROD, "p4d.24xlarge", 1, 1, purpose="training",
          busy=0.71, since=date(2025, 11, 3)),
    Fleet(AWS, "reco-train", "product-recommendations", "production", AWS_PROD, "p4d.24xlarge", 1, 1,
          purpose="training", busy=0.66, since=date(2026, 2, 2)),
    Fleet(AWS, "orion-distill", "orion-distill", "experiment", AWS_RESEARCH, "g5.12xlarge", 2, 2, purpose="training",
          busy=0.58, since=date(2026, 2, 9)),
    Fleet(AWS, "vision-serve", "photo-moderation", "production", AWS_PROD, "g5.12xlarge", 1, 3, 0.85, busy=0.55),
    Fleet(AWS, "vision-label", "photo-moderation", "production", AWS_PROD, "g5.12xlarge", 1, 1, 0.5,
          fault="misspelt vision", busy=0.31),
    Fleet(AWS, "reco-serve", "product-recommendations", "production", AWS_PROD, "g5.2xlarge", 4, 10, 0.9,
          fault="misspelt recommendations", busy=0.49),
    Fleet(AWS, "reco-batch", "product-recommendations", "production", AWS_PROD, "g5.2xlarge", 1, 2, 0.6,
          fault="misspelt key", busy=0.4),
    Fleet(AWS, "search-rank", "semantic-search", "production", AWS_PROD, "g5.xlarge", 4, 11, 0.85, busy=0.52),
    Fleet(AWS, "fraud-score", "fraud-scoring", "production", AWS_PROD, "g5.xlarge", 3, 8, busy=0.44,
          fault="other key"),
    Fleet(AWS, "speech-asr-pilot", "voice-support", "pilot", AWS_SANDBOX, "g5.2xlarge", 1, 2, 0.4,
          since=date(2025, 12, 1), until=PROMOTED_ON, busy=0.21),
    Fleet(AWS, "speech-asr", "voice-support", "production", AWS_PROD, "g5.2xlarge", 2, 4, 0.8, since=PROMOTED_ON,
          busy=0.47),
    Fleet(AWS, "support-embed", "ticket-resolution", "production", AWS_PROD, "g5.xlarge", 1, 3, busy=0.38),
    Fleet(AWS, "legacy-gpu", "shared-platform", "production", AWS_PROD, "g5.2xlarge", 3, 8, fault="untagged",
          busy=0.12),
    Fleet(AWS, "eks-nodes", "shared-platform", "production", AWS_PROD, "m5.4xlarge", 10, 24, 0.6, purpose="other"),
    Fleet(AWS, "data-nodes", "document-mining", "production", AWS_DATA, "r5.4xlarge", 4, 8, 0.7, purpose="other"),
    Fleet(GCP, "gke-vision-a100", "photo-moderation", "production", "lumenar-ml-prod", "a2-highgpu-1g", 2, 4, 0.9,
          busy=0.63),
    Fleet(GCP, "gke-search-l4", "semantic-search", "production", "lumenar-ml-prod", "g2-standard-8", 4, 10, 0.8,
          busy=0.51),
    Fleet(GCP, "gke-research-a100", "agent-lab", "experiment", "lumenar-research", "a2-highgpu-1g", 1, 2, 0.4,
          purpose="training", busy=0.46),
    Fleet(GCP, "gke-spare-l4", "shared-platform", "production", "lumenar-ml-prod", "g2-standard-8", 1, 4,
          fault="no team", busy=0.08),
    Fleet(AZURE, "vm-speech-a100", "voice-support", "production", AZURE_PROD, "Standard_NC24ads_A100_v4", 1, 3, 0.7,
          since=PROMOTED_ON, busy=0.5),
    Fleet(AZURE, "vm-documents", "document-mining", "production", AZURE_DATA, "Standard_D8s_v5", 3, 7, 0.8,
          purpose="other"),
    Fleet(AZURE, "vm-jump", "shared-platform", "production", AZURE_PROD, "Standard_D8s_v5", 2, 3, fault="untagged",
          purpose="other"),
)


class Machine(NamedTuple):
    """What an hour of a machine costs in its vendor's currency."""

    price: Decimal
    covered_price: Decimal | None = None
    """Price under the savings plan or the reservation."""
    gpus: int = 0
    gpu_model: str | None = None


MACHINES = {
    "p4d.24xlarge": Machine(Decimal("21.957642"), Decimal("14.82"), 8, "A100-40GB"),
    "g5.12xlarge": Machine(Decimal("5.672"), Decimal("4.0991"), 4, "A10G"),
    "g5.2xlarge": Machine(Decimal("1.212"), Decimal("0.8757"), 1, "A10G"),
    "g5.xlarge": Machine(Decimal("1.006"), Decimal("0.7268"), 1, "A10G"),
    "m5.4xlarge": Machine(Decimal("0.768"), Decimal("0.484")),
    "r5.4xlarge": Machine(Decimal("1.008")),
    "ml.p4d.24xlarge": Machine(Decimal("25.2513"), None, 8, "A100-40GB"),
    "ml.g5.12xlarge": Machine(Decimal("7.09"), None, 4, "A10G"),
    "ml.g5.2xlarge": Machine(Decimal("1.515"), None, 1, "A10G"),
    "a2-highgpu-1g": Machine(Decimal(0), None, 1, "A100-40GB"),
    "g2-standard-8": Machine(Decimal(0), None, 1, "L4"),
    "Standard_NC24ads_A100_v4": Machine(Decimal("3.378"), None, 1, "A100-80GB"),
    "Standard_D8s_v5": Machine(Decimal("0.3533")),
}

SKUS: dict[str, tuple[tuple[str, str, Decimal, str, Decimal], ...]] = {
    "a2-highgpu-1g": (
        ("2922-40C5-B19F", "A2 Instance Core running in Americas", Decimal(12), "hour", Decimal("0.031611")),
        ("9A51-6C0D-71B4", "A2 Instance Ram running in Americas", Decimal(85), "gibibyte hour", Decimal("0.004237")),
        ("039F-D0DA-4055", "Nvidia Tesla A100 GPU running in Americas", Decimal(1), "hour", Decimal("2.933908")),
    ),
    "g2-standard-8": (
        ("63C2-1D5F-66E3", "G2 Instance Core running in Netherlands", Decimal(8), "hour", Decimal("0.02750")),
        ("5D5C-F8A1-0DB9", "G2 Instance Ram running in Netherlands", Decimal(32), "gibibyte hour", Decimal("0.00322")),
        ("F1A7-B2D7-4C1E", "Nvidia L4 GPU running in Netherlands", Decimal(1), "hour", Decimal("0.61650")),
    ),
}
"""GCP bills a machine by its parts: SKU, description, units per hour, unit, price."""


class Commitment(NamedTuple):
    """What was promised in exchange for lower prices."""

    vendor: str
    commitment_id: str
    name: str
    kind: str
    since: date
    until: date
    place: str
    units: int
    """Machines or units promised; 1 where money is."""
    hourly: Decimal
    """Price of a unit and hour."""


SAVINGS_PLAN = Commitment(
    AWS, f"arn:aws:savingsplans::{ACCOUNTS[AWS]}:savingsplan/4c1f0a52-7d1e-4f43-9a0e-5be1c9d20717",
    "Compute Savings Plan, 3 years, no upfront", "savings plan", date(2025, 9, 1), date(2028, 9, 1), AWS_PROD, 1,
    Decimal("38.50"),
)
RESERVATION = Commitment(
    AWS, f"arn:aws:ec2:us-east-1:{AWS_PROD}:reserved-instances/9b7e2f10-0c5d-4d6a-8f3b-21c4e7a9d604",
    "m5.4xlarge, 3 years, no upfront", "reservation", date(2025, 5, 1), date(2028, 5, 1), AWS_PROD, 14,
    Decimal("0.484"),
)
PROVISIONED = Commitment(
    AZURE, "/providers/Microsoft.Capacity/reservationOrders/6f2d9b1c-3e84-4a57-b0d1-98c7e5f4a320",
    "AOAI_PTU_Global", "reservation", date(2025, 5, 1), date(2026, 12, 1), AZURE_PROD, 50, Decimal("0.30"),
)
COMMITMENTS = (SAVINGS_PLAN, RESERVATION, PROVISIONED)
PROVISIONED_PRICE = Decimal("0.92")
"""EUR for an hour of a provisioned-throughput unit without the reservation."""


class Deployment(NamedTuple):
    """Provisioned-throughput units of one Azure OpenAI deployment."""

    resource: str
    use_case: str
    first: int
    last: int
    weekend: float


DEPLOYMENTS = (
    Deployment("aoai-assistant-eu", "shopping-assistant", 26, 34, 1.0),
    Deployment("aoai-support-eu", "ticket-resolution", 14, 20, 0.6),
)


class Meter(NamedTuple):
    """A plain metered service: so many units a day at a price."""

    vendor: str
    use_case: str
    environment: str
    place: str
    service: str
    meter: str
    unit: str
    price: Decimal
    resource: str
    quantity: float
    growth: float = 0.05
    weekend: float = 1.0
    fault: str | None = None


_S3, _OUT, _CW = "TimedStorage-ByteHrs", "DataTransfer-Out-Bytes", "DataProcessing-Bytes"
_GB_MONTH = Decimal("0.023")
METERS = (
    Meter(AWS, "shared-platform", "production", AWS_PROD, "AmazonS3", _S3, "GB-Mo", _GB_MONTH, "lumenar-features",
          1900, 0.04),
    Meter(AWS, "photo-moderation", "production", AWS_PROD, "AmazonS3", _S3, "GB-Mo", _GB_MONTH, "lumenar-photos",
          3400, 0.05),
    Meter(AWS, "document-mining", "production", AWS_DATA, "AmazonS3", _S3, "GB-Mo", _GB_MONTH, "lumenar-documents",
          2300, 0.04),
    Meter(AWS, "agent-lab", "experiment", AWS_RESEARCH, "AmazonS3", _S3, "GB-Mo", _GB_MONTH, "lumenar-checkpoints",
          2600, 0.06),
    Meter(AWS, "orion-distill", "experiment", AWS_RESEARCH, "AmazonS3", _S3, "GB-Mo", _GB_MONTH,
          "lumenar-orion-checkpoints", 900, 0.02),
    Meter(AWS, "shared-platform", "production", AWS_PROD, "AmazonS3", _S3, "GB-Mo", _GB_MONTH, "lumenar-old-exports",
          1500, 0.03, fault="untagged"),
    Meter(AWS, "photo-moderation", "production", AWS_PROD, "AmazonS3", "Requests-Tier1", "Requests",
          Decimal("0.000005"), "lumenar-photos", 2400000, 0.05, 0.9),
    Meter(AWS, "semantic-search", "production", AWS_PROD, "AWSDataTransfer", _OUT, "GB", Decimal("0.09"),
          "search-gateway", 620, 0.05, 0.9),
    Meter(AWS, "photo-moderation", "production", AWS_PROD, "AWSDataTransfer", _OUT, "GB", Decimal("0.09"),
          "photo-gateway", 480, 0.05, 0.95),
    Meter(AWS, "shared-platform", "production", AWS_PROD, "AWSDataTransfer", _OUT, "GB", Decimal("0.09"),
          "nat-0f31aa20c9d4be671", 1150, 0.05, 0.8, "untagged"),
    Meter(AWS, "shared-platform", "production", AWS_PROD, "AmazonCloudWatch", _CW, "GB", Decimal("0.50"),
          "/lumenar/platform", 240, 0.05, 0.8),
    Meter(AWS, "fraud-scoring", "production", AWS_PROD, "AmazonCloudWatch", _CW, "GB", Decimal("0.50"),
          "/lumenar/fraud", 46, 0.05),
    Meter(AWS, "shared-platform", "production", AWS_PROD, "AmazonEKS", "AmazonEKS-Hours:perCluster", "Hours",
          Decimal("0.10"), "cluster/lumenar-prod", 24, 0),
    Meter(AWS, "shared-platform", "staging", AWS_PROD, "AmazonEKS", "AmazonEKS-Hours:perCluster", "Hours",
          Decimal("0.10"), "cluster/lumenar-staging", 24, 0),
    Meter(GCP, "photo-moderation", "production", "lumenar-ml-prod", "Cloud Storage", "Standard Storage Europe",
          "gibibyte month", Decimal("0.020"), "lumenar-photo-cache", 2100, 0.05),
    Meter(GCP, "shared-platform", "production", "lumenar-ml-prod", "Kubernetes Engine",
          "Regional Kubernetes Clusters", "hour", Decimal("0.10"), "gke-lumenar-ml", 24, 0),
    Meter(GCP, "agent-lab", "experiment", "lumenar-research", "Cloud Storage", "Standard Storage Europe",
          "gibibyte month", Decimal("0.020"), "lumenar-research-data", 1200, 0.06, fault="untagged"),
    Meter(AZURE, "document-mining", "production", AZURE_DATA, "Storage", "Hot LRS Data Stored", "1 GB/Month",
          Decimal("0.0176"), "stlumenardocs", 1100, 0.04),
    Meter(AZURE, "voice-support", "production", AZURE_PROD, "Storage", "Hot LRS Data Stored", "1 GB/Month",
          Decimal("0.0176"), "stlumenarcalls", 420, 0.06),
)


class Function(NamedTuple):
    """A serverless function, as billed and as it ran."""

    name: str
    use_case: str
    place: str
    memory_mb: int
    invocations: int
    mean_ms: int
    growth: float = 0.05
    weekend: float = 0.8
    failing: float = 0.002
    cold: float = 0.01
    external_calls: float = 0.0
    """Calls to outside APIs per invocation."""


FUNCTIONS = (
    Function("assistant-tools", "shopping-assistant", AWS_PROD, 2048, 410000, 900, external_calls=1.4),
    Function("search-reindex", "semantic-search", AWS_PROD, 1024, 260000, 700),
    Function("ticket-router", "ticket-resolution", AWS_PROD, 1024, 300000, 400, weekend=0.5, external_calls=0.6),
    Function("fraud-webhook", "fraud-scoring", AWS_PROD, 1024, 520000, 300, weekend=0.95),
    Function("photo-resize", "photo-moderation", AWS_PROD, 3072, 240000, 1100, failing=0.011, cold=0.05),
    Function("doc-splitter", "document-mining", AWS_DATA, 2048, 150000, 1900, weekend=0.4),
)
FUNCTION_PRICES = (Decimal("0.0000166667"), Decimal("0.0000002"))
"""USD for a GB-second and for a request."""


class Training(NamedTuple):
    """A series of training runs: managed jobs with a bill of their own, or runs on a fleet that has none."""

    experiment: str
    use_case: str
    environment: str
    place: str
    model: str
    machine: str
    machines: int
    weekly: float
    hours: float
    metric: str
    start_at: float
    """Metric of the first run, from where it creeps up."""
    spot: bool = False
    until: date = date.max
    since: date = date.min
    fleet: str | None = None


TRAININGS = (
    Training("reco-two-tower", "product-recommendations", "production", AWS_PROD, "reco-two-tower", "ml.p4d.24xlarge",
             1, 3, 6, "recall_at_20", 0.61),
    Training("photo-nsfw-v3", "photo-moderation", "production", AWS_PROD, "photo-nsfw", "ml.g5.12xlarge", 2, 5, 8,
             "f1", 0.83, spot=True),
    Training("fraud-gbm-graph", "fraud-scoring", "production", AWS_PROD, "fraud-graph", "ml.g5.2xlarge", 1, 7, 3,
             "auc", 0.88),
    Training("agent-lab-sft", "agent-lab", "experiment", AWS_RESEARCH, "agent-7b", "ml.g5.12xlarge", 1, 6, 7,
             "win_rate", 0.42, spot=True),
    Training("orion-distill", "orion-distill", "experiment", AWS_RESEARCH, "orion-1b", "ml.p4d.24xlarge", 1, 4, 8,
             "perplexity_gain", 0.05, since=date(2026, 2, 9), until=ABANDONED_ON),
    Training("voice-asr-de", "voice-support", "production", AWS_PROD, "asr-de", "ml.g5.12xlarge", 1, 3, 6,
             "word_accuracy", 0.84, since=date(2026, 1, 12)),
    Training("agent-lab-rl", "agent-lab", "experiment", AWS_RESEARCH, "agent-7b", "p4d.24xlarge", 1, 4, 10,
             "win_rate", 0.45, fleet="research-train"),
)


class Outcome(NamedTuple):
    """What a use case brings in October 2026, per month."""

    use_case: str
    unit_name: str
    units: int
    accepted: float
    revenue: int | None = None
    hours_saved: int | None = None
    satisfaction: float | None = None
    active_users: int | None = None
    eligible_users: int | None = None
    growth: float = 0.06
    since: date = date.min


OUTCOMES = (
    Outcome("semantic-search", "search session helped", 5_200_000, 0.71, revenue=118_000, satisfaction=0.81),
    Outcome("shopping-assistant", "conversation completed", 640_000, 0.78, revenue=82_000, satisfaction=0.77,
            active_users=310_000, eligible_users=2_400_000, growth=0.09),
    Outcome("ticket-resolution", "ticket resolved", 96_000, 0.86, hours_saved=3_000, satisfaction=0.84,
            active_users=210, eligible_users=260),
    Outcome("fraud-scoring", "fraudulent order stopped", 7_400, 0.93, satisfaction=None),
    Outcome("product-recommendations", "recommended item bought", 410_000, 0.97, revenue=164_000),
    Outcome("photo-moderation", "photo decided", 1_900_000, 0.92, hours_saved=2_300),
    Outcome("voice-support", "call handled", 22_000, 0.74, hours_saved=900, satisfaction=0.69, active_users=120,
            eligible_users=260, growth=0.12, since=date(2025, 12, 1)),
    Outcome("campaign-copy", "text published", 5_100, 0.38, hours_saved=75, satisfaction=0.52, active_users=14,
            eligible_users=40),
    Outcome("app-summaries", "summary read", 880_000, 0.66, satisfaction=0.73, active_users=190_000,
            eligible_users=2_400_000),
    Outcome("document-mining", "document extracted", 310_000, 0.9, hours_saved=1_900, satisfaction=0.8,
            active_users=85, eligible_users=140),
)

VALUES = {"fraud-scoring": Decimal("6.20"), "photo-moderation": Decimal("0.004")}
"""USD that one accepted unit is worth, where revenue and hours do not say it."""
ATTRIBUTION = {
    "semantic-search": Decimal("0.40"), "shopping-assistant": Decimal("0.60"),
    "product-recommendations": Decimal("0.50"), "ticket-resolution": Decimal("0.80"),
}
"""Share of the outcome owed to AI; 1 for the others."""
HOURLY_RATE = {None: Decimal(48), "photo-moderation": Decimal(31), "campaign-copy": Decimal(55)}
SETUP_COSTS = {"voice-support": Decimal(90_000), "shopping-assistant": Decimal(140_000)}
TARGETS = (
    ("cost_per_accepted_outcome", "campaign-copy", Decimal("6.00"), None),
    ("cost_per_accepted_outcome", "ticket-resolution", Decimal("0.80"), None),
    ("cost_per_transaction", "fraud-scoring", Decimal("3.00"), None),
    ("cost_per_request", None, Decimal("0.02"), None),
    ("cost_per_request", "shopping-assistant", Decimal("0.005"), None),
    ("cost_per_request", "shopping-assistant", Decimal("0.003"), date(2026, 8, 1)),
)
"""What one unit may cost in USD: metric, use case, line, since when. Only the runaway key breaks one."""
EUR_IN_USD = (
    (date(2025, 1, 1), Decimal("1.08")), (date(2025, 7, 1), Decimal("1.17")), (date(2026, 7, 1), Decimal("1.15")),
)
REPORTING_CURRENCY = "USD"
"""Currency of the group's accounts."""
ORGANISATION_COSTS = (
    ("people", "search", Decimal(41_500), "USD", "payroll"),
    ("people", "assistant", Decimal(38_000), "USD", "payroll"),
    ("people", "support-bot", Decimal(22_750), "USD", "payroll"),
    ("people", "fraud", Decimal(27_400), "USD", "payroll"),
    ("people", "research", Decimal(64_200), "USD", "payroll"),
    ("people", "research", Decimal("9800.50"), "USD", "agency invoices"),
    ("people", POOL_TEAM, Decimal(52_600), "USD", "payroll"),
    ("people", "speech", Decimal(18_300), "EUR", "payroll"),
    ("saas", "data-platform", Decimal(2_140), "USD", "labelling tool, paid by card"),
    ("organisation", None, Decimal(6_400), "USD", "AI governance board and training"),
)
"""What each month costs beside the bills: category, team, amount, currency, evidence."""

class Experiment(NamedTuple):
    """What an experiment was planned to last and to cost."""

    name: str
    use_case: str | None
    tag: str | None
    """Value of the tag `experiment` on its charges, where no use case says what is its."""
    start: date
    end: date
    """First day on which it should no longer cost anything."""
    budget: int | None
    owner: str | None


EXPERIMENTS = (
    Experiment("voice-pilot", "voice-support", None, date(2025, 12, 1), PROMOTED_ON, 40_000, "Nora Haugen"),
    Experiment("orion", "orion-distill", None, date(2026, 2, 9), date(2026, 7, 1), 30_000, None),
    Experiment("agents", None, "agent-lab", date(2025, 5, 1), date(2027, 1, 1), None, "Elif Demir"),
)

BUDGETS = {
    "search": 30_000, "assistant": 19_500, "support-bot": 38_500, "fraud": 18_000, "recommendations": 33_000,
    "vision": 62_000, "speech": 14_500, "research": 48_000, "data-platform": 28_000, "mobile": 9_000,
    "marketing": 9_000,
}
"""USD a month by team in October 2026, shared costs included; the shared platform's own are all passed on."""
EUR_BUDGETS = {"assistant": 11_500, "support-bot": 8_000, "speech": 6_000, "data-platform": 7_500}
OTHER_BUDGETS = {"company": 335_000, "experiments": 48_000, "Bedrock": 40_000}
BUDGET_GROWTH = 0.05

OWNERS = {
    "search": ("Ines Marchetti", "CC-2100"), "assistant": ("Tomas Lindqvist", "CC-2200"),
    "support-bot": ("Amara Okafor", "CC-3100"), "fraud": ("Jonas Weber", "CC-4100"),
    "recommendations": ("Mei Tanaka", "CC-2300"), "vision": ("Rafael Costa", "CC-2400"),
    "speech": ("Nora Haugen", "CC-3200"), "research": ("Elif Demir", "CC-1100"),
    "data-platform": ("Pavel Novak", "CC-1200"), "ml-platform": ("Grace Adeyemi", "CC-1300"),
    "mobile": ("Luca Romano", "CC-2500"), "marketing": ("Hanna Virtanen", "CC-5100"),
}

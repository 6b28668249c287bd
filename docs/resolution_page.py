"""The page of resolution: how records become assets, the rules of each kind, and what a person may decide."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from dbt_like_transforms.resolution.clustering.crowded import FEW
from dbt_like_transforms.resolution.decisions import manual
from dbt_like_transforms.resolution.forms.seeds import ALLOW_LISTS
from dbt_like_transforms.resolution.kinds import LADDERS
from dbt_like_transforms.resolution.ladders.ladder import Ladder
from dbt_like_transforms.resolution.reasons.words import AGAINST_WORDS

PLURALS = {"device": "devices", "identity": "identities", "application": "applications"}
HEAD = """# From records to assets

Many records of many products describe one laptop. Which of them do is decided anew for all records of a date in every build,
whatever their order, and every decision has its reason. Written by `python docs/generate.py`.

```console
exposure explain device tenable:tenable_prod:0d0c5a7e-3a4f-4e0d-9a49-0b7f1a2c3d4e   # why an asset is what it is
exposure resolve observations.jsonl --kind device --explain                         # the same on records of your own
exposure build --what-if                                                            # what would merge and split, nothing stored
exposure build --without tenable_prod                                               # as if that source were not there
```

The [tables](tables.md): `asset_records` (which record is in which asset), `resolution_decisions` (what joined it, what was kept
apart), `suppressed_identifiers`, `asset_fields` (what every source says of every field, and which won), `contradictions`
(retired here, at work there), `resolution_changes` (what merged and split, ids that are aliases now, what waits for a person).

* **Ladder.** Records are joined by the rules below, the strongest first. A rule joins what agrees on its value, and never sees
  anything of a weaker rule.
* **Veto.** Two assets that differ in something at least as good are not joined by the rule, though they agree on its value.
* **Set up anew.** Such a machine gets other directory ids and keeps its hardware. For the rules of hardware two such ids are no
  disagreement where all that has the one had fallen silent before anything with the other appeared.
* **Suppression.** A value identifies nothing when it is a known placeholder (seeds.yaml), or when the data show it: machines that
  stronger identifiers tell apart carry it, or very many names, or one product lists more than three names with it at the same
  time. It is told with the evidence, and a person may allow the value.
  A list of one record that is longer than 64 identifies nothing either.
* **Scope.** Names, MAC addresses and what only one site knows agree inside one scope alone: the
  company or site of the connection (`scope` in its file), and the network where a product tells it. IP addresses merge nothing.
* **Review.** What agrees on weak evidence alone, or could belong to two assets, goes with neither and is told for a person to
  decide. A record that makes no asset of its own because of it is `held`.
* **Links.** A container runs on its host, blades and management controllers are part of their chassis and server, two accounts of
  one person are two accounts: edges of the graph, never merges.
* **Ids** stay when sources join and leave, names and hardware change and rows come in another order. A merge keeps the older id, a
  split gives ids back to whose they were.
* **Fields** come from the best source that has a value (precedence.yaml), as long as it was not silent for too long. A
  word for nothing such as 'Unknown' is no value.
"""

DECISIONS = """## What a person decides

`decisions.yaml` in the home. It is read by every build and holds until it is taken out. `exposure build --what-if` shows what it
would change: what merges and splits, which records come to an asset or leave it for none, which values identify something again or
no more. A file that contradicts itself or names no known action is refused with the place; a decision about a record that is not
there waits, and `exposure build` says so.

{example}

A build whose merges and splits touch more assets than `gate` allows, against the date before and against what its own date had,
publishes nothing and stores none of that kind, says which, and goes on with `exposure build --accept-changes`. Identifiers whose
values may be allowed: {allowed}.
"""


def resolution_page() -> str:
    """The whole page as Markdown."""
    example = inspect.cleandoc(manual.__doc__ or "").partition("\n\n")[2]
    allowed = ", ".join(f"`{name}`" for name in sorted(ALLOW_LISTS))
    return "\n".join([HEAD, DECISIONS.format(example=example, allowed=allowed), *tables(), ""])


def tables() -> Iterator[str]:
    for kind, ladder in LADDERS.items():
        yield f"## Rules for {PLURALS[kind]}"
        yield ""
        yield "| rule | agrees on | is kept apart by |"
        yield "|---|---|---|"
        for rule in ladder.rules:
            also = " or ".join(_label(ladder, name) for name in rule.with_agreement if name != rule.identifier)
            also = also or ("another one" if rule.with_agreement else "")
            agrees = _label(ladder, rule.identifier) + (f", and {also}" if also else "")
            differ = ", ".join(dict.fromkeys(_label(ladder, name) for name in rule.vetoes))
            why = "; ".join(AGAINST_WORDS[special] for special in rule.special)
            few = ", ".join(_label(ladder, name) for name in rule.few)
            chained = f"more than {FEW} values of {few} from one to the next" if few else ""
            against = "; ".join(part for part in (f"another {differ}" if differ else "", why, chained) if part)
            yield f"| `{rule.name}` | {agrees} | {against or 'nothing'} |"
        yield ""


def _label(ladder: Ladder, name: str) -> str:
    return ladder.identifier(name).label

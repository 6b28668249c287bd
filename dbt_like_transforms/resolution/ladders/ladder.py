"""What a kind of asset is recognised by: its identifiers, and the rules that agree on them, strongest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from dbt_like_transforms.resolution.forms.derived import Derived

#: How good the best identifier of an asset is: the rung of the ladder; 9 is none. Above WEAK it may be someone else.
RUNG_DIRECTORY, RUNG_HARDWARE, RUNG_AGENT, RUNG_MAC, RUNG_NAME, RUNG_SHORT_NAME, RUNG_NONE = 2, 3, 4, 5, 6, 7, 9
WEAK = RUNG_MAC

#: SQL of an id that may be a GUID, or `<id> in <id>`, as people write it.
SHOWN_ID = (
    r"regexp_replace(value, '\b([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})\b', "
    r"'\1-\2-\3-\4-\5', 'g')"
)


@dataclass(frozen=True, slots=True)
class Identifier:
    """One kind of identifier of a record, taken from the normalised columns of `norm`.

    value: SQL over `table` (see `Ladder.tables`); a list when `is_list`. Scoped values agree only inside the record's
    scope.
    rung: how well it identifies; None for values that only veto or confirm.
    label: how a person calls it. field: name in the observations, for reports and allow lists. shown: SQL that makes
    `value` readable. written: SQL over `table` and `value` of how the record itself writes it, where that may differ.
    includes: identifiers whose values are among these; what identifies nothing there does not here.
    """

    name: str
    value: str
    label: str
    field: str
    rung: int | None = None
    is_list: bool = False
    scoped: bool = False
    shown: str = "value"
    written: str = ""
    table: str = "norm"
    includes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dropped:
    """Values of an identifier that were dropped unseen: SQL over `table`, a list when `is_list`; and why, for reports."""

    identifier: str
    value: str
    is_list: bool = False
    table: str = "norm"
    why: str = "a known placeholder"


@dataclass(frozen=True, slots=True)
class LongList:
    """Values that identify nothing where one record has more than MOST_VALUES of them: SQL over `table` of how many it has."""

    label: str
    count: str
    table: str = "norm"


#: Vetoes with a logic of their own: `vetoes` applies them, `words` tells what they say.
Special = Literal[
    "mac", "fqdn", "names", "source", "source_any", "source_unlike", "agent", "time", "clone", "clone_agents", "clone_unnamed",
    "clone_same_source", "clone_blade", "clone_image", "enclosed", "counted", "domain", "employee_other", "login_other",
    "main_other", "okta_other", "passed_on",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rule:
    """Records that agree on `identifier` are one asset, unless a veto stands against it.

    vetoes: identifiers on which different values forbid the merge. special: vetoes with a logic of their own.
    contest: identifiers whose distinct values, counted over the records that carry one value, show it to be no
        identifier; more than `max_distinct` of them suppress it. Empty: the value cannot be contested.
    contest_at_work: only what is not retired contests the value.
    fan_out: more distinct names than this on one value suppress it too (0: any number will do).
    owned_as: an identifier; only a value that some record has as this as well is agreed on.
    few: identifiers that are vetoes as well among records that agree, directly or by way of others, where these have more than
        three different values.
    with_agreement: identifiers of which one must agree as well (MAC with a name, MAC with another MAC).
    successive: identifiers among `vetoes` that a machine is given anew; two values are no disagreement, and do not contest
        the value, when everything that carries the one fell silent before anything with the other appeared.

    Raises:
        ValueError: a successive identifier is no veto.
    """

    name: str
    identifier: str
    vetoes: tuple[str, ...] = ()
    special: tuple[Special, ...] = ()
    contest: tuple[str, ...] = ()
    max_distinct: int = 1
    contest_at_work: bool = False
    fan_out: int = 0
    owned_as: str = ""
    few: tuple[str, ...] = ()
    with_agreement: tuple[str, ...] = ()
    successive: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if strange := set(self.successive) - set(self.vetoes):
            raise ValueError(f"rule {self.name}: successive {', '.join(sorted(strange))} must be among its vetoes")


@dataclass(frozen=True, slots=True)
class Ladder:
    """All rules of a kind in the order in which they apply. Rules never see anything of a lower one.

    tables: name and SQL of the tables of normal forms over `_observed`, each may read those before it: `norm` with one
    row a record, and others with one row a value of a list. All have `idx` (0-based number of the record) and `room`
    (hash of its scope). reviewed: identifiers whose agreement alone is reported as a possible match and never merged.
    not_alone: identifiers of rules whose agreement alone is reported as well, and makes nobody wait.
    review_conflicts: identifiers whose difference settles a possible match. rivals: for a reviewed identifier, those by
    which a record that has one of its own is more than a possible match. one_sided: for a reviewed identifier, one that
    only one of the two may have; rivals have nothing to do with each other then, and neither waits for the other. in_full: for
    a reviewed identifier that compares only the beginning of a value, the one with the whole of it, which settles as well.
    common: reviewed identifiers whose values identify nothing once many assets carry them that are known by something better.
    fingerprint: identifiers of which the first that a record has stands for its name where `fan_out` counts names;
    fingerprint_label: what they are, in words. listed: the same where it is counted how many one product lists at once, where
    that differs.
    crowded: identifiers whose values no rule sees when many machines carry them, see `crowded`; and of each
    those that are made of its value. long_lists: values of which one record may have too many.
    one_by: directory and cloud ids by which several records are one machine, the best one first.
    """

    kind: str
    tables: Mapping[str, str | Derived]
    identifiers: tuple[Identifier, ...]
    rules: tuple[Rule, ...]
    reviewed: tuple[str, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    not_alone: tuple[str, ...] = ()
    review_conflicts: tuple[str, ...] = ()
    rivals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    one_sided: Mapping[str, str] = field(default_factory=dict)
    in_full: Mapping[str, str] = field(default_factory=dict)
    common: tuple[str, ...] = ()
    fingerprint: tuple[str, ...] = ()
    fingerprint_label: str = "names"
    listed: tuple[str, ...] = ()
    crowded: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    long_lists: tuple[LongList, ...] = ()
    one_by: tuple[str, ...] = ()

    def identifier(self, name: str) -> Identifier:
        """The identifier of that name; KeyError when there is none."""
        for identifier in self.identifiers:
            if identifier.name == name:
                return identifier
        raise KeyError(name)

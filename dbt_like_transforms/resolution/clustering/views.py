"""Clusters as sets of values: what vetoes compare one by one, once `suspects` has found a group worth it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from dbt_like_transforms.resolution.clustering.facts import Facts
from dbt_like_transforms.resolution.clustering.integers import Keys, Rows, among
from dbt_like_transforms.resolution.ladders.ladder import Rule, Special

#: Rules by these agree on a name of this kind: what goes by other names alone tells nothing of its time.
TIMED_BY = {"fqdn": "host", "nbname": "host"}

#: Scoped values that are the same thing in every scope: they agree inside one alone, and differ only where the values do.
EVERYWHERE = frozenset({"mac", "fqdn"})

#: Successive values of these need a name in common: another blade may have taken the slot of the chassis.
NEEDS_NAME = frozenset({"uuid"})

_NAMES = ("host", "longname")
_CARDS_AND_NAMES = ("mac", *_NAMES)
#: What is built into a machine and does not go along with a copy of its disk.
BUILT = ("mac", "uuid", "numbered")
#: Besides, within one product, where no card is common: laptops and telephones make addresses up as they go.
LISTED = (*BUILT, "made_up")
_BUILT_AND_NAMES = (*BUILT, *_NAMES)
_LISTED_AND_NAMES = (*LISTED, *_NAMES)

#: Two records of one product that differ in none of these are one account listed twice. The first two are scoped.
_TOLD_IN_SCOPE = ("employee", "host")
TOLD_APART = (*_TOLD_IN_SCOPE, "own_upn")

#: Vetoes by values that can only be compared where another identifier agrees: two numbers of one form, two SIDs or
#: addresses of one domain. Veto -> identifier, what has to agree.
COMPARED_WITHIN: dict[str, tuple[str, str]] = {
    "domain": ("sid", "sid_domain"),
    "employee_other": ("employee", "employee_form"),
    "login_other": ("login", "login_domain"),
}

#: Vetoes by values that differ only where one product lists both: an account may have an Okta id in each of two companies.
COMPARED_IN_ONE_PRODUCT = {"main_other": "main", "okta_other": "okta"}

#: Vetoes that only strike where somebody carries an identifier.
CARRIED = {"clone_blade": "blade", "clone_image": "sid_machine", "counted": "counted", "enclosed": "enclosed"}

#: What special vetoes compare besides.
_COMPARED: dict[str, tuple[str, ...]] = {
    "mac": ("mac",),
    "fqdn": ("fqdn",),
    "names": _CARDS_AND_NAMES,
    "clone": _BUILT_AND_NAMES,
    "clone_agents": _NAMES,
    "clone_unnamed": _CARDS_AND_NAMES,
    "clone_same_source": _LISTED_AND_NAMES,
    "clone_blade": _BUILT_AND_NAMES,
    "clone_image": _LISTED_AND_NAMES,
    "counted": _CARDS_AND_NAMES,
    "enclosed": _CARDS_AND_NAMES,
    "source_unlike": TOLD_APART,
    "login_other": ("upn", "address"),
    "passed_on": ("main",),
}

#: Vetoes that look at installations of agents.
_BY_AGENT: frozenset[Special] = frozenset({"agent", "clone_agents", "counted"})


@dataclass(slots=True)
class View:
    """One cluster: its records, and the hashes of its values by identifier.

    bare: of what is EVERYWHERE, and of what tells two accounts of one product apart, the values without their scopes.
    names: row -> its names, where the rule asks for the time of a name. agents: product -> agent id -> rows.
    """

    rows: list[int] = field(default_factory=list)
    values: dict[str, set[int]] = field(default_factory=dict)
    bare: dict[str, set[int]] = field(default_factory=dict)
    names: dict[int, set[int]] = field(default_factory=dict)
    agents: dict[int, dict[int, list[int]]] = field(default_factory=dict)

    def of(self, name: str) -> set[int]:
        """All values of the identifier."""
        return self.values.get(name, set())

    def agent_ids(self) -> set[int]:
        """The agent ids of all products."""
        return {agent for agents in self.agents.values() for agent in agents}


def common(a: View, b: View, name: str) -> set[int]:
    """The values of the identifier that both have."""
    return a.of(name) & b.of(name)


def disjoint(a: View, b: View, name: str) -> bool:
    """Whether both have values of the identifier, and none in common, in whatever scope where `View.bare` has them."""
    left = a.bare.get(name) or a.of(name)
    if not left:
        return False
    right = b.bare.get(name) or b.of(name)
    return bool(right) and left.isdisjoint(right)


def differ_in_full(a: View, b: View) -> bool:
    """Whether their names differ behind the 15 characters by which names are compared."""
    return disjoint(a, b, "longname")


def unlike(a: View, b: View) -> bool:
    """Whether their names differ: in the first 15 characters, or behind them where both are known in full."""
    return disjoint(a, b, "host") or differ_in_full(a, b)


def named_alike(a: View, b: View) -> bool:
    """Whether they have a name in common, or none has any."""
    return bool(common(a, b, "host")) or not (a.of("host") or b.of("host"))


def view_clusters(
    facts: Facts, label: Rows, clusters: Rows, rule: Rule, unusable: Mapping[str, Keys]
) -> dict[int, View]:
    """The clusters as sets of what the vetoes of the rule compare.

    label: of each row its cluster. unusable: of each identifier the hashes (ascending) that identify nothing; they are left
    out, but of the identifiers on which the rule forbids any difference.
    """
    inside = np.zeros(facts.count, np.bool_)
    inside[clusters] = True
    inside = inside[label]
    views = {cluster: View() for cluster in clusters.tolist()}
    members = np.flatnonzero(inside)
    for row, cluster in zip(members.tolist(), label[members].tolist(), strict=True):
        views[cluster].rows.append(row)
    timed_by = _timed_by(rule)
    for name in _compared(rule):
        edges = facts.edges[name]
        places = np.flatnonzero(inside[edges.rows])
        dropped = unusable.get(name)
        if name not in rule.vetoes and dropped is not None and len(dropped):
            places = places[~among(edges.keys[places], dropped)]
        rows, keys = edges.rows[places], edges.keys[places]
        owners = [views[cluster] for cluster in label[rows].tolist()]
        for view, key in zip(owners, keys.tolist(), strict=True):
            view.values.setdefault(name, set()).add(key)
        if name in EVERYWHERE or (name in _TOLD_IN_SCOPE and "source_unlike" in rule.special):
            for view, key in zip(owners, (keys ^ facts.rooms[rows]).tolist(), strict=True):
                view.bare.setdefault(name, set()).add(key)
        if name == timed_by:
            for view, row, key in zip(owners, rows.tolist(), keys.tolist(), strict=True):
                view.names.setdefault(row, set()).add(key)
    if not _BY_AGENT.isdisjoint(rule.special):
        edges = facts.edges["agent"]
        places = np.flatnonzero(inside[edges.rows])
        rows, keys, products = edges.rows[places], edges.keys[places], facts.agent_products[places]
        owners = [views[cluster] for cluster in label[rows].tolist()]
        for view, row, key, product in zip(owners, rows.tolist(), keys.tolist(), products.tolist(), strict=True):
            view.agents.setdefault(product, {}).setdefault(key, []).append(row)
    return views


def _compared(rule: Rule) -> set[str]:
    """The identifiers that the vetoes of a rule compare."""
    names = set(rule.vetoes)
    for special in rule.special:
        names.update(_COMPARED.get(special, ()), COMPARED_WITHIN.get(special, ()))
        if special in COMPARED_IN_ONE_PRODUCT:
            names.add(COMPARED_IN_ONE_PRODUCT[special])
        if special in CARRIED:
            names.add(CARRIED[special])
    if not NEEDS_NAME.isdisjoint(rule.successive):
        names.update(_NAMES)
    if timed_by := _timed_by(rule):
        names.add(timed_by)
    return names


def _timed_by(rule: Rule) -> str | None:
    """The identifier by whose values the records of a cluster are told apart in time, None where all of them count."""
    return TIMED_BY.get(rule.identifier) if "time" in rule.special else None

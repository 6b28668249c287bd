"""What forbids a merge: different values of a stronger identifier, two agents at work at the same time, time itself."""

from __future__ import annotations

from typing import assert_never

from dbt_like_transforms.resolution.clustering.activity import Activity, Clocks
from dbt_like_transforms.resolution.clustering.facts import Facts
from dbt_like_transforms.resolution.clustering.succession import Succession
from dbt_like_transforms.resolution.clustering.views import (
    BUILT,
    CARRIED,
    COMPARED_IN_ONE_PRODUCT,
    COMPARED_WITHIN,
    LISTED,
    TOLD_APART,
    View,
    common,
    disjoint,
    unlike,
)
from dbt_like_transforms.resolution.ladders.ladder import Rule, Special


class Vetoes:
    """Vetoes over facts. apart: pairs of rows that a person declared to be different."""

    def __init__(self, facts: Facts, clocks: Clocks, apart: tuple[tuple[int, int], ...] = ()) -> None:
        self.activity = Activity(facts, clocks)
        self.succession = Succession(facts)
        self.apart: dict[int, set[int]] = {}
        for one, other in apart:
            self.apart.setdefault(one, set()).add(other)
            self.apart.setdefault(other, set()).add(one)

    def conflict(self, rule: Rule, a: View, b: View) -> str | None:
        """What forbids joining the two by this rule: the name of an identifier or special veto; None when nothing."""
        if self.apart and any(not self.apart.get(row, set()).isdisjoint(b.rows) for row in a.rows):
            return "apart"
        for name in rule.vetoes:
            if disjoint(a, b, name):
                if not (name in rule.successive and self.succession.succeeded(name, a, b)):
                    return name
            elif name in rule.successive and self.succession.were_beside(name, a, b):
                return name
        return next((special for special in rule.special if self._strikes(special, a, b)), None)

    def took_turns(self, rule: Rule, views: list[View]) -> bool:
        """Whether values that a machine is given anew followed one another in all of the views together. Of two of them
        `conflict` has asked already: in a third one an id may come back that another had followed."""
        return not any(self.succession.came_back(name, views) for name in rule.successive)

    def _strikes(self, special: Special, a: View, b: View) -> bool:
        """Whether a special veto forbids to join the two. What is added here needs an entry in `views`, in `suspects`, which
        must not miss it, and in `words`."""
        match special:
            case "mac" | "fqdn":
                return disjoint(a, b, special)
            case "names":
                return unlike(a, b) and a.bare.get("mac") != b.bare.get("mac")
            case "source":
                return self.activity.in_one_product(a, b, at_once=True)
            case "source_any":
                return self.activity.in_one_product(a, b)
            case "source_unlike":
                return any(disjoint(a, b, name) for name in TOLD_APART) and self.activity.in_one_product(a, b)
            case "main_other" | "okta_other":
                return disjoint(a, b, COMPARED_IN_ONE_PRODUCT[special]) and self.activity.in_one_product(a, b)
            case "agent":
                return self.activity.two_agents(a, b)
            case "time":
                return self.activity.far_apart(a, b)
            case "clone":
                return self._cloned(a, b)
            case "clone_agents":
                return unlike(a, b) and self.activity.two_agents(a, b)
            case "clone_unnamed":
                named = common(a, b, "host") and not unlike(a, b)
                return not named and disjoint(a, b, "mac") and self.activity.in_one_product(a, b, at_once=True)
            case "clone_same_source":
                return self._listed_as_two(a, b)
            case "clone_image":
                both = bool(a.of(CARRIED[special]) and b.of(CARRIED[special]))
                return both and self._listed_as_two(a, b)
            case "clone_blade":
                return bool(a.of(CARRIED[special]) or b.of(CARRIED[special])) and self._cloned(a, b)
            case "enclosed":
                # a blade that was renamed keeps its cards
                return bool(common(a, b, CARRIED[special])) and unlike(a, b) and not common(a, b, "mac")
            case "counted":
                # what else they agree on by this rule is an installation
                agents = a.agent_ids() & b.agent_ids()
                return bool(agents) and unlike(a, b) and agents <= a.of(CARRIED[special])
            case "domain" | "employee_other":
                return _differ_within(special, a, b)
            case "login_other":
                # the mail of the one may be what the other signs in with
                mailed = any(one.of("upn") & other.of("address") for one, other in ((a, b), (b, a)))
                return not mailed and _differ_within(special, a, b)
            case "passed_on":
                return disjoint(a, b, "main") and self.activity.at_work(a) is not self.activity.at_work(b)
            case _:
                assert_never(special)

    def _listed_as_two(self, a: View, b: View) -> bool:
        """Whether one product lists both at the same time under different names, with other cards or boards."""
        if not (unlike(a, b) and self.activity.in_one_product(a, b, at_once=True)):
            return False
        built = LISTED if not common(a, b, "mac") else BUILT
        return any(disjoint(a, b, name) for name in built)

    def _cloned(self, a: View, b: View) -> bool:
        """Whether names differ, and cards or boards do, of what was at work at the same time."""
        built = any(disjoint(a, b, name) for name in BUILT)
        return built and unlike(a, b) and self.activity.at_once(a.rows, b.rows)


def _differ_within(special: str, a: View, b: View) -> bool:
    """Whether values differ that can be compared, see `COMPARED_WITHIN`."""
    value, within = COMPARED_WITHIN[special]
    return disjoint(a, b, value) and bool(common(a, b, within))

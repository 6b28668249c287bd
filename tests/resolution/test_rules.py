"""What the rules of the ladders promise to the code that applies and explains them."""

from __future__ import annotations

import pytest

from dbt_like_transforms.resolution.kinds import LADDERS
from dbt_like_transforms.resolution.ladders.ladder import Rule
from dbt_like_transforms.resolution.reasons.words import against_words


def test_what_a_machine_is_given_anew_must_be_a_veto_of_its_rule() -> None:
    with pytest.raises(ValueError, match="rule serial_number: successive entra must be among its vetoes"):
        Rule("serial_number", "serial", vetoes=("uuid",), contest=("entra",), successive=("entra", "uuid"))


@pytest.mark.parametrize("kind", LADDERS)
def test_all_that_keeps_two_apart_or_contests_a_value_can_be_said(kind: str) -> None:
    ladder = LADDERS[kind]
    for rule in ladder.rules:
        for against in (*rule.vetoes, *rule.special, *rule.contest):
            assert against_words(ladder, rule.identifier, against)

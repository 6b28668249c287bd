"""What a rule of a ladder promises to the code that applies it."""

from __future__ import annotations

import pytest

from dbt_like_transforms.resolution.ladder import Rule


def test_what_a_machine_is_given_anew_must_be_a_veto_of_its_rule() -> None:
    with pytest.raises(ValueError, match="rule serial_number: successive entra must be among its vetoes"):
        Rule("serial_number", "serial", vetoes=("uuid",), contest=("entra",), successive=("entra", "uuid"))

"""What precedence.yaml may say, and how mistakes in it are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from dbt_like_transforms.resolution.fields.precedence import PRECEDENCE_FILE, load_precedence


def changed(folder: Path, change: dict[str, Any]) -> Path:
    """The file with the device part changed, by dotted place."""
    raw = yaml.safe_load(PRECEDENCE_FILE.read_text("utf-8"))
    for place, value in change.items():
        *parts, last = place.split(".")
        part = raw
        for name in parts:
            part = part.setdefault(name, {})
        part[last] = value
    path = folder / "precedence.yaml"
    path.write_text(yaml.safe_dump(raw), "utf-8")
    return path


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"device.fields.ownr": {}}, r"device.fields has no field ownr; expected are .*owner"),
        (
            {"device.fields.owner": {"products": ["intunee"]}},
            r"device.fields.owner.products names intunee; expected.*intune",
        ),
        ({"device.fields.owner": {"products": []}}, r"device.fields.owner.products is empty"),
        (
            {"device.fields.owner": {"product": ["intune"]}},
            r"device.fields.owner.product is unknown; expected are products",
        ),
        (
            {"device.fields.owner": {"effective_days": -1}},
            r"device.fields.owner.effective_days: input should be greater than 0",
        ),
        ({"device.effective_days": 0}, r"device.effective_days: input should be greater than 0"),
        ({"device.effective_days": "soon"}, r"device.effective_days: input should be a valid number"),
        ({"device.effective_days": float("nan")}, r"device.effective_days: input should be greater than 0"),
        ({"device.products": ["intune", "okta", "intune"]}, r"device.products names intune twice"),
        ({"device.products": "intune"}, r"device.products: input should be a valid tuple"),
        ({"device.any": ["owner"]}, r"device.any cannot hold owner; expected are is_internet_facing, is_managed"),
        ({"device.union": ["hostnames"]}, r"device.union lacks mac_addresses"),
        ({"device.fields.hostnames": {"effective_days": 3}}, r"device.fields cannot hold hostnames; expected are"),
        ({"devices": {}}, r"devices is no kind; expected are device, identity, application"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_is_expected(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=f"^precedence.yaml: {said}"):
        load_precedence(changed(tmp_path, change))


def test_the_file_as_it_is_and_a_field_with_its_own_order_are_read(tmp_path: Path) -> None:
    path = changed(tmp_path, {"device.fields.model": {"products": ["tenable", "intune"], "effective_days": 7}})
    assert load_precedence(path)["device"].order_of("model") == (("tenable", "intune"), 7)
    assert load_precedence()["device"].order_of("model")[1] == 180

"""How a column of an observation becomes a value of the asset: placeholders are no values, identifiers take their normal form.

SQL over `r` (the record in `_observed`) and `n` (its row in `norm`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dbt_like_transforms.resolution.forms import device_forms
from dbt_like_transforms.resolution.ladders import applications, identities


@dataclass(frozen=True, slots=True)
class Field:
    """told: whether the record says anything; cheap, because it is asked of every record. normal: what has to hold of its
    row in `norm` as well, so that this is a value. given: what it says. form: the value that this is, over `{}`."""

    told: str
    given: str
    form: str = "{}"
    normal: str = "true"

    @property
    def present(self) -> str:
        """SQL of whether a record has a value."""
        return f"{self.told} AND {self.normal}"

    @property
    def value(self) -> str:
        """SQL of the value of a record."""
        return self.form.format(self.given)

    @property
    def is_normal_form(self) -> bool:
        """Whether the value is one of `norm`."""
        return self.given.startswith("n.")


@dataclass(frozen=True, slots=True)
class Elements:
    """A list: `value` of each row of `table`, and how it is shown. by: what tells the records of the table apart, `idx` or
    `key`. cased: elements are equal in whatever case, and shown as the best source writes them. at: place of an element in the
    list of its record, where that tells anything."""

    table: str
    value: str
    shown: str = "value"
    by: str = "idx"
    cased: bool = False
    at: str = ""

    @property
    def relation(self) -> str:
        """SQL of the elements (`by`, value, `at`); value is NULL where an element says nothing. To be filtered by an aggregate of
        it: a filter on the value itself would be pushed down to where it forms every value a second time."""
        at = f", {self.at}" if self.at else ""
        return f"(SELECT {self.by}, {self.value} AS value{at} FROM {self.table})"


def _unless(name: str, silent: str) -> Field:
    """A text, unless it is one of those in the table `silent`."""
    return Field(f"n_has(r.{name}) AND r.{name} NOT IN (SELECT given FROM {silent})", f"r.{name}", "n_text({})")


_FIELDS: dict[str, dict[str, Field]] = {
    "device": {
        "serial_number": Field(
            "n_has(r.serial_number)", "r.serial_number", "n_text({})", normal="n.serial_dropped IS NULL"
        ),
        "smbios_uuid": Field("true", "r.smbios_uuid", "n_lower({})", normal="n.uuid IS NOT NULL"),
        **{name: _unless(name, "no_makers") for name in ("manufacturer", "model")},
        **{name: _unless(name, "no_words") for name in device_forms.WRITTEN},
        "asset_tag": _unless("asset_tag", "no_tags"),
        "domain": _unless("domain", "no_domains"),
        "entra_device_id": Field("true", "n.entra", "n_dashed({})", normal="n.entra IS NOT NULL"),
        "ad_object_guid": Field("true", "n.adguid", "n_dashed({})", normal="n.adguid IS NOT NULL"),
        "imei": Field("true", "r.imei", "n_text({})", normal="n.imei IS NOT NULL"),
    },
    "identity": {
        "entra_object_id": Field("true", "n.entra", "n_dashed({})", normal="n.entra IS NOT NULL"),
        "ad_object_guid": Field("true", "n.adguid", "n_dashed({})", normal="n.adguid IS NOT NULL"),
        "upn": Field("n_has(r.upn)", "r.upn", "n_lower({})"),
        **{name: _unless(name, "no_words") for name in identities.WRITTEN},
    },
    "application": {
        "cpe": Field("true", "n.product_cpe", normal="n.product_cpe IS NOT NULL"),
        **{name: _unless(name, "no_words") for name in applications.WRITTEN},
    },
}


def _listed(name: str, form: str = "n_text(given)", cased: bool = False) -> Elements:
    """The elements of a column, unless they are words for nothing. form: over `given`."""
    table = f"(SELECT key, unnest({name}) AS given FROM _keyed)"
    return Elements(table, f"CASE WHEN n_says(given) THEN {form} END", by="key", cased=cased)


_ELEMENTS: dict[str, Elements] = {
    "mac_addresses": Elements("macs", "CASE WHEN NOT seeded THEN mac END", "n_colons(value)"),
    "ip_addresses": Elements("ips", "ip"),
    # of words such as 'aid=..' none is a word for nothing
    "agent_ids": Elements("_keyed", "n_text(unnest(agent_ids))", by="key", cased=True),
    "hostnames": _listed("hostnames", cased=True),
    "login_names": _listed("login_names", cased=True),
    "fqdns": _listed("fqdns", "rtrim(n_lower(given), '.')"),
    # the main one comes first
    "emails": Elements(
        "(SELECT key, unnest(emails) AS given, generate_subscripts(emails, 1) AS nth FROM _keyed)",
        "CASE WHEN n_says(given) THEN n_lower(given) END",
        by="key",
        at="nth",
    ),
    "sid_history": Elements("(SELECT key, unnest(sid_history) AS given FROM _keyed)", "n_sid(given)", by="key"),
}


def fields(kind: str, columns: Mapping[str, str]) -> dict[str, Field]:
    """Every column of the kind that is no list."""
    found = {}
    for name, type_ in columns.items():
        if type_ == "VARCHAR":
            found[name] = _FIELDS[kind].get(name) or Field(f"n_says(r.{name})", f"r.{name}", "n_text({})")
        elif not type_.endswith("[]"):
            found[name] = Field(f"r.{name} IS NOT NULL", f"r.{name}")
    return found


def elements(name: str) -> Elements:
    """The elements of the list `name`."""
    return _ELEMENTS.get(name) or _listed(name)

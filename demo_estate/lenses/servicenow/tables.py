"""The CMDB's tables: the key of each row, cheap and sorted once a day, and its row, built when a page shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from demo_estate.company import DEPARTMENTS
from demo_estate.kit import Service
from demo_estate.lenses import View
from demo_estate.lenses.servicenow import records
from demo_estate.truth import CmdbRelation, Ref, Truth

#: Share of each kind that the CMDB holds.
COVERAGE: Mapping[str, float] = {
    "laptop": 0.95,
    "desktop": 0.95,
    "server": 0.98,
    "virtual_machine": 0.97,
    "cloud_vm": 0.85,
    "domain_controller": 1.0,
    "printer": 0.9,
    "network_device": 1.0,
}
#: Rows that the product's own quirks are about are always held.
PLANTED = frozenset({"stale_ci", "retired_ci", "duplicate_ci", "name_only_ci"})
COMPUTERS = frozenset({"laptop", "desktop", "server", "virtual_machine", "cloud_vm", "domain_controller"})

#: Rows of all tables that are gone.
DELETIONS = "sys_audit_delete"

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """keys: (sys_id, what `row` needs) of every row, in any order. row: builds one."""

    keys: Callable[[View], Iterator[tuple[str, Key]]]
    row: Callable[..., records.Row]


def covers(truth: Truth, index: int) -> bool:
    share = COVERAGE.get(truth.device_kind(index), 0.0)
    return share > 0 and (truth.chance(share, "servicenow", "covers", index) or bool(truth.quirks(index) & PLANTED))


def device_keys(view: View, kinds: frozenset[str]) -> Iterator[tuple[str, Key]]:
    for index in view.device_indexes():
        if view.truth.device_kind(index) in kinds:
            yield from keys_of(view, index)


def keys_of(view: View, index: int) -> Iterator[tuple[str, Key]]:
    """The rows of one device: one, or two where the CMDB holds it twice."""
    yield records.sys_id(view, Ref("device", index)), (index,)
    if "duplicate_ci" in view.truth.quirks(index):
        yield records.sys_id(view, Ref("device", index), "duplicate"), (index, "duplicate")


def adapter_keys(view: View) -> Iterator[tuple[str, Key]]:
    for device in view.devices():
        if "name_only_ci" in view.truth.quirks(device.index):
            continue
        for number in range(len(device.nics)):
            yield records.sys_id(view, Ref("device", device.index), f"nic{number}"), (device.index, number)


def relation_keys(view: View) -> Iterator[tuple[str, Key]]:
    held = set(view.device_indexes())
    for relation in view.truth.cmdb_relations(view.day):
        if is_held(relation, held):
            yield records.relation_key(view, relation), (relation,)


def is_held(relation: CmdbRelation, held: set[int]) -> bool:
    return all(ref.kind != "device" or ref.index in held for ref in (relation.parent, relation.child))


def member_keys(view: View) -> Iterator[tuple[str, Key]]:
    held = set(view.device_indexes())
    for service in view.truth.services():
        for device in view.truth.business_application_devices(service.business_application):
            if device in held:
                yield records.member_key(view, service.index, device), (service.index, device)


def user_refs(view: View) -> Iterator[Ref]:
    """People, their administration accounts, and the service accounts of the main domain."""
    for account in view.truth.accounts(view.day, ("person", "admin", "service_account")):
        if account.kind != "service_account" or account.index % 2 == 0:
            yield account.ref


def user_keys(view: View) -> Iterator[tuple[str, Key]]:
    return ((records.sys_id(view, ref), (ref,)) for ref in user_refs(view))


def group_member_keys(view: View) -> Iterator[tuple[str, Key]]:
    for group in range(len(DEPARTMENTS)):
        members = range(group, view.truth.person_count, len(DEPARTMENTS))[: records.SUPPORT_TEAM_SIZE]
        for person in members:
            yield records.group_member_key(view, group, person), (group, person)


def deletion_keys(view: View) -> Iterator[tuple[str, Key]]:
    """What was there one day and not on the next, over the days of the timeline so far."""
    for table, content in TABLES.items():
        if table == DELETIONS:
            continue
        before = dict(content.keys(replace(view, day=0)))
        for day in range(1, view.day + 1):
            now = dict(content.keys(replace(view, day=day)))
            for key in before.keys() - now.keys():
                yield records.deletion_key(view, table, key), (table, key, day, *before[key])
            before = now


def of_kinds(*kinds: str) -> Table:
    wanted = frozenset(kinds)
    return Table(lambda view: device_keys(view, wanted), records.device_row)


def numbered(
    count: Callable[[View], int], key: Callable[[View, int], str], row: Callable[[View, int], records.Row]
) -> Table:
    return Table(lambda view: ((key(view, index), (index,)) for index in range(count(view))), row)


TABLES: Mapping[str, Table] = {
    "cmdb_ci_computer": of_kinds(*COMPUTERS),
    "cmdb_ci_netgear": of_kinds("network_device"),
    "cmdb_ci_printer": of_kinds("printer"),
    "cmdb_ci_network_adapter": Table(adapter_keys, records.adapter_row),
    "cmdb_ci_business_app": numbered(
        lambda view: view.truth.business_application_count,
        lambda view, index: records.sys_id(view, Ref("business_application", index)),
        records.application_row,
    ),
    "cmdb_ci_service": numbered(
        lambda view: view.truth.business_application_count,
        lambda view, index: records.sys_id(view, Ref("service", index)),
        records.service_row,
    ),
    "cmdb_rel_ci": Table(relation_keys, records.relation_row),
    "svc_ci_assoc": Table(member_keys, records.member_row),
    "sys_user": Table(user_keys, records.user_row),
    "sys_user_group": numbered(lambda view: len(DEPARTMENTS), records.group_key, records.group_row),
    "sys_user_grmember": Table(group_member_keys, records.group_member_row),
    "sys_choice": numbered(lambda view: len(records.STATES), records.choice_key, records.choice_row),
    DELETIONS: Table(deletion_keys, records.deletion_row),
}


def sorted_keys(service: Service, table: str) -> Sequence[tuple[str, Key]]:
    """Every row of a table by sys_id; made once a day."""
    view = service.view
    return service.cached(("keys", table), lambda: sorted(TABLES[table].keys(view), key=lambda pair: pair[0]))


def is_hidden(view: View, table: str, key: str) -> bool:
    """Whether access rules keep a row from the integration user.

    Instance options: hidden_share (default one row in two hundred) and hidden_prefixes, the beginnings of sys_ids that
    are hidden, which empties whole pages; deletions_hidden: what is deleted, as from a user who is no administrator.
    """
    if table == DELETIONS:
        return bool(view.instance.options.get("deletions_hidden"))
    if not table.startswith("cmdb_ci_") or table == "cmdb_ci_network_adapter":
        return False
    options = view.instance.options
    if key.startswith(tuple(options.get("hidden_prefixes", ()))):
        return True
    share = options.get("hidden_share", 0.005)
    return table == "cmdb_ci_computer" and view.truth.chance(share, "servicenow", "acl", key)

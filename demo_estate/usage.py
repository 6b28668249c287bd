"""How machines are used: when they were last heard of, who logs on, who administers them, which agents run."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from demo_estate import devices, directory, layout, people
from demo_estate.entities import Logon, Ref
from demo_estate.hashing import hex_id, number

if TYPE_CHECKING:
    from demo_estate.truth import Truth


def last_activity(truth: Truth, index: int, day: int, product: str) -> datetime:
    block, position = layout.place(truth, index)
    _, last = devices.lifespan(truth, index, block, position)
    if last is not None and last < day:
        return truth.moment(last, "activity", index, product)
    hours = 72 if layout.KINDS[position] == "mobile" else 24
    quiet = number(truth.seed, "activity", index, day, product) % (hours * 3600)
    return truth.as_of(day) - timedelta(seconds=quiet)


def agent_id(truth: Truth, product: str, index: int, day: int, generation: int | None) -> str:
    position = layout.place(truth, index)[1]
    lead = index
    if "golden_image_agent" in layout.QUIRKS[position]:
        lead = devices.quirk_group(truth, index, "golden_image_agent")[0]
    if generation is None:
        rebuilt = position in layout.REBUILDS and day >= devices.event_day(truth, index, position)
        generation = int(rebuilt)
    return hex_id(32, truth.seed, "agent", product, lead, generation)


def logons(truth: Truth, index: int, day: int) -> tuple[Logon, ...]:
    machine = truth.device(index, day)
    position = layout.place(truth, index)[1]
    planned: list[tuple[Ref, str, int, bool]] = []
    if machine.owner is not None:
        planned.append((Ref("person", machine.owner), "interactive", 40, position in layout.LOCAL_ADMIN_OWNERS))
    elif machine.is_server:
        admins = people.admin_count(truth)
        planned.append((Ref("admin", number(truth.seed, "operator", index) % admins), "remote", 12, True))
        services = people.service_account_count(truth)
        planned.append((Ref("service_account", index % services // 2 * 2), "service", 30, False))
    if position in layout.INTERNET_FACING:
        planned.append((Ref("person", people.careless(truth)[1]), "remote", 25, True))
    if position in layout.ADMIN_SESSIONS:
        planned.append((Ref("admin", 0), "interactive", 6, True))
    found = [
        Logon(ref, kind, count, last_activity(truth, index, day, f"logon {ref.kind} {ref.index}"), local)
        for ref, kind, count, local in planned
        if people.exists(truth, ref, day)
    ]
    return tuple(sorted(found, key=lambda logon: -logon.count))


def local_admins(truth: Truth, index: int, day: int) -> tuple[Ref, ...]:
    machine = truth.device(index, day)
    position = layout.place(truth, index)[1]
    if machine.kind == "domain_controller":
        return (Ref("group", directory.DOMAIN_ADMINS),)
    found = [Ref("group", directory.SERVER_ADMINS)] if machine.is_server else []
    if machine.owner is not None and position in layout.LOCAL_ADMIN_OWNERS:
        found.append(Ref("person", machine.owner))
    if machine.kind in ("laptop", "desktop") and machine.join == "hybrid":
        found.append(Ref("group", directory.DOMAIN_ADMINS))
    return tuple(ref for ref in found if ref.kind == "group" or people.exists(truth, ref, day))

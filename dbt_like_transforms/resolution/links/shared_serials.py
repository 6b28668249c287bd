"""Machines with one serial number and different UUIDs: blades of one chassis, or containers and guests and their host."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import duckdb
import numpy as np

from dbt_like_transforms.resolution.clustering.cluster import Clusterer
from dbt_like_transforms.resolution.clustering.integers import Keys, among, sorted_unique
from dbt_like_transforms.resolution.columns import show_columns
from dbt_like_transforms.resolution.links.link import Link

#: Network cards that hypervisors make: VMware, Hyper-V, Xen, Parallels, VirtualBox (QEMU's are locally administered).
GUEST_CARD = "^(005056|000c29|000569|00155d|00163e|001c42|080027)"
#: Cards that a container engine makes, and products that list what runs inside a machine.
_CONTAINER_CARD = "^0242"
_CONTAINER_PRODUCTS = "('docker', 'podman', 'containerd', 'kubernetes', 'k8s', 'openshift')"

#: What has no more than so many clusters on one number is told as a chassis or host with what is in it.
_BLADES = 64

#: The number with its maker first: what it tells is not told again.
_SERIALS = ("serialq", "serial")
#: Vetoes by which one number is on several machines. Where the chassis is listed they are linked to it, see `parts`.
_SEVERAL_MACHINES = frozenset({"clone_same_source", "clone_blade"})


def shared_serials(connection: duckdb.DuckDBPyConnection, clusterer: Clusterer) -> list[Link]:
    """Links between the machines on each number that was found to be on several of them."""
    keys = _on_several(clusterer)
    if not len(keys):
        return []
    links: list[Link] = []
    seen: set[frozenset[int]] = set()
    for name in _SERIALS:
        for machines, wired, inside in _machines_on(connection, clusterer, name, keys):
            found = _share(machines, wired, inside)
            links += [link for link in found if frozenset((link.source, link.target)) not in seen]
            seen.update(map(frozenset, combinations(machines, 2)))
    return links


def _on_several(clusterer: Clusterer) -> Keys:
    """The numbers (hashes, ascending) that UUIDs or the machines themselves show to be on several of them."""
    findings = clusterer.findings
    keys = [item.key for item in findings.suppressed if item.identifier in _SERIALS and item.against == "uuid"]
    for near in findings.near:
        if near.identifier in _SERIALS and near.against in _SEVERAL_MACHINES:
            keys += near.keys.tolist()
    return sorted_unique(np.array(keys, np.uint64))


def _machines_on(
    connection: duckdb.DuckDBPyConnection, clusterer: Clusterer, name: str, keys: Keys
) -> Iterator[tuple[list[int], list[bool], list[bool]]]:
    """For each of the numbers its machines (the first row of each), whether a machine has a network card that is none of a
    guest, and whether it is told from inside another one."""
    products = connection.execute(
        f"SELECT source FROM _sources WHERE lower(product) IN {_CONTAINER_PRODUCTS}"
    ).fetchall()
    listed = np.flatnonzero(np.isin(clusterer.facts.source, [source for (source,) in products]))
    show_columns(connection, "_listed_inside", {"idx": listed.astype(np.int32)})
    # few share a serial number: what else is asked of them is asked of them alone
    edges = clusterer.facts.unconfined[name]
    shared = among(edges.keys, keys)
    rows = edges.rows[shared]
    columns = {"idx": rows, "cluster": clusterer.partition.label[rows], "key": edges.keys[shared]}
    show_columns(connection, "sharing", columns)
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE sharing_cards AS
        SELECT idx, bool_or(usable AND NOT regexp_matches(mac, '{GUEST_CARD}')) AS wired,
            bool_and(regexp_matches(mac, '{_CONTAINER_CARD}')) AS inside
        FROM macs SEMI JOIN sharing USING (idx) GROUP BY idx"""
    )
    yield from connection.execute(
        f"""
        SELECT list(first_idx ORDER BY first_idx), list(wired ORDER BY first_idx), list(inside ORDER BY first_idx)
        FROM (SELECT key, cluster, min(idx) AS first_idx, bool_or(coalesce(wired, false)) AS wired,
                bool_and(coalesce(inside, false) OR idx IN (SELECT idx FROM _listed_inside)) AS inside
            FROM sharing LEFT JOIN sharing_cards USING (idx) GROUP BY key, cluster)
        GROUP BY key HAVING count(*) BETWEEN 2 AND {_BLADES} ORDER BY min(first_idx)
        """
    ).fetchall()


def _share(rows: list[int], wired: list[bool], inside: list[bool]) -> list[Link]:
    """The links of machines on one number: which of them is the host of the others, or that all are in one chassis."""
    outside = [row for row, guest in zip(rows, inside, strict=True) if not guest]
    if len(outside) == 1:
        reason = "the same firmware serial number, seen from inside a container of that host"
        return [Link(row, outside[0], "runs on", reason) for row in rows if row != outside[0]]
    hosts = [row for row, real in zip(rows, wired, strict=True) if real]
    if len(hosts) == 1:
        reason = "the same firmware serial number without a physical network card of its own: a guest of that host"
        return [Link(row, hosts[0], "runs on", reason) for row in rows if row != hosts[0]]
    reason = "one chassis serial number on machines with different UUIDs"
    return [
        link
        for row in rows[1:]
        for link in (Link(row, rows[0], "part of", reason), Link(rows[0], row, "part of", reason))
    ]

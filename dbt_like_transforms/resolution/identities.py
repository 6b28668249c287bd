"""The ladder for identities: accounts, not persons. Two accounts of one person are linked and stay two."""

from __future__ import annotations

from dbt_like_transforms.resolution.ladder import (
    RUNG_AGENT,
    RUNG_DIRECTORY,
    RUNG_NAME,
    RUNG_SHORT_NAME,
    Identifier,
    Ladder,
    Rule,
    Special,
)

COLUMNS: dict[str, str] = {
    "identity_type": "VARCHAR",
    "entra_object_id": "VARCHAR",
    "entra_tenant_id": "VARCHAR",
    "ad_object_guid": "VARCHAR",
    "ad_sid": "VARCHAR",
    "sid_history": "VARCHAR[]",
    "immutable_id": "VARCHAR",
    "upn": "VARCHAR",
    "emails": "VARCHAR[]",
    "employee_id": "VARCHAR",
    "sam_account_name": "VARCHAR",
    "domain": "VARCHAR",
    "login_names": "VARCHAR[]",
    "okta_id": "VARCHAR",
    "app_id": "VARCHAR",
    "display_name": "VARCHAR",
    "is_enabled": "BOOLEAN",
    "is_privileged": "BOOLEAN",
    "mfa_registered": "BOOLEAN",
    "criticality": "INTEGER",
    "department": "VARCHAR",
    "job_title": "VARCHAR",
    "properties": "VARCHAR",
}

_NORM = r"""
WITH cleaned AS (
    SELECT idx,
        coalesce(n_lower(scope), 'default') AS scope,
        n_lower(identity_type) AS type,
        n_guid(entra_object_id) AS entra,
        n_lower(entra_tenant_id) AS tenant,
        n_present([n_directory_guid(ad_object_guid), n_directory_guid(immutable_id)]) AS directory,
        -- A source anchor that is no GUID is still one value of one account.
        CASE WHEN n_directory_guid(immutable_id) IS NULL THEN n_text(immutable_id) END AS anchor,
        n_sid(ad_sid) AS sid,
        n_present(list_append(list_transform(sid_history, lambda s: n_sid(s)), n_sid(ad_sid))) AS sids,
        n_text(okta_id) AS okta,
        n_guest_home(upn) AS home,
        CASE WHEN NOT seeded_address(n_address(upn)) THEN n_address(upn) END AS upn,
        n_present(list_transform(emails, lambda e: n_address(e))) AS mail_all,
        n_present(list_transform(login_names, lambda l: n_lower(l))) AS logins,
        n_lower(sam_account_name) AS sam,
        CASE WHEN NOT seeded_host_domain(n_domain(domain)) THEN split_part(n_domain(domain), '.', 1) END AS nb,
        CASE WHEN NOT seeded_employee_id(n_lower(employee_id)) THEN n_lower(employee_id) END AS employee,
        CASE WHEN seeded_employee_id(n_lower(employee_id)) THEN n_lower(employee_id) END AS employee_dropped,
        n_text(display_name) AS shown_name
    FROM _records
), split AS (
    SELECT *,
        list_filter(mail_all, lambda e: seeded_address(e)) AS mail_dropped,
        -- A guest's mail is that of its home account, which is another account.
        CASE WHEN home IS NULL THEN list_filter(mail_all, lambda e: NOT seeded_address(e)) ELSE [] END AS mails,
        list_filter(list_transform(logins, lambda l: n_address(l)), lambda l: l IS NOT NULL AND NOT seeded_address(l)
            AND NOT contains(l, '#ext#')) AS login_addresses,
        list_filter(logins, lambda l: contains(l, chr(92))) AS domain_logins,
        list_filter(list_append(list_filter(logins, lambda l: NOT contains(l, chr(92)) AND NOT contains(l, '@')), sam),
            lambda l: l IS NOT NULL AND NOT seeded_login(l)) AS bare
    FROM cleaned
)
SELECT idx, scope, type, entra, tenant, directory, anchor, sid, sids, okta, home, upn, employee, employee_dropped,
    mail_dropped, mails, shown_name,
    n_present(list_append(login_addresses, upn)) AS upns,
    n_present(list_concat(list_append(login_addresses, upn), CASE WHEN upn IS NULL THEN mails ELSE [] END)) AS claimed,
    CASE WHEN home IS NULL THEN n_present(list_concat(list_append(login_addresses, upn), mails)) ELSE [] END AS addresses,
    n_present(list_append(
        list_transform(list_filter(domain_logins, lambda l: NOT seeded_host_domain(n_netbios_domain(l))),
            lambda l: n_netbios_domain(l) || chr(92) || rtrim(n_plain(l), '$')),
        CASE WHEN NOT seeded_login(sam) THEN nb || chr(92) || sam END)) AS nbnames,
    n_present(list_concat(bare, list_transform(domain_logins, lambda l: n_plain(l)))) AS sams,
    coalesce(upn, list_min(mails), list_min(bare)) AS fingerprint
FROM split
"""

_STRONG = ("entra", "directory", "sid", "okta", "type")
_BY_NAME: tuple[Special, ...] = ("source_any", "time")

LADDER = Ladder(
    kind="identity",
    norm=_NORM,
    identifiers=(
        Identifier("entra", "entra", "Entra object id", "entra_object_id", RUNG_DIRECTORY),
        Identifier("entraq", "entra || ' in ' || tenant", "Entra object id in its tenant", "entra_object_id"),
        Identifier(
            "directory", "directory", "AD objectGUID or immutableId", "ad_object_guid", RUNG_DIRECTORY, is_list=True
        ),
        Identifier("anchor", "anchor", "immutableId", "immutable_id", RUNG_DIRECTORY, scoped=True),
        Identifier("sid", "sid", "SID", "ad_sid", RUNG_DIRECTORY),
        Identifier("sids", "sids", "SID or former SID", "sid_history", None, is_list=True),
        Identifier("okta", "okta", "Okta id", "okta_id", RUNG_DIRECTORY),
        Identifier("type", "type", "type of account", "identity_type"),
        Identifier("own_upn", "upn", "user principal name", "upn"),
        Identifier("upn", "upns", "user principal name", "upn", RUNG_AGENT, is_list=True),
        Identifier("claimed", "claimed", "mail address = user principal name", "emails", None, is_list=True),
        Identifier("address", "addresses", "mail address", "emails", RUNG_NAME, is_list=True),
        Identifier(
            "nbname", "nbnames", "logon name in its domain", "sam_account_name", RUNG_NAME, is_list=True, scoped=True
        ),
        Identifier("host", "sams", "bare logon name", "sam_account_name", RUNG_SHORT_NAME, is_list=True, scoped=True),
        Identifier("employee", "employee", "employee id", "employee_id", RUNG_SHORT_NAME, scoped=True),
    ),
    rules=(
        Rule("entra_object_id", "entra", ("entraq",), contest=("entraq",)),
        Rule("ad_object_guid=immutable_id", "directory", ("entra",), contest=("entra",)),
        Rule("immutable_id", "anchor", ("entra", "sid"), contest=("entra", "sid")),
        Rule("ad_sid", "sid", ("entra", "directory"), contest=("entra", "directory")),
        # A migrated account has a new SID and objectGUID and carries its old SID: neither is a disagreement.
        Rule("sid_history", "sids", ("entra",), contest=("entra",)),
        Rule("okta_id", "okta", ("entra",), contest=("entra",)),
        Rule("upn", "upn", _STRONG, _BY_NAME, contest=_STRONG, max_distinct=3),
        Rule("mail=upn", "claimed", (*_STRONG, "own_upn"), _BY_NAME, contest=_STRONG, max_distinct=3),
        Rule("logon_name_in_domain", "nbname", (*_STRONG, "own_upn"), _BY_NAME, contest=_STRONG, max_distinct=3),
        Rule("mail", "address", (*_STRONG, "own_upn"), _BY_NAME, contest=_STRONG),
    ),
    reviewed=("address", "host"),
    dropped=(("address", "mail_dropped"), ("employee", "[employee_dropped]")),
    review_conflicts=("entra", "directory", "sid", "okta", "type", "nbname"),
    rivals={"host": ("nbname", "own_upn"), "address": ("own_upn",)},
)

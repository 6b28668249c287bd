"""The ladder for identities: accounts, not persons. Two accounts of one person are linked and stay two."""

from __future__ import annotations

from dbt_like_transforms.resolution.ladder import (
    RUNG_AGENT,
    RUNG_DIRECTORY,
    RUNG_NAME,
    RUNG_SHORT_NAME,
    SHOWN_ID,
    Dropped,
    Identifier,
    Ladder,
    Rule,
    Special,
    few,
    silent,
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

#: Texts that people write, and write a word for nothing into.
WRITTEN = ("department", "job_title")

#: What administrators' and service accounts, those of a task, a room or an emergency have before or behind the name of who
#: answers for them. A letter and a point begin many people's names.
_MARKED = (
    r"^(a|da|ea|sa|pa|su|root)[-_]|^(priv|srv|service|app|batch|bot|robot|rpa|sql|sync|kiosk|room|shared|task|test)[-_.]"
    r"|^(svc|adm|(msol|aad)_|healthmailbox)|break[-_.]?glass|emergency|firecall|notfall|(svc|adm|admin)[0-9]*$"
    r"|(^|[-_.])(t|tier)[0-2]([-_.]|$)|(^|[-_.])(adm|admin)[-_.]"
    r"|([-_](a|da|ea|sa|pa|su|root|bot)|[-_.](priv|srv|service)|[$])$"
)

#: What the names of all others lack.
_HINT = (
    "[-_+$]|adm|svc|[.][^@]*[.]|[.](t[0-2]|tier.|priv|srv|service)|break|emergency|firecall|notfall|healthmail"
    "|(t[0-2]|tier.|priv|srv|service|app|batch|bot|rpa|sql|sync|kiosk|room|shared|task|test)[.]"
)

#: SIDs of what every domain is made with: administrator, guest, krbtgt, domain admins and the other groups.
_MADE_WITH_IT = r"-(498|50[0-3]|51[2-9]|52[0-7]|553|57[12])$"

# Each step gives columns to the next, because a macro copies its argument; see `normalise`.
_NORM = rf"""
WITH lowered AS (
    SELECT idx, n_lower(ad_object_guid) AS adguid_l, n_text(ad_object_guid) AS adguid_t,
        n_lower(immutable_id) AS immutable_l, n_text(immutable_id) AS anchor_text,
        room, n_lower(identity_type) AS type, n_lower(entra_object_id) AS entra_l, n_lower(entra_tenant_id) AS tenant_l,
        n_text(ad_sid) AS sid_t, list_transform(sid_history, lambda s: n_text(s)) AS history_t,
        n_text(okta_id) AS okta_t, n_lower(upn) AS upn_w, list_transform(emails, lambda e: n_lower(e)) AS mail_l,
        list_transform(login_names, lambda l: n_lower(l)) AS logins_w, n_lower(sam_account_name) AS sam_w,
        n_lower(domain) AS domain_l, n_lower(employee_id) AS employee_l
    FROM _observed
), worded AS (
    -- A word for nothing is no name that differs from another.
    SELECT * REPLACE (CASE WHEN NOT CASE WHEN contains(upn_w, '@') THEN seeded_address(upn_w) ELSE seeded_login(upn_w) END
                THEN upn_w END AS upn_w,
            CASE WHEN NOT seeded_login(sam_w) THEN sam_w END AS sam_w,
            list_filter(logins_w, lambda l: CASE WHEN contains(l, '@') THEN true ELSE NOT seeded_login(l) END) AS logins_w),
        list_filter(list_concat(coalesce(logins_w, []), [upn_w, sam_w]),
            lambda l: CASE WHEN contains(l, '@') THEN false ELSE seeded_login(l) END) AS login_dropped
    FROM lowered
), bare_logins AS (
    SELECT * EXCLUDE (upn_w, logins_w, sam_w), l_login(upn_w) AS upn_l, l_login(sam_w) AS sam_l, t_sid(sid_t) AS sid_l,
        list_transform(history_t, lambda s: t_sid(s)) AS history_l,
        list_transform(logins_w, lambda l: l_login(l)) AS logins_l
    FROM worded
), formed AS (
    SELECT idx, room, type, employee_l, sid_l, login_dropped,
        -- A tenant has several domains: the name of one is no other tenant.
        CASE WHEN NOT (seeded_record_id(tenant_l) OR contains(tenant_l, '.')) THEN l_object_key(tenant_l) END AS tenant,
        okta_t, seeded_record_id(lower(okta_t)) AS okta_bad,
        -- CORP\jdoe is a logon name wherever it stands, jdoe@corp.com an address, jdoe a bare name.
        list_filter(list_concat(coalesce(logins_l, []), [CASE WHEN regexp_matches(sam_l, '[@\\]') THEN sam_l END,
            CASE WHEN NOT contains(upn_l, '@') THEN upn_l END]), lambda l: l IS NOT NULL) AS logins,
        CASE WHEN NOT regexp_matches(sam_l, '[@\\]') THEN sam_l END AS sam,
        l_hex32(entra_l) AS entra_hex, l_sid_object(sid_l) AS sid_object,
        coalesce(l_hex32(adguid_l), n_swap(t_base64_hex(adguid_t))) AS adguid_hex,
        l_hex32(immutable_l) AS immutable_plain, t_base64_hex(anchor_text) AS immutable_bytes, anchor_text,
        strlen(adguid_l) AS adguid_size, strlen(immutable_l) AS immutable_size,
        CASE WHEN NOT starts_with(sid_l, 's-1-12-') THEN l_sid(sid_l) END AS sid,
        list_transform(history_l, lambda s: l_sid(s)) AS history,
        l_guest_home(upn_l) AS home, l_address(upn_l) AS upn,
        list_filter(list_transform(mail_l, lambda e: l_address(e)), lambda e: e IS NOT NULL) AS mail_all,
        l_domain(domain_l) AS domain_text, seeded_employee_id(n_alnum(employee_l)) AS employee_bad,
        concat_ws(' ', sam_l, upn_l, array_to_string(logins_l, ' ')) AS names,
        list_transform(list_filter(list_concat([sam_l, upn_l], logins_l), lambda l: l IS NOT NULL),
            lambda l: CASE WHEN starts_with(l, 'arn:') THEN regexp_extract(l, '([^/:]*)$', 1)
                ELSE split_part(l_plain(l), '@', 1) END) AS locals
    -- What signs in by the name of a guest account alone is that account.
    FROM (SELECT * REPLACE (CASE WHEN upn_l IS NULL AND len(list_filter(logins_l, lambda l: contains(l, '#ext#@'))) > 0
        AND len(list_filter(logins_l, lambda l: contains(l, '@') AND NOT contains(l, '#ext#@'))) = 0
        THEN list_filter(logins_l, lambda l: contains(l, '#ext#@'))[1] ELSE upn_l END AS upn_l) FROM bare_logins)
), guided AS (
    SELECT * EXCLUDE (sid_object, immutable_plain, immutable_bytes),
        regexp_extract(sid, '^(.*)-[0-9]+$', 1) AS sid_domain,
        -- An account brings a SID along from another domain; one of its own domain, and one of the accounts and groups that
        -- every domain is made with, was put there to borrow its rights.
        list_filter(history, lambda s: coalesce(regexp_extract(s, '^(.*)-[0-9]+$', 1)
            = regexp_extract(sid, '^(.*)-[0-9]+$', 1), false) OR regexp_matches(s, '{_MADE_WITH_IT}')) AS borrowed,
        coalesce(h_real(entra_hex), sid_object) AS entra, h_real(adguid_hex) AS adguid,
        coalesce(immutable_plain, n_swap(immutable_bytes)) AS immutable_hex,
        coalesce(h_real(immutable_plain), h_guid(immutable_bytes)) AS immutable,
        immutable_bytes IS NULL AND NOT seeded_record_id(lower(anchor_text)) AS anchored
    FROM formed
), split AS (
    SELECT * EXCLUDE (immutable, anchored, anchor_text, history, domain_text, adguid_size, immutable_size,
        borrowed),
        -- 32 digits without dashes are a GUID or its bytes as they lie in memory: either names the account.
        list_filter([adguid, immutable, CASE WHEN adguid_size = 32 THEN n_swap(adguid) END,
            CASE WHEN immutable_size = 32 THEN n_swap(immutable) END], lambda g: g IS NOT NULL) AS directory,
        list_filter([adguid, CASE WHEN adguid_size = 32 THEN n_swap(adguid) END], lambda g: g IS NOT NULL) AS objectguid,
        -- A source anchor that is no GUID is still one value of one account.
        CASE WHEN immutable IS NULL AND anchored THEN anchor_text END AS anchor,
        list_filter(history, lambda s: NOT list_contains(borrowed, s)) AS former,
        list_filter(list_append(former, sid), lambda s: s IS NOT NULL) AS sids,
        list_filter(borrowed, lambda s: s IS DISTINCT FROM sid) AS history_dropped,
        CASE WHEN NOT seeded_host_domain(domain_text) THEN split_part(domain_text, '.', 1) END AS nb,
        CASE WHEN contains(domain_text, '.') THEN domain_text END AS own_realm,
        CASE WHEN NOT contains(domain_text, '.') THEN domain_text END AS short_domain,
        list_filter(mail_all, lambda e: seeded_address(e)) AS mail_dropped,
        -- Who has another name, or an address before it, only reads the mail of such an address.
        list_filter(mail_all, lambda e: CASE WHEN CASE WHEN names <> '' THEN NOT contains(names, split_part(e, '@', 1))
                ELSE e <> mail_all[1] AND NOT seeded_role_address(mail_all[1]) END
            THEN seeded_role_address(e) AND NOT seeded_address(e) ELSE false END) AS role_mails,
        -- A guest's mail is that of its home account, which is another account.
        CASE WHEN home IS NULL THEN list_filter(mail_all, lambda e: NOT seeded_address(e)) ELSE [] END AS mail_given,
        -- It tells whose guest it is where the name of the account does not: a second invitation gets a number behind it.
        CASE WHEN home IS NOT NULL AND NOT seeded_address(mail_all[1]) AND NOT seeded_role_address(mail_all[1])
            THEN mail_all[1] END AS invited,
        -- nor does it own the address with which its person signs in
        list_filter(list_transform(logins, lambda l: CASE WHEN starts_with(l, 'arn:') THEN l ELSE l_address(l) END),
            lambda l: l IS NOT NULL AND NOT seeded_address(l) AND NOT contains(l, '#ext#') AND home IS NULL)
            AS login_addresses,
        list_filter(list_transform(list_filter(logins, lambda l: contains(l, chr(92))),
            -- WEB01$ is the computer's account, web01 may be a user's
            lambda l: struct_pack(nb := l_netbios_domain(l), sam := l_plain(l),
                short := regexp_extract(l, '^([^\\.]+)\\', 1), long := regexp_extract(l, '^([^\\]+[.][^\\]+)\\', 1))
            ), lambda l: NOT seeded_login(l.sam)) AS domain_logins,
        list_filter(list_append(list_filter(logins,
            lambda l: NOT contains(l, chr(92)) AND NOT contains(l, '@') AND NOT starts_with(l, 'arn:')), sam),
            lambda l: l IS NOT NULL) AS bare
    FROM guided
), joined AS (
    SELECT * EXCLUDE (mail_all, nb, login_addresses, domain_logins, locals, mail_given, short_domain, own_realm),
        list_filter(list_append(list_transform(domain_logins, lambda l: l.long), own_realm), lambda d: d <> '') AS realm,
        -- Who has no other user principal name signs in with the name in the domain.
        CASE WHEN upn IS NULL THEN list_filter(list_append(list_transform(list_filter(domain_logins,
            lambda l: l.long <> ''), lambda l: l.sam || '@' || l.long), sam || '@' || own_realm),
            lambda a: a IS NOT NULL) ELSE [] END AS implied,
        CASE WHEN len(role_mails) = 0 THEN mail_given
            ELSE list_filter(mail_given, lambda e: NOT list_contains(role_mails, e)) END AS mails,
        list_filter(list_append(login_addresses, upn), lambda a: a IS NOT NULL) AS upns,
        list_filter(login_addresses, lambda a: starts_with(a, 'arn:')) AS arns,
        list_filter(list_append(
            list_transform(list_filter(domain_logins, lambda l: NOT seeded_host_domain(l.nb)),
                lambda l: l.nb || chr(92) || l.sam),
            nb || chr(92) || sam), lambda n: n IS NOT NULL) AS nbnames,
        list_concat(bare, list_transform(domain_logins, lambda l: l.sam)) AS sams,
        -- The name that Windows has for the domain: of a domain there is one, and each machine is a domain by itself.
        list_filter(list_append(list_transform(domain_logins, lambda l: l.short), short_domain),
            lambda d: d <> '' AND NOT seeded_host_domain(d)) AS netbios,
        -- What a directory keeps of the names that are not those of a person.
        -- Who tells no name has that of its mail.
        CASE WHEN names = '' THEN list_transform(list_transform(mail_given, lambda e: split_part(e, '@', 1)),
            lambda n: CASE WHEN regexp_matches(n, '{_MARKED}') THEN translate(n, '-_.', '')[1:20] ELSE '' END)
        WHEN regexp_matches(names, '{_HINT}') THEN list_transform(
            list_filter(locals, lambda n: regexp_matches(n, '{_MARKED}') OR len(list_filter(list_transform(mail_given,
                lambda e: split_part(e, '@', 1)), lambda o: l_adds(n, o))) > 0),
            lambda n: translate(n, '-_.', '')[1:20]) END AS marks
    FROM split
)
SELECT * EXCLUDE (employee_l, employee_bad, logins, sid_l, entra_hex, adguid_hex, immutable_hex, okta_t, okta_bad, names, marks,
        implied),
    CASE WHEN names = '' OR len(marks) > 0 THEN marks ELSE [''] END AS marked,
    CASE WHEN NOT okta_bad THEN okta_t END AS okta, CASE WHEN okta_bad THEN okta_t END AS okta_dropped,
    CASE WHEN h_real(entra_hex) IS NULL THEN entra_hex END AS entra_dropped,
    [CASE WHEN adguid IS NULL THEN adguid_hex END, CASE WHEN h_real(immutable_hex) IS NULL THEN immutable_hex END]
        AS directory_dropped,
    CASE WHEN sid IS NULL AND NOT starts_with(sid_l, 's-1-12-1-') THEN sid_l END AS sid_dropped,
    -- What Windows calls the account, in whatever domain; a directory keeps twenty characters of it.
    list_transform(list_filter(list_append(list_transform(nbnames, lambda n: split_part(n, chr(92), 2)), sam),
        lambda n: n IS NOT NULL), lambda n: n[1:20]) AS logons,
    -- A spreadsheet takes the number for one: the zeros in front are lost, and '.0' is put behind.
    CASE WHEN NOT employee_bad THEN regexp_replace(employee_l, '^0*([0-9]+?)([.]0+)?$', '\1') END AS employee,
    CASE WHEN employee_bad THEN employee_l END AS employee_dropped,
    CASE WHEN NOT employee_bad THEN translate(employee_l, '123456789', '000000000') END AS employee_form,
    list_concat(upns, implied) AS signs_in,
    -- CORP\jdoe and jdoe@corp.com are often one account.
    list_concat(nbnames, list_transform(list_filter(upns, lambda a: contains(a, '@')),
        lambda a: regexp_extract(a, '@([^.]*)', 1) || chr(92) || split_part(a, '@', 1))) AS alike,
    CASE WHEN len(marks) > 0 THEN list_transform(list_concat(alike, list_transform(list_filter(mails,
            lambda m: list_contains(marks, translate(split_part(m, '@', 1), '-_.', '')[1:20])),
            lambda m: regexp_extract(m, '@([^.]*)', 1) || chr(92) || split_part(m, '@', 1))),
        lambda n: translate(n, '-_.', '')) END AS marked_in,
    CASE WHEN upns[1] LIKE '%@%' THEN upns[1] END AS login,
    CASE WHEN upns[1] LIKE '%@%' THEN split_part(upns[1], '@', 2) END AS login_domain,
    CASE WHEN upn IS NULL THEN list_concat(upns, mails) ELSE upns END AS claimed,
    CASE WHEN list_has_any(upns, mails) THEN upns ELSE list_concat(upns, mails[1:1]) END AS main,
    CASE WHEN home IS NULL THEN list_concat(upns, mails) ELSE [] END AS addresses
FROM joined
"""

#: Domains that every organisation may have inside: RFC 6762 names them, and a single label is none of the internet's.
_INSIDE = (
    "local|localdomain|lan|home|corp|internal|intern|intranet|intra|private|priv|loc|lcl|dom|test|invalid|localhost"
)
_PRIVATE = rf"@([^.]+|.*\.({_INSIDE}))$"


def _addresses(column: str) -> str:
    """SQL of a list of addresses, those in a private domain with the scope that they are of."""
    scoped = f"CASE WHEN regexp_matches(a, '{_PRIVATE}') THEN room || ' ' || a ELSE a END"
    return f"list_transform({few(column)}, lambda a: {scoped})"


_ADDRESS = "regexp_replace(value, '^[0-9]+ ', '')"
_STRONG = ("entra", "directory", "sid", "okta", "type")
_BY_NAME: tuple[Special, ...] = ("source_unlike", "employee_other", "time")

LADDER = Ladder(
    kind="identity",
    tables={"norm": _NORM, "no_words": silent(WRITTEN)},
    identifiers=(
        Identifier("entra", "entra", "Entra object id", "entra_object_id", RUNG_DIRECTORY, shown="n_dashed(value)"),
        Identifier(
            "entraq",
            "entra || ' in ' || tenant",
            "Entra object id in its tenant",
            "entra_object_id",
            RUNG_DIRECTORY,
            shown=SHOWN_ID,
        ),
        Identifier(
            "directory",
            "directory",
            "AD objectGUID or immutableId",
            "ad_object_guid",
            RUNG_DIRECTORY,
            is_list=True,
            shown=SHOWN_ID,
        ),
        Identifier("objectguid", "objectguid", "AD objectGUID", "ad_object_guid", is_list=True, shown=SHOWN_ID),
        Identifier("anchor", "anchor", "immutableId", "immutable_id", RUNG_DIRECTORY, scoped=True),
        Identifier("sid", "sid", "SID", "ad_sid", RUNG_DIRECTORY),
        Identifier("sids", few("sids"), "SID or former SID", "sid_history", None, is_list=True, includes=("sid",)),
        Identifier("former", few("former"), "former SID", "sid_history", is_list=True),
        Identifier("sid_domain", "sid_domain", "domain of the SID", "ad_sid"),
        Identifier("okta", "okta", "Okta id", "okta_id", RUNG_DIRECTORY),
        Identifier("type", "type", "type of account", "identity_type"),
        Identifier("login", "login", "address to sign in with", "login_names"),
        Identifier("login_domain", "login_domain", "domain of the address to sign in with", "login_names"),
        Identifier("arn", few("arns"), "ARN", "login_names", is_list=True),
        Identifier("main", _addresses("main"), "main address", "emails", is_list=True),
        Identifier("own_upn", "upn", "user principal name", "upn"),
        Identifier("upn", _addresses("upns"), "user principal name", "upn", RUNG_AGENT, is_list=True, shown=_ADDRESS),
        Identifier(
            "claimed",
            _addresses("claimed"),
            "mail address = user principal name",
            "emails",
            None,
            is_list=True,
            shown=_ADDRESS,
        ),
        Identifier(
            "address", _addresses("addresses"), "mail address", "emails", RUNG_NAME, is_list=True, shown=_ADDRESS
        ),
        Identifier(
            "nbname",
            few("nbnames"),
            "logon name in its domain",
            "sam_account_name",
            RUNG_NAME,
            is_list=True,
            scoped=True,
        ),
        Identifier(
            "alike",
            few("alike"),
            "logon name in a domain of that name",
            "sam_account_name",
            is_list=True,
            scoped=True,
        ),
        Identifier(
            "host", few("sams"), "bare logon name", "sam_account_name", RUNG_SHORT_NAME, is_list=True, scoped=True
        ),
        Identifier("logon", few("logons"), "Windows logon name", "sam_account_name", is_list=True),
        Identifier(
            "signs_in",
            _addresses("signs_in"),
            "logon name in its domain = user principal name",
            "sam_account_name",
            is_list=True,
            shown=_ADDRESS,
        ),
        Identifier("realm", few("realm"), "domain", "domain", is_list=True),
        Identifier("netbios", few("netbios"), "NetBIOS name of the domain", "domain", is_list=True),
        Identifier(
            "marked",
            few("marked"),
            "mark of an administrator or service in the logon name",
            "login_names",
            is_list=True,
        ),
        Identifier(
            "marked_in",
            few("marked_in"),
            "domain of an account of administration or service",
            "sam_account_name",
            is_list=True,
        ),
        Identifier("employee", "employee", "employee id", "employee_id", RUNG_SHORT_NAME, scoped=True),
        Identifier("employee_form", "employee_form", "form of the employee id", "employee_id", scoped=True),
    ),
    rules=(
        # where it is told with two tenants, those of one of them are one account all the same
        Rule("entra_object_id+tenant", "entraq"),
        Rule("entra_object_id", "entra", ("entraq",), contest=("entraq",)),
        # An account that is deleted in the cloud and synchronised again gets another object id there.
        Rule("ad_object_guid=immutable_id", "directory", ("entra",), contest=("entra",), contest_at_work=True),
        Rule("immutable_id", "anchor", ("entra", "sid"), contest=("entra", "sid"), contest_at_work=True),
        # One SID in two domains is that of an account of machines made from one image.
        # The anchor of a migrated account may be its former objectGUID.
        Rule(
            "ad_sid",
            "sid",
            ("entra", "objectguid", "netbios"),
            contest=("entra", "objectguid", "netbios"),
            contest_at_work=True,
        ),
        # A migrated account has a new SID and objectGUID and carries its old SID: neither is a disagreement.
        # What is nobody's former SID was decided by `ad_sid`.
        Rule(
            "sid_history", "sids", ("entra",), ("domain",), contest=("entra",), contest_at_work=True, owned_as="former"
        ),
        Rule("okta_id", "okta", ("entra",), contest=("entra",), contest_at_work=True),
        Rule("upn", "upn", _STRONG, _BY_NAME, contest=_STRONG, max_distinct=3),
        # An administrator's account carries the mail of the person: another logon name is another account.
        Rule(
            "mail=upn",
            "claimed",
            (*_STRONG, "own_upn", "arn", "netbios", "logon", "marked", "marked_in"),
            _BY_NAME,
            contest=_STRONG,
            max_distinct=3,
            owned_as="upn",
        ),
        # CORP stands for corp.example, but corp.eu.example is not corp.us.example
        Rule(
            "logon_name_in_domain", "nbname", (*_STRONG, "own_upn", "realm"), _BY_NAME, contest=_STRONG, max_distinct=3
        ),
        Rule(
            "logon_name_in_domain=upn",
            "signs_in",
            (*_STRONG, "own_upn", "realm", "logon"),
            _BY_NAME,
            contest=_STRONG,
            max_distinct=3,
        ),
        Rule(
            "mail",
            "address",
            (*_STRONG, "own_upn", "arn", "netbios", "logon", "marked", "marked_in"),
            (*_BY_NAME, "login_other", "passed_on"),
            contest=_STRONG,
            contest_at_work=True,
        ),
    ),
    reviewed=("address", "alike", "host"),
    one_sided={"alike": "nbname"},
    dropped=(
        Dropped("entra", "entra_dropped"),
        Dropped("directory", "directory_dropped", is_list=True),
        Dropped("sid", "sid_dropped", why="it names no single account"),
        Dropped(
            "sids",
            "history_dropped",
            is_list=True,
            why="no domain gives an account a former SID of its own, or one that each domain has",
        ),
        Dropped("okta", "okta_dropped"),
        Dropped("address", "mail_dropped", is_list=True),
        Dropped("address", "role_mails", is_list=True, why="the mailbox of a role, which several people read"),
        Dropped("host", "login_dropped", is_list=True),
        Dropped("employee", "employee_dropped"),
    ),
    review_conflicts=("entra", "directory", "sid", "okta", "type", "nbname", "logon", "marked", "marked_in"),
    rivals={"host": ("nbname", "own_upn"), "address": ("own_upn",), "alike": ("own_upn",)},
)

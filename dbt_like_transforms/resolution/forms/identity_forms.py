"""Normal forms of the identifiers of identities, as SQL of the table that the ladder reads: see `Ladder.tables`."""

from __future__ import annotations

from dbt_like_transforms.resolution.forms.derived import Derived

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

NORM = Derived(
    "_observed",
    columns={
        "type": "n_lower(identity_type)",
        # A tenant has several domains: the name of one is no other tenant.
        "_tenant_l": "n_lower(entra_tenant_id)",
        "tenant": "CASE WHEN NOT (seeded_record_id(_tenant_l) OR contains(_tenant_l, '.')) THEN l_object_key(_tenant_l) END",
        "_okta_text": "n_text(okta_id)",
        "_okta_bad": "seeded_record_id(lower(_okta_text))",
        "okta": "CASE WHEN NOT _okta_bad THEN _okta_text END",
        "okta_dropped": "CASE WHEN _okta_bad THEN _okta_text END",
        # -- SIDs -------------------------------------------------------------------------------------------------------
        "_sid_text": "n_text(ad_sid)",
        "_sid_l": "t_sid(_sid_text)",
        "sid": "CASE WHEN NOT starts_with(_sid_l, 's-1-12-') THEN l_sid(_sid_l) END",
        "sid_dropped": "CASE WHEN sid IS NULL AND NOT starts_with(_sid_l, 's-1-12-1-') THEN _sid_l END",
        "sid_domain": "regexp_extract(sid, '^(.*)-[0-9]+$', 1)",
        "_history_l": "list_transform(sid_history, lambda s: n_text(s))",
        "_history_sids": "list_transform(_history_l, lambda s: t_sid(s))",
        "_history": "list_transform(_history_sids, lambda s: l_sid(s))",
        # An account brings a SID along from another domain; one of its own domain, and one of the accounts and groups that
        # every domain is made with, was put there to borrow its rights.
        "_borrowed": rf"""list_filter(_history, lambda s: coalesce(regexp_extract(s, '^(.*)-[0-9]+$', 1) = sid_domain, false)
            OR regexp_matches(s, '{_MADE_WITH_IT}'))""",
        "history_dropped": "list_filter(_borrowed, lambda s: s IS DISTINCT FROM sid)",
        "former": "list_filter(_history, lambda s: NOT list_contains(_borrowed, s))",
        "sids": "list_filter(list_append(former, sid), lambda s: s IS NOT NULL)",
        # -- directories ------------------------------------------------------------------------------------------------
        "_entra_l": "n_lower(entra_object_id)",
        "_entra_hex": "l_hex32(_entra_l)",
        "entra": "coalesce(h_real(_entra_hex), l_sid_object(_sid_l))",
        "entra_dropped": "CASE WHEN h_real(_entra_hex) IS NULL THEN _entra_hex END",
        "_adguid_l": "n_lower(ad_object_guid)",
        "_adguid_text": "n_text(ad_object_guid)",
        "_adguid_bytes": "t_base64_hex(_adguid_text)",
        "_adguid_hex": "coalesce(l_hex32(_adguid_l), n_swap(_adguid_bytes))",
        "adguid": "h_real(_adguid_hex)",
        # 32 digits without dashes are a GUID or its bytes as they lie in memory: either names the account.
        "_adguid_turned": "CASE WHEN strlen(_adguid_l) = 32 THEN n_swap(adguid) END",
        "objectguid": "list_filter([adguid, _adguid_turned], lambda g: g IS NOT NULL)",
        "_immutable_l": "n_lower(immutable_id)",
        "_immutable_plain": "l_hex32(_immutable_l)",
        "_immutable_text": "n_text(immutable_id)",
        "_immutable_bytes": "t_base64_hex(_immutable_text)",
        "_immutable_hex": "coalesce(_immutable_plain, n_swap(_immutable_bytes))",
        "_immutable": "coalesce(h_real(_immutable_plain), h_guid(_immutable_bytes))",
        "_immutable_turned": "CASE WHEN strlen(_immutable_l) = 32 THEN n_swap(_immutable) END",
        "directory": "list_filter([adguid, _immutable, _adguid_turned, _immutable_turned], lambda g: g IS NOT NULL)",
        "directory_dropped": "[CASE WHEN adguid IS NULL THEN _adguid_hex END, "
        "CASE WHEN h_real(_immutable_hex) IS NULL THEN _immutable_hex END]",
        # A source anchor that is no GUID is still one value of one account.
        "anchor": "CASE WHEN _immutable IS NULL AND _immutable_bytes IS NULL AND NOT seeded_record_id(lower(_immutable_text)) "
        "THEN _immutable_text END",
        # -- what it signs in with: a word for nothing is no name that differs from another -------------------------------
        "_upn_text": "n_lower(upn)",
        "_sam_text": "n_lower(sam_account_name)",
        "_logins_text": "list_transform(login_names, lambda l: n_lower(l))",
        "login_dropped": "list_filter(list_concat(coalesce(_logins_text, []), [_upn_text, _sam_text]), "
        "lambda l: CASE WHEN contains(l, '@') THEN false ELSE seeded_login(l) END)",
        "_upn_said": "CASE WHEN NOT CASE WHEN contains(_upn_text, '@') THEN seeded_address(_upn_text) "
        "ELSE seeded_login(_upn_text) END THEN _upn_text END",
        "_sam_said": "CASE WHEN NOT seeded_login(_sam_text) THEN _sam_text END",
        "_logins_said": "list_filter(_logins_text, "
        "lambda l: CASE WHEN contains(l, '@') THEN true ELSE NOT seeded_login(l) END)",
        "_sam_l": "l_login(_sam_said)",
        "_logins_l": "list_transform(_logins_said, lambda l: l_login(l))",
        "_guests": "list_filter(_logins_l, lambda l: contains(l, '#ext#@'))",
        "_upn_own": "l_login(_upn_said)",
        # What signs in by the name of a guest account alone is that account.
        "_upn_l": "CASE WHEN _upn_own IS NULL AND len(_guests) > 0 AND len(list_filter(_logins_l, "
        "lambda l: contains(l, '@') AND NOT contains(l, '#ext#@'))) = 0 THEN _guests[1] ELSE _upn_own END",
        "home": "l_guest_home(_upn_l)",
        "upn": "l_address(_upn_l)",
        "sam": r"CASE WHEN NOT regexp_matches(_sam_l, '[@\\]') THEN _sam_l END",
        # CORP\jdoe is a logon name wherever it stands, jdoe@corp.com an address, jdoe a bare name.
        "_logins": r"""list_filter(list_concat(coalesce(_logins_l, []), [CASE WHEN regexp_matches(_sam_l, '[@\\]') THEN _sam_l END,
            CASE WHEN NOT contains(_upn_l, '@') THEN _upn_l END]), lambda l: l IS NOT NULL)""",
        "_names": "concat_ws(' ', _sam_l, _upn_l, array_to_string(_logins_l, ' '))",
        "_locals": r"""list_transform(list_filter(list_concat([_sam_l, _upn_l], _logins_l), lambda l: l IS NOT NULL),
            lambda l: CASE WHEN starts_with(l, 'arn:') THEN regexp_extract(l, '([^/:]*)$', 1)
                ELSE split_part(l_plain(l), '@', 1) END)""",
        # A guest does not own the address with which its person signs in.
        "_login_addresses": "list_filter(list_transform(_logins, "
        "lambda l: CASE WHEN starts_with(l, 'arn:') THEN l ELSE l_address(l) END), "
        "lambda l: l IS NOT NULL AND NOT seeded_address(l) AND NOT contains(l, '#ext#') AND home IS NULL)",
        "upns": "list_filter(list_append(_login_addresses, upn), lambda a: a IS NOT NULL)",
        "arns": "list_filter(_login_addresses, lambda a: starts_with(a, 'arn:'))",
        "login": "CASE WHEN upns[1] LIKE '%@%' THEN upns[1] END",
        "login_domain": "CASE WHEN upns[1] LIKE '%@%' THEN split_part(upns[1], '@', 2) END",
        "bare": "list_filter(list_append(list_filter(_logins, lambda l: NOT contains(l, chr(92)) AND NOT contains(l, '@') "
        "AND NOT starts_with(l, 'arn:')), sam), lambda l: l IS NOT NULL)",
        # -- names in a domain ------------------------------------------------------------------------------------------
        "_domain_l": "n_lower(domain)",
        "_domain": "l_domain(_domain_l)",
        "_own_realm": "CASE WHEN contains(_domain, '.') THEN _domain END",
        "_own_netbios": "CASE WHEN NOT seeded_host_domain(_domain) THEN split_part(_domain, '.', 1) END",
        # WEB01$ is the computer's account, web01 may be a user's
        "_in_domain": r"""list_filter(list_transform(list_filter(_logins, lambda l: contains(l, chr(92))),
            lambda l: struct_pack(nb := l_netbios_domain(l), sam := l_plain(l),
                short := regexp_extract(l, '^([^\\.]+)\\', 1), long := regexp_extract(l, '^([^\\]+[.][^\\]+)\\', 1))
            ), lambda l: NOT seeded_login(l.sam))""",
        "nbnames": "list_filter(list_append(list_transform(list_filter(_in_domain, lambda l: NOT seeded_host_domain(l.nb)), "
        "lambda l: l.nb || chr(92) || l.sam), _own_netbios || chr(92) || sam), lambda n: n IS NOT NULL)",
        "realm": "list_filter(list_append(list_transform(_in_domain, lambda l: l.long), _own_realm), lambda d: d <> '')",
        # The name that Windows has for the domain: of a domain there is one, and each machine is a domain by itself.
        "netbios": "list_filter(list_append(list_transform(_in_domain, lambda l: l.short), "
        "CASE WHEN NOT contains(_domain, '.') THEN _domain END), lambda d: d <> '' AND NOT seeded_host_domain(d))",
        "sams": "list_concat(bare, list_transform(_in_domain, lambda l: l.sam))",
        # What Windows calls the account, in whatever domain; a directory keeps twenty characters of it.
        "logons": "list_transform(list_filter(list_append(list_transform(nbnames, lambda n: split_part(n, chr(92), 2)), sam), "
        "lambda n: n IS NOT NULL), lambda n: n[1:20])",
        # Who has no other user principal name signs in with the name in the domain.
        "_implied": "CASE WHEN upn IS NULL THEN list_filter(list_append(list_transform(list_filter(_in_domain, "
        "lambda l: l.long <> ''), lambda l: l.sam || '@' || l.long), sam || '@' || _own_realm), "
        "lambda a: a IS NOT NULL) ELSE [] END",
        "signs_in": "list_concat(upns, _implied)",
        # CORP\jdoe and jdoe@corp.com are often one account.
        "alike": "list_concat(nbnames, list_transform(list_filter(upns, lambda a: contains(a, '@')), "
        "lambda a: regexp_extract(a, '@([^.]*)', 1) || chr(92) || split_part(a, '@', 1)))",
        # -- mail -------------------------------------------------------------------------------------------------------
        "_mail_l": "list_transform(emails, lambda e: n_lower(e))",
        "_mail": "list_filter(list_transform(_mail_l, lambda e: l_address(e)), lambda e: e IS NOT NULL)",
        "mail_dropped": "list_filter(_mail, lambda e: seeded_address(e))",
        # Who has another name, or an address before it, only reads the mail of such an address.
        "role_mails": """list_filter(_mail, lambda e: CASE
            WHEN CASE WHEN _names <> '' THEN NOT contains(_names, split_part(e, '@', 1))
                ELSE e <> _mail[1] AND NOT seeded_role_address(_mail[1]) END
            THEN seeded_role_address(e) AND NOT seeded_address(e) ELSE false END)""",
        # A guest's mail is that of its home account, which is another account.
        "_mail_given": "CASE WHEN home IS NULL THEN list_filter(_mail, lambda e: NOT seeded_address(e)) ELSE [] END",
        # It tells whose guest it is where the name of the account does not: a second invitation gets a number behind it.
        "invited": "CASE WHEN home IS NOT NULL AND NOT seeded_address(_mail[1]) AND NOT seeded_role_address(_mail[1]) "
        "THEN _mail[1] END",
        "mails": "CASE WHEN len(role_mails) = 0 THEN _mail_given "
        "ELSE list_filter(_mail_given, lambda e: NOT list_contains(role_mails, e)) END",
        "claimed": "CASE WHEN upn IS NULL THEN list_concat(upns, mails) ELSE upns END",
        "main": "CASE WHEN list_has_any(upns, mails) THEN upns ELSE list_concat(upns, mails[1:1]) END",
        "addresses": "CASE WHEN home IS NULL THEN list_concat(upns, mails) ELSE [] END",
        # li@acme.com has to be li-acme or acme-li where all the world signs in.
        "_with_company": r"""CASE WHEN contains(_names, '-') THEN list_concat(
            list_transform(_mail_given, lambda e: regexp_replace(e, '^(.*)@([^.]*).*$', '\1-\2')),
            list_transform(_mail_given, lambda e: regexp_replace(e, '^(.*)@([^.]*).*$', '\2-\1'))) ELSE [] END""",
        # -- names that are not those of a person: what a directory keeps of them. Who tells no name has that of its mail. --
        "_marks": f"""CASE WHEN _names = '' THEN list_transform(list_transform(_mail_given, lambda e: split_part(e, '@', 1)),
            lambda n: CASE WHEN regexp_matches(n, '{_MARKED}') THEN translate(n, '-_.', '')[1:20] ELSE '' END)
        WHEN regexp_matches(_names, '{_HINT}') THEN list_transform(
            list_filter(_locals, lambda n: regexp_matches(n, '{_MARKED}') OR len(list_filter(list_transform(_mail_given,
                lambda e: split_part(e, '@', 1)), lambda o: l_adds(n, o))) > 0 AND NOT list_contains(_with_company, n)),
            lambda n: translate(n, '-_.', '')[1:20]) END""",
        "marked": "CASE WHEN _names = '' OR len(_marks) > 0 THEN _marks ELSE [''] END",
        "marked_in": """CASE WHEN len(_marks) > 0 THEN list_transform(list_concat(alike, list_transform(list_filter(mails,
                lambda m: list_contains(_marks, translate(split_part(m, '@', 1), '-_.', '')[1:20])),
                lambda m: regexp_extract(m, '@([^.]*)', 1) || chr(92) || split_part(m, '@', 1))),
            lambda n: translate(n, '-_.', '')) END""",
        # -- numbers of people: a spreadsheet takes one for a number, so that zeros in front are lost and '.0' is put behind --
        "_employee_l": "n_lower(employee_id)",
        "_employee_bad": "seeded_employee_id(n_alnum(_employee_l))",
        "employee": r"CASE WHEN NOT _employee_bad THEN regexp_replace(_employee_l, '^0*([0-9]+?)([.]0+)?$', '\1') END",
        "employee_dropped": "CASE WHEN _employee_bad THEN _employee_l END",
        "employee_form": "CASE WHEN NOT _employee_bad THEN translate(_employee_l, '123456789', '000000000') END",
    },
    lists=frozenset(
        "_history_l _history_sids _history _borrowed history_dropped former sids objectguid directory directory_dropped "
        "_logins_text login_dropped _logins_said _logins_l _guests _logins _locals _login_addresses upns arns bare nbnames realm "
        "netbios sams logons _implied signs_in alike _mail_l _mail mail_dropped role_mails _mail_given mails claimed main "
        "addresses _with_company _marks marked marked_in".split()
    ),
    untold={"_names": "''", "_in_domain": "[]::STRUCT(nb VARCHAR, sam VARCHAR, short VARCHAR, long VARCHAR)[]"},
)

"""One spelling for every identifier, as DuckDB macros: the same code serves one record and ten million.

A macro `l_...` takes a text that `n_lower` has cleaned, one `n_...` takes any text. They give the normal form, or NULL when the
text is no such identifier. Values that are well formed but identify nothing (placeholders) are the business of `seeds`.
UUIDs, GUIDs and MACs are bare hex digits; `n_dashed` and `n_colons` make them readable.

DuckDB copies the argument of a macro to every place that uses it, so a macro that uses its argument often must be given
a column: nesting such macros costs seconds of planning.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

_GUID_TEXT = r"^(?:urn:uuid:|(?:uu|gu)id[:=] ?|[{(\x22])?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}[})\x22]?$"
_BASE64_GUID = "^([A-Za-z0-9+/_-]|%2[BFbf]){21}[AQgw](=|%3[Dd]){0,2}$"
_GUID_BYTES = r"^(0[xX][0-9A-Fa-f]{32}|[0-9A-Fa-f]{2}([ -][0-9A-Fa-f]{2}){15}|(\\[0-9A-Fa-f]{2}){16})$"
_BASE64_SID = "^AQ[QU]AAAAAAA[A-Za-z0-9+/]{22,28}={0,2}$"
_SID_BYTES = r"^(0[xX])?\\?01[ \\-]?0[45]([ \\-]?[0-9A-Fa-f]{2}){22,26}$"
# An ARM id, in a link to Azure's API or portal as well.
_ARM_LINK = """WHEN contains(y, 'subscriptions/')
            AND regexp_matches(y, '^(azure:/*|https?://[^/]+/+(#(@[^/]*/)?resource/)?)?subscriptions/')
            THEN '/' || regexp_extract(y, '(subscriptions/[^?]*?)/*([?].*)?$', 1)"""
_GOOGLE_PATH = r"""regexp_extract(regexp_replace(y, '^gce://([^/]+)/([^/]+)/', 'projects/\1/zones/\2/instances/'),
                '(projects/.*?)/*$', 1)"""
#: 2001:db8::1, ::1, fe80::1%eth0: at least two colons, so that no host name looks like one.
_IP_TEXT = r"^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f]*:[0-9a-f:]*:[0-9a-f:.]*(%.*)?)$"
_ZEROS, _ONES = "0" * 32, "f" * 32

# Full-width letters, and what word processors make of a hyphen.
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63"
_ASCII = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != "'")
_WIDE = "".join(chr(ord(letter) + 0xFEE0) for letter in _ASCII) + _DASHES
_NARROW = _ASCII + "-" * len(_DASHES)


def _pieces(between: str, *places: tuple[int, int]) -> str:
    """SQL of parts of `h`, each from a place and so many characters long, put together; NULL for NULL."""
    # substr costs a third of a slice, and one call less than joining part by part
    parts = ", ".join(f"substr(h, {first}, {length})" for first, length in places)
    return f"CASE WHEN h IS NOT NULL THEN concat_ws('{between}', {parts}) END"


_CLEAN: tuple[str, ...] = (
    # NUL and other control characters come from fixed-width firmware fields; they are never part of a value. Marks that
    # nobody sees go, full-width letters are letters, dashes are hyphens, and an accent is one character with its letter.
    rf"""n_text(x) AS nullif(CASE
        WHEN regexp_matches(x, '[^ -~]') THEN trim(translate(nfc_normalize(regexp_replace(regexp_replace(x,
            '[\x{{ad}}\x{{200b}}-\x{{200f}}\x{{202a}}-\x{{202e}}\x{{2060}}-\x{{2069}}\x{{feff}}]', '', 'g'),
            '[\x00-\x1f\x7f\x{{a0}}\x{{2000}}-\x{{200a}}\x{{202f}}\x{{3000}}]', ' ', 'g')), '{_WIDE}', '{_NARROW}'))
        WHEN x < '!' OR suffix(x, ' ') THEN trim(x) ELSE x END, '')""",
    "n_lower(x) AS lower(n_text(x))",
    # Whether n_text gives anything, without making it: what begins with a printable character does.
    "n_has(x) AS CASE WHEN x >= '!' AND x < chr(127) THEN true ELSE n_text(x) IS NOT NULL END",
    # "No date" is 0001-01-01 in .NET, 1601-01-01 in Windows, 1970-01-01 elsewhere; 9999-12-31 is "never".
    "n_time(t) AS CASE WHEN t > TIMESTAMP '1970-01-02' AND t < TIMESTAMP '2200-01-01' THEN t END",
    "n_present(l) AS list_distinct(list_filter(l, lambda v: v IS NOT NULL))",
    # -- hex digits -----------------------------------------------------------------------------------------------------
    f"n_dashed(h) AS {_pieces('-', (1, 8), (9, 4), (13, 4), (17, 4), (21, 12))}",
    f"n_colons(h) AS {_pieces(':', *((first, 2) for first in range(1, 12, 2)))}",
    # The first three groups of a GUID are stored little-endian; some tools print the bytes as they lie in memory.
    f"n_swap(h) AS {_pieces('', (7, 2), (5, 2), (3, 2), (1, 2), (11, 2), (9, 2), (15, 2), (13, 2), (17, 16))}",
    # Four little-endian 32-bit words as the hex digits of a GUID.
    "n_swap_words(h) AS "
    + _pieces("", (1, 8), (13, 4), (9, 4), (23, 2), (21, 2), (19, 2), (17, 2), (31, 2), (29, 2), (27, 2), (25, 2)),
    "n_either(h) AS least(h, n_swap(h))",
    "n_alnum(x) AS regexp_replace(lower(x), '[^0-9a-z]', '', 'g')",
    # NetBIOS keeps 15 characters, so a name is compared by what every product can have kept.
    "n_short(h) AS CASE WHEN strlen(h) > 15 THEN left(h, 15) ELSE h END",
)

_FORMS: dict[str, str] = {
    # what stands in front goes with what is beyond 32 digits
    "hex32": f"""CASE WHEN length(y) >= 32 AND regexp_matches(y, '{_GUID_TEXT}')
        THEN right(translate(y, '-)}}"', ''), 32) END""",
    "guid": f"nullif(nullif(l_hex32(y), '{_ZEROS}'), '{_ONES}')",
    # -- hardware -------------------------------------------------------------------------------------------------------
    # A hypervisor hands the guest its UUID as serial number: 'VMware-42 02 30 81 33 1b 58 e1-27 30 ca ..'.
    "serial_hex": r"""CASE WHEN length(y) >= 32 THEN nullif(regexp_extract(regexp_replace(y, '[\s{}-]', '', 'g'),
        '^(?:vmware|googlecloud|nutanix|virtualbox|parallels|qemu)?([0-9a-f]{32})$', 1), '') END""",
    # Lenovo's label puts '1S' and the machine type of ten characters before the serial number, and prints PF-3ABCDE for
    # PF3ABCDE; spreadsheets mark texts by an apostrophe. Accents that a space kept apart come together without it.
    "serial_text": r"""nullif(upper(nfc_normalize(replace(
        CASE WHEN y[1] = 's' AND regexp_matches(y, '^s/n |^ser[a-z.]* |^s.*[:=#]')
            THEN regexp_replace(y, '^(s/n|(s/?n|ser(ial|[.])( ?n(umber|o[.]?|r[.]?))?|service ?tag)\s*[:=#]|service tag '
                || '|ser(ial|[.])( ?n(umber|o[.]?|r[.]?))? )\s*[:=#]?\s*', '')
            WHEN y < '(' THEN trim(y, '"' || chr(39))
            WHEN y[1:2] = '1s' AND regexp_matches(y, '^1s[0-9a-z]{18}$') THEN y[13:20]
            WHEN strlen(y) = 9 AND regexp_matches(y, '^[a-z][0-9a-z]-[0-9a-z]{6}$') THEN y[1:2] || y[4:9] ELSE y END,
        ' ', ''))), '')""",
    "serial": "CASE WHEN l_serial_hex(y) IS NULL THEN l_serial_text(y) END",
    "mac_digits": r"""CASE
        WHEN length(y) = 17 AND substr(y, 3, 1) = ':' THEN replace(y, ':', '')
        WHEN length(y) < 17 AND regexp_matches(y, '^[0-9a-f]{1,2}([:-][0-9a-f]{1,2}){5}$')
            THEN translate(regexp_replace(y, '\b([0-9a-f])\b', '0\1', 'g'), ':-', '')
        WHEN starts_with(y, '0x') THEN translate(substr(y, 3), ':.- ', '')
        -- its card before it, or its maker behind it
        WHEN length(y) > 17 THEN translate(regexp_extract(y,
            '(?:^|[^0-9a-z:-])([0-9a-f]{2}(?:[:-][0-9a-f]{2}){5})(?:[^0-9a-z:-]|$)', 1), ':-', '')
        ELSE translate(y, ':.- ', '') END""",
    # IMEI (15 digits with check digit), IMEISV (16) and bare 14 digits name one radio by their first 14; MEID is hex.
    "imei": r"""nullif(regexp_extract(regexp_replace(y, '^(imei|meid)\s*[0-9]?\s*[:=#]|[\s/-]', '', 'g'),
        '^([0-9]{14})[0-9]{0,2}$|^[0-9a-f]{14}$')[1:14], '')""",
    # -- directories and clouds -----------------------------------------------------------------------------------------
    # Only domain (S-1-5-21-..) and Entra (S-1-12-1-..) SIDs name one account; the others are the same everywhere.
    "sid": r"CASE WHEN regexp_matches(y, '^s-1-(5-21|12-1)(-\d+){3,}$') AND y NOT LIKE 's-1-5-21-0-0-0-%' THEN y END",
    # The SID of a cloud-only account is its object id, as four numbers.
    "sid_object": r"""CASE WHEN regexp_matches(y, '^s-1-12-1(-\d{1,10}){4}$') THEN
        n_swap_words(printf('%08x%08x%08x%08x', split_part(y, '-', 5)::BIGINT, split_part(y, '-', 6)::BIGINT,
            split_part(y, '-', 7)::BIGINT, split_part(y, '-', 8)::BIGINT)) END""",
    # ARNs, Kubernetes provider ids and resource links end in the instance id; ARM ids are compared whole, and so are
    # Google's links that end in a name, which every project may have.
    "cloud_id": rf"""CASE
        WHEN starts_with(y, '/subscriptions/') THEN rtrim(y, '/')
        {_ARM_LINK}
        WHEN y LIKE 'arn:%' AND NOT regexp_matches(y, '[/:][a-z]{{1,4}}-[0-9a-f]+/*$') THEN rtrim(y, '/')
        WHEN regexp_matches(y, '^(gce://|//compute\.|https?://[a-z.]*googleapis\.com/|projects/).*[^0-9/][^/]*/*$')
            THEN {_GOOGLE_PATH}
        WHEN regexp_matches(y, '^(arn:|aws://|gce://|//compute\.|https?://|projects/)')
            THEN regexp_extract(y, '([^/:]+)/*$', 1)
        WHEN strlen(y) = 47 THEN coalesce(l_serial_hex(y), y)    -- the file of a virtual machine writes it in bytes
        ELSE coalesce(l_hex32(y), y) END""",
    "cloud_account_of": r"""CASE WHEN y LIKE 'arn:%'
        THEN nullif(regexp_extract(y, '^arn:[^:]*:[^:]*:[^:]*:(\d{12}):', 1), '') END""",
    "resource_id": rf"""CASE WHEN starts_with(y, '/subscriptions/') THEN rtrim(y, '/')
        {_ARM_LINK}
        WHEN regexp_matches(y, '^(gce://|//compute\.|https?://[a-z.]*googleapis\.com/|/?projects/).')
            THEN nullif({_GOOGLE_PATH}, '')
        ELSE nullif(rtrim(y, '/'), '') END""",
    "provider": """CASE WHEN y IN ('aws', 'azure', 'gcp') THEN y
        WHEN starts_with(y, 'aws') OR starts_with(y, 'amazon') OR contains(y, 'ec2') THEN 'aws'
        WHEN contains(y, 'azure') OR y = 'microsoft' THEN 'azure'
        WHEN starts_with(y, 'google') OR y = 'gce' OR starts_with(y, 'gcp') THEN 'gcp'
        WHEN contains(y, 'openstack') THEN 'openstack' WHEN contains(y, 'nutanix') THEN 'nutanix' ELSE y END""",
    # Twelve digits with or without dashes or the ARN around them; what took them for a number lost the zeros in front.
    "cloud_account": r"""CASE WHEN starts_with(y, 'arn:') THEN nullif(regexp_extract(y, ':(\d{12}):', 1), '')
        WHEN contains(y, '/') AND regexp_matches(y, '^(/|//[a-z.]+/)?(subscriptions|projects)/[^/]+/*$')
            THEN regexp_extract(y, '([^/]+)/*$', 1)
        WHEN regexp_matches(y, '^\d{4}-\d{4}-\d{4}$') THEN replace(y, '-', '')
        WHEN strlen(y) BETWEEN 8 AND 11 AND regexp_matches(y, '^\d+$') THEN lpad(y, 12, '0') ELSE y END""",
    # -- names ----------------------------------------------------------------------------------------------------------
    # The common spellings come first: trimming and expressions cost several times what looking for a character costs.
    "name": rf"""CASE WHEN (y < ';' OR contains(y, ':')) AND regexp_matches(y, '{_IP_TEXT}') THEN NULL
        WHEN contains(y, '/') THEN nullif(rtrim(coalesce(nullif(regexp_extract(y,
            '^(?:(?:host|http|cifs|wsman|termsrv|mssqlsvc|ldap|gc|restrictedkrbhost)/|[a-z]+://(?:[^/@]*@)?)([^/:@]+)', 1), ''),
            regexp_replace(y, '^([a-z0-9-]+(?:\.[a-z0-9-]+)+)/(?:[^/]+/)+([^/]+)$', '\2.\1')), '.$ '), '')
        WHEN contains(y, ':') THEN nullif(rtrim(regexp_replace(y, ':[0-9]{{1,5}}$', ''), '.$ '), '')
        WHEN starts_with(y, 'cn=') THEN nullif(concat_ws('.', rtrim(regexp_extract(y, '^cn=([^,]+)', 1), '.$ '),
            nullif(array_to_string(regexp_extract_all(y, ',\s*dc=([^,]+)', 1), '.'), '')), '')
        WHEN suffix(y, '.') OR suffix(y, '$') OR suffix(y, ' ') THEN nullif(rtrim(y, '.$ '), '') ELSE y END""",
    "plain": r"CASE WHEN contains(y, chr(92)) THEN regexp_replace(y, '^.*\\', '') ELSE y END",
    # A dot among words ends no name unless a domain follows it: "Dr. Smith's MacBook", 'Meeting room No. 5'.
    "host": r"""CASE
        WHEN contains(y, '@') OR contains(y, chr(92)) OR contains(y, '$') OR contains(y, ' ')
            THEN nullif(rtrim(CASE WHEN contains(y, ' ') AND contains(y, '.')
                AND NOT regexp_matches(y, '^[^. ]+\.[a-z][a-z0-9._-]*( |$)|^[^.]+\.[a-z][a-z0-9._-]*$') THEN l_plain(y)
                ELSE split_part(replace(l_plain(y), '@', '.'), '.', 1) END, '$ '), '')
        WHEN contains(y, '.') THEN nullif(split_part(y, '.', 1), '') ELSE y END""",
    "dns": r"""CASE
        WHEN contains(y, '@') OR contains(y, chr(92)) OR contains(y, ' ')
            THEN nullif(regexp_extract(l_plain(y), '^[^.@ ]+[.@]([^ ]+)$', 1), '')
        WHEN instr(y, '.') > 1 THEN nullif(substr(y, instr(y, '.') + 1), '') END""",
    "netbios_domain": r"CASE WHEN contains(y, chr(92)) THEN nullif(regexp_extract(y, '^([^\\.]+)', 1), '') END",
    "domain": r"""nullif(trim(CASE
        WHEN contains(y, 'dc=') THEN array_to_string(regexp_extract_all(y, '(?:^|,)\s*dc=([^,]+)', 1), '.')
        WHEN contains(y, '/') AND contains(y, '.') THEN split_part(y, '/', 1) ELSE y END, '. @' || chr(92)), '')""",
    # An interface list writes the mask behind the address, IPv6 sockets wrap IPv4, and zeros in front say nothing.
    "ip": rf"""CASE WHEN contains(y, ':') AND regexp_matches(y, '{_IP_TEXT}')
            THEN regexp_replace(regexp_replace(split_part(y, '%', 1), '(^|:)0+([0-9a-f])', '\1\2', 'g'),
                '^::ffff:([0-9]+\.)', '\1')
        WHEN regexp_matches(y, '{_IP_TEXT}') THEN y
        WHEN contains(y, '/') AND regexp_matches(split_part(y, '/', 1), '{_IP_TEXT}') THEN split_part(y, '/', 1) END""",
    # -- people and applications ----------------------------------------------------------------------------------------
    # SharePoint puts the provider before a login (i:0#.f|membership|bob@partner.com), Azure live.com#; logs keep the
    # escapes of links; Windows writes AzureAD\bob@corp.com. A computer or managed service account has no other name than
    # WEB01$@corp.local is one of.
    "login": r"""CASE WHEN contains(y, '$@') THEN regexp_replace(y, '^([^@\\]+\$)@([^@]+)$', '\2\\\1')
        WHEN contains(y, chr(92)) AND contains(y, '@')
            THEN regexp_replace(y, '^[^@\\]*\\+([^@\\]+@[^@\\]+)$', '\1')
        WHEN contains(y, '|') AND starts_with(y, 'i:0') THEN nullif(regexp_extract(y, '([^|]*)$', 1), '')
        WHEN contains(y, '%') THEN replace(replace(y, '%23', '#'), '%40', '@')
        WHEN starts_with(y, 'live.com#') THEN nullif(y[10:], '') ELSE y END""",
    # Directories put 'smtp:' or 'sip:' before an address, pages 'mailto:', Google's policies 'user:', mail programs a name
    # and brackets around it.
    "address": r"""CASE WHEN regexp_matches(y, '^[^@\s\\<>]+@[^@\s\\<>]+$')
            THEN rtrim(CASE WHEN contains(y, ':')
                THEN regexp_replace(y, '^(smtp|sips?|mailto|acct|upn|user|serviceaccount):', '') ELSE y END, '.')
        WHEN suffix(y, '>') THEN nullif(regexp_extract(y, '<([^@\s\\<>]+@[^@\s\\<>]+)>$', 1), '') END""",
    # bob_partner.com#EXT#@tenant.onmicrosoft.com is the guest account of bob@partner.com.
    "guest_home": r"""CASE WHEN contains(y, '#ext#@')
        THEN nullif(regexp_replace(split_part(y, '#ext#@', 1), '^(.*)_([^_]+)$', '\1@\2'), '') END""",
    # A GUID without its decoration, or whatever else a product calls an object; zeros are no object.
    "object_key": f"nullif(nullif(coalesce(l_hex32(y), y), '{_ZEROS}'), '{_ONES}')",
    "url": r"nullif(rtrim(regexp_replace(y, '^(https?://[^/]+?)(:443|:80)?(/|$)', '\1\3'), '/'), '')",
}

_COMPOSED: tuple[str, ...] = (
    # An id that only one console knows ('vm-101', 'qemu/101', 'instance-0000001a') is completed by the console.
    r"""l_local_id(y, home) AS CASE WHEN regexp_matches(y, '^(vm|host|qemu|lxc)[-/]\d+$|^instance-[0-9a-f]{8}$|^\d{1,9}$')
        THEN y || ' of ' || home ELSE y END""",
    "l_mac_hex(d) AS CASE WHEN length(d) = 12 AND regexp_matches(d, '^[0-9a-f]{12}$') THEN d END",
    # The bytes of a SID are written as those of a GUID: AQUAAAAAAAUVAAAA.., 0x0105.., 01-05-.. t is a text that n_text has cleaned.
    rf"""t_sid_hex(t) AS CASE WHEN prefix(t, 'AQ') AND regexp_matches(t, '{_BASE64_SID}') THEN lower(hex(TRY(from_base64(t))))
        WHEN strlen(t) >= 48 AND regexp_matches(t, '{_SID_BYTES}')
            THEN regexp_replace(lower(translate(t, ' -' || chr(92), '')), '^0x', '') END""",
    # its authority, and four or five little-endian numbers
    """h_sid(h) AS CASE WHEN length(h) IN (48, 56) THEN concat_ws('-', 's-1', ('0x' || substr(h, 5, 12))::UBIGINT,
        array_to_string(list_transform(range(17, length(h), 8), lambda p: ('0x' || substr(h, p + 6, 2)
            || substr(h, p + 4, 2) || substr(h, p + 2, 2) || substr(h, p, 2))::UBIGINT), '-')) END""",
    # a list of one: the digits are made once, and not at each of their places in h_sid
    """t_sid(t) AS CASE WHEN prefix(t, 'AQ') OR strlen(t) >= 48
        THEN coalesce(list_transform([t_sid_hex(t)], lambda h: h_sid(h))[1], lower(t)) ELSE lower(t) END""",
    "n_sid(x) AS l_sid(t_sid(n_text(x)))",
    # immutableId: the bytes of the objectGUID as they lie in memory, in base64; tokens write - and _ for + and /, addresses
    # %3D for =. Tools print the bytes in hex: 0x.., 34-1C-.., 34 1c .., and with a backslash before each in LDAP filters. t is
    # a text that n_text has cleaned.
    rf"""t_base64_hex(t) AS CASE WHEN strlen(t) BETWEEN 22 AND 48 AND regexp_matches(t, '{_BASE64_GUID}')
            THEN lower(hex(TRY(from_base64(translate(
                regexp_replace(regexp_replace(t, '%2[Bb]', '+', 'g'), '%2[Ff]', '/', 'g')[1:22], '-_', '+/') || '=='))))
        WHEN strlen(t) IN (34, 47, 48) AND regexp_matches(t, '{_GUID_BYTES}')
            THEN right(lower(translate(t, ' -' || chr(92), '')), 32) END""",
    # Whether a logon name is that of a mail address with something before or behind it: v-jdoe, jdoe+test, admjdoe. GitHub puts the
    # company behind an underscore.
    "l_adds(n, o) AS n <> o AND strlen(o) > 1 AND contains(n, o) AND (prefix(n, o || '-') OR prefix(n, o || '+') "
    "OR suffix(n, '-' || o) OR suffix(n, '_' || o) "
    "OR (contains(o, '.') AND (prefix(n, o || '.') OR suffix(n, '.' || o))) "
    "OR n IN ('adm' || o, 'admin' || o, o || 'adm', o || 'admin', o || '_ext', o || '_test'))",
    f"h_real(h) AS nullif(nullif(h, '{_ZEROS}'), '{_ONES}')",
    f"h_guid(h) AS nullif(nullif(n_swap(h), '{_ZEROS}'), '{_ONES}')",
)

MACROS: tuple[str, ...] = (*_CLEAN, *(f"l_{name}(y) AS {form}" for name, form in _FORMS.items()), *_COMPOSED)
#: The steps to the normal form of a single value, where it is not what the form of that name makes of `n_lower`.
_STEPS: dict[str, tuple[str, ...]] = {
    "n_mac": ("n_lower", "l_mac_digits", "l_mac_hex"),
    "n_sid": ("n_text", "t_sid", "l_sid"),
    "n_uuid": ("n_lower", "l_hex32", "n_either"),
    "n_serial_uuid": ("n_lower", "l_serial_hex", "n_either"),
    "n_base64_guid": ("n_text", "t_base64_hex", "h_guid"),
    "n_maker": ("n_lower", "l_maker_word", "w_maker"),
}


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes the macros known to the connection (temporary, so a read-only database will do)."""
    connection.execute(";".join(f"CREATE OR REPLACE TEMP MACRO {macro}" for macro in MACROS))


def normalised(
    name: str, values: Iterable[str | None], connection: duckdb.DuckDBPyConnection | None = None
) -> list[str | None]:
    """The normal forms of some values: `normalised("n_mac", ["AA-BB-.."])`, with `n_` before the name of any form, or by one
    macro of one argument.

    connection: one on which the macros are installed already; without it an own one is made.
    """
    if connection is None:
        with duckdb.connect() as own:
            install(own)
            return normalised(name, values, own)
    form = name.removeprefix("n_")
    steps = _STEPS.get(name) or (("n_lower", f"l_{form}") if f"n_{form}" == name and form in _FORMS else (name,))
    query = "SELECT unnest(?::VARCHAR[]) AS v"
    # column by column: nested, one macro would be copied into every place where the next one uses its argument
    for step in steps:
        query = f"SELECT {step}(v) AS v FROM ({query})"
    return [row[0] for row in connection.execute(query, [list(values)]).fetchall()]

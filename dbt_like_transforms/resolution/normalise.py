"""One spelling for every identifier, as DuckDB macros: the same code serves one record and ten million.

Each macro takes a text (or NULL) and gives the normal form, or NULL when the text is no such identifier. Values that
are well formed but identify nothing (placeholders) are the business of `suppress`.
"""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

_GUID_TEXT = r"^\{?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\}?$"
#: 2001:db8::1, ::1, fe80::1%eth0: at least two colons, so that no host name looks like one.
_IP_TEXT = r"^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f]*:[0-9a-f:]*:[0-9a-f:.]*(%.*)?)$"

MACROS: tuple[str, ...] = (
    # NUL and other control characters come from fixed-width firmware fields; they are never part of a value.
    r"n_text(x) AS nullif(trim(regexp_replace(x, '[\x00-\x1f\x7f\x{a0}\x{200b}\x{feff}]', ' ', 'g')), '')",
    r"n_lower(x) AS lower(n_text(x))",
    # -- GUIDs ------------------------------------------------------------------------------------------------------
    f"""n_hex32(x) AS CASE WHEN regexp_matches(n_lower(x), '{_GUID_TEXT}')
        THEN regexp_replace(lower(x), '[^0-9a-f]', '', 'g') END""",
    "n_dashed(h) AS h[1:8] || '-' || h[9:12] || '-' || h[13:16] || '-' || h[17:20] || '-' || h[21:32]",
    """n_nonzero(h) AS CASE WHEN h NOT IN ('00000000000000000000000000000000', 'ffffffffffffffffffffffffffffffff')
        THEN h END""",
    "n_guid(x) AS n_dashed(n_nonzero(n_hex32(x)))",
    # The first three groups of a GUID are stored little-endian; some tools print the bytes as they lie in memory.
    """n_swap(h) AS h[7:8] || h[5:6] || h[3:4] || h[1:2] || h[11:12] || h[9:10] || h[15:16] || h[13:14] || h[17:32]""",
    "n_either(h) AS least(h, n_swap(h))",
    "n_uuid(x) AS n_dashed(n_either(n_hex32(x)))",
    r"""n_base64_guid(x) AS CASE WHEN regexp_matches(n_text(x), '^[A-Za-z0-9+/]{22}==$')
        THEN n_dashed(n_nonzero(n_swap(lower(hex(TRY(from_base64(n_text(x)))))))) END""",
    "n_directory_guid(x) AS coalesce(n_guid(x), n_base64_guid(x))",
    # -- hardware ---------------------------------------------------------------------------------------------------
    # A hypervisor hands the guest its UUID as serial number: 'VMware-42 02 30 81 33 1b 58 e1-27 30 ca ..'.
    r"""n_serial_hex(x) AS regexp_extract(regexp_replace(n_lower(x), '[\s{}-]', '', 'g'),
        '^(?:vmware|googlecloud|nutanix|virtualbox|parallels|qemu)?([0-9a-f]{32})$', 1)""",
    """n_serial_uuid(x) AS CASE WHEN length(x) >= 32 AND n_serial_hex(x) <> ''
        THEN n_dashed(n_either(n_serial_hex(x))) END""",
    r"""n_serial(x) AS CASE WHEN n_serial_uuid(x) IS NULL THEN nullif(regexp_replace(regexp_replace(
        upper(n_text(x)), '^(S/?N|SERIAL( NUMBER)?|SERVICE ?TAG)\s*[:=#]\s*', ''), '\s+', '', 'g'), '') END""",
    r"""n_alnum(x) AS regexp_replace(lower(x), '[^0-9a-z]', '', 'g')""",
    r"""n_mac_digits(x) AS CASE WHEN regexp_matches(x, '^([0-9a-f]{1,2}[:-]){5}[0-9a-f]{1,2}$')
        THEN regexp_replace(regexp_replace(x, '\b([0-9a-f])\b', '0\1', 'g'), '[:-]', '', 'g')
        ELSE regexp_replace(x, '[\s:.-]', '', 'g') END""",
    r"""n_mac(x) AS CASE WHEN regexp_matches(n_mac_digits(n_lower(x)), '^[0-9a-f]{12}$')
        THEN regexp_replace(n_mac_digits(n_lower(x)), '(..)(..)(..)(..)(..)(..)', '\1:\2:\3:\4:\5:\6') END""",
    # IMEI (15 digits with check digit), IMEISV (16) and bare 14 digits name one radio by their first 14; MEID is hex.
    r"""n_imei(x) AS CASE WHEN regexp_matches(regexp_replace(n_lower(x), '[\s/-]', '', 'g'), '^([0-9]{14,16}|[0-9a-f]{14})$')
        THEN regexp_replace(n_lower(x), '[\s/-]', '', 'g')[1:14] END""",
    # -- directories and clouds -------------------------------------------------------------------------------------
    # Only domain (S-1-5-21-..) and Entra (S-1-12-1-..) SIDs name one account; the others are the same everywhere.
    r"""n_sid(x) AS CASE WHEN regexp_matches(n_lower(x), '^s-1-(5-21|12-1)(-\d+){3,}$') THEN n_lower(x) END""",
    # ARNs, Kubernetes provider ids and resource links end in the instance id; ARM ids are compared whole.
    r"""n_cloud_id(x) AS CASE
        WHEN n_lower(x) LIKE '/subscriptions/%' THEN rtrim(n_lower(x), '/')
        WHEN regexp_matches(n_lower(x), '^(arn:|aws://|gce://|//compute\.|https?://|projects/)')
            THEN regexp_extract(n_lower(x), '([^/:]+)/*$', 1)
        WHEN regexp_matches(n_lower(x), '^azure:///subscriptions/') THEN substr(n_lower(x), 9)
        ELSE coalesce(n_guid(x), n_lower(x)) END""",
    r"n_cloud_account_of(x) AS nullif(regexp_extract(n_lower(x), '^arn:[^:]*:[^:]*:[^:]*:(\d{12}):', 1), '')",
    "n_resource_id(x) AS nullif(rtrim(n_lower(x), '/'), '')",
    """n_provider(x) AS CASE n_lower(x) WHEN 'amazon' THEN 'aws' WHEN 'ec2' THEN 'aws' WHEN 'amazon web services' THEN 'aws'
        WHEN 'google' THEN 'gcp' WHEN 'google cloud' THEN 'gcp' WHEN 'gce' THEN 'gcp'
        WHEN 'microsoft azure' THEN 'azure' ELSE n_lower(x) END""",
    # -- names ------------------------------------------------------------------------------------------------------
    f"""n_name(x) AS CASE WHEN NOT regexp_matches(n_lower(x), '{_IP_TEXT}')
        THEN nullif(rtrim(regexp_replace(n_lower(x), '^(host|cifs|wsman|termsrv)/', ''), '.$ '), '') END""",
    r"n_plain(y) AS regexp_replace(y, '^.*\\', '')",
    r"n_host(y) AS nullif(rtrim(regexp_extract(n_plain(y), '^([^.@]+)', 1), '$ '), '')",
    r"""n_dns(y) AS CASE WHEN regexp_matches(n_plain(y), '^[^.@ ]+[.@][^ ]+$')
        THEN nullif(regexp_replace(n_plain(y), '^[^.@]+[.@]', ''), '') END""",
    r"n_netbios_domain(y) AS CASE WHEN contains(y, chr(92)) THEN nullif(regexp_extract(y, '^([^\\.]+)', 1), '') END",
    # NetBIOS keeps 15 characters, so a name is compared by what every product can have kept.
    "n_short(h) AS h[1:15]",
    r"n_domain(x) AS nullif(trim(n_lower(x), '. '), '')",
    # -- addresses of people ----------------------------------------------------------------------------------------
    r"""n_address(x) AS CASE WHEN regexp_matches(n_lower(x), '^[^@\s\\]+@[^@\s\\]+$')
        THEN rtrim(regexp_replace(n_lower(x), '^smtp:', ''), '.') END""",
    # bob_partner.com#EXT#@tenant.onmicrosoft.com is the guest account of bob@partner.com.
    r"""n_guest_home(x) AS CASE WHEN contains(n_lower(x), '#ext#@')
        THEN nullif(regexp_replace(regexp_extract(n_lower(x), '^(.*)#ext#@', 1), '^(.*)_([^_]+)$', '\1@\2'), '') END""",
    f"n_ip(x) AS CASE WHEN regexp_matches(n_lower(x), '{_IP_TEXT}') THEN regexp_replace(n_lower(x), '%.*$', '') END",
    r"n_url(x) AS nullif(rtrim(regexp_replace(n_lower(x), '^(https?://[^/]+?)(:443|:80)?(/|$)', '\1\3'), '/'), '')",
    # -- lists ------------------------------------------------------------------------------------------------------
    "n_present(l) AS list_distinct(list_filter(l, lambda v: v IS NOT NULL))",
    # '0001-01-01' is how .NET writes "no date".
    "n_time(t) AS CASE WHEN t > TIMESTAMP '1900-01-01' THEN t END",
)


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Makes the macros known to the connection (temporary, so a read-only database will do)."""
    for macro in MACROS:
        connection.execute(f"CREATE OR REPLACE TEMP MACRO {macro}")


def normalised(macro: str, values: Iterable[str | None]) -> list[str | None]:
    """The normal forms of some values by one macro of one argument, e.g. `normalised("n_mac", ["AA-BB-.."])`."""
    with duckdb.connect() as connection:
        install(connection)
        rows = connection.execute(
            f"SELECT {macro}(v) FROM (SELECT unnest(?::VARCHAR[]) AS v)", [list(values)]
        ).fetchall()
    return [row[0] for row in rows]

"""ServiceNow CMDB: configuration items, business applications, services and how they depend on each other."""

from __future__ import annotations

from functools import partial
from typing import Any

from connector_assets.kit import (
    Auth,
    Basic,
    ClientCredentials,
    Connector,
    Credential,
    HeaderKeys,
    Permission,
    Secrets,
)
from connector_assets.servicenow.options import ServiceNowOptions
from connector_assets.servicenow.streams import STREAMS
from connector_assets.servicenow.table import probe_table

TOKENS = "/oauth_token.do"


def auth(options: Any, secrets: Secrets) -> Auth:
    if options.auth == "api_key":
        return HeaderKeys("x-sn-apikey", "{api_key}", secrets)
    if options.auth == "oauth":
        return ClientCredentials(TOKENS, {"client_id": options.client_id}, secrets)
    if options.auth == "oauth_password":
        form = {"grant_type": "password", "client_id": options.client_id, "username": options.username}
        fields = {"client_secret": "client_secret", "password": "password"}
        return ClientCredentials(TOKENS, form, secrets, secret_fields=fields)
    return Basic(options.username, lambda: secrets["password"], secrets)


CONNECTOR = Connector(
    product="servicenow",
    title="ServiceNow CMDB",
    description="Computers with their network adapters, business applications, services, people, and the relations between them.",
    base_url="",
    known_hosts=("*.service-now.com", "*.servicenowservices.com"),
    auth=auth,
    options=ServiceNowOptions,
    credentials=(
        Credential("password", "Password of the integration user (auth: basic, oauth_password).", optional=True),
        Credential("client_secret", "Client secret (auth: oauth, oauth_password).", optional=True),
        Credential("api_key", "REST API key of the integration user (auth: api_key).", optional=True),
    ),
    permissions=(
        Permission("cmdb_read", "Computers and their relations can be read", partial(probe_table, "cmdb_ci_computer")),
        Permission(
            "cmdb_read: business applications",
            "Business applications can be read",
            partial(probe_table, "cmdb_ci_business_app"),
        ),
        Permission("sys_user read", "People can be read", partial(probe_table, "sys_user")),
        Permission(
            "sys_choice read", "Labels of states can be read", partial(probe_table, "sys_choice"), optional=True
        ),
    ),
    streams=STREAMS,
    asset_kinds=("device", "identity", "application"),
    billable_kinds=("device",),
    evidence="recorded",
    changes=(
        "Every table tells what was updated; deletions are read from sys_audit_delete where the user may and the table is "
        "audited, else they show in the next full pull."
    ),
    troubleshooting={
        "401": "check user and password, client or key as the option auth asks for them; the user must be active, not locked out, "
        "and allowed to use web services",
        "403": "give the integration user the role cmdb_read (and read access to sys_user); where IP Address Access "
        "Control is on, add this machine's address",
        "404": "check base_url; a table that is not there needs its plugin activated",
        "409": "ServiceNow documents 409 for changes alone: the next sync tries again; see whether a gateway answers in its place",
        "429": "a rate limit rule of the instance applies: lower the cadence or raise the rule in sys_rate_limit_rules",
        "dns": "base_url is https://YOUR-INSTANCE.service-now.com",
        "tls": "an instance under a name of your own needs its certificate: set ca_file, or use the name below service-now.com",
        "connect": "the instance may allow certain addresses only (IP Address Access Control): add this machine's",
    },
    documentation_url="https://www.servicenow.com/docs/bundle/xanadu-api-reference/page/integrate/inbound-rest/concept/c_TableAPI.html",
)

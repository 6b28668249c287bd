"""Options of a ServiceNow connection."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

TableName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+$")]


class ServiceNowOptions(BaseModel):
    """What may be set under `options`."""

    model_config = ConfigDict(extra="forbid")

    auth: Literal["basic", "oauth", "oauth_password", "api_key"] = Field(
        default="basic",
        description="basic (user and password), oauth (client credentials), oauth_password (a token for client, user and "
        "password) or api_key (header x-sn-apikey); the last two are taken from a client and not verified",
    )
    username: str | None = Field(default=None, description="user with role cmdb_read (auth: basic, oauth_password)")
    client_id: str | None = Field(default=None, description="client id (auth: oauth, oauth_password)")
    page_size: int = Field(default=1000, ge=1, le=10000, description="records a page")
    computer_tables: tuple[TableName, ...] = Field(
        default=("cmdb_ci_computer",),
        min_length=1,
        description="tables of devices, subclasses included, e.g. cmdb_ci_netgear for network gear; none inside another",
    )
    computer_query: str = Field(
        default="", description="encoded query that limits the devices, e.g. install_status!=100"
    )

    @model_validator(mode="after")
    def complete(self) -> ServiceNowOptions:
        if self.auth in ("basic", "oauth_password") and not self.username:
            raise ValueError(f"username is required with auth: {self.auth}")
        if self.auth in ("oauth", "oauth_password") and not self.client_id:
            raise ValueError(f"client_id is required with auth: {self.auth}")
        return self

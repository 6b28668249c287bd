"""A new connection file: commented, valid YAML that holds names of secrets and never a secret."""

from __future__ import annotations

import difflib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from exposure_pipelines.cli.demo_home import OWN_HOME, is_of_demo
from exposure_pipelines.connections import is_variable
from exposure_pipelines.errors import ConfigurationError

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from connector_assets.kit.declaration import Connector
    from exposure_pipelines.home import Home

#: What needs no quotes in YAML.
PLAIN = re.compile(r"[\w./@~+-]+(:[\w./@~+-]+)*")
SLUG = re.compile(r"[a-z][a-z0-9_]*")


def new_connection_file(
    home: Home, product: str, name: str | None, base_url: str | None, options: list[str], secrets: list[str]
) -> Path:
    """Write `connections/<name>.yaml` for a product.

    Raises ConfigurationError for an unknown product, option or secret field, a bad name or address, a file that exists, or a
    folder that cannot be written.
    """
    from connector_assets import registry
    from connector_assets.kit.errors import FixConfiguration
    from connector_assets.kit.hosts import check_base_url

    if product not in registry.products():
        close = difflib.get_close_matches(product, registry.products(), n=1)
        hint = f"Did you mean {close[0]}? " if close else ""
        raise ConfigurationError(f"There is no connector {product!r}. {hint}See `exposure connectors list`.")
    connector = registry.load(product)
    instance = name or product
    if not SLUG.fullmatch(instance):
        raise ConfigurationError(
            f"{instance!r} cannot name an instance: use lower-case letters, digits and underscores, e.g. {product}_prod."
        )
    try:
        base_url = base_url and check_base_url(base_url, "--base-url")
    except FixConfiguration as error:
        raise ConfigurationError(f"{error}.") from None
    home.require_writable(home.connections)
    file = home.connections / f"{instance}.yaml"
    given_options = pairs(options, "--option", set(connector.options.model_fields))
    given_secrets = pairs(secrets, "--secret", {credential.name for credential in connector.credentials})
    for field, place in given_secrets.items():
        require_place(field, place, instance)
    text = connection_text(connector, instance, base_url, given_options, given_secrets)
    try:
        with file.open("x", encoding="utf-8") as handle:
            handle.write(text)
    except FileExistsError:
        if is_of_demo(file):
            raise ConfigurationError(
                f"{file} is a connection of the demo, and this home holds its invented company. {OWN_HOME}"
            ) from None
        raise ConfigurationError(f"{file} exists already; edit it, or choose another --name.") from None
    return file


def pairs(given: list[str], option: str, allowed: set[str]) -> dict[str, str]:
    """KEY=VALUE arguments as a dictionary."""
    found = {}
    for item in given:
        key, separator, value = item.partition("=")
        told = repr(key) if is_variable(key) else "that was given"  # it may be a secret without its key
        if not separator:
            raise ConfigurationError(f"{option} takes KEY=VALUE; the key {told} came without a value.")
        if key not in allowed:
            raise ConfigurationError(
                f"{option} {told} is unknown; this connector takes {', '.join(sorted(allowed)) or 'none'}."
            )
        found[key] = value
    return found


def require_place(field: str, place: str, instance: str) -> None:
    """Refuse a secret where the place of one is asked for, without repeating it."""
    if place.removeprefix("file:") if place.startswith("file:") else is_variable(place):
        return
    variable = variable_of(instance, field)
    raise ConfigurationError(
        f"--secret {field}: expected the name of an environment variable, or file:PATH, never the secret itself. "
        f"Put the secret into a variable such as {variable}, and give --secret {field}={variable}."
    )


def connection_text(
    connector: Connector, instance: str, base_url: str | None, options: dict[str, str], secrets: dict[str, str]
) -> str:
    """The file's text, with a comment for each thing a person may want to set."""
    lines = [
        f"# {connector.title}: instance {instance}.",
        f"# Check it with: exposure connectors check {instance}",
        f"product: {connector.product}",
    ]
    if base_url or not connector.base_url:
        lines.append(f"base_url: {yaml_text(base_url) if base_url else 'https://CHANGE-ME.example'}")
    else:
        lines.append(f"# base_url: {connector.base_url}   # the default")
    if connector.credentials:
        lines += ["", "# Where each secret lies: {env: VARIABLE} or {file: /path}. Never the secret itself."]
        lines.append("credentials:")
        for credential in connector.credentials:
            reference = secret_reference(secrets.get(credential.name), instance, credential.name)
            prefix = "  # " if credential.optional and credential.name not in secrets else "  "
            lines.append(f"{prefix}{credential.name}: {reference}   # {credential.description}")
    fields = connector.options.model_fields
    if fields:
        lines.append("")
        required = any(field.is_required() or key in options for key, field in fields.items())
        lines.append("options:" if required else "# options:")
        for key, field in fields.items():
            value = options.get(key)
            active = value is not None or field.is_required()
            shown = (
                option_value(field, value)
                if value is not None
                else "CHANGE-ME"
                if field.is_required()
                else yaml_scalar(field.get_default(call_default_factory=True))
            )
            lines.append(f"{'  ' if active else '#   '}{key}: {shown}   # {field.description or 'optional'}")
    lines += [
        "",
        f"# streams: [{', '.join(stream.name for stream in connector.streams)}]   # a subset; all without it",
        f'# schedule: "{connector.default_schedule}"   # cron, UTC; staggered by name without it',
        "# max_age_hours: 36      # an older last complete sync is carried forward and marked stale",
        "# window_days: 90        # records without activity for longer are left out",
        "# volume_guard: 0.5      # less than this share of the last is not believed: the sync is partial, a build refuses it",
        f"# volume_guard: {{default: 0.5, streams: {{{connector.streams[0].name}: 0.8}}}}   # the same, stream by stream",
        "# full_every_hours: 24   # in between only changes are asked for, where the vendor tells them; always all without it",
        "# ca_file: /path/ca.pem  # a private certificate authority",
        "# scope: default         # company or site: equal names and MAC addresses of another one are another machine's",
        "# owner: team:security-data",
        "# enabled: true",
        "",
    ]
    return "\n".join(lines)


def secret_reference(given: str | None, instance: str, field: str) -> str:
    if given is None:
        return f"{{env: {variable_of(instance, field)}}}"
    if given.startswith("file:"):
        return f"{{file: {yaml_text(given.removeprefix('file:'))}}}"
    return f"{{env: {given}}}"


def variable_of(instance: str, field: str) -> str:
    return f"{instance.upper()}_{field.upper()}"


def option_value(field: FieldInfo, text: str) -> str:
    """An option as it was typed: YAML where it takes a number or a list, and a text where it takes a text."""
    if field.annotation in (str, str | None):
        return yaml_text(text)
    try:
        return text if set(yaml.safe_load(f"key: {text}")) == {"key"} else yaml_text(text)
    except yaml.YAMLError:
        return yaml_text(text)


def yaml_text(text: str) -> str:
    """The text itself where YAML reads it as it stands, also in brackets; else in quotes."""
    return text if PLAIN.fullmatch(text) and yaml.safe_load(text) == text else yaml_scalar(text)


def yaml_scalar(value: Any) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)

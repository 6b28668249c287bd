"""Connections: one YAML file an instance, validated before anything runs. A broken file never stops the others."""

from __future__ import annotations

import difflib
import os
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from exposure_pipelines.errors import ConfigurationError
from exposure_pipelines.secret_sources import source

if TYPE_CHECKING:
    from connector_assets.kit.settings import Settings
    from exposure_pipelines.home import Home

SLUG = re.compile(r"[a-z][a-z0-9_]*")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
PASSWORD_IN_ADDRESS = re.compile(r"://[^/?#@]*:[^/?#@]*@")
#: Letters and digits without a joint, as long as this: a key that a vendor made, not a name that a person gave.
SHORTEST_KEY = 20
#: How deep lines of a file are known by their key.
NAMED_DEPTH = 3


class SecretReference(BaseModel):
    """Where a secret lies: `{env: VARIABLE}`, `{file: /path}`, or `{manager: NAME, key: its name there}`.

    The secret itself is never in a connection file.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    env: str | None = None
    file: str | None = None
    manager: str | None = None
    key: str | None = None

    @model_validator(mode="before")
    @classmethod
    def no_plain_secret(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError("expected {env: VARIABLE} or {file: /path}; never write the secret itself here")
        if set(value) - {"env", "file"} and set(value) != {"manager", "key"}:
            # whatever else stands there may be the secret: it is not repeated
            raise ValueError(
                "expected only env or file here, {env: VARIABLE} or {file: /path}, or {manager: NAME, key: NAME THERE}"
            )
        return value

    @model_validator(mode="after")
    def one_place(self) -> SecretReference:
        if [self.env, self.file, self.manager and self.key].count(None) != 2:
            raise ValueError("expected exactly one of env and file, or manager with key")
        if self.env is not None and not is_variable(self.env):
            raise ValueError(
                "env: expected the name of an environment variable (letters, digits, underscores), never the secret itself"
            )
        return self

    def missing(self) -> str | None:
        """Why the secret cannot be read now, None when it can."""
        try:
            self._asked()
        except LookupError as error:
            return str(error.args[0]) if error.args else "the secret manager has no such key"
        return None

    def _asked(self) -> str:
        name, key = ("env", self.env) if self.env else ("file", self.file) if self.file else (self.manager, self.key)
        return source(name or "").read(key or "")

    def read(self) -> str:
        """The secret. Raises FixConfiguration naming the place where it should be."""
        from connector_assets.kit.errors import FixConfiguration

        try:
            return self._asked()
        except LookupError as error:
            why = error.args[0] if error.args else "the secret manager has no such key"
            raise FixConfiguration(
                f"a secret is missing: {why}", hint="set it where the sync runs, then sync again"
            ) from None


def is_variable(text: str) -> bool:
    """Whether a text can be meant as the name of an environment variable, rather than a key that was pasted in its place."""
    key = len(text) >= SHORTEST_KEY and "_" not in text and not text.isalpha()
    return bool(VARIABLE.fullmatch(text)) and (not key or text in os.environ)


Share = Annotated[float, Field(ge=0, le=1)]


class VolumeLimits(BaseModel):
    """The share of the records before that must remain to be believed; 0 believes any loss. A number is the default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    default: Share = 0.5
    streams: dict[str, Share] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def number_or_mapping(cls, value: Any) -> Any:
        if isinstance(value, dict) and set(value) - {"default", "streams"}:
            raise ValueError("expected a share such as 0.5, or {default: 0.5, streams: {NAME: 0.8}}")
        return value if isinstance(value, dict | VolumeLimits) else {"default": value}

    def share(self, stream: str) -> float:
        return self.streams.get(stream, self.default)


class Connection(BaseModel):
    """One configured instance of a product."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    instance: str
    product: str
    base_url: str = ""
    credentials: dict[str, SecretReference] = Field(default_factory=dict)
    options: dict[str, Any] = Field(default_factory=dict)
    streams: list[str] | None = Field(default=None, min_length=1)
    schedule: str = ""
    max_age_hours: float = Field(default=36, gt=0)
    window_days: int | None = Field(default=90, gt=0)
    volume_guard: VolumeLimits = VolumeLimits()
    full_every_hours: float | None = Field(default=None, gt=0, le=31 * 24)
    """Between two full pulls, at most so far apart, a stream whose vendor tells changes is asked for those alone."""
    ca_file: str | None = None
    enabled: bool = True
    owner: str = "team:security-data"
    scope: str = "default"
    """Company or site whose machines and accounts the instance reports: names and MAC addresses agree inside one alone."""

    @field_validator("credentials", "options", mode="before")
    @classmethod
    def empty_is_none(cls, value: Any) -> Any:
        """A heading whose lines are all commented out."""
        return {} if value is None else value

    @field_validator("base_url")
    @classmethod
    def an_address(cls, value: str) -> str:
        from connector_assets.kit.errors import FixConfiguration
        from connector_assets.kit.hosts import check_base_url

        if PASSWORD_IN_ADDRESS.search(value):
            raise ValueError("holds a password; write the address without it and name the secret under credentials")
        try:
            return value and check_base_url(value, "the value")
        except FixConfiguration as error:
            raise ValueError(str(error)) from None

    @field_validator("owner")
    @classmethod
    def owner_form(cls, value: str) -> str:
        if not re.fullmatch(r"team:[A-Za-z0-9_.\-]+|[^@\s]+@[^@\s]+\.[^@\s]+", value):
            raise ValueError("expected team:NAME or an e-mail address")
        return value

    @field_validator("scope")
    @classmethod
    def scope_form(cls, value: str) -> str:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_.\-]*", value):
            raise ValueError("expected a word such as plant_a: lower-case letters, digits, dots, dashes, underscores")
        return value

    @model_validator(mode="after")
    def fits_connector(self) -> Connection:
        """Hold the connection against the connector's declaration."""
        from connector_assets import registry

        if self.product not in registry.products():
            raise ValueError(
                f"product: there is no connector {self.product!r}{suggestion(self.product, registry.products())}"
            )
        connector = registry.load(self.product)
        troubles = []
        if not self.base_url and not connector.base_url:
            troubles.append("base_url: this product has no default address; write your own")
        known = {credential.name: credential for credential in connector.credentials}
        troubles += [f"credentials.{n}: unknown{suggestion(n, known)}" for n in self.credentials if n not in known]
        troubles += [
            f"credentials.{name}: missing; add `{name}: {{env: {self.instance.upper()}_{name.upper()}}}`"
            for name, credential in known.items()
            if name not in self.credentials and not credential.optional
        ]
        streams = [stream.name for stream in connector.streams]
        troubles += [
            f"streams: {s!r} is unknown{suggestion(s, streams)}" for s in self.streams or () if s not in streams
        ]
        troubles += [
            f"volume_guard.streams.{s}: there is no such stream{suggestion(s, streams)}"
            for s in self.volume_guard.streams
            if s not in streams
        ]
        try:
            connector.options.model_validate(self.options)
        except ValidationError as error:
            troubles += [f"options.{line}" for line in readable(error, connector.options.model_fields)]
        if troubles:
            raise ValueError("\n".join(troubles))
        return self

    @property
    def cron(self) -> str:
        """The schedule; without one the hours of its connector, at a minute drawn from the name: instances spread out."""
        from connector_assets import registry

        if self.schedule:
            return self.schedule
        hours = registry.load(self.product).default_schedule.split(maxsplit=1)[1]
        return f"{zlib.crc32(self.instance.encode()) % 40} {hours}"

    def settings(self) -> Settings:
        """What the kit needs for a pull. Secrets are read when they are used, not here."""
        from connector_assets import registry
        from connector_assets.kit.settings import Secrets, Settings, Timeouts

        connector = registry.load(self.product)
        readers: dict[str, Callable[[], str]] = {name: ref.read for name, ref in self.credentials.items()}
        options = connector.options.model_validate(self.options)
        return Settings(
            instance=self.instance,
            base_url=self.base_url or connector.base_url,
            options=options,
            secrets=Secrets(readers),
            window_days=self.window_days,
            ca_file=self.ca_file,
            timeouts=Timeouts(read=connector.read_seconds),
        )


@dataclass(frozen=True, slots=True)
class BrokenConnection:
    """A file that is no connection, with every reason."""

    file: Path
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Connections:
    valid: tuple[Connection, ...]
    broken: tuple[BrokenConnection, ...]

    def get(self, instance: str) -> Connection:
        """Raises ConfigurationError naming the configured instances, or the file's own errors when it is broken."""
        for connection in self.valid:
            if connection.instance == instance:
                return connection
        for broken in self.broken:
            if broken.file.stem == instance:
                raise ConfigurationError(f"{broken.file}: {'; '.join(broken.errors)}")
        names = [connection.instance for connection in self.valid]
        listed = ", ".join(names) or "none; exposure connectors add PRODUCT"
        raise ConfigurationError(
            f"There is no instance {instance!r}{suggestion(instance, names)}; configured: {listed}."
        )


def load_connections(home: Home) -> Connections:
    """Every connection file of the home, sorted by name."""
    valid: list[Connection] = []
    broken: list[BrokenConnection] = []
    files = sorted([*home.connections.glob("*.yaml"), *home.connections.glob("*.yml")])
    for file in files:
        loaded = load_connection(file)
        if isinstance(loaded, Connection) and any(other.instance == loaded.instance for other in valid):
            loaded = BrokenConnection(file, (f"a second file for instance {loaded.instance!r}; delete one of them",))
        if isinstance(loaded, Connection):
            valid.append(loaded)
        else:
            broken.append(loaded)
    return Connections(tuple(valid), tuple(broken))


def load_connection(file: Path) -> Connection | BrokenConnection:
    """One file as a connection, or as all that is wrong with it. Nothing a file or its connector does raises."""
    try:
        return read_connection(file)
    except Exception as error:  # noqa: BLE001 - one instance's trouble, such as a connector that cannot be imported
        # the message may quote the file, and so a secret: only the kind of the error is said
        known = f" ({error})" if isinstance(error, ImportError | TypeError) else ""
        return BrokenConnection(file, (f"this file or its connector cannot be read: {type(error).__name__}{known}",))


def read_connection(file: Path) -> Connection | BrokenConnection:
    if not SLUG.fullmatch(file.stem):
        return BrokenConnection(
            file,
            (
                f"the file name gives the instance its name: {file.stem!r} must be lower-case letters, digits, underscores",
            ),
        )
    try:
        text = file.read_text(encoding="utf-8")
        document = yaml.safe_load(text)
        lines, repeated = key_lines(text)
    except OSError as error:
        return BrokenConnection(file, (f"cannot be read: {error}",))
    except yaml.YAMLError as error:
        return BrokenConnection(file, (yaml_trouble(error),))
    except ValueError:
        return BrokenConnection(file, ("not valid YAML in UTF-8: a value has no meaning, such as the date 2026-13-45",))
    if repeated:
        return BrokenConnection(file, repeated)
    if not isinstance(document, dict):
        return BrokenConnection(file, ("expected `key: value` lines, beginning with product: NAME",))
    if "instance" in document:
        return BrokenConnection(file, ("instance: the file name gives the instance its name; remove this line",))
    try:
        connection = Connection.model_validate({**document, "instance": file.stem})
    except ValidationError as error:
        return BrokenConnection(file, tuple(located(text, lines) for text in readable(error, Connection.model_fields)))
    if connection.schedule and (trouble := schedule_trouble(connection.schedule)):
        return BrokenConnection(file, (located(trouble, lines),))
    return connection


def yaml_trouble(error: yaml.YAMLError) -> str:
    """Where and why a file is no YAML, without the quoted piece of the file: it may be a secret."""
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    problem = re.sub(r"\s*['\"].*", "", getattr(error, "problem", None) or "") or "unreadable"
    if problem == "expected":
        problem = "a sign is missing, such as a comma or the end of a bracket or quote"
    hint = "; put a value that begins with a sign in quotes" if re.search(r"alias|tag|token", problem) else ""
    return f"{where}not valid YAML: {problem}{hint}"


def located(text: str, lines: dict[str, int]) -> str:
    """A message that begins with the path of a key, with the line of that key or of the nearest one above it."""
    path = text.split(":")[0]
    while path and path not in lines:
        path = path.rpartition(".")[0]
    return f"line {lines[path]}: {text}" if path else text


def schedule_trouble(schedule: str) -> str | None:
    from dagster._utils.schedules import is_valid_cron_schedule  # the check Dagster itself applies

    if is_valid_cron_schedule(schedule):
        return None
    return f'schedule: {schedule!r} is not a cron line; expected five fields such as "17 */4 * * *" (UTC)'


def key_lines(text: str) -> tuple[dict[str, int], tuple[str, ...]]:
    """Line of each key by its dotted path, for messages; and a message for each key that stands there twice."""
    lines: dict[str, int] = {}
    repeated: list[str] = []

    def walk(node: yaml.Node | None, above: str, depth: int) -> None:
        if not isinstance(node, yaml.MappingNode) or depth > NAMED_DEPTH:
            return
        for key, value in node.value:
            path, line = f"{above}{key.value}", key.start_mark.line + 1
            if path in lines:
                repeated.append(
                    f"line {line}: {path}: stands there twice, first in line {lines[path]}; delete one of them"
                )
                continue
            lines[path] = line
            walk(value, f"{path}.", depth + 1)

    walk(yaml.compose(text, Loader=yaml.SafeLoader), "", 1)
    return lines, tuple(repeated)


def readable(error: ValidationError, known: Any) -> list[str]:
    """Each error as `path: what is expected`, without the value: it may be a secret."""
    lines = []
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        path = ".".join(str(part) for part in item["loc"])
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = f"unknown key{suggestion(str(item['loc'][-1]), known)}"
        elif item["type"] == "missing":
            message = "is required"
        lines += [f"{path}: {part}" if path else part for part in message.split("\n")]
    return lines


def suggestion(word: str, known: Any) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" - did you mean {close[0]}?" if close else ""

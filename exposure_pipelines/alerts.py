"""Who hears of a failed run or a partial sync: a webhook and e-mail, named in the home's alerts.yaml.

```yaml
webhook: {url: {env: ALERT_WEBHOOK}}            # the address is a secret with most services
email:
  host: mail.corp.example
  port: 587                                     # starttls by default; tls: 465-style; none: in the clear, without a login
  security: starttls
  username: exposure
  password: {env: ALERT_MAIL_PASSWORD}
  sender: exposure@corp.example
  recipients: [secops@corp.example]
ui: https://dagster.corp.example                # links in the messages, optional
```
"""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from exposure_pipelines.connections import SecretReference, readable
from exposure_pipelines.errors import ConfigurationError, WorkFailed

ALERTS_FILE = "alerts.yaml"
#: Seconds that telling may take: the daemon that does it has other work.
TIMEOUT = 15

#: How a message says each state.
STATES = {
    "failed": "failed",
    "partial": "is partial",
    "complete": "is complete again",
    "overdue": "is overdue",
    "on time": "is on time again",
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Webhook(_Strict):
    """A POST of JSON to an https address."""

    url: SecretReference


class Mail(_Strict):
    """One message to all recipients."""

    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password: SecretReference | None = None
    sender: str = Field(min_length=3)
    recipients: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _no_password_in_the_clear(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("expected username and password together, or neither")
        if self.password is not None and self.security == "none":
            raise ValueError("a password is not sent in the clear: set security to starttls or tls")
        return self


class Alerts(_Strict):
    """The whole file."""

    webhook: Webhook | None = None
    email: Mail | None = None
    ui: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """A run as a person needs to hear of it: what, when, why, what to do; or one that nobody started, without a run_id.

    state: failed, partial, complete, overdue or on time.
    """

    job: str
    instance: str
    partition: str
    cause: str
    run_id: str
    link: str = ""
    state: str = "failed"

    @property
    def title(self) -> str:
        what = f"sync of {self.instance}" if self.instance else self.job
        how = STATES[self.state]
        return f"Exposure pipelines: {what} {how}" + (f" ({self.partition})" if self.partition else "")

    @property
    def text(self) -> str:
        where = [f"Run {self.run_id}"] if self.run_id else []
        return "\n".join([self.title, "", self.cause, "", *where, *([self.link] if self.link else [])]).rstrip()


def load_alerts(root: Path) -> Alerts:
    """The file of a home; nobody is told where there is none.

    Raises:
        ConfigurationError: the file is not valid; every mistake by name. Values are not repeated: one may be a secret.
    """
    path = root / ALERTS_FILE
    if not path.exists():
        return Alerts()
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        return Alerts.model_validate(document)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{path} cannot be read: {type(error).__name__}") from None
    except ValidationError as error:
        raise ConfigurationError(f"{path}: {'; '.join(readable(error, Alerts.model_fields))}") from None


def send(alerts: Alerts, alert: Alert) -> None:
    """Tells everybody; one way that fails does not keep the other from being tried.

    Raises:
        WorkFailed: which way failed and why, without its address.
    """
    failed = []
    for name, way in (("webhook", alerts.webhook), ("email", alerts.email)):
        try:
            if isinstance(way, Webhook):
                post(way, alert)
            elif isinstance(way, Mail):
                mail(way, alert)
        except Exception as error:  # noqa: BLE001 - whatever fails, the other way is tried and the failure is told
            failed.append(f"{name}: {type(error).__name__}{known(error)}")
    if failed:
        raise WorkFailed(f"the alert about {alert.job} could not be sent by {'; '.join(failed)}")


def known(error: Exception) -> str:
    """The parts of an error that hold no address."""
    if isinstance(error, WorkFailed):
        return f" ({error})"
    code = getattr(error, "smtp_code", None)
    return f" ({code})" if code else ""


def post(webhook: Webhook, alert: Alert) -> None:
    """`text` is what chat services show; the other members are for machines."""
    import requests

    url = webhook.url.read()
    if not url.startswith("https://") and not url.startswith(("http://127.0.0.1", "http://localhost", "http://[::1]")):
        raise WorkFailed("the address must begin with https://")
    body: dict[str, Any] = {"text": alert.text, "title": alert.title, **asdict(alert)}
    answer = requests.post(url, json=body, timeout=TIMEOUT, allow_redirects=False)
    if not answer.ok:
        raise WorkFailed(f"it answered {answer.status_code}")


def mail(settings: Mail, alert: Alert) -> None:
    message = EmailMessage()
    message["Subject"] = " ".join(alert.title.split())[:200]
    message["From"] = settings.sender
    message["To"] = ", ".join(settings.recipients)
    message.set_content(alert.text)
    context = ssl.create_default_context()
    if settings.security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(settings.host, settings.port, timeout=TIMEOUT, context=context)
    else:
        server = smtplib.SMTP(settings.host, settings.port, timeout=TIMEOUT)
    with server:
        if settings.security == "starttls":
            server.starttls(context=context)
        if settings.username is not None and settings.password is not None:
            server.login(settings.username, settings.password.read())
        server.send_message(message)

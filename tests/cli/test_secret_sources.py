"""Where secrets come from."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest
from pydantic import ValidationError

from connector_assets.kit.errors import FixConfiguration
from exposure_pipelines.connections import SecretReference


class Vault:
    kept = {"estate/tenable#secret": "s3cret-of-the-vault"}

    def read(self, key: str) -> str:
        if key not in self.kept:
            raise LookupError(f"the vault has no {key}")
        return self.kept[key]


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> None:
    class Found:
        def load(self) -> type[Vault]:
            return Vault

    def entry_points(*, group: str, name: str) -> list[Found]:
        assert group == "exposure_pipelines.secrets"
        return [Found()] if name == "vault" else []

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)


def test_a_secret_manager_of_an_installed_package_is_asked_late_and_by_name(vault: None) -> None:
    reference = SecretReference.model_validate({"manager": "vault", "key": "estate/tenable#secret"})
    assert reference.missing() is None
    assert reference.read() == "s3cret-of-the-vault"
    assert "s3cret" not in repr(reference)


def test_what_is_missing_is_said_and_where_it_should_be(vault: None, tmp_path: Path) -> None:
    for reference, said in (
        ({"manager": "vault", "key": "other"}, "the vault has no other"),
        ({"manager": "nobody", "key": "x"}, "no installed package brings a secret manager nobody"),
        ({"env": "NOT_SET_ANYWHERE"}, "NOT_SET_ANYWHERE is not set"),
        ({"file": str(tmp_path / "gone")}, "is not a readable file"),
    ):
        with pytest.raises(FixConfiguration, match=said):
            SecretReference.model_validate(reference).read()


@pytest.mark.parametrize(
    "reference", [{"manager": "vault"}, {"key": "x"}, {"env": "A", "file": "/b"}, {"env": "A", "manager": "b"}, {}]
)
def test_half_a_reference_is_refused_without_repeating_it(reference: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="expected"):
        SecretReference.model_validate(reference)

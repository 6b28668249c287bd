"""YAML as plain values, by the fast parser where PyYAML has it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML built without libyaml: slower, same result
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

_MERGE, _BOOLEAN, _TEXT = (f"tag:yaml.org,2002:{name}" for name in ("merge", "bool", "str"))


def load_yaml(text: str) -> Any:
    """The one document of the text.

    Raises:
        yaml.YAMLError: it is no YAML.
    """
    return yaml.load(text, Loader=_Loader)


class _Handwritten(_Loader):
    """Keys as they are written, each once: plain YAML reads `on:` as true, and of two `decisions:` takes the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
                continue
            if key.tag == _BOOLEAN:
                key.tag = _TEXT
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"`{key.value}` is given twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def load_handwritten(text: str) -> Any:
    """As `load_yaml`, for what a person wrote: a key that is given twice is refused, and `on` is a key.

    Raises:
        yaml.YAMLError: it is no YAML, or a key is given twice; with the line.
    """
    return yaml.load(text, Loader=_Handwritten)

"""Keys of configurations without the fields at their defaults, so that a new field changes no existing key."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields, is_dataclass
from typing import Any


def description(config: Any) -> Any:
    """A configuration (a dataclass) as JSON values with all its fields; any other value as JSON values."""

    def plain(value: Any) -> Any:
        return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)

    return json.loads(json.dumps(config, default=plain))


def config_key(config: Any, described: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The fields of a configuration that differ from their defaults, as JSON values; equal for equal configurations.

    A new field with a default changes the key of no existing configuration.

    Args:
        config: a dataclass; fields that are dataclasses themselves are shortened in the same way.
        described: a `description` of another configuration of the same class; its key is computed instead. It may lack
            fields, for example when an earlier release wrote it: these are at their defaults.
    """
    described = description(config) if described is None else described
    key = {name: value for name, value in described.items() if name not in {f.name for f in fields(config)}}
    for field in fields(config):
        if field.name not in described:
            continue
        value, default = getattr(config, field.name), _default(field)
        short = described[field.name]
        if is_dataclass(value) and isinstance(short, Mapping):
            short = config_key(value, short)
        if short != (config_key(default) if is_dataclass(default) else description(default)):
            key[field.name] = short
    return key


def _default(field: Any) -> Any:
    """The default of a field of a dataclass; for a field without one, an object that equals nothing else."""
    return field.default_factory() if field.default_factory is not MISSING else field.default


def same_inputs(stored: Any, inputs: dict[str, Any]) -> bool:
    """Whether stored inputs say the same as `inputs`.

    Configurations (dataclasses among `inputs`) are compared without the fields at their defaults, so that a folder
    stays current when a field is added to their class.
    """
    return (
        isinstance(stored, dict)
        and stored.keys() == inputs.keys()
        and all(
            config_key(value, stored[name]) == config_key(value)
            if is_dataclass(value) and isinstance(stored[name], dict)
            else stored[name] == description(value)
            for name, value in inputs.items()
        )
    )

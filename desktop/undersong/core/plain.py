"""Dataclasses to plain JSON values and back, with a sentence for whatever does not fit."""

from __future__ import annotations

import dataclasses
import functools
import math
import types
import typing
from typing import Any, TypeVar

T = TypeVar("T")


def to_plain(value: Any, digits: int | None = None) -> Any:
    """Dataclasses become dicts, tuples lists; floats are rounded to ``digits`` significant digits if given.

    Raises ValueError for a float that is not a number or not finite, because JSON has no word for it.
    """
    if isinstance(value, (str, int)) or value is None:
        return value
    if not isinstance(value, type) and (names := _field_names(type(value))):
        return {name: to_plain(getattr(value, name), digits) for name in names}
    if isinstance(value, (tuple, list)):
        return [to_plain(v, digits) for v in value]
    if isinstance(value, dict):
        return {str(k): to_plain(v, digits) for k, v in value.items()}
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} cannot be written as JSON")
        return value if digits is None else float(f"{value:.{digits}g}")
    return value


@functools.cache
def _field_names(kind: type) -> tuple[str, ...]:
    return tuple(f.name for f in dataclasses.fields(kind)) if dataclasses.is_dataclass(kind) else ()


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def from_plain(kind: type[T], value: Any, where: str = "") -> T:
    """Build ``kind`` from plain values; unknown keys are ignored, missing ones need a default.

    Raises ValueError with a sentence naming the field.
    """
    return typing.cast("T", _build(kind, value, where or getattr(kind, "__name__", str(kind))))


def _build(kind: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return value
    if dataclasses.is_dataclass(kind):
        return _build_dataclass(kind, value, where)
    if origin is typing.Literal:
        return _expect(value in arguments, value, where, f"one of {', '.join(map(str, arguments))}")
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _build(next(a for a in arguments if a is not type(None)), value, where)
    if origin in (tuple, list):
        _expect(isinstance(value, (list, tuple)), value, where, "a list")
        return origin(_build(arguments[0], v, f"{where}[{i}]") for i, v in enumerate(value))
    if origin is dict:
        _expect(isinstance(value, dict), value, where, "an object")
        return {k: _build(arguments[1], v, f"{where}.{k}") for k, v in value.items()}
    return _build_simple(kind, value, where)


def _build_simple(kind: Any, value: Any, where: str) -> Any:
    if kind is float:
        _expect(isinstance(value, (int, float)) and not isinstance(value, bool), value, where, "a number")
        return float(_expect(math.isfinite(value), value, where, "a finite number"))
    if kind is int:
        return _expect(isinstance(value, int) and not isinstance(value, bool), value, where, "a whole number")
    if kind is bool:
        return _expect(isinstance(value, bool), value, where, "true or false")
    if kind is str:
        return _expect(isinstance(value, str), value, where, "a text")
    raise TypeError(f"{where}: no rule for {kind}")


def _build_dataclass(kind: Any, value: Any, where: str) -> Any:
    _expect(isinstance(value, dict), value, where, "an object")
    hints, given = _hints(kind), {}
    for field in dataclasses.fields(kind):
        if field.name in value:
            given[field.name] = _build(hints[field.name], value[field.name], f"{where}.{field.name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise ValueError(f"{where}: the field “{field.name}” is missing")
    return kind(**given)


def _expect(fine: bool, value: Any, where: str, wanted: str) -> Any:
    if not fine:
        raise ValueError(f"{where} should be {wanted}, not {str(value)[:40]!r}")
    return value

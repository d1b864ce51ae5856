"""Model fields whose column holds sealed bytes and whose attribute opens them.

A field `name` gives the instance two attributes, as a foreign key does: `name_sealed`, the raw bytes that the
database holds, and `name`, which opens them. Only sealed bytes (or a value that waits for `save`) stay in memory."""

import contextlib
from typing import Any, cast
from uuid import UUID

import orjson
from django.core.exceptions import FieldError
from django.db import models

from vault.ciphers import Cipher, place
from vault.errors import SealBroken
from vault.keys import KeySet
from vault.services import load_data_keys

_KEYS = "_vault_keys"


class Unsealed:
    """A value assigned to a sealed field and not yet saved. Its representation never shows it."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def __repr__(self) -> str:
        return "<unsealed value>"

    def __reduce__(self) -> str:
        raise TypeError("A value that is not sealed yet is never pickled.")


class SealedModel(models.Model):
    """A model with sealed fields: names the subject whose data keys seal them."""

    class Meta:
        abstract = True

    @property
    def sealing_subject(self) -> UUID:
        return cast(UUID, self.pk)

    def sealed(self, field_name: str) -> bytes | None:
        """The raw sealed bytes of a field."""
        field = cast(SealedTextField, self._meta.get_field(field_name))
        return cast("bytes | None", getattr(self, field.attname))


class _Opens:
    """The attribute that opens through the instance: with the keys attached to it, or by loading its subject's."""

    def __init__(self, field: "SealedTextField") -> None:
        self.field = field

    def __get__(self, instance: models.Model | None, owner: type[models.Model]) -> Any:
        if instance is None:
            return self
        value = getattr(instance, self.field.attname)
        if value is None:
            return None
        if isinstance(value, Unsealed):
            return value.value
        return self.field.opened(instance, value)

    def __set__(self, instance: models.Model, value: object) -> None:
        if isinstance(value, memoryview):
            value = bytes(value)
        elif value is not None and not isinstance(value, bytes | Unsealed):
            value = Unsealed(value)
        setattr(instance, self.field.attname, value)


class SealedTextField(models.BinaryField):  # type: ignore[type-arg]
    """Text, sealed under the subject's data key of `category`, bound to table, column and record.

    Reading opens it (SealBroken, KeyDestroyed). Assigning text waits for `save`, `create` or `bulk_create`, which
    seal it with the subject's key (KeyMissing if there is none yet); assigning bytes sets the sealed value itself.
    `QuerySet.update` and `bulk_update` take sealed bytes only. Filtering by value is an error: use a blind index."""

    _pyi_private_set_type: "str | bytes | None"
    _pyi_private_get_type: "str | None"  # type: ignore[assignment]

    def __init__(self, *args: Any, category: str = "", **kwargs: Any) -> None:
        self.category = str(category)
        kwargs["null"] = kwargs["blank"] = True
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("null", None)
        kwargs.pop("blank", None)
        return name, path, args, {**kwargs, "category": self.category}

    def get_attname(self) -> str:
        return f"{self.name}_sealed"

    def get_attname_column(self) -> tuple[str, str]:
        return self.get_attname(), self.db_column or self.name

    def contribute_to_class(self, cls: type[models.Model], name: str, private_only: bool = False) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, name, _Opens(self))

    def from_db_value(self, value: object, *_: object) -> bytes | None:
        return None if value is None else bytes(cast(memoryview, value))

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        raise FieldError(f"{self.name} is sealed and cannot be compared; search by its blind index.")

    def get_prep_value(self, value: Any) -> Any:
        if value is not None and not isinstance(value, bytes | memoryview):
            raise TypeError(f"{self.name} takes sealed bytes here; save the instance to seal a value.")
        return super().get_prep_value(value)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = getattr(model_instance, self.attname)
        if isinstance(value, Unsealed):
            value = self._cipher(model_instance).seal(self.encode(value.value), self._place(model_instance))
            setattr(model_instance, self.attname, value)
        return value

    def to_python(self, value: Any) -> Any:
        return value

    def opened(self, instance: models.Model, sealed: bytes) -> Any:
        plain = self._cipher(instance).open(bytes(sealed), self._place(instance))
        # Raised after the handler: a decoding error carries the plaintext and must not become the context.
        with contextlib.suppress(ValueError):
            return self.decode(plain)
        raise SealBroken

    def encode(self, value: Any) -> bytes:
        if not isinstance(value, str):
            raise TypeError(f"{self.name} takes text.")
        return value.encode()

    def decode(self, plain: bytes) -> Any:
        return plain.decode()

    def _place(self, instance: models.Model) -> bytes:
        return place(self.model._meta.db_table, cast(str, self.column), instance.pk)

    def _cipher(self, instance: models.Model) -> Cipher:
        subject: UUID = instance.sealing_subject  # type: ignore[attr-defined]
        keys: KeySet | None = instance.__dict__.get(_KEYS)
        if keys is None or (subject, self.category) not in keys:
            keys = instance.__dict__[_KEYS] = load_data_keys([subject])
        return keys.cipher(subject, self.category)


class SealedJSONField(SealedTextField):
    """The same for a JSON document (RFC 8259, UTF-8, compact)."""

    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def encode(self, value: Any) -> bytes:
        return orjson.dumps(value)

    def decode(self, plain: bytes) -> Any:
        return orjson.loads(plain)

"""Connections: how to reach another system, written as a URI, as JSON, or as fields.

Rules: ``spec/semantics.md`` section 8.5. Also the class that hooks of provider packages get.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from .exceptions import AirflowException, AirflowNotFoundException, InvalidValueError
from .secrets_masker import is_secret_name, mask_secret

#: Key of the query under which extras stand that are not flat text.
EXTRA_KEY = "__extra__"
ID_LENGTH_MAX = 250
_ALLOWED_ID = re.compile(r"[\w#!()\-.:/\\]{1,250}")
_FIELDS = ("conn_id", "conn_type", "description", "host", "login", "password", "schema")


def is_valid_conn_id(conn_id: str) -> bool:
    """Tell whether a connection may have this id."""
    return _ALLOWED_ID.fullmatch(conn_id) is not None


class Connection:
    """One connection. ``extra`` is JSON text; ``extra_dejson`` its object.

    Raises:
        AirflowException: *uri* together with other fields, or a URI that cannot be read.
        ValueError: a port that is no number.
    """

    EXTRA_KEY = EXTRA_KEY

    def __init__(
        self,
        conn_id: str | None = None,
        conn_type: str | None = None,
        description: str | None = None,
        host: str | None = None,
        login: str | None = None,
        password: str | None = None,
        schema: str | None = None,
        port: int | str | None = None,
        extra: str | Mapping[str, Any] | None = None,
        uri: str | None = None,
    ) -> None:
        self.conn_id = conn_id
        self.description = description
        self.conn_type: str = conn_type or ""
        self.host = host
        self.login = login
        self.password = password
        self.schema = schema
        self.port = _read_port(port)
        self.extra = _read_extra(extra)
        if uri:
            if conn_type or host or login or password or schema or port or extra:
                raise AirflowException(
                    "a connection is given either as a URI or as fields, not as both"
                )
            self.parse_from_uri(uri)

    def parse_from_uri(self, uri: str) -> None:
        """Take every field from a URI.

        Raises:
            AirflowException: it cannot be read.
        """
        if uri.count("://") > 2:
            raise AirflowException("a connection's URI has at most one protocol within its host")
        scheme, separator, tail = uri.partition("://")
        scheme = scheme.replace("_", "-")  # not allowed in a URI's scheme, but people write it
        rest, protocol = f"{scheme}{separator}{tail}", ""
        inner_scheme, inner_separator, inner_tail = tail.partition("://")
        if separator and inner_separator:  # http://https://host: the host names a protocol
            rest, protocol = f"{scheme}://{inner_tail}", f"{inner_scheme}://"
        try:
            parts = urlsplit(rest)
            port = parts.port
        except ValueError as error:
            raise AirflowException(f"the connection's URI cannot be read: {error}") from error
        self.conn_type = normalise_type(parts.scheme or uri.partition(":")[0])
        host = unquote(_host_of(parts.netloc)) if parts.netloc else ""
        self.host = f"{protocol}{host}" if host or protocol else host
        self.schema = unquote(parts.path[1:]) if parts.path else ""
        self.login = unquote(parts.username) if parts.username else parts.username
        self.password = unquote(parts.password) if parts.password else parts.password
        self.port = port
        self.extra = _extra_of_query(parts.query)

    def get_uri(self) -> str:
        """Return the connection as a URI that gives it again."""
        scheme = f"{self.conn_type.lower().replace('_', '-')}://" if self.conn_type else "//"
        protocol, separator, host = (self.host or "").partition("://")
        if separator:
            scheme += f"{protocol}://"
        else:
            host = self.host or ""
        authority = ""
        if self.login is not None:
            authority += quote(self.login, safe="")
        if self.password is not None:
            authority += ":" + quote(self.password, safe="")
        if authority:
            authority += "@"
        address = quote(host, safe="")
        if self.port is not None:
            address += f":{self.port}" if address or authority else f"@:{self.port}"
        path = f"/{quote(self.schema, safe='')}" if self.schema else ""
        return f"{scheme}{authority}{address}{path}{self._query_of_extra(bool(path))}"

    def _query_of_extra(self, has_path: bool) -> str:
        if not self.extra:
            return ""
        start = "?" if has_path else "/?"
        extra = self.extra_dejson
        is_flat = all(isinstance(k, str) and isinstance(v, str) for k, v in extra.items())
        query = urlencode(extra) if extra and is_flat else ""
        if query and dict(parse_qsl(query, keep_blank_values=True)) == extra:
            return start + query
        return start + urlencode({EXTRA_KEY: self.extra})

    @property
    def extra_dejson(self) -> dict[str, Any]:
        """The extras as a dict; empty where there are none, or none that can be read."""
        return self.get_extra_dejson()

    def get_extra_dejson(self, nested: bool = False) -> dict[str, Any]:
        """Return the extras as a dict; *nested*: JSON texts in it are read as well."""
        if not self.extra:
            return {}
        try:
            extra = json.loads(self.extra)
        except ValueError:
            return {}
        if not isinstance(extra, dict):
            return {}
        if nested:
            for key, value in extra.items():
                if isinstance(value, str):
                    try:
                        extra[key] = json.loads(value)
                    except ValueError:
                        continue
        return extra

    def get_extra(self) -> str | None:
        """Return the extras as JSON text."""
        return self.extra

    def set_extra(self, value: str | Mapping[str, Any] | None) -> None:
        """Replace the extras."""
        self.extra = _read_extra(value)

    def get_password(self) -> str | None:
        """Return the password."""
        return self.password

    def set_password(self, value: str | None) -> None:
        """Replace the password."""
        self.password = value

    def to_dict(self, *, prune_empty: bool = False, validate: bool = True) -> dict[str, Any]:
        """Return the fields; ``extra`` as an object."""
        fields: dict[str, Any] = {name: getattr(self, name) for name in _FIELDS}
        fields.update(port=self.port, extra=self.extra_dejson)
        if prune_empty:
            fields = {name: value for name, value in fields.items() if value not in (None, "", {})}
        return fields

    def as_json(self) -> str:
        """Return the connection as JSON that ``from_json`` reads."""
        fields = self.to_dict(prune_empty=True)
        fields.pop("conn_id", None)
        return json.dumps(fields)

    def to_fields(self) -> dict[str, Any]:
        """Return the fields as ``from_fields`` takes them: ``extra`` stays text."""
        return {
            **{name: getattr(self, name) for name in _FIELDS},
            "port": self.port,
            "extra": self.extra,
        }

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Connection:
        """Build a connection out of stored fields; unknown ones are left out."""
        known = (*_FIELDS, "port", "extra")
        return cls(**{name: fields[name] for name in known if name in fields})

    @classmethod
    def from_json(cls, value: str, conn_id: str | None = None) -> Connection:
        """Build a connection out of JSON: fields, or ``uri``.

        Raises:
            ValueError: no JSON object, an unknown field, or a port that is no number.
        """
        try:
            fields = json.loads(value)
        except ValueError as error:
            raise InvalidValueError(f"the connection's JSON cannot be read: {error}") from error
        if not isinstance(fields, dict):
            raise InvalidValueError("a connection's JSON is an object")
        fields.pop("conn_id", None)
        if "type" in fields and "conn_type" not in fields:
            fields["conn_type"] = fields.pop("type")
        unknown = sorted(set(fields) - {*_FIELDS, "port", "extra", "uri"})
        if unknown:
            raise InvalidValueError(f"a connection has no field {', '.join(unknown)}")
        if fields.get("conn_type"):
            fields["conn_type"] = normalise_type(str(fields["conn_type"]))
        return cls(conn_id=conn_id, **fields)

    @classmethod
    def from_text(cls, value: str, conn_id: str | None = None) -> Connection:
        """Build a connection out of an environment variable: JSON if it begins with ``{``."""
        value = value.strip()
        if value.startswith("{"):
            return cls.from_json(value, conn_id)
        return cls(conn_id=conn_id, uri=value)

    @classmethod
    def from_uri(cls, uri: str, conn_id: str | None = None) -> Connection:
        """Build a connection out of a URI."""
        return cls(conn_id=conn_id, uri=uri)

    @classmethod
    def get(cls, conn_id: str) -> Connection:
        """Return a connection by its id (Airflow 3); its secrets are masked from then on.

        Raises:
            AirflowNotFoundException: there is none.
        """
        from .secrets_lookup import find_connection

        connection = find_connection(conn_id)
        if connection is None:
            raise AirflowNotFoundException(
                f"there is no connection {conn_id!r}: add it with `tradewind connections add`, on "
                f"the page Connections, or as AIRFLOW_CONN_{conn_id.upper()}"
            )
        return connection

    #: Airflow 2's name.
    get_connection_from_secrets = get

    def mask_secrets(self) -> None:
        """Keep the password and sensitive extras out of logs from now on."""
        if self.password:
            mask_secret(self.password)
            mask_secret(quote(self.password))
        for name, value in self.extra_dejson.items():
            if is_secret_name(name):
                mask_secret(value)
            elif isinstance(value, Mapping):
                mask_secret(value, name)

    def get_hook(self, *, hook_params: Mapping[str, Any] | None = None) -> Any:
        """Return a hook of the provider that serves this type of connection.

        Raises:
            AirflowException: no installed provider serves the type.
        """
        from .providers_manager import hook_class

        found = hook_class(self.conn_type)
        return found.hook(**{found.connection_id_name: self.conn_id}, **(hook_params or {}))

    def test_connection(self) -> tuple[bool, str]:
        """Ask the provider's hook whether the other side answers; return that, and its text."""
        from .secrets_lookup import ask_first, stop_asking

        asked = _OneConnection(self)
        ask_first(asked)
        try:
            hook = self.get_hook()
            if not hasattr(hook, "test_connection"):
                return False, f"{type(hook).__name__} cannot test a connection"
            is_well, text = hook.test_connection()
            return bool(is_well), str(text)
        except Exception as error:  # noqa: BLE001 - the answer says what it was
            return False, str(error)
        finally:
            stop_asking(asked)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Connection):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        # Without host and login: a repr lands in logs.
        return f"Connection(conn_id={self.conn_id!r}, conn_type={self.conn_type!r})"

    def __str__(self) -> str:
        return self.conn_id or ""


class _OneConnection:
    """Finds one connection that may be stored nowhere: what is tested before it is saved."""

    def __init__(self, connection: Connection) -> None:
        if not connection.conn_id:
            connection.conn_id = "tested"
        self._connection = connection

    def get_connection(self, conn_id: str) -> Connection | None:
        """Return it, if it is that one."""
        return self._connection if conn_id == self._connection.conn_id else None

    def get_variable(self, key: str) -> None:
        """Have none."""


def normalise_type(conn_type: str) -> str:
    """Return a connection's type as it is stored: ``my-type`` is ``my_type``."""
    if conn_type == "postgresql":
        return "postgres"
    return conn_type.replace("-", "_")


def _host_of(authority: str) -> str:
    """Return the host of ``user:password@host:port`` in its own case (urlsplit lowers it)."""
    address = authority.rpartition("@")[2]
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.rpartition(":")[0] if ":" in address else address


def _extra_of_query(query: str) -> str | None:
    if not query:
        return None
    pairs = dict(parse_qsl(query, keep_blank_values=True))
    return pairs[EXTRA_KEY] if EXTRA_KEY in pairs else json.dumps(pairs)


def _read_port(port: Any) -> int | None:
    if port is None or port == "":
        return None
    try:
        return int(port)
    except (TypeError, ValueError):
        raise InvalidValueError(f"a connection's port is a number, not {port!r}") from None


def _read_extra(extra: Any) -> str | None:
    if isinstance(extra, Mapping):
        return json.dumps(dict(extra))
    return extra  # type: ignore[no-any-return]

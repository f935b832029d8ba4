"""Assets (datasets in Airflow 2): names of data that tasks produce and schedules wait for.

Rules: semantics section 4.10. ``a & b | c`` builds conditions out of them.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from .deprecation import warn_author
from .exceptions import InvalidArgumentError, InvalidValueError

_URI_LENGTH_MAX = 3000


def normalise_uri(uri: str) -> str:
    """Return the one spelling of a URI: scheme in lower case, query sorted, no fragment.

    A password in it is dropped with a warning: URIs are shown to everyone.

    Raises:
        ValueError: empty, too long, or with the reserved scheme ``airflow``.
    """
    if not isinstance(uri, str):
        raise InvalidArgumentError(f"a URI is a text, not {type(uri).__name__}")
    if not uri.strip():
        raise InvalidValueError("an asset's URI must not be empty")
    if len(uri) > _URI_LENGTH_MAX:
        raise InvalidValueError(f"an asset's URI has at most {_URI_LENGTH_MAX} characters")
    parsed = urllib.parse.urlsplit(uri)
    if not parsed.scheme and not parsed.netloc:
        return uri
    scheme = parsed.scheme.lower()
    if scheme.startswith("x-"):
        return uri
    if scheme == "airflow":
        raise InvalidValueError("the scheme 'airflow' is reserved")
    login, at, host = parsed.netloc.rpartition("@")
    if ":" in login:
        warn_author(
            "the password in an asset's URI is left out: keep it in a connection", UserWarning
        )
        login = login.partition(":")[0]
    query = urllib.parse.urlencode(sorted(urllib.parse.parse_qsl(parsed.query)))
    path = parsed.path.rstrip("/") or parsed.path[:1] if parsed.path.strip("/") else ""
    return urllib.parse.urlunsplit((scheme, f"{login}{at}{host}", path, query, ""))


class BaseAsset:
    """What a schedule can wait for: an asset, an alias, or a condition made of them."""

    def __or__(self, other: Any) -> AssetAny:
        if not isinstance(other, BaseAsset):
            return NotImplemented
        return AssetAny(self, other)

    def __and__(self, other: Any) -> AssetAll:
        if not isinstance(other, BaseAsset):
            return NotImplemented
        return AssetAll(self, other)

    def __bool__(self) -> bool:
        return True

    def iter_assets(self) -> Iterator[Asset]:
        """Yield every asset that is named."""
        yield from ()

    def iter_asset_aliases(self) -> Iterator[AssetAlias]:
        """Yield every alias that is named."""
        yield from ()

    def as_expression(self) -> Any:
        """Return the condition as plain data, as the API shows it."""
        raise NotImplementedError


class Asset(BaseAsset):
    """A piece of data, known by *name* and *uri* (one of them is enough: it is both then).

    Raises:
        ValueError: a name or URI that is empty or too long, or neither.
    """

    asset_type: ClassVar[str] = "asset"

    def __init__(
        self,
        name: str | None = None,
        uri: str | None = None,
        *,
        group: str | None = None,
        extra: dict[str, Any] | None = None,
        watchers: list[AssetWatcher] | None = None,
        access_control: AssetAccessControl | None = None,
    ) -> None:
        if name is None and uri is None:
            raise InvalidArgumentError("an asset needs a name or a URI")
        uri_text = str(uri) if uri is not None else str(name)
        self.name = _checked_name(str(name) if name is not None else str(uri))
        self.uri = normalise_uri(uri_text)
        self.group = group or self.asset_type
        self.extra: dict[str, Any] = dict(extra or {})
        self.watchers = list(watchers or [])
        self.access_control = access_control

    @staticmethod
    def ref(*, name: str = "", uri: str = "") -> AssetRef:
        """Refer to an asset that another DAG defines, by name or by URI."""
        if bool(name) == bool(uri):
            raise InvalidArgumentError("a reference needs either a name or a URI")
        return AssetNameRef(name) if name else AssetUriRef(uri)

    def __fspath__(self) -> str:
        return self.uri

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Asset):
            return NotImplemented
        return (self.name, self.uri) == (other.name, other.uri)

    def __hash__(self) -> int:
        return hash((self.name, self.uri))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, uri={self.uri!r})"

    @property
    def normalized_uri(self) -> str:
        """The URI in its one spelling."""
        return self.uri

    def iter_assets(self) -> Iterator[Asset]:
        yield self

    def as_expression(self) -> Any:
        return {"asset": {"uri": self.uri, "name": self.name, "group": self.group}}

    def serialize(self) -> dict[str, Any]:
        """Return what an XCom keeps of it."""
        return {"name": self.name, "uri": self.uri, "group": self.group, "extra": self.extra}

    @staticmethod
    def deserialize(data: dict[str, Any], version: int) -> Asset:
        """Return the asset that an XCom holds."""
        return Asset(data["name"], data["uri"], group=data["group"], extra=data["extra"])


class Dataset(Asset):
    """Airflow 2's name: the URI comes first."""

    asset_type: ClassVar[str] = "dataset"

    def __init__(
        self,
        uri: str | None = None,
        extra: dict[str, Any] | str | None = None,
        *,
        name: str | None = None,
        group: str | None = None,
        watchers: list[AssetWatcher] | None = None,
    ) -> None:
        # A name in the second place is Airflow 3's order; a dict there is Airflow 2's extra.
        if isinstance(extra, str):
            name, uri, extra = uri, extra, None
        super().__init__(name, uri, group=group, extra=extra, watchers=watchers)


class Model(Asset):
    """A machine learning model."""

    asset_type: ClassVar[str] = "model"


class AssetRef(BaseAsset):
    """A reference to an asset that is defined elsewhere."""

    def __init__(self, value: str) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._value == other._value

    def __hash__(self) -> int:
        return hash((type(self), self._value))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._value!r})"


class AssetNameRef(AssetRef):
    """A reference by name."""

    @property
    def name(self) -> str:
        """The asset's name."""
        return self._value

    def as_expression(self) -> Any:
        return {"asset_ref": {"name": self._value}}


class AssetUriRef(AssetRef):
    """A reference by URI."""

    @property
    def uri(self) -> str:
        """The asset's URI."""
        return self._value

    def as_expression(self) -> Any:
        return {"asset_ref": {"uri": self._value}}


class AssetAlias(BaseAsset):
    """A name to which assets are linked while tasks run."""

    def __init__(self, name: str, group: str = "asset") -> None:
        self.name = _checked_name(name)
        self.group = group

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AssetAlias) and self.name == other.name

    def __hash__(self) -> int:
        return hash(("alias", self.name))

    def __repr__(self) -> str:
        return f"AssetAlias(name={self.name!r})"

    def iter_asset_aliases(self) -> Iterator[AssetAlias]:
        yield self

    def as_expression(self) -> Any:
        return {"alias": {"name": self.name, "group": self.group}}


DatasetAlias = AssetAlias


class AssetBooleanCondition(BaseAsset):
    """Several assets or conditions, joined."""

    word: ClassVar[str] = ""

    def __init__(self, *objects: BaseAsset) -> None:
        if not all(isinstance(member, BaseAsset) for member in objects):
            raise InvalidArgumentError("a condition is made of assets")
        # (a | b) | c is a | b | c
        self.objects: list[BaseAsset] = [
            inner
            for member in objects
            for inner in (member.objects if type(member) is type(self) else [member])
        ]

    def iter_assets(self) -> Iterator[Asset]:
        seen: set[Asset] = set()
        for member in self.objects:
            for asset in member.iter_assets():
                if asset not in seen:
                    seen.add(asset)
                    yield asset

    def iter_asset_aliases(self) -> Iterator[AssetAlias]:
        for member in self.objects:
            yield from member.iter_asset_aliases()

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.objects == other.objects

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.objects))})"

    def as_expression(self) -> Any:
        return {self.word: [member.as_expression() for member in self.objects]}


class AssetAny(AssetBooleanCondition):
    """At least one."""

    word: ClassVar[str] = "any"


class AssetAll(AssetBooleanCondition):
    """All."""

    word: ClassVar[str] = "all"


DatasetAny = AssetAny
DatasetAll = AssetAll


@dataclass(frozen=True)
class AssetAccessControl:
    """Which teams may make or use events of an asset (Airflow 3.3). Kept, and without effect:
    there is one team here.
    """

    producer_teams: list[str] = field(default_factory=list)
    consumer_teams: list[str] | None = None
    allow_global: bool = True


class AssetWatcher:
    """Lets a trigger emit events of an asset: each of its events is one of the asset.

    Raises:
        ValueError: *trigger* is no ``BaseEventTrigger``.
    """

    def __init__(self, name: str, trigger: Any) -> None:
        from .triggers import BaseEventTrigger

        if not isinstance(trigger, BaseEventTrigger):
            raise InvalidValueError(
                f"the trigger of the asset watcher {name!r} must be a BaseEventTrigger,"
                f" not {type(trigger).__name__}"
            )
        self.name = name
        self.trigger = trigger


class Metadata:
    """Yielded by a task: *extra* for the event of one of its outlets."""

    def __init__(
        self,
        asset: Any,
        extra: dict[str, Any] | None = None,
        alias: AssetAlias | str | None = None,
    ) -> None:
        if not isinstance(asset, Asset):
            raise InvalidArgumentError("Metadata needs an asset")
        self.asset = asset
        self.extra = dict(extra or {})
        self.alias = AssetAlias(alias) if isinstance(alias, str) else alias

    @property
    def uri(self) -> str:
        """The asset's URI (Airflow 2)."""
        return self.asset.uri


def _checked_name(name: str) -> str:
    if not isinstance(name, str):
        raise InvalidArgumentError(f"an asset's name is a text, not {type(name).__name__}")
    if not name.strip():
        raise InvalidValueError("an asset's name must not be empty")
    if len(name) > _URI_LENGTH_MAX:
        raise InvalidValueError(f"an asset's name has at most {_URI_LENGTH_MAX} characters")
    return name

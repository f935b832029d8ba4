"""Params: named values of a DAG or a task, checked against a JSON schema.

Rules: semantics section 1.6. jsonschema is loaded only where a param has a schema.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from .deprecation import warn_author
from .exceptions import InvalidValueError, ParamValidationError
from .not_set import NOTSET, is_arg_set
from .resolvable import ResolveMixin

if TYPE_CHECKING:
    from .dag import DAG


class Param:
    """A default, a description, and a JSON schema given as further keywords or ``schema``."""

    CLASS_IDENTIFIER = "__class"

    def __init__(
        self,
        default: Any = NOTSET,
        description: str | None = None,
        *,
        source: Any = None,
        **kwargs: Any,
    ) -> None:
        self.value = default
        self.description = description
        self.source = source
        schema = kwargs.pop("schema", None)
        self.schema: dict[str, Any] = {**schema, **kwargs} if schema is not None else kwargs

    @property
    def has_value(self) -> bool:
        """Whether there is a value: given or default."""
        return is_arg_set(self.value)

    def resolve(self, value: Any = NOTSET, suppress_exception: bool = False) -> Any:
        """Return *value*, else the default, and keep it.

        Raises:
            ParamValidationError: no value, not JSON, or against the schema
                (None is returned instead with *suppress_exception*).
        """
        final = value if is_arg_set(value) else self.value
        try:
            if not is_arg_set(final):
                raise ParamValidationError("no value was given, and there is no default")
            check_json(final)
            self._check_schema(final)
        except ParamValidationError:
            if suppress_exception:
                return None
            raise
        self.value = final
        return final

    def _check_schema(self, value: Any) -> None:
        if not self.schema:
            return
        import jsonschema

        try:
            jsonschema.validate(value, self.schema, format_checker=jsonschema.FormatChecker())
        except jsonschema.ValidationError as error:
            raise ParamValidationError(str(error.message)) from error
        except jsonschema.SchemaError as error:
            raise ParamValidationError(f"the schema is wrong: {error.message}") from error

    def dump(self) -> dict[str, Any]:
        """Return value, schema and description as plain data."""
        return self.serialize()

    def serialize(self) -> dict[str, Any]:
        """Return value (NOTSET where there is none), schema and description."""
        return {
            "value": self.value,
            "schema": self.schema,
            "description": self.description,
            "source": self.source,
        }

    def __copy__(self) -> Param:
        return Param(
            self.value, self.description, source=self.source, schema=copy.deepcopy(self.schema)
        )

    def __repr__(self) -> str:
        return f"Param({self.value!r})"


def check_json(value: Any) -> None:
    """Refuse what JSON cannot say.

    Raises:
        ParamValidationError: always the only one.
    """
    if value is None or isinstance(value, (str, int, float, bool)):
        return
    import json

    try:
        json.dumps(value)
    except (TypeError, ValueError) as error:
        raise ParamValidationError(f"a param must be JSON: {error}") from error


class ParamsDict(MutableMapping[str, Any]):
    """Params by name. Reading gives values, assigning a value keeps the schema."""

    def __init__(
        self, dict_obj: Mapping[str, Any] | None = None, suppress_exception: bool = False
    ) -> None:
        self.suppress_exception = suppress_exception
        #: Airflow 2 only warned of values that are not JSON.
        self.is_json_optional = False
        self._params: dict[str, Param] = {}
        source = dict_obj._params if isinstance(dict_obj, ParamsDict) else dict_obj or {}
        for name, value in source.items():
            self._params[name] = copy.copy(value) if isinstance(value, Param) else Param(value)

    def __bool__(self) -> bool:
        return bool(self._params)

    def __contains__(self, key: object) -> bool:
        return key in self._params

    def __len__(self) -> int:
        return len(self._params)

    def __iter__(self) -> Iterator[str]:
        return iter(self._params)

    def __getitem__(self, key: str) -> Any:
        return self._resolve(key, self._params[key], NOTSET)

    def __setitem__(self, key: str, value: Any) -> None:
        if isinstance(value, Param):
            self._params[key] = value
        elif key in self._params:
            self._resolve(key, self._params[key], value)
        else:
            # Checked when the DAG is, so that one wrong default names the DAG as well.
            self._params[key] = Param(value)

    def __delitem__(self, key: str) -> None:
        del self._params[key]

    def _resolve(self, name: str, param: Param, value: Any) -> Any:
        try:
            return param.resolve(value, suppress_exception=self.suppress_exception)
        except ParamValidationError as error:
            final = value if is_arg_set(value) else param.value
            if self.is_json_optional and is_arg_set(final) and not param.schema:
                warn_author(f"param {name!r}: {error}")
                param.value = final
                return final
            raise ParamValidationError(f"invalid value for the param {name!r}: {error}") from error

    def get_param(self, key: str) -> Param:
        """Return the param itself, with its schema. Raises KeyError."""
        return self._params[key]

    def items(self) -> Any:
        """Return names and params (not values), as Airflow does."""
        return self._params.items()

    def values(self) -> Any:
        """Return the params themselves, as Airflow does."""
        return self._params.values()

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Assign every entry of a mapping."""
        if len(args) == 1 and not kwargs and isinstance(args[0], ParamsDict):
            self._params.update({name: copy.copy(param) for name, param in args[0]._params.items()})
            return
        super().update(*args, **kwargs)

    def dump(self) -> dict[str, Any]:
        """Return every value; None for one that does not validate."""
        return {name: param.resolve(suppress_exception=True) for name, param in self.items()}

    def validate(self) -> dict[str, Any]:
        """Return every value.

        Raises:
            ParamValidationError: for the first that does not validate; the text names it.
        """
        return {name: self._resolve(name, param, NOTSET) for name, param in self._params.items()}

    def check_defaults_are_json(self, dag_id: str) -> None:
        """Raise ParamValidationError for a default that cannot be stored."""
        for name, param in self._params.items():
            try:
                if param.has_value:
                    check_json(param.value)
            except ParamValidationError as error:
                raise ParamValidationError(
                    f"the DAG {dag_id!r}: the default of the param {name!r}: {error}"
                ) from error

    def __copy__(self) -> ParamsDict:
        other = ParamsDict(self, self.suppress_exception)
        other.is_json_optional = self.is_json_optional
        return other

    def __deepcopy__(self, memo: dict[int, Any]) -> ParamsDict:
        other = ParamsDict(
            {name: copy.deepcopy(param, memo) for name, param in self._params.items()},
            self.suppress_exception,
        )
        other.is_json_optional = self.is_json_optional
        return other

    def __eq__(self, other: object) -> bool:
        if isinstance(other, ParamsDict):
            return self.dump() == other.dump()
        return self.dump() == other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self.dump())

    @staticmethod
    def filter_params_by_source(params: ParamsDict, source: str) -> ParamsDict:
        """Return the params that came from *source*."""
        return ParamsDict({n: p for n, p in params._params.items() if p.source == source})


class DagParam(ResolveMixin):
    """A param of the DAG as a value to be passed to tasks (``@dag`` arguments, ``dag.param``)."""

    def __init__(self, current_dag: DAG, name: str, default: Any = NOTSET) -> None:
        if is_arg_set(default):
            current_dag.params[name] = default
        self._name = name
        self._default = default
        self.current_dag = current_dag

    def resolve(self, context: Mapping[str, Any]) -> Any:
        """Return what the run's conf says, else the default, else the param.

        Raises:
            AirflowException: none of them has it.
        """
        conf = getattr(context["dag_run"], "conf", None) or {}
        if self._name in conf:
            return conf[self._name]
        if is_arg_set(self._default) and not isinstance(self._default, Param):
            return self._default
        if self._name in context["params"]:
            return context["params"][self._name]
        raise InvalidValueError(
            f"no value for the param {self._name!r} of the DAG {self.current_dag.dag_id!r}"
        )

    def __repr__(self) -> str:
        return f"<DagParam {self._name!r} of {self.current_dag.dag_id!r}>"

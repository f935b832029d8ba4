"""Rendering the template fields of tasks and notifiers (semantics section 2.7).

jinja2 is imported with the first template: most tasks have none.
"""

from __future__ import annotations

import logging
import os
import weakref
from collections.abc import Callable, Collection, Mapping, Set
from typing import TYPE_CHECKING, Any

from .resolvable import ResolveMixin

if TYPE_CHECKING:
    from .dag import DAG

#: What can open a Jinja template, unless the DAG chose other marks.
_MARKS = ("{{", "{%", "{#")
_OTHER_MARKS = (
    "block_start_string",
    "variable_start_string",
    "comment_start_string",
    "line_statement_prefix",
    "line_comment_prefix",
    "keep_trailing_newline",
    "newline_sequence",
)

log = logging.getLogger(__name__)

#: id of a DAG → the DAG and its environments (native or not). By id: a DAG's own hash is costly
#: and changes while it is declared.
_environments: dict[tuple[int, bool], tuple[weakref.ref[Any], Any]] = {}


def environment_for(dag: DAG | None, *, is_native: bool | None = None) -> Any:
    """Return the Jinja environment of a DAG: always the same one, so that compiling pays.

    Args:
        is_native: render to Python values; None: as the DAG says.
    """
    if is_native is None:
        is_native = bool(getattr(dag, "render_template_as_native_obj", False))
    key = (id(dag), is_native)
    found = _environments.get(key)
    if found is not None and (dag is None or found[0]() is dag):
        return found[1]
    from .template_environment import make_environment

    environment = make_environment(dag, is_native=is_native)
    owner: Any = make_environment if dag is None else dag
    _environments[key] = (weakref.ref(owner, lambda _: _environments.pop(key, None)), environment)
    return environment


def render_fields(
    owner: Any, context: Mapping[str, Any], env: Any = None, rendered_ids: Set[int] = frozenset()
) -> None:
    """Replace every template field of a task, a notifier or a nested object, in place.

    Args:
        env: a Jinja environment, or None to make the owner's when a template is met.
        rendered_ids: ``id()`` of values that are final (they came from another task).

    Raises:
        AttributeError: a name in ``template_fields`` is no attribute.
        Exception: whatever a template raises; an undefined name is one such.
    """
    renderer = Renderer(owner, context, env, rendered_ids)
    for name in owner.template_fields:
        try:
            value = getattr(owner, name)
        except AttributeError:
            raise AttributeError(
                f"{name!r} is configured as a template field, but {_named(owner)} has no "
                "attribute of that name"
            ) from None
        if not value:
            continue
        try:
            setattr(owner, name, renderer.render_field(value))
        except Exception:
            log.exception("Cannot render the field %s of %s", name, _named(owner))
            raise


def render_value(owner: Any, value: Any, context: Mapping[str, Any], env: Any = None) -> Any:
    """Return a value with all its templates rendered (``task.render_template``)."""
    return Renderer(owner, context, env).render(value)


def resolve_template_files(owner: Any) -> None:
    """Replace file names in template fields by the files' text, unrendered.

    A file that cannot be read is logged here, and raised when the task renders it.
    """
    extensions = _extensions(owner)
    if not extensions:
        return
    environment = None
    for name in owner.template_fields:
        value = getattr(owner, name, None)
        if not _names_file(value, extensions) and not isinstance(value, list):
            continue
        environment = environment or owner.get_template_env()
        try:
            if isinstance(value, str):
                setattr(owner, name, _source_of(environment, value))
            elif isinstance(value, list):
                for index, element in enumerate(value):
                    if _names_file(element, extensions):
                        value[index] = _source_of(environment, element)
        except Exception:  # the loader is the DAG author's to choose
            log.exception("Cannot load the template file of %s of %s", name, _named(owner))


class Renderer:
    """Renders the values of one owner with one context."""

    def __init__(
        self,
        owner: Any,
        context: Mapping[str, Any],
        env: Any = None,
        rendered_ids: Set[int] = frozenset(),
    ) -> None:
        self._owner = owner
        self._context = context
        self._given_env = env
        self._rendered_ids = rendered_ids
        self._seen: set[int] = set()
        self._extensions = _extensions(owner)
        self._can_skip_plain = _can_skip_plain_text(owner, env)

    @property
    def environment(self) -> Any:
        """The Jinja environment. Made when it is asked for."""
        if self._given_env is None:
            self._given_env = _environment_of(self._owner, self._context)
        return self._given_env

    def render_field(self, value: Any) -> Any:
        """Render the value of one field. A function there is called for its value."""
        if id(value) in self._rendered_ids:
            return value
        if callable(value) and not isinstance(value, (str, ResolveMixin)):
            return value(context=self._context, jinja_env=self.environment)
        return self.render(value)

    def render(self, value: Any) -> Any:
        """Return a value with everything in it rendered or resolved."""
        if isinstance(value, str):
            return self._render_text(value)
        if id(value) in self._rendered_ids or id(value) in self._seen:
            return value
        kind = type(value)
        if kind is list:
            return [self.render(element) for element in value]
        if kind is dict or isinstance(value, dict):
            return {key: self.render(element) for key, element in value.items()}
        if kind is tuple:
            return tuple(self.render(element) for element in value)
        if isinstance(value, tuple):  # a named tuple
            return kind(*(self.render(element) for element in value))
        if isinstance(value, (set, frozenset)):
            return kind(self.render(element) for element in value)
        if isinstance(value, list):
            return [self.render(element) for element in value]
        return self._render_object(value)

    def _render_object(self, value: Any) -> Any:
        if isinstance(value, ResolveMixin) or (
            callable(getattr(value, "resolve", None)) and not isinstance(value, os.PathLike)
        ):
            return value.resolve(self._context)
        fields = getattr(value, "template_fields", None)
        # None first: where an ABC refuses a class it has never seen, it asks all its subclasses.
        if fields is not None and isinstance(fields, Collection) and not isinstance(value, type):
            self._seen.add(id(value))  # objects may refer to each other in a circle
            for name in [fields] if isinstance(fields, str) else fields:
                inner = getattr(value, name)
                if inner:
                    setattr(value, name, self.render(inner))
        return value

    def _render_text(self, text: str) -> Any:
        if id(text) in self._rendered_ids:
            return text
        if self._extensions and text.endswith(self._extensions):
            template = self.environment.get_template(text)
        elif self._can_skip_plain and not any(mark in text for mark in _MARKS) and "\r" not in text:
            # What Jinja would make of it: one line break at the end is dropped.
            return text[:-1] if text.endswith("\n") else text
        else:
            template = self.environment.from_string(text)
        from .template_environment import render

        return render(template, self._context)


def _environment_of(owner: Any, context: Mapping[str, Any]) -> Any:
    make: Callable[[], Any] | None = getattr(owner, "get_template_env", None)
    return make() if make is not None else environment_for(context.get("dag"))


def _can_skip_plain_text(owner: Any, env: Any) -> bool:
    """Tell whether a text without ``{`` renders to itself, so that Jinja need not be asked."""
    dag = getattr(owner, "dag", None)
    if getattr(owner, "render_template_as_native_obj", None) or (
        getattr(dag, "render_template_as_native_obj", False)
    ):
        return False  # "1" is rendered to 1 there
    if env is not None and dag is None:
        return bool(env.variable_start_string == "{{" and env.block_start_string == "{%")
    options = getattr(dag, "jinja_environment_kwargs", None) or {}
    return not any(name in options for name in _OTHER_MARKS)


def _extensions(owner: Any) -> tuple[str, ...]:
    extensions = getattr(owner, "template_ext", ())
    return (extensions,) if isinstance(extensions, str) else tuple(extensions or ())


def _names_file(value: Any, extensions: tuple[str, ...]) -> bool:
    return isinstance(value, str) and value.endswith(extensions)


def _source_of(environment: Any, name: str) -> str:
    return str(environment.loader.get_source(environment, name)[0])


def _named(owner: Any) -> str:
    task_id = getattr(owner, "task_id", None)
    return f"the task {task_id!r}" if task_id else type(owner).__name__

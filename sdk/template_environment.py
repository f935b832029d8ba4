"""The Jinja environments of DAGs: sandboxed, compiled once, reading the context lazily.

The only module of this floor that imports jinja2; it is imported when the first template is met.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import jinja2
import jinja2.nativetypes
import jinja2.runtime
import jinja2.sandbox

from .template_filters import FILTERS

if TYPE_CHECKING:
    from .dag import DAG

#: Compiled templates kept for one DAG.
COMPILED_MAX = 1000


class LazyJinjaContext(jinja2.runtime.Context):
    """Names of a template, looked up when they are used: reading some of them has a price."""

    def get_all(self) -> Any:
        """Return all names for an included or imported template, still lazily."""
        return ChainMap(self.vars, self.parent)


class _TemplateEnvironment(jinja2.sandbox.SandboxedEnvironment):
    """An environment that remembers what it compiled.

    The sandbox keeps templates from the interpreter's internals. Names with one underscore are
    allowed: DAG authors use them.
    """

    context_class = LazyJinjaContext

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.filters.update(FILTERS)
        self._compiled: dict[str, jinja2.Template] = {}

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return not jinja2.sandbox.is_internal_attribute(obj, attr)

    def from_string(
        self,
        source: Any,
        globals: Any = None,
        template_class: Any = None,
    ) -> jinja2.Template:
        """Return the compiled template of a text; the same text is compiled once."""
        if globals is not None or template_class is not None or not isinstance(source, str):
            return super().from_string(source, globals, template_class)
        template = self._compiled.get(source)
        if template is None:
            template = super().from_string(source)
            if len(self._compiled) >= COMPILED_MAX:
                self._compiled.clear()
            self._compiled[source] = template
        return template


class _NativeTemplateEnvironment(_TemplateEnvironment, jinja2.nativetypes.NativeEnvironment):
    """The same, whose templates give Python values (``render_template_as_native_obj``)."""

    code_generator_class = jinja2.nativetypes.NativeEnvironment.code_generator_class
    concat = staticmethod(jinja2.nativetypes.native_concat)


_NativeTemplateEnvironment.template_class = jinja2.nativetypes.NativeTemplate


def make_environment(dag: DAG | None, *, is_native: bool) -> jinja2.Environment:
    """Build the environment of a DAG (semantics section 1.7); None: one without a loader."""
    options: dict[str, Any] = {
        "undefined": jinja2.StrictUndefined,
        "extensions": ["jinja2.ext.do"],
        # Of files only. In a warm host they may change between two tasks: none is kept.
        "cache_size": 0,
    }
    if dag is not None:
        options["loader"] = jinja2.FileSystemLoader([dag.folder, *(dag.template_searchpath or ())])
        if dag.template_undefined is not None:
            options["undefined"] = dag.template_undefined
        options.update(dag.jinja_environment_kwargs or {})
    environment = (_NativeTemplateEnvironment if is_native else _TemplateEnvironment)(**options)
    if dag is not None:
        environment.globals.update(dag.user_defined_macros or {})
        environment.filters.update(dag.user_defined_filters or {})
    return environment


def render(template: jinja2.Template, names: Mapping[str, Any]) -> Any:
    """Return what a template renders to; only the names that it uses are looked up."""
    environment = template.environment
    parent: Any = ChainMap(dict_like(names), template.globals)
    context = environment.context_class(
        environment, parent, template.name, template.blocks, template.globals
    )
    concat = environment.concat
    try:
        return concat(template.root_render_func(context))
    except Exception:  # noqa: BLE001 - Jinja adds the template's lines, and raises it again
        return environment.handle_exception()


def dict_like(names: Mapping[str, Any]) -> Any:
    """Return *names* as ``ChainMap`` wants them typed."""
    return names

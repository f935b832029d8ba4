"""Why a file that imports well gave no DAG. Judged from its text, for the list of such files."""

from __future__ import annotations

import ast


def explain_no_dag(source: str) -> str:
    """Return the likeliest reason, as one sentence that says what to change."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return "no DAG object at module level"
    guarded = any(
        _is_main_guard(node) and _makes_dag(node, tree)
        for node in tree.body
        if isinstance(node, ast.If)
    )
    if guarded:
        return (
            "its DAG is made under `if __name__ == '__main__':`, which does not run when the file"
            " is imported; make it at module level"
        )
    uncalled = _uncalled_dag_functions(tree)
    if uncalled:
        return f"the @dag function {uncalled[0]} is never called; add `{uncalled[0]}()` at the end"
    if any(_is_dag_call(node) for node in ast.walk(tree)):
        return (
            "no DAG object at module level: DAGs that a function makes have to be bound to a"
            " global name"
        )
    return "no DAG object at module level"


def _is_main_guard(node: ast.If) -> bool:
    names = {part.id for part in ast.walk(node.test) if isinstance(part, ast.Name)}
    values = {part.value for part in ast.walk(node.test) if isinstance(part, ast.Constant)}
    return "__name__" in names and "__main__" in values


def _makes_dag(node: ast.If, tree: ast.Module) -> bool:
    decorated = {function.name for function in _dag_functions(tree)}
    return any(
        _is_dag_call(part) or _called_name(part) in decorated
        for statement in node.body
        for part in ast.walk(statement)
    )


def _uncalled_dag_functions(tree: ast.Module) -> list[str]:
    called = {_called_name(node) for node in ast.walk(tree)}
    return [function.name for function in _dag_functions(tree) if function.name not in called]


def _dag_functions(tree: ast.Module) -> list[ast.FunctionDef]:
    def is_dag_decorator(node: ast.expr) -> bool:
        target = node.func if isinstance(node, ast.Call) else node
        return _last_name(target) == "dag"

    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and any(map(is_dag_decorator, node.decorator_list))
    ]


def _is_dag_call(node: ast.AST) -> bool:
    return _called_name(node) == "DAG"


def _called_name(node: ast.AST) -> str:
    return _last_name(node.func) if isinstance(node, ast.Call) else ""


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""

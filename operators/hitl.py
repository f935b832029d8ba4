"""Operators that ask a person and wait: approvals, choices, entries (semantics section 7.9).

The question is an XCom of the task, which then waits without a slot; the answer is given by
``tradewind tasks respond`` and is an XCom as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from ..sdk.base_operator import BaseOperator
from ..sdk.exceptions import AirflowException, InvalidValueError, TaskAwaitingInput
from ..sdk.notifier import BaseNotifier
from ..sdk.param import ParamsDict
from .human_questions import upsert_hitl_detail
from .skip_mixin import XCOM_SKIPMIXIN_SKIPPED, BranchMixIn, SkipMixin, note_skip


class HITLTriggerEventError(AirflowException):
    """The answer does not fit the question."""


class HITLTimeoutError(HITLTriggerEventError):
    """Nobody has answered in time."""


class HITLRejectException(AirflowException):
    """The answer was no."""


class HITLOperator(BaseOperator):
    """Asks *subject*, waits, and returns what was chosen, entered, when and by whom.

    Args:
        options: what can be chosen.
        body: more about the question (Markdown).
        defaults: chosen where nobody answers within *response_timeout*.
        multiple: whether several options can be chosen.
        params: what is to be entered, with their schemas.
        notifiers: called when the task begins to wait.
        assigned_users: who may answer; None: everybody who may act on the DAG.
    """

    template_fields: Sequence[str] = ("subject", "body")

    def __init__(
        self,
        *,
        subject: str,
        options: list[str],
        body: str | None = None,
        defaults: str | list[str] | None = None,
        multiple: bool = False,
        params: Mapping[str, Any] | None = None,
        notifiers: Sequence[BaseNotifier] | BaseNotifier | None = None,
        assigned_users: Any = None,
        response_timeout: timedelta | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.subject = subject
        self.body = body
        self.options = list(options)
        self.defaults = [defaults] if isinstance(defaults, str) else defaults
        self.multiple = multiple
        self.asked_params = ParamsDict(dict(params or {}))
        self.notifiers = [notifiers] if isinstance(notifiers, BaseNotifier) else notifiers or []
        several: Any = (
            [assigned_users] if isinstance(assigned_users, Mapping | str) else assigned_users
        )
        self.assigned_users = several or []
        self.response_timeout = response_timeout
        self._check()

    def _check(self) -> None:
        where = f"{type(self).__name__} {self.task_id!r}"
        if not self.options:
            raise InvalidValueError(f"'options' of {where} must not be empty")
        if len(set(self.options)) != len(self.options):
            raise InvalidValueError(f"'options' of {where} has one of them twice")
        if "_options" in self.asked_params:
            raise InvalidValueError(f"a param of {where} must not be called '_options'")
        if self.defaults is None:
            return
        unknown = [one for one in self.defaults if one not in self.options]
        if unknown:
            raise InvalidValueError(f"'defaults' of {where} has {unknown}, not among 'options'")
        if len(self.defaults) > 1 and not self.multiple:
            raise InvalidValueError(f"{where} has several 'defaults', but not multiple=True")

    def execute(self, context: Any) -> Any:
        ti = context["ti"]
        upsert_hitl_detail(
            None,
            subject=self.subject,
            body=self.body,
            options=self.options,
            defaults=self.defaults,
            multiple=self.multiple,
            params={name: param.serialize() for name, param in self.asked_params.items()},
            assigned_users=self.assigned_users,
        )
        for notifier in self.notifiers:
            notifier(context)
        self.log.info(
            "Waiting for an answer: tradewind tasks respond %s %s %s --option …",
            ti.dag_id,
            ti.task_id,
            ti.run_id,
        )
        raise TaskAwaitingInput(method_name="execute_complete", timeout=self.response_timeout)

    def execute_complete(self, context: Any, event: Mapping[str, Any]) -> Any:
        """Go on with the answer.

        Raises:
            HITLTimeoutError: there was none in time.
            HITLTriggerEventError: it does not fit.
        """
        if "error" in event:
            late = event.get("error_type") == "timeout"
            raise (HITLTimeoutError if late else HITLTriggerEventError)(event["error"])
        chosen = list(event["chosen_options"])
        unknown = [one for one in chosen if one not in self.options]
        if unknown:
            raise HITLTriggerEventError(f"{unknown} cannot be chosen, only {self.options}")
        return {
            "chosen_options": chosen,
            "params_input": self._entered(event.get("params_input") or {}),
            "responded_at": event.get("responded_at"),
            "responded_by_user": event.get("responded_by_user"),
        }

    def _entered(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if set(given) != set(self.asked_params):
            raise HITLTriggerEventError(
                f"{sorted(given)} was entered where {sorted(self.asked_params)} was asked for"
            )
        params = ParamsDict(self.asked_params)
        for name, value in given.items():
            params[name] = value
        return params.validate()


class ApprovalOperator(HITLOperator, SkipMixin):
    """Asks for a yes. A no skips what lies below, or fails the task.

    Args:
        ignore_downstream_trigger_rules: skip everything below, whatever its trigger rules say;
            else only what lies directly below.
        fail_on_reject: a no is a failure.
    """

    APPROVE: ClassVar[str] = "Approve"
    REJECT: ClassVar[str] = "Reject"
    FIXED_ARGS: ClassVar[tuple[str, ...]] = ("options", "multiple")

    def __init__(
        self,
        *,
        ignore_downstream_trigger_rules: bool = False,
        fail_on_reject: bool = False,
        **kwargs: Any,
    ) -> None:
        for name in self.FIXED_ARGS:
            if name in kwargs:
                raise InvalidValueError(f"Passing {name} to ApprovalOperator is not allowed.")
        super().__init__(options=[self.APPROVE, self.REJECT], multiple=False, **kwargs)
        self.ignore_downstream_trigger_rules = ignore_downstream_trigger_rules
        self.fail_on_reject = fail_on_reject

    def execute_complete(self, context: Any, event: Mapping[str, Any]) -> Any:
        answered = super().execute_complete(context, event)
        if answered["chosen_options"] == [self.APPROVE]:
            return answered
        if self.fail_on_reject:
            raise HITLRejectException(f"{self.subject!r} was rejected")
        task = context["task"]
        below = task.get_flat_relatives(upstream=False)
        if not self.ignore_downstream_trigger_rules:
            below = task.downstream_list
        ids = sorted(one.task_id for one in below if not one.is_teardown)
        self.log.info("It was rejected; skipping %s", ids)
        if ids:
            note_skip(context["ti"], {XCOM_SKIPMIXIN_SKIPPED: ids}, ids)
        return answered


class HITLBranchOperator(HITLOperator, BranchMixIn):
    """A person chooses which tasks follow.

    Args:
        options_mapping: option → id of the task that it stands for; others stand for themselves.
    """

    inherits_from_skipmixin = True

    def __init__(self, *, options_mapping: Mapping[str, str] | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.options_mapping = dict(options_mapping or {})
        unknown = [one for one in self.options_mapping if one not in self.options]
        if unknown:
            raise InvalidValueError(
                f"'options_mapping' of {type(self).__name__} {self.task_id!r} has {unknown}, "
                "not among 'options'"
            )

    def execute_complete(self, context: Any, event: Mapping[str, Any]) -> Any:
        answered = super().execute_complete(context, event)
        chosen = [self.options_mapping.get(one, one) for one in answered["chosen_options"]]
        return self.do_branch(context, chosen)


class HITLEntryOperator(HITLOperator):
    """A person enters something: ``params``. The only option is OK."""

    OK: ClassVar[str] = "OK"

    def __init__(self, **kwargs: Any) -> None:
        if "options" not in kwargs:
            kwargs["options"] = [self.OK]
            kwargs.setdefault("defaults", [self.OK])
        super().__init__(**kwargs)

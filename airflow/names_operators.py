"""Operators: ours stand at every path that they ever had."""

from __future__ import annotations

OPERATORS: tuple[tuple[str, str, str], ...] = (
    (
        "operators.bash",
        "BashOperator",
        "operators operators.bash operators.bash_operator providers.standard.operators.bash",
    ),
    (
        "operators.python",
        "PythonOperator",
        "operators operators.python operators.python_operator providers.standard.operators.python",
    ),
    (
        "operators.branch",
        "BranchPythonOperator",
        "operators operators.python operators.python_operator providers.standard.operators.python",
    ),
    (
        "operators.virtualenv",
        "BranchPythonVirtualenvOperator PythonVirtualenvOperator",
        "operators.python providers.standard.operators.python",
    ),
    ("operators.virtualenv", "PythonVirtualenvOperator", "operators operators.python_operator"),
    (
        "operators.virtualenv",
        "is_venv_installed",
        "operators.python providers.standard.operators.python",
    ),
    (
        "operators.external_python",
        "BranchExternalPythonOperator ExternalPythonOperator",
        "operators.python providers.standard.operators.python",
    ),
    (
        "operators.branch",
        "BaseBranchOperator",
        "operators.branch providers.standard.operators.branch sdk sdk.bases.branch",
    ),
    (
        "operators.skip_mixin",
        "BranchMixIn",
        "operators.branch providers.standard.operators.branch sdk sdk.bases.branch",
    ),
    ("operators.branch", "BaseBranchOperator", "operators.branch_operator"),
    (
        "operators.short_circuit",
        "ShortCircuitOperator",
        "operators operators.python operators.python_operator providers.standard.operators.python",
    ),
    ("operators.skip_mixin", "SkipMixin", "models models.skipmixin sdk sdk.bases.skipmixin"),
    (
        "operators.empty",
        "EmptyOperator",
        "operators.empty providers.standard.operators.empty",
    ),
    (
        "operators.empty",
        "DummyOperator=EmptyOperator",
        "operators operators.dummy operators.dummy_operator",
    ),
    (
        "operators.latest_only",
        "LatestOnlyOperator",
        "operators.latest_only operators.latest_only_operator "
        "providers.standard.operators.latest_only",
    ),
    (
        "operators.trigger_dagrun",
        "TriggerDagRunOperator",
        "operators.dagrun_operator operators.trigger_dagrun "
        "providers.standard.operators.trigger_dagrun",
    ),
    (
        "operators.email",
        "EmailOperator",
        "operators operators.email operators.email_operator providers.smtp.operators.smtp",
    ),
    (
        "operators.mail",
        "build_mime_message get_email_address_list send_email send_email_smtp send_mime_email",
        "utils.email",
    ),
    ("operators.mail", "send_email_smtp", "utils"),
    ("operators.smtp", "SmtpHook", "providers.smtp.hooks.smtp"),
    (
        "operators.smtp",
        "SmtpNotifier send_smtp_notification",
        "providers.smtp.notifications.smtp",
    ),
    (
        "operators.hitl",
        "ApprovalOperator HITLBranchOperator HITLEntryOperator HITLOperator",
        "providers.standard.operators.hitl",
    ),
    (
        "operators.hitl",
        "HITLRejectException HITLTimeoutError HITLTriggerEventError",
        "providers.standard.exceptions",
    ),
    (
        "operators.human_questions",
        "HITLUser get_hitl_detail_content_detail update_hitl_detail_response upsert_hitl_detail",
        "sdk.execution_time.hitl",
    ),
    ("operators.triggers.hitl", "HITLTrigger", "providers.standard.triggers.hitl"),
)

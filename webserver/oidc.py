"""Sign in through an OpenID Connect provider, by Authlib (extra ``oidc``).

Authorization code with PKCE, state and nonce, all checked by Authlib. What the provider says
names the user, and by choice the roles; everything else is as with a password.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Flask, abort, current_app, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from ..sdk.configuration import conf
from ..sdk.errors import TradewindError
from .auth import safe_next
from .login import begin_session
from .outside_users import find_or_register
from .services import services

blueprint = Blueprint("oidc", __name__)
#: The provider is asked while a person waits.
TIMEOUT_S = 10


def init_app(app: Flask) -> None:
    """Add the pages where a provider is set.

    Raises:
        TradewindError: Authlib is missing, or a setting cannot be read.
    """
    issuer = conf.get("oidc", "issuer").strip().rstrip("/")
    app.context_processor(lambda: {"oidc_label": conf.get("oidc", "label") if issuer else ""})
    if not issuer:
        return
    try:
        from authlib.integrations.flask_client import OAuth
    except ImportError:
        raise TradewindError(
            "[oidc] issuer is set, but Authlib is not installed: pip install 'tradewind[oidc]'"
        ) from None
    role_mapping()
    oauth = OAuth(app)
    oauth.register(
        "provider",
        client_id=conf.get("oidc", "client_id"),
        client_secret=conf.get("oidc", "client_secret") or None,
        server_metadata_url=f"{issuer}/.well-known/openid-configuration",
        client_kwargs={
            "scope": conf.get("oidc", "scopes"),
            "code_challenge_method": "S256",
            "timeout": TIMEOUT_S,
        },
    )
    app.extensions["oidc"] = oauth
    app.register_blueprint(blueprint)


@blueprint.get("/login/oidc")
def begin() -> ResponseReturnValue:
    """Send the browser to the provider."""
    session["oidc_next"] = safe_next(request.args.get("next", "/"))
    return _asked(lambda client: client.authorize_redirect(_callback_url()))  # type: ignore[no-any-return]


@blueprint.get("/login/oidc/callback")
def callback() -> ResponseReturnValue:
    """Take what the provider says about who came back."""
    target = safe_next(str(session.pop("oidc_next", "/")))
    token = _asked(lambda client: client.authorize_access_token())
    claims: Mapping[str, Any] = token.get("userinfo") or {}
    name = claims.get(conf.get("oidc", "username_claim"))
    if not isinstance(name, str) or not name:
        abort(403, "The provider did not say who you are.")
    known = services().store.users.get(name)
    if known is not None and known.has_password:
        # Names at a provider may be chosen freely: nobody becomes "admin" by that.
        abort(403, f"The user {name!r} has a password here and signs in with it.")
    user = find_or_register(
        services(),
        name,
        role=conf.get("oidc", "registration_role").strip() or None,
        roles=_roles(claims),
        email=str(claims.get("email") or ""),
        first_name=str(claims.get("given_name") or ""),
        last_name=str(claims.get("family_name") or ""),
    )
    if user is None:
        abort(403, f"There is no active user {name!r} here. Ask an administrator.")
    begin_session(user)
    return redirect(target)


def _asked(question: Any) -> Any:
    """Ask the provider; whatever goes wrong there is one clear line here."""
    from authlib.common.errors import AuthlibBaseError
    from joserfc.errors import JoseError
    from requests import RequestException

    try:
        return question(current_app.extensions["oidc"].provider)
    except (AuthlibBaseError, JoseError) as error:
        session.clear()
        abort(403, f"The provider's answer was refused: {getattr(error, 'error', '') or 'invalid'}")
    except (RequestException, ValueError, KeyError):
        current_app.logger.exception("the OpenID Connect provider cannot be used")
        abort(503, "The OpenID Connect provider does not answer as it should.")


def _callback_url() -> str:
    """Return where the provider sends the browser back to: below ``base_url`` where it is set."""
    base = conf.get("api", "base_url", fallback="") or ""
    path = url_for("oidc.callback")
    if not base:
        return url_for("oidc.callback", _external=True)
    return base.rstrip("/") + path.removeprefix(request.script_root)


def role_mapping() -> dict[str, str]:
    """Return group of the provider → role here.

    Raises:
        TradewindError: the setting is no JSON object.
    """
    try:
        found = json.loads(conf.get("oidc", "role_mapping") or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise TradewindError('[oidc] role_mapping: a JSON object is expected: {"group": "Role"}')
    return {str(group): str(role) for group, role in found.items()}


def _roles(claims: Mapping[str, Any]) -> list[str] | None:
    claim = conf.get("oidc", "roles_claim").strip()
    if not claim:
        return None
    given = claims.get(claim) or []
    groups = [given] if isinstance(given, str) else list(given)
    mapping = role_mapping()
    return sorted({mapping[str(one)] for one in groups if str(one) in mapping})

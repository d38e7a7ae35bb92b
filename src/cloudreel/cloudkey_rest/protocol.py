"""CloudKey's calls in the REST era: who calls, arguments, refusals, and every known method. PURE.

Every call is a GET of ``/json/<namespace>/<method>`` with its arguments in the query, also where it
changes something. Each `Method` is called with its named arguments and returns a `Call`. Facts:
cloudkey-rest.md 2 to 11; the upload node is in `cloudreel.cloudkey.node`.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote

from attrs import define, evolve, field, frozen

from cloudreel.cloudkey.models import Created, FarmNode, FarmNodes, Names, UploadTarget
from cloudreel.cloudkey_rest.errors import (
    AuthenticationFailed,
    AuthorizationRequired,
    InvalidArgument,
    InvalidMethod,
    MissingArgument,
    NotFound,
    UnexpectedAnswer,
)
from cloudreel.cloudkey_rest.models import Account, AssetInfo, Assets, MediaInfo, MediaList, MetaEntry, Queued
from cloudreel.core import codec
from cloudreel.core.call import JSON, Call, Credential, Request, Response, reveal
from cloudreel.core.failures import Failure, category_of, retry_after
from cloudreel.errors import ApiError, DecodeError, SigningError
from cloudreel.signing.calls import wire_value

T_co = TypeVar("T_co", covariant=True)

NAMESPACES: Final = ("user", "media", "file", "farm")
ACTING_AS: Final = "__user__"  # the argument that names the user a call runs as (5)


# -- who calls -------------------------------------------------------------------------------------------


@define
class BasicSigner:
    """Sends the login with every request, and whom to act as; a `cloudreel.core.call.Signer`.

    ``acting_as`` may change at any time.
    """

    username: Credential | None
    password: Credential | None = field(repr=False)
    acting_as: str | None = None

    def __call__(self, request: Request, now: float) -> Request:
        """Return the request with its ``Authorization``, which knows no time.

        Raises:
            SigningError: the user name has a colon.
        """
        acting = {} if self.acting_as is None else {ACTING_AS: self.acting_as}
        return evolve(
            request, params={**request.params, **acting}, headers={**request.headers, **self._login()}
        )

    def _login(self) -> dict[str, str]:
        """Return the header that says who calls; an anonymous client has none (4.2)."""
        if self.username is None:
            return {}
        name = reveal(self.username)
        if ":" in name:
            raise SigningError("The user name has a colon, which Basic authentication cannot express")
        login = f"{name}:{reveal(self.password or '')}".encode()
        return {"Authorization": f"Basic {b64encode(login).decode('ascii')}"}


# -- refusals --------------------------------------------------------------------------------------------

_BY_TYPE: Final[dict[tuple[int, str], type[ApiError]]] = {
    (404, "ApiNotFound"): NotFound,
    (400, "ApiMissingParam"): MissingArgument,
    (400, "ApiInvalidParam"): InvalidArgument,
}


def read_failure(response: Response, *, anonymous: bool = False) -> Failure | None:
    """Return the refusal that an answer is, if it is one (6).

    Args:
        response: the answer; whatever is not 2xx is a refusal.
        anonymous: whether the call carried no login, which is what a 401 asks for then.
    """
    status = response.status_code
    if 200 <= status < 300:
        return None
    if status == 401:
        if anonymous:
            return Failure(AuthorizationRequired, "this call needs a user name and a password")
        return Failure(AuthenticationFailed, "the login, or the user to act as, is not accepted")
    if status in (400, 404):
        return _told(response)
    if status < 400:
        return Failure(UnexpectedAnswer, "it redirects, and calls follow no redirect; check base_url")
    # A 403 is a refusal like any other (4.4).
    category = UnexpectedAnswer if status == 403 else category_of(status)
    return Failure(category, "", retry_after=retry_after(response))


def _told(response: Response) -> Failure:
    """Read the error object of a 400 or 404; without one, the service has no such method."""
    try:
        body = codec.json_of(response)
    except DecodeError:
        return Failure(InvalidMethod, "the service has no such method", "InvalidMethod")
    told = body if isinstance(body, dict) else {}
    name = str(told.get("type") or "")
    category = _BY_TYPE.get((response.status_code, name), UnexpectedAnswer)
    return Failure(category, str(told.get("message") or ""), name)


# -- answers ---------------------------------------------------------------------------------------------


def result_of(response: Response) -> JSON:
    """Return what an answer holds; an empty one, a 204, holds None.

    Raises:
        DecodeError: the answer is no JSON.
    """
    return codec.json_of(response) if response.body else None


def _anything(result: JSON) -> JSON:
    return result


def _nothing(result: JSON) -> None:
    """Leave a result unread: its method answers with nothing."""


# The types of results are said where methods are declared; what is checked here is their outer shape.


def _object(result: JSON) -> Any:
    if not isinstance(result, dict):
        raise DecodeError("The answer should be an object, and is none")
    return result


def _array(result: JSON) -> Any:
    if not isinstance(result, list):
        raise DecodeError("The answer should be an array, and is none")
    return result


def _text(result: JSON) -> str:
    if not isinstance(result, str):
        raise DecodeError("The answer should be text, and is none")
    return result


def _number(result: JSON) -> int:
    if not isinstance(result, int):
        raise DecodeError("The answer should be a whole number, and is none")
    return result


def _with_texts(*names: str) -> Callable[[JSON], Any]:
    """Return a reader of objects that are of no use without some texts."""

    def read(result: JSON) -> Any:
        found = _object(result)
        if missing := [name for name in names if not isinstance(found.get(name), str)]:
            raise DecodeError(f"The answer should have {' and '.join(missing)}, and has not")
        return found

    return read


# -- methods ---------------------------------------------------------------------------------------------


def path_of(namespace: str, method: str) -> str:
    """Return the path of a method; ``a__b`` is a whole path of its own, whatever the namespace (2.3)."""
    parts = method.split("__") if "__" in method else [namespace, method]
    return "/".join(["/json", *(quote(part, safe="") for part in parts)])


def wire_text(name: str, value: object) -> str:
    """Return an argument as it stands in the query: text and numbers plainly, all else as JSON (3).

    Raises:
        InvalidArgument: the value has no JSON form.
    """
    try:
        wired = wire_value(value)
        plain = isinstance(wired, str | int | float) and not isinstance(wired, bool)
        return str(wired) if plain else codec.to_json_text(wired)
    except (SigningError, TypeError) as error:  # TypeError is orjson's: whole numbers beyond 64 bits
        raise InvalidArgument(f"The argument {name} has no JSON form: {error}") from error


@frozen
class Method(Generic[T_co]):
    """A remote method: where it is, how its answer is read, and whether it may be repeated on doubt.

    Arguments that are None are left out.
    """

    namespace: str
    name: str
    read: Callable[[JSON], T_co]
    repeatable: bool = True

    def __call__(self, /, **args: object) -> Call[T_co]:
        """Return the call with these arguments."""
        given = {name: arg for name, arg in args.items() if arg is not None}
        return _call(self.namespace, self.name, given, self.read, repeatable=self.repeatable)


def any_call(namespace: str, method: str, args: Mapping[str, object]) -> Call[JSON]:
    """Return the call of any method, with its arguments as they are.

    It is repeated only if its name says that it reads.
    """
    reads = method.rpartition("__")[2].startswith(("get_", "list", "info", "count", "stats", "whoami"))
    return _call(namespace, method, args, _anything, repeatable=reads)


def _call(
    namespace: str,
    method: str,
    args: Mapping[str, object],
    read: Callable[[JSON], T_co],
    *,
    repeatable: bool,
) -> Call[T_co]:
    params = {name: wire_text(name, arg) for name, arg in args.items()}
    request = Request("GET", path_of(namespace, method), params)
    return Call(request, lambda response: read(result_of(response)), repeatable)


user_whoami: Method[Account] = Method("user", "whoami", _with_texts("id", "username"))
user_enable_asset: Method[None] = Method("user", "enable_asset", _nothing)
user_disable_asset: Method[None] = Method("user", "disable_asset", _nothing)
user_get_active_assets: Method[Names] = Method("user", "get_active_assets", _array)
user_set_asset_setting: Method[None] = Method("user", "set_asset_setting", _nothing)
user_get_asset_setting: Method[str] = Method("user", "get_asset_setting", _text)
user_reset_encoding_settings: Method[None] = Method("user", "reset_encoding_settings", _nothing)

media_create: Method[Created] = Method("media", "create", _with_texts("id"), repeatable=False)
media_info: Method[MediaInfo] = Method("media", "info", _object)
media_list: Method[MediaList] = Method("media", "list", _array)
media_delete: Method[None] = Method("media", "delete", _nothing)
media_reset: Method[None] = Method("media", "reset", _nothing, repeatable=False)
media_count: Method[int] = Method("media", "count", _number)
media_set_meta: Method[None] = Method("media", "set_meta", _nothing)
media_get_meta: Method[MetaEntry] = Method("media", "get_meta", _object)
media_list_meta: Method[dict[str, JSON]] = Method("media", "list_meta", _object)
media_remove_meta: Method[None] = Method("media", "remove_meta", _nothing)
media_set_asset: Method[Queued] = Method("media", "set_asset", _object, repeatable=False)  # it may call back
media_get_asset: Method[AssetInfo] = Method("media", "get_asset", _object)
media_list_asset: Method[Assets] = Method("media", "list_asset", _array)
media_remove_asset: Method[Queued] = Method("media", "remove_asset", _object)
media_process_asset: Method[Queued] = Method("media", "process_asset", _object, repeatable=False)
media_publish: Method[Created] = Method("media", "publish", _with_texts("id"), repeatable=False)
media_get_asset_url: Method[str] = Method("media", "get_asset_url", _text)
media_get_embed: Method[JSON] = Method("media", "get_embed", _anything)
media_get_mediaplayer_url: Method[JSON] = Method("media", "get_mediaplayer_url", _anything)
media_stats: Method[JSON] = Method("media", "stats", _anything)

# An address that is asked for in vain does no harm.
file_upload: Method[UploadTarget] = Method("file", "upload", _with_texts("url"))

farm_add_node: Method[None] = Method("farm", "add_node", _nothing)
farm_get_node: Method[FarmNode] = Method("farm", "get_node", _object)
farm_list_node: Method[FarmNodes] = Method("farm", "list_node", _array)
farm_select_node: Method[JSON] = Method("farm", "select_node", _anything)
farm_remove: Method[None] = Method("farm", "remove", _nothing)

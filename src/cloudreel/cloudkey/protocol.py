"""CloudKey's calls: the envelope, its signature, its refusals, and every known method. PURE.

Each `Method` is called with its named arguments and returns a `Call`. What is repeated when nobody knows
whether it arrived is said here: what reads, and what comes to the same when done twice. Facts:
cloudkey-rpc.md 2 to 6 and 10; the upload node is in `cloudreel.cloudkey.node`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, TypeVar

from attrs import define, evolve, field, frozen

from cloudreel.cloudkey.errors import BY_CODE, UnlistedError, refusal_of
from cloudreel.cloudkey.models import (
    AssetInfo,
    Assets,
    Created,
    FarmNode,
    FarmNodes,
    Item,
    Items,
    MediaInfo,
    MediaPage,
    Meta,
    Names,
    UploadTarget,
    UserInfo,
    UserList,
    UserPage,
)
from cloudreel.core import codec
from cloudreel.core.call import JSON, Call, Credential, Request, Response, reveal
from cloudreel.core.failures import Failure, category_of, retry_after
from cloudreel.errors import DecodeError, InvalidRequestError, NotFoundError, SigningError
from cloudreel.signing.calls import wire_and_sign

T_co = TypeVar("T_co", covariant=True)

BASE_URL: Final = "http://api.dmcloud.net"
CDN_URL: Final = "http://cdn.dmcloud.net"
SECURE_BASE_URL: Final = "https://api.dmcloud.net"


def call_url(base_url: str) -> str:
    """Return the URL that calls go below: https where the base is the service's own."""
    return SECURE_BASE_URL if base_url == BASE_URL else base_url


# -- the envelope and its signature ----------------------------------------------------------------------


@frozen(repr=False)
class RpcRequest(Request):
    """A call before it is signed; its body is made with the signature."""

    call: str = ""
    args: Mapping[str, object] = field(factory=dict[str, object])

    @property
    def shown_path(self) -> str:
        """The path and what is called there, without its arguments."""
        return f"{self.path} {self.call}"


@define(repr=False)
class RpcSigner:
    """Signs calls for one user; a `cloudreel.core.call.Signer`. ``acting_as`` may change at any time."""

    user_id: Credential
    api_key: Credential
    acting_as: str | None = None

    def __call__(self, request: Request, now: float) -> Request:
        """Return the request with its body: call, arguments and signature, which knows no time (4.6).

        Raises:
            SigningError: an argument has no JSON form.
        """
        assert isinstance(request, RpcRequest)
        args, auth = wire_and_sign(
            reveal(self.user_id), reveal(self.api_key), request.call, request.args, act_as_user=self.acting_as
        )
        try:
            content = codec.to_json({"call": request.call, "args": args, "auth": auth})
        except TypeError as error:  # orjson's: whole numbers beyond 64 bits
            raise SigningError(f"The arguments of {request.call} have no JSON form: {error}") from error
        return evolve(request, content=content, headers={"Content-Type": "application/json"})


# -- answers ---------------------------------------------------------------------------------------------


def read_failure(response: Response) -> Failure | None:
    """Return the refusal that an answer is, if it is one.

    The service refuses with status 200 and an ``error`` in the body (1.5, 5). Any other status comes from
    something in front of it, unless the body says more.
    """
    refusal = refusal_of(response)
    if refusal is not None:
        code = refusal.code
        category = UnlistedError if code is None else BY_CODE.get(code, UnlistedError)
        return Failure(category, refusal.message, "" if code is None else str(code), retry_after(response))
    if 300 <= response.status_code < 400:
        return Failure(
            InvalidRequestError, "it redirects, and signed calls follow no redirect; check base_url"
        )
    if response.ok:
        return None
    category = category_of(response.status_code)
    if category is NotFoundError:  # an item that is missing is told in the body
        return Failure(InvalidRequestError, "there is no API; check base_url")
    return Failure(category, response.text[:200], retry_after=retry_after(response))


def result_of(response: Response) -> JSON:
    """Return the result in an answer; a missing one is None (5.1).

    Raises:
        DecodeError: the answer is no JSON object.
    """
    return codec.object_of(response).get("result")


def _anything(result: JSON) -> JSON:
    return result


def _nothing(result: JSON) -> None:
    """Leave a result unread: its method returns null."""


# The types of results are said where methods are declared; what is checked here is their outer shape.


def _object(result: JSON) -> Any:
    if not isinstance(result, dict):
        raise DecodeError("The result should be an object, and is none")
    return result


def _array(result: JSON) -> Any:
    if not isinstance(result, list):
        raise DecodeError("The result should be an array, and is none")
    return result


def _page(result: JSON) -> Any:
    _array(_object(result).get("list"))
    return result


def _text(result: JSON) -> str:
    if not isinstance(result, str):
        raise DecodeError("The result should be text, and is none")
    return result


def _number(result: JSON) -> int:
    if not isinstance(result, int):
        raise DecodeError("The result should be a whole number, and is none")
    return result


# -- methods ---------------------------------------------------------------------------------------------


@frozen
class Method(Generic[T_co]):
    """A remote method: its name, how its result is read, and whether it may be repeated on doubt.

    Arguments that are None are left out, except those named in ``nullable``.
    """

    name: str
    read: Callable[[JSON], T_co]
    repeatable: bool = True
    nullable: frozenset[str] = frozenset()

    def __call__(self, /, **args: object) -> Call[T_co]:
        """Return the call with these arguments."""
        given = {name: arg for name, arg in args.items() if arg is not None or name in self.nullable}
        return _call(self.name, given, self.read, repeatable=self.repeatable)


def any_call(name: str, args: Mapping[str, object]) -> Call[JSON]:
    """Return the call of any method, with its arguments as they are.

    It is repeated only if its name says that it reads.

    Args:
        name: ``object.method``.
        args: named arguments.
    """
    reads = name.rpartition(".")[2].startswith(("get_", "list", "info", "search", "count", "stats"))
    return _call(name, args, _anything, repeatable=reads)


def _call(
    name: str, args: Mapping[str, object], read: Callable[[JSON], T_co], *, repeatable: bool
) -> Call[T_co]:
    request = RpcRequest("POST", "/api", call=name, args=args)
    return Call(request, lambda response: read(result_of(response)), repeatable)


media_create: Method[Created] = Method("media.create", _object, repeatable=False)
media_info: Method[MediaInfo] = Method("media.info", _object)
media_list: Method[MediaPage] = Method("media.list", _page)
media_search: Method[MediaPage] = Method("media.search", _page)
media_delete: Method[None] = Method("media.delete", _nothing)
media_set_meta: Method[None] = Method("media.set_meta", _nothing)
media_get_meta: Method[Meta] = Method("media.get_meta", _object)
media_remove_meta: Method[None] = Method("media.remove_meta", _nothing)
media_set_assets: Method[None] = Method("media.set_assets", _nothing)
media_get_assets: Method[Assets] = Method("media.get_assets", _object)
media_get_asset: Method[AssetInfo] = Method("media.get_asset", _object)
media_remove_assets: Method[None] = Method("media.remove_assets", _nothing)
media_set_thumbnail: Method[JSON] = Method("media.set_thumbnail", _anything)
media_get_subs_urls: Method[dict[str, str]] = Method("media.get_subs_urls", _object)
media_stats: Method[JSON] = Method("media.stats", _anything)
media_count: Method[int] = Method("media.count", _number)
media_reset: Method[None] = Method("media.reset", _nothing, repeatable=False)

file_upload: Method[UploadTarget] = Method("file.upload", _object)  # one asked for in vain does no harm

user_info: Method[UserInfo] = Method("user.info", _object)
user_whoami: Method[UserInfo] = Method("user.whoami", _object)
user_create: Method[str] = Method("user.create", _text, repeatable=False)
user_delete: Method[None] = Method("user.delete", _nothing)
user_list: Method[UserList] = Method("user.list", _array)
user_set: Method[JSON] = Method("user.set", _anything, repeatable=False, nullable=frozenset({"id"}))
user_search: Method[UserPage] = Method("user.search", _page)

system_reset: Method[None] = Method("system.reset", _nothing, repeatable=False)
organisation_get: Method[Item] = Method("organisation.get", _object)
player_preset_list: Method[Items] = Method("player_preset.list", _array)

encoding_enable_asset: Method[None] = Method("encoding_settings.enable_asset", _nothing)
encoding_disable_asset: Method[None] = Method("encoding_settings.disable_asset", _nothing)
encoding_get_active_assets: Method[Names] = Method("encoding_settings.get_active_assets", _array)
encoding_set_asset_setting: Method[None] = Method("encoding_settings.set_asset_setting", _nothing)
encoding_get_asset_setting: Method[JSON] = Method("encoding_settings.get_asset_setting", _anything)
encoding_reset: Method[None] = Method("encoding_settings.reset", _nothing)

farm_add_node: Method[None] = Method("farm.add_node", _nothing)
farm_get_node: Method[FarmNode] = Method("farm.get_node", _object)
farm_list_node: Method[FarmNodes] = Method("farm.list_node", _array)
farm_select_node: Method[FarmNode] = Method("farm.select_node", _object)
farm_remove: Method[None] = Method("farm.remove", _nothing)

"""A remote call as a value: what to send, and how to read the answer. PURE.

A service's ``protocol`` module builds a `Call`, the transport sends it, nobody else needs to know either.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from http import HTTPStatus
from typing import Generic, Protocol, TypeAlias, TypeVar
from urllib.parse import quote, urlencode

from attrs import evolve, field, frozen

from cloudreel.core import redact

T_co = TypeVar("T_co", covariant=True)

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

NO_PARAMS: Mapping[str, object] = {}
NO_HEADERS: Mapping[str, str] = {}


class Body(Protocol):
    """A streamed request body of known length that can be read again from its start for each attempt."""

    @property
    def length(self) -> int:
        """Bytes that one pass yields, exactly."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Start a fresh pass."""
        ...


@frozen(repr=False)
class Request:
    """One HTTP request before it is signed.

    ``path`` is below the service's base URL, or a whole URL (an upload location). ``secret_url`` says
    that knowing the URL is enough to use it, so that nothing of it but the host is ever shown.
    ``query``, which a signer may set, is sent in place of ``params``: percent-encoded, and never shown.
    """

    method: str
    path: str
    params: Mapping[str, object] = NO_PARAMS
    headers: Mapping[str, str] = NO_HEADERS
    content: bytes | Body | None = None
    secret_url: bool = False
    query: str = ""

    @property
    def shown_path(self) -> str:
        """The path as a log line or an error may show it."""
        return redact.location(self.path) if self.secret_url else redact.url(self.path)

    def url(self, base_url: str) -> str:
        """Return the URL to call, with the query.

        Args:
            base_url: what a path stands below.
        """
        base = "" if self.path.startswith(("http://", "https://")) else base_url
        url = base + self.path
        query = self.query
        if not query:
            if not self.params:
                return url
            texts = {name: str(value) for name, value in self.params.items() if value is not None}
            query = urlencode(texts, quote_via=quote, safe="")
        return f"{url}{'&' if '?' in url else '?'}{query}"

    def with_query(self, query: str) -> Request:
        """Return the request with a ready query, percent-encoded, in place of its parameters."""
        # Not by `evolve`, which costs as much as a signature.
        return Request(self.method, self.path, NO_PARAMS, self.headers, self.content, self.secret_url, query)

    @property
    def streamed(self) -> bool:
        """Whether the body is sent in pieces."""
        return self.content is not None and not isinstance(self.content, bytes)

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.shown_path}>"


@frozen(repr=False)
class Response:
    """One HTTP answer, read to its end. ``headers`` has lower-case names, ``attempts`` counts from 1."""

    status_code: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    attempts: int = 1

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return self.status_code < HTTPStatus.BAD_REQUEST

    @property
    def reason(self) -> str:
        """The standard phrase of the status, empty for an unknown one."""
        try:
            return HTTPStatus(self.status_code).phrase
        except ValueError:
            return ""

    @property
    def text(self) -> str:
        """The body as text; what is no UTF-8 is shown as replacement characters."""
        return self.body.decode("utf-8", "replace")

    def redacted(self) -> Response:
        """Return a copy that may leave the process: no secret in headers or body."""
        return evolve(self, headers=redact.headers(self.headers), body=redact.text(self.text).encode("utf-8"))

    def __repr__(self) -> str:
        return f"<Response {self.status_code} {self.reason}, {len(self.body)} bytes>"


@frozen
class Call(Generic[T_co]):
    """A request, the function that reads its answer, and what the transport must know between the two.

    ``repeatable``: sending it twice does no harm, so it may be sent again when nobody knows whether
    the first one arrived. ``settled``: what to ask before it is sent again, unless the service has not
    seen it; gives the answer to take for that of the failed attempt, None where there is none and the
    call is to be sent again. ``signed``: the service's signer is asked for each attempt; upload locations
    are not signed, their URL is the capability.
    """

    request: Request
    parse: Callable[[Response], T_co]
    repeatable: bool = True
    signed: bool = True
    settled: Call[Response | None] | None = None


Signer: TypeAlias = Callable[[Request, float], Request]
"""``(request, now) -> signed request``; ``now`` in UNIX seconds, asked anew for each attempt."""

Credential: TypeAlias = "str | Callable[[], str]"
"""A key, or a function that returns the current one."""


def reveal(credential: Credential) -> str:
    """Return the current text of a credential."""
    return credential if isinstance(credential, str) else credential()

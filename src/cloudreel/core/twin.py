"""What the generated synchronous twins stand on. A twin holds an async object and runs its methods."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import Any, Generic, ParamSpec, Self, TypeVar

from cloudreel.core import portal
from cloudreel.core.paging import AsyncPager
from cloudreel.errors import JobFailed

AsyncT = TypeVar("AsyncT")
ClientT = TypeVar("ClientT", bound=portal.Closeable)
A = TypeVar("A")
T = TypeVar("T")
P = ParamSpec("P")

_twins: dict[type, type[Twin[Any]]] = {}


class Twin(Generic[AsyncT]):
    """Base of the twins; all twins of one object are equal.

    Args:
        impl: the async object.
    """

    _impl: AsyncT

    def __init_subclass__(cls, *, of: type | None = None) -> None:
        """Note which async class this is the twin of; a caller's subclass is the twin of none."""
        super().__init_subclass__()
        if of is not None:
            _twins[of] = cls

    def __init__(self, impl: AsyncT) -> None:
        object.__setattr__(self, "_impl", impl)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and bool(self._impl == other._impl)

    def __hash__(self) -> int:
        return hash(self._impl)

    @classmethod
    def _wrap(cls, impl: AsyncT) -> Self:
        """Return the twin of an object, whatever the constructor of the class takes."""
        twin = cls.__new__(cls)
        object.__setattr__(twin, "_impl", impl)
        return twin

    def _twin(self, impl: AsyncT) -> Self:
        """Return this twin for its own object, and a copy of it for a copy of the object."""
        if impl is self._impl:
            return self
        twin = self.__copy__()
        object.__setattr__(twin, "_impl", impl)
        return twin

    def __copy__(self) -> Self:
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        return twin

    def __reduce__(self) -> tuple[Callable[[AsyncT], AsyncT], tuple[AsyncT]]:
        return _same, (self._impl,)  # pickled as its object is


class Facade(Twin[ClientT]):
    """Base of the twins that hold connections; one that is still around at the end lets go of them then."""

    def __init__(self, impl: ClientT) -> None:
        super().__init__(impl)
        portal.close_at_exit(impl)

    @classmethod
    def _wrap(cls, impl: ClientT) -> Self:
        portal.close_at_exit(impl)
        return super()._wrap(impl)


def _same(impl: AsyncT) -> AsyncT:
    return impl


class Pager(Generic[T]):
    """Iterates over the items of all pages; every loop over it starts anew at the first page.

    Nothing is asked for before the first step, one page at a time is held, and a loop may be left at
    any item: there is nothing to close.

    Args:
        impl: the async pager.
        wrap: makes an item of what that one gives.
    """

    def __init__(self, impl: AsyncPager[A], wrap: Callable[[A], T]) -> None:
        self._pages: Callable[[], AsyncIterator[list[Any]]] = impl.pages
        self._wrap: Callable[[Any], T] = wrap

    def __iter__(self) -> Generator[T]:
        """Iterate over the items of all pages."""
        for page in self.pages():
            yield from page

    def pages(self) -> Generator[list[T]]:
        """Iterate over the pages, each the list of its items; an empty page is not handed out."""
        for page in portal.iterate(self._pages()):
            yield [self._wrap(item) for item in page]


def run(function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Await an async method on the portal's loop and return its result.

    The ``job`` of a `JobFailed` that it raises is a twin then, as its caller expects.
    """
    try:
        return portal.run(function, *args, **kwargs)
    except JobFailed as error:
        with_twin(error)
        raise


def with_twin(error: JobFailed) -> JobFailed:
    """Return an error with the twin of the async object that failed."""
    if (twin := _twins.get(type(error.job))) is not None:
        error.job = twin(error.job)
    return error


def original(twin: object) -> Any:
    """Return the async object whose methods a twin runs."""
    return vars(twin)["_impl"]


def through_none(wrap: Callable[[A], T]) -> Callable[[Any], T]:
    """Return ``wrap`` for what may be None although its type does not say so."""
    nothing: Any = None
    return lambda value: nothing if value is None else wrap(value)


def optional(wrap: Callable[[A], T], value: A | None) -> T | None:
    """Return what ``wrap`` makes of a value, None of None."""
    return None if value is None else wrap(value)

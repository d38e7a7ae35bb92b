from __future__ import annotations

import ast
import textwrap

import pytest

from cloudreel._generate.sources import GenerationError, Module
from cloudreel._generate.twins import render

IMPORTS = """
    from abc import ABC
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, MutableMapping
    from typing import ClassVar, Generic, Self, TypeVar

    import httpx

    from cloudreel.core.paging import AsyncPager
    from cloudreel.core.transport import Transport
    from cloudreel.panda.models import VideoFields
    from cloudreel.uploads.session import AsyncUploadSession

    LIMIT = 5
    ItemT = TypeVar("ItemT")
"""

THING = """
    class AsyncThing:
        def __init__(self, transport: Transport) -> None:
            self._transport = transport
"""


def twins_of(text: str) -> str:
    """Return what is generated from the classes of a client module."""
    source = "\n".join(textwrap.dedent(part).strip("\n") for part in (IMPORTS, THING, text))
    return render([Module.parse("cloudreel.shop.client", source)])


def class_of(text: str, name: str = "Shop") -> str:
    """Return one generated class, as ``ast`` would write it."""
    body = ast.parse(twins_of(text)).body
    (found,) = [node for node in body if isinstance(node, ast.ClassDef) and node.name == name]
    return ast.unparse(found)


def method_of(text: str) -> str:
    """Return the twin of a method of ``AsyncShop``."""
    indented = textwrap.indent(textwrap.dedent(text).strip("\n"), "    ")
    lines = class_of(f"class AsyncShop:\n{indented}\n").splitlines()[1:]
    return textwrap.dedent("\n".join(lines)).strip("\n")


# -- one method --------------------------------------------------------------------------------------

METHODS = {
    "a function of async objects is given their twins": (
        "async def f(self, of: Callable[[AsyncThing], object]) -> list[AsyncThing]: ...",
        (
            "def f(self, of: Callable[[Thing], object]) -> list[Thing]:\n"
            "    return [Thing(item) for item in run(self._impl.f, lambda item: of(Thing(item)))]"
        ),
    ),
    "a coroutine is run": (
        "async def f(self, a: int, b: str = 'x') -> int: ...",
        "def f(self, a: int, b: str='x') -> int:\n    return run(self._impl.f, a, b)",
    ),
    "a plain function is called": (
        "def f(self, a: int) -> int: ...",
        "def f(self, a: int) -> int:\n    return self._impl.f(a)",
    ),
    "nothing is returned where nothing is promised": (
        "async def f(self) -> None: ...",
        "def f(self) -> None:\n    run(self._impl.f)",
    ),
    "every kind of parameter is kept": (
        "async def f(self, a: int, /, b: int, *c: int, d: int, e: int = LIMIT, **g: int) -> int: ...",
        (
            "def f(self, a: int, /, b: int, *c: int, d: int, e: int=LIMIT, **g: int) -> int:\n"
            "    return run(self._impl.f, a, b, *c, d=d, e=e, **g)"
        ),
    ),
    "keyword-only parameters": (
        "def f(self, *, a: int) -> int: ...",
        "def f(self, *, a: int) -> int:\n    return self._impl.f(a=a)",
    ),
    "an object is wrapped": (
        "async def f(self) -> AsyncThing: ...",
        "def f(self) -> Thing:\n    return Thing(run(self._impl.f))",
    ),
    "so is each of a list": (
        "async def f(self) -> list[AsyncThing]: ...",
        "def f(self) -> list[Thing]:\n    return [Thing(item) for item in run(self._impl.f)]",
    ),
    "one that may be missing": (
        "async def f(self) -> AsyncThing | None: ...",
        "def f(self) -> Thing | None:\n    return optional(Thing, run(self._impl.f))",
    ),
    "a pager": (
        "def f(self) -> AsyncPager[AsyncThing]: ...",
        "def f(self) -> Pager[Thing]:\n    return Pager(self._impl.f(), Thing)",
    ),
    "a pager of values": (
        "def f(self) -> AsyncPager[int]: ...",
        "def f(self) -> Pager[int]:\n    return Pager(self._impl.f(), lambda item: item)",
    ),
    "an iterator": (
        "def f(self) -> AsyncIterator[int]: ...",
        "def f(self) -> Iterator[int]:\n    return iterate(self._impl.f())",
    ),
    "a generator": (
        "async def f(self) -> AsyncGenerator[AsyncThing]:\n    yield AsyncThing()",
        "def f(self) -> Iterator[Thing]:\n    return (Thing(item) for item in iterate(self._impl.f()))",
    ),
    "a coroutine that gives an iterator": (
        "async def f(self) -> AsyncIterator[int]: ...",
        "def f(self) -> Iterator[int]:\n    return iterate(run(self._impl.f))",
    ),
    "itself": (
        "async def f(self) -> Self: ...",
        "def f(self) -> Self:\n    return self._twin(run(self._impl.f))",
    ),
    "a generic object of another room": (
        "async def f(self) -> AsyncUploadSession[AsyncThing]: ...",
        "def f(self) -> UploadSession[Thing]:\n    return UploadSession(run(self._impl.f), Thing)",
    ),
    "an argument that is a twin is unwrapped": (
        "async def f(self, thing: AsyncThing, *, other: AsyncThing) -> None: ...",
        (
            "def f(self, thing: Thing, *, other: Thing) -> None:\n"
            "    run(self._impl.f, thing._impl, other=other._impl)"
        ),
    ),
    "what others call async stays": (
        "def f(self, client: httpx.AsyncClient) -> httpx.AsyncClient: ...",
        "def f(self, client: httpx.AsyncClient) -> httpx.AsyncClient:\n    return self._impl.f(client)",
    ),
    "a property is read": (
        "@property\ndef f(self) -> AsyncThing: ...",
        "@property\ndef f(self) -> Thing:\n    return Thing(self._impl.f)",
    ),
    "and set, where it can be": (
        "@property\ndef f(self) -> int: ...\n@f.setter\ndef f(self, value: int) -> None: ...",
        (
            "@property\ndef f(self) -> int:\n    return self._impl.f\n\n"
            "@f.setter\ndef f(self, value: int) -> None:\n    self._impl.f = value"
        ),
    ),
    "a constructor by another name": (
        "@classmethod\ndef f(cls, a: int) -> Self: ...",
        "@classmethod\ndef f(cls, a: int) -> Self:\n    return cls._wrap(AsyncShop.f(a))",
    ),
    "one that does I/O": (
        "@classmethod\nasync def f(cls, a: int) -> Self: ...",
        "@classmethod\ndef f(cls, a: int) -> Self:\n    return cls._wrap(run(AsyncShop.f, a))",
    ),
    "a function beside the class": (
        "@staticmethod\nasync def f(a: int) -> int: ...",
        "@staticmethod\ndef f(a: int) -> int:\n    return run(AsyncShop.f, a)",
    ),
    "a context manager": (
        "async def __aenter__(self) -> Self: ...",
        "def __enter__(self) -> Self:\n    return self._twin(run(self._impl.__aenter__))",
    ),
    "what Python calls": (
        "def __getitem__(self, key: str) -> int: ...",
        "def __getitem__(self, key: str) -> int:\n    return self._impl.__getitem__(key)",
    ),
    "attributes nobody wrote down": (
        "def __getattr__(self, name: str) -> int: ...",
        (
            "def __getattr__(self, name: str) -> int:\n    if name.startswith('_'):\n"
            "        raise AttributeError(name)\n    return self._impl.__getattr__(name)"
        ),
    ),
    "assigned attributes": (
        "def __setattr__(self, name: str, value: object) -> None: ...",
        (
            "def __setattr__(self, name: str, value: object) -> None:\n    if name.startswith('_'):\n"
            "        object.__setattr__(self, name, value)\n    else:\n"
            "        setattr(self._impl, name, value)"
        ),
    ),
    "typed attributes": (
        "name: str",
        (
            "@property\ndef name(self) -> str:\n    return self._impl.name\n\n"
            "@name.setter\ndef name(self, value: str) -> None:\n    self._impl.name = value"
        ),
    ),
}


@pytest.mark.parametrize(("source", "twin"), METHODS.values(), ids=METHODS)
def test_a_method(source: str, twin: str) -> None:
    assert method_of(source) == twin


def test_private_methods_stay_behind() -> None:
    assert method_of("async def _f(self) -> int: ...\ndef g(self) -> int: ...").startswith("def g(")


DOCSTRINGS = {
    "Use ``await shop.close()``.": "Use ``shop.close()``.",
    "``async with shop:``, ``async for item in shop:``": "``with shop:``, ``for item in shop:``",
    "Return an async iterator over each `AsyncThing`.": "Return an iterator over each `Thing`.",
    "AsyncPager, AsyncThings, httpx.AsyncClient": "Pager, AsyncThings, httpx.AsyncClient",
    "Sell things for asyncio and trio.": "Sell things.",
    "The callback may be async.": "The callback may be async.",
    "It awaits nothing.": "It awaits nothing.",
}


@pytest.mark.parametrize(("text", "words"), DOCSTRINGS.items())
def test_docstrings_speak_of_code_without_async(text: str, words: str) -> None:
    assert f'"""{words}"""' in method_of(f'def f(self) -> None:\n    """{text}"""').replace("'", '"')


# -- one class ---------------------------------------------------------------------------------------


def test_an_object_is_made_by_wrapping_only() -> None:
    assert class_of("", "Thing") == "class Thing(Twin[AsyncThing], of=AsyncThing):\n    pass"
    text = '''
    class AsyncShop:
        """A shop.

        Args:
            transport: its connections.
        """

        def __init__(self, transport: Transport) -> None: ...
        def f(self) -> None: ...
    '''
    assert class_of(text).startswith(
        'class Shop(Twin[AsyncShop], of=AsyncShop):\n    """A shop."""\n\n    def f'
    )


def test_a_facade_is_made_by_its_own_arguments() -> None:
    text = '''
    class AsyncShop:
        """A shop.

        Args:
            name: what it is
                called.
            limit: how many.
        """

        def __init__(self, name: str, *, limit: int = LIMIT) -> None:
            self.name = name
            self.limit: int = limit
            self._private = 3

        async def close(self) -> None: ...
    '''
    assert class_of(text).splitlines() == [
        "class Shop(Facade[AsyncShop], of=AsyncShop):",
        '    """A shop.',
        "",
        "    Args:",
        "        name: what it is",
        "            called.",
        "        limit: how many.",
        '    """',
        "",
        "    def __init__(self, name: str, *, limit: int=LIMIT) -> None:",
        "        impl = AsyncShop(name, limit=limit)",
        "        super().__init__(impl)",
        "",
        "    @property",
        "    def name(self) -> str:",
        '        """What it is called."""',
        "        return self._impl.name",
        "",
        "    @name.setter",
        "    def name(self, value: str) -> None:",
        "        self._impl.name = value",
        "",
        "    @property",
        "    def limit(self) -> int:",
        '        """How many."""',
        "        return self._impl.limit",
        "",
        "    @limit.setter",
        "    def limit(self, value: int) -> None:",
        "        self._impl.limit = value",
        "",
        "    def close(self) -> None:",
        "        run(self._impl.close)",
    ]


def test_bases_with_fields_are_kept_and_others_taken_over() -> None:
    text = """
    class _Resource:
        _kind: ClassVar[str]

        async def reload(self) -> Self: ...
        async def delete(self) -> bool: ...

    class AsyncShop(_Resource, VideoFields):
        async def delete(self) -> None: ...
    """
    assert class_of(text).splitlines() == [
        "class Shop(Twin[AsyncShop], VideoFields, of=AsyncShop):",
        "",
        "    def delete(self) -> None:",
        "        run(self._impl.delete)",
        "",
        "    def reload(self) -> Self:",
        "        return self._twin(run(self._impl.reload))",
    ]


def test_twins_inherit_as_their_originals_do() -> None:
    text = """
    class AsyncShop(AsyncThing):
        async def f(self) -> int: ...
    """
    assert class_of(text).startswith("class Shop(Thing, of=AsyncShop):\n")


def test_a_generic_object_makes_twins_of_what_it_holds() -> None:
    text = """
    class AsyncShop(Generic[ItemT]):
        def __init__(self, transport: Transport, make: Callable[[int], ItemT]) -> None: ...
        async def buy(self) -> ItemT: ...
        def look(self) -> ItemT | None: ...
    """
    assert class_of(text).splitlines() == [
        "class Shop(Twin[AsyncShop[Any]], Generic[ItemT], of=AsyncShop):",
        "",
        "    def __init__(self, impl: AsyncShop[AsyncItemT], wrap: Callable[[AsyncItemT], ItemT]) -> None:",
        "        super().__init__(impl)",
        "        self._item = through_none(wrap)",
        "",
        "    def buy(self) -> ItemT:",
        "        return self._item(run(self._impl.buy))",
        "",
        "    def look(self) -> ItemT | None:",
        "        return optional(self._item, self._impl.look())",
    ]
    assert '\nAsyncItemT = TypeVar("AsyncItemT")\nItemT = TypeVar("ItemT")\n' in twins_of(text)


def test_what_is_awaited_into_being_is_made_by_the_twin_s_constructor() -> None:
    text = """
    class AsyncShop:
        def __init__(self, name: str) -> None: ...
        @classmethod
        async def create(cls, name: str, *, opened: bool = False) -> Self: ...
    """
    assert class_of(text).splitlines() == [
        "class Shop(Twin[AsyncShop], of=AsyncShop):",
        "",
        "    def __init__(self, name: str, *, opened: bool=False) -> None:",
        "        impl = run(AsyncShop.create, name, opened=opened)",
        "        super().__init__(impl)",
        "",
        "    @classmethod",
        "    def create(cls, name: str, *, opened: bool=False) -> Self:",
        "        return cls._wrap(run(AsyncShop.create, name, opened=opened))",
    ]


def test_what_callers_make_themselves_is_wrapped_without_its_constructor() -> None:
    text = """
    class AsyncBasket:
        def __init__(self, size: int) -> None: ...
    class AsyncShop:
        def basket(self) -> AsyncBasket: ...
        def baskets(self) -> list[AsyncBasket]: ...
        def found(self) -> AsyncBasket | None: ...
    """
    assert class_of(text).splitlines() == [
        "class Shop(Twin[AsyncShop], of=AsyncShop):",
        "",
        "    def basket(self) -> Basket:",
        "        return Basket._wrap(self._impl.basket())",
        "",
        "    def baskets(self) -> list[Basket]:",
        "        return [Basket._wrap(item) for item in self._impl.baskets()]",
        "",
        "    def found(self) -> Basket | None:",
        "        return optional(Basket._wrap, self._impl.found())",
    ]


def test_names_are_imported_from_where_they_are() -> None:
    text = """
    class AsyncShop:
        def f(self, a: httpx.URL, b: int = LIMIT) -> VideoFields: ...
        async def g(self) -> AsyncUploadSession[AsyncThing]: ...
    """
    assert twins_of(text).partition("\n\n\n")[0].splitlines() == [
        '"""Generated from client.py by cloudreel._generate; do not edit."""',
        "",
        "from __future__ import annotations",
        "",
        "import httpx",
        "",
        "from cloudreel.core.twin import Twin, run",
        "from cloudreel.panda.models import VideoFields",
        "from cloudreel.shop.client import LIMIT, AsyncShop, AsyncThing",
        "from cloudreel.uploads.sync import UploadSession",
    ]


def test_an_abstract_base_is_dropped_and_a_mapping_is_kept_once() -> None:
    text = """
    class Item(ABC, MutableMapping[str, int]):
        def __getitem__(self, key: str) -> int: ...
    class Sold(Item):
        async def refund(self) -> bool: ...
    class AsyncShop(Sold, Item): ...
    """
    head, *body = class_of(text).splitlines()
    assert head == "class Shop(Twin[AsyncShop], MutableMapping[str, int], of=AsyncShop):"
    assert "        return run(self._impl.refund)" in body
    assert "        return self._impl.__getitem__(key)" in body


def test_many_sources_are_told_on_a_line_of_their_own() -> None:
    names = [f"a_module_with_a_rather_long_name_{number}" for number in range(3)]
    sources = [Module.parse(f"cloudreel.shop.{name}", f"class Async{name.title()}: ...") for name in names]
    assert render(sources[:1]).splitlines()[0] == (
        f'"""Generated from {names[0]}.py by cloudreel._generate; do not edit."""'
    )
    assert render(sources).splitlines()[:4] == [
        '"""Generated by cloudreel._generate; do not edit.',
        "",
        f"From {', '.join(f'{name}.py' for name in names)}.",
        '"""',
    ]


REFUSED = {
    "no return type": "class AsyncShop:\n    async def f(self): ...",
    "decorators without a rule": "class AsyncShop:\n    @cached\n    def f(self) -> int: ...",
    "no rule for returning": "class AsyncShop:\n    def f(self) -> dict[str, AsyncThing]: ...",
    "no rule for make": "class AsyncShop:\n    def f(self, make: Callable[[], AsyncThing]) -> int: ...",
    "no rule for things": "class AsyncShop:\n    def f(self, things: list[AsyncThing]) -> int: ...",
    "base without a rule": "class AsyncShop(dict): ...",
    "needs a type": "class AsyncShop:\n    def __init__(self) -> None:\n        self.name = make()",
}


@pytest.mark.parametrize(("reason", "text"), REFUSED.items())
def test_what_has_no_rule_is_refused(reason: str, text: str) -> None:
    with pytest.raises(GenerationError, match=reason):
        twins_of(text)

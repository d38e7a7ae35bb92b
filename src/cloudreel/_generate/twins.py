"""Turning async classes into their synchronous twins, as text."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from copy import deepcopy

from cloudreel._generate.layout import WIDTH, described_argument, docstring, fit, import_lines, text_of
from cloudreel._generate.room import Room
from cloudreel._generate.sources import (
    Function,
    GenerationError,
    Module,
    all_arguments,
    class_named,
    creator,
    is_generator,
    only_declares_fields,
    public_constructor,
)

ITERATORS = ("AsyncIterator", "AsyncGenerator")
RENAMED = {"__aenter__": "__enter__", "__aexit__": "__exit__"}


def render(sources: Sequence[Module]) -> str:
    """Return the source of the ``sync.py`` that has the twins of the async classes of some modules."""
    room = Room(sources)
    classes = [
        TwinClass(room, source, node).render() for source in sources for node in source.async_classes()
    ]
    variables = "".join(f'{name} = TypeVar("{name}")\n' for name in sorted(room.variables))
    parts = [
        room.header(),
        "from __future__ import annotations\n",
        import_lines(room.imports) + (f"\n{variables}" if variables else ""),
    ]
    return "\n".join(parts) + "".join(f"\n\n{text}" for text in classes)


class TwinClass:
    """The twin of one async class."""

    def __init__(self, room: Room, home: Module, node: ast.ClassDef) -> None:
        self.room = room
        self.home = home
        self.node = node
        self.name = node.name.removeprefix("Async")
        self.item: str | None = None  # the type variable of a generic class
        self.bases: list[str] = []
        self.layers: list[tuple[Module, ast.ClassDef]] = [(home, node)]  # whose members it gets, first wins
        for base in node.bases:
            self.add_base(base, home)

    def add_base(self, base: ast.expr, home: Module) -> None:
        """Keep a base that is a twin or declares fields; take over the members of any other."""
        if isinstance(base, ast.Subscript) and text_of(base.value) == "Generic":
            self.item = text_of(base.slice)
            return
        if text_of(base) == "ABC":
            return
        if text_of(base).startswith("MutableMapping["):
            self.bases = list(dict.fromkeys([*self.bases, self.convert(base, home)]))
            return
        found = class_named(base.id, home) if isinstance(base, ast.Name) else None
        if found is None or not isinstance(base, ast.Name):
            raise GenerationError(f"{self.node.name} has a base without a rule: {text_of(base)}")
        if twin := self.room.twin_of(base.id, home):
            self.bases.insert(0, twin)
        elif only_declares_fields(found[1], found[0]):
            self.bases.append(self.room.use(base.id, home.origin(base.id) or ("", None)))
        else:
            self.layers.append(found)
            for inherited in found[1].bases:
                self.add_base(inherited, found[0])

    def render(self) -> str:
        """Return the class statement."""
        impl = self.room.use(self.node.name, (self.home.name, self.node.name))
        body = self.constructor(impl)
        done = {"__init__", "__copy__", "__reduce__"}  # `Twin` has its own
        for home, node in self.layers:
            for part in self.members(home, node, done):
                body.append(part)
        bases = list(self.bases)
        if self.item:
            self.room.variables |= {self.item, f"Async{self.item}"}
            any_type = self.room.use("Any", ("typing", "Any"))
            self.room.use("TypeVar", ("typing", "TypeVar"))
            bases.append(f"{self.room.use('Generic', ('typing', 'Generic'))}[{self.item}]")
            bases.insert(0, f"{self.room.core('Twin')}[{impl}[{any_type}]]")
        elif not any(base in self.room.twins for base in bases):
            holds_connections = public_constructor(self.node) is not None and "close" in done
            bases.insert(0, f"{self.room.core('Facade' if holds_connections else 'Twin')}[{impl}]")
        head = fit(0, f"class {self.name}(", [*bases, f"of={impl}"], "):")
        text = docstring(self.node, self.home, self.room.twins)
        if text and not any(public_constructor(node) for _, node in self.layers):
            text = re.sub(r"\n    Args:\n(?: {8}.*\n)+", "", text)
            text = re.sub(r'\A(.*)\n *"""\Z', r'\1"""', text)
        parts = [*([f"    {text}\n"] if text else []), *body] or ["    pass\n"]
        return head + "\n".join(parts)

    def constructor(self, impl: str) -> list[str]:
        """Return the constructor, where it differs from wrapping one object."""
        if self.item:
            wrap = self.room.use("Callable", ("collections.abc", "Callable"))
            parameters = [
                "self",
                f"impl: {impl}[Async{self.item}]",
                f"wrap: {wrap}[[Async{self.item}], {self.item}]",
            ]
            return [
                fit(4, "def __init__(", parameters, ") -> None:")
                + "        super().__init__(impl)\n"
                + f"        self._item = {self.room.core('through_none')}(wrap)\n"
            ]
        if (init := public_constructor(self.node)) is None:
            return []
        making = creator(self.node)
        (_, *parameters), arguments = self.parameters(making or init, self.home)
        if making is None:
            head = f"impl = {impl}("
        else:
            head = f"impl = {self.room.core('run')}("
            arguments.insert(0, f"{impl}.{making.name}")
        return [
            fit(4, "def __init__(", ["self", *parameters], ") -> None:")
            + fit(8, head, arguments, ")")
            + "        super().__init__(impl)\n"
        ]

    def members(self, home: Module, node: ast.ClassDef, done: set[str]) -> Iterator[str]:
        """Yield the public members of a class that are not done yet."""
        setters: set[str] = set()
        for part in node.body:
            if isinstance(part, ast.FunctionDef) and part.name == "__init__":
                yield from self.attributes(part, home, done)
            elif isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
                name = part.name
                is_setter = any(text_of(d) == f"{name}.setter" for d in part.decorator_list)
                if (name.startswith("_") and not name.startswith("__")) or name in (
                    setters if is_setter else done
                ):
                    continue
                (setters if is_setter else done).add(name)
                yield self.method(part, home, is_setter=is_setter)
            elif isinstance(part, ast.AnnAssign) and not text_of(part.target).startswith("_"):
                done.add(text_of(part.target))
                yield self.attribute(text_of(part.target), part.annotation, home)

    def attributes(self, init: ast.FunctionDef, home: Module, done: set[str]) -> Iterator[str]:
        """Yield properties for the public attributes that a constructor sets."""
        annotations = {argument.arg: argument.annotation for argument in all_arguments(init.args)}
        for node in ast.walk(init):
            target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
            if not isinstance(target, ast.Attribute) or text_of(target.value) != "self":
                continue
            name = target.attr
            if name.startswith("_") or name in done:
                continue
            done.add(name)
            annotation = node.annotation if isinstance(node, ast.AnnAssign) else None
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
                annotation = annotations.get(node.value.id)
            if annotation is None:
                raise GenerationError(f"{self.node.name}.{name} needs a type where it is set")
            yield self.attribute(name, annotation, home)

    def attribute(self, name: str, annotation: ast.expr, home: Module) -> str:
        """Return a property that reads and writes the object's attribute."""
        kind = self.convert(annotation, home)
        wrapped = self.wrapped(annotation, home, f"self._impl.{name}")
        described = described_argument(self.node, name)
        words = f'        """{described}"""\n' if described else ""
        text = f"    @property\n    def {name}(self) -> {kind}:\n{words}        return {wrapped}\n"
        if wrapped == f"self._impl.{name}":
            text += f"\n    @{name}.setter\n    def {name}(self, value: {kind}) -> None:\n"
            text += f"        self._impl.{name} = value\n"
        return text

    def method(self, node: Function, home: Module, *, is_setter: bool = False) -> str:
        """Return the twin of a method or property."""
        decorators = [text_of(decorator) for decorator in node.decorator_list]
        if unknown := set(decorators) - {"property", "classmethod", "staticmethod", f"{node.name}.setter"}:
            raise GenerationError(f"{self.node.name}.{node.name} has decorators without a rule: {unknown}")
        if node.returns is None:
            raise GenerationError(f"{self.node.name}.{node.name} has no return type")
        name = RENAMED.get(node.name, node.name)
        parameters, arguments = self.parameters(node, home)
        target = "self._impl" if parameters[:1] == ["self"] else self.node.name
        text = "".join(f"    @{decorator}\n" for decorator in decorators)
        returns = self.convert(node.returns, home, returned=True)
        text += fit(4, f"def {name}(", parameters, f") -> {returns}:")
        if words := docstring(node, home, self.room.twins):
            text += f"        {words}\n"
        if name == "__getattr__":
            text += '        if name.startswith("_"):\n            raise AttributeError(name)\n'
        if name == "__setattr__":
            return text + (
                '        if name.startswith("_"):\n            object.__setattr__(self, name, value)\n'
                "        else:\n            setattr(self._impl, name, value)\n"
            )
        if is_setter:
            return text + f"        {target}.{name} = {arguments[0]}\n"
        if "property" in decorators:
            return text + f"        return {self.wrapped(node.returns, home, f'{target}.{name}')}\n"
        if isinstance(node, ast.AsyncFunctionDef) and not is_generator(node):
            head, items = f"{self.room.core('run')}(", [f"{target}.{node.name}", *arguments]
        else:
            head, items = f"{target}.{node.name}(", arguments
        if returns == "None":
            return text + fit(8, head, items, ")")
        call = f"{head}{', '.join(items)})"
        line = f"        return {self.wrapped(node.returns, home, call, on_class=target == self.node.name)}\n"
        if len(line) <= WIDTH + 1:
            return text + line
        wrapped = self.wrapped(node.returns, home, "result", on_class=target == self.node.name)
        if wrapped == "result":
            return text + fit(8, f"return {head}", items, ")")
        return text + fit(8, f"result = {head}", items, ")") + f"        return {wrapped}\n"

    def parameters(self, node: Function, home: Module) -> tuple[list[str], list[str]]:
        """Return the twin's parameters, and what it passes on for them."""
        spec = node.args
        parameters: list[str] = []
        arguments: list[str] = []

        def add(argument: ast.arg, default: ast.expr | None = None, stars: str = "", key: str = "") -> None:
            text = f"{stars}{argument.arg}"
            passed = f"{key}{text}"
            if argument.annotation is not None:
                kind = self.convert(argument.annotation, home)
                text += f": {kind}"
                if kind != text_of(argument.annotation):
                    passed = f"{key}{self.unwrapped(argument.arg, argument.annotation, home)}"
            if default is not None:
                self.convert(default, home)
                text += f"{' = ' if argument.annotation else '='}{text_of(default)}"
            parameters.append(text)
            arguments.append(passed)

        positional = [*spec.posonlyargs, *spec.args]
        defaults = [None] * (len(positional) - len(spec.defaults)) + list(spec.defaults)
        for place, (argument, default) in enumerate(zip(positional, defaults, strict=True), 1):
            add(argument, default)
            if place == len(spec.posonlyargs):
                parameters.append("/")
        if spec.vararg is not None:
            add(spec.vararg, stars="*")
        elif spec.kwonlyargs:
            parameters.append("*")
        for argument, default in zip(spec.kwonlyargs, spec.kw_defaults, strict=True):
            add(argument, default, key=f"{argument.arg}=")
        if spec.kwarg is not None:
            add(spec.kwarg, stars="**")
        is_static = any(text_of(decorator) == "staticmethod" for decorator in node.decorator_list)
        return parameters, arguments if is_static else arguments[1:]

    def unwrapped(self, name: str, annotation: ast.expr, home: Module) -> str:
        """Return what an async method is given for an argument that is a twin, or takes one."""
        kind = self.convert(annotation, home)
        if kind in self.room.twins:
            return f"{name}._impl"
        match annotation:
            case ast.Subscript(slice=ast.Tuple(elts=[ast.List(elts=[taken]), ast.Name(id="object")])):
                return f"lambda item: {name}({self.wrapped(taken, home, 'item')})"
            case _:
                raise GenerationError(f"{self.node.name}: no rule for {name}: {kind}")

    def convert(self, annotation: ast.expr, home: Module, *, returned: bool = False) -> str:
        """Return a type or default as the twin has it, with what it names imported."""
        annotation = deepcopy(annotation)
        for node in ast.walk(annotation):
            if not isinstance(node, ast.Name) or node.id == self.item:
                continue
            if twin := self.room.twin_of(node.id, home):
                node.id = twin
            elif returned and node.id in ITERATORS:
                node.id = self.room.use("Iterator", ("collections.abc", "Iterator"))
            elif (origin := home.origin(node.id)) is not None:
                self.room.use(node.id, origin)
        return text_of(annotation)

    def wrapped(self, annotation: ast.expr, home: Module, value: str, *, on_class: bool = False) -> str:
        """Return the expression that makes of an async method's result what the twin returns."""
        match annotation:
            case ast.Name(id="Self"):
                return f"cls._wrap({value})" if on_class else f"self._twin({value})"
            case ast.Name(id=name) if name == self.item:
                return f"self._item({value})"
            case ast.Name(id=name) if twin := self.room.twin_of(name, home):
                found = class_named(name, home)
                callers_make_it = found is not None and public_constructor(found[1]) is not None
                return f"{twin}{'._wrap' if callers_make_it else ''}({value})"
            case ast.BinOp(left=kind, op=ast.BitOr(), right=ast.Constant(value=None)):
                inner = self.wrapped(kind, home, "")
                return (
                    f"{self.room.core('optional')}({inner.removesuffix('()')}, {value})" if inner else value
                )
            case ast.Subscript(value=ast.Name(id="AsyncPager"), slice=kind):
                inner = self.wrapped(kind, home, "")
                return (
                    f"{self.room.core('Pager')}({value}, {inner.removesuffix('()') or 'lambda item: item'})"
                )
            case ast.Subscript(value=ast.Name(id=name), slice=kind) if name in ITERATORS:
                stepped = f"{self.room.core('iterate')}({value})"
                item = self.wrapped(kind, home, "item")
                return stepped if item == "item" else f"({item} for item in {stepped})"
            case ast.Subscript(value=ast.Name(id="list"), slice=kind):
                item = self.wrapped(kind, home, "item")
                return value if item == "item" else f"[{item} for item in {value}]"
            case ast.Subscript(value=ast.Name(id=name), slice=kind) if twin := self.room.twin_of(name, home):
                return f"{twin}({value}, {self.wrapped(kind, home, '').removesuffix('()')})"
            case _:
                if self.convert(annotation, home) != text_of(annotation):
                    raise GenerationError(f"{self.node.name}: no rule for returning {text_of(annotation)}")
                return value

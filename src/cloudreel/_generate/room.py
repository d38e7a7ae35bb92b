"""What the twins of one room share: which classes have twins, and what the generated module imports."""

from __future__ import annotations

from collections.abc import Sequence

from cloudreel._generate.sources import GenerationError, Module, Origin, class_named, has_twin

BY_HAND = {"AsyncPager": ("cloudreel.core.twin", "Pager")}


class Room:
    """The twins of the async classes of some modules, as one module."""

    def __init__(self, sources: Sequence[Module]) -> None:
        self.sources = sources
        self.local = {node.name for source in sources for node in source.async_classes()}
        self.twins = sorted({name.removeprefix("Async") for name in (*self.local, *BY_HAND)})
        self.imports: dict[str, Origin] = {}
        self.variables: set[str] = set()

    def use(self, local: str, origin: Origin) -> str:
        """Have a name imported and return it."""
        if self.imports.setdefault(local, origin) != origin:
            raise GenerationError(f"{local} is both {self.imports[local]} and {origin}")
        return local

    def core(self, name: str) -> str:
        """Have a name of what twins stand on imported and return it."""
        return self.use(name, ("cloudreel.core.portal" if name == "iterate" else "cloudreel.core.twin", name))

    def twin_of(self, name: str, seen_from: Module) -> str | None:
        """Return the name of an async class's twin, None for any other name."""
        if name in BY_HAND:
            return self.use(BY_HAND[name][1], BY_HAND[name])
        found = class_named(name, seen_from) if name.startswith("Async") else None
        if found is None or not has_twin(found[1]):
            return None
        twin = name.removeprefix("Async")
        if found[1].name not in self.local:
            self.use(twin, (f"{found[0].room}.sync", twin))
            self.twins = sorted({*self.twins, twin})
        return twin

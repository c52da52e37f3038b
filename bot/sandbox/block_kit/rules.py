"""What Slack refuses although each field is right by itself: rules between fields, between blocks, and of a surface.

Every rule takes any JSON whatever, finds nothing where the shape is not its own (the schema tells that), and yields
`Problem`s. `BLOCK_RULES` look at one block, `LIST_RULES` at all blocks of a surface.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain

from bot.sandbox.block_kit.keywords import Path, Problem
from bot.sandbox.block_kit.limits import (
    BLOCK_CHARS,
    BLOCK_SURFACES,
    BLOCKS,
    ELEMENT_SURFACES,
    MARKDOWN_CHARS,
    TABLE_CHARS,
    TOTAL_CHARS,
    Surface,
)

Located = tuple[Path, Mapping[str, object]]
Problems = Iterator[Problem]


def among(blocks: Sequence[object], surface: Surface, path: Path) -> Problems:
    """Everything these rules find in the blocks of one message or view."""
    every = list(_blocks(blocks, path))
    for rule in LIST_RULES:
        yield from rule(every, surface, path)
    if len(blocks) > BLOCKS[surface]:
        yield Problem(f"no more than {BLOCKS[surface]} items allowed", path)
    for where, block in every:
        for check in BLOCK_RULES:
            yield from check(where, block)


def visible_chars(value: object) -> int:
    """Characters of every `text` inside, at any depth: what Slack is known to count."""
    total, waiting = 0, [value]
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, dict):
            text = inner.get("text")
            total += len(text) if isinstance(text, str) else 0
            waiting.extend(inner.values())
        elif isinstance(inner, list):
            waiting.extend(inner)
    return total


def _objects(values: object, path: Path) -> Iterator[Located]:
    if isinstance(values, Sequence) and not isinstance(values, str | bytes):
        yield from (((*path, index), value) for index, value in enumerate(values) if isinstance(value, Mapping))


def _blocks(values: object, path: Path) -> Iterator[Located]:
    """Each block, then the blocks inside it (containers and carousels do not nest further)."""
    for where, block in _objects(values, path):
        yield where, block
        yield from _objects(block.get("child_blocks"), (*where, "child_blocks"))
        if block.get("type") == "carousel":
            yield from _objects(block.get("elements"), (*where, "elements"))


def _elements(where: Path, block: Mapping[str, object]) -> Iterator[Located]:
    for key in ("accessory", "element"):
        element = block.get(key)
        if isinstance(element, Mapping):
            yield (*where, key), element
    if block.get("type") in ("actions", "context", "context_actions"):
        yield from _objects(block.get("elements"), (*where, "elements"))
    yield from _objects(block.get("actions"), (*where, "actions"))


def _allowed_here(every: list[Located], surface: Surface, _path: Path) -> Problems:
    for where, block in every:
        kind = block.get("type")
        if isinstance(kind, str) and surface not in BLOCK_SURFACES.get(kind, {surface}):
            yield Problem(f"unsupported type: {kind}", (*where, "type"))
        for place, element in _elements(where, block):
            inner = element.get("type")
            if isinstance(inner, str) and surface not in ELEMENT_SURFACES.get(inner, {surface}):
                yield Problem(f"unsupported type: {inner}", (*place, "type"))


def _block_ids_differ(every: list[Located], _surface: Surface, _path: Path) -> Problems:
    yield from _repeated(every, "block_id")


def _action_ids_differ(where: Path, block: Mapping[str, object]) -> Problems:
    yield from _repeated(_elements(where, block), "action_id")


def _repeated(places: Iterator[Located] | list[Located], key: str) -> Problems:
    seen: set[str] = set()
    for where, value in places:
        name = value.get(key)
        if isinstance(name, str) and name in seen:
            yield Problem(f"`{key}` must be unique: {name}", (*where, key))
        elif isinstance(name, str):
            seen.add(name)


def _fits_in_a_message(every: list[Located], surface: Surface, path: Path) -> Problems:
    if surface != "message":
        return
    outer = [block for where, block in every if len(where) == len(path) + 1]
    total = sum(visible_chars(block) for block in outer) + BLOCK_CHARS * len(outer)
    if total > TOTAL_CHARS:
        yield Problem(f"msg_blocks_too_long: {total} of {TOTAL_CHARS} characters, {BLOCK_CHARS} for each block", path)
    markdown = [block for block in outer if block.get("type") == "markdown"]
    if len(markdown) > 1 and sum(map(visible_chars, markdown)) > MARKDOWN_CHARS:
        yield Problem(f"markdown blocks must be less than {MARKDOWN_CHARS + 1} characters together", path)
    tables = [where for where, block in every if block.get("type") == "table"]
    yield from (Problem("only_one_table_allowed", where) for where in tables[1:])


def _one_focus(every: list[Located], _surface: Surface, _path: Path) -> Problems:
    places = chain.from_iterable(_elements(where, block) for where, block in every)
    focused = [where for where, element in places if element.get("focus_on_load") is True]
    yield from (Problem("only one element may set `focus_on_load`", (*where, "focus_on_load")) for where in focused[1:])


def _section_says_something(where: Path, block: Mapping[str, object]) -> Problems:
    if block.get("type") == "section" and not {"text", "fields"} & block.keys():
        yield Problem("must define either `text` or `fields`", (*where, "type"))


def _card_says_something(where: Path, block: Mapping[str, object]) -> Problems:
    if block.get("type") == "card" and not {"hero_image", "title", "actions", "body"} & block.keys():
        yield Problem("must define at least one of `hero_image`, `title`, `actions` or `body`", (*where, "type"))


def _container_has_a_title(where: Path, block: Mapping[str, object]) -> Problems:
    if block.get("type") == "container" and not {"title", "rich_text_title"} & block.keys():
        yield Problem("must define either `title` or `rich_text_title`", (*where, "type"))


def _table_fits(where: Path, block: Mapping[str, object]) -> Problems:
    rows = block.get("rows")
    if block.get("type") not in ("table", "data_table") or not isinstance(rows, list):
        return
    if visible_chars(rows) > TABLE_CHARS:
        yield Problem(f"cells must be less than {TABLE_CHARS + 1} characters together", (*where, "rows"))
    if block.get("type") == "table":
        return
    widths = [len(row) for row in rows if isinstance(row, list)]
    if len(set(widths)) > 1:
        yield Problem("all rows must have the same number of cells", (*where, "rows"))
    for place, cell in _objects(rows[0] if rows else [], (*where, "rows", 0)):
        if cell.get("type") == "rich_text":
            yield Problem("unsupported type: rich_text", (*place, "type"))


def _files_are_not_dispatched(where: Path, block: Mapping[str, object]) -> Problems:
    element = block.get("element")
    if block.get("dispatch_action") is True and isinstance(element, Mapping) and element.get("type") == "file_input":
        yield Problem("unsupported type: file_input", (*where, "element", "type"))


def _choices_are_sound(where: Path, block: Mapping[str, object]) -> Problems:
    for place, element in _elements(where, block):
        kind = element.get("type")
        given = {"options", "option_groups"} & element.keys()
        if kind in ("static_select", "multi_static_select") and len(given) != 1:
            yield Problem("must define either `options` or `option_groups`", (*place, "type"))
        offered = list(_offered(place, element))
        if kind != "overflow":
            urls = ((*at, "url") for at, option in offered if "url" in option)
            yield from (Problem("invalid additional property: url", at) for at in urls)
        if given:
            yield from _first_choice_is_offered(place, element, [option for _, option in offered])


def _offered(where: Path, element: Mapping[str, object]) -> Iterator[Located]:
    yield from _objects(element.get("options"), (*where, "options"))
    for place, group in _objects(element.get("option_groups"), (*where, "option_groups")):
        yield from _objects(group.get("options"), (*place, "options"))


def _first_choice_is_offered(
    where: Path, element: Mapping[str, object], offered: list[Mapping[str, object]]
) -> Problems:
    chosen = [((*where, "initial_option"), element["initial_option"])] if "initial_option" in element else []
    for place, option in chain(chosen, _objects(element.get("initial_options"), (*where, "initial_options"))):
        if option not in offered:
            yield Problem("must match one of the options", place)


LIST_RULES: tuple[Callable[[list[Located], Surface, Path], Problems], ...] = (
    _allowed_here,
    _block_ids_differ,
    _fits_in_a_message,
    _one_focus,
)
BLOCK_RULES: tuple[Callable[[Path, Mapping[str, object]], Problems], ...] = (
    _action_ids_differ,
    _section_says_something,
    _card_says_something,
    _container_has_a_title,
    _table_fits,
    _files_are_not_dispatched,
    _choices_are_sound,
)

"""Slack's limits that its published types cannot say: lengths, counts, surfaces. Data only.

`FIELDS` is keyed by definition of `block_kit.schema.json`, then by a path of properties (`[]` = each item); its values
are JSON Schema keywords that are laid over the types. A path laid by an outer definition wins: a text object may hold
3,000 characters, a button's text 75.

Source: the reference pages under docs.slack.dev/reference/block-kit, and docs.slack.dev/blocks.json for the surfaces.
Not written there, but measured by others: `TOTAL_CHARS` and `BLOCK_CHARS` (slackapi/bolt-js#2509 and #2867).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

Surface = Literal["message", "modal", "home"]
Keywords = Mapping[str, object]

BLOCKS: Final[Mapping[Surface, int]] = MappingProxyType({"message": 50, "modal": 100, "home": 100})
ATTACHMENTS: Final = 100
MESSAGE_TEXT_CHARS: Final = 40_000
MARKDOWN_CHARS: Final = 12_000  # of all markdown blocks of one message together
TABLE_CHARS: Final = 10_000  # of all cells of one table together
VIEW_BYTES: Final = 250_000
TOTAL_CHARS: Final = 13_000  # of a message's blocks: `text` and BLOCK_CHARS for each block; refused about 200 later
BLOCK_CHARS: Final = 100

EVERYWHERE: Final[frozenset[Surface]] = frozenset({"message", "modal", "home"})
BLOCK_SURFACES: Final[Mapping[str, frozenset[Surface]]] = MappingProxyType(
    {
        "actions": EVERYWHERE,
        "alert": frozenset({"modal"}),
        "card": EVERYWHERE,
        "carousel": frozenset({"message", "home"}),
        "container": frozenset({"message"}),
        "context": EVERYWHERE,
        "context_actions": frozenset({"message"}),
        "data_table": frozenset({"message"}),
        "divider": EVERYWHERE,
        "file": frozenset({"message"}),
        "header": EVERYWHERE,
        "image": EVERYWHERE,
        "input": EVERYWHERE,
        "markdown": frozenset({"message"}),
        "plan": frozenset({"message"}),
        "rich_text": EVERYWHERE,
        "section": EVERYWHERE,
        "table": frozenset({"message"}),
        "task_card": frozenset({"message"}),
        "video": EVERYWHERE,
    }
)
# An element that is not listed may stand wherever its block may.
ELEMENT_SURFACES: Final[Mapping[str, frozenset[Surface]]] = MappingProxyType(
    {
        "datetimepicker": frozenset({"message", "modal"}),
        "email_text_input": frozenset({"modal"}),
        "file_input": frozenset({"modal"}),
        "number_input": frozenset({"modal"}),
        "rich_text_input": frozenset({"modal", "home"}),
        "url_text_input": frozenset({"modal"}),
        "workflow_button": frozenset({"message"}),
    }
)


def chars(least: int, most: int | None = None) -> Keywords:
    return {"minLength": least} | ({} if most is None else {"maxLength": most})


def items(least: int, most: int | None = None) -> Keywords:
    return {"minItems": least} | ({} if most is None else {"maxItems": most})


def integer(least: int, most: int | None = None) -> Keywords:
    return {"type": "integer", "minimum": least} | ({} if most is None else {"maximum": most})


def url(scheme: str = r"[A-Za-z][A-Za-z0-9+.\-]*:") -> Keywords:
    return {"format": "url", "pattern": rf"^{scheme}\S+$", "maxLength": 3000}


WEB: Final = r"https?://"
SECURE: Final = r"https://"

# Laid over every object that has the property, before FIELDS.
SHARED: Final[Mapping[str, Keywords]] = MappingProxyType(
    {
        "accessibility_label": chars(0, 75),
        "action_id": chars(1, 255),
        "block_id": chars(1, 255),
        "callback_id": chars(0, 255),
        "external_id": chars(0, 255),
        "max_selected_items": integer(1),
        "min_query_length": integer(0),
        "placeholder.text": chars(1, 150),
        "private_metadata": chars(0, 3000),
    }
)

_OPTION: Final[Mapping[str, Keywords]] = {
    "": {"required": ["text", "value"]},  # optional in the types, required by the reference
    "text.text": chars(1, 75),
    "value": chars(0, 150),
    "description.text": chars(1, 75),
    "url": url(),
}
_SELECT: Final[Mapping[str, Keywords]] = {
    "options": items(1, 100),
    "option_groups": items(1, 100),
    "option_groups[].label.text": chars(1, 75),
    "option_groups[].options": items(1, 100),
}
_IMAGE: Final[dict[str, Keywords]] = {"alt_text": chars(1, 2000), "image_url": url(WEB)}

FIELDS: Final[Mapping[str, Mapping[str, Keywords]]] = MappingProxyType(
    {
        # text and what is chosen from
        "PlainTextElement": {"text": chars(1, 3000)},
        "MrkdwnElement": {"text": chars(1, 3000)},
        "RawTextElement": {"text": chars(1)},
        "RawNumberElement": {"text": chars(1)},
        "MrkdwnOption": _OPTION,
        "PlainTextOption": _OPTION,
        "ConfirmationDialog": {
            "title.text": chars(1, 100),
            "text.text": chars(1, 300),
            "confirm.text": chars(1, 30),
            "deny.text": chars(1, 30),
        },
        # elements
        "Button": {"text.text": chars(1, 75), "value": chars(0, 2000), "url": url()},
        "WorkflowButton": {"text.text": chars(1, 75)},
        "IconButton": {"text.text": chars(1, 75), "value": chars(0, 2000)},
        "FeedbackButtons": {
            "positive_button.text.text": chars(1, 75),
            "positive_button.value": chars(0, 2000),
            "negative_button.text.text": chars(1, 75),
            "negative_button.value": chars(0, 2000),
        },
        "Checkboxes": {"options": items(1, 10), "initial_options": items(1, 10)},
        "RadioButtons": {"options": items(1, 10)},
        "Overflow": {"options": items(1, 5)},
        "StaticSelect": _SELECT,
        "MultiStaticSelect": _SELECT,
        "Datepicker": {"initial_date": {"pattern": r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"}},
        "Timepicker": {"initial_time": {"pattern": r"^([01]\d|2[0-3]):[0-5]\d$"}},
        "DateTimepicker": {"initial_date_time": integer(1_000_000_000, 9_999_999_999)},
        "FileInput": {"max_files": integer(1, 10)},
        "PlainTextInput": {
            "initial_value": chars(0, 3000),
            "min_length": integer(0, 3000),
            "max_length": integer(1, 3000),
        },
        "RichTextInput": {"min_lines": integer(1, 100), "max_lines": integer(1, 100)},
        "ImageElement": _IMAGE,
        "URLSourceElement": {"url": url(WEB), "text": chars(1)},
        # rich text
        "RichTextBlock": {"elements": items(1)},
        "RichTextList": {"elements": items(1), "indent": integer(0, 8)},
        "RichTextText": {"text": chars(1)},
        "RichTextLink": {"url": url()},
        "RichTextDate": {"timestamp": integer(0), "format": chars(1)},
        "RichTextEmoji": {"name": chars(1)},
        # blocks
        "ActionsBlock": {"elements": items(1, 25)},
        "AlertBlock": {"text.text": chars(1, 200)},
        "CardBlock": {"title.text": chars(1, 150), "subtitle.text": chars(1, 150), "body.text": chars(1, 200)},
        "CarouselBlock": {"elements": items(1, 10)},
        "ContainerBlock": {
            "title.text": chars(1, 150),
            "subtitle.text": chars(1, 150),
            "child_blocks": items(1, 10),
        },
        "ContextBlock": {"elements": items(1, 10)},
        "ContextActionsBlock": {"elements": items(1, 5)},
        "DataTableBlock": {
            "rows": items(2, 101),
            "rows[]": items(1, 20),
            "caption": chars(1),
            "page_size": integer(1, 100),
            "row_header_column_index": integer(0, 19),
        },
        "FileBlock": {"source": {"enum": ["remote"]}, "external_id": chars(1, 255)},
        "HeaderBlock": {"text.text": chars(1, 150)},
        "ImageBlock": _IMAGE | {"title.text": chars(1, 2000)},
        "InputBlock": {"label.text": chars(1, 2000), "hint.text": chars(1, 2000)},
        "MarkdownBlock": {"text": chars(1, MARKDOWN_CHARS)},
        "PlanBlock": {"title": chars(1)},
        "SectionBlock": {"text.text": chars(1, 3000), "fields": items(1, 10), "fields[].text": chars(1, 2000)},
        "TableBlock": {"rows": items(1, 100), "rows[]": items(1, 20), "column_settings": items(0, 20)},
        "TaskCardBlock": {"task_id": chars(1), "title": chars(1)},
        "VideoBlock": {
            "title.text": chars(1, 199),
            "author_name": chars(0, 49),
            "alt_text": chars(1),
            "video_url": url(SECURE),
            "title_url": url(SECURE),
            "thumbnail_url": url(WEB),
            "provider_icon_url": url(WEB),
        },
        # what carries blocks
        "Modal": {"title.text": chars(1, 24), "submit.text": chars(1, 24), "close.text": chars(1, 24)},
        "Attachment": {"footer": chars(0, 300)},
    }
)

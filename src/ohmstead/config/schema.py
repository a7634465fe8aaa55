"""The configuration as a JSON Schema, so that editors can complete and check it."""

from dataclasses import is_dataclass
from typing import Any

from ohmstead.config.catalogue import (
    FAMILIES,
    FORECASTS,
    OUTPUTS,
    PRICE_SOURCES,
    STRATEGIES,
    forecast,
    output,
    price_source,
    settings_type,
    strategy,
    validator,
)
from ohmstead.config.load import HISTORY_SETTINGS, WEB_SETTINGS
from ohmstead.config.settings import Top

__all__ = ["json_schema"]


def json_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12) of the whole file, every family and strategy included."""
    schema = Top.model_json_schema()
    definitions = schema["$defs"]
    keys = schema["properties"]

    def define(name: str, settings: type) -> dict[str, Any]:
        part = validator(settings).json_schema(ref_template="#/$defs/{model}")
        definitions.update(part.pop("$defs", {}))
        definitions[name] = part
        _describe(part, settings)
        return part

    families = []
    for family in FAMILIES.values():
        part = define(f"device.{family.name}", family.settings)
        part["title"] = family.title
        part["properties"] |= {
            "name": {"type": "string", "description": "What you call the device."},
            "family": {"const": family.name},
            "poll_s": {"type": "number", "minimum": family.least_poll_s, "default": family.poll_s,
                       "description": "How often it is read."},
        }  # fmt: skip
        part["required"] = ["name", "family", *part.get("required", ())]
        families.append({"$ref": f"#/$defs/device.{family.name}"})
    sources = []
    for name in PRICE_SOURCES:
        part = define(f"price.{name}", price_source(name)[1])
        part["properties"] |= {"source": {"const": name}}
        part["required"] = ["source", *part.get("required", ())]
        sources.append({"$ref": f"#/$defs/price.{name}"})
    for kind, known in FORECASTS.items():
        choices_of_it = []
        for name in known:
            part = define(f"{kind}.{name}", forecast(kind, name)[1])
            part["properties"] |= {"source": {"const": name}}
            part["required"] = ["source", *part.get("required", ())]
            choices_of_it.append({"$ref": f"#/$defs/{kind}.{name}"})
        definitions["Forecasts"]["properties"][kind] = {"oneOf": choices_of_it}
    strategies = {}
    for name in STRATEGIES:
        define(f"control.{name}", strategy(name)[1])
        strategies[name] = {"$ref": f"#/$defs/control.{name}"}
    outputs = {}
    for name in OUTPUTS:
        define(f"output.{name}", output(name)[1])
        outputs[name] = {"$ref": f"#/$defs/output.{name}"}
    define("web", settings_type(WEB_SETTINGS))
    define("history", settings_type(HISTORY_SETTINGS))
    keys["devices"]["items"] = {"oneOf": families}
    for key, choices in (("control", strategies), ("outputs", outputs)):
        keys[key]["items"] = {
            "type": "object",
            "properties": choices,
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
        }
    for direction in ("import", "export"):
        definitions["Prices"]["properties"][direction] = {"oneOf": sources}
    keys["web"] = {"$ref": "#/$defs/web"}
    keys["history"] = {"$ref": "#/$defs/history"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ohmstead.yaml",
        **{key: value for key, value in schema.items() if key != "title"},
    }


def _describe(part: dict[str, Any], settings: type) -> None:
    """Give *part* what is said of the keys that *settings* has from its bases."""
    for base in settings.__mro__[1:]:
        if is_dataclass(base):
            known = validator(base).json_schema()["properties"]
            for key, about in part["properties"].items():
                if key in known and "description" in known[key]:
                    about.setdefault("description", known[key]["description"])

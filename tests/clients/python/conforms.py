"""Holds every answer against the document: its status, its media type, its body, and no field besides."""

import json
from pathlib import Path
from typing import Any

import httpx
from openapi_schema_validator import OAS30Validator, oas30_format_checker


class Conforms:
    """A hook for httpx."""

    def __init__(self, document: Path) -> None:
        self._document = json.loads(document.read_text(encoding="utf-8"))
        for schema in self._document["components"]["schemas"].values():
            if "properties" in schema:
                schema.setdefault("additionalProperties", False)
        self.seen: set[str] = set()

    def __call__(self, response: httpx.Response) -> None:
        request = response.request
        operation = self._operation(request.method.lower(), request.url.path)
        self.seen.add(operation["operationId"])
        answer = f"{operation['operationId']} answered {response.status_code}"
        declared = operation["responses"].get(str(response.status_code))
        if declared is None:
            raise ValueError(f"{answer}, which the document does not know of it")
        media_type = response.headers.get("content-type", "").split(";")[0]
        if media_type not in declared["content"]:
            raise ValueError(f"{answer} as “{media_type}”, not as {list(declared['content'])}")
        response.read()
        # References are looked up from the top, so the schemas stand beside the one that is meant.
        schema = {"allOf": [declared["content"][media_type]["schema"]], "components": self._document["components"]}
        validator = OAS30Validator(schema, format_checker=oas30_format_checker)
        for error in validator.iter_errors(response.json()):
            raise ValueError(f"{answer} with /{'/'.join(map(str, error.absolute_path))}: {error.message}")

    def _operation(self, method: str, path: str) -> dict[str, Any]:
        parts = path.split("/")
        fitting = [
            template
            for template, item in self._document["paths"].items()
            if method in item and self._fits(template.split("/"), parts)
        ]
        # A path spelt out goes before one with parameters.
        found: dict[str, Any] = self._document["paths"][min(fitting, key=lambda path: path.count("{"))][method]
        return found

    @staticmethod
    def _fits(template: list[str], path: list[str]) -> bool:
        pairs = zip(template, path, strict=False)
        return len(template) == len(path) and all(want.startswith("{") or want == part for want, part in pairs)

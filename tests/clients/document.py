"""Validates an OpenAPI document: `document.py <file>`. Needs openapi-spec-validator."""

import json
import sys
from pathlib import Path
from typing import Any

from openapi_spec_validator import OpenAPIV30SpecValidator


def without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Parsers keep the last of two equal keys, so operations would vanish without a word."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise SystemExit(f"document: the key “{key}” stands twice in one object")
        found[key] = value
    return found


def main(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=without_doubles)
    errors = list(OpenAPIV30SpecValidator(document).iter_errors())
    for error in errors:
        place = "".join("/" + str(part).replace("/", "~1") for part in error.absolute_path)
        print(f"document: {place or '/'}: {error.message[:400]}", file=sys.stderr)
    if errors:
        raise SystemExit(1)
    items = [item for path in document["paths"].values() for item in path.values()]
    operations = [item["operationId"] for item in items if "responses" in item]
    print(f"document: {len(operations)} operations, {len(document['components']['schemas'])} schemas")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

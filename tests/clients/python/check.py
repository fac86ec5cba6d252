"""Drives the main job through the generated Python client: `check.py <json file of the demo> <document>`."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

from conforms import Conforms
from panelone_client.api.clients import (
    client_create,
    client_delete,
    client_device_list,
    client_get,
    client_list,
    client_microsoft365_get,
    client_stats,
    client_subscription_list,
    client_update,
    client_user_list,
    subscription_quantity_set,
)
from panelone_client.api.connections import connection_create, connection_get
from panelone_client.api.imports import import_apply
from panelone_client.api.integrations import integration_list
from panelone_client.api.journal import journal_get, journal_list, journal_revert, journal_verify
from panelone_client.api.mappings import entity_list, mapping_save, mapping_suggest
from panelone_client.api.runs import run_list
from panelone_client.api.session import me_get
from panelone_client.client import AuthenticatedClient
from panelone_client.models import (
    Advice,
    ClearableField,
    Client,
    ClientCreate,
    ClientDetail,
    ClientUpdate,
    Connection,
    ConnectionCreate,
    ConnectionState,
    Entity,
    ImportRequest,
    MappingDecision,
    MappingSave,
    MappingTarget,
    Problem,
    QuantityChange,
    Revert,
    RunState,
    Subscription,
)
from panelone_client.types import UNSET, Response, Unset

T = TypeVar("T")

VENDORS = ("ninjaone", "microsoft365", "pax8")
"""Vendors of the main job; clients are made from the first."""

PATIENCE = 90.0
"""Seconds that the first sync of all vendors may take."""


class Failed(Exception):
    """Something is not as the document and the product promise."""


@contextmanager
def step(name: str) -> Iterator[None]:
    started = time.monotonic()
    try:
        yield
    except Exception as why:
        kind = "" if isinstance(why, Failed) else f"{type(why).__name__}: "
        raise SystemExit(f'clients: python failed at step "{name}": {kind}{why}') from why
    print(f"    python: {name} ({time.monotonic() - started:.1f} s)", flush=True)


def check(holds: bool, what: str) -> None:
    if not holds:
        raise Failed(f"expected that {what}")


def good(response: Response[T | Problem]) -> T:
    """The body of an answer that is no problem."""
    body = response.parsed
    if isinstance(body, Problem):
        raise Failed(f"answered {body.status} {body.code}: {body.detail} {[m.to_dict() for m in body.errors]}")
    if body is None or response.status_code != 200:
        raise Failed(f"answered {response.status_code} without a body that the document knows: {response.content!r}")
    return body


def problem(response: Response[T | Problem], status: int, code: str) -> Problem:
    """The problem that an answer must be."""
    body = response.parsed
    if not isinstance(body, Problem):
        raise Failed(f"expected a problem {status} {code}, got {response.status_code}: {response.content[:300]!r}")
    check((response.status_code, body.status, body.code) == (status, status, code), f"{body.to_dict()} is {status} {code}")
    check(body.type_ == f"urn:panelone:problem:{code}" and body.request_id != "", f"{body.to_dict()} names type and request")
    return body


def given(value: T | Unset) -> T:
    """A value that must not be left out."""
    if isinstance(value, Unset):
        raise Failed("a field was left out that must be there")
    return value


def paged(page: Callable[[str | Unset], tuple[list[T], str | Unset, int]]) -> list[T]:
    """Every row of a list, page after page."""
    rows: list[T] = []
    cursor: str | Unset = UNSET
    for _ in range(200):
        items, cursor, total = page(cursor)
        rows.extend(items)
        if isinstance(cursor, Unset):
            check(len(rows) == total, f"the pages hold {total} rows, not {len(rows)}")
            return rows
        check(len(items) > 0, "a page with a next one has rows")
    raise Failed("a list did not end within 200 pages")


def connect(api: AuthenticatedClient, integration: str, credentials: dict[str, str]) -> Connection:
    body = ConnectionCreate(integration=integration, credentials=credentials)
    key = str(uuid4())
    made = good(connection_create.sync_detailed(client=api, body=body, idempotency_key=key))
    again = good(connection_create.sync_detailed(client=api, body=body, idempotency_key=key))
    connection = given(made.item)
    check(connection.id == given(again.item).id, "the same idempotency key gives the first answer again")
    check(all(secret not in json.dumps(made.to_dict()) for secret in credentials.values() if len(secret) > 20), "no secret shows")
    return connection


def synced(api: AuthenticatedClient, connection: Connection, until: float) -> None:
    while True:
        now = good(connection_get.sync_detailed(connection.id, client=api))
        if not now.syncing:
            break
        check(time.monotonic() < until, f"{now.integration} is synced in time: {now.to_dict()}")
        time.sleep(0.25)
    check(now.state in (ConnectionState.CONNECTED, ConnectionState.DEGRADED), f"it works: {now.to_dict()}")
    runs = good(run_list.sync_detailed(client=api, connection_id=connection.id, limit=100))
    done = (RunState.COMPLETE, RunState.PARTIAL)
    check(len(runs.items) > 0, "a sync leaves runs")
    check(all(run.state in done for run in runs.items), f"runs ended well: {[run.to_dict() for run in runs.items]}")
    for run in runs.items:
        counts = run.counts
        parts = counts.added + counts.changed + counts.unchanged + counts.rejected + counts.repeated
        check(parts == counts.listed, f"the counts add up: {run.to_dict()}")


def entities_of(api: AuthenticatedClient, connection: Connection) -> list[Entity]:
    def page(cursor: str | Unset) -> tuple[list[Entity], str | Unset, int]:
        found = good(entity_list.sync_detailed(connection.id, client=api, limit=5, cursor=cursor))
        return found.items, found.next_cursor, found.total

    return paged(page)


def import_all(api: AuthenticatedClient, connection: Connection) -> UUID:
    """Previews and applies an import of all entities; the journal entry that holds it."""
    body = ImportRequest(connection_id=connection.id)
    before = good(client_stats.sync_detailed(client=api)).total
    preview = good(import_apply.sync_detailed(client=api, body=body, dry_run=True))
    planned = given(preview.item)
    check(preview.change_set.dry_run and isinstance(preview.change_set.entry_id, Unset), "a preview is no entry")
    check(good(client_stats.sync_detailed(client=api)).total == before, "a preview makes no client")

    moved = problem(import_apply.sync_detailed(client=api, body=body, expect="0" * 64), 409, "moved")
    check(given(moved.change_set).total == preview.change_set.total, "the problem carries what would change now")

    applied = good(import_apply.sync_detailed(client=api, body=body, expect=preview.change_set.digest, reason="first import"))
    result = given(applied.item)
    check((result.created, result.linked) == (planned.created, planned.linked), "what is applied is what was previewed")
    after = good(client_stats.sync_detailed(client=api)).total
    check(after == before + result.created, f"{result.created} clients were made: {before} before, {after} after")
    return given(applied.change_set.entry_id)


def map_suggested(api: AuthenticatedClient, connection: Connection) -> int:
    """Saves the suggestions that need no person; how many those were."""
    found = good(mapping_suggest.sync_detailed(connection.id, client=api, threshold=0.9)).items
    check(len(found) > 0, "open entities have suggestions")
    clear = [one for one in found if one.advice == Advice.ACCEPT]
    check(len(clear) > 0, "some need no person")
    check(all(one.suggestions[0].signals for one in clear), "a suggestion says why")
    mappings = [
        MappingDecision(entity_id=one.entity.id, target=MappingTarget.CLIENT, client_id=one.suggestions[0].client_id)
        for one in clear
    ]
    saved = given(good(mapping_save.sync_detailed(client=api, body=MappingSave(mappings=mappings))).item)
    for mapping, entity in zip(mappings, saved.entities, strict=True):
        check(entity.client_id == mapping.client_id, f"“{entity.name}” belongs to the client chosen")
    return len(clear)


def clients_with_all(api: AuthenticatedClient) -> list[Client]:
    def page(cursor: str | Unset) -> tuple[list[Client], str | Unset, int]:
        answer = client_list.sync_detailed(client=api, has=",".join(VENDORS), limit=2, cursor=cursor)
        found = good(answer)
        check(("link" in answer.headers) == (not isinstance(found.next_cursor, Unset)), "Link tells of a next page")
        return found.items, found.next_cursor, found.total

    rows = paged(page)
    check(len(rows) > 0, "some client is mapped to all three")
    check(all(set(VENDORS) <= set(client.integrations) for client in rows), "has= lists only those that have all")
    check(len({client.id for client in rows}) == len(rows), "no client is on two pages")
    sought = rows[0]
    found = good(client_list.sync_detailed(client=api, search=sought.name[:6]))
    check(any(client.id == sought.id for client in found.items), f"searching finds “{sought.name}”")
    return rows


def look_at(api: AuthenticatedClient, client: Client) -> None:
    detail: ClientDetail = good(client_get.sync_detailed(client.id, client=api))
    check(set(VENDORS) <= {mapping.integration for mapping in detail.mappings}, "the overview names the mappings")
    devices = good(client_device_list.sync_detailed(client.id, client=api, limit=100))
    check(devices.total == given(detail.client.device_count) > 0, "as many devices as the overview says")
    check(devices.freshness.mapped and not devices.freshness.stale, "devices are fresh")
    users = good(client_user_list.sync_detailed(client.id, client=api, limit=100))
    check(users.total == given(detail.client.user_count) > 0, "as many directory users as the overview says")
    microsoft = good(client_microsoft365_get.sync_detailed(client.id, client=api))
    check(len(microsoft.licences) > 0 and len(microsoft.domains) > 0, "licences and domains are there")
    check(not isinstance(microsoft.licences_freshness.synced_at, Unset), "and how old they are")


def change_quantity(api: AuthenticatedClient, clients: list[Client]) -> None:
    def listed(client: Client) -> list[Subscription]:
        return good(client_subscription_list.sync_detailed(client.id, client=api, limit=100)).items

    open_ones = ((c, s) for c in clients for s in listed(c) if s.editable and s.status.lower() == "active")
    client, subscription = next(open_ones, (None, None))
    if client is None or subscription is None:
        raise Failed("no client has a subscription that can be changed")
    wanted = int(given(subscription.quantity).split(".")[0]) + 1
    body = QuantityChange(quantity=wanted)

    def send(**asked: Any) -> Any:
        return subscription_quantity_set.sync_detailed(client.id, subscription.id, client=api, body=body, **asked)

    preview = good(send(dry_run=True))
    check(preview.change_set.total > 0, "the preview says what would change")
    done = good(send(expect=preview.change_set.digest, reason="one more seat", idempotency_key=str(uuid4())))
    check(int(given(given(done.item).quantity).split(".")[0]) == wanted, "the answer has the new quantity")
    now = next(s for s in listed(client) if s.id == subscription.id)
    check(int(given(now.quantity).split(".")[0]) == wanted, "the list has the new quantity")


def edit_a_client(api: AuthenticatedClient) -> None:
    draft = ClientCreate(name="Quillfeather Surveyors", notes="by hand")
    made = given(good(client_create.sync_detailed(client=api, body=draft)).item)
    patch = ClientUpdate(phone="555 0100", clear=[ClearableField.NOTES])
    saved = given(good(client_update.sync_detailed(made.id, client=api, body=patch, if_match=f'"{made.version}"')).item)
    check(isinstance(saved.notes, Unset) and saved.phone == "555 0100", f"notes are emptied: {saved.to_dict()}")
    problem(client_update.sync_detailed(made.id, client=api, body=patch, if_match=f'"{made.version}"'), 412, "stale")
    good(client_delete.sync_detailed(made.id, client=api))
    problem(client_get.sync_detailed(made.id, client=api), 404, "not_found")


def refusals(api: AuthenticatedClient, base: str, connection: Connection) -> None:
    problem(client_get.sync_detailed(uuid4(), client=api), 404, "not_found")
    invalid = problem(client_create.sync_detailed(client=api, body=ClientCreate(name=" ")), 422, "invalid")
    check([mistake.pointer for mistake in invalid.errors] == ["/name"], f"the pointer names the field: {invalid.to_dict()}")
    problem(client_list.sync_detailed(client=api, limit=0), 422, "invalid")
    stranger = AuthenticatedClient(base_url=base, token="pone_live_nobody")
    problem(me_get.sync_detailed(client=stranger), 401, "unauthenticated")
    newest = good(journal_list.sync_detailed(client=api, action="connection_create", limit=1)).items[0]
    problem(journal_revert.sync_detailed(newest.id, client=api, body=Revert()), 409, "not_revertible")


def revert_import(api: AuthenticatedClient, entry: UUID, made: int) -> None:
    """Undoes an import although its clients changed since: refused by name first, then done."""
    before = good(client_stats.sync_detailed(client=api)).total
    refused = problem(journal_revert.sync_detailed(entry, client=api, body=Revert()), 422, "invalid")
    named = [UUID(mistake.pointer) for mistake in refused.errors]
    body = Revert(despite=named)
    preview = good(journal_revert.sync_detailed(entry, client=api, body=body, dry_run=True))
    done = good(journal_revert.sync_detailed(entry, client=api, body=body, expect=preview.change_set.digest))
    undo = good(journal_get.sync_detailed(given(done.change_set.entry_id), client=api))
    check(undo.reverts == entry, "the new entry names the one it reverts")
    after = good(client_stats.sync_detailed(client=api)).total
    check(after == before - made, f"the import's {made} clients are gone: {before} before, {after} after")
    check(good(journal_verify.sync_detailed(client=api)).sound, "the journal is sound")


def main(demo: dict[str, Any], document: Path) -> None:
    conforms = Conforms(document)
    hooks = {"event_hooks": {"response": [conforms]}}
    api = AuthenticatedClient(base_url=demo["api"], token=demo["api_key"], httpx_args=hooks)
    with step("sign in and read the catalogue"):
        check("clients_import" in good(me_get.sync_detailed(client=api)).permissions, "the key may import")
        catalogue = {one.id: one for one in good(integration_list.sync_detailed(client=api)).items}
        for vendor in VENDORS:
            needed = {field.name for field in catalogue[vendor].fields if field.required}
            check(needed <= set(demo["vendors"][vendor]), f"the form of {vendor} asks for what the demo gives")
    with step("connect"):
        connections = [connect(api, vendor, demo["vendors"][vendor]) for vendor in VENDORS]
    with step("sync"):
        until = time.monotonic() + PATIENCE
        for connection in connections:
            synced(api, connection, until)
    first, second, third = connections
    with step("list entities"):
        entities = [entities_of(api, connection) for connection in connections]
        check(all(entities), "every vendor has entities")
    with step("import"):
        entry = import_all(api, first)
        made = good(client_stats.sync_detailed(client=api)).total
        check(made > 0, "the import made clients")
    with step("map suggestions"):
        map_suggested(api, second)
        map_suggested(api, third)
    with step("list clients"):
        clients = clients_with_all(api)
    with step("look at a client"):
        look_at(api, clients[0])
    with step("change a quantity"):
        change_quantity(api, clients)
    with step("edit a client"):
        edit_a_client(api)
    with step("refusals"):
        refusals(api, demo["api"], first)
    with step("revert the import"):
        revert_import(api, entry, made)
    print(f"    python: the answers of {len(conforms.seen)} operations were held against the document")


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))

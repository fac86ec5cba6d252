// Drives the main job through the generated TypeScript client: `node out/check.js <json file of the demo>`.

import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

import createClient from "openapi-fetch";

import type { components, paths } from "./api.js";

type Schemas = components["schemas"];
type Problem = Schemas["Problem"];
type Api = ReturnType<typeof createClient<paths>>;
type Demo = { api: string; api_key: string; vendors: Record<string, Record<string, string>> };

/** What openapi-fetch answers. */
type Answer<T> = { data?: T; error?: unknown; response: Response };

/** Vendors of the main job; clients are made from the first. */
const VENDORS = ["ninjaone", "microsoft365", "pax8"] as const;

/** Milliseconds that the first sync of all vendors may take. */
const PATIENCE = 90_000;

function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`expected that ${what}`);
}

async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  try {
    const result = await work();
    console.log(`    typescript: ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
    return result;
  } catch (why) {
    console.error(`clients: typescript failed at step "${name}": ${why instanceof Error ? why.message : String(why)}`);
    process.exit(1);
  }
}

/** The body of an answer that is no problem. */
async function good<T>(pending: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await pending;
  if (data === undefined) throw new Error(`answered ${response.status}: ${JSON.stringify(error)}`);
  return data;
}

/** The problem that an answer must be. The compiler knows it as one: see the type of `error`. */
async function problem(
  pending: Promise<{ data?: unknown; error?: Problem; response: Response }>,
  status: number,
  code: string,
): Promise<Problem> {
  const { error, response } = await pending;
  check(error !== undefined, `it is refused with ${status} ${code}, got ${response.status}`);
  check(response.status === status && error.status === status && error.code === code, `${JSON.stringify(error)} is ${status} ${code}`);
  check(response.headers.get("content-type") === "application/problem+json", `it says that it is a problem`);
  check(error.type === `urn:panelone:problem:${code}` && error.request_id !== "", `${JSON.stringify(error)} names type and request`);
  return error;
}

/** A value that must not be left out. */
function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a field was left out that must be there");
  return value;
}

type Page<T> = { items: T[]; next_cursor?: string; total: number };

/** Every row of a list, page after page. */
async function paged<T>(page: (cursor: { cursor?: string }) => Promise<Page<T>>): Promise<T[]> {
  const rows: T[] = [];
  let cursor: { cursor?: string } = {};
  for (let pages = 0; pages < 200; pages += 1) {
    const found = await page(cursor);
    rows.push(...found.items);
    if (found.next_cursor === undefined) {
      check(rows.length === found.total, `the pages hold ${found.total} rows, not ${rows.length}`);
      return rows;
    }
    check(found.items.length > 0, "a page with a next one has rows");
    cursor = { cursor: found.next_cursor };
  }
  throw new Error("a list did not end within 200 pages");
}

async function connect(api: Api, integration: string, credentials: Record<string, string>): Promise<Schemas["Connection"]> {
  const key = randomUUID();
  const send = () =>
    good(
      api.POST("/api/connections", {
        params: { header: { "Idempotency-Key": key } },
        body: { integration, credentials },
      }),
    );
  const made = await send();
  const connection = given(made.item);
  check(connection.id === given((await send()).item).id, "the same idempotency key gives the first answer again");
  const secrets = Object.values(credentials).filter((value) => value.length > 20);
  check(!secrets.some((secret) => JSON.stringify(made).includes(secret)), "no secret shows");
  return connection;
}

async function synced(api: Api, id: string, until: number): Promise<void> {
  for (;;) {
    const now = await good(api.GET("/api/connections/{connection_id}", { params: { path: { connection_id: id } } }));
    if (!now.syncing) {
      check(now.state === "connected" || now.state === "degraded", `it works: ${JSON.stringify(now)}`);
      break;
    }
    check(performance.now() < until, `${now.integration} is synced in time: ${JSON.stringify(now)}`);
    await wait(250);
  }
  const runs = await good(api.GET("/api/runs", { params: { query: { connection_id: id, limit: 100 } } }));
  check(runs.items.length > 0, "a sync leaves runs");
  for (const run of runs.items) {
    check(run.state === "complete" || run.state === "partial", `a run ended well: ${JSON.stringify(run)}`);
    const { listed, added, changed, unchanged, rejected, repeated } = run.counts;
    check(added + changed + unchanged + rejected + repeated === listed, `the counts add up: ${JSON.stringify(run)}`);
  }
}

const total = async (api: Api): Promise<number> => (await good(api.GET("/api/clients/stats"))).total;

/** Previews and applies an import of all entities; the journal entry that holds it. */
async function importAll(api: Api, connection_id: string): Promise<string> {
  const body = { connection_id };
  const before = await total(api);
  const preview = await good(api.POST("/api/imports", { params: { query: { dry_run: true } }, body }));
  const planned = given(preview.item);
  check(preview.change_set.dry_run && preview.change_set.entry_id === undefined, "a preview is no entry");
  check((await total(api)) === before, "a preview makes no client");

  const other = api.POST("/api/imports", { params: { query: { expect: "0".repeat(64) } }, body });
  const moved = await problem(other, 409, "moved");
  check(given(moved.change_set).total === preview.change_set.total, "the problem carries what would change now");

  const query = { expect: preview.change_set.digest, reason: "first import" };
  const applied = await good(api.POST("/api/imports", { params: { query }, body }));
  const result = given(applied.item);
  check(result.created === planned.created && result.linked === planned.linked, "what is applied is what was previewed");
  check((await total(api)) === before + result.created, `${result.created} clients were made`);
  return given(applied.change_set.entry_id);
}

/** Saves the suggestions that need no person. */
async function mapSuggested(api: Api, connection_id: string): Promise<void> {
  const found = await good(
    api.GET("/api/connections/{connection_id}/mapping-suggestions", {
      params: { path: { connection_id }, query: { threshold: 0.9 } },
    }),
  );
  check(found.items.length > 0, "open entities have suggestions");
  const mappings = found.items
    .filter((one) => one.advice === "accept")
    .map((one) => {
      const best = given(one.suggestions[0]);
      check(best.signals.length > 0, "a suggestion says why");
      return { entity_id: one.entity.id, target: "client" as const, client_id: best.client_id };
    });
  check(mappings.length > 0, "some need no person");
  const saved = given((await good(api.PUT("/api/mappings", { body: { mappings } }))).item);
  mappings.forEach((mapping, at) => {
    check(saved.entities[at]?.client_id === mapping.client_id, "an entity belongs to the client chosen");
  });
}

async function clientsWithAll(api: Api): Promise<Schemas["Client"][]> {
  const rows = await paged(async (cursor) => {
    const answer = await api.GET("/api/clients", { params: { query: { has: VENDORS.join(","), limit: 2, ...cursor } } });
    const found = await good(Promise.resolve(answer));
    check(answer.response.headers.has("link") === (found.next_cursor !== undefined), "Link tells of a next page");
    return found;
  });
  check(rows.length > 0, "some client is mapped to all three");
  check(rows.every((client) => VENDORS.every((vendor) => client.integrations.includes(vendor))), "has= lists only those that have all");
  check(new Set(rows.map((client) => client.id)).size === rows.length, "no client is on two pages");
  const sought = given(rows[0]);
  const found = await good(api.GET("/api/clients", { params: { query: { search: sought.name.slice(0, 6) } } }));
  check(found.items.some((client) => client.id === sought.id), `searching finds “${sought.name}”`);
  return rows;
}

async function lookAt(api: Api, client_id: string): Promise<void> {
  const path = { client_id };
  const detail = await good(api.GET("/api/clients/{client_id}", { params: { path } }));
  const mapped = detail.mappings.map((mapping) => mapping.integration);
  check(VENDORS.every((vendor) => mapped.includes(vendor)), "the overview names the mappings");
  const devices = await good(api.GET("/api/clients/{client_id}/devices", { params: { path, query: { limit: 100 } } }));
  check(devices.total > 0 && devices.total === detail.client.device_count, "as many devices as the overview says");
  check(devices.freshness.mapped && !devices.freshness.stale, "devices are fresh");
  const users = await good(api.GET("/api/clients/{client_id}/users", { params: { path, query: { limit: 100 } } }));
  check(users.total > 0 && users.total === detail.client.user_count, "as many directory users as the overview says");
  const microsoft = await good(api.GET("/api/clients/{client_id}/microsoft365", { params: { path } }));
  check(microsoft.licences.length > 0 && microsoft.domains.length > 0, "licences and domains are there");
  check(microsoft.licences_freshness.synced_at !== undefined, "and how old they are");
}

async function changeQuantity(api: Api, clients: Schemas["Client"][]): Promise<void> {
  const listed = async (client_id: string) =>
    (await good(api.GET("/api/clients/{client_id}/subscriptions", { params: { path: { client_id }, query: { limit: 100 } } }))).items;
  const seats = (subscription: Schemas["Subscription"]) => Math.trunc(Number(given(subscription.quantity)));

  for (const client of clients) {
    const subscription = (await listed(client.id)).find((one) => one.editable && one.status.toLowerCase() === "active");
    if (subscription === undefined) continue;
    const path = { client_id: client.id, subscription_id: subscription.id };
    const body = { quantity: seats(subscription) + 1 };
    const address = "/api/clients/{client_id}/subscriptions/{subscription_id}/quantity";
    const preview = await good(api.POST(address, { params: { path, query: { dry_run: true } }, body }));
    check(preview.change_set.total > 0, "the preview says what would change");
    const asked = { query: { expect: preview.change_set.digest, reason: "one more seat" }, header: { "Idempotency-Key": randomUUID() } };
    const done = await good(api.POST(address, { params: { path, ...asked }, body }));
    check(seats(given(done.item)) === body.quantity, "the answer has the new quantity");
    const now = given((await listed(client.id)).find((one) => one.id === subscription.id));
    check(seats(now) === body.quantity, "the list has the new quantity");
    return;
  }
  throw new Error("no client has a subscription that can be changed");
}

async function editAClient(api: Api): Promise<void> {
  const draft = { name: "Quillfeather Surveyors", notes: "by hand" };
  const made = given((await good(api.POST("/api/clients", { body: draft }))).item);
  const path = { client_id: made.id };
  const patch = { params: { path, header: { "If-Match": `"${made.version}"` } }, body: { phone: "555 0100", clear: ["notes" as const] } };
  const saved = given((await good(api.PATCH("/api/clients/{client_id}", patch))).item);
  check(saved.notes === undefined && saved.phone === "555 0100", `notes are emptied: ${JSON.stringify(saved)}`);
  await problem(api.PATCH("/api/clients/{client_id}", patch), 412, "stale");
  await good(api.DELETE("/api/clients/{client_id}", { params: { path } }));
  await problem(api.GET("/api/clients/{client_id}", { params: { path } }), 404, "not_found");
}

async function refusals(api: Api, demo: Demo): Promise<void> {
  await problem(api.GET("/api/clients/{client_id}", { params: { path: { client_id: randomUUID() } } }), 404, "not_found");
  const invalid = await problem(api.POST("/api/clients", { body: { name: " " } }), 422, "invalid");
  check(invalid.errors.length === 1 && invalid.errors[0]?.pointer === "/name", "the pointer names the field");
  await problem(api.GET("/api/clients", { params: { query: { limit: 0 } } }), 422, "invalid");
  const stranger = createClient<paths>({ baseUrl: demo.api, headers: { authorization: "Bearer pone_live_nobody" } });
  await problem(stranger.GET("/api/me"), 401, "unauthenticated");
  const newest = await good(api.GET("/api/journal", { params: { query: { action: "connection_create", limit: 1 } } }));
  const path = { entry_id: given(newest.items[0]).id };
  await problem(api.POST("/api/journal/{entry_id}/revert", { params: { path }, body: { despite: [] } }), 409, "not_revertible");
}

/** Undoes an import although its clients changed since: refused by name first, then done. */
async function revertImport(api: Api, entry_id: string, made: number): Promise<void> {
  const before = await total(api);
  const revert = (despite: string[], query: { dry_run?: boolean; expect?: string }) =>
    api.POST("/api/journal/{entry_id}/revert", { params: { path: { entry_id }, query }, body: { despite } });
  const refused = await problem(revert([], {}), 422, "invalid");
  const named = refused.errors.map((mistake) => mistake.pointer);
  const preview = await good(revert(named, { dry_run: true }));
  const done = await good(revert(named, { expect: preview.change_set.digest }));
  const path = { entry_id: given(done.change_set.entry_id) };
  const undo = await good(api.GET("/api/journal/{entry_id}", { params: { path } }));
  check(undo.reverts === entry_id, "the new entry names the one it reverts");
  check((await total(api)) === before - made, `the import's ${made} clients are gone`);
  check((await good(api.GET("/api/journal/verification"))).sound, "the journal is sound");
}

async function main(demo: Demo): Promise<void> {
  const api = createClient<paths>({ baseUrl: demo.api, headers: { authorization: `Bearer ${demo.api_key}` } });
  const credentials = (vendor: string) => given(demo.vendors[vendor]);
  await step("sign in and read the catalogue", async () => {
    check((await good(api.GET("/api/me"))).permissions.includes("clients_import"), "the key may import");
    const { items } = await good(api.GET("/api/integrations"));
    for (const vendor of VENDORS) {
      const needed = given(items.find((one) => one.id === vendor)).fields.filter((field) => field.required);
      check(needed.every((field) => field.name in credentials(vendor)), `the form of ${vendor} asks for what the demo gives`);
    }
  });
  const [first, second, third] = await step("connect", async () => [
    await connect(api, VENDORS[0], credentials(VENDORS[0])),
    await connect(api, VENDORS[1], credentials(VENDORS[1])),
    await connect(api, VENDORS[2], credentials(VENDORS[2])),
  ] as const);
  await step("sync", async () => {
    const until = performance.now() + PATIENCE;
    for (const connection of [first, second, third]) await synced(api, connection.id, until);
  });
  await step("list entities", async () => {
    for (const { id } of [first, second, third]) {
      const path = { connection_id: id };
      const rows = await paged((cursor) =>
        good(api.GET("/api/connections/{connection_id}/entities", { params: { path, query: { limit: 5, ...cursor } } })),
      );
      check(rows.length > 0, "every vendor has entities");
    }
  });
  const { entry, made } = await step("import", async () => {
    const entry = await importAll(api, first.id);
    const made = await total(api);
    check(made > 0, "the import made clients");
    return { entry, made };
  });
  await step("map suggestions", async () => {
    await mapSuggested(api, second.id);
    await mapSuggested(api, third.id);
  });
  const clients = await step("list clients", () => clientsWithAll(api));
  await step("look at a client", () => lookAt(api, given(clients[0]).id));
  await step("change a quantity", () => changeQuantity(api, clients));
  await step("edit a client", () => editAClient(api));
  await step("refusals", () => refusals(api, demo));
  await step("revert the import", () => revertImport(api, entry, made));
}

await main(JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as Demo);

//! Drives the main job through the generated Rust client: `rust-client-check <json file of the demo>`.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    future::Future,
    process::ExitCode,
    time::{Duration, Instant},
};

use client::{Client, Error, ResponseValue, types};
use reqwest::{StatusCode, header};
use uuid::Uuid;

#[allow(dead_code, unused_imports, missing_docs, clippy::all, reason = "generated")]
mod client {
    include!(concat!(env!("OUT_DIR"), "/client.rs"));
}

/// Vendors of the main job; clients are made from the first.
const VENDORS: [&str; 3] = ["ninjaone", "microsoft365", "pax8"];

/// How long the first sync of all vendors may take.
const PATIENCE: Duration = Duration::from_secs(90);

type Failure = Box<dyn std::error::Error>;
type Outcome<T> = Result<T, Failure>;
type Answer<T> = Result<ResponseValue<T>, Error<types::Problem>>;

/// What the demo prints.
#[derive(serde::Deserialize)]
struct Demo {
    api: String,
    api_key: String,
    vendors: BTreeMap<String, BTreeMap<String, String>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("clients: rust failed {why}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Outcome<()> {
    let file = env::args().nth(1).ok_or("at the start: name the json file of the demo")?;
    let demo: Demo = serde_json::from_str(&fs::read_to_string(file)?)?;
    let api = caller(&demo.api, &demo.api_key)?;
    step("sign in and read the catalogue", catalogue(&api, &demo)).await?;
    let connections = step("connect", async {
        let mut made = Vec::new();
        for vendor in VENDORS {
            made.push(connect(&api, vendor, &demo.vendors[vendor]).await?);
        }
        Ok(made)
    })
    .await?;
    step("sync", async {
        let until = Instant::now() + PATIENCE;
        for connection in &connections {
            synced(&api, *connection, until).await?;
        }
        Ok(())
    })
    .await?;
    step("list entities", async {
        for connection in &connections {
            check(!entities_of(&api, *connection).await?.is_empty(), "every vendor has entities")?;
        }
        Ok(())
    })
    .await?;
    let entry = step("import", import_all(&api, connections[0])).await?;
    let made = total(&api).await?;
    step("map suggestions", async {
        map_suggested(&api, connections[1]).await?;
        map_suggested(&api, connections[2]).await
    })
    .await?;
    let clients = step("list clients", clients_with_all(&api)).await?;
    step("look at a client", look_at(&api, clients[0].id)).await?;
    step("change a quantity", change_quantity(&api, &clients)).await?;
    step("edit a client", edit_a_client(&api)).await?;
    step("refusals", refusals(&api, &demo.api)).await?;
    step("revert the import", revert_import(&api, entry, made)).await
}

fn caller(base: &str, key: &str) -> Outcome<Client> {
    let mut headers = header::HeaderMap::new();
    headers.insert(header::AUTHORIZATION, format!("Bearer {key}").parse()?);
    let http = reqwest::Client::builder().default_headers(headers).timeout(Duration::from_secs(60)).build()?;
    Ok(Client::new_with_client(base, http))
}

async fn step<T>(name: &str, work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    let started = Instant::now();
    let result = work.await.map_err(|why| format!("at step \"{name}\": {why}"))?;
    println!("    rust: {name} ({:.1} s)", started.elapsed().as_secs_f64());
    Ok(result)
}

fn check(holds: bool, what: impl Into<String>) -> Outcome<()> {
    if holds { Ok(()) } else { Err(format!("expected that {}", what.into()).into()) }
}

/// The body of an answer that is no problem.
async fn good<T>(pending: impl Future<Output = Answer<T>>) -> Outcome<T> {
    match pending.await {
        Ok(answer) => Ok(answer.into_inner()),
        Err(Error::ErrorResponse(answer)) => Err(format!("answered {:?}", answer.into_inner()).into()),
        Err(other) => Err(other.to_string().into()),
    }
}

/// The problem that an answer must be.
async fn problem<T>(
    pending: impl Future<Output = Answer<T>>,
    status: StatusCode,
    code: &str,
) -> Outcome<types::Problem> {
    let answer = match pending.await {
        Ok(_) => return Err(format!("expected that it is refused with {status} {code}").into()),
        Err(Error::ErrorResponse(answer)) => answer,
        Err(other) => return Err(other.to_string().into()),
    };
    let answered = answer.status();
    let problem = answer.into_inner();
    let statuses = answered == status && problem.status == status.as_u16();
    check(statuses && problem.code == code, format!("{problem:?} is {status} {code}"))?;
    let named = problem.type_ == format!("urn:panelone:problem:{code}") && !problem.request_id.is_empty();
    check(named, format!("{problem:?} names type and request"))?;
    Ok(problem)
}

/// A value that must not be left out.
fn given<T>(value: Option<T>) -> Outcome<T> {
    value.ok_or_else(|| "a field was left out that must be there".into())
}

async fn catalogue(api: &Client, demo: &Demo) -> Outcome<()> {
    let me = good(api.me_get().send()).await?;
    check(me.permissions.iter().any(|name| name == "clients_import"), "the key may import")?;
    let catalogue = good(api.integration_list().send()).await?;
    for vendor in VENDORS {
        let form = given(catalogue.items.iter().find(|one| one.id == vendor))?;
        let credentials = &demo.vendors[vendor];
        let enough =
            form.fields.iter().filter(|field| field.required).all(|field| credentials.contains_key(&field.name));
        check(enough, format!("the form of {vendor} asks for what the demo gives"))?;
    }
    Ok(())
}

async fn connect(api: &Client, integration: &str, credentials: &BTreeMap<String, String>) -> Outcome<Uuid> {
    let key = Uuid::new_v4().to_string();
    let credentials = serde_json::to_value(credentials)?;
    let send = || {
        let body = types::ConnectionCreate::builder().integration(integration).credentials(credentials.clone());
        good(api.connection_create().idempotency_key(&key).body(body).send())
    };
    let connection = given(send().await?.item)?;
    let again = given(send().await?.item)?;
    check(connection.id == again.id, "the same idempotency key gives the first answer again")?;
    check(connection.integration == integration, "it is of the integration asked for")?;
    Ok(connection.id)
}

async fn synced(api: &Client, id: Uuid, until: Instant) -> Outcome<()> {
    loop {
        let now = good(api.connection_get().connection_id(id).send()).await?;
        if !now.syncing {
            let works = matches!(now.state, types::ConnectionState::Connected | types::ConnectionState::Degraded);
            check(works, format!("it works: {now:?}"))?;
            break;
        }
        check(Instant::now() < until, format!("it is synced in time: {now:?}"))?;
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let runs = good(api.run_list().connection_id(id).limit(100_u64).send()).await?;
    check(!runs.items.is_empty(), "a sync leaves runs")?;
    for run in runs.items {
        let ended = matches!(run.state, types::RunState::Complete | types::RunState::Partial);
        let c = &run.counts;
        let adds_up = c.added + c.changed + c.unchanged + c.rejected + c.repeated == c.listed;
        check(ended && adds_up, format!("it ended well and its counts add up: {run:?}"))?;
    }
    Ok(())
}

async fn entities_of(api: &Client, connection: Uuid) -> Outcome<Vec<types::Entity>> {
    let mut rows = Vec::new();
    let mut page = good(api.entity_list().connection_id(connection).limit(5_u64).send()).await?;
    for _ in 0..200 {
        rows.append(&mut page.items);
        let Some(cursor) = page.next_cursor.take() else {
            check(rows.len() as i64 == page.total, format!("the pages hold {} rows, not {}", page.total, rows.len()))?;
            return Ok(rows);
        };
        page = good(api.entity_list().connection_id(connection).limit(5_u64).cursor(cursor).send()).await?;
    }
    Err("a list did not end within 200 pages".into())
}

async fn total(api: &Client) -> Outcome<i64> {
    Ok(good(api.client_stats().send()).await?.total)
}

/// Previews and applies an import of all entities; the journal entry that holds it.
async fn import_all(api: &Client, connection: Uuid) -> Outcome<Uuid> {
    let import = || api.import_apply().body(types::ImportRequest::builder().connection_id(connection));
    let before = total(api).await?;
    let preview = good(import().dry_run(true).send()).await?;
    let planned = given(preview.item)?;
    check(preview.change_set.dry_run && preview.change_set.entry_id.is_none(), "a preview is no entry")?;
    check(total(api).await? == before && planned.created > 0, "a preview makes no client, but would")?;

    let moved = problem(import().expect("0".repeat(64)).send(), StatusCode::CONFLICT, "moved").await?;
    let told = given(moved.change_set)?.total == preview.change_set.total;
    check(told, "the problem carries what would change now")?;

    let applied = good(import().expect(preview.change_set.digest).reason("first import").send()).await?;
    let result = given(applied.item)?;
    let same = result.created == planned.created && result.linked == planned.linked;
    check(same, "what is applied is what was previewed")?;
    check(total(api).await? == before + i64::try_from(result.created)?, "as many clients were made as it says")?;
    given(applied.change_set.entry_id)
}

/// Saves the suggestions that need no person.
async fn map_suggested(api: &Client, connection: Uuid) -> Outcome<()> {
    let found = good(api.mapping_suggest().connection_id(connection).threshold(0.9).send()).await?;
    let mut decisions = Vec::new();
    for one in found.items.iter().filter(|one| one.advice == types::Advice::Accept) {
        let best = given(one.suggestions.first())?;
        check(!best.signals.is_empty(), "a suggestion says why")?;
        let decision = types::MappingDecision::builder()
            .entity_id(one.entity.id)
            .target(types::MappingTarget::Client)
            .client_id(best.client_id);
        decisions.push(types::MappingDecision::try_from(decision)?);
    }
    check(!decisions.is_empty(), "some suggestions need no person")?;
    let body = types::MappingSave::builder().mappings(decisions.clone());
    let saved = given(good(api.mapping_save().body(body).send()).await?.item)?;
    let wanted = decisions.iter().map(|decision| decision.client_id);
    let chosen = saved.entities.iter().map(|entity| entity.client_id).eq(wanted);
    check(chosen, "entities belong to the clients chosen")
}

async fn clients_with_all(api: &Client) -> Outcome<Vec<types::Client>> {
    let all = VENDORS.join(",");
    let (mut rows, mut cursor) = (Vec::new(), None::<String>);
    let total = loop {
        let asked = api.client_list().has(&all).limit(2_u64);
        let asked = match cursor.take() {
            Some(cursor) => asked.cursor(cursor),
            None => asked,
        };
        let answer = asked.send().await.map_err(|why| why.to_string())?;
        let linked = answer.headers().contains_key(header::LINK);
        let page = answer.into_inner();
        check(linked == page.next_cursor.is_some(), "Link tells of a next page")?;
        rows.extend(page.items);
        check(rows.len() < 1_000, "a list ends")?;
        cursor = page.next_cursor;
        if cursor.is_none() {
            break page.total;
        }
    };
    check(!rows.is_empty() && rows.len() as i64 == total, "some clients are mapped to all three, as many as it says")?;
    let fits =
        |client: &types::Client| VENDORS.iter().all(|vendor| client.integrations.iter().any(|one| one == vendor));
    check(rows.iter().all(fits), "has= lists only those that have all")?;
    let ids: BTreeSet<Uuid> = rows.iter().map(|client| client.id).collect();
    check(ids.len() == rows.len(), "no client is on two pages")?;
    let part: String = rows[0].name.chars().take(6).collect();
    let found = good(api.client_list().search(part).send()).await?;
    check(found.items.iter().any(|client| client.id == rows[0].id), format!("searching finds “{}”", rows[0].name))?;
    Ok(rows)
}

async fn look_at(api: &Client, client: Uuid) -> Outcome<()> {
    let detail = good(api.client_get().client_id(client).send()).await?;
    let mapped = VENDORS.iter().all(|vendor| detail.mappings.iter().any(|mapping| mapping.integration == *vendor));
    check(mapped, "the overview names the mappings")?;
    let devices = good(api.client_device_list().client_id(client).limit(100_u64).send()).await?;
    let count = i64::from(given(detail.client.device_count)?);
    check(devices.total > 0 && devices.total == count, "as many devices as the overview says")?;
    check(devices.freshness.mapped && !devices.freshness.stale, "devices are fresh")?;
    let users = good(api.client_user_list().client_id(client).limit(100_u64).send()).await?;
    let count = i64::from(given(detail.client.user_count)?);
    check(users.total > 0 && users.total == count, "as many directory users as the overview says")?;
    let microsoft = good(api.client_microsoft365_get().client_id(client).send()).await?;
    check(!microsoft.licences.is_empty() && !microsoft.domains.is_empty(), "licences and domains are there")?;
    check(microsoft.licences_freshness.synced_at.is_some(), "and how old they are")
}

fn seats(subscription: &types::Subscription) -> Outcome<u32> {
    Ok(given(subscription.quantity.as_deref())?.split('.').next().unwrap_or_default().parse()?)
}

async fn change_quantity(api: &Client, clients: &[types::Client]) -> Outcome<()> {
    for client in clients {
        let listed = || good(api.client_subscription_list().client_id(client.id).limit(100_u64).send());
        let open = |one: &types::Subscription| one.editable && one.status.eq_ignore_ascii_case("active");
        let Some(subscription) = listed().await?.items.into_iter().find(open) else { continue };
        let wanted = seats(&subscription)? + 1;
        let change = || {
            let body = types::QuantityChange::builder().quantity(wanted);
            api.subscription_quantity_set().client_id(client.id).subscription_id(subscription.id).body(body)
        };
        let preview = good(change().dry_run(true).send()).await?;
        check(preview.change_set.total > 0, "the preview says what would change")?;
        let key = Uuid::new_v4().to_string();
        let apply = change().expect(preview.change_set.digest).reason("one more seat").idempotency_key(key);
        let done = given(good(apply.send()).await?.item)?;
        check(seats(&done)? == wanted, "the answer has the new quantity")?;
        let now = given(listed().await?.items.into_iter().find(|one| one.id == subscription.id))?;
        return check(seats(&now)? == wanted, "the list has the new quantity");
    }
    Err("no client has a subscription that can be changed".into())
}

async fn edit_a_client(api: &Client) -> Outcome<()> {
    let draft = types::ClientCreate::builder().name("Quillfeather Surveyors").notes("by hand".to_owned());
    let made = given(good(api.client_create().body(draft).send()).await?.item)?;
    let update = || {
        let clear = vec![types::ClearableField::Notes];
        let patch = types::ClientUpdate::builder().phone("555 0100".to_owned()).clear(clear);
        api.client_update().client_id(made.id).if_match(format!("\"{}\"", made.version)).body(patch)
    };
    let saved = given(good(update().send()).await?.item)?;
    check(saved.notes.is_none() && saved.phone.as_deref() == Some("555 0100"), "notes are emptied")?;
    problem(update().send(), StatusCode::PRECONDITION_FAILED, "stale").await?;
    good(api.client_delete().client_id(made.id).send()).await?;
    problem(api.client_get().client_id(made.id).send(), StatusCode::NOT_FOUND, "not_found").await.map(drop)
}

async fn refusals(api: &Client, base: &str) -> Outcome<()> {
    let nobody = api.client_get().client_id(Uuid::new_v4());
    problem(nobody.send(), StatusCode::NOT_FOUND, "not_found").await?;
    let nameless = api.client_create().body(types::ClientCreate::builder().name(" "));
    let invalid = problem(nameless.send(), StatusCode::UNPROCESSABLE_ENTITY, "invalid").await?;
    check(invalid.errors.len() == 1 && invalid.errors[0].pointer == "/name", "the pointer names the field")?;
    problem(api.client_list().limit(101_u64).send(), StatusCode::UNPROCESSABLE_ENTITY, "invalid").await?;
    let stranger = caller(base, "pone_live_nobody")?;
    problem(stranger.me_get().send(), StatusCode::UNAUTHORIZED, "unauthenticated").await?;
    let newest = good(api.journal_list().action("connection_create").limit(1_u64).send()).await?;
    let entry = given(newest.items.first())?.id;
    let revert = api.journal_revert().entry_id(entry).body(types::Revert::builder());
    problem(revert.send(), StatusCode::CONFLICT, "not_revertible").await.map(drop)
}

/// Undoes an import although its clients changed since: refused by name first, then done.
async fn revert_import(api: &Client, entry: Uuid, made: i64) -> Outcome<()> {
    let before = total(api).await?;
    let revert =
        |despite: Vec<Uuid>| api.journal_revert().entry_id(entry).body(types::Revert::builder().despite(despite));
    let refused = problem(revert(Vec::new()).send(), StatusCode::UNPROCESSABLE_ENTITY, "invalid").await?;
    let named: Vec<Uuid> = refused.errors.iter().map(|mistake| mistake.pointer.parse()).collect::<Result<_, _>>()?;
    let preview = good(revert(named.clone()).dry_run(true).send()).await?;
    let done = good(revert(named).expect(preview.change_set.digest).send()).await?;
    let undo = good(api.journal_get().entry_id(given(done.change_set.entry_id)?).send()).await?;
    check(undo.reverts == Some(entry), "the new entry names the one it reverts")?;
    check(total(api).await? == before - made, format!("the import's {made} clients are gone"))?;
    check(good(api.journal_verify().send()).await?.sound, "the journal is sound")
}

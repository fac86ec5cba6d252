//! The main job, through the API: from signing in to a client's page. What is done already is not done
//! again.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use integration::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    client::{Client, text},
    consent,
    folder::{Folder, State},
    house::House,
    steps::Steps,
};

/// The vendor whose entities become the clients; the others are mapped to them.
const SOURCE: &str = "ninjaone";
/// How often a sync is looked at.
const LOOK: Duration = Duration::from_millis(150);
/// How often progress is told.
const TELL: Duration = Duration::from_secs(3);
/// How long a sync may do nothing.
const STUCK: Duration = Duration::from_secs(120);
/// Most mappings that are saved at once.
const AT_ONCE: usize = 5_000;

/// Lets the client in with the demo's API key, and makes one if there is none that works. With
/// `sign_in` the owner signs in even if that is not needed.
pub async fn let_in(
    client: &mut Client,
    folder: &Folder,
    state: &mut State,
    steps: &mut Steps,
    sign_in: bool,
) -> Result<()> {
    if !sign_in && try_key(client, state).await? {
        return Ok(());
    }
    steps.begin("sign_in", "sign in as the owner");
    let signed_in = client.sign_in(&state.email, &state.password).await;
    signed_in.context("if the owner's password was changed, begin anew with --reset")?;
    steps.end(state.email.clone());
    if sign_in && try_key(client, state).await? {
        return Ok(());
    }
    steps.begin("make_api_key", "make an API key");
    if state.api_key.is_some() {
        // The key that does not work has taken the session's place.
        client.sign_in(&state.email, &state.password).await?;
    }
    let wanted = json!({ "name": "Demo", "scope": "admin", "expires_in_days": 366 });
    let made = client.post("/api/api-keys", wanted).await?;
    let token = text(&made["token"]);
    client.use_key(token);
    state.api_key = Some(token.to_owned());
    folder.save(state)?;
    steps.end(text(&made["api_key"]["hint"]));
    Ok(())
}

async fn try_key(client: &mut Client, state: &State) -> Result<bool> {
    let Some(key) = &state.api_key else { return Ok(false) };
    client.use_key(key);
    client.is_known().await
}

/// Tells the demo's connections where the vendors are, if they had to move, and remembers it.
pub async fn find_vendors(client: &Client, house: &House, state: &State) -> Result<()> {
    if house.vendors_moved {
        let listed = client.get("/api/connections").await?;
        for connection in items(&listed) {
            let id: Uuid = text(&connection["id"]).parse()?;
            let vendor = house.vendors.iter().find(|(vendor, _)| connection["integration"] == *vendor);
            if let (true, Some((_, credentials))) = (state.connections.contains(&id), vendor) {
                let mut credentials = credentials.clone();
                let consented = consent::wanted(text(&connection["integration"]), &mut credentials);
                let moved = json!({ "credentials": credentials });
                client.call(Method::Patch, &format!("/api/connections/{id}"), Some(moved)).await?;
                if consented {
                    consent::give(house, state, &id.to_string()).await?;
                }
            }
        }
    }
    house.folder.save(state)
}

/// Connects every vendor, imports the clients from one and maps the others to them.
pub async fn fill(client: &Client, house: &House, state: &mut State, steps: &mut Steps) -> Result<()> {
    let listed = client.get("/api/connections").await?;
    let mut connections = Vec::new();
    for (vendor, credentials) in &house.vendors {
        let name = registry::find(vendor).map_or(*vendor, |entry| entry.name);
        steps.begin(format!("connect_{vendor}"), format_args!("connect {name}"));
        let known = items(&listed).iter().find(|connection| connection["integration"] == *vendor);
        let id = match known {
            Some(connection) => {
                let id = text(&connection["id"]);
                client.post(&format!("/api/connections/{id}/sync"), Value::Null).await?;
                steps.end("connected before; a sync begins");
                id.to_owned()
            }
            None => {
                let mut credentials = credentials.clone();
                let consented = consent::wanted(vendor, &mut credentials);
                let new = json!({ "integration": vendor, "credentials": credentials });
                let made = client.post("/api/connections", new).await?;
                let id = text(&made["item"]["id"]).to_owned();
                state.connections.push(id.parse()?);
                house.folder.save(state)?;
                if consented {
                    consent::give(house, state, &id).await?;
                }
                steps.end(format!("works; {} warnings", made["warnings"].as_array().map_or(0, Vec::len)));
                id
            }
        };
        connections.push((*vendor, name, id));
    }
    for (vendor, name, id) in &connections {
        steps.begin(format!("sync_{vendor}"), format_args!("sync {name}"));
        let counts = synced(client, name, id, steps).await?;
        steps.end(counts);
    }
    connections.sort_by_key(|(vendor, ..)| *vendor != SOURCE);
    for (vendor, name, id) in &connections {
        if *vendor == SOURCE {
            steps.begin(format!("import_{vendor}"), format_args!("import clients from {name}"));
            let counts = import(client, id).await?;
            steps.end(counts);
        } else {
            steps.begin(format!("map_{vendor}"), format_args!("map what {name} lists"));
            let counts = map(client, id).await?;
            steps.end(counts);
        }
    }
    state.filled = true;
    house.folder.save(state)
}

/// Waits for the end of a connection's sync, and says what it found.
async fn synced(client: &Client, name: &str, id: &str, steps: &Steps) -> Result<String> {
    let (mut moved, mut told, mut listed) = (Instant::now(), Instant::now(), 0);
    loop {
        let connection = client.get(&format!("/api/connections/{id}")).await?;
        let runs = client.get(&format!("/api/runs?connection_id={id}&limit=100")).await?;
        let so_far: i64 = items(&runs).iter().filter_map(|run| run["counts"]["listed"].as_i64()).sum();
        if connection["syncing"] == false {
            ensure!(
                matches!(text(&connection["state"]), "connected" | "degraded"),
                "{name} is {}: {}",
                text(&connection["state"]),
                text(&connection["state_reason"])
            );
            return counts(name, &runs);
        }
        if so_far != listed {
            (moved, listed) = (Instant::now(), so_far);
        }
        if moved.elapsed() > STUCK {
            bail!("the sync of {name} has not moved for {} s: {}", STUCK.as_secs(), text(&connection["state_reason"]));
        }
        if told.elapsed() > TELL {
            told = Instant::now();
            match moved.elapsed() < TELL {
                true => steps.say(format_args!("sync {name}: {listed} records so far")),
                // A worker that was killed still holds the job, until its lease runs out.
                false => steps.say(format_args!("sync {name}: waits; if it was killed it goes on after half a minute")),
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The newest run of each kind in words; one that did not end well is an error.
fn counts(name: &str, runs: &Value) -> Result<String> {
    let mut words: Vec<(String, i64)> = Vec::new();
    for run in items(runs) {
        let kind = text(&run["kind"]);
        if words.iter().any(|(known, _)| known == kind) {
            continue;
        }
        let state = text(&run["state"]);
        ensure!(
            matches!(state, "complete" | "partial"),
            "the run of {kind} at {name} is {state}: {}",
            text(&run["message"])
        );
        words.push((kind.to_owned(), run["counts"]["listed"].as_i64().unwrap_or_default()));
    }
    ensure!(!words.is_empty(), "the sync of {name} left no run");
    words.reverse();
    Ok(words.into_iter().map(|(kind, count)| format!("{kind} {count}")).collect::<Vec<_>>().join(", "))
}

/// Imports what a connection lists as clients.
async fn import(client: &Client, connection: &str) -> Result<String> {
    let done = client.post("/api/imports", json!({ "connection_id": connection })).await?;
    let count = |what: &str| done["item"][what].as_u64().unwrap_or_default();
    Ok(format!(
        "{} clients made, {} linked, {} mapped before, {} for a person to decide",
        count("created"),
        count("linked"),
        count("already_mapped"),
        count("conflicts")
    ))
}

/// Maps what a connection lists as far as the suggestions may be taken without a person.
async fn map(client: &Client, connection: &str) -> Result<String> {
    let found = client.get(&format!("/api/connections/{connection}/mapping-suggestions")).await?;
    let advised = |one: &&Value| one["advice"] == "accept";
    let mapping = |one: &Value| {
        let suggested = &one["suggestions"][0]["client_id"];
        json!({ "entity_id": one["entity"]["id"], "target": "client", "client_id": suggested })
    };
    let mappings: Vec<Value> = items(&found).iter().filter(advised).map(mapping).collect();
    for some in mappings.chunks(AT_ONCE) {
        client.call(Method::Put, "/api/mappings", Some(json!({ "mappings": some }))).await?;
    }
    Ok(format!("{} mapped, {} for a person to decide", mappings.len(), items(&found).len() - mappings.len()))
}

/// A client that has something to show.
pub struct Tour {
    /// Its id.
    pub client: String,
    /// Its name.
    pub name: String,
    /// A word of its name.
    pub word: String,
    /// A subscription whose quantity can be changed, with its product and quantity.
    pub subscription: Option<(String, String, u64)>,
}

/// Finds the client with the most to show; `None` when there are no clients.
pub async fn tour(client: &Client) -> Result<Option<Tour>> {
    let vendors: Vec<&str> = registry::ALL.iter().map(|entry| entry.id).collect();
    let most = "sort=device_count&direction=desc&limit=10";
    let mut found = client.get(&format!("/api/clients?{most}&has={}", vendors.join(","))).await?;
    if items(&found).is_empty() {
        found = client.get(&format!("/api/clients?{most}")).await?;
    }
    let mut best: Option<(u8, Tour)> = None;
    for one in items(&found) {
        let (id, name) = (text(&one["id"]).to_owned(), text(&one["name"]).to_owned());
        let sold = client.get(&format!("/api/clients/{id}/subscriptions?limit=100")).await?;
        let subscription = items(&sold).iter().find_map(changeable);
        let has_users = one["user_count"].as_i64().is_some_and(|count| count > 0);
        let shows = 2 * u8::from(subscription.is_some()) + u8::from(has_users);
        let word = name.split(|c: char| !c.is_alphabetic()).find(|word| word.len() > 2).unwrap_or("a");
        if best.as_ref().is_none_or(|(most, _)| shows > *most) {
            best = Some((shows, Tour { word: word.to_lowercase(), client: id, name, subscription }));
        }
        if shows == 3 {
            break;
        }
    }
    Ok(best.map(|(_, tour)| tour))
}

fn changeable(subscription: &Value) -> Option<(String, String, u64)> {
    let quantity = text(&subscription["quantity"]).parse().ok()?;
    let can = subscription["editable"] == true && subscription["status"] == "Active";
    can.then(|| (text(&subscription["id"]).to_owned(), text(&subscription["product"]).to_owned(), quantity))
}

/// Looks at one client's page, and changes the quantity of one of its subscriptions.
pub async fn show(client: &Client, steps: &mut Steps) -> Result<()> {
    steps.begin("list_clients", "list clients");
    let tour = tour(client).await?.context("there are no clients")?;
    let Tour { client: id, name, word, subscription } = &tour;
    let found = client.get(&search(word)).await?;
    ensure!(items(&found).iter().any(|one| one["id"] == id.as_str()), "searching for {word} does not find {name}");
    steps.end(format!("{} with \"{word}\" in their names", found["total"]));

    steps.begin("client_overview", format_args!("look at {name}"));
    let page = client.get(&format!("/api/clients/{id}")).await?;
    let mapped = page["mappings"].as_array().map_or(0, Vec::len);
    ensure!(mapped > 0, "nothing is mapped to {name}");
    steps.end(format!("{name}, mapped to {mapped} vendors' entities"));

    for (step, kind, path, count) in [
        ("client_devices", "devices", "joined-devices", "device_count"),
        ("client_users", "users", "users", "user_count"),
    ] {
        steps.begin(step, format_args!("list its {kind}"));
        let listed = client.get(&format!("/api/clients/{id}/{path}?limit=3")).await?;
        let counted = page["client"][count].as_i64().unwrap_or_default();
        ensure!(listed["total"] == counted, "{name} has {counted} {kind}, but {} are listed", listed["total"]);
        let names: Vec<&str> = items(&listed).iter().map(|one| text(&one["name"])).collect();
        steps.end(known(&listed["freshness"], format!("{counted}: {} …", names.join(", "))));
    }

    steps.begin("client_microsoft365", "look at its Microsoft 365");
    let tenant = client.get(&format!("/api/clients/{id}/microsoft365")).await?;
    let count = |what: &str| tenant[what].as_array().map_or(0, Vec::len);
    let (licences, domains, score) = (count("licences"), count("domains"), &tenant["secure_scores"][0]["percent"]);
    let words = format!("{licences} licences, {domains} domains, secure score {score} %");
    steps.end(known(&tenant["domains_freshness"], words));

    steps.begin("client_subscriptions", "list its subscriptions");
    let listed = client.get(&format!("/api/clients/{id}/subscriptions")).await?;
    steps.end(known(&listed["freshness"], listed["total"].to_string()));

    steps.begin("change_quantity", "change the quantity of a subscription");
    let Some((subscription, product, quantity)) = subscription else {
        steps.end("not done: no client of this world has an active subscription");
        return Ok(());
    };
    let wanted = json!({ "quantity": quantity + 1 });
    client.post(&format!("/api/clients/{id}/subscriptions/{subscription}/quantity"), wanted).await?;
    let listed = client.get(&format!("/api/clients/{id}/subscriptions?limit=100")).await?;
    let now = items(&listed).iter().find(|one| one["id"] == subscription.as_str()).map(|one| text(&one["quantity"]));
    ensure!(now == Some((quantity + 1).to_string().as_str()), "{product} has still {now:?}");
    steps.end(format!("{product}: {quantity} → {}", quantity + 1));
    Ok(())
}

/// What is known, unless no vendor was asked or none has answered: that is unknown, and not nothing.
fn known(freshness: &Value, words: String) -> String {
    match (&freshness["mapped"], &freshness["synced_at"]) {
        (Value::Bool(true), Value::String(_)) => words,
        (Value::Bool(true), _) => format!("{words} (never listed to the end)"),
        _ => "unknown: no vendor that lists them is mapped".to_owned(),
    }
}

/// Where clients with this word in their names are listed.
pub fn search(word: &str) -> String {
    let word: String = url::form_urlencoded::byte_serialize(word.as_bytes()).collect();
    format!("/api/clients?search={word}")
}

/// The rows of a list.
fn items(listed: &Value) -> &[Value] {
    listed["items"].as_array().map(Vec::as_slice).unwrap_or_default()
}

//! The exchanges of writes, played: what is sent is compared byte for byte with what the vendor
//! documents.

use integration::{CompanyDraft, Connector, ContactDraft, MailDraft, RecordKind, TicketDraft, TicketFile, TicketNote};
use serde_json::{Map, Value};

use super::{Subject, exchanges::over};
use crate::replay::Exchange;

/// Capabilities whose exchanges name a call: `"arguments": {"call": "create", …}`. All exchanges of
/// one call carry the same arguments; the rest of them is the draft, key by key.
const CALLED: [&str; 9] = [
    "threat_actions",
    "company_writes",
    "contact_writes",
    "ticket_writes",
    "installer_links",
    "custom_fields",
    "document_archive",
    "mail_sending",
    "templates",
];

/// Plays every call of every capability that the connector has.
pub(super) async fn play(subject: &Subject, exchanges: &[Exchange]) {
    for capability in CALLED {
        let mut calls: Vec<&Exchange> = Vec::new();
        for exchange in exchanges.iter().filter(|one| one.is_for(capability) && one.succeeds()) {
            assert!(exchange.arguments.contains_key("call"), "{exchange} names no \"call\" in its \"arguments\"");
            if calls.iter().all(|call| call.arguments != exchange.arguments) {
                calls.push(exchange);
            }
        }
        for call in calls {
            let chosen: Vec<Exchange> = exchanges
                .iter()
                .filter(|one| one.gives_token() || (one.is_for(capability) && one.arguments == call.arguments))
                .cloned()
                .collect();
            let (replay, connector) = over(subject, &chosen, capability);
            run(&*connector, capability, call).await;
            replay.finish_but(Exchange::gives_token).unwrap_or_else(|why| panic!("{call}: {why}"));
        }
    }
}

async fn run(connector: &dyn Connector, capability: &str, call: &Exchange) {
    let named = |name: &str| call.arguments.get(name).cloned();
    let argument = |name: &str| named(name).unwrap_or_else(|| panic!("{call} lacks the argument \"{name}\""));
    let what = argument("call");
    let unknown = || -> ! { panic!("{call}: \"{capability}\" has no call \"{what}\"") };
    // The raw answer of a write must be readable by the listing of this kind.
    let mut answered = None;
    let outcome = match capability {
        "threat_actions" => match (connector.threat_actions(), what.as_str()) {
            (Some(threats), "act") => threats.act(&argument("entity"), &argument("threat"), &argument("action")).await,
            (Some(threats), "fetch") => threats
                .fetch(&argument("entity"), &argument("threat"))
                .await
                .map(|raw| answered = Some((RecordKind::Threat, raw))),
            _ => unknown(),
        },
        "company_writes" => {
            let Some(companies) = connector.company_writes() else { unknown() };
            let draft: CompanyDraft = draft(call, &["call", "company"]);
            match what.as_str() {
                "create" => companies.create(&draft).await,
                "update" => companies.update(&argument("company"), &draft).await,
                "fetch" => companies.fetch(&argument("company")).await,
                _ => unknown(),
            }
            .map(|raw| answered = Some((RecordKind::Entity, raw)))
        }
        "contact_writes" => {
            let Some(contacts) = connector.contact_writes() else { unknown() };
            let draft: ContactDraft = draft(call, &["call", "entity", "contact"]);
            match what.as_str() {
                "create" => contacts.create(&argument("entity"), &draft).await.map(Some),
                "update" => contacts.update(&argument("entity"), &argument("contact"), &draft).await.map(Some),
                "fetch" => contacts.fetch(&argument("entity"), &argument("contact")).await.map(Some),
                "remove" => contacts.remove(&argument("entity"), &argument("contact")).await.map(|()| None),
                _ => unknown(),
            }
            .map(|raw| answered = raw.map(|raw| (RecordKind::Contact, raw)))
        }
        "ticket_writes" => {
            let Some(tickets) = connector.ticket_writes() else { unknown() };
            let draft: TicketDraft = draft(call, &["call", "entity", "ticket", "text", "public", "queue"]);
            let note = || TicketNote { text: argument("text"), public: argument("public") == "true" };
            match what.as_str() {
                "choices" => tickets.choices(named("queue").as_deref()).await.map(|_| None),
                "create" => tickets.create(&argument("entity"), &draft).await.map(Some),
                "update" => tickets.update(&argument("ticket"), &draft).await.map(Some),
                "fetch" => tickets.fetch(&argument("ticket")).await.map(Some),
                "note" => tickets.add_note(&argument("ticket"), &note()).await.map(|()| None),
                "notes" => tickets.notes(&argument("ticket")).await.map(|notes| {
                    let read = notes.unwrap_or_else(|| panic!("{call}: notes are not read"));
                    assert!(read.iter().all(|one| !one.id.is_empty() && !one.text.is_empty()), "{call}: {read:?}");
                    assert!(!read.is_empty(), "{call}: nothing was read");
                    None
                }),
                "attach" => {
                    let file = TicketFile {
                        name: argument("name"),
                        title: argument("listed_as"),
                        media_type: argument("media_type"),
                        public: argument("public") == "true",
                        content: argument("text").into_bytes().into(),
                    };
                    tickets.attach(&argument("ticket"), &file).await.map(|()| None)
                }
                "attached" => tickets.attached(&argument("ticket")).await.map(|titles| {
                    assert!(titles.is_some_and(|titles| !titles.is_empty()), "{call}: nothing was read");
                    None
                }),
                _ => unknown(),
            }
            .map(|raw| answered = raw.map(|raw| (RecordKind::Ticket, raw)))
        }
        "installer_links" => {
            let Some(installers) = connector.installer_links() else { unknown() };
            let place = named("location");
            let made = installers.installer(&argument("entity"), place.as_deref(), &argument("platform")).await;
            made.map(|made| assert!(made.url.starts_with("https://"), "{call}: {}", made.url))
        }
        "custom_fields" => match (connector.custom_fields(), what.as_str()) {
            (Some(custom), "fields") => custom.fields(&argument("entity"), &argument("location")).await.map(|_| ()),
            (Some(custom), "set") => {
                let change = [(argument("field"), named("value"))];
                custom.set_fields(&argument("entity"), &argument("location"), &change).await
            }
            _ => unknown(),
        },
        "document_archive" => {
            let Some(documents) = connector.document_archive() else { unknown() };
            documents.set_archived(&argument("entity"), &argument("document"), what == "archive").await
        }
        "mail_sending" => {
            let Some(mail) = connector.mail_sending() else { unknown() };
            let draft = MailDraft {
                from: argument("from"),
                to: argument("to").split(' ').map(str::to_owned).collect(),
                reply_to: named("reply_to"),
                subject: argument("subject"),
                text: argument("text"),
                html: named("html"),
                reference: named("reference"),
            };
            match what.as_str() {
                "send" => mail.send_mail(&draft).await.map(Some),
                "find" => {
                    let since = argument("since").parse().unwrap_or_else(|why| panic!("{call}: {why}"));
                    let found = mail.find_mail(&draft, since).await;
                    found.inspect(|found| assert!(found.is_some(), "{call}: the message is not found"))
                }
                _ => unknown(),
            }
            .map(|sent| assert!(sent.is_none_or(|sent| sent.refused.is_empty()), "{call}: some were refused"))
        }
        _ => {
            let Some(templates) = connector.templates() else { unknown() };
            let read = templates.templates(&argument("shelf")).await;
            read.map(|read| assert!(!read.is_empty(), "{call}: nothing was read"))
        }
    };
    outcome.unwrap_or_else(|why| panic!("{call}: {why}"));
    if let Some((kind, raw)) = answered {
        let listing = connector.listings().into_iter().find(|listing| listing.kind() == kind);
        let listing = listing.unwrap_or_else(|| panic!("{call}: it writes what it does not list"));
        listing.read(&raw).unwrap_or_else(|why| panic!("{call}: the answer cannot be read: {why}"));
    }
}

/// The arguments without these, as a draft.
fn draft<T: serde::de::DeserializeOwned>(call: &Exchange, but: &[&str]) -> T {
    let pairs = call.arguments.iter().filter(|(name, _)| !but.contains(&name.as_str()));
    let value = |text: &String| match text.as_str() {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => Value::String(text.clone()),
    };
    let object: Map<String, Value> = pairs.map(|(name, text)| (name.clone(), value(text))).collect();
    serde_json::from_value(Value::Object(object)).unwrap_or_else(|why| panic!("{call}: {why}"))
}

//! Writing at the vendor: what is written is seen afterwards, and is sent once.

use chrono::TimeDelta;
use integration::{
    CompanyDraft, Contact, ContactDraft, Document, Entity, Kind, MailDraft, ReadRecord, RecordKind, RecordType, Secret,
    SentMail, Ticket, TicketDraft, TicketNote,
};

use super::{
    Subject,
    stage::{FEW, Stage},
};
use crate::{Fault, Plan};

/// What breaks the connection after or before the vendor has acted.
const BREAKS: [Fault; 4] = [Fault::AnswerLost, Fault::Reset, Fault::Status(500), Fault::Html];

/// A company that is made or changed is in the answer, in a fresh read and in the listing.
pub async fn company_is_written_and_seen(subject: &Subject) {
    let stage = subject.stage(FEW);
    let Some(companies) = stage.connector.company_writes() else { return };
    let draft = CompanyDraft {
        name: Some("Ümlaut & Söhne \"Test\" Ltd".to_owned()),
        phone: Some("+44 20 7946 0991".to_owned()),
        street: Some("1 Quay Street".to_owned()),
        city: Some("Bristol".to_owned()),
        ..CompanyDraft::default()
    };
    let raw = companies.create(&draft).await.unwrap_or_else(|why| panic!("a company is not made: {why}"));
    let (id, made) = read::<Entity>(&stage, &raw);
    assert_eq!(Some(&made.name), draft.name.as_ref());
    assert_eq!(read::<Entity>(&stage, &fetched(companies.fetch(&id).await)), (id.clone(), made));
    listed::<Entity>(&stage, &id).await.unwrap_or_else(|| panic!("the new company is not listed"));
    let renamed = CompanyDraft { name: Some("Another name".to_owned()), ..CompanyDraft::default() };
    let raw = companies.update(&id, &renamed).await.unwrap_or_else(|why| panic!("a company is not changed: {why}"));
    assert_eq!(read::<Entity>(&stage, &raw).1.name, "Another name");
    let seen = listed::<Entity>(&stage, &id).await.unwrap_or_else(|| panic!("the changed company is not listed"));
    assert_eq!(seen.name, "Another name");
    if let (Some(phone), Some(asked)) = (&seen.phone, &draft.phone) {
        assert_eq!(digits(phone), digits(asked), "what was not named in the change is lost");
    }
    for fault in BREAKS {
        once(&stage, &fault, companies.create(&draft)).await;
    }
}

/// A message goes out once, whatever happens to the answer, and a sender that the vendor does not know is refused.
pub async fn mail_is_sent_once(subject: &Subject) {
    let stage = subject.stage(FEW);
    let Some(mail) = stage.connector.mail_sending() else { return };
    let domain = stage.simulated.read(|world| world.businesses()[0].domain.clone());
    let draft = MailDraft {
        from: format!("Reports <reports@{domain}>"),
        to: vec!["someone@elsewhere.example".to_owned()],
        subject: "Zwölf \"Berichte\"".to_owned(),
        text: "One line.\nAnother.".to_owned(),
        ..MailDraft::default()
    };
    let sent = mail.send_mail(&draft).await.unwrap_or_else(|why| panic!("mail is not sent: {why}"));
    assert!(sent.refused.is_empty(), "{sent:?}");
    let unknown = MailDraft { from: "someone@unknown.example".to_owned(), ..draft.clone() };
    let error = mail.send_mail(&unknown).await.expect_err("an unknown sender is accepted");
    assert_eq!(error.kind, Kind::Refused, "{error}");
    let nobody = MailDraft { to: Vec::new(), ..draft.clone() };
    assert!(mail.send_mail(&nobody).await.is_err(), "a message to nobody is sent");
    let before = stage.simulated.read(|world| world.now) - TimeDelta::hours(1);
    let named = MailDraft { reference: Some("letter-0001".to_owned()), ..draft.clone() };
    assert_eq!(found(mail.find_mail(&named, before).await), None, "a message is found that was not sent");
    let sent = mail.send_mail(&named).await.unwrap_or_else(|why| panic!("mail is not sent: {why}"));
    assert_eq!(found(mail.find_mail(&named, before).await), Some(sent), "a message is not found again");
    let other = MailDraft { reference: Some("letter-0002".to_owned()), ..draft.clone() };
    assert_eq!(found(mail.find_mail(&other, before).await), None, "one message is taken for another");
    let error = mail.find_mail(&draft, before).await.expect_err("a message without a reference is looked for");
    assert_eq!(error.kind, Kind::Refused, "{error}");
    for fault in BREAKS {
        once(&stage, &fault, mail.send_mail(&draft)).await;
    }
}

fn found(looked: integration::Result<Option<SentMail>>) -> Option<SentMail> {
    looked.unwrap_or_else(|why| panic!("a message cannot be looked for: {why}"))
}

/// A contact that is made, changed or removed is seen so.
pub async fn contact_is_written_and_seen(subject: &Subject) {
    let stage = subject.stage(FEW);
    let Some(contacts) = stage.connector.contact_writes() else { return };
    let entity = stage.entity_ids().await.remove(0);
    let draft = ContactDraft {
        given_name: Some("Renée".to_owned()),
        family_name: Some("O'Hara-Nuñez".to_owned()),
        email: Some("renee.ohara@newcomer.example".to_owned()),
        phone: Some("+44 20 7946 0992".to_owned()),
        ..ContactDraft::default()
    };
    let raw = contacts.create(&entity, &draft).await.unwrap_or_else(|why| panic!("a contact is not made: {why}"));
    let (id, made) = read::<Contact>(&stage, &raw);
    assert_eq!(made.email, draft.email);
    assert!(made.name.contains("Renée") && made.name.contains("O'Hara-Nuñez"), "{}", made.name);
    assert_eq!(read::<Contact>(&stage, &fetched(contacts.fetch(&entity, &id).await)).0, id);
    assert!(listed::<Contact>(&stage, &id).await.is_some(), "the new contact is not listed");
    let change = ContactDraft { family_name: Some("Vale".to_owned()), ..ContactDraft::default() };
    contacts.update(&entity, &id, &change).await.unwrap_or_else(|why| panic!("a contact is not changed: {why}"));
    let seen = listed::<Contact>(&stage, &id).await.unwrap_or_else(|| panic!("the changed contact is not listed"));
    assert!(seen.name.contains("Vale") && seen.name.contains("Renée"), "{}", seen.name);
    assert_eq!(seen.email, draft.email, "what was not named in the change is lost");
    if contacts.removable() {
        contacts.remove(&entity, &id).await.unwrap_or_else(|why| panic!("a contact is not removed: {why}"));
        let left = listed::<Contact>(&stage, &id).await;
        assert!(left.is_none_or(|left| left.active == Some(false)), "the removed contact is still listed as in use");
    } else {
        let error = contacts.remove(&entity, &id).await.expect_err("what cannot be removed is");
        assert_eq!(error.kind, Kind::Refused, "{error}");
    }
    for fault in BREAKS {
        once(&stage, &fault, contacts.create(&entity, &draft)).await;
    }
}

/// A ticket that is made, changed or noted on is seen so.
pub async fn ticket_is_written_and_seen(subject: &Subject) {
    let stage = subject.stage(FEW);
    let Some(tickets) = stage.connector.ticket_writes() else { return };
    let entity = stage.entity_ids().await.remove(0);
    let choices = tickets.choices(None).await.unwrap_or_else(|why| panic!("no choices: {why}"));
    assert!(!choices.statuses.is_empty() || !choices.queues.is_empty(), "nothing to choose from: {choices:?}");
    let queue = choices.queues.first().map(|queue| queue.id.clone());
    let choices = tickets.choices(queue.as_deref()).await.unwrap_or_else(|why| panic!("no choices: {why}"));
    let draft = TicketDraft {
        title: Some("The café's till – \"offline\" <again>".to_owned()),
        description: Some("Line one\nLine two".to_owned()),
        priority_id: choices.priorities.first().map(|one| one.id.clone()),
        queue_id: queue,
        ..TicketDraft::default()
    };
    let raw = tickets.create(&entity, &draft).await.unwrap_or_else(|why| panic!("a ticket is not made: {why}"));
    let (id, made) = read::<Ticket>(&stage, &raw);
    assert_eq!(Some(&made.title), draft.title.as_ref());
    assert_ne!(made.open, Some(false), "a new ticket is closed");
    assert_eq!(read::<Ticket>(&stage, &fetched(tickets.fetch(&id).await)).0, id);
    assert!(listed::<Ticket>(&stage, &id).await.is_some(), "the new ticket is not listed");
    for status in &choices.statuses {
        let change = TicketDraft { status_id: Some(status.id.clone()), ..TicketDraft::default() };
        let raw = tickets.update(&id, &change).await.unwrap_or_else(|why| panic!("{status:?}: {why}"));
        let (_, changed) = read::<Ticket>(&stage, &raw);
        assert_eq!(changed.status_id.as_deref(), Some(status.id.as_str()), "{status:?}");
        assert_eq!(Some(&changed.title), draft.title.as_ref(), "{status:?}: the title is lost");
    }
    for public in [true, false] {
        let note = TicketNote { text: "Looked at it – all well".to_owned(), public };
        tickets.add_note(&id, &note).await.unwrap_or_else(|why| panic!("a note is not added: {why}"));
    }
    if let Some(notes) = tickets.notes(&id).await.unwrap_or_else(|why| panic!("notes are not read: {why}")) {
        let said: Vec<_> = notes.iter().filter(|one| one.text.contains("all well")).map(|one| one.public).collect();
        assert_eq!(said, [true, false], "the notes are not read as they were written: {notes:?}");
        let ids: std::collections::BTreeSet<_> = notes.iter().map(|one| &one.id).collect();
        assert!(ids.len() == notes.len() && notes.iter().all(|one| !one.id.is_empty()), "{notes:?}");
    }
    let error = tickets.fetch("999999999").await.expect_err("an unknown ticket is read");
    assert!(matches!(error.kind, Kind::NotFound | Kind::Refused), "{error}");
    for fault in BREAKS {
        once(&stage, &fault, tickets.create(&entity, &draft)).await;
        once(&stage, &fault, tickets.add_note(&id, &TicketNote { text: "again".to_owned(), public: false })).await;
    }
}

/// Every action that is not refused is taken by the vendor; an unknown one is refused without asking.
pub async fn threat_is_acted_on(subject: &Subject) {
    let stage = subject.stage(FEW);
    let Some(threats) = stage.connector.threat_actions() else { return };
    let records = stage.with_entity(RecordKind::Threat).await;
    let actions = threats.actions();
    assert!(!actions.is_empty() && !records.is_empty(), "nothing to act on");
    let mut done = 0;
    for (entity, record) in &records {
        let threat: integration::Threat = serde_json::from_str(&record.body).unwrap_or_default();
        assert!(threats.refusal(&threat, "no_such_action").is_some());
        for action in &actions {
            if threats.refusal(&threat, &action.id).is_none() {
                threats.act(entity, &record.id, &action.id).await.unwrap_or_else(|why| panic!("{action:?}: {why}"));
                done += 1;
                match threats.fetch(entity, &record.id).await {
                    // The vendor lists open ones only, and this one is settled: nothing more can be done about it.
                    Err(gone) if gone.kind == Kind::NotFound => {
                        let left = listed::<integration::Threat>(&stage, &record.id).await;
                        assert!(left.is_none(), "{action:?}: a settled threat is still listed");
                        break;
                    }
                    raw => assert_eq!(read::<integration::Threat>(&stage, &fetched(raw)).0, record.id),
                }
            }
        }
    }
    assert!(done > 0, "every action is refused");
    let (entity, first) = &records[0];
    let error = threats.act(entity, &first.id, "no_such_action").await.expect_err("an unknown action is done");
    assert_eq!(error.kind, Kind::Refused, "{error}");
    let revision = |stage: &Stage| stage.simulated.read(|world| world.revision());
    assert!(revision(&stage) > 0, "no action changed anything at the vendor");
}

/// Every platform has a link, and the link is an address.
pub async fn installer_is_an_address(subject: &Subject) {
    let stage = subject.stage(FEW);
    let Some(installers) = stage.connector.installer_links() else { return };
    let entity = stage.entity_ids().await.remove(0);
    for platform in installers.platforms() {
        let made = installers.installer(&entity, None, &platform.id).await;
        let made = made.unwrap_or_else(|why| panic!("{platform:?}: {why}"));
        assert!(made.url.starts_with("https://"), "{platform:?}: {}", made.url);
    }
    let error = installers.installer(&entity, None, "abacus").await.expect_err("an unknown platform has an installer");
    assert_eq!(error.kind, Kind::Refused, "{error}");
}

/// A custom field that is set is read back, and can be emptied.
pub async fn custom_field_is_set_and_seen(subject: &Subject) {
    let stage = subject.stage(FEW);
    let Some(custom) = stage.connector.custom_fields() else { return };
    let places = all(&stage, RecordKind::Location).await;
    let place = places.first().unwrap_or_else(|| panic!("no place"));
    let entity = match &place.entity {
        Some(entity) => entity.clone(),
        None => stage.entity_ids().await.remove(0),
    };
    let fields = custom.fields(&entity, &place.id).await.unwrap_or_else(|why| panic!("no fields: {why}"));
    let field = fields.iter().find(|field| field.editable).unwrap_or_else(|| panic!("nothing editable: {fields:?}"));
    for value in [Some("12 steps, left".to_owned()), None] {
        let change = [(field.name.clone(), value.clone())];
        custom.set_fields(&entity, &place.id, &change).await.unwrap_or_else(|why| panic!("{field:?}: {why}"));
        let now = custom.fields(&entity, &place.id).await.unwrap_or_else(|why| panic!("no fields: {why}"));
        let seen = now.iter().find(|one| one.name == field.name).and_then(|one| one.value.clone());
        assert_eq!(seen.filter(|seen| !seen.is_empty()), value, "{}", field.name);
    }
}

/// A document that is archived, or brought back, is listed as such.
pub async fn document_is_archived_and_seen(subject: &Subject) {
    let stage = subject.stage(FEW);
    let Some(documents) = stage.connector.document_archive() else { return };
    let (entity, record) = stage
        .with_entity(RecordKind::Document)
        .await
        .into_iter()
        .next()
        .unwrap_or_else(|| panic!("no document is listed"));
    for archived in [true, false] {
        let set = documents.set_archived(&entity, &record.id, archived).await;
        set.unwrap_or_else(|why| panic!("archived = {archived}: {why}"));
        let seen = listed::<Document>(&stage, &record.id).await;
        // Some vendors no longer list what is archived.
        assert!(seen.is_none_or(|seen| seen.archived == Some(archived)), "archived = {archived} is not seen");
    }
}

/// Each shelf can be read.
pub async fn templates_are_read(subject: &Subject) {
    let stage = subject.stage(FEW);
    let Some(templates) = stage.connector.templates() else { return };
    let mut found = 0;
    for shelf in templates.shelves() {
        let read = templates.templates(&shelf.id).await.unwrap_or_else(|why| panic!("{shelf:?}: {why}"));
        assert!(read.iter().all(|one| !one.id.is_empty() && !one.name.is_empty()), "{shelf:?}: {read:?}");
        found += read.len();
    }
    assert!(found > 0, "no shelf holds anything");
}

/// A webhook that the vendor signed is heard; one that was changed, signed by another or not at all is
/// not.
pub async fn webhook_is_heard_only_when_signed(subject: &Subject) {
    let stage = subject.stage(FEW);
    let Some(webhooks) = stage.connector.webhooks() else { return };
    let secret = Secret::new("an-agreed-webhook-secret-0001".to_owned());
    let delivery = stage
        .simulated
        .read(|world| stage.simulated.simulator.delivery(world, &secret))
        .unwrap_or_else(|| panic!("the simulator sends no webhooks"));
    let heard = webhooks.hear(&delivery, &secret).await.unwrap_or_else(|why| panic!("not heard: {why}"));
    assert!(!heard.is_empty() && heard.iter().all(|one| !one.delivery_id.is_empty()), "{heard:?}");
    assert_eq!(webhooks.hear(&delivery, &secret).await.ok(), Some(heard), "the same delivery has another id");
    let mut changed = delivery.clone();
    changed.body = [delivery.body.as_ref(), b" "].concat().into();
    let mut unsigned = delivery.clone();
    unsigned.headers.clear();
    unsigned.query.clear();
    let other = Secret::new("another-secret-0002".to_owned());
    for (what, delivery, secret) in
        [("changed", &changed, &secret), ("unsigned", &unsigned, &secret), ("foreign", &delivery, &other)]
    {
        if what == "changed" && !webhooks.covers_body() {
            continue;
        }
        let error = webhooks.hear(delivery, secret).await.expect_err(what);
        assert_eq!(error.kind, Kind::Credentials, "{what}: {error}");
    }
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn fetched(raw: integration::Result<bytes::Bytes>) -> bytes::Bytes {
    raw.unwrap_or_else(|why| panic!("what was written cannot be read: {why}"))
}

/// Reads a raw answer as the listing of that kind would.
fn read<T: RecordType>(stage: &Stage, raw: &[u8]) -> (String, T) {
    let read = stage.listing(T::KIND).read(raw).unwrap_or_else(|why| panic!("the answer cannot be read: {why}"));
    (read.id, serde_json::from_str(&read.body).unwrap_or_else(|why| panic!("{why}")))
}

async fn all(stage: &Stage, kind: RecordKind) -> Vec<ReadRecord> {
    stage.with_entity(kind).await.into_iter().map(|(_, record)| record).collect()
}

async fn listed<T: RecordType>(stage: &Stage, id: &str) -> Option<T> {
    let found = all(stage, T::KIND).await.into_iter().find(|record| record.id == id)?;
    serde_json::from_str(&found.body).ok()
}

/// A write whose answer is lost is an error, is sent once, and is not marked as repeatable.
async fn once<T>(stage: &Stage, fault: &Fault, write: impl Future<Output = integration::Result<T>>) {
    // Reads that prepare the write may come first; the fault meets the write itself.
    stage.simulated.clear_log();
    stage.faulty.set(Plan::Writes(fault.clone()));
    let outcome = write.await;
    stage.faulty.set(Plan::Never);
    let sent = stage.data_requests().into_iter().filter(|request| !request.idempotent).count();
    assert!(sent <= 1, "{fault:?}: sent {sent} times");
    assert!(outcome.is_err(), "{fault:?}: the outcome is unknown, but called a success (or the write is repeatable)");
    stage.simulated.change(|world| world.advance(TimeDelta::seconds(1)));
}

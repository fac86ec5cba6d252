//! End users: how they are read, and what is not sent.

use std::sync::Arc;

use integration::{Body, Connector, Contact, ContactDraft, Item, Kind, Position, Request};
use serde_json::json;

use crate::stand_ins::{Scripted, over, replaying};

/// A vendor that has one end user, of organisation 12, whatever it is asked.
fn ana() -> Arc<Scripted<impl Fn(&Request) -> String + Send + Sync + 'static>> {
    Scripted::new(|_: &Request| {
        r#"{"id":88,"organizationId":12,"firstName":"Ana","lastName":"Silva","email":"ana@harbour.example","enabled":true}"#
            .to_owned()
    })
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[tokio::test]
async fn end_users_are_read_as_far_as_they_go() {
    let (connector, replay) = replaying(&["token", "end-users"]);
    let contacts = connector.contacts().unwrap();
    let page = contacts.page(Position::default()).await.unwrap();
    replay.finish().unwrap();
    assert_eq!((page.next, page.total), (None, None));
    let read: Vec<Item<Contact>> = page.records.iter().map(|raw| contacts.read(raw).unwrap()).collect();
    assert_eq!((read[0].id.as_str(), read[0].entity.as_deref()), ("88", Some("12")));
    let ana = Contact {
        name: "Ana Silva".into(),
        given_name: text("Ana"),
        family_name: text("Silva"),
        email: text("ana@harbour.example"),
        phone: text("+15550100"),
        active: Some(true),
        ..Contact::default()
    };
    assert_eq!(read[0].record, ana);
    let nameless = &read[1].record;
    assert_eq!((nameless.name.as_str(), nameless.active), ("post@kite.example", Some(false)));
    assert_eq!((read[2].record.name.as_str(), read[2].record.active), ("End user 90", None));
    assert!(contacts.read(br#"{"id":91}"#).is_err(), "nobody's end user");
}

#[tokio::test]
async fn an_end_user_of_another_organization_is_neither_shown_nor_changed() {
    let transport = ana();
    let connector = over(transport.clone());
    let contacts = connector.contact_writes().unwrap();
    let rename = ContactDraft { family_name: text("Vale"), ..ContactDraft::default() };
    assert!(contacts.fetch("12", "88").await.is_ok());
    let errors = [
        contacts.fetch("15", "88").await.unwrap_err(),
        contacts.update("15", "88", &rename).await.unwrap_err(),
        contacts.remove("15", "88").await.unwrap_err(),
        contacts.remove("12", "89").await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind, Kind::NotFound, "{error}");
        assert!(!format!("{error:?}").contains("Silva"), "{error:?}");
    }
    assert!(transport.changes().is_empty());
}

#[tokio::test]
async fn what_ninjaone_would_ignore_is_refused() {
    let transport = ana();
    let connector = over(transport.clone());
    let contacts = connector.contact_writes().unwrap();
    let none = ContactDraft::default;
    for (what, draft) in [
        ("e-mail", ContactDraft { email: text("new@harbour.example"), ..none() }),
        ("telephone", ContactDraft { phone: text("+15550199"), ..none() }),
        ("mobile", ContactDraft { mobile: text("+15550199"), ..none() }),
        ("job title", ContactDraft { job_title: text("Owner"), ..none() }),
        ("place", ContactDraft { location_id: text("44"), ..none() }),
        ("sign in", ContactDraft { active: Some(false), ..none() }),
    ] {
        let draft = ContactDraft { given_name: text("Anna"), ..draft };
        let error = contacts.update("12", "88", &draft).await.unwrap_err();
        assert_eq!(error.kind, Kind::Refused, "{error}");
        assert!(error.message.contains(what), "{error}");
    }
    let whole_job = ContactDraft { given_name: text("A"), family_name: text("S"), job_title: text("Owner"), ..none() };
    assert_eq!(contacts.create("12", &whole_job).await.unwrap_err().kind, Kind::Refused);
    let half_a_name = ContactDraft { given_name: text("Ana"), family_name: text("  "), ..none() };
    assert_eq!(contacts.create("12", &half_a_name).await.unwrap_err().kind, Kind::Refused);
    assert!(transport.changes().is_empty());
}

#[tokio::test]
async fn what_stays_as_it_is_is_not_refused_and_not_sent() {
    let transport = ana();
    let connector = over(transport.clone());
    let contacts = connector.contact_writes().unwrap();
    let same = ContactDraft {
        email: text("ana@harbour.example"),
        phone: text(""),
        active: Some(true),
        ..ContactDraft::default()
    };
    contacts.update("12", "88", &same).await.unwrap();
    assert!(transport.changes().is_empty());
    let renamed = ContactDraft { given_name: text(" Anna "), ..same };
    contacts.update("12", "88", &renamed).await.unwrap();
    let sent = ("PATCH", "/v2/user/end-user/88".to_owned(), Body::Json(json!({"firstName": "Anna"})));
    assert_eq!(transport.changes(), [sent]);
}

#[tokio::test]
async fn nobody_gets_an_invitation() {
    let transport = ana();
    let connector = over(transport.clone());
    let draft = ContactDraft { given_name: text("Ana"), family_name: text("Silva"), ..ContactDraft::default() };
    connector.contact_writes().unwrap().create("12", &draft).await.unwrap();
    let asked = transport.asked();
    assert_eq!(asked.last().unwrap(), "https://eu.ninjarmm.com/v2/user/end-users?sendInvitation=false");
}

#[tokio::test]
async fn an_id_that_is_no_number_reaches_no_address() {
    let transport = ana();
    let connector = over(transport.clone());
    let contacts = connector.contact_writes().unwrap();
    for id in ["../organizations", "88/device-access", "", "-1", "8 8", "99999999999"] {
        assert_eq!(contacts.remove("12", id).await.unwrap_err().kind, Kind::NotFound, "{id}");
        assert_eq!(contacts.create(id, &ContactDraft::default()).await.unwrap_err().kind, Kind::NotFound, "{id}");
        let documents = connector.document_archive().unwrap();
        assert_eq!(documents.set_archived("12", id, true).await.unwrap_err().kind, Kind::NotFound, "{id}");
    }
    assert!(transport.asked().is_empty());
}

#[tokio::test]
async fn the_vendors_no_is_told_and_not_tried_again() {
    let (connector, replay) = replaying(&["token", "error-end-user-exists"]);
    let draft = ContactDraft {
        given_name: text("Ana"),
        family_name: text("Silva"),
        email: text("ana@harbour.example"),
        ..ContactDraft::default()
    };
    let error = connector.contact_writes().unwrap().create("12", &draft).await.unwrap_err();
    replay.finish().unwrap();
    assert_eq!((error.kind, error.retry), (Kind::Refused, integration::Retry::No));
    assert_eq!(error.vendor_message.as_deref(), Some("A user with this email exists"));
}

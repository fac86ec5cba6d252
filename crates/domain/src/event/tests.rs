//! Which change is which event.

use proptest::prelude::*;

use super::*;

const KINDS: [&str; 13] = [
    "client",
    "mapping",
    "connection",
    "service_request",
    "agreement_instance",
    "onboarding",
    "portal_user",
    "portal_ticket",
    "portal_ticket_message",
    "file",
    "library_document",
    "api_key",
    "onboarding_step",
];
const STATES: [&str; 9] =
    ["active", "connected", "degraded", "reauth_required", "signed", "declined", "completed", "invited", "x"];
const ID: Uuid = Uuid::from_u128(7);

fn a_client(n: u8) -> ClientId {
    ClientId(Uuid::from_u128(u128::from(n)))
}

fn change(kind: &str, before: Option<Value>, after: Option<Value>) -> Change {
    Change { kind: kind.to_owned(), id: ID, client_id: Some(a_client(1)), before, after }
}

fn names(change: &Change) -> Vec<&'static str> {
    events_of(change).iter().map(|draft| draft.kind.as_str()).collect()
}

#[test]
fn names_are_of_one_shape_and_each_is_there_once() {
    for (at, event) in EventType::ALL.iter().enumerate() {
        let name = event.as_str();
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'.' || b == b'_'), "{name}");
        assert_eq!(EventType::ALL.iter().position(|other| other.as_str() == name), Some(at), "{name}");
        assert_eq!(EventType::parse(name), Some(*event));
        assert!(event.about().ends_with('.') && !event.about().starts_with(' '), "{:?}", event.about());
    }
    assert_eq!(EventType::parse("client.exploded"), None);
}

#[test]
fn a_clients_life_is_told_step_by_step() {
    let view = |name: &str, archived: bool, deleted: bool| {
        let mut view = json!({ "name": name, "status": "active", "notes": "Key under the mat", "deleted_at": null });
        if archived {
            view["archived_at"] = json!("2026-01-01T00:00:00Z");
        }
        if deleted {
            view["deleted_at"] = json!("2026-01-01T00:00:00Z");
        }
        Some(view)
    };
    let (live, archived, gone) = (view("Quay", false, false), view("Quay", true, false), view("Quay", false, true));
    let cases = [
        (None, live.clone(), vec!["client.created"]),
        (live.clone(), view("Key", false, false), vec!["client.updated"]),
        (live.clone(), archived.clone(), vec!["client.archived"]),
        (archived.clone(), live.clone(), vec!["client.restored"]),
        (live.clone(), gone.clone(), vec!["client.deleted"]),
        (gone.clone(), live.clone(), vec!["client.restored"]),
        (live.clone(), None, vec!["client.deleted"]),
        (live.clone(), live.clone(), vec![]),
        (gone.clone(), gone, vec![]),
    ];
    for (before, after, expected) in cases {
        let change = change("client", before, after);
        assert_eq!(names(&change), expected, "{change:?}");
    }
    let renamed = events_of(&change("client", live, view("Key", false, false))).remove(0);
    assert_eq!(
        Value::Object(renamed.data),
        json!({ "id": ID, "client_id": ID, "name": "Key", "status": "active", "changed": ["name"] })
    );
}

#[test]
fn neither_client_of_a_re_mapping_is_told_of_the_other() {
    let view = |client: Option<u8>| {
        let client = client.map(a_client);
        Some(json!({ "entity_id": ID, "connection_id": ID, "name": "SITE", "client_id": client }))
    };
    let told = events_of(&change("mapping", view(Some(1)), view(Some(2))));
    assert_eq!(
        told.iter().map(|draft| (draft.client, draft.data["mapped"] == true)).collect::<Vec<_>>(),
        [(Some(a_client(1)), false), (Some(a_client(2)), true)]
    );
    for (draft, other) in told.iter().zip([a_client(2), a_client(1)]) {
        assert!(!Value::Object(draft.data.clone()).to_string().contains(&other.to_string()));
    }
    assert!(events_of(&change("mapping", view(Some(1)), view(Some(1)))).is_empty());
    assert_eq!(names(&change("mapping", view(None), view(Some(1)))), ["mapping.changed"]);
}

#[test]
fn a_connection_fails_and_recovers_once_each() {
    let view = |state: &str| Some(json!({ "state": state, "state_reason": "token abc is wrong", "name": "Main" }));
    for (before, after, expected) in [
        ("connected", "degraded", vec!["connection.failed"]),
        ("degraded", "degraded", vec![]),
        ("degraded", "reauth_required", vec!["connection.failed"]),
        ("reauth_required", "connected", vec!["connection.recovered"]),
        ("degraded", "connected", vec!["connection.recovered"]),
        ("connected", "paused", vec![]),
        ("degraded", "paused", vec![]),
        ("draft", "connected", vec![]),
    ] {
        assert_eq!(names(&change("connection", view(before), view(after))), expected, "{before} to {after}");
    }
}

#[test]
fn a_file_is_told_of_once_for_each_client_that_sees_it_now() {
    let view = |reach: &str, clients: &[u8]| {
        let clients: Vec<_> = clients.iter().map(|n| a_client(*n)).collect();
        Some(json!({ "client_id": a_client(1), "title": "Plan", "published": { "reach": reach, "clients": clients } }))
    };
    let hidden = Some(json!({ "client_id": a_client(1), "title": "Plan", "published": null }));
    for (before, after, expected) in [
        (hidden.clone(), view("client", &[]), vec![Some(a_client(1))]),
        (hidden.clone(), view("all", &[]), vec![None]),
        (view("chosen", &[1, 2]), view("chosen", &[2, 3]), vec![Some(a_client(3))]),
        (view("chosen", &[1, 2]), hidden.clone(), vec![]),
        (None, hidden, vec![]),
    ] {
        let told: Vec<_> = events_of(&change("file", before, after)).iter().map(|draft| draft.client).collect();
        assert_eq!(told, expected);
    }
}

#[test]
fn what_staff_note_among_themselves_is_told_to_nobody() {
    let said = |kind: &str| Some(json!({ "kind": kind, "ticket_id": ID, "text": "The key is under the mat" }));
    assert_eq!(names(&change("portal_ticket_message", None, said("reply"))), ["ticket.replied"]);
    for kind in ["note", "act", "assignment"] {
        assert!(names(&change("portal_ticket_message", None, said(kind))).is_empty(), "{kind}");
    }
}

/// The list that spares most writes a look at subscriptions names each kind that is told of, and no other.
#[test]
fn the_kinds_that_are_told_of_are_those_of_the_list() {
    let tells = |kind: &str| {
        let published = json!({ "reach": "all", "clients": [] });
        let made = |state: &str| {
            let view = json!({
                "client_id": a_client(1), "state": state, "kind": "reply", "published": published,
                "published_at": "2026-01-01T00:00:00Z",
            });
            change(kind, None, Some(view))
        };
        STATES.into_iter().any(|state| !events_of(&made(state)).is_empty())
    };
    for kind in KINDS {
        assert_eq!(tells(kind), EVENT_KINDS.contains(&kind), "{kind}");
    }
}

proptest! {
    /// Whatever a change holds, an event names no other client than its own, and nothing that is secret or was
    /// written by people.
    #[test]
    fn an_event_holds_nothing_that_is_not_meant_for_it(
        kind in 0..KINDS.len(), states in proptest::array::uniform2(0..STATES.len()),
        there in any::<(bool, bool)>(), owners in any::<(u8, u8)>(),
    ) {
        let view = |state: usize, owner: u8| json!({
            "id": ID, "client_id": a_client(owner), "state": STATES[state], "name": "Quay", "password": "SECRET",
            "link": "SECRET", "description": "SECRET", "answers": ["SECRET"], "email": "SECRET", "token": "SECRET",
            "signature": {"source_address": "SECRET"}, "state_reason": "SECRET", "reason": "SECRET",
            "notes": format!("SECRET {owner}"), "contact_email": "SECRET", "credentials": "SECRET", "kind": "reply",
            "subject": "SECRET", "text": "SECRET", "title": "SECRET", "published_at": "2026-01-01T00:00:00Z",
            "published": { "reach": (["client", "chosen", "all"][state % 3]), "clients": [a_client(owner)] },
        });
        let before = there.0.then(|| view(states[0], owners.0));
        let after = there.1.then(|| view(states[1], owners.1));
        let change = change(KINDS[kind], before.clone(), after.clone());
        let told = events_of(&change);
        prop_assert!(told.len() <= 2);
        if before == after {
            prop_assert!(told.is_empty(), "nothing changed");
        }
        for draft in told {
            let text = Value::Object(draft.data.clone()).to_string();
            prop_assert!(!text.contains("SECRET"), "{text}");
            prop_assert_eq!(draft.data.get("client_id").cloned(), draft.client.map(|client| json!(client)));
            prop_assert_eq!(draft.kind.standing(), EventStanding::Sent);
        }
    }
}

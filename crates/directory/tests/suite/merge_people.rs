//! What becomes of people, and of what they asked for and signed, when clients are made one and two again.

use std::collections::{BTreeMap, BTreeSet};

use directory::{Merge, MergedPeople, client_merge};
use domain::{AgreementState, ChangeSet, ClientId, Error, OnboardingState, PortalTicket, PortalTicketState, Result};
use persistence::{PortalTicketFilter, PortalUserFilter};
use proptest::test_runner::{Config, TestRunner};
use testkit::{TestDb, both_databases};

use crate::{
    asked::ticket,
    furnished::{Plan, full, furnish, person, plan, shelf},
    house::{House, PAGE, conflict, problems},
};

/// Tables that tell of what was done, and what waits to be done about it.
const TOLD: [&str; 14] = [
    "journal",
    "journal_client",
    "journal_record",
    "journal_head",
    "job",
    "product_event",
    "webhook_delivery",
    "portal_session",
    "mail",
    "idempotency",
    "throttle",
    "installation",
    "seaql_migrations",
    "sqlite_sequence",
];
/// Columns that any write moves.
const MOVED: [&str; 5] = ["version", "updated_at", "updated_by", "mapped_at", "mapped_by"];

async fn merged(house: &House<'_>, from: ClientId, into: ClientId) -> Result<(MergedPeople, ChangeSet)> {
    let tx = house.begin().await;
    let done = client_merge(&tx, &Merge { from, into, take: Vec::new() }, None).await?;
    Ok((done.people, tx.commit("client_merge", None).await?))
}

async fn now(db: &TestDb) -> BTreeMap<String, BTreeSet<String>> {
    db.dump(&TOLD, &MOVED).await
}

#[track_caller]
fn same(before: &BTreeMap<String, BTreeSet<String>>, after: &BTreeMap<String, BTreeSet<String>>) {
    for (table, rows) in before {
        let (gone, new) = (rows.difference(&after[table]).next(), after[table].difference(rows).next());
        assert!(gone.is_none() && new.is_none(), "{table}: {gone:?} -> {new:?}");
    }
}

/// No row names a client that is not there: everything moved.
async fn nothing_left_behind(db: &TestDb, gone: ClientId) {
    let hex = gone.0.simple().to_string();
    let dump = db.dump(&TOLD, &[]).await;
    for (table, rows) in dump.iter().filter(|(table, _)| !["client", "client_redirect"].contains(&table.as_str())) {
        let named = |row: &&String| {
            let row = row.to_lowercase();
            row.contains(&format!("client_id={gone}")) || row.contains(&format!("client_id=x'{hex}'"))
        };
        // What is left of a set-up of ClientOne that the other client has too is off.
        let off = |row: &&String| row.contains("enabled=false") || row.contains("enabled=0");
        let left = rows.iter().filter(named).find(|row| table != "portal_config" || !off(row));
        assert!(left.is_none(), "{table}: {left:?}");
    }
}

async fn merge_and_back(db: &TestDb, going: &Plan, staying: &Plan) {
    let house = House::new(db).await;
    let shelf = shelf(&house).await;
    let (old, new) = (furnish(&house, &shelf, "Kite", going).await, furnish(&house, &shelf, "Osprey", staying).await);
    let before = now(db).await;
    let done = merged(&house, old.id, new.id).await;
    if going.provider && staying.provider {
        let (code, message) = conflict(done.map(drop));
        assert_eq!(code, "identity_providers");
        assert!(message.contains("Kite’s own") && message.contains("Osprey’s own"), "{message}");
        same(&before, &now(db).await);
        return;
    }
    let (people, set) = done.expect("merges");
    assert_eq!(people.accounts, going.people);
    let kept = |state: &Option<AgreementState>| state.is_some_and(|it| it.is_open() || it == AgreementState::Signed);
    let both = going.agreements.iter().zip(&staying.agreements);
    let superseded = both.filter(|(a, b)| a.is_some_and(AgreementState::is_open) && kept(b)).count();
    let both = going.onboardings.iter().zip(staying.onboardings);
    let cancelled = both.filter(|(a, b)| **a == Some(OnboardingState::Active) && *a == b).count();
    assert_eq!((people.superseded, people.cancelled), (superseded, cancelled));
    let enabled = staying.portal.or(going.portal) == Some(true);
    assert_eq!(people.shut_out, going.people > 0 && !enabled);
    nothing_left_behind(db, old.id).await;
    let tx = house.read().await;
    let of = |client| PortalUserFilter { client: Some(client), ..PortalUserFilter::default() };
    let total = tx.portal_user_list(&of(new.id), &PAGE).await.expect("lists").total;
    assert_eq!(total as usize, going.people + staying.people);
    for user in &old.people {
        assert!(tx.portal_session_list(user.id).await.expect("lists").is_empty(), "a session goes on");
        let row = tx.portal_user(user.id).await.expect("finds");
        assert_eq!(tx.portal_devices(&row).await.expect("lists").len(), going.machines, "the devices went along");
    }
    let tickets = PortalTicketFilter { client: Some(new.id), ..PortalTicketFilter::default() };
    assert_eq!(tx.portal_ticket_count(&tickets).await.expect("counts") as usize, old.tickets.len() + new.tickets.len());
    drop(tx);

    house.revert(set.entry, &[]).await.expect("reverts");
    same(&before, &now(db).await);
    house.entries().await;
}

#[test]
fn merging_and_taking_it_back_changes_nothing() {
    let cases = std::env::var("PANELONE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(24);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 100, ..Config::default() };
    TestRunner::new(config)
        .run(&(plan(), plan()), |(going, staying)| {
            runtime.block_on(async { merge_and_back(&testkit::sqlite().await, &going, &staying).await });
            Ok(())
        })
        .unwrap_or_else(|why| panic!("{why}"));
}

both_databases! {
    async fn full_clients_become_one_and_two_again(db: TestDb) {
        for (going, staying) in [
            (full(Some(true), true), full(None, false)),
            (full(Some(true), false), full(Some(false), true)),
            (full(None, false), full(Some(true), true)),
            (full(Some(true), true), full(Some(true), true)),
        ] {
            merge_and_back(&db, &going, &staying).await;
        }
    }

    async fn what_people_did_since_is_named_and_goes_along(db: TestDb) {
        let house = House::new(&db).await;
        let shelf = shelf(&house).await;
        let old = furnish(&house, &shelf, "Kite", &full(Some(true), true)).await;
        let new = furnish(&house, &shelf, "Osprey", &full(None, false)).await;
        let (_, set) = merged(&house, old.id, new.id).await.expect("merges");

        let tx = house.begin().await;
        let edited = tx.portal_ticket(old.tickets[0].id).await.expect("finds");
        let after = PortalTicket { state: PortalTicketState::Closed, ..edited.clone() };
        tx.portal_ticket_save(&edited, after).await.expect("closes");
        let moved = tx.portal_user(old.people[1].id).await.expect("finds");
        let later = ticket(&tx, new.id, Some(&moved), shelf.source).await;
        let provider = tx.sso_provider_list(Some(new.id)).await.expect("lists").remove(0);
        let comer = person(&tx, new.id, "Just in time", Some(&provider), &BTreeSet::new()).await;
        tx.commit("since", None).await.expect("commits");

        let mut named = problems(house.revert(set.entry, &[]).await);
        named.sort();
        let mut expected = [
            (edited.id.0, "changed_since"),
            (moved.id.0, "made_since"),
            (provider.id.0, "used_since"),
        ].map(|(id, code)| (id.to_string(), code));
        expected.sort();
        assert_eq!(named, expected);
        house.revert(set.entry, &[edited.id.0, moved.id.0, provider.id.0]).await.expect("reverts");
        let tx = house.read().await;
        let back = tx.portal_ticket(edited.id).await.expect("finds");
        assert_eq!((back.client_id, back.state), (old.id, PortalTicketState::Closed), "the later edit is kept");
        assert_eq!(tx.portal_ticket(later.id).await.expect("finds").client_id, old.id, "it goes with its person");
        assert!(tx.portal_ticket_messages(later.id).await.expect("lists").iter().all(|one| one.client_id == old.id));
        assert_eq!(tx.portal_user(comer.id).await.expect("finds").client_id, new.id, "who came since stays");
        drop(tx);
        house.entries().await;
    }

    async fn a_machine_that_both_knew_stays_with_whom_it_was_assigned_to(db: TestDb) {
        let house = House::new(&db).await;
        let (ninja, microsoft) = (house.ninja().await, house.microsoft().await);
        let (old, new) = (house.client("Kite").await, house.client("Osprey").await);
        let body = r#"{"name":"FRONT-1","serial":"5CG1234ABC","macs":["3c:52:82:aa:bb:01"]}"#;
        for (source, client) in [(ninja, old), (microsoft, new)] {
            let entity = house.entity(source, "Kite").await;
            let id = domain::RecordId(house.begin().await.new_id::<domain::EntityId>().0);
            house.observe(source, entity, &[(id, "FRONT-1", body)]).await;
            house.map(&[entity], client).await;
        }
        let tx = house.begin().await;
        let mut people = Vec::new();
        for (client, name) in [(old, "Kite 0"), (new, "Osprey 0")] {
            let devices = tx.client_devices_for(client, None, None, &PAGE).await.expect("lists").items;
            let devices = devices.iter().map(|one| one.device.id).collect();
            people.push(person(&tx, client, name, None, &devices).await);
        }
        tx.commit("furnish", None).await.expect("commits");
        let seen = async || {
            let tx = house.read().await;
            let mut seen = Vec::new();
            for user in &people {
                let user = tx.portal_user(user.id).await.expect("finds");
                seen.push(tx.portal_devices(&user).await.expect("lists").len());
            }
            seen
        };
        assert_eq!((house.devices(old).await, house.devices(new).await, seen().await), ((1, 1), (1, 1), vec![1, 1]));
        let (_, set) = merged(&house, old, new).await.expect("merges");
        assert_eq!((house.devices(new).await, seen().await), ((1, 2), vec![1, 1]), "two became one");
        house.revert(set.entry, &[]).await.expect("reverts");
        assert_eq!((house.devices(old).await, house.devices(new).await, seen().await), ((1, 1), (1, 1), vec![1, 1]));
    }

    async fn nobody_asks_for_anything_for_a_client_that_is_gone(db: TestDb) {
        let house = House::new(&db).await;
        let shelf = shelf(&house).await;
        let old = furnish(&house, &shelf, "Kite", &full(Some(true), false)).await;
        let new = furnish(&house, &shelf, "Osprey", &full(Some(true), false)).await;
        merged(&house, old.id, new.id).await.expect("merges");
        let tx = house.begin().await;
        let late = PortalTicket { id: tx.new_id(), number: 99, ..old.tickets[0].clone() };
        assert!(matches!(tx.portal_ticket_insert(&late).await, Err(Error::NotFound { what: "client" })));
    }
}

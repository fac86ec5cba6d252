//! What is done to clients, once and to all of them, whatever happens in between; and undone whole.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use bulk::{Selection, bulk_cancel, bulk_get, bulk_prepare};
use chrono::TimeDelta;
use domain::{
    BulkAction, BulkItemState, BulkOperation, BulkState, ClientId, ClientStatus, EntryId, Error, MappingState, Role,
    TENANT,
};
use persistence::{ClaimedJob, ClientFilter, JobOutcome, JournalEntry, JournalFilter};
use sync::{Chore, Ended};
use testkit::both_databases;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::house::{House, PAGE};

fn add(tags: &[&str]) -> BulkAction {
    BulkAction::TagsAdd { tags: tags.iter().map(|tag| (*tag).to_owned()).collect() }
}

/// The entries of an operation's change set.
async fn entries(house: &House<'_>, operation: &BulkOperation) -> Vec<JournalEntry> {
    let tx = house.db.store.read(house.operator()).await.expect("reads");
    let listed = tx.journal_list(&JournalFilter::default(), &PAGE).await.expect("lists").items;
    listed.into_iter().filter(|entry| entry.change_set == Some(operation.id)).collect()
}

async fn revert(house: &House<'_>, entry: EntryId) -> domain::Result<()> {
    let tx = house.db.store.begin(house.operator()).await?;
    tx.journal_revert(entry, &BTreeSet::new()).await?;
    tx.commit("journal_revert", None).await.map(drop)
}

/// Takes the job that is due, as a worker would.
async fn claim(house: &House<'_>) -> Option<ClaimedJob> {
    let across = house.db.store.across().await.expect("begins");
    let lease = TimeDelta::seconds(30);
    let claimed = across.jobs_claim_as(Some(Uuid::from_u128(9)), 1, house.db.now(), lease).await.expect("claims");
    across.commit().await.expect("commits");
    claimed.into_iter().next()
}

both_databases! {
    async fn tags_come_to_those_that_were_previewed_and_go_with_a_revert(db: TestDb) {
        let house = House::new(&db).await;
        let owner = house.as_staff(house.staff("olive", Role::Owner).await).await;
        let clients = house.clients(5).await;
        let first = house.start(&owner, add(&["North"]), &clients[..2]).await.expect("starts");
        house.work().await;
        assert_eq!(house.operation(first.id).await.state, BulkState::Done);

        let prepared = house.prepare(&owner, add(&["north", "GOLD "]), &clients).await.expect("plans");
        assert_eq!((prepared.plan.total, prepared.plan.changed, prepared.plan.refused), (5, 5, 0));
        assert_eq!(prepared.plan.changes[0].before["tags"], serde_json::json!(["north"]));
        assert_eq!(prepared.plan.changes[0].after["tags"], serde_json::json!(["gold", "north"]));
        let again = house.prepare(&owner, add(&["gold", "north", "north"]), &clients).await.expect("plans");
        assert_eq!(again.plan.digest, prepared.plan.digest, "the same plan has another digest");
        let other = house.prepare(&owner, add(&["gold"]), &clients).await.expect("plans");
        assert_ne!(other.plan.digest, prepared.plan.digest);

        let started = house.start(&owner, add(&["north", "gold"]), &clients).await.expect("starts");
        assert_eq!((started.state, started.left()), (BulkState::Queued, 5));
        house.work().await;
        let done = house.operation(started.id).await;
        assert_eq!((done.state, done.done, done.refused, done.left()), (BulkState::Done, 5, 0, 0));
        for id in &clients {
            assert_eq!(house.client(*id).await.tags, ["gold", "north"]);
        }
        let tx = db.store.read(house.operator()).await.expect("reads");
        let gold = ClientFilter { tag: Some("gold".into()), ..ClientFilter::default() };
        assert_eq!(tx.clients_matching(&gold, None, 10).await.expect("lists").len(), 5);
        let part = ClientFilter { tag: Some("gol".into()), ..ClientFilter::default() };
        assert!(tx.clients_matching(&part, None, 10).await.expect("lists").is_empty(), "a part of a tag is no tag");
        drop(tx);
        let kept = entries(&house, &done).await;
        assert_eq!(kept.len(), 1);
        assert_eq!((kept[0].action.as_str(), kept[0].reason.as_deref()), ("bulk_tags_add", Some("because")));
        assert_eq!(kept[0].actor, owner.actor, "the entry is not of whoever started it");
        assert_eq!(done.entry_id, Some(kept[0].id));
        revert(&house, kept[0].id).await.expect("reverts");
        for (at, id) in clients.iter().enumerate() {
            let before: &[&str] = if at < 2 { &["north"] } else { &[] };
            assert_eq!(house.client(*id).await.tags, before);
        }
        let tx = db.store.read(house.operator()).await.expect("reads");
        assert_eq!(tx.journal_verify(None).await.expect("verifies").faults, []);
    }

    async fn who_is_so_already_is_unchanged_and_who_moved_is_left_alone(db: TestDb) {
        let house = House::new(&db).await;
        let owner = house.as_staff(house.staff("olive", Role::Owner).await).await;
        let clients = house.clients(4).await;
        let first = house.start(&owner, BulkAction::Archive, &clients[..1]).await.expect("starts");
        house.work().await;
        assert_eq!(house.operation(first.id).await.done, 1);
        let started = house.start(&owner, BulkAction::StatusSet { status: ClientStatus::Inactive }, &clients).await;
        let started = started.expect("starts");
        // Before its turn comes: one is made so by somebody else, one gets another name, one is deleted.
        let tx = db.store.begin(house.operator()).await.expect("begins");
        let so = tx.client(clients[1]).await.expect("finds");
        tx.client_update(&so, domain::Client { status: ClientStatus::Inactive, ..so.clone() }).await.expect("writes");
        let named = tx.client(clients[2]).await.expect("finds");
        tx.client_update(&named, domain::Client { name: "Renamed".into(), ..named.clone() }).await.expect("writes");
        directory::client_delete(&tx, clients[3], None, directory::Deletion::default()).await.expect("deletes");
        tx.commit("client_update", None).await.expect("commits");
        house.work().await;
        let done = house.operation(started.id).await;
        assert_eq!((done.state, done.done, done.refused), (BulkState::Done, 3, 1));
        let refused = house.items(started.id, BulkItemState::Refused).await;
        assert_eq!((refused[0].client_id, refused[0].code.as_deref()), (clients[3], Some("not_found")));
        assert_eq!(house.client(clients[2]).await.status, ClientStatus::Inactive, "a new name is not what was planned");

        let started = house.start(&owner, add(&["gold"]), &clients[..2]).await.expect("starts");
        let tx = db.store.begin(house.operator()).await.expect("begins");
        let moved = tx.client(clients[0]).await.expect("finds");
        tx.client_update(&moved, domain::Client { tags: vec!["other".into()], ..moved.clone() }).await.expect("writes");
        tx.commit("client_update", None).await.expect("commits");
        house.work().await;
        let refused = house.items(started.id, BulkItemState::Refused).await;
        assert_eq!((refused[0].client_id, refused[0].code.as_deref()), (clients[0], Some("moved")));
        assert_eq!(house.client(clients[0]).await.tags, ["other"]);
        assert_eq!(house.client(clients[1]).await.tags, ["gold"]);
        let nothing = house.start(&owner, BulkAction::Archive, &clients[..1]).await;
        assert!(matches!(nothing, Err(Error::Conflict { code: "nothing_to_do", .. })), "{nothing:?}");
        let unknown = house.start(&owner, BulkAction::Archive, &[ClientId(Uuid::from_u128(1))]).await;
        assert!(matches!(&unknown, Err(Error::Invalid(problems)) if problems[0].pointer == "/clients/0"), "{unknown:?}");
    }

    async fn deletion_and_mappings_come_back_together(db: TestDb) {
        let house = House::new(&db).await;
        let owner = house.as_staff(house.staff("olive", Role::Owner).await).await;
        let clients = house.clients(4).await;
        let connection = house.connection().await;
        let plain = house.mapped(connection, "organization", "Kite Org", clients[0]).await;
        let tenant = house.mapped(connection, TENANT, "kite.example", clients[1]).await;
        let portal = house.start(&owner, BulkAction::PortalEnable, &clients[2..3]).await.expect("starts");
        house.work().await;
        assert_eq!(house.operation(portal.id).await.done, 1);

        let prepared = house.prepare(&owner, BulkAction::Delete { cascade: false }, &clients).await.expect("plans");
        let reasons = BTreeMap::from([("clientone_enabled", 1), ("has_tenants", 1)]);
        assert_eq!((prepared.plan.changed, prepared.plan.reasons), (2, reasons));
        let started = house.start(&owner, BulkAction::Delete { cascade: true }, &clients).await.expect("starts");
        house.work().await;
        let done = house.operation(started.id).await;
        assert_eq!((done.state, done.done, done.refused), (BulkState::Done, 3, 1));
        let tx = db.store.read(house.operator()).await.expect("reads");
        for entity in [plain, tenant] {
            assert_eq!(tx.entity(entity).await.expect("finds").mapping_state, MappingState::Unmapped);
        }
        drop(tx);
        revert(&house, done.entry_id.expect("an entry")).await.expect("reverts");
        let tx = db.store.read(house.operator()).await.expect("reads");
        assert_eq!(tx.entity(plain).await.expect("finds").client_id, Some(clients[0]));
        assert_eq!(tx.entity(tenant).await.expect("finds").client_id, Some(clients[1]));
        drop(tx);
        for id in &clients {
            assert_eq!(house.client(*id).await.deleted_at, None);
        }

        let started = house.start(&owner, BulkAction::Unmap { connection_id: connection }, &clients).await.expect("starts");
        house.work().await;
        let done = house.operation(started.id).await;
        assert_eq!((done.done, done.unchanged), (2, 2));
        let tx = db.store.read(house.operator()).await.expect("reads");
        assert_eq!(tx.entity(plain).await.expect("finds").client_id, None);
        drop(tx);
        revert(&house, done.entry_id.expect("an entry")).await.expect("reverts");
        let tx = db.store.read(house.operator()).await.expect("reads");
        assert_eq!(tx.entity(plain).await.expect("finds").client_id, Some(clients[0]));
        drop(tx);
        // The portal was enabled by an entry, and is not any more when that is reverted.
        let enabled = house.operation(portal.id).await.entry_id.expect("an entry");
        revert(&house, enabled).await.expect("reverts");
        let tx = db.store.read(house.operator()).await.expect("reads");
        assert!(!tx.portal_config(clients[2]).await.expect("reads").enabled);
    }

    async fn a_sync_is_asked_for_once_for_each_connection(db: TestDb) {
        let house = House::new(&db).await;
        let owner = house.as_staff(house.staff("olive", Role::Owner).await).await;
        let clients = house.clients(3).await;
        let connection = house.connection().await;
        house.mapped(connection, "organization", "One", clients[0]).await;
        house.mapped(connection, "organization", "Two", clients[1]).await;
        let started = house.start(&owner, BulkAction::SyncStart, &clients).await.expect("starts");
        let job = claim(&house).await.expect("a job");
        let ended = house.chore().work(&job, &CancellationToken::new()).await;
        assert!(matches!(ended, Ended::Finish(JobOutcome::Done)), "{ended:?}");
        let done = house.operation(started.id).await;
        assert_eq!((done.done, done.refused), (2, 1));
        assert_eq!(house.items(started.id, BulkItemState::Refused).await[0].code.as_deref(), Some("not_mapped"));
        let tx = db.store.read(house.operator()).await.expect("reads");
        assert!(tx.job_pending(&sync::sync_key(connection)).await.expect("reads").is_some());
        assert!(entries(&house, &done).await.is_empty(), "nothing of ours changed");
    }

    async fn a_worker_that_dies_at_any_instant_neither_loses_nor_repeats(db: TestDb) {
        let house = House::new(&db).await;
        let owner = house.as_staff(house.staff("olive", Role::Owner).await).await;
        let clients = house.clients(330).await;
        let started = house.start(&owner, BulkAction::Delete { cascade: false }, &clients).await.expect("starts");
        let mut cuts = 0;
        for nth in 0..10_u64 {
            let Some(job) = claim(&house).await else { break };
            let chore = house.chore();
            let stop = CancellationToken::new();
            let work = chore.work(&job, &stop);
            // Dropped in the middle of whatever it does: what the death of a process leaves behind.
            if timeout(Duration::from_millis(3 + nth * 11), work).await.is_err() {
                cuts += 1;
            }
            db.clock.advance(31);
        }
        house.work().await;
        let done = house.operation(started.id).await;
        assert_eq!((done.state, done.done, done.refused), (BulkState::Done, 330, 0), "after {cuts} deaths");
        let kept = entries(&house, &done).await;
        assert_eq!(kept.len(), 4, "chunks of 100, each with one entry");
        let changed: Vec<Uuid> = kept.iter().flat_map(|entry| &entry.changes).map(|change| change.id).collect();
        assert_eq!(changed.len(), 330, "a client was changed twice");
        assert_eq!(changed.into_iter().collect::<BTreeSet<_>>(), clients.iter().map(|id| id.0).collect());
        let tx = db.store.read(house.operator()).await.expect("reads");
        assert_eq!(tx.client_totals().await.expect("counts").total(), 0);
        assert_eq!(tx.journal_verify(None).await.expect("verifies").faults, []);
        drop(tx);
        // Whichever of its entries is named, all of it comes back.
        revert(&house, kept[2].id).await.expect("reverts");
        let tx = db.store.read(house.operator()).await.expect("reads");
        assert_eq!(tx.client_totals().await.expect("counts").total(), 330);
    }

    async fn a_frozen_worker_writes_nothing_once_another_has_the_job(db: TestDb) {
        let house = House::new(&db).await;
        let owner = house.as_staff(house.staff("olive", Role::Owner).await).await;
        let clients = house.clients(3).await;
        let started = house.start(&owner, add(&["gold"]), &clients).await.expect("starts");
        let frozen = claim(&house).await.expect("a job");
        db.clock.advance(31);
        let taken = claim(&house).await.expect("the same job");
        assert_eq!(frozen.id, taken.id);
        let ended = house.chore().work(&frozen, &CancellationToken::new()).await;
        assert!(matches!(ended, Ended::Lost), "{ended:?}");
        assert_eq!(house.operation(started.id).await.done, 0);
        let ended = house.chore().work(&taken, &CancellationToken::new()).await;
        assert!(matches!(ended, Ended::Finish(JobOutcome::Done)), "{ended:?}");
        assert_eq!(house.operation(started.id).await.done, 3);
    }

    async fn what_was_cancelled_goes_no_further_and_can_be_taken_back(db: TestDb) {
        let house = House::new(&db).await;
        let owner = house.as_staff(house.staff("olive", Role::Owner).await).await;
        let clients = house.clients(3).await;
        let cancel = async |id| {
            let tx = db.store.begin(owner.clone()).await.expect("begins");
            let cancelled = bulk_cancel(&tx, id).await?;
            tx.commit("bulk_cancel", None).await.map(|_| cancelled)
        };
        let started = house.start(&owner, add(&["gold"]), &clients).await.expect("starts");
        assert_eq!(cancel(started.id).await.expect("cancels").state, BulkState::Cancelled);
        house.work().await;
        let over = house.operation(started.id).await;
        assert_eq!((over.state, over.done, over.left()), (BulkState::Cancelled, 0, 3));
        assert!(house.client(clients[0]).await.tags.is_empty());
        assert_eq!(cancel(started.id).await.expect("once more").state, BulkState::Cancelled);

        // While it is at work, its entries cannot be reverted behind it.
        let started = house.start(&owner, add(&["gold"]), &clients).await.expect("starts");
        let tx = db.store.begin(house.operator()).await.expect("begins").in_change_set(started.id);
        let one = tx.client(clients[0]).await.expect("finds");
        tx.client_update(&one, domain::Client { tags: vec!["gold".into()], ..one.clone() }).await.expect("writes");
        let entry = tx.commit("bulk_tags_add", None).await.expect("commits").entry.expect("an entry");
        let early = revert(&house, entry).await;
        assert!(matches!(early, Err(Error::Conflict { code: "still_running", .. })), "{early:?}");
        cancel(started.id).await.expect("cancels");
        revert(&house, entry).await.expect("reverts");
        assert!(house.client(clients[0]).await.tags.is_empty());
    }

    async fn it_runs_under_the_rights_that_its_starter_has_then(db: TestDb) {
        let house = House::new(&db).await;
        let id = house.staff("ada", Role::Admin).await;
        let ada = house.as_staff(id).await;
        let clients = house.clients(3).await;
        let narrowed = house.start(&ada, add(&["gold"]), &clients).await.expect("starts");
        house.alter(id, |row| row.allow_clients = Some([clients[0], clients[1]].into())).await;
        house.work().await;
        let done = house.operation(narrowed.id).await;
        assert_eq!((done.state, done.done, done.refused), (BulkState::Done, 2, 1));
        assert!(house.client(clients[2]).await.tags.is_empty(), "a client out of scope was changed");
        // What is out of their sight now does not show in the list of their own operation either.
        let tx = db.store.read(house.as_staff(id).await).await.expect("reads");
        let seen = bulk::bulk_item_list(&tx, narrowed.id, None, &PAGE).await.expect("lists");
        assert_eq!((seen.total, seen.items.len()), (2, 2));
        drop(tx);
        house.alter(id, |row| row.allow_clients = None).await;

        let demoted = house.start(&ada, BulkAction::Archive, &clients).await.expect("starts");
        house.alter(id, |row| row.role = Role::Engineer).await;
        house.work().await;
        let over = house.operation(demoted.id).await;
        assert_eq!((over.state, over.done), (BulkState::Failed, 0), "{:?}", over.message);
        house.alter(id, |row| row.role = Role::Admin).await;
        let suspended = house.start(&ada, BulkAction::Archive, &clients).await.expect("starts");
        house.alter(id, |row| row.suspended_at = Some(row.created_at)).await;
        house.work().await;
        assert_eq!(house.operation(suspended.id).await.state, BulkState::Failed);
        assert_eq!(house.client(clients[0]).await.archived_at, None);
    }

    async fn a_caller_reaches_only_what_is_theirs(db: TestDb) {
        let house = House::new(&db).await;
        let clients = house.clients(3).await;
        let owner = house.as_staff(house.staff("olive", Role::Owner).await).await;
        let scoped = house.staff("sam", Role::Engineer).await;
        house.alter(scoped, |row| row.allow_clients = Some([clients[0]].into())).await;
        let sam = house.as_staff(scoped).await;
        let started = house.start(&owner, add(&["gold"]), &clients).await.expect("starts");
        let tx = db.store.read(sam.clone()).await.expect("reads");
        let hidden = bulk_get(&tx, started.id).await;
        assert!(matches!(hidden, Err(Error::NotFound { what: "bulk operation" })), "{hidden:?}");
        assert_eq!(bulk::bulk_list(&tx, None, &PAGE).await.expect("lists").total, 0);
        // A filter finds the clients of their scope, and an id out of it is no client.
        let all = Selection::Filter(Box::default());
        assert_eq!(bulk_prepare(&tx, &[], add(&["mine"]), &all).await.expect("plans").plan.total, 1);
        let other = bulk_prepare(&tx, &[], add(&["mine"]), &Selection::Clients(vec![clients[1]])).await;
        assert!(matches!(other, Err(Error::Invalid(_))), "{other:?}");
        let may_not = bulk_prepare(&tx, &[], BulkAction::Archive, &all).await;
        assert!(matches!(may_not, Err(Error::Forbidden { .. })), "{may_not:?}");
        let elsewhere = House::new(&db).await;
        let tx = db.store.read(elsewhere.operator()).await.expect("reads");
        assert!(matches!(bulk_get(&tx, started.id).await, Err(Error::NotFound { .. })));
        assert!(bulk_prepare(&tx, &[], add(&["x"]), &Selection::Clients(clients.clone())).await.is_err());
    }
}

//! Tenants that their own administrator lets in, and tenants that are left alone.

use std::sync::Arc;

use domain::{EntityId, Error, TenantSetting};
use integration::{AdmissionAsk, RecordKind, Request, Transport};
use persistence::Listing;
use sync::entity_admit;
use testkit::both_databases;
use vendorkit::WorldSize;

use crate::stage::{ENTRIES, MICROSOFT365, NINJAONE, Stage, stage};

const FEW: WorldSize = WorldSize { businesses: 12, devices: 0, people: 60 };

/// A tenant that the partner does not list: its id, and a domain.
fn unlisted(stage: &Stage) -> (String, String) {
    stage.simulated.change(|world| {
        let key = world.known_to(MICROSOFT365).next().expect("there is one").key;
        assert!(world.forget(MICROSOFT365, key));
        let business = world.business(key).expect("is there");
        (business.tenant_id.to_string(), business.domain.clone())
    })
}

/// Its administrator opens the page and consents.
async fn consent(stage: &Stage, tenant: &str) {
    let ask = AdmissionAsk { entity: tenant, redirect_uri: "https://panelone.example/back", state: "s" };
    let page = stage.engine.admission_page(&stage.context(), stage.connection, &ask).await.expect("a page");
    let answer = stage.simulated.send(Request::get(page.parse().expect("an address"))).await.expect("answers");
    assert!(answer.header("location").is_some_and(|back| back.contains("admin_consent=True")), "{answer:?}");
}

/// What is said of a tenant, from now on.
async fn say(stage: &Stage, tenant: &str, change: impl FnOnce(&mut TenantSetting)) {
    let tx = stage.db.store.begin(stage.context()).await.expect("begins");
    let before = tx.tenant_setting(tenant).await.expect("reads");
    let mut after = before.clone().unwrap_or_else(|| TenantSetting {
        id: tx.new_id(),
        tenant: tenant.to_owned(),
        client_id: None,
        display_name: None,
        tags: Vec::new(),
        disconnected_at: None,
        admitted_by: None,
        updated_at: tx.now(),
        version: 1,
    });
    change(&mut after);
    tx.tenant_setting_save(before.as_ref(), after).await.expect("saves");
    tx.commit("tenant_update", None).await.expect("commits");
}

/// Reads a tenant and keeps it, as the end of connecting it does.
async fn admit(stage: &Stage, tenant: &str) -> (EntityId, bool) {
    let admitted = stage.engine.admission_look(&stage.context(), stage.connection, tenant).await.expect("reads");
    let tx = stage.db.store.begin(stage.context()).await.expect("begins");
    let let_in = entity_admit(&tx, ENTRIES, &admitted).await.expect("keeps");
    tx.commit_unjournalled().await.expect("commits");
    if !let_in.listed {
        say(stage, tenant, |setting| setting.admitted_by = Some(stage.connection)).await;
    }
    (let_in.entity, let_in.listed)
}

async fn listings_of(stage: &Stage, tenant: &str) -> Vec<Listing> {
    let tx = stage.db.store.read(stage.context()).await.expect("reads");
    tx.listings(&[stage.connection]).await.expect("lists").into_iter().filter(|row| row.entity == tenant).collect()
}

async fn listed(stage: &Stage, tenant: &str) -> Option<EntityId> {
    let tx = stage.db.store.read(stage.context()).await.expect("reads");
    let all = tx.entities_listed(stage.connection).await.expect("lists");
    all.into_iter().find(|(vendor_id, _)| vendor_id == tenant).map(|(_, id)| id)
}

/// Users of a tenant that are stored.
async fn users(stage: &Stage, entity: EntityId) -> usize {
    let tx = stage.db.store.read(stage.context()).await.expect("reads");
    tx.records_under(&[entity], RecordKind::DirectoryUser.as_str()).await.expect("lists").len()
}

both_databases! {
    async fn a_tenant_that_no_listing_has_is_let_in_read_and_stays(db: TestDb) {
        let stage = stage(db, MICROSOFT365, FEW).await;
        let (tenant, domain) = unlisted(&stage);
        stage.work().await;
        assert_eq!(listed(&stage, &tenant).await, None);
        let context = stage.context();
        let found = stage.engine.admission_find(&context, stage.connection, &domain).await.expect("finds");
        assert_eq!(found, tenant);
        let refused = stage.engine.admission_look(&context, stage.connection, &tenant).await;
        assert!(matches!(refused, Err(Error::Conflict { code: "consent_missing", .. })), "nobody consented");

        consent(&stage, &tenant).await;
        let (entity, was_listed) = admit(&stage, &tenant).await;
        assert!(!was_listed);
        assert_eq!(admit(&stage, &tenant).await, (entity, true), "a second time nothing is written");
        stage.sync().await;
        assert!(users(&stage, entity).await > 0);
        // Listing after listing lacks it, and it is still there; others that go are gone.
        let gone = stage.simulated.change(|world| {
            let key = world.known_to(MICROSOFT365).last().expect("there is one").key;
            assert!(world.forget(MICROSOFT365, key));
            world.business(key).expect("is there").tenant_id.to_string()
        });
        for _ in 0..3 {
            stage.sync().await;
        }
        assert_eq!(listed(&stage, &tenant).await, Some(entity));
        assert_eq!(listed(&stage, &gone).await, None);
        let run = stage.run(RecordKind::Entity).await;
        assert!(run.code.is_none(), "{run:?}");
    }

    async fn a_tenant_that_is_left_alone_is_not_asked_about_and_keeps_what_it_has(db: TestDb) {
        let stage = stage(db, MICROSOFT365, FEW).await;
        stage.work().await;
        let rows = stage.rows().await;
        let user = rows.iter().find(|row| row.kind == RecordKind::DirectoryUser.as_str()).expect("a user");
        let entity = user.entity_id;
        let tx = stage.db.store.read(stage.context()).await.expect("reads");
        let tenant = tx.entity(entity).await.expect("is there").vendor_id;
        drop(tx);
        let before = (users(&stage, entity).await, listings_of(&stage, &tenant).await);
        let now = stage.db.now();
        say(&stage, &tenant, |setting| setting.disconnected_at = Some(now)).await;
        stage.advance(24 * 3_600);
        stage.simulated.clear_log();
        stage.sync().await;
        let asked = stage.simulated.log();
        assert!(!asked.is_empty() && asked.iter().all(|(_, path)| !path.contains(&tenant)), "it was asked about: {asked:?}");
        let after = listings_of(&stage, &tenant).await;
        assert_eq!(users(&stage, entity).await, before.0, "what it had is gone");
        for row in &before.1 {
            let same = after.iter().find(|other| other.kind == row.kind).expect("is still there");
            assert_eq!(same.complete_at, row.complete_at, "the date of {} moved", row.kind);
        }
        assert_eq!(listed(&stage, &tenant).await, Some(entity));

        say(&stage, &tenant, |setting| setting.disconnected_at = None).await;
        stage.simulated.clear_log();
        stage.sync().await;
        assert!(stage.simulated.log().iter().any(|(_, path)| path.contains(&tenant)));
        let again = listings_of(&stage, &tenant).await;
        let of_users = |rows: &[Listing]| rows.iter().find(|row| row.kind == "directory_user").and_then(|row| row.complete_at);
        assert!(of_users(&again) > of_users(&before.1));
        stage.assert_true().await;
    }

    async fn only_what_an_administrator_can_let_in_is_asked(db: TestDb) {
        let stage = stage(db, NINJAONE, FEW).await;
        let context = stage.context();
        let refused = stage.engine.admission_find(&context, stage.connection, "contoso.example").await;
        assert!(matches!(refused, Err(Error::Conflict { code: "no_admission", .. })));
        assert!(stage.simulated.log().is_empty());
        // The interface is the engine's own: nothing of it names a vendor.
        let admits: Vec<&str> = ENTRIES.iter().filter(|entry| entry.admits()).map(|entry| entry.id).collect();
        assert_eq!(admits, [MICROSOFT365]);
        let wire: Arc<dyn Transport> = stage.simulated.clone();
        let connector = stage.vendor.connect(&stage.credentials, wire).expect("connects");
        assert!(connector.admission().is_none());
    }
}

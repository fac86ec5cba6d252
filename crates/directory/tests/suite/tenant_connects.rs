//! Connecting tenants step by step, leaving them alone, tags of many, and where merged clients went.

use directory::{
    Merge, NewTenantConnect, client_merge, customer_tenant_associate, tenant_connect_cancel, tenant_connect_done,
    tenant_connect_fail, tenant_connect_link, tenant_connect_link_of, tenant_connect_start, tenant_disconnect,
    tenant_get, tenant_reconnect, tenants_connections, tenants_tag,
};
use domain::{
    ClientId, ClientScope, EntityId, Error, Health, OrganisationId, PageRequest, Result, RunId, TenantConnect,
    TenantConnectId, TenantConnectState,
};
use persistence::{Listing, RecordWrite, TenantConnectFilter};
use testkit::{TestDb, both_databases};
use uuid::Uuid;

use crate::house::{House, Source, conflict, problems};

const GUID: &str = "11111111-aaaa-4aaa-8aaa-111111111111";
const OTHER: &str = "22222222-aaaa-4aaa-8aaa-222222222222";

fn can(integration: &str, capability: &str) -> bool {
    integration == "microsoft365" && capability != "company_writes"
}

/// A tenant with this id of Microsoft's, listed by a connection.
async fn tenant(house: &House<'_>, source: Source, guid: &str, name: &str) -> EntityId {
    let tx = house.begin().await;
    let id: EntityId = tx.new_id();
    let write = RecordWrite {
        id: id.0.into(),
        connection_id: source.id,
        entity_id: id,
        kind: source.kind.to_owned(),
        vendor_id: guid.to_owned(),
        title: name.to_owned(),
        body: "{}".to_owned(),
        raw: b"{}".to_vec(),
        raw_hash: *id.0.as_bytes(),
        content_hash: *id.0.as_bytes(),
        run_id: RunId(Uuid::nil()),
    };
    tx.entities_write(source.integration, source.kind, &[write]).await.expect("writes");
    tx.commit_unjournalled().await.expect("commits");
    id
}

fn new(client: ClientId, source: Source, guid: &str) -> NewTenantConnect {
    NewTenantConnect { client, connection: source.id, tenant: guid.to_owned(), domain: Some("kite.example".into()) }
}

async fn begun(house: &House<'_>, client: ClientId, source: Source, guid: &str) -> TenantConnect {
    let tx = house.begin().await;
    let one = tenant_connect_start(&tx, new(client, source, guid)).await.expect("begins");
    tx.commit("tenant_connect_start", None).await.expect("commits");
    one
}

async fn link(house: &House<'_>, id: TenantConnectId) -> String {
    let tx = house.begin().await;
    let (_, state) = tenant_connect_link(&tx, house.db.store.chance().as_ref(), id).await.expect("makes a link");
    tx.commit("tenant_connect_link", None).await.expect("commits");
    state
}

/// Takes a link as the page does that an administrator comes back to.
async fn take(db: &TestDb, state: &str) -> Option<TenantConnect> {
    let (organisation, hash) = tenant_connect_link_of(state)?;
    let tx = db.store.begin(db.context(organisation)).await.expect("begins");
    let taken = tx.tenant_connect_take(&hash).await.expect("takes");
    tx.commit_unjournalled().await.expect("commits");
    taken
}

async fn done(house: &House<'_>, id: TenantConnectId, entity: EntityId, listed: bool) -> Result<TenantConnect> {
    let tx = house.begin().await;
    let one = tenant_connect_done(&tx, id, (entity, listed), |_| true).await?;
    tx.commit("tenant_connect_confirm", None).await?;
    Ok(one)
}

async fn owner_of(house: &House<'_>, entity: EntityId) -> Option<ClientId> {
    house.about(entity).await.client_id
}

both_databases! {
    async fn a_tenant_is_connected_once_and_its_link_works_once(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.microsoft().await;
        let kite = house.client("Kite").await;
        let one = begun(&house, kite, source, GUID).await;
        assert_eq!((one.state, one.links, one.domain.as_deref()), (TenantConnectState::Waiting, 0, Some("kite.example")));
        assert_eq!(one.expires_at - one.created_at, domain::TENANT_CONNECT_LASTS);
        let (first, second) = (link(&house, one.id).await, link(&house, one.id).await);
        assert_ne!(first, second);
        assert_eq!(tenant_connect_link_of(&second).map(|(of, _)| of), Some(house.organisation));
        assert!(take(&db, &first).await.is_none(), "a link that was replaced works");
        // Of another organisation it is another link.
        let foreign = db.organisation("Other").await;
        let mut bytes = foreign.0.as_bytes().to_vec();
        bytes.extend([7; 32]);
        assert!(take(&db, &base64_of(&bytes)).await.is_none());
        assert!(take(&db, "not a link").await.is_none());
        let taken = take(&db, &second).await.expect("works once");
        assert_eq!((taken.id, taken.links), (one.id, 2));
        assert!(take(&db, &second).await.is_none(), "a link works twice");

        let entity = tenant(&house, source, GUID, "Kite Tenant").await;
        let connected = done(&house, one.id, entity, false).await.expect("connects");
        assert_eq!((connected.state, connected.connected_at), (TenantConnectState::Connected, Some(db.now())));
        assert_eq!(owner_of(&house, entity).await, Some(kite));
        let setting = house.read().await.tenant_setting(GUID).await.expect("reads").expect("is noted");
        assert_eq!((setting.admitted_by, setting.disconnected_at), (Some(source.id), None));
        assert_eq!(conflict(done(&house, one.id, entity, false).await).0, "tenant_connected");
        let known = house.read().await.entities_known(source.id).await.expect("reads");
        assert!(known.is_empty(), "what no listing has is missed by none");
        house.entries().await;
    }

    async fn what_somebody_else_has_is_refused_by_name_and_other_organisations_are_not_asked(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.microsoft().await;
        let (kite, lark) = (house.client("Kite").await, house.client("Lark").await);
        let entity = tenant(&house, source, &GUID.to_uppercase(), "The Tenant").await;
        let tx = house.begin().await;
        customer_tenant_associate(&tx, lark, entity, |_| true).await.expect("associates");
        tx.commit("customer_tenant_associate", None).await.expect("commits");
        let refused = conflict(tenant_connect_start(&house.begin().await, new(kite, source, GUID)).await);
        assert!(refused.0 == "taken" && refused.1.contains("“Lark”") && refused.1.contains("“The Tenant”"), "{refused:?}");
        // Its own customer may connect it anew, to mend its consent.
        let again = begun(&house, lark, source, GUID).await;
        let refused = conflict(tenant_connect_start(&house.begin().await, new(lark, source, GUID)).await);
        assert!(refused.0 == "connect_open" && refused.1.contains(&again.id.to_string()), "{refused:?}");
        // Another organisation connects the same tenant, and hears nothing of the first.
        let elsewhere = House::new(&db).await;
        let (theirs, customer) = (elsewhere.microsoft().await, elsewhere.client("Theirs").await);
        begun(&elsewhere, customer, theirs, GUID).await;
        let foreign = tenant_connect_start(&elsewhere.begin().await, new(kite, theirs, OTHER)).await;
        assert_eq!(problems(foreign), [("/customer_id".to_owned(), "not_found")]);
        assert!(matches!(elsewhere.read().await.tenant_connect(again.id).await, Err(Error::NotFound { .. })));
        // Taken by somebody while it was waited for: the customer is named then.
        let waiting = begun(&house, kite, source, OTHER).await;
        let second = tenant(&house, source, OTHER, "Second").await;
        house.map(&[second], lark).await;
        let refused = conflict(done(&house, waiting.id, second, true).await);
        assert!(refused.0 == "taken" && refused.1.contains("Lark"), "{refused:?}");
    }

    async fn it_can_be_left_and_gone_on_with_for_seven_days_and_given_up(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.microsoft().await;
        let kite = house.client("Kite").await;
        let one = begun(&house, kite, source, GUID).await;
        let state = link(&house, one.id).await;
        let tx = house.begin().await;
        tenant_connect_fail(&tx, one.id, &format!("access_denied: no\n{}", "x".repeat(900))).await.expect("notes");
        tx.commit("tenant_connect_consent", None).await.expect("commits");
        db.clock.advance(6 * 86_400);
        let page = PageRequest { limit: 100, after: None };
        let open = TenantConnectFilter { client: Some(kite), open: true };
        let listed = house.read().await.tenant_connect_list(open, &page).await.expect("lists");
        let reason = listed.items[0].state_reason.clone().unwrap_or_default();
        assert!(reason.starts_with("access_denied: no x") && reason.chars().count() == 500, "{reason}");
        db.clock.advance(86_400);
        assert_eq!(house.read().await.tenant_connect_list(open, &page).await.expect("lists").total, 0);
        assert!(take(&db, &state).await.is_some_and(|late| !late.is_open(db.now())));
        let entity = tenant(&house, source, GUID, "Kite Tenant").await;
        assert_eq!(conflict(done(&house, one.id, entity, true).await).0, "connect_ended");
        // Begun anew, it is another; and what is given up is over.
        let two = begun(&house, kite, source, GUID).await;
        let state = link(&house, two.id).await;
        let tx = house.begin().await;
        tenant_connect_cancel(&tx, two.id).await.expect("cancels");
        let cancelled = tx.commit("tenant_connect_cancel", None).await.expect("commits");
        assert!(take(&db, &state).await.is_none(), "the link of what was given up works");
        assert_eq!(conflict(done(&house, two.id, entity, true).await).0, "connect_cancelled");
        assert_eq!(owner_of(&house, entity).await, None);
        // That can be taken back, as any entry.
        house.revert(cancelled.entry, &[]).await.expect("reverts");
        done(&house, two.id, entity, true).await.expect("connects");
        assert_eq!(owner_of(&house, entity).await, Some(kite));
        let setting = house.read().await.tenant_setting(GUID).await.expect("reads");
        assert!(setting.is_none_or(|setting| setting.admitted_by.is_none()), "a listing has it");
        // Pages follow one another, the newest first.
        let all = TenantConnectFilter::default();
        let first = house.read().await.tenant_connect_list(all, &PageRequest { limit: 1, after: None }).await.expect("lists");
        assert_eq!((first.total, first.items[0].id), (2, two.id));
        let rest = PageRequest { limit: 1, after: first.next };
        let second = house.read().await.tenant_connect_list(all, &rest).await.expect("lists");
        assert_eq!((second.items[0].id, second.next.is_none()), (one.id, true));
        let scoped = house.scoped(ClientScope::AllBut([kite].into())).await;
        assert_eq!(scoped.tenant_connect_list(all, &page).await.expect("lists").total, 0);
    }

    async fn a_customer_merged_meanwhile_hands_its_tenant_on(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.microsoft().await;
        let (kite, lark, wren) = (house.client("Kite").await, house.client("Lark").await, house.client("Wren").await);
        let one = begun(&house, kite, source, GUID).await;
        // What the first merge takes over, the second one changes again.
        let tx = house.begin().await;
        let patch = domain::ClientPatch { phone: Some(Some("1".into())), ..Default::default() };
        directory::client_update(&tx, kite, patch, None).await.expect("updates");
        tx.commit("client_update", None).await.expect("commits");
        let merge = async |from: ClientId, into: ClientId| {
            let tx = house.begin().await;
            client_merge(&tx, &Merge { from, into, take: Vec::new() }, None).await.expect("merges");
            tx.commit("client_merge", None).await.expect("commits")
        };
        let first = merge(kite, lark).await;
        merge(lark, wren).await;
        let survivor = async |scope: ClientScope, gone: ClientId| house.scoped(scope).await.client_survivor(gone).await.expect("looks");
        assert_eq!(survivor(ClientScope::All, kite).await, Some(wren), "however often it was merged on");
        assert_eq!(survivor(ClientScope::All, lark).await, Some(wren));
        assert_eq!(survivor(ClientScope::All, wren).await, None);
        for scope in [ClientScope::Only([kite].into()), ClientScope::Only([wren].into()), ClientScope::AllBut([wren].into())] {
            assert_eq!(survivor(scope.clone(), kite).await, None, "{scope:?} is told of what it does not see");
        }
        let entity = tenant(&house, source, GUID, "Kite Tenant").await;
        done(&house, one.id, entity, true).await.expect("connects");
        assert_eq!(owner_of(&house, entity).await, Some(wren));
        // Un-merged, each leads to itself again, and an edit made since is named.
        let tx = house.begin().await;
        let patch = domain::ClientPatch { phone: Some(Some("7".into())), ..Default::default() };
        let before = tx.client(wren).await.expect("finds");
        assert_eq!(before.name, "Wren");
        directory::client_update(&tx, wren, patch, None).await.expect("updates");
        tx.commit("client_update", None).await.expect("commits");
        let refused = problems(house.revert(first.entry, &[]).await);
        assert!(refused.iter().any(|(id, code)| *code == "changed_since" && *id == lark.to_string()), "{refused:?}");
    }

    async fn a_tenant_left_alone_keeps_everything_but_its_freshness(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.microsoft().await;
        let kite = house.client("Kite").await;
        let entity = tenant(&house, source, GUID, "Kite Tenant").await;
        house.map(&[entity], kite).await;
        let tx = house.begin().await;
        for kind in ["directory_user", "licence", "secure_score"] {
            let listing = Listing {
                connection_id: source.id,
                kind: kind.to_owned(),
                entity: GUID.to_owned(),
                mark: None,
                full_at: Some(tx.now()),
                complete_at: Some(tx.now()),
                code: None,
                message: None,
            };
            tx.listing_write(&listing).await.expect("writes");
        }
        tx.commit_unjournalled().await.expect("commits");
        let fresh = tenant_get(&house.read().await, entity, &can).await.expect("finds");
        assert_eq!((fresh.stale, fresh.users, fresh.synced_at), (false, Some(0), Some(db.now())));
        let tx = house.begin().await;
        let rested = tenant_disconnect(&tx, entity, &can).await.expect("disconnects");
        let set = tx.commit("tenant_disconnect", None).await.expect("commits");
        assert_eq!(set.changes.len(), 1);
        assert_eq!((rested.disconnected_at(), rested.stale, rested.health), (Some(db.now()), true, Health::Unknown));
        assert_eq!((rested.id, rested.users, rested.synced_at), (fresh.id, fresh.users, fresh.synced_at), "its figures stay");
        assert_eq!(rested.client, fresh.client);
        assert!(house.read().await.tenants_disconnected().await.expect("reads").contains(GUID));
        db.clock.advance(3_600);
        let tx = house.begin().await;
        tenant_disconnect(&tx, entity, &can).await.expect("is disconnected");
        assert!(tx.changes().is_empty(), "twice is once");
        drop(tx);
        let refused = problems(tenants_connections(&house.read().await, &[entity]).await);
        assert_eq!(refused, [("/tenant_ids/0".to_owned(), "disconnected")]);
        let tx = house.begin().await;
        let again = tenant_reconnect(&tx, entity, &can).await.expect("reconnects");
        tx.commit("tenant_reconnect", None).await.expect("commits");
        assert_eq!((again.id, &again.client, again.disconnected_at()), (fresh.id, &fresh.client, None));
        let asked = tenants_connections(&house.read().await, &[entity]).await.expect("finds");
        assert_eq!(Vec::from_iter(asked), [source.id]);
        house.revert(set.entry, &[set.changes[0].id]).await.expect("reverts");
        house.entries().await;
    }

    async fn tags_of_many_are_one_change_set_and_no_mistake_is_half_done(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.microsoft().await;
        let (one, two) = (tenant(&house, source, GUID, "One").await, tenant(&house, source, OTHER, "Two").await);
        let tags = |list: &[&str]| list.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
        let tag = async |ids: &[EntityId], add: &[&str], remove: &[&str]| {
            let tx = house.begin().await;
            let tagged = tenants_tag(&tx, ids, &tags(add), &tags(remove)).await?;
            let set = tx.commit("tenants_tag", None).await?;
            Ok::<_, Error>((tagged.tenants, tagged.changed, set.changes.len()))
        };
        assert_eq!(tag(&[one, two, one], &["Gold", "EU"], &[]).await.expect("tags"), (2, 2, 2));
        assert_eq!(tag(&[one, two], &["gold"], &["nothing"]).await.expect("tags"), (2, 0, 0), "they have it");
        assert_eq!(tag(&[two], &["Trial"], &["GOLD"]).await.expect("tags"), (1, 1, 1));
        let said = async |guid: &str| {
            house.read().await.tenant_setting(guid).await.expect("reads").map(|setting| setting.tags).unwrap_or_default()
        };
        assert_eq!((said(GUID).await, said(OTHER).await), (tags(&["EU", "Gold"]), tags(&["EU", "Trial"])));
        let many: Vec<String> = (0..19).map(|n| format!("tag {n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let before = (said(GUID).await, said(OTHER).await);
        let codes = |refused: Result<(usize, usize, usize)>| problems(refused);
        assert_eq!(codes(tag(&[one, two], &many, &[]).await), [("/tenant_ids/0".to_owned(), "too_many"), ("/tenant_ids/1".to_owned(), "too_many")]);
        assert_eq!(codes(tag(&[one, EntityId(Uuid::nil())], &["x"], &[]).await), [("/tenant_ids/1".to_owned(), "not_found")]);
        assert_eq!(codes(tag(&[one], &["x"], &["X "]).await), [("/remove".to_owned(), "contradiction")]);
        assert_eq!(codes(tag(&[one], &[], &[]).await), [("/add".to_owned(), "required")]);
        assert_eq!(codes(tag(&[one], &["  "], &[]).await), [("/add/0".to_owned(), "not_a_tag")]);
        assert_eq!(codes(tag(&[], &["x"], &[]).await), [("/tenant_ids".to_owned(), "out_of_range")]);
        assert_eq!((said(GUID).await, said(OTHER).await), before);
        // Who does not see a tenant cannot tag it.
        let kite = house.client("Kite").await;
        house.map(&[one], kite).await;
        let limited = house.scoped(ClientScope::Only([kite].into())).await;
        let refused = tenants_tag(&limited, &[one, two], &tags(&["x"]), &[]).await;
        assert_eq!(problems(refused), [("/tenant_ids/1".to_owned(), "not_found")]);
    }
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(bytes)
}

#[test]
fn a_link_names_its_organisation_and_nothing_else_is_one() {
    let organisation = OrganisationId(Uuid::from_u128(7));
    let mut bytes = organisation.0.as_bytes().to_vec();
    bytes.extend([1; 32]);
    let (of, hash) = tenant_connect_link_of(&base64_of(&bytes)).expect("a link");
    assert_eq!((of, hash.len()), (organisation, 32));
    for other in [&bytes[..47], &[&bytes[..], &[0][..]].concat()] {
        assert!(tenant_connect_link_of(&base64_of(other)).is_none());
    }
    assert!(tenant_connect_link_of("=").is_none());
}

//! Customers and their tenants: what the list shows, whose a tenant is, and who sees it.

use directory::{
    Customer, Tenant, TenantFilter, TenantPatch, TenantSort, customer_delete, customer_get, customer_tenant_associate,
    customer_tenant_dissociate, customers_of, tenant_get, tenant_list, tenant_update,
};
use domain::{ClientId, ClientScope, EntityId, Error, Health, PageRequest, Result, RunId, SortOrder};
use persistence::{ClientFilter, ClientSort, Listing, RecordWrite, Tx};
use testkit::both_databases;
use uuid::Uuid;

use crate::house::{House, PAGE, Source, conflict, problems};

const GUID: &str = "11111111-aaaa-4aaa-8aaa-111111111111";

/// What the connectors of the tests can do.
fn can(integration: &str, capability: &str) -> bool {
    match capability {
        "company_writes" => integration == "ninjaone",
        _ => integration == "microsoft365",
    }
}

fn write(
    source: Source,
    entity: EntityId,
    id: Uuid,
    kind: &str,
    (vendor_id, name, body): (&str, &str, &str),
) -> RecordWrite {
    RecordWrite {
        id: id.into(),
        connection_id: source.id,
        entity_id: entity,
        kind: kind.to_owned(),
        vendor_id: vendor_id.to_owned(),
        title: name.to_owned(),
        body: body.to_owned(),
        raw: body.as_bytes().to_vec(),
        raw_hash: *id.as_bytes(),
        content_hash: *id.as_bytes(),
        run_id: RunId(Uuid::nil()),
    }
}

/// A tenant with this id of Microsoft's, listed by a connection.
async fn tenant(house: &House<'_>, source: Source, guid: &str, name: &str) -> EntityId {
    let tx = house.begin().await;
    let id: EntityId = tx.new_id();
    let body = format!(r#"{{"domains":["{}.example","other.example"]}}"#, name.to_lowercase());
    let entity = write(source, id, id.0, source.kind, (guid, name, &body));
    tx.entities_write(source.integration, source.kind, &[entity]).await.expect("writes");
    tx.commit_unjournalled().await.expect("commits");
    id
}

/// What a sync says of a tenant: so many users with a licence and without, a secure score of 100, seats owned and used.
async fn told(
    house: &House<'_>,
    source: Source,
    entity: EntityId,
    users: (usize, usize),
    score: f64,
    seats: (i64, i64),
) {
    let tx = house.begin().await;
    let mut writes = Vec::new();
    let mut add = |kind: &str, name: &str, body: String| {
        let id: Uuid = tx.new_id::<EntityId>().0;
        writes.push(write(source, entity, id, kind, (&id.to_string(), name, &body)));
    };
    for at in 0..users.0 + users.1 {
        let licences = if at < users.0 { r#""sku-1","sku-2""# } else { "" };
        add("directory_user", &format!("user {at}"), format!(r#"{{"name":"u","licence_ids":[{licences}]}}"#));
    }
    add("secure_score", "score", format!(r#"{{"current":{score},"max":100.0}}"#));
    add("licence", "E3", format!(r#"{{"name":"E3","total":{},"used":{},"status":"Enabled"}}"#, seats.0, seats.1));
    tx.records_write(writes).await.expect("writes");
    tx.counts_refresh(source.id).await.expect("counts");
    for kind in ["directory_user", "licence", "secure_score"] {
        let listing = Listing {
            connection_id: source.id,
            kind: kind.to_owned(),
            entity: String::new(),
            mark: None,
            full_at: Some(tx.now()),
            complete_at: Some(tx.now()),
            code: None,
            message: None,
        };
        tx.listing_write(&listing).await.expect("writes");
    }
    tx.commit_unjournalled().await.expect("commits");
}

async fn associated(house: &House<'_>, client: ClientId, tenant: EntityId) -> usize {
    let tx = house.begin().await;
    customer_tenant_associate(&tx, client, tenant, |_| true).await.expect("associates");
    tx.commit("customer_tenant_associate", None).await.expect("commits").changes.len()
}

async fn customer(house: &House<'_>, client: ClientId) -> Customer {
    customer_get(&house.read().await, client, &can).await.expect("finds")
}

async fn tenants(tx: &Tx, filter: &TenantFilter, sort: TenantSort) -> Vec<Tenant> {
    let listed = tenant_list(tx, filter, (sort, SortOrder::Ascending), &PAGE, &can).await.expect("lists");
    assert_eq!(listed.total, listed.items.len() as i64);
    listed.items
}

fn names(tenants: &[Tenant]) -> Vec<&str> {
    tenants.iter().map(|tenant| tenant.name.as_str()).collect()
}

both_databases! {
    async fn a_customer_shows_what_its_tenants_add_up_to(db: TestDb) {
        let house = House::new(&db).await;
        let (source, psa) = (house.microsoft().await, house.ninja().await);
        let client = house.client("Kite").await;
        let empty = customer(&house, client).await;
        assert_eq!((empty.health(), empty.users(), empty.unlicensed()), (Health::Unknown, None, None), "unknown, not none");
        let first = tenant(&house, source, GUID, "Alpha").await;
        let second = tenant(&house, source, "22222222-aaaa-4aaa-8aaa-222222222222", "Beta").await;
        told(&house, source, first, (3, 2), 80.0, (5, 5)).await;
        told(&house, source, second, (4, 0), 60.0, (5, 5)).await;
        let company = house.mapped(psa, "Kite Pty", 0, client).await;
        for tenant in [first, second] {
            assert_eq!(associated(&house, client, tenant).await, 1);
            assert_eq!(associated(&house, client, tenant).await, 0, "twice is once");
        }
        let found = customer(&house, client).await;
        assert_eq!((found.health(), found.users(), found.unlicensed(), found.stale()), (Health::Healthy, Some(7), Some(2), false));
        assert_eq!(names(&found.tenants), ["Alpha", "Beta"]);
        assert_eq!(found.psa.iter().map(|entity| entity.id).collect::<Vec<_>>(), [company]);
        assert_eq!(found.tenants[0].domain.as_deref(), Some("alpha.example"));
        let page = house.read().await;
        let listed = page.client_list(&ClientFilter::default(), ClientSort::Name, SortOrder::Ascending, &PAGE).await.expect("lists");
        let row = customers_of(&page, listed.items, &can).await.expect("makes").pop().expect("one");
        assert_eq!((row.users(), row.tenants.len(), row.synced_at()), (Some(7), 2, found.synced_at()));
        assert!(row.synced_at().is_some());
        // The worst tenant makes the health, and what is too old is not healthy.
        told(&house, source, second, (0, 0), 60.0, (5, 6)).await;
        let found = customer(&house, client).await;
        assert_eq!((found.health(), found.users()), (Health::Warning, Some(7)));
        assert_eq!(found.tenants[1].reasons, ["E3: 6 seats in use of 5"]);
        db.clock.advance(3 * 3_600);
        let old = customer(&house, client).await;
        assert_eq!((old.health(), old.stale(), old.users()), (Health::Unknown, true, Some(7)), "told with its age");
        assert!(old.tenants.iter().all(|tenant| tenant.reasons.is_empty()));
    }

    async fn a_tenant_has_one_customer_whoever_lists_it(db: TestDb) {
        let house = House::new(&db).await;
        let (graph, other) = (house.microsoft().await, house.microsoft().await);
        let (kite, crane) = (house.client("Kite").await, house.client("Crane").await);
        let (one, two) = (tenant(&house, graph, GUID, "Alpha").await, tenant(&house, other, &GUID.to_uppercase(), "Alpha").await);
        told(&house, graph, one, (3, 1), 80.0, (5, 5)).await;
        db.clock.advance(60);
        told(&house, other, two, (2, 1), 80.0, (5, 5)).await;
        let listed = tenants(&house.read().await, &TenantFilter::default(), TenantSort::Name).await;
        assert_eq!((listed.len(), listed[0].entities.len(), listed[0].users), (1, 2, Some(2)), "shown once, as the freshest says");
        assert_eq!(associated(&house, kite, two).await, 2, "both connections' are mapped");
        for entity in [one, two] {
            assert_eq!(house.about(entity).await.client_id, Some(kite));
            let tx = house.begin().await;
            let (code, message) = conflict(customer_tenant_associate(&tx, crane, entity, |_| true).await);
            assert_eq!(code, "taken");
            assert!(message.contains("“Kite”"), "{message}");
            assert!(tx.changes().is_empty());
        }
        let site = house.entity(house.ninja().await, "Site").await;
        let tx = house.begin().await;
        let refused = customer_tenant_associate(&tx, crane, site, |_| true).await;
        assert_eq!(problems(refused), [("/tenant_id".to_owned(), "not_found")]);
        let refused = customer_tenant_dissociate(&tx, crane, one, |_| true).await;
        assert!(matches!(refused, Err(Error::NotFound { what: "tenant" })), "{refused:?}");
        let refused = customer_tenant_dissociate(&tx, kite, one, |_| false).await;
        assert!(matches!(refused, Err(Error::Forbidden { .. })), "{refused:?}");
        drop(tx);
        let tx = house.begin().await;
        customer_tenant_dissociate(&tx, kite, one, |_| true).await.expect("dissociates");
        let set = tx.commit("customer_tenant_dissociate", None).await.expect("commits");
        assert_eq!(set.changes.len(), 2);
        assert_eq!((house.about(one).await.client_id, house.about(two).await.client_id), (None, None));
        house.revert(set.entry, &[]).await.expect("reverts");
        assert_eq!(customer(&house, kite).await.tenants.len(), 1);
    }

    async fn a_customer_with_tenants_is_not_deleted(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.microsoft().await;
        let client = house.client("Kite").await;
        let one = tenant(&house, source, GUID, "Alpha").await;
        associated(&house, client, one).await;
        let tx = house.begin().await;
        let (code, message) = conflict(customer_delete(&tx, client, None, &can).await);
        assert_eq!(code, "has_tenants");
        assert!(message.contains("Alpha"), "{message}");
        customer_tenant_dissociate(&tx, client, one, |_| true).await.expect("dissociates");
        customer_delete(&tx, client, Some(1), &can).await.expect("deletes");
        tx.commit("customer_delete", None).await.expect("commits");
        assert!(matches!(house.read().await.client(client).await, Err(Error::NotFound { .. })));
    }

    async fn tenants_are_found_sorted_and_paged(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.microsoft().await;
        let (kite, crane) = (house.client("Kite").await, house.client("Crane").await);
        let mut ids = Vec::new();
        for (at, (name, score, users)) in [("Alpha", 80.0, 1), ("Beta", 40.0, 3), ("Gamma", 10.0, 2)].into_iter().enumerate() {
            let id = tenant(&house, source, &format!("0000000{at}-aaaa-4aaa-8aaa-111111111111"), name).await;
            told(&house, source, id, (users, 0), score, (5, 5)).await;
            ids.push(id);
        }
        associated(&house, kite, ids[0]).await;
        associated(&house, crane, ids[1]).await;
        let tx = house.begin().await;
        let tags = TenantPatch { tags: Some(vec![" Gold ".to_owned(), "gold".to_owned(), "EU".to_owned()]), ..TenantPatch::default() };
        let tagged = tenant_update(&tx, ids[2], tags, Some(0), &can).await.expect("updates");
        assert_eq!(tagged.setting.map(|said| said.tags), Some(vec!["EU".to_owned(), "Gold".to_owned()]));
        tx.commit("tenant_update", None).await.expect("commits");
        let tx = house.read().await;
        for (filter, expected) in [
            (TenantFilter::default(), vec!["Alpha", "Beta", "Gamma"]),
            (TenantFilter { text: Some("BETA.ex".into()), ..TenantFilter::default() }, vec!["Beta"]),
            (TenantFilter { text: Some("kite".into()), ..TenantFilter::default() }, vec!["Alpha"]),
            (TenantFilter { health: Some(Health::Critical), ..TenantFilter::default() }, vec!["Gamma"]),
            (TenantFilter { tag: Some("gold".into()), ..TenantFilter::default() }, vec!["Gamma"]),
            (TenantFilter { client: Some(crane), ..TenantFilter::default() }, vec!["Beta"]),
            (TenantFilter { client: Some(crane), health: Some(Health::Healthy), ..TenantFilter::default() }, vec![]),
        ] {
            assert_eq!(names(&tenants(&tx, &filter, TenantSort::Name).await), expected, "{filter:?}");
        }
        for (sort, expected) in [
            (TenantSort::Users, ["Alpha", "Gamma", "Beta"]),
            (TenantSort::Score, ["Gamma", "Beta", "Alpha"]),
            (TenantSort::Health, ["Alpha", "Beta", "Gamma"]),
            (TenantSort::Customer, ["Gamma", "Beta", "Alpha"]),
            (TenantSort::Domain, ["Alpha", "Beta", "Gamma"]),
        ] {
            assert_eq!(names(&tenants(&tx, &TenantFilter::default(), sort).await), expected, "{sort:?}");
            for order in [SortOrder::Ascending, SortOrder::Descending] {
                let mut page = PageRequest { limit: 1, after: None };
                let mut seen = Vec::new();
                loop {
                    let listed = tenant_list(&tx, &TenantFilter::default(), (sort, order), &page, &can).await.expect("lists");
                    assert_eq!(listed.total, 3);
                    seen.extend(listed.items.iter().map(|tenant| tenant.name.clone()));
                    let Some(next) = listed.next else { break };
                    page.after = Some(next);
                }
                if order == SortOrder::Descending {
                    seen.reverse();
                }
                assert_eq!(seen, expected, "{sort:?} {order:?}");
            }
        }
    }

    async fn what_people_say_of_a_tenant_stays_with_it(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.microsoft().await;
        let one = tenant(&house, source, GUID, "Alpha").await;
        let update = async |patch: TenantPatch, version: Option<i32>| -> Result<(Tenant, usize)> {
            let tx = house.begin().await;
            let tenant = tenant_update(&tx, one, patch, version, &can).await?;
            Ok((tenant, tx.commit("tenant_update", None).await?.changes.len()))
        };
        let named = || TenantPatch { display_name: Some(Some(" Our test ".into())), ..TenantPatch::default() };
        let (made, changed) = update(named(), Some(0)).await.expect("updates");
        assert_eq!((made.name.as_str(), made.vendor_name.as_str(), changed), ("Our test", "Alpha", 1));
        assert_eq!(update(named(), Some(1)).await.expect("updates").1, 0, "the same again is no change");
        assert!(matches!(update(named(), Some(0)).await, Err(Error::Stale { what: "tenant" })));
        let long = TenantPatch { tags: Some(vec!["x".repeat(51), String::new()]), ..TenantPatch::default() };
        assert_eq!(problems(update(long, None).await), ["/tags/0", "/tags/1"].map(|at| (at.to_owned(), "not_a_tag")));
        let many = TenantPatch { tags: Some((0..21).map(|at| at.to_string()).collect()), ..TenantPatch::default() };
        assert_eq!(problems(update(many, None).await), [("/tags".to_owned(), "too_many")]);
        // The vendor lists it anew by another connection: it is the same tenant.
        let two = tenant(&house, house.microsoft().await, GUID, "Alpha").await;
        let tx = house.read().await;
        assert_eq!(tenant_get(&tx, two, &can).await.expect("finds").name, "Our test");
        let (taken, _) = update(TenantPatch { display_name: Some(None), ..TenantPatch::default() }, Some(1)).await.expect("updates");
        assert_eq!((taken.name.as_str(), taken.setting.map(|said| said.version)), ("Alpha", Some(2)));
        let tx = house.begin().await;
        let patch = TenantPatch { tags: Some(vec!["test".into()]), ..TenantPatch::default() };
        tenant_update(&tx, one, patch, Some(2), &can).await.expect("updates");
        let set = tx.commit("tenant_update", None).await.expect("commits");
        house.revert(set.entry, &[]).await.expect("reverts");
        let back = tenant_get(&house.read().await, one, &can).await.expect("finds");
        assert!(back.setting.is_some_and(|said| said.tags.is_empty()));
    }

    async fn a_limited_caller_sees_the_customers_and_tenants_of_its_clients_only(db: TestDb) {
        let house = House::new(&db).await;
        let source = house.microsoft().await;
        let (mine, hidden) = (house.client("Mine").await, house.client("Hidden").await);
        let own = tenant(&house, source, GUID, "Own").await;
        let foreign = tenant(&house, source, "33333333-aaaa-4aaa-8aaa-333333333333", "Foreign").await;
        let open = tenant(&house, source, "44444444-aaaa-4aaa-8aaa-444444444444", "Open").await;
        for id in [own, foreign, open] {
            told(&house, source, id, (1, 0), 80.0, (5, 5)).await;
        }
        associated(&house, mine, own).await;
        associated(&house, hidden, foreign).await;
        for scope in [ClientScope::Only([mine].into()), ClientScope::AllBut([hidden].into())] {
            let tx = house.scoped(scope).await;
            let listed = tenants(&tx, &TenantFilter::default(), TenantSort::Name).await;
            assert_eq!(names(&listed), ["Own"]);
            let filtered = TenantFilter { client: Some(hidden), ..TenantFilter::default() };
            let refused = tenant_list(&tx, &filtered, (TenantSort::Name, SortOrder::Ascending), &PAGE, &can).await;
            assert!(matches!(refused, Err(Error::NotFound { what: "client" })), "{refused:?}");
            for id in [foreign, open, EntityId(Uuid::from_u128(7))] {
                assert!(matches!(tenant_get(&tx, id, &can).await, Err(Error::NotFound { what: "tenant" })));
                let patch = TenantPatch { tags: Some(vec!["mine".into()]), ..TenantPatch::default() };
                assert!(matches!(tenant_update(&tx, id, patch, None, &can).await, Err(Error::NotFound { what: "tenant" })));
                let refused = customer_tenant_associate(&tx, mine, id, |_| true).await;
                assert_eq!(problems(refused), [("/tenant_id".to_owned(), "not_found")]);
                let refused = customer_tenant_dissociate(&tx, mine, id, |_| true).await;
                assert!(matches!(refused, Err(Error::NotFound { what: "tenant" })));
            }
            for refused in [
                customer_get(&tx, hidden, &can).await.map(drop),
                customer_delete(&tx, hidden, None, &can).await,
                customer_tenant_associate(&tx, hidden, own, |_| true).await,
                customer_tenant_dissociate(&tx, hidden, own, |_| true).await,
            ] {
                assert!(matches!(refused, Err(Error::NotFound { what: "client" })), "{refused:?}");
            }
            assert_eq!(customer_get(&tx, mine, &can).await.expect("finds").users(), Some(1));
            assert!(tx.changes().is_empty());
        }
    }
}

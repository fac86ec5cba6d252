use domain::{ClientScope, ClientStatus, Error, IntegrationFilter, PageRequest, Range, SortOrder};
use persistence::{ClientFilter, ClientSort};
use testkit::both_databases;

async fn names(tx: &persistence::Tx, filter: ClientFilter) -> Vec<String> {
    let page = PageRequest { limit: 100, after: None };
    let listed = tx.client_list(&filter, ClientSort::Name, SortOrder::Ascending, &page).await.expect("lists");
    assert_eq!(listed.total, listed.items.len() as i64);
    listed.items.into_iter().map(|listed| listed.client.name).collect()
}

both_databases! {
    async fn pages_follow_one_another_without_gap_or_repeat(db: TestDb) {
        let organisation = db.organisation("Pages").await;
        for n in 0..30 {
            db.client(organisation, &format!("Client {:02} {}", n % 15, if n < 15 { "a" } else { "A" })).await;
        }
        let tx = db.store.read(db.context(organisation)).await.expect("reads");
        for order in [SortOrder::Ascending, SortOrder::Descending] {
            for sort in [ClientSort::Name, ClientSort::Devices, ClientSort::Users, ClientSort::Created] {
                let mut seen = Vec::new();
                let mut page = PageRequest { limit: 7, after: None };
                loop {
                    let listed = tx.client_list(&ClientFilter::default(), sort, order, &page).await.expect("lists");
                    assert_eq!(listed.total, 30);
                    seen.extend(listed.items.into_iter().map(|listed| listed.client.id));
                    match listed.next {
                        Some(next) => page.after = Some(next),
                        None => break,
                    }
                }
                let unique: std::collections::BTreeSet<_> = seen.iter().collect();
                assert_eq!((seen.len(), unique.len()), (30, 30), "{sort:?} {order:?}");
            }
        }
    }

    async fn search_takes_wildcards_literally_and_folds_case(db: TestDb) {
        let organisation = db.organisation("Search").await;
        for name in ["100% Cotton", "1000 Cotton", "Under_score", "Underscore", "Back\\slash", "ÄRZTE Nord", "Robert'); DROP TABLE client;--"] {
            db.client(organisation, name).await;
        }
        let tx = db.store.read(db.context(organisation)).await.expect("reads");
        for (search, expected) in [
            ("0% c", vec!["100% Cotton"]),
            ("r_s", vec!["Under_score"]),
            ("k\\s", vec!["Back\\slash"]),
            ("ärzte", vec!["ÄRZTE Nord"]),
            ("'); drop", vec!["Robert'); DROP TABLE client;--"]),
            ("nothing like it", vec![]),
        ] {
            let filter = ClientFilter { search: Some(search.into()), ..Default::default() };
            assert_eq!(names(&tx, filter).await, expected, "{search}");
        }
    }

    async fn totals_and_filters_follow_status_and_deletion(db: TestDb) {
        let organisation = db.organisation("Totals").await;
        let first = db.client(organisation, "First").await;
        let second = db.client(organisation, "Second").await;
        let tx = db.store.begin(db.context(organisation)).await.expect("begins");
        let before = tx.client(first).await.expect("finds");
        tx.client_update(&before, domain::Client { status: ClientStatus::Inactive, ..before.clone() }).await.expect("updates");
        let before = tx.client(second).await.expect("finds");
        tx.client_update(&before, domain::Client { deleted_at: Some(db.now()), ..before.clone() }).await.expect("updates");
        tx.commit("client_update", None).await.expect("commits");
        let tx = db.store.read(db.context(organisation)).await.expect("reads");
        let totals = tx.client_totals().await.expect("counts");
        assert_eq!((totals.active, totals.inactive), (0, 1));
        assert_eq!(names(&tx, ClientFilter { status: Some(ClientStatus::Inactive), ..Default::default() }).await, ["First"]);
        assert!(names(&tx, ClientFilter { status: Some(ClientStatus::Active), ..Default::default() }).await.is_empty());
        let nothing = Range { min: Some(0), max: Some(0) };
        assert_eq!(names(&tx, ClientFilter { devices: nothing, users: nothing, ..Default::default() }).await, ["First"]);
        let missing = IntegrationFilter::Missing(vec!["ninjaone".into()]);
        assert_eq!(names(&tx, ClientFilter { integrations: Some(missing), ..Default::default() }).await, ["First"]);
        assert!(matches!(tx.client(second).await, Err(Error::NotFound { .. })));
    }

    async fn two_writers_of_one_row_cannot_both_win(db: TestDb) {
        let organisation = db.organisation("Writers").await;
        let id = db.client(organisation, "Contested").await;
        let read = db.store.read(db.context(organisation)).await.expect("reads").client(id).await.expect("finds");
        let tx = db.store.begin(db.context(organisation)).await.expect("begins");
        tx.client_update(&read, domain::Client { name: "First".into(), ..read.clone() }).await.expect("updates");
        tx.commit("client_update", None).await.expect("commits");
        let tx = db.store.begin(db.context(organisation)).await.expect("begins");
        let late = tx.client_update(&read, domain::Client { name: "Second".into(), ..read.clone() }).await;
        assert!(matches!(late, Err(Error::Stale { what: "client" })), "{late:?}");
    }

    async fn counts_are_within_the_scope(db: TestDb) {
        let organisation = db.organisation("Scope").await;
        let a = db.client(organisation, "A").await;
        let b = db.client(organisation, "B").await;
        db.client(organisation, "C").await;
        for (scope, expected) in [
            (ClientScope::Only([a].into()), vec!["A"]),
            (ClientScope::AllBut([a].into()), vec!["B", "C"]),
            (ClientScope::Only([].into()), vec![]),
            (ClientScope::AllBut([a, b].into()), vec!["C"]),
        ] {
            let mut context = db.context(organisation);
            context.scope = scope;
            let tx = db.store.read(context).await.expect("reads");
            assert_eq!(names(&tx, ClientFilter::default()).await, expected);
            assert_eq!(tx.client_totals().await.expect("counts").total(), expected.len() as i64);
        }
    }
}

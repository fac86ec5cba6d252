//! Listings that each entity has for itself, and feeds of changes.

use domain::{ConnectionState, RunState};
use integration::RecordKind;
use testkit::both_databases;
use vendorkit::{Fault, Plan, WorldSize};

use crate::stage::{MICROSOFT365, Stage, stage};

const FEW: WorldSize = WorldSize { businesses: 12, devices: 0, people: 60 };

/// Paths of the user listings that were asked for, and how many of them were for changes.
fn user_requests(stage: &Stage) -> (usize, usize) {
    let requests = stage.simulated.requests();
    let users: Vec<_> = requests.iter().filter(|request| request.url.path().ends_with("users/delta")).collect();
    // The feed's present end is a place to begin from, no question about changes.
    let asks = |query: &str| query.contains("deltatoken") && !query.contains("deltatoken=latest");
    let changes = users.iter().filter(|request| request.url.query().is_some_and(asks));
    (users.len(), changes.count())
}

/// A business of which users are stored.
async fn open_business(stage: &Stage) -> u64 {
    let rows = stage.rows().await;
    stage.simulated.read(|world| {
        let mut known = world.known_to(MICROSOFT365);
        let open = known.find(|business| {
            business.people.len() > 2
                && business.people.iter().all(|person| rows.iter().any(|row| row.vendor_id == person.id.to_string()))
        });
        open.expect("there is one").key
    })
}

both_databases! {
    async fn users_are_followed_by_their_changes_and_listed_wholly_once_a_day(db: TestDb) {
        let stage = stage(db, MICROSOFT365, FEW).await;
        stage.work().await;
        let (whole, changes) = user_requests(&stage);
        assert!(whole > 0 && changes == 0, "{whole}, {changes}");
        let business = open_business(&stage).await;
        let (first, second) = stage.simulated.read(|world| {
            let people = &world.business(business).expect("is there").people;
            (people[0].id, people[1].id)
        });
        stage.simulated.change(|world| {
            assert!(world.remove_person(first));
            assert!(world.change_person(second, |person| person.title = "Head of Things".into()));
            world.add_person(business).expect("is there");
        });
        stage.simulated.clear_log();
        stage.sync().await;
        let (asked, changes) = user_requests(&stage);
        assert!(changes > 0 && asked >= changes, "no changes were asked for: {asked}");
        let run = stage.run(RecordKind::DirectoryUser).await;
        assert_eq!((run.counts.added, run.counts.changed, run.counts.removed), (1, 1, 1), "{run:?}");
        stage.assert_true().await;

        stage.advance(24 * 3_600);
        stage.simulated.clear_log();
        stage.sync().await;
        let (asked, changes) = user_requests(&stage);
        assert!(asked > 0 && changes == 0, "a whole listing is due: {asked}, {changes}");
        stage.assert_true().await;
    }

    async fn a_forgotten_mark_means_a_whole_listing(db: TestDb) {
        let stage = stage(db, MICROSOFT365, FEW).await;
        stage.work().await;
        let business = open_business(&stage).await;
        stage.simulated.change(|world| {
            let id = world.business(business).expect("is there").people[0].id;
            assert!(world.remove_person(id));
            world.forget_history();
        });
        stage.sync().await;
        stage.assert_true().await;
        let run = stage.run(RecordKind::DirectoryUser).await;
        assert_eq!(run.counts.removed, 1, "{run:?}");
    }

    async fn closed_tenants_are_named_and_do_not_keep_the_others(db: TestDb) {
        let stage = stage(db, MICROSOFT365, FEW).await;
        stage.work().await;
        stage.assert_true().await;
        let run = stage.run(RecordKind::DirectoryUser).await;
        assert_eq!((run.state, run.code.as_deref()), (RunState::Partial, Some("vendor_forbidden")), "{run:?}");
        assert!(run.counts.added > 0);
        let tx = stage.db.store.read(stage.context()).await.expect("reads");
        let rows = tx.listings(&[stage.connection]).await.expect("lists");
        let of_users = || rows.iter().filter(|row| row.kind == "directory_user");
        assert!(of_users().any(|row| row.code.is_some() && row.complete_at.is_none() && row.message.is_some()));
        assert!(of_users().any(|row| row.code.is_none() && row.complete_at.is_some() && row.mark.is_some()));
        assert_eq!(stage.connection().await.state, ConnectionState::Degraded);
        // Those of a few tenants are read without the others.
        let tenant = of_users().next().expect("one each").entity.clone();
        let asked = std::iter::once(tenant.as_str()).collect();
        let of_one = tx.listings_of(&[stage.connection], &["directory_user", "entity"], &asked).await.expect("lists");
        let mut of_one: Vec<_> = of_one.iter().map(|row| (row.kind.as_str(), row.entity.as_str())).collect();
        of_one.sort_unstable();
        assert_eq!(of_one, [("directory_user", tenant.as_str()), ("entity", "")]);
        assert!(tx.listings_of(&[], &["entity"], &asked).await.expect("lists").is_empty());
    }

    async fn what_a_tenant_has_no_licence_for_is_unknown_and_no_trouble(db: TestDb) {
        let stage = stage(db, MICROSOFT365, FEW).await;
        stage.work().await;
        let tx = stage.db.store.read(stage.context()).await.expect("reads");
        let rows = tx.listings(&[stage.connection]).await.expect("lists");
        let methods = rows.iter().filter(|row| row.kind == "sign_in_methods");
        let without = methods.filter(|row| row.code.as_deref() == Some("not_offered")).collect::<Vec<_>>();
        assert!(!without.is_empty(), "every tenant has Entra P1");
        assert!(without.iter().all(|row| row.complete_at.is_none()), "what is not told is taken for complete");
        assert!(without.iter().all(|row| row.message.as_deref().is_some_and(|text| text.contains("Entra ID P1"))));
        // What degrades the connection is the closed tenants, and they alone.
        let run = stage.run(RecordKind::SignInMethods).await;
        assert_eq!(run.code.as_deref(), Some("vendor_forbidden"), "{run:?}");
        assert!(!run.message.as_deref().unwrap_or_default().contains("Entra ID P1"), "{run:?}");
    }

    async fn what_was_under_a_tenant_goes_with_it_and_comes_back_with_it(db: TestDb) {
        let stage = stage(db, MICROSOFT365, FEW).await;
        stage.work().await;
        let business = open_business(&stage).await;
        let before = stage.keys().await;
        stage.simulated.change(|world| assert!(world.forget(MICROSOFT365, business)));
        stage.sync().await;
        stage.assert_true().await;
        assert!(stage.keys().await.len() < before.len());
        stage.simulated.change(|world| assert!(world.introduce(MICROSOFT365, business)));
        stage.sync().await;
        stage.assert_true().await;
        assert!(stage.keys().await == before);
    }

    async fn an_empty_answer_for_one_tenant_is_asked_for_again(db: TestDb) {
        let stage = stage(db, MICROSOFT365, FEW).await;
        stage.work().await;
        let before = stage.keys().await;
        stage.simulated.clear_log();
        stage.sync().await;
        let requests = stage.requests();
        // Past the list of tenants, each answer is empty once, wherever in the sync it falls.
        for nth in (5..requests).step_by(4) {
            stage.advance(24 * 3_600);
            stage.faulty.set(Plan::nth(nth, Fault::Empty));
            stage.sync().await;
            assert!(stage.keys().await == before, "the empty answer {nth} removed something");
        }
    }
}

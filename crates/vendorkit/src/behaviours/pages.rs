//! Listings end, hold everything once, and may be empty.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use integration::{Kind, MappedBy, RecordKind, Request, Response};

use super::{
    Subject,
    stage::{FEW, Stage, Target},
};
use crate::{Fault, Plan, WorldSize};

/// More entities, and more devices and subscriptions, than any vendor puts on one page.
const BROAD: WorldSize = WorldSize { businesses: 1_600, devices: 3_500, people: 1_800 };
/// More people in one entity than any vendor puts on one page.
const DEEP: WorldSize = WorldSize { businesses: 8, devices: 100, people: 4_000 };

/// Every listing ends, and has as many records as the vendor's view of the world.
pub async fn pages_end(subject: &Subject) {
    let stage = subject.stage(BROAD);
    for listing in stage.connector.listings() {
        let target = Target { kind: listing.kind(), entity: None };
        if listing.reach() == integration::Reach::Connection {
            let walked = stage.walk(&target).await.unwrap_or_else(|why| panic!("{target:?}: {why}"));
            assert_complete(&stage, target.kind, walked.records.len());
            let split = walked.pages > 1 || stage.simulated.simulator.unpaged(target.kind);
            assert!(split, "{target:?} has only one page of {} records", walked.records.len());
            assert_total(&stage, &target, walked.records.len()).await;
        }
    }
    let stage = subject.stage(DEEP);
    let mut counts: HashMap<RecordKind, usize> = HashMap::new();
    for target in stage.targets().await.iter().filter(|target| target.entity.is_some()) {
        let records = stage.walk_whole(target).await.map_or(0, |walked| walked.records.len());
        *counts.entry(target.kind).or_default() += records;
    }
    for (kind, count) in counts {
        assert_complete(&stage, kind, count);
    }
}

fn assert_complete(stage: &Stage, kind: RecordKind, count: usize) {
    let expected = stage.simulated.read(|world| stage.simulated.simulator.expected(world, kind));
    match expected {
        Some(expected) => assert_eq!(count, expected, "records of kind {}", kind.as_str()),
        None => assert!(count > 0, "no records of kind {}", kind.as_str()),
    }
}

async fn assert_total(stage: &Stage, target: &Target, count: usize) {
    let page = stage.first_page(target).await.unwrap_or_else(|why| panic!("{target:?}: {why}"));
    if let Some(total) = page.total {
        assert_eq!(total, count as u64, "the total that {target:?} announces");
    }
}

/// No page is asked for twice, and no record comes twice.
pub async fn pages_do_not_repeat(subject: &Subject) {
    for size in [BROAD, DEEP] {
        let stage = subject.stage(size);
        for target in stage.samples().await {
            stage.simulated.clear_log();
            let walked = stage.walk(&target).await.unwrap_or_else(|why| panic!("{target:?}: {why}"));
            let mut asked = HashSet::new();
            for request in stage.data_requests() {
                let what = (request.url.to_string(), format!("{:?}", request.body));
                assert!(asked.insert(what), "{request:?} was sent twice in one listing of {target:?}");
            }
            let ids: HashSet<String> = walked.ids().into_iter().collect();
            assert_eq!(ids.len(), walked.records.len(), "{target:?} gave a record twice");
        }
    }
}

/// A vendor that gives the same page for ever does not keep the walk going: the cursor comes back
/// and is caught, or the connector ends it.
pub async fn endless_cursor_is_an_error(subject: &Subject) {
    let honest = subject.stage(BROAD);
    for target in honest.samples().await {
        let pages = honest.walk(&target).await.unwrap_or_else(|why| panic!("{target:?}: {why}")).pages;
        if pages < 2 {
            continue;
        }
        let stage = subject.stage(BROAD);
        stage.faulty.set(Plan::Always(Fault::Alter(stuck())));
        stage.simulated.clear_log();
        // A little more than is allowed, so that going too far is seen at once and not after ten thousand pages.
        let ended = stage.walk_at_most(&target, 2 * pages + 8).await;
        let asked = stage.data_requests().len();
        assert!(
            asked <= 2 * pages as usize + 4,
            "{target:?} asked {asked} times for one page, honestly it has {pages}"
        );
        if let Err(error) = ended {
            assert!(matches!(error.kind, Kind::Limit | Kind::Unreadable), "{target:?}: {error}");
            assert!(error.message.contains(stage.vendor), "the vendor is not named: {error}");
        }
    }
}

/// Answers every request of one path as it answered the first.
fn stuck() -> crate::faulty::Alter {
    let first: Mutex<HashMap<String, Response>> = Mutex::default();
    Arc::new(move |request: &Request, response: Response| {
        let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
        first.entry(request.url.path().to_owned()).or_insert(response).clone()
    })
}

/// An account on its first day, and clients that have nothing, are no errors.
pub async fn empty_is_fine(subject: &Subject) {
    let stage = subject.stage(WorldSize::EMPTY);
    for listing in stage.connector.listings() {
        let target = Target { kind: listing.kind(), entity: None };
        if listing.reach() == integration::Reach::Connection {
            let walked = stage.walk(&target).await.unwrap_or_else(|why| panic!("{target:?} of nobody: {why}"));
            // A connection that is one client's as a whole is its own only entity, from the first day.
            let whole = subject.entry.mapped_by != MappedBy::Dialog;
            // So is a phone system, which is a record as well.
            let itself = matches!(target.kind, RecordKind::Entity | RecordKind::PhoneSystem);
            let most = usize::from(whole && itself);
            let count = walked.records.len();
            assert!(count <= most && walked.removed.is_empty(), "{target:?} of nobody has records");
            assert_total(&stage, &target, count).await;
        }
    }
    stage.connector.check().await.unwrap_or_else(|why| panic!("an account without clients fails the test: {why}"));
    let stage = subject.stage(WorldSize { devices: 0, people: 0, ..FEW });
    for target in stage.targets().await {
        if let Some(walked) = stage.walk_whole(&target).await
            && matches!(target.kind, RecordKind::Device | RecordKind::DirectoryUser)
        {
            assert!(walked.records.is_empty(), "{target:?}, but nobody has any");
        }
    }
}

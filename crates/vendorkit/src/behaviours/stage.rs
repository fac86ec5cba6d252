//! A connector with its simulated vendor, ready to be walked and broken.

use std::sync::Arc;

use integration::{Connector, Error, Listing, Position, Reach, ReadRecord, RecordKind, Request, Result, Walk};
use serde_json::{Map, Value};

use super::Subject;
use crate::{Faulty, Plan, Simulated, World, WorldSize, a_tuesday};

/// A world in which every listing has something, and none of them takes long.
pub(super) const FEW: WorldSize = WorldSize { businesses: 12, devices: 60, people: 60 };

pub(super) struct Stage {
    pub simulated: Arc<Simulated>,
    /// Breaks everything but requests for tokens.
    pub faulty: Arc<Faulty>,
    /// Breaks requests for tokens only.
    pub token_faulty: Arc<Faulty>,
    pub connector: Arc<dyn Connector>,
    pub credentials: Map<String, Value>,
    pub vendor: &'static str,
}

/// Whose credentials the connector has.
#[derive(Clone, Copy)]
pub(super) enum Who {
    Right,
    Wrong,
    Powerless,
}

/// One listing: its kind and, where each entity has its own, whose.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Target {
    pub kind: RecordKind,
    pub entity: Option<String>,
}

/// A listing, walked to its end.
#[derive(Default)]
pub(super) struct Walked {
    pub pages: u32,
    pub records: Vec<ReadRecord>,
    pub removed: Vec<String>,
    pub mark: Option<String>,
    pub changes_only: bool,
}

impl Walked {
    pub fn ids(&self) -> Vec<String> {
        self.records.iter().map(|record| record.id.clone()).collect()
    }
}

impl Subject {
    pub(super) fn stage(&self, size: WorldSize) -> Stage {
        self.stage_as(size, Who::Right)
    }

    pub(super) fn stage_as(&self, size: WorldSize, who: Who) -> Stage {
        let simulator = (self.simulator)();
        assert_eq!(simulator.id(), self.entry.id, "the simulator has another id than the connector");
        let base = format!("https://simulated.example/{}", self.entry.id);
        let credentials = match who {
            Who::Right => simulator.credentials(&base),
            Who::Wrong => simulator.wrong_credentials(&base),
            Who::Powerless => simulator.powerless_credentials(&base),
        };
        let credentials = simulator.consented(credentials);
        let simulated = Arc::new(Simulated::new(simulator.clone(), World::generate(size, 7, a_tuesday())));
        let asks = simulator.clone();
        let token_faulty = Arc::new(Faulty::over(simulated.clone(), Plan::Never).only(move |r| asks.asks_for_token(r)));
        let clock = simulated.clone();
        let faulty = Faulty::new(token_faulty.clone(), Plan::Never).slow(move |by| clock.advance(by));
        let faulty = Arc::new(faulty.only(move |request| !simulator.asks_for_token(request)));
        let connector = self
            .entry
            .connect(&credentials, faulty.clone())
            .unwrap_or_else(|errors| panic!("the simulator's credentials do not parse: {errors:?}"));
        let connector = Arc::from(connector);
        Stage { simulated, faulty, token_faulty, connector, credentials, vendor: self.entry.name }
    }
}

impl Stage {
    /// The listing of a kind.
    pub fn listing(&self, kind: RecordKind) -> Box<dyn Listing + '_> {
        let found = self.connector.listings().into_iter().find(|listing| listing.kind() == kind);
        found.unwrap_or_else(|| panic!("{} does not list {}", self.vendor, kind.as_str()))
    }

    /// The first page of a target, and nothing more.
    pub async fn first_page(&self, target: &Target) -> Result<integration::Page> {
        let at = Position { entity: target.entity.as_deref(), ..Position::default() };
        self.listing(target.kind).page(at).await
    }

    /// Walks a target to its end and reads every record.
    pub async fn walk(&self, target: &Target) -> Result<Walked> {
        self.walk_since(target, None).await
    }

    pub async fn walk_since(&self, target: &Target, since: Option<&str>) -> Result<Walked> {
        let bounds = Walk::new(self.vendor, Walk::PAGES);
        walk(bounds, self.vendor, &*self.listing(target.kind), target.entity.as_deref(), since).await
    }

    /// Like [`Self::walk`], but of at most this many pages.
    pub async fn walk_at_most(&self, target: &Target, pages: u32) -> Result<Walked> {
        let bounds = Walk::new(self.vendor, pages);
        walk(bounds, self.vendor, &*self.listing(target.kind), target.entity.as_deref(), None).await
    }

    /// Everything there is to list: each listing, for each entity where it has its own.
    pub async fn targets(&self) -> Vec<Target> {
        let mut targets = Vec::new();
        let mut entities = None;
        for listing in self.connector.listings() {
            let kind = listing.kind();
            if listing.reach() == Reach::Connection {
                targets.push(Target { kind, entity: None });
                continue;
            }
            if entities.is_none() {
                entities = Some(self.entities().await);
            }
            for entity in entities.iter().flatten() {
                targets.push(Target { kind, entity: Some(entity.clone()) });
            }
        }
        targets
    }

    /// Vendor ids of the entities, at least one.
    pub async fn entity_ids(&self) -> Vec<String> {
        let target = Target { kind: RecordKind::Entity, entity: None };
        let ids = self.walk(&target).await.unwrap_or_else(|why| panic!("{target:?}: {why}")).ids();
        assert!(!ids.is_empty(), "no entity");
        ids
    }

    /// Every record of a kind with the entity that it belongs to.
    pub async fn with_entity(&self, kind: RecordKind) -> Vec<(String, ReadRecord)> {
        let mut found = Vec::new();
        for target in self.targets().await.iter().filter(|target| target.kind == kind) {
            let Some(walked) = self.walk_whole(target).await else { continue };
            for record in walked.records {
                let entity = record.entity.clone().or_else(|| target.entity.clone()).unwrap_or_default();
                found.push((entity, record));
            }
        }
        found
    }

    /// One target of each kind, with records in it.
    pub async fn samples(&self) -> Vec<Target> {
        let mut samples: Vec<Target> = Vec::new();
        for target in self.targets().await {
            if samples.iter().any(|sample| sample.kind == target.kind) {
                continue;
            }
            if self.has_records(&target).await {
                samples.push(target);
            }
        }
        for listing in self.connector.listings() {
            let kind = listing.kind();
            assert!(samples.iter().any(|s| s.kind == kind), "no {} in the whole simulated world", kind.as_str());
        }
        samples
    }

    /// Whether a target has a record, on whichever of its pages.
    async fn has_records(&self, target: &Target) -> bool {
        let (mut bounds, mut cursor) = (Walk::new(self.vendor, Walk::PAGES), None);
        loop {
            let at = Position { entity: target.entity.as_deref(), cursor: cursor.as_ref(), since: None };
            match self.listing(target.kind).page(at).await {
                Ok(page) if !page.records.is_empty() => return true,
                Ok(page) => cursor = page.next.filter(|next| bounds.admit(next).is_ok()),
                Err(_) => return false,
            }
            if cursor.is_none() {
                return false;
            }
        }
    }

    /// Vendor ids of all entities.
    pub async fn entities(&self) -> Vec<String> {
        let target = Target { kind: RecordKind::Entity, entity: None };
        let walked = self.walk(&target).await.unwrap_or_else(|why| panic!("entities cannot be listed: {why}"));
        walked.ids()
    }

    /// Walks a target that must be walkable. An entity for which the vendor lists nothing for want of
    /// a right or a product gives `None`.
    pub async fn walk_whole(&self, target: &Target) -> Option<Walked> {
        match self.walk(target).await {
            Ok(walked) => Some(walked),
            Err(why) if target.entity.is_some() && lacks(&why) => None,
            Err(why) => panic!("{target:?} cannot be walked: {why}"),
        }
    }

    /// Requests so far, without those for tokens.
    pub fn data_requests(&self) -> Vec<Request> {
        let simulator = &self.simulated.simulator;
        self.simulated.requests().into_iter().filter(|request| !simulator.asks_for_token(request)).collect()
    }

    /// Requests for tokens so far.
    pub fn token_requests(&self) -> Vec<Request> {
        let simulator = &self.simulated.simulator;
        self.simulated.requests().into_iter().filter(|request| simulator.asks_for_token(request)).collect()
    }
}

/// Whether one entity of many is closed to us: no fault of the listing.
fn lacks(why: &Error) -> bool {
    use integration::Kind;
    matches!(why.kind, Kind::Forbidden | Kind::NotOffered | Kind::Refused | Kind::NotFound)
}

/// Walks a listing to its end, within the bounds that the sync engine has too.
pub(super) async fn walk(
    mut bounds: Walk,
    vendor: &'static str,
    listing: &dyn Listing,
    entity: Option<&str>,
    since: Option<&str>,
) -> Result<Walked> {
    let mut walked = Walked::default();
    let mut cursor = None;
    loop {
        let first = cursor.is_none();
        let page = listing.page(Position { entity, cursor: cursor.as_ref(), since: since.filter(|_| first) }).await?;
        walked.pages += 1;
        walked.changes_only |= page.changes_only;
        walked.removed.extend(page.removed);
        for raw in &page.records {
            let read = listing.read(raw).map_err(|why| Error::unreadable(vendor, why))?;
            walked.records.push(read);
        }
        let Some(next) = page.next else {
            walked.mark = page.mark;
            return Ok(walked);
        };
        assert!(next.as_str().len() <= 8 * 1024, "a cursor of {vendor} is longer than 8 KiB");
        bounds.admit(&next)?;
        cursor = Some(next);
    }
}

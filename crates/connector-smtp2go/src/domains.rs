//! Domains from which an account may send.

use async_trait::async_trait;
use integration::{Domain, Item, Page, Position, Pull, Reach, Result, loose::Text};

use crate::{Smtp2go, api, wire};

#[async_trait]
impl Pull<Domain> for Smtp2go {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let asked = self.whose(at)?.body();
        self.api.rows("/domain/view", asked, "domains").await.map(api::whole)
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Domain>, String> {
        let wire::SenderDomain { domain, trackers } = wire::read(raw, "a sender domain")?;
        let name = domain.fulldomain.trim().to_lowercase();
        if name.is_empty() {
            return Err("a sender domain has no name".into());
        }
        let (dkim, return_path) = (domain.dkim_verified.0, domain.rpath_verified.0);
        let mut problems = Vec::new();
        let mut problem = |what: &str, verified: Option<bool>, status: Text| {
            if let (Some(words), false) = (status.0, verified == Some(true)) {
                problems.push(format!("{what}: {words}"));
            }
        };
        problem("DKIM", dkim, domain.dkim_status);
        problem("return path", return_path, domain.rpath_status);
        for tracker in trackers.0.unwrap_or_default().into_iter().filter(|tracker| tracker.enabled.0 != Some(false)) {
            let what = tracker.fulldomain.0.unwrap_or_else(|| "link tracking".into());
            problem(&what, tracker.cname_verified.0, tracker.cname_status);
        }
        let record = Domain {
            name: name.clone(),
            // The vendor sends for it once both are right.
            verified: match (dkim, return_path) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            dkim,
            return_path,
            problems,
            ..Domain::default()
        };
        Ok(Item { id: name, entity: None, record })
    }
}

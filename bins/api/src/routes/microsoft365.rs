//! A client's Microsoft 365: licences, secure score, domains. Any vendor that lists them fills it.

use std::collections::{HashMap, HashSet};

use domain::{EntityId, Permission, Record};
use poem_openapi::{Object, OpenApi, param::Path};
use uuid::Uuid;

use super::{
    Chapter,
    fleet::{body, sources},
};
use crate::{
    app::{App, AppData},
    auth::Caller,
    freshness::{Freshness, Sources},
    page::Answer,
    problem::Failure,
};

/// Seats of one product.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Licence {
    /// Product
    pub name: String,
    /// Vendor's part number
    pub part_number: String,
    /// Seats owned; absent while unknown
    pub total: Option<i64>,
    /// Seats in use; absent while unknown
    pub used: Option<i64>,
    /// Vendor's word for its state
    pub status: Option<String>,
    /// Free and practically without limit: not worth counting
    pub unlimited: bool,
}

/// A security score.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct SecureScore {
    /// Entity it is of
    pub entity_id: Uuid,
    /// Points reached
    pub current: f64,
    /// Points possible
    pub max: f64,
    /// Reached of possible, in percent
    pub percent: Option<f64>,
    /// Day of the score
    pub day: Option<String>,
    /// Average of all the vendor's customers
    pub average: Option<f64>,
}

/// A DNS domain.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct DomainName {
    /// Name
    pub name: String,
    /// Whether ownership is proven; absent while unknown
    pub verified: Option<bool>,
    /// Whether it is the main one
    pub default: Option<bool>,
    /// Whether the vendor made it
    pub initial: Option<bool>,
    /// How people of it sign in
    pub authentication: Option<String>,
    /// What it is used for
    pub services: Vec<String>,
}

/// A client's Microsoft 365.
#[derive(Debug, Clone, Object)]
pub struct Microsoft365 {
    /// Licences
    pub licences: Vec<Licence>,
    /// How old they are
    pub licences_freshness: Freshness,
    /// Secure scores, one for each tenant
    pub secure_scores: Vec<SecureScore>,
    /// How old they are
    pub secure_scores_freshness: Freshness,
    /// Domains
    pub domains: Vec<DomainName>,
    /// How old they are
    pub domains_freshness: Freshness,
}

/// Microsoft 365 of a client.
pub struct Microsoft365Api;

#[OpenApi(prefix_path = "/api/clients", tag = "Chapter::Clients")]
impl Microsoft365Api {
    /// A client's Microsoft 365: licences, secure score, domains
    #[oai(path = "/:client_id/microsoft365", method = "get", operation_id = "client_microsoft365_get")]
    async fn client_microsoft365_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
    ) -> Result<Answer<Microsoft365>, Failure> {
        let tx = app.read(caller, Permission::DirectoryView).await?;
        let (sources, _) = sources(&tx, client_id.0).await?;
        let entities = |kind: &str| -> Vec<EntityId> {
            sources.entities_for(&app, kind).into_iter().map(|entity| entity.id).collect()
        };
        // Several tools may tell of one tenant: each thing is shown once, as the first of them says it.
        let mut told = Told::of(&sources, &app);
        let mut view = Microsoft365 {
            licences: Vec::new(),
            licences_freshness: sources.of(&app, "licence"),
            secure_scores: Vec::new(),
            secure_scores_freshness: sources.of(&app, "secure_score"),
            domains: Vec::new(),
            domains_freshness: sources.of(&app, "domain"),
        };
        for record in tx.records_under(&entities("licence"), "licence").await? {
            let licence: integration::Licence = body(&record)?;
            if !told.news(&record, &licence.part_number) {
                continue;
            }
            view.licences.push(Licence {
                name: licence.name,
                part_number: licence.part_number,
                total: licence.total,
                used: licence.used,
                status: licence.status,
                unlimited: licence.unlimited,
            });
        }
        for record in tx.records_under(&entities("secure_score"), "secure_score").await? {
            let score: integration::SecureScore = body(&record)?;
            if !told.news(&record, "") {
                continue;
            }
            view.secure_scores.push(SecureScore {
                entity_id: record.entity_id.0,
                current: score.current,
                max: score.max,
                percent: (score.max > 0.0).then(|| (1_000.0 * score.current / score.max).round() / 10.0),
                day: score.day.map(|day| day.to_string()),
                average: score.average,
            });
        }
        for record in tx.records_under(&entities("domain"), "domain").await? {
            let domain: integration::Domain = body(&record)?;
            if !told.news(&record, &domain.name) {
                continue;
            }
            view.domains.push(DomainName {
                name: domain.name,
                verified: domain.verified,
                default: domain.default,
                initial: domain.initial,
                authentication: domain.authentication,
                services: domain.services,
            });
        }
        Ok(Answer::new(view))
    }
}

/// What was told of each tenant.
struct Told {
    tenants: HashMap<EntityId, String>,
    told: HashSet<(String, String, String)>,
}

impl Told {
    fn of(sources: &Sources, app: &App) -> Self {
        let kinds = ["licence", "secure_score", "domain"];
        let entities = kinds.iter().flat_map(|kind| sources.entities_for(app, kind));
        let tenants = entities.map(|entity| (entity.id, entity.vendor_id.to_ascii_lowercase())).collect();
        Self { tenants, told: HashSet::new() }
    }

    /// Whether nobody told of this before.
    fn news(&mut self, record: &Record, what: &str) -> bool {
        let tenant = self.tenants.get(&record.entity_id).cloned().unwrap_or_else(|| record.entity_id.to_string());
        self.told.insert((tenant, record.kind.clone(), what.to_ascii_lowercase()))
    }
}

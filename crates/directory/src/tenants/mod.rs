//! Microsoft 365 tenants. One tenant may be listed by several connections: it is shown once, and each figure is taken
//! from the connection that knows it best, which is the freshest.

mod assemble;
mod life;

use std::{cmp::Ordering, collections::HashMap};

use domain::{
    ClientId, ConnectionId, EntityId, Error, Health, Listed, PageRequest, Problem, Result, Seats, SortOrder,
    TenantSetting, Timestamp, name_key, valid_name,
};
use persistence::{CustomerEntity, Tx};

use self::assemble::assemble;
pub(crate) use self::life::connected;
pub use self::life::{MOST_TENANTS, Tagged, tenant_disconnect, tenant_reconnect, tenants_connections, tenants_tag};

/// Whether an integration's connector can list a kind of record.
pub type Can<'a> = &'a (dyn Fn(&str, &str) -> bool + Send + Sync);

/// Most tags of a tenant.
const MOST_TAGS: usize = 20;
/// Longest tag, in characters.
const LONGEST_TAG: usize = 50;

/// A tenant.
#[derive(Clone, Debug)]
pub struct Tenant {
    /// Id: the least of the ids of its entities.
    pub id: EntityId,
    /// The entities that are this tenant, one for each connection that lists it.
    pub entities: Vec<EntityId>,
    /// The connections that list it.
    pub connections: Vec<ConnectionId>,
    /// Microsoft's id, lower case.
    pub tenant: String,
    /// Name: that given by the staff, else the vendor's.
    pub name: String,
    /// Name at the vendor, as last seen.
    pub vendor_name: String,
    /// Its main domain.
    pub domain: Option<String>,
    /// What people say of it.
    pub setting: Option<TenantSetting>,
    /// The customer that has it.
    pub client: Option<(ClientId, String)>,
    /// How it is.
    pub health: Health,
    /// Why.
    pub reasons: Vec<String>,
    /// Secure score in percent, however old.
    pub score: Option<f64>,
    /// Its licences, however old; `None` while they were never listed to the end, or one is not counted.
    pub licences: Option<Licences>,
    /// Directory users with a licence; `None` while they were never listed to the end, or were not counted.
    pub users: Option<i64>,
    /// Directory users without.
    pub unlicensed: Option<i64>,
    /// The oldest time of its users, licences and score; `None` while one of them was never listed to the end.
    pub synced_at: Option<Timestamp>,
    /// Whether one of them is too old, its connection does not work, or the tenant is disconnected.
    pub stale: bool,
    /// When the last connection stopped listing it.
    pub removed_at: Option<Timestamp>,
    users_from: Option<EntityId>,
}

/// Seats of products, summed. Free products without a limit do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Licences {
    /// Seats owned.
    pub owned: i64,
    /// Seats in use.
    pub used: i64,
}

impl Licences {
    /// The sum; `None` where one product does not say.
    fn of(seats: &[Seats]) -> Option<Self> {
        let counted = || seats.iter().filter(|one| !one.unlimited);
        let owned = counted().map(|one| one.total).sum::<Option<i64>>()?;
        let used = counted().map(|one| one.used).sum::<Option<i64>>()?;
        Some(Self { owned, used })
    }
}

/// Which tenants are wanted.
#[derive(Clone, Debug, Default)]
pub struct TenantFilter {
    /// Part of the name, a domain or the customer's name.
    pub text: Option<String>,
    /// Only so.
    pub health: Option<Health>,
    /// Only with this tag.
    pub tag: Option<String>,
    /// Only of this customer.
    pub client: Option<ClientId>,
}

/// Order of the tenants; ids break ties.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum TenantSort {
    #[default]
    Name,
    Domain,
    Customer,
    Health,
    Users,
    Score,
    Synced,
}

/// What to change about a tenant.
#[derive(Clone, Debug, Default)]
pub struct TenantPatch {
    /// New name in place of the vendor's; `Some(None)` takes it back.
    pub display_name: Option<Option<String>>,
    /// New tags.
    pub tags: Option<Vec<String>>,
}

/// A page of the tenants in scope. Health and figures are worked out of what is stored, so all tenants of the scope
/// are read for a page of them.
pub async fn tenant_list(
    tx: &Tx,
    filter: &TenantFilter,
    (sort, order): (TenantSort, SortOrder),
    page: &PageRequest,
    can: Can<'_>,
) -> Result<Listed<Tenant>> {
    if let Some(client) = filter.client {
        tx.client(client).await?;
    }
    let mut tenants = assemble(tx, tx.tenant_entities().await?, can).await?;
    let text = filter.text.as_deref().map(name_key).filter(|text| !text.is_empty());
    let tag = filter.tag.as_deref().map(name_key).filter(|tag| !tag.is_empty());
    tenants.retain(|tenant| {
        let tagged = |tag: &String| {
            tenant.setting.as_ref().is_some_and(|said| said.tags.iter().any(|own| name_key(own) == *tag))
        };
        text.as_ref().is_none_or(|text| tenant.says(text))
            && tag.as_ref().is_none_or(tagged)
            && filter.health.is_none_or(|health| tenant.health == health)
            && filter.client.is_none_or(|client| tenant.client.as_ref().is_some_and(|(own, _)| *own == client))
    });
    if sort == TenantSort::Users {
        count(tx, &mut tenants).await?;
    }
    let total = i64::try_from(tenants.len()).unwrap_or(i64::MAX);
    let place = |tenant: &Tenant| (sort.key(tenant), tenant.id.0);
    let before = |a: &(String, uuid::Uuid), b: &(String, uuid::Uuid)| match order {
        SortOrder::Ascending => a.cmp(b),
        SortOrder::Descending => b.cmp(a),
    };
    if let Some(after) = &page.after {
        tenants.retain(|tenant| before(&place(tenant), after) == Ordering::Greater);
    }
    tenants.sort_by(|a, b| before(&place(a), &place(b)));
    let more = tenants.len() as u64 > page.limit;
    tenants.truncate(page.limit as usize);
    let next = more.then(|| tenants.last().map(place)).flatten();
    if sort != TenantSort::Users {
        count(tx, &mut tenants).await?;
    }
    Ok(Listed { items: tenants, next, total })
}

/// A tenant by the id of any of its entities.
pub async fn tenant_get(tx: &Tx, id: EntityId, can: Can<'_>) -> Result<Tenant> {
    let entities = tx.tenant_entities_of(&tenant_key(tx, id).await?).await?;
    let mut tenants = assemble(tx, entities, can).await?;
    tenants.retain(|tenant| tenant.entities.contains(&id));
    count(tx, &mut tenants).await?;
    tenants.pop().ok_or(Error::NotFound { what: "tenant" })
}

/// The tenants of each of these clients, by name.
pub async fn tenants_of(
    tx: &Tx,
    entities: Vec<CustomerEntity>,
    can: Can<'_>,
) -> Result<HashMap<ClientId, Vec<Tenant>>> {
    let mut tenants = assemble(tx, entities, can).await?;
    count(tx, &mut tenants).await?;
    tenants.sort_by_cached_key(|tenant| (name_key(&tenant.name), tenant.id));
    let mut of: HashMap<ClientId, Vec<Tenant>> = HashMap::new();
    for tenant in tenants {
        if let Some((client, _)) = tenant.client {
            of.entry(client).or_default().push(tenant);
        }
    }
    Ok(of)
}

/// Changes what people say of a tenant. `version` is that of the setting as it was read; 0 where there was none.
pub async fn tenant_update(
    tx: &Tx,
    id: EntityId,
    patch: TenantPatch,
    version: Option<i32>,
    can: Can<'_>,
) -> Result<Tenant> {
    let tenant = tenant_get(tx, id, can).await?;
    let before = tx.tenant_setting(&tenant.tenant).await?;
    if version.is_some_and(|version| version != before.as_ref().map_or(0, |before| before.version)) {
        return Err(Error::Stale { what: "tenant" });
    }
    let client_id = tenant.client.as_ref().map(|(client, _)| *client);
    let mut after = before.clone().unwrap_or_else(|| TenantSetting {
        id: tx.new_id(),
        tenant: tenant.tenant.clone(),
        client_id,
        display_name: None,
        tags: Vec::new(),
        disconnected_at: None,
        admitted_by: None,
        updated_at: tx.now(),
        version: 1,
    });
    let mut problems = Vec::new();
    match patch.display_name {
        None => {}
        Some(None) => after.display_name = None,
        Some(Some(name)) => match valid_name("/display_name", &name) {
            Ok(name) => after.display_name = Some(name),
            Err(problem) => problems.push(problem),
        },
    }
    if let Some(tags) = patch.tags {
        after.tags = checked_tags(&tags, &mut problems);
    }
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    let said = (&after.display_name, &after.tags);
    let same = before.as_ref().map_or((&None, &Vec::new()) == said, |b| (&b.display_name, &b.tags) == said);
    if !same {
        after.client_id = client_id;
        tx.tenant_setting_save(before.as_ref(), after).await?;
    }
    tenant_get(tx, id, can).await
}

fn checked_tags(tags: &[String], problems: &mut Vec<Problem>) -> Vec<String> {
    for (at, tag) in tags.iter().enumerate() {
        if tag.trim().is_empty() || tag.trim().chars().count() > LONGEST_TAG || tag.chars().any(char::is_control) {
            let message = format!("must have 1 to {LONGEST_TAG} characters on one line");
            problems.push(Problem::new(format!("/tags/{at}"), "not_a_tag", message));
        }
    }
    let kept = persistence::tags_kept(tags);
    if kept.len() > MOST_TAGS {
        problems.push(Problem::new("/tags", "too_many", format!("must be at most {MOST_TAGS}")));
    }
    kept
}

/// Microsoft's id of the tenant that an entity is.
pub(crate) async fn tenant_key(tx: &Tx, id: EntityId) -> Result<String> {
    Ok(tx.tenant_entity(id).await?.vendor_id.to_ascii_lowercase())
}

/// Counts the directory users of these tenants.
async fn count(tx: &Tx, tenants: &mut [Tenant]) -> Result<()> {
    let from: Vec<EntityId> = tenants.iter().filter_map(|tenant| tenant.users_from).collect();
    let counted = tx.licensed_under(&from).await?;
    for tenant in tenants {
        let Some(from) = tenant.users_from else { continue };
        let users = counted.get(&from).copied().unwrap_or_default();
        tenant.users = Some(users.licensed);
        tenant.unlicensed = Some(users.unlicensed);
    }
    Ok(())
}

impl Tenant {
    /// Since when nothing is asked about it any more.
    pub fn disconnected_at(&self) -> Option<Timestamp> {
        self.setting.as_ref().and_then(|said| said.disconnected_at)
    }

    /// Whether its name, its domain or its customer holds this text.
    fn says(&self, text: &str) -> bool {
        let customer = self.client.as_ref().map(|(_, name)| name.as_str());
        [Some(self.name.as_str()), Some(&self.vendor_name), self.domain.as_deref(), customer]
            .into_iter()
            .flatten()
            .any(|part| name_key(part).contains(text))
    }
}

impl TenantSort {
    /// A text that sorts as the figure does; what is unknown comes before all.
    fn key(self, tenant: &Tenant) -> String {
        match self {
            Self::Name => name_key(&tenant.name),
            Self::Domain => tenant.domain.as_deref().map(name_key).unwrap_or_default(),
            Self::Customer => tenant.client.as_ref().map(|(_, name)| name_key(name)).unwrap_or_default(),
            Self::Health => (tenant.health as u8).to_string(),
            Self::Users => tenant.users.map(|users| format!("{users:012}")).unwrap_or_default(),
            Self::Score => tenant.score.map(|score| format!("{score:012.4}")).unwrap_or_default(),
            Self::Synced => tenant.synced_at.map(|at| format!("{:020}", at.timestamp_micros())).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_known_only_where_each_product_is() {
        let seats = |total, used, unlimited| Seats { total, used, unlimited, ..Seats::default() };
        let paid = [seats(Some(10), Some(7), false), seats(Some(5), Some(5), false)];
        assert_eq!(Licences::of(&paid), Some(Licences { owned: 15, used: 12 }));
        let free = [paid.to_vec(), vec![seats(Some(1_000_000), Some(3), true)]].concat();
        assert_eq!(Licences::of(&free), Licences::of(&paid));
        assert_eq!(Licences::of(&[paid.to_vec(), vec![seats(None, Some(1), false)]].concat()), None);
        assert_eq!(Licences::of(&[]), Some(Licences::default()));
    }
}

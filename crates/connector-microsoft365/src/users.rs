//! Users of a tenant, by the change feed: the first listing is complete, later ones hold changes only.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{Cursor, DirectoryUser, Error, Item, Page, Position, Pull, Reach, Result, Retry, Vendor};
use serde::{Deserialize, de::IgnoredAny};

use crate::{
    Microsoft365,
    api::{Source, tenant},
    wire,
};

// Without `Prefer: return=minimal`, which would leave out what did not change.
const USERS: Source = Source {
    path: "users/delta",
    query: "$select=id,userPrincipalName,displayName,mail,accountEnabled,userType,assignedLicenses,jobTitle,department,\
            createdDateTime,onPremisesSyncEnabled",
    right: "Directory.Read.All",
};

/// How the cursor of a round of changes begins; Microsoft's link follows.
const CHANGES: &str = "changes ";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    id: String,
    user_principal_name: Option<String>,
    display_name: Option<String>,
    mail: Option<String>,
    account_enabled: Option<bool>,
    user_type: Option<String>,
    assigned_licenses: Option<Vec<Assigned>>,
    job_title: Option<String>,
    department: Option<String>,
    created_date_time: Option<String>,
    on_premises_sync_enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assigned {
    sku_id: String,
}

/// Both reasons (soft-deleted, deleted for good) mean that the user is gone.
#[derive(Deserialize)]
struct Gone {
    id: String,
    #[serde(rename = "@removed")]
    _removed: IgnoredAny,
}

fn gone(raw: &Bytes) -> Option<String> {
    serde_json::from_slice::<Gone>(raw).ok().map(|gone| gone.id)
}

#[async_trait]
impl Pull<DirectoryUser> for Microsoft365 {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    fn incremental(&self) -> bool {
        true
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let cursor = at.cursor.map(Cursor::as_str);
        let going_on = cursor.and_then(|cursor| cursor.strip_prefix(CHANGES));
        let since = at.since.filter(|_| cursor.is_none());
        let changes_only = going_on.is_some() || since.is_some();
        let listed = self.api.list(tenant(at)?, &USERS, going_on.or(cursor).or(since)).await?;
        if listed.next.is_none() && listed.delta.is_none() {
            let why = "a page of users that is neither the last nor followed by another";
            return Err(Error::unreadable(Self::NAME, why).retry(Retry::Yes));
        }
        let (removed, records): (Vec<_>, Vec<_>) =
            listed.records.into_iter().map(|raw| (gone(&raw), raw)).partition(|(gone, _)| gone.is_some());
        let prefix = if changes_only { CHANGES } else { "" };
        Ok(Page {
            records: records.into_iter().map(|(_, raw)| raw).collect(),
            removed: removed.into_iter().filter_map(|(gone, _)| gone).collect(),
            next: listed.next.map(|link| Cursor::new(format!("{prefix}{link}"))),
            mark: listed.delta,
            changes_only,
            ..Page::default()
        })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<DirectoryUser>, String> {
        let wire: Wire = wire::read(raw, "a user")?;
        let principal_name = wire::text(wire.user_principal_name);
        let name = wire::text(wire.display_name).or_else(|| principal_name.clone()).unwrap_or_else(|| wire.id.clone());
        let record = DirectoryUser {
            name,
            principal_name,
            email: wire::text(wire.mail),
            enabled: wire.account_enabled,
            guest: match wire.user_type.as_deref() {
                Some("Guest") => Some(true),
                Some("Member") => Some(false),
                _ => None,
            },
            job_title: wire::text(wire.job_title),
            department: wire::text(wire.department),
            licence_ids: wire.assigned_licenses.unwrap_or_default().into_iter().map(|one| one.sku_id).collect(),
            created_at: wire::instant(wire.created_date_time.as_deref()),
            last_sign_in_at: None,
            synchronised: wire.on_premises_sync_enabled,
        };
        Ok(Item { id: wire.id, entity: None, record })
    }
}

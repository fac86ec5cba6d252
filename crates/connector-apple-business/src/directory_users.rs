//! Users: people with a Managed Apple Account, or invited with their own.

use async_trait::async_trait;
use integration::{Cursor, DirectoryUser, Error, Item, Kind, Page, Position, Pull, Result};

use crate::{AppleBusiness, api::PAGE_SIZE, wire};

const NO_USERS: &str = "Apple Business shows no users to this API account: they are not part of it, or it lacks the right to \
                        read people";

#[async_trait]
impl Pull<DirectoryUser> for AppleBusiness {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let slice = self.api.list(&["users"], PAGE_SIZE, &[], at.cursor.map(Cursor::as_str)).await;
        let slice = slice.map_err(|error| match error.kind {
            // An account without users is no account with none: what is known of them stays.
            Kind::Forbidden | Kind::NotFound => Error { kind: Kind::Forbidden, message: NO_USERS.to_owned(), ..error },
            _ => error,
        })?;
        let next = slice.next.map(Cursor::new);
        Ok(Page { records: slice.records, next, total: slice.total, ..Page::default() })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<DirectoryUser>, String> {
        let resource: wire::Resource<wire::User> = wire::read(raw, "a user")?;
        let user = resource.attributes.unwrap_or_default();
        let name = [user.first_name.0, user.last_name.0].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let name = Some(name).filter(|name| !name.is_empty());
        let record = DirectoryUser {
            name: name
                .or_else(|| user.managed_apple_account.0.clone())
                .or_else(|| user.email.0.clone())
                .unwrap_or_else(|| resource.id.clone()),
            principal_name: user.managed_apple_account.0,
            email: user.email.0,
            enabled: match user.status.0.as_deref() {
                Some("ACTIVE") => Some(true),
                Some("DEACTIVATED" | "LOCKED") => Some(false),
                _ => None,
            },
            guest: user.is_external_user.0,
            job_title: user.job_title.0,
            department: user.department.0,
            created_at: user.created_date_time.0,
            ..DirectoryUser::default()
        };
        Ok(Item { id: resource.id, entity: Some(self.api.account().to_owned()), record })
    }
}

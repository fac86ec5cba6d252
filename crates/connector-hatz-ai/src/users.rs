//! Users of a tenant. The vendor announces their list, but its path and fields are not published: where it is not
//! there, the tenant's users are unknown, and their number is with its package.

use async_trait::async_trait;
use integration::{DirectoryUser, Error, Item, Kind, Page, Position, Pull, Reach, Result};

use crate::{HatzAi, wire};

#[async_trait]
impl Pull<DirectoryUser> for HatzAi {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let Some(tenant) = at.entity else {
            return Err(Error::new(Kind::Refused, "users of Hatz AI are listed tenant by tenant"));
        };
        let page = self.api.page(&["tenants", tenant, "users"], at.cursor).await;
        page.map_err(|error| match error.status {
            // Not an empty page: that would say that the tenant has no users. An error of this kind concerns the
            // one listing only; what else there is of the tenant is synced all the same.
            Some(404 | 405) => Error { kind: Kind::NotOffered, message: NOT_OFFERED.to_owned(), ..error },
            _ => error,
        })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<DirectoryUser>, String> {
        let user: wire::User = wire::read(raw, "a user")?;
        let id = user.id.0.ok_or("a user without an id")?;
        let names: Vec<String> = [user.first_name.0, user.last_name.0].into_iter().flatten().collect();
        let name = Some(names.join(" ")).filter(|name| !name.is_empty()).or(user.name.0);
        let record = DirectoryUser {
            name: name.or_else(|| user.email.0.clone()).unwrap_or_else(|| format!("User {id}")),
            principal_name: user.email.0.clone(),
            email: user.email.0,
            enabled: user.status.0.as_deref().and_then(enabled),
            created_at: user.created_at.0,
            last_sign_in_at: user.last_sign_in_at.0,
            ..DirectoryUser::default()
        };
        Ok(Item { id, entity: None, record })
    }
}

/// Words that are not known say neither.
fn enabled(status: &str) -> Option<bool> {
    match status.to_ascii_lowercase().as_str() {
        "active" => Some(true),
        "inactive" | "disabled" | "suspended" | "deactivated" => Some(false),
        _ => None,
    }
}

const NOT_OFFERED: &str = "Hatz AI does not offer the list of this tenant's users over its interface, or does not know the \
                           tenant any more. The users are unknown; their number is shown with the tenant's package";

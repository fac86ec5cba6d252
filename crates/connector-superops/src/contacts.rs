//! Client users. They are asked for client by client: the client in a user's own record is often null.

use async_trait::async_trait;
use integration::{Contact, Item, Page, Position, Pull, Reach, Result};
use serde::Deserialize;

use crate::{
    Superops,
    loose::{self, Maybe, Text, Tie},
    paging::List,
};

/// What is asked of a user, wherever one is answered.
pub(crate) const FIELDS: &str = "userId firstName lastName name email contactNumber site";

const LIST: List = List {
    name: "getClientUserList",
    input: "GetClientUserListInput!",
    items: "userList",
    fields: FIELDS,
    sort: None,
    owned: |_| true,
};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct User {
    user_id: Text,
    first_name: Text,
    last_name: Text,
    name: Text,
    email: Text,
    contact_number: Text,
    site: Maybe<Tie>,
}

#[async_trait]
impl Pull<Contact> for Superops {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        self.api.page(&LIST, at).await
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Contact>, String> {
        let user: User = loose::read("a client user", raw)?;
        let id = user.user_id.own_id("a client user")?;
        let record = Contact {
            name: user.name.0.or_else(|| user.email.0.clone()).unwrap_or_else(|| format!("User {id}")),
            given_name: user.first_name.0,
            family_name: user.last_name.0,
            email: user.email.0,
            phone: user.contact_number.0,
            location_id: user.site.id(),
            ..Contact::default()
        };
        Ok(Item { id, entity: None, record })
    }
}

//! Who may send: single addresses, then the users of the SMTP service. Two listings, one after the other.

use async_trait::async_trait;
use bytes::Bytes;
use integration::{Cursor, Item, MailSender, Page, Position, Pull, Reach, Result};
use serde_json::Value;

use crate::{Smtp2go, wire};

/// The cursor of the second listing.
const USERS: &str = "users";

#[async_trait]
impl Pull<MailSender> for Smtp2go {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let asked = self.whose(at)?.body();
        if at.cursor.is_some() {
            let rows = self.api.rows("/users/smtp/view", asked, "results").await?;
            return Ok(Page { records: rows.iter().map(without_password).collect(), ..Page::default() });
        }
        let records = self.api.rows("/single_sender_emails/view", asked, "senders").await?;
        Ok(Page { records, next: Some(Cursor::new(USERS)), ..Page::default() })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<MailSender>, String> {
        let wire: wire::Sender = wire::read(raw, "a sender")?;
        let (id, address, class) = match (wire.email_address.0, wire.username.0) {
            (Some(address), _) => (format!("sender {address}"), address, "single sender"),
            (None, Some(name)) => (format!("user {name}"), name, "SMTP user"),
            (None, None) => return Err("a sender has neither an address nor a user name".into()),
        };
        let record = MailSender {
            address,
            class: Some(class.into()),
            verified: wire.verified.0,
            allowed: wire.sending_allowed.0,
            status: wire.status.0,
            description: wire.description.0,
        };
        Ok(Item { id, entity: None, record })
    }
}

/// A user's row as it may be stored: the vendor puts the password into it as it is. A row of another shape
/// could hold it anywhere, so nothing of it is kept.
fn without_password(row: &Bytes) -> Bytes {
    match serde_json::from_slice(row) {
        Ok(Value::Object(mut fields)) => {
            fields.retain(|name, _| !name.to_ascii_lowercase().contains("password"));
            Value::Object(fields).to_string().into()
        }
        _ => Bytes::from_static(b"null"),
    }
}

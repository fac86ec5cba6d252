//! Extensions: people's numbers, each under itself.

use std::sync::{Arc, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use integration::{Cursor, Extension, Item, Page, Position, Pull, Result};
use serde_json::{Map, Value, json};

use crate::{
    Threecx,
    calls::Counts,
    odata::{self, Listing},
    wire,
};

/// Never any of the passwords, PINs and sign-in names that a user has at 3CX.
pub(crate) const USERS: Listing = Listing {
    path: "Users",
    select: &[
        "Number",
        "FirstName",
        "LastName",
        "DisplayName",
        "EmailAddress",
        "Enabled",
        "IsRegistered",
        "CurrentProfileName",
        "OutboundCallerID",
    ],
    order: "Number",
    filter: Some("not startsWith(Number,'HD')"),
};

#[async_trait]
impl Pull<Extension> for Threecx {
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let skip = odata::skip(at.cursor)?;
        // The extensions first: what is wrong with the connection shows here, and not as a history that is unknown.
        let page = self.api.rows(&USERS, None, skip).await?;
        let counts = self.counts(skip == 0).await?;
        let records = page.rows.into_iter().map(|row| raw(row, counts.as_ref().as_ref())).collect();
        let next = page.next.map(|skip| Cursor::new(skip.to_string()));
        Ok(Page { records, next, total: page.total, ..Page::default() })
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Extension>, String> {
        let wire::Counted { user, calls } = wire::read(raw, "extension")?;
        let number = user.number.0.ok_or("an extension has no number")?;
        let names: Vec<String> = [user.first_name.0, user.last_name.0].into_iter().flatten().collect();
        let full = Some(names.join(" ")).filter(|name| !name.is_empty());
        let record = Extension {
            number: number.clone(),
            name: user.display_name.0.or(full),
            email: user.email_address.0,
            class: Some("Extension".to_owned()),
            enabled: user.enabled.0,
            registered: user.is_registered.0,
            presence: user.current_profile_name.0,
            caller_id: user.outbound_caller_id.0,
            calls_made: calls.map(|calls| calls.made),
            calls_answered: calls.map(|calls| calls.answered),
            calls_missed: calls.map(|calls| calls.missed),
        };
        Ok(Item { id: number.clone(), entity: Some(number), record })
    }
}

impl Threecx {
    /// The calls: counted at the beginning of a listing, and kept for its other pages.
    async fn counts(&self, anew: bool) -> Result<Arc<Option<Counts>>> {
        let kept = self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(kept) = kept.filter(|_| !anew) {
            return Ok(kept);
        }
        let counted = Arc::new(Counts::walk(&self.api).await?);
        *self.counts.lock().unwrap_or_else(PoisonError::into_inner) = Some(counted.clone());
        Ok(counted)
    }
}

fn raw(user: Map<String, Value>, counts: Option<&Counts>) -> Bytes {
    let number = user.get("Number").and_then(Value::as_str).unwrap_or_default();
    let calls = counts.map(|counts| counts.of(number));
    json!({ "user": user, "calls": calls }).to_string().into()
}

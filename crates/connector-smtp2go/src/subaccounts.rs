//! The subaccounts of a master account: where that is wanted, each is an entity of its own, which may be another
//! client's.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use integration::{Cursor, Error, Kind, Page, Position, Result, Vendor};
use serde_json::{Value, json};

use crate::{Smtp2go, account, wire};

/// Begins the id of an entity that is a subaccount.
const MARK: &str = "subaccount/";

/// Begins the place in the listing of subaccounts.
const PLACE: &str = "subaccounts/";

/// Subaccounts of one page.
const SIZE: usize = 100;

/// Pages that are looked through for the plan of one.
const PAGES: usize = 1_000;

/// Whose listing is asked for.
pub(crate) enum Whose<'a> {
    /// The account's own.
    Own,
    /// A subaccount's, by SMTP2GO's id of it.
    Of(&'a str),
}

impl Whose<'_> {
    /// How a request says so.
    pub(crate) fn body(&self) -> Value {
        match self {
            Self::Own => json!({}),
            Self::Of(id) => json!({ "subaccount_id": id }),
        }
    }
}

/// The entity's id of a subaccount.
pub(crate) fn entity_id(id: &str) -> String {
    format!("{MARK}{id}")
}

impl Smtp2go {
    /// Whose listing a position names.
    pub(crate) fn whose<'a>(&self, at: Position<'a>) -> Result<Whose<'a>> {
        match at.entity {
            Some(account::ID) => Ok(Whose::Own),
            Some(entity) if self.subaccounts && entity.len() > MARK.len() && entity.starts_with(MARK) => {
                Ok(Whose::Of(&entity[MARK.len()..]))
            }
            _ => Err(Error::new(Kind::NotFound, "this connection to SMTP2GO has no such account")),
        }
    }

    /// Where the listing of subaccounts begins, if they are wanted.
    pub(crate) fn subaccounts_begin(&self) -> Option<Cursor> {
        self.subaccounts.then(|| Cursor::new(PLACE))
    }

    /// One page of the subaccounts. Closed ones are gone to SMTP2GO too: nothing of them can be asked for.
    pub(crate) async fn subaccount_page(&self, cursor: &Cursor) -> Result<Page> {
        let token = cursor.as_str().strip_prefix(PLACE).unwrap_or_default();
        let (rows, next) = self.subaccount_rows(token).await?;
        let closed = |raw: &Bytes| wire::read::<wire::Subaccount>(raw, "").is_ok_and(|row| row.closed());
        let records = rows.into_iter().filter(|raw| !closed(raw)).map(|raw| {
            // Marked, so that a row without an id is never taken for the account itself.
            let mut marked = br#"{"subaccount":"#.to_vec();
            marked.extend_from_slice(&raw);
            marked.push(b'}');
            Bytes::from(marked)
        });
        let next = next.map(|token| Cursor::new(format!("{PLACE}{token}")));
        Ok(Page { records: records.collect(), next, ..Page::default() })
    }

    /// What a subaccount has sent: its plan's figures, and those of the last 30 days. As the reader of the account's own
    /// summary expects them.
    pub(crate) async fn subaccount_usage(&self, id: &str) -> Result<Bytes> {
        let plan = self.plan(id).await?;
        let asked = json!({ "group_by": "subaccount", "subaccounts": [id] });
        let data = self.api.read_with("/stats/email_history", asked).await?;
        let history: wire::History = serde_json::from_slice(&data).map_err(|why| self.api.unreadable(&why))?;
        if history.history.len() > 1 {
            return Err(Error::unreadable(Self::NAME, "the history of several subaccounts instead of one"));
        }
        // No row: it sent nothing.
        let row = history.history.into_iter().next().unwrap_or_else(|| json!({ "used": 0 }));
        let summary = json!({
            "name": plan.name.0, "cycle_used": plan.plan_used.0, "cycle_max": plan.plan_size.0,
            "email_count": row["used"], "spam_emails": row["spam"], "unsubscribes": row["unsubscribes"],
            "rejects": row["rejects"], "opens": row["opens"], "clicks": row["clicks"],
        });
        serde_json::to_vec(&summary).map(Bytes::from).map_err(|why| Error::unreadable(Self::NAME, why))
    }

    /// A subaccount's plan, out of the listing: it is walked once for all of them.
    async fn plan(&self, id: &str) -> Result<Arc<wire::Subaccount>> {
        if let Some(known) = self.plans.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get(id) {
            return Ok(known.clone());
        }
        let (mut found, mut token) = (BTreeMap::new(), String::new());
        for _ in 0..PAGES {
            let (rows, next) = self.subaccount_rows(&token).await?;
            let read = rows.iter().filter_map(|raw| wire::read::<wire::Subaccount>(raw, "a subaccount").ok());
            found.extend(read.filter_map(|row| Some((row.id.0.clone()?, Arc::new(row)))));
            let Some(next) = next else { break };
            token = next;
        }
        let known = found.get(id).cloned();
        *self.plans.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = found;
        known.ok_or_else(|| Error::new(Kind::NotFound, "SMTP2GO does not list this subaccount (any more)"))
    }

    async fn subaccount_rows(&self, token: &str) -> Result<(Vec<Bytes>, Option<String>)> {
        let mut asked = json!({ "states": "all", "page_size": SIZE });
        if !token.is_empty() {
            asked["continue_token"] = token.into();
        }
        let data = self.api.read_with("/subaccounts/search", asked).await?;
        let rows = wire::rows(&data, "subaccounts").map_err(|why| self.api.unreadable(&why))?;
        let rows = rows.ok_or_else(|| Error::unreadable(Self::NAME, "a listing without its subaccounts"))?;
        let place: wire::Place = serde_json::from_slice(&data).map_err(|why| self.api.unreadable(&why))?;
        let rows = rows.into_iter().map(|row| integration::raw_slice(&data, row)).collect();
        Ok((rows, place.continue_token.0))
    }
}

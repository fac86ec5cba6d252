//! Backups: everything that is backed up for one customer. Each product is a list of its own; here they are one.

use std::{
    collections::HashSet,
    sync::{Arc, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use integration::{Backup, Cursor, Error, Item, Kind, Page, Position, Pull, Reach, Result};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Dropsuite,
    api::{Answer, Api, NAME},
    health,
    paging::{Rows, whole},
    wire,
};

/// A product: its list, and what one thing in it is.
struct Product {
    path: &'static [&'static str],
    /// Begins our ids: the numbers of two products may be equal.
    name: &'static str,
}

const MAILBOXES: &str = "mailbox";
/// Where mailboxes are listed that the vendor cannot reach.
const UNREACHABLE: [&str; 2] = ["accounts", "connection_failures"];

/// In the order of listing. It may only grow at its end: cursors count along it.
const PRODUCTS: [Product; 4] = [
    Product { path: &["accounts"], name: MAILBOXES },
    Product { path: &["onedrives"], name: "OneDrive" },
    Product { path: &["sharepoints", "domains"], name: "SharePoint" },
    Product { path: &["teams_and_groups", "domains"], name: "Teams" },
];

/// Where a listing is: product, page, and the first id of the page before.
type Place = (usize, u32, Option<String>);

fn place(cursor: Option<&Cursor>) -> Result<Place> {
    let Some(cursor) = cursor else { return Ok((0, 1, None)) };
    serde_json::from_str(cursor.as_str())
        .map_err(|_| Error::new(Kind::Expired, "this place in a listing of Dropsuite is not known: list anew"))
}

#[async_trait]
impl Pull<Backup> for Dropsuite {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    /// Products that end on this page are followed by the next ones at once, so that a page is empty only where a
    /// customer has nothing.
    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let Some(customer) = at.entity else {
            return Err(Error::new(Kind::Refused, "backups of Dropsuite are listed customer by customer"));
        };
        let (mut product, mut page, mut before) = place(at.cursor)?;
        let (mut records, mut next, mut refusal) = (Vec::new(), None, None);
        let mut answered = at.cursor.is_some();
        while let Some(one) = PRODUCTS.get(product) {
            match self.api.of_customer(customer, one.path, page).await? {
                Answer::NotBought(error) => refusal = Some(error),
                Answer::Rows(rows) => {
                    answered = true;
                    let (first, more) = (rows.first.clone(), rows.more);
                    let repeated = rows.repeats(before.as_deref())?;
                    if !repeated {
                        let unreachable = self.api.unreachable(customer, one, page).await?;
                        records.extend(backed_up(rows, customer, one, &unreachable)?);
                    }
                    if more && !repeated {
                        let place: Place = (product, page + 1, first);
                        next = Some(Cursor::new(json!(place).to_string()));
                        break;
                    }
                }
            }
            self.api.forget_unreachable(customer, one);
            (product, page, before) = (product + 1, 1, None);
        }
        match refusal {
            // Without one answer "nothing is backed up" would be a guess.
            Some(error) if !answered => {
                Err(Error { kind: Kind::Forbidden, message: NOTHING_BOUGHT.to_owned(), ..error })
            }
            _ => Ok(Page { records, next, ..Page::default() }),
        }
    }

    fn read(&self, raw: &[u8]) -> Result<Item<Backup>, String> {
        let seen: wire::Seen = wire::read(raw, "a backup")?;
        let state = health::state(&seen, self.late_after);
        let status = health::words(&seen.record);
        let account = seen.record;
        let id = account.id.0.ok_or("a backup without an id")?;
        let names = [account.email, account.domain_name, account.username, account.display_name];
        let record = Backup {
            name: names.into_iter().find_map(|name| name.0).unwrap_or_else(|| format!("{} {id}", seen.product)),
            state,
            status,
            last_success_at: account.last_backup.at(),
            // Of mailboxes some say that it counts kilobytes.
            bytes: account.storage.0.filter(|_| seen.product != MAILBOXES),
            class: Some(seen.product.clone()),
            ..Backup::default()
        };
        Ok(Item { id: format!("{}/{id}", seen.product), entity: None, record })
    }
}

impl Api {
    /// Ids of the customer's mailboxes that the vendor cannot reach. They are asked for once in a walk.
    async fn unreachable(&self, customer: &str, product: &Product, page: u32) -> Result<Arc<HashSet<String>>> {
        if product.name != MAILBOXES {
            return Ok(Arc::default());
        }
        let kept = self.unreachable.lock().unwrap_or_else(PoisonError::into_inner).get(customer).cloned();
        if let Some(kept) = kept.filter(|_| page > 1) {
            return Ok(kept);
        }
        let listed = whole(|page| async move {
            match self.of_customer(customer, &UNREACHABLE, page).await? {
                Answer::Rows(rows) => Ok(Some(rows)),
                Answer::NotBought(_) => Ok(None),
            }
        });
        let ids: Arc<HashSet<String>> = Arc::new(listed.await?.records.iter().filter_map(wire::id_of).collect());
        self.unreachable.lock().unwrap_or_else(PoisonError::into_inner).insert(customer.to_owned(), ids.clone());
        Ok(ids)
    }

    fn forget_unreachable(&self, customer: &str, product: &Product) {
        if product.name == MAILBOXES {
            self.unreachable.lock().unwrap_or_else(PoisonError::into_inner).remove(customer);
        }
    }
}

/// The raw records of what is still backed up.
///
/// Whether a backup is late depends on the moment, and a record is read again years later. So each goes with the
/// moment at which it was seen: what was late then is late whenever it is read.
fn backed_up(rows: Rows, customer: &str, product: &Product, unreachable: &HashSet<String>) -> Result<Vec<Bytes>> {
    let mut kept = Vec::with_capacity(rows.records.len());
    for record in rows.records {
        // One that cannot be read stays, so that it is counted as rejected.
        let account = wire::Account::deserialize(&record).unwrap_or_default();
        if account.user.0.and_then(|user| user.organization_id.0).is_some_and(|owner| owner != customer) {
            return Err(Error::unreadable(NAME, "a record of another customer").at("customer", customer));
        }
        if account.deactivated_since.0.is_some() || account.flg_deleted.0 == Some(true) {
            continue;
        }
        let unreachable = account.id.0.is_some_and(|id| unreachable.contains(&id));
        let record: Value = wire::without_secrets(record);
        let seen = json!({
            "seen_at": rows.at, "product": product.name, "unreachable": unreachable, "record": record,
        });
        kept.push(wire::bytes(&seen));
    }
    Ok(kept)
}

const NOTHING_BOUGHT: &str = "Dropsuite refuses every product of this customer: none may be bought, or the customer is \
                              closed. What is backed up is unknown";

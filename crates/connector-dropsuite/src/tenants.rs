//! The Microsoft tenants that customers are connected to: the surest way to tell whose a customer is. The vendor tells
//! them by one more call for each customer, so customers come in chunks.

use std::sync::Arc;

use bytes::Bytes;
use integration::{Cursor, Error, Kind, Page, Position, Result};
use serde_json::{Map, Value};

use crate::{
    access::Known,
    api::{Api, PAGE_SIZE},
    customers::Customer,
    wire,
};

/// Customers of one page: as many calls.
const CHUNK: usize = 25;

/// All customers as one run lists them, and whether the vendor says that these are all.
pub(crate) type Listed = Arc<(Vec<Customer>, bool)>;

impl Api {
    /// A page of the customers with their tenants. The cursor is how many came before, and the last of them.
    pub(crate) async fn customers_with_tenants(&self, at: Position<'_>) -> Result<Page> {
        let listed = self.listed(at.cursor.is_none()).await?;
        let (customers, counted) = &*listed;
        let from = match at.cursor {
            None => 0,
            Some(cursor) => place(cursor, customers).ok_or_else(|| {
                Error::new(Kind::Expired, "customers came or went at Dropsuite while they were listed")
            })?,
        };
        let chunk = &customers[from..customers.len().min(from + CHUNK)];
        let mut records = Vec::with_capacity(chunk.len());
        for customer in chunk {
            records.push(self.with_tenants(customer).await?);
        }
        let until = from + chunk.len();
        let next = chunk.last().filter(|_| until < customers.len());
        Ok(Page {
            records,
            next: next.map(|last| Cursor::new(format!("{until}/{}", last.id.as_deref().unwrap_or_default()))),
            total: counted.then_some(customers.len() as u64),
            ..Page::default()
        })
    }

    /// The customers of this listing: asked for at its beginning, and again by whoever goes on in its middle.
    async fn listed(&self, anew: bool) -> Result<Listed> {
        let mut kept = self.listed.lock().await;
        if let Some(listed) = kept.as_ref().filter(|_| !anew) {
            return Ok(listed.clone());
        }
        let listed = Arc::new(self.customers().await?);
        *self.known.lock().await = Some(Known::of(&listed.0, self.http.now()));
        *kept = Some(listed.clone());
        Ok(listed)
    }

    /// The customer's raw record with its tenants in it, where the vendor tells them to the reseller.
    async fn with_tenants(&self, customer: &Customer) -> Result<Bytes> {
        let Some(login) = &customer.login else { return Ok(customer.raw.clone()) };
        let Some(tenants) = self.tenants(login).await? else { return Ok(customer.raw.clone()) };
        let mut record: Map<String, Value> = serde_json::from_slice(&customer.raw).unwrap_or_default();
        record.insert("tenants".to_owned(), tenants.into_iter().map(wire::without_secrets).collect());
        Ok(wire::bytes(&Value::Object(record)))
    }

    /// The tenants of a customer by its login; `None` where they are not told.
    async fn tenants(&self, login: &str) -> Result<Option<Vec<Value>>> {
        let response = self.exchange(&["users", login, "tenants"], 1, PAGE_SIZE, &self.own).await?;
        if matches!(response.status, 401 | 403 | 404) {
            return Ok(None);
        }
        let rows = self.succeeded(response).and_then(|response| self.rows_of(&response, 1));
        rows.map(|rows| Some(rows.records)).map_err(|error| error.at("login", login))
    }
}

/// Where a cursor stands, if the customer before it is still there.
fn place(cursor: &Cursor, customers: &[Customer]) -> Option<usize> {
    let (until, last) = cursor.as_str().split_once('/')?;
    let until: usize = until.parse().ok()?;
    let before = customers.get(until.checked_sub(1)?)?;
    (before.id.as_deref().unwrap_or_default() == last && until < customers.len()).then_some(until)
}

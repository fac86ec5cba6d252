//! The tokens that customers have for themselves. The vendor tells them with its list of customers, and nowhere
//! else by the number that we know a customer by. They are kept in memory only, never with a record.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use integration::{Error, Kind, Result, Secret};

use crate::{
    api::{Api, TOKEN_REFUSED},
    customers::Customer,
};

/// How long the tokens are used without asking again.
const KEPT: TimeDelta = TimeDelta::hours(1);
/// How old they must be before one that is refused or missing is looked for again: every customer that is closed
/// to us would cost a whole list of customers otherwise.
const FRESH: TimeDelta = TimeDelta::minutes(1);

/// What was learned of the customers' tokens, and when.
pub(crate) struct Known {
    at: DateTime<Utc>,
    /// By customer; `None` where the vendor lists the customer without a token.
    tokens: HashMap<String, Option<Secret>>,
}

impl Known {
    pub(crate) fn of(customers: &[Customer], at: DateTime<Utc>) -> Self {
        let named = customers.iter().filter_map(|customer| Some((customer.id.clone()?, customer.token.clone())));
        Self { at, tokens: named.collect() }
    }
}

impl Api {
    /// The token of a customer, other than one that was refused.
    pub(crate) async fn token_of(&self, customer: &str, refused: Option<&Secret>) -> Result<Secret> {
        let mut known = self.known.lock().await;
        let serves = known.as_ref().is_some_and(|known| {
            let age = self.http.now() - known.at;
            let usable = known.tokens.get(customer).is_some_and(|token| token.as_ref() != refused || refused.is_none());
            age < if usable { KEPT } else { FRESH }
        });
        if !serves {
            let (customers, _) = self.customers().await?;
            *known = Some(Known::of(&customers, self.http.now()));
        }
        let found = known.as_ref().and_then(|known| known.tokens.get(customer));
        let fail = |kind, message| Err(Error::new(kind, message).at("customer", customer));
        match found {
            None => fail(Kind::NotFound, "Dropsuite does not list this customer any more"),
            Some(None) => fail(Kind::Forbidden, NO_ACCESS),
            Some(Some(token)) if Some(token) == refused => fail(Kind::Forbidden, TOKEN_REFUSED),
            Some(Some(token)) => {
                // Known before it is sent, so that an answer that repeats it is scrubbed.
                self.http.learn_secret(token.clone());
                Ok(token.clone())
            }
        }
    }
}

const NO_ACCESS: &str = "Dropsuite gives no access to this customer: it lists the customer without a token of its own, so \
                         its backups are unknown. Give it an administrator's login at Dropsuite";

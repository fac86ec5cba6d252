//! The vendor's manners: its tokens, its addresses, its errors.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

use integration::{Checked, CredentialsForm, Error, Http, Kind, Request, Response, Result, Secret, Transport, Vendor};
use url::Url;

use crate::{
    Credentials, Dropsuite,
    access::Known,
    paging::{Rows, rows},
    tenants::Listed,
    wire,
};

/// The vendor's name in messages.
pub(crate) const NAME: &str = Dropsuite::NAME;

/// Records asked for at once: the most that is known to work.
pub(crate) const PAGE_SIZE: u32 = 100;

/// How to reach one reseller account.
pub(crate) struct Api {
    pub(crate) http: Http,
    base: Url,
    reseller: Secret,
    pub(crate) own: Secret,
    /// The customers' own tokens. One caller fetches them, the others wait.
    pub(crate) known: tokio::sync::Mutex<Option<Known>>,
    /// The customers of the listing under way.
    pub(crate) listed: tokio::sync::Mutex<Option<Listed>>,
    /// Mailboxes that cannot be reached, of customers whose mailboxes are being listed.
    pub(crate) unreachable: Mutex<HashMap<String, Arc<HashSet<String>>>>,
}

/// What a customer's product answers.
pub(crate) enum Answer {
    Rows(Rows),
    /// The customer lacks the product; a right that is missing looks the same.
    NotBought(Error),
}

impl Api {
    pub(crate) fn new(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        let http = Http::new(NAME, transport, credentials.secrets());
        Self {
            http,
            base: with_api(credentials.url),
            reseller: credentials.reseller_token,
            own: credentials.authentication_token,
            known: tokio::sync::Mutex::default(),
            listed: tokio::sync::Mutex::default(),
            unreachable: Mutex::default(),
        }
    }

    /// One customer is enough to see that address, tokens and rights are as they should be.
    pub(crate) async fn check(&self) -> Result<Checked> {
        let response = self.exchange(&["users"], 1, 1, &self.own).await?;
        let users = self.rows_of(&self.succeeded(response)?, 1)?;
        let warnings = if users.records.is_empty() {
            vec!["Dropsuite shows no customer to these tokens yet".to_owned()]
        } else {
            Vec::new()
        };
        Ok(Checked { account: None, warnings })
    }

    /// A page of what the reseller's own token opens.
    pub(crate) async fn of_reseller(&self, path: &[&str], page: u32) -> Result<Rows> {
        let response = self.exchange(path, page, PAGE_SIZE, &self.own).await?;
        self.rows_of(&self.succeeded(response)?, page)
    }

    /// A page of what only a customer's own token opens. With the reseller's, the vendor answers 401 there.
    pub(crate) async fn of_customer(&self, customer: &str, path: &[&str], page: u32) -> Result<Answer> {
        let token = self.token_of(customer, None).await?;
        let mut response = self.exchange(path, page, PAGE_SIZE, &token).await?;
        if response.status == 401 {
            // It may have been made anew at the vendor since we learned it.
            let token = self.token_of(customer, Some(&token)).await?;
            response = self.exchange(path, page, PAGE_SIZE, &token).await?;
        }
        let rows = match response.status {
            403 | 404 if page == 1 => return Ok(Answer::NotBought(self.failure(&response).at("customer", customer))),
            // The reseller's tokens are fine, or we would not have this one: it is this customer's matter.
            401 => Err(Error { kind: Kind::Forbidden, message: TOKEN_REFUSED.to_owned(), ..self.failure(&response) }),
            _ => self.succeeded(response).and_then(|response| self.rows_of(&response, page)),
        };
        rows.map(Answer::Rows).map_err(|error| error.at("customer", customer))
    }

    pub(crate) async fn exchange(&self, path: &[&str], page: u32, size: u32, token: &Secret) -> Result<Response> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.extend(path);
        }
        let request = Request::get(url)
            .query("page", page)
            .query("per_page", size)
            .header("accept", "application/json")
            .header("x-reseller-token", self.reseller.expose())
            .header("x-access-token", token.expose());
        self.http.send(request).await
    }

    pub(crate) fn succeeded(&self, response: Response) -> Result<Response> {
        if response.is_success() { Ok(response) } else { Err(self.failure(&response)) }
    }

    pub(crate) fn rows_of(&self, response: &Response, page: u32) -> Result<Rows> {
        rows(response, page).map_err(|error| self.http.scrub(error.at("page", page)))
    }

    /// The one place where the vendor's errors are read. Their shape is not documented.
    fn failure(&self, response: &Response) -> Error {
        let words = if response.is_html() { String::new() } else { wire::words(&response.body) };
        self.http.failure(response, |mut error| {
            match error.kind {
                Kind::Credentials => error.message = TOKENS_WRONG.to_owned(),
                Kind::Forbidden => error.message = NO_RIGHT.to_owned(),
                Kind::NotFound => error.message = NOT_THERE.to_owned(),
                _ => {}
            }
            error.vendor_says(words).request_id(response.header("x-request-id"))
        })
    }
}

const TOKENS_WRONG: &str = "Dropsuite does not accept the tokens: check Reseller Token and Authentication Token, that the \
                            latter is the reseller's own, and that the API address is the one of their region";
const NO_RIGHT: &str =
    "Dropsuite refuses this to these tokens: take those of a reseller account that may see its customers";
const NOT_THERE: &str = "Dropsuite does not know this: check the API address, which differs by region and brand";
pub(crate) const TOKEN_REFUSED: &str =
    "Dropsuite refuses the customer's own token that it lists itself: the customer may be suspended or closed";

/// The address as people paste it, with or without `/api` at its end.
fn with_api(mut url: Url) -> Url {
    let path = url.path().trim_end_matches('/');
    let path = if path.ends_with("/api") { path.to_owned() } else { format!("{path}/api") };
    url.set_path(&path);
    url
}

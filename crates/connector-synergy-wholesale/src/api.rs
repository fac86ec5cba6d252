//! The vendor's manners: its calls, its pages, its errors.

use std::sync::Arc;

use integration::{
    Checked, CredentialsForm, Cursor, Error, Http, Kind, Request, Response, Result, Retry, Secret, Transport, Vendor,
};
use quick_xml::escape::escape;
use url::Url;

use crate::{
    Credentials, SynergyWholesale,
    soap::{self, Param},
    xml::{self, Node},
};

/// The vendor's name in messages.
pub(crate) const NAME: &str = SynergyWholesale::NAME;
const USUAL: &str = "https://api.synergywholesale.com";

const LOGIN: &str = "Synergy Wholesale does not let this in. Either the reseller ID or the API key is wrong, or the \
                     internet address that PanelOne calls from is not among the addresses that the account allows to \
                     use its API: check all three at Synergy Wholesale";
const NO_CATEGORY: &str = "Synergy Wholesale has no domain category yet: make one for each client and put its domains \
                           into it, so that they can be told apart";

/// One of the vendor's listings that come in pages.
pub(crate) struct Paged {
    command: &'static str,
    /// What the element is called that holds the items; the vendor is not of one mind.
    lists: &'static [&'static str],
    /// Items on a page: the most that the vendor gives.
    limit: u32,
}

/// Domains with all that is known of them.
pub(crate) const DOMAINS: Paged = Paged { command: "listDomains", lists: &["domainList"], limit: 500 };
/// Hosting services.
pub(crate) const HOSTINGS: Paged = Paged { command: "listHosting", lists: &["hoidList", "domainList"], limit: 1000 };

/// How to reach one account.
pub(crate) struct Api {
    http: Http,
    url: Url,
    reseller: String,
    key: Secret,
}

impl Api {
    pub(crate) fn new(credentials: Credentials, transport: Arc<dyn Transport>) -> Self {
        // A vendor that repeats what it was sent may repeat the key as it stands in XML.
        let escaped = Secret::new(escape(credentials.api_key.expose()).into_owned());
        let http = Http::new(NAME, transport, credentials.secrets().into_iter().chain([escaped]));
        let url = credentials.api_url.unwrap_or_else(|| Url::parse(USUAL).expect("the constant is an address"));
        Self { http, url, reseller: credentials.reseller_id, key: credentials.api_key }
    }

    /// The balance shows that the credentials open the account; the categories, that it has what is needed.
    pub(crate) async fn check(&self) -> Result<Checked> {
        self.call("balanceQuery", &[]).await?;
        let none = self.categories().await?.is_empty();
        Ok(Checked { warnings: none.then(|| NO_CATEGORY.to_owned()).into_iter().collect(), ..Checked::default() })
    }

    /// All domain categories: they come in one answer.
    pub(crate) async fn categories(&self) -> Result<Vec<Node>> {
        items(self.call("listDomainCategories", &[]).await?, &["domainCategories"])
    }

    /// One page of a listing, counted from 1, and whether there is another. The vendor counts nothing: a page that
    /// is not full is the last.
    pub(crate) async fn page(&self, paged: &Paged, number: u32) -> Result<(Vec<Node>, bool)> {
        let params = [("page", Param::Number(number)), ("limit", Param::Number(paged.limit))];
        let answer = self.call(paged.command, &params).await.map_err(|error| error.at("page", number))?;
        let told = |name: &str| answer.said(name).and_then(|text| text.parse::<u32>().ok());
        if told("page").is_some_and(|told| told != number) {
            return Err(Error::unreadable(NAME, "another page than the one asked for").at("page", number));
        }
        let full = told("limit").filter(|told| *told > 0).map_or(paged.limit, |told| told.min(paged.limit));
        let items = items(answer, paged.lists)?;
        let more = items.len() >= full as usize;
        Ok((items, more))
    }

    /// Asks for something. Everything that this connector asks is a question, so it may be asked again.
    async fn call(&self, command: &str, params: &[(&str, Param<'_>)]) -> Result<Node> {
        let mut all = vec![("resellerID", Param::Text(&self.reseller)), ("apiKey", Param::Text(self.key.expose()))];
        all.extend_from_slice(params);
        let request = Request::post(self.url.clone())
            .header("accept", "text/xml")
            .header("soapaction", format!("\"#{command}\""))
            .xml(soap::call(command, &all))
            .idempotent();
        let response = self.http.send(request).await?;
        read(&response, command).map_err(|error| self.http.scrub(error))
    }
}

/// What the vendor returns, or the error that it means: the one place where errors are read.
fn read(response: &Response, command: &str) -> Result<Node> {
    let parsed = if is_page(response) {
        Err(Error::unreadable(NAME, "a web page instead of data").retry(Retry::Yes))
    } else {
        xml::parse(&response.body)
    };
    let plain = Error::from_status(NAME, response);
    // A fault is the reason that a plain status hides; what has a status of its own has it for a reason.
    let fault = parsed.as_ref().ok().filter(|_| matches!(response.status, 200..=299 | 400 | 500)).and_then(soap::fault);
    if let Some((whose, words)) = fault {
        let kind = if whose == "Client" { Kind::Refused } else { Kind::Unavailable };
        let mut error = Error::new(kind, format!("{NAME} could not answer {command}")).vendor_says(words);
        error.status = Some(response.status);
        return Err(error);
    }
    if !response.is_success() {
        return Err(plain);
    }
    let answer = soap::answer(parsed?, command)?;
    match answer.said("status") {
        Some(status) if status.starts_with("OK") || status.starts_with("AVAILABLE") => Ok(answer),
        Some(status) => Err(refusal(status, answer.said("errorMessage").unwrap_or_default())),
        None => Err(Error::unreadable(NAME, "an answer without its status")),
    }
}

/// The error that a status in the body means.
fn refusal(status: &str, words: &str) -> Error {
    let (kind, message) = match status {
        "ERR_LOGIN_FAILED" | "ERR_RESELLER_AUTH_FAILED" => (Kind::Credentials, LOGIN.to_owned()),
        "ERR_RESELLER_NOT_AUTHORISED" => {
            (Kind::Forbidden, format!("{NAME} refuses this to this reseller: ask {NAME} for the right"))
        }
        "ERR_DAEMON_FAILED" | "ERR_DBLOOKUP_FAILED" | "ERR_BULK_INPROGRESS" | "ERR_OCCURED" => {
            (Kind::Unavailable, format!("{NAME} has trouble"))
        }
        _ => (Kind::Refused, format!("{NAME} refused the request")),
    };
    Error::new(kind, message).vendor_says(format!("{status} {words}"))
}

/// Whether this is a web page, as from a proxy.
fn is_page(response: &Response) -> bool {
    let start: Vec<u8> = response.body.trim_ascii_start().iter().take(9).map(u8::to_ascii_lowercase).collect();
    let typed = response.header("content-type").is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
    (typed && !start.starts_with(b"<?xml")) || start.starts_with(b"<html") || start.starts_with(b"<!doctype")
}

/// The items of a list. A list that is absent or empty has none.
fn items(answer: Node, lists: &[&str]) -> Result<Vec<Node>> {
    let Some(list) = answer.children.into_iter().find(|child| lists.contains(&child.name.as_str())) else {
        return Ok(Vec::new());
    };
    if list.children.iter().any(|child| child.name != "item") {
        return Err(Error::unreadable(NAME, format!("{} holds something else than items", list.name)));
    }
    Ok(list.children)
}

/// The page that a cursor stands for.
pub(crate) fn number(cursor: Option<&Cursor>) -> Result<u32> {
    let Some(cursor) = cursor else { return Ok(1) };
    let unknown = || Error::new(Kind::Expired, "this place in a listing of Synergy Wholesale is not known: list anew");
    cursor.as_str().parse().ok().filter(|number| *number > 1).ok_or_else(unknown)
}

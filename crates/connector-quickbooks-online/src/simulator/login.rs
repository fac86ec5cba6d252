//! The authorization server: a page that sends people back at once with the company they chose, codes, and
//! refresh tokens that rotate. Intuit gives another one about once a day; here every renewal does, and ends the
//! one before, so that a client that keeps the old one is found out at once.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use integration::{Body, Request, oauth::challenge};
use serde_json::{Value, json};
use url::Url;

use super::{
    Answer, CLIENTS, COMPANY, DENIED, SECRET,
    tokens::{FAR, Family, Token, Use},
};

/// Seconds that an access token lives.
const ACCESS: i64 = 3600;
/// Seconds that a refresh token lives.
const REFRESH: i64 = 8_726_400;
/// Seconds that a code lives.
const CODE: i64 = 5 * 60;
const SCOPE: &str = "com.intuit.quickbooks.accounting";

/// A code given out.
struct Code {
    family: Family,
    challenge: String,
    redirect_uri: String,
    until: i64,
    used: bool,
}

/// What was given out.
#[derive(Default)]
pub(super) struct Login {
    codes: HashMap<String, Code>,
    /// The newest generation of each consent, as far as it was seen.
    generations: HashMap<Family, u64>,
    next: u64,
    /// Raised to end all access tokens.
    pub epoch: u64,
}

impl Login {
    /// The page. The person is signed in already, and consents at once.
    pub fn authorize(&mut self, now: DateTime<Utc>, request: &Request) -> Answer {
        let query: HashMap<String, String> = request.url.query_pairs().into_owned().collect();
        let text = |key: &str| query.get(key).map(String::as_str).unwrap_or_default();
        let client = text("client_id");
        // Neither a strange app nor a strange address is sent anywhere.
        let back = Url::parse(text("redirect_uri")).ok().filter(|url| url.fragment().is_none());
        let (Some(mut back), true) = (back, CLIENTS.contains(&client)) else {
            return refused(400, "invalid_client");
        };
        let asks = text("response_type") == "code"
            && text("code_challenge_method") == "S256"
            && text("code_challenge").len() == 43
            && !text("state").is_empty();
        let error = match (asks, text("scope") == SCOPE, client == DENIED) {
            (false, ..) => Some("invalid_request"),
            (_, false, _) => Some("invalid_scope"),
            (.., true) => Some("access_denied"),
            _ => None,
        };
        if let Some(error) = error {
            back.query_pairs_mut().append_pair("error", error).append_pair("state", text("state"));
            return Answer { status: 302, body: String::new(), location: Some(back.into()) };
        }
        self.next += 1;
        let code = format!("code-{}-{}", self.next, &challenge(&format!("{client}/{}", self.next))[..12]);
        back.query_pairs_mut()
            .append_pair("code", &code)
            .append_pair("state", text("state"))
            .append_pair("realmId", COMPANY);
        let code_of = Code {
            family: Family { client: client.to_owned(), number: self.next },
            challenge: text("code_challenge").to_owned(),
            redirect_uri: text("redirect_uri").to_owned(),
            until: now.timestamp() + CODE,
            used: false,
        };
        self.codes.insert(code, code_of);
        Answer { status: 302, body: String::new(), location: Some(back.into()) }
    }

    /// Exchanges a code or a refresh token.
    pub fn token(&mut self, now: DateTime<Utc>, request: &Request) -> Answer {
        let Body::Form(pairs) = &request.body else { return refused(400, "invalid_request") };
        let text = |key: &str| pairs.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value.as_str());
        // The app proves itself in the header, and there only.
        let Some(client) = app(request).filter(|_| text("client_secret").is_empty()) else {
            return refused(401, "invalid_client");
        };
        if request.header_value("accept") != Some("application/json") {
            return refused(400, "invalid_request");
        }
        let now = now.timestamp();
        match text("grant_type") {
            "authorization_code" => {
                let Some(code) = self.codes.get_mut(text("code")) else { return refused(400, "invalid_grant") };
                let family = code.family.clone();
                let good = !std::mem::replace(&mut code.used, true)
                    && family.client == client
                    && code.redirect_uri == text("redirect_uri")
                    && code.challenge == challenge(text("code_verifier"))
                    && now < code.until;
                if good { self.give(now, family, 0) } else { refused(400, "invalid_grant") }
            }
            "refresh_token" => {
                let Some(token) = Token::read(Use::Refresh, text("refresh_token")) else {
                    return refused(400, "invalid_grant");
                };
                let newest = *self.generations.entry(token.family.clone()).or_insert(token.count);
                if token.family.client != client || token.count != newest || now >= token.until {
                    return refused(400, "invalid_grant");
                }
                self.give(now, token.family, newest + 1)
            }
            _ => refused(400, "unsupported_grant_type"),
        }
    }

    fn give(&mut self, now: i64, family: Family, generation: u64) -> Answer {
        self.generations.insert(family.clone(), generation);
        let access = Token { family: family.clone(), count: self.epoch, until: now + ACCESS };
        let refresh = Token { family, count: generation, until: (now + REFRESH).min(FAR) };
        Answer::ok(&json!({
            "token_type": "bearer", "expires_in": ACCESS, "x_refresh_token_expires_in": REFRESH,
            "access_token": access.write(Use::Access), "refresh_token": refresh.write(Use::Refresh),
        }))
    }

    /// Whose access token this is, if it is good.
    pub fn user(&self, now: DateTime<Utc>, token: &str) -> Option<Family> {
        let token = Token::read(Use::Access, token)?;
        let known = CLIENTS.contains(&token.family.client.as_str());
        (known && token.count == self.epoch && now.timestamp() < token.until).then_some(token.family)
    }
}

/// The app that the header names, if its secret is right.
fn app(request: &Request) -> Option<String> {
    let pair = STANDARD.decode(request.header_value("authorization")?.strip_prefix("Basic ")?).ok()?;
    let (client, secret) = std::str::from_utf8(&pair).ok()?.split_once(':')?;
    (CLIENTS.contains(&client) && secret == SECRET).then(|| client.to_owned())
}

fn refused(status: u16, code: &str) -> Answer {
    let body: Value = json!({ "error": code, "error_description": format!("refused: {code}") });
    Answer { status, body: body.to_string(), location: None }
}

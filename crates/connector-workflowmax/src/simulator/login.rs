//! The authorization server: a page that sends people back at once, codes with PKCE, and refresh tokens that
//! rotate. A refresh token or a code that comes twice ends the whole consent.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use integration::{Body, Request, oauth::challenge};
use serde_json::{Value, json};
use url::Url;

use super::{
    Answer, CLIENT, DENIED, GUEST, ORGANISATION, OTHER, SECRET, SEVERAL,
    tokens::{self, FAR, Family},
};

/// Seconds that an access token lives.
const ACCESS: i64 = 30 * 60;
/// Seconds that a refresh token lives.
const REFRESH: i64 = 60 * 86_400;
/// Seconds that a code lives.
const CODE: i64 = 5 * 60;

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
    dead: HashSet<Family>,
    next: u64,
    /// Raised to end all access tokens.
    pub epoch: u64,
    /// How often refresh tokens were exchanged.
    pub renewals: u64,
}

impl Login {
    /// The page. The person is signed in already, and consents at once.
    pub fn authorize(&mut self, now: DateTime<Utc>, request: &Request) -> Answer {
        let query: HashMap<String, String> = request.url.query_pairs().into_owned().collect();
        let text = |key: &str| query.get(key).map(String::as_str).unwrap_or_default();
        let client = text("client_id");
        // Neither a strange app nor a strange address is sent anywhere.
        let back = Url::parse(text("redirect_uri")).ok().filter(|url| url.fragment().is_none());
        let (Some(mut back), true) = (back, [CLIENT, GUEST, DENIED, SEVERAL].contains(&client)) else {
            return Answer::failed(400, "This app or its redirect address is not registered");
        };
        let scope: HashSet<&str> = text("scope").split(' ').collect();
        let asks = text("response_type") == "code"
            && text("code_challenge_method") == "S256"
            && text("code_challenge").len() == 43
            && !text("state").is_empty()
            && ["openid", "workflowmax", "offline_access"].iter().all(|part| scope.contains(part));
        if !asks {
            back.query_pairs_mut().append_pair("error", "invalid_request").append_pair("state", text("state"));
        } else if client == DENIED {
            back.query_pairs_mut()
                .append_pair("error", "access_denied")
                .append_pair("error_description", "The user said <b>no</b>")
                .append_pair("state", text("state"));
        } else {
            self.next += 1;
            let code = format!("code-{}-{}", self.next, &challenge(&format!("{client}/{}", self.next))[..12]);
            back.query_pairs_mut().append_pair("code", &code).append_pair("state", text("state"));
            let code_of = Code {
                family: Family { client: client.to_owned(), number: self.next },
                challenge: text("code_challenge").to_owned(),
                redirect_uri: text("redirect_uri").to_owned(),
                until: now.timestamp() + CODE,
                used: false,
            };
            self.codes.insert(code, code_of);
        }
        Answer { status: 302, body: Value::Null, location: Some(back.into()) }
    }

    /// Exchanges a code or a refresh token.
    pub fn token(&mut self, now: DateTime<Utc>, request: &Request) -> Answer {
        let Body::Form(pairs) = &request.body else { return refused(400, "invalid_request") };
        let text = |key: &str| pairs.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value.as_str());
        let client = text("client_id");
        if ![CLIENT, GUEST, DENIED, SEVERAL].contains(&client) || text("client_secret") != SECRET {
            return refused(401, "invalid_client");
        }
        match text("grant_type") {
            "authorization_code" => {
                let Some(code) = self.codes.get_mut(text("code")) else { return refused(400, "invalid_grant") };
                let family = code.family.clone();
                if std::mem::replace(&mut code.used, true) {
                    self.dead.insert(family);
                    return refused(400, "invalid_grant");
                }
                let good = family.client == client
                    && code.redirect_uri == text("redirect_uri")
                    && code.challenge == challenge(text("code_verifier"))
                    && now.timestamp() < code.until;
                if good { self.give(now, family, 0) } else { refused(400, "invalid_grant") }
            }
            "refresh_token" => {
                let Some(token) = tokens::read_refresh(text("refresh_token")) else {
                    return refused(400, "invalid_grant");
                };
                let newest = *self.generations.entry(token.family.clone()).or_insert(token.generation);
                if token.family.client != client || self.dead.contains(&token.family) || now.timestamp() >= token.until
                {
                    return refused(400, "invalid_grant");
                }
                if token.generation != newest {
                    self.dead.insert(token.family);
                    return refused(400, "invalid_grant");
                }
                self.renewals += 1;
                self.give(now, token.family, newest + 1)
            }
            _ => refused(400, "unsupported_grant_type"),
        }
    }

    fn give(&mut self, now: DateTime<Utc>, family: Family, generation: u64) -> Answer {
        let organisations: &[&str] = if family.client == SEVERAL { &[ORGANISATION, OTHER] } else { &[ORGANISATION] };
        let access = tokens::access(&family, self.epoch, now.timestamp() + ACCESS, organisations);
        let refresh = tokens::refresh(&family, generation, (now.timestamp() + REFRESH).min(FAR));
        self.generations.insert(family, generation);
        Answer::ok(json!({
            "access_token": access, "refresh_token": refresh, "token_type": "Bearer", "expires_in": ACCESS,
            "scope": "openid profile email workflowmax offline_access",
        }))
    }

    /// Whose access token this is, if it is good.
    pub fn user(&self, now: DateTime<Utc>, token: &str) -> Option<Family> {
        let access = tokens::read_access(token)?;
        let known = [CLIENT, GUEST, SEVERAL].contains(&access.family.client.as_str());
        let alive = access.epoch == self.epoch && now.timestamp() < access.until;
        (known && alive && !self.dead.contains(&access.family)).then_some(access.family)
    }
}

fn refused(status: u16, code: &str) -> Answer {
    Answer { status, body: json!({ "error": code, "error_description": format!("refused: {code}") }), location: None }
}

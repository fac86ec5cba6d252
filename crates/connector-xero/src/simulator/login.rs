//! The authorization server: a page that sends people back at once, codes, refresh tokens that rotate, and tokens for
//! custom connections. A refresh token that was exchanged works for another 30 minutes, in case the answer was lost.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use integration::{Body, Request, oauth::challenge};
use serde_json::json;
use url::Url;

use super::{
    CLIENT, CUSTOM, CUSTOM_ENDED, CUSTOM_GUEST, GUEST, OLDER, SECRET, SEVERAL,
    answers::Answer,
    tokens::{FAR, Token},
};

/// Seconds that an access token lives.
const ACCESS: i64 = 30 * 60;
/// Seconds that a refresh token lives when it is not used.
const REFRESH: i64 = 60 * 86_400;
/// Seconds that an exchanged refresh token still works.
const GRACE: i64 = 30 * 60;
/// Seconds that a code lives.
const CODE: i64 = 5 * 60;

const APPS: [&str; 4] = [CLIENT, OLDER, GUEST, SEVERAL];
const CUSTOMS: [&str; 3] = [CUSTOM, CUSTOM_GUEST, CUSTOM_ENDED];

/// A code given out; it is forgotten when it is used.
struct Code {
    token: Token,
    challenge: String,
    redirect_uri: String,
    until: i64,
}

/// What was given out.
#[derive(Default)]
pub(super) struct Login {
    codes: HashMap<String, Code>,
    /// Of each consent, as far as it was seen: the newest generation, and since when it is that.
    newest: HashMap<(String, u64), (u64, i64)>,
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
        let (Some(mut back), true) = (back, APPS.contains(&client)) else {
            return Answer::plain(400, "unauthorized_client: unknown client or invalid redirect_uri");
        };
        let proven = text("code_challenge_method") == "S256" && text("code_challenge").len() == 43;
        let outcome = if text("response_type") != "code" || !proven || text("state").is_empty() {
            Err("invalid_request")
        } else {
            rights(client, text("scope")).ok_or("invalid_scope")
        };
        match outcome {
            Err(error) => drop(back.query_pairs_mut().append_pair("error", error)),
            Ok(rights) => {
                self.next += 1;
                let code = format!("code-{}-{}", self.next, &challenge(&format!("{client}/{}", self.next))[..12]);
                back.query_pairs_mut().append_pair("code", &code);
                let token = Token { client: client.to_owned(), number: self.next, stamp: 0, until: FAR, rights };
                let given = Code {
                    token,
                    challenge: text("code_challenge").to_owned(),
                    redirect_uri: text("redirect_uri").to_owned(),
                    until: now.timestamp() + CODE,
                };
                self.codes.insert(code, given);
            }
        }
        back.query_pairs_mut().append_pair("state", text("state"));
        Answer::plain(302, "").with("location", back.as_str())
    }

    /// Exchanges a code, a refresh token, or the credentials of a custom connection.
    pub fn token(&mut self, now: DateTime<Utc>, request: &Request) -> Answer {
        let Body::Form(pairs) = &request.body else { return refused("invalid_request") };
        let text = |key: &str| pairs.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value.as_str());
        let Some(client) = proven(request) else { return refused("invalid_client") };
        let now = now.timestamp();
        match (text("grant_type"), CUSTOMS.contains(&client.as_str())) {
            ("client_credentials", true) => match rights(&client, text("scope")) {
                Some(rights) if !rights.contains('o') => {
                    self.give(now, Token { client, number: 0, stamp: 0, until: FAR, rights })
                }
                _ => refused("invalid_scope"),
            },
            ("authorization_code", false) => {
                let Some(code) = self.codes.remove(text("code")) else { return refused("invalid_grant") };
                let good = code.token.client == client
                    && code.redirect_uri == text("redirect_uri")
                    && code.challenge == challenge(text("code_verifier"))
                    && now < code.until;
                if good { self.give(now, code.token) } else { refused("invalid_grant") }
            }
            ("refresh_token", false) => {
                let Some(token) = Token::read("refresh", text("refresh_token")) else {
                    return refused("invalid_grant");
                };
                let home = (token.client.clone(), token.number);
                let (newest, since) = *self.newest.entry(home).or_insert((token.stamp, now));
                let current = token.stamp == newest || (token.stamp + 1 == newest && now < since + GRACE);
                if token.client != client || now >= token.until || !current {
                    return refused("invalid_grant");
                }
                self.renewals += 1;
                self.give(now, Token { stamp: newest + 1, ..token })
            }
            _ => refused("unauthorized_client"),
        }
    }

    /// New tokens; a refresh token only where `offline_access` was asked for.
    fn give(&mut self, now: i64, token: Token) -> Answer {
        let access = Token { stamp: self.epoch, until: now + ACCESS, ..token.clone() };
        let mut body = json!({ "access_token": access.write("access"), "expires_in": ACCESS, "token_type": "Bearer" });
        if token.rights.contains('o') {
            let home = (token.client.clone(), token.number);
            self.newest.insert(home, (token.stamp, now));
            body["refresh_token"] = Token { until: now + REFRESH, ..token }.write("refresh").into();
        }
        Answer::json(200, &body)
    }

    /// Whose access token this is, if it is good.
    pub fn user(&self, now: DateTime<Utc>, token: &str) -> Option<Token> {
        let token = Token::read("access", token)?;
        let known = APPS.contains(&token.client.as_str()) || CUSTOMS.contains(&token.client.as_str());
        (known && token.stamp == self.epoch && now.timestamp() < token.until).then_some(token)
    }
}

/// The app that the request proves to be.
fn proven(request: &Request) -> Option<String> {
    let pair = STANDARD.decode(request.header_value("authorization")?.strip_prefix("Basic ")?).ok()?;
    let pair = String::from_utf8(pair).ok()?;
    let (client, secret) = pair.split_once(':')?;
    let known = APPS.contains(&client) || CUSTOMS.contains(&client);
    (known && secret == SECRET).then(|| client.to_owned())
}

/// One letter for each scope, unless the app may not ask for one of them.
fn rights(client: &str, scope: &str) -> Option<String> {
    let letter = |one: &str| match one.strip_suffix(".read").unwrap_or(one) {
        "accounting.contacts" => Some("c"),
        "accounting.settings" => Some("s"),
        "accounting.invoices" => Some("i"),
        "accounting.transactions" if client == OLDER => Some("i"),
        "offline_access" => Some("o"),
        "openid" | "profile" | "email" => Some(""),
        _ => None,
    };
    scope.split_whitespace().map(letter).collect()
}

fn refused(code: &str) -> Answer {
    Answer::json(400, &json!({ "error": code }))
}

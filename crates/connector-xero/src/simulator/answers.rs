//! What is answered: bodies, errors, and what an app's user connected.

use serde_json::{Value, json};
use vendorkit::world::uuid;

use super::{CLIENT, CUSTOM_ENDED, ORGANISATION, OTHER, PRACTICE, SEVERAL, tokens::Token};

/// What an app's user connected: id and name.
pub(super) fn reached(client: &str) -> Vec<(&'static str, &'static str)> {
    match client {
        CUSTOM_ENDED => Vec::new(),
        SEVERAL => vec![(ORGANISATION, "Example Managed Services"), (OTHER, "Example Holdings")],
        _ => vec![(ORGANISATION, "Example Managed Services")],
    }
}

pub(super) fn tenants(user: &Token) -> Answer {
    let tenant = |id: &str, name: &str, kind: &str| {
        json!({
            "id": uuid("xero/connection", name.len() as u64), "authEventId": uuid("xero/consent", user.number), "tenantId": id,
            "tenantType": kind, "tenantName": name, "createdDateUtc": "2026-04-20T11:47:10.3365440",
            "updatedDateUtc": "2026-04-20T16:35:19.5282060",
        })
    };
    let mut all: Vec<Value> =
        reached(&user.client).into_iter().map(|(id, name)| tenant(id, name, "ORGANISATION")).collect();
    if user.client == CLIENT {
        all.push(tenant(PRACTICE, "Example Managed Services", "PRACTICE"));
    }
    Answer::json(200, &json!(all))
}

fn gateway(status: u16, title: &str, detail: &str) -> Answer {
    let body = json!({
        "Type": null, "Title": title, "Status": status, "Detail": detail,
        "Instance": "79f299a4-f3a6-4c0d-a4a0-d4c48d1f3b00", "Extensions": {},
    });
    Answer::json(status, &body)
}

pub(super) fn expired() -> Answer {
    gateway(401, "Unauthorized", "TokenExpired: token expired")
}

pub(super) fn forbidden() -> Answer {
    gateway(403, "Forbidden", "AuthenticationUnsuccessful")
}

/// What is answered, before it is a [`Response`].
pub(super) struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn json(status: u16, body: &Value) -> Self {
        Self { status, headers: Vec::new(), body: body.to_string() }
    }

    pub fn plain(status: u16, text: &str) -> Self {
        Self { body: text.to_owned(), ..Self::json(status, &Value::Null) }.with("content-type", "text/plain")
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With what is left of each limit.
    pub fn limited(self) -> Self {
        self.with("x-daylimit-remaining", "4870")
            .with("x-minlimit-remaining", "58")
            .with("x-appminlimit-remaining", "9998")
    }
}

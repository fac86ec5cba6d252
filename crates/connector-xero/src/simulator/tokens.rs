//! Tokens that say what they are, so that those of a simulator that was started anew are still known.

use integration::oauth::challenge;

/// The end of what has no end, in seconds: the year 2100.
pub(super) const FAR: i64 = 4_102_444_800;

/// What a token says; which kind it is stands at its front.
#[derive(Clone, Debug)]
pub(super) struct Token {
    /// Through which app.
    pub client: String,
    /// Which consent of that app.
    pub number: u64,
    /// Of a refresh token its generation, of an access token the epoch.
    pub stamp: u64,
    pub until: i64,
    /// One letter for each scope: contacts, settings, invoices, offline.
    pub rights: String,
}

impl Token {
    pub fn write(&self, kind: &str) -> String {
        let Self { client, number, stamp, until, rights } = self;
        let text = format!("{kind}~{client}~{number}~{stamp}~{until}~{rights}");
        format!("{text}~{}", seal(&text))
    }

    pub fn read(kind: &str, token: &str) -> Option<Self> {
        let (text, sealed) = token.rsplit_once('~')?;
        let parts: Vec<&str> = text.split('~').collect();
        let [found, client, number, stamp, until, rights] = parts[..] else { return None };
        let read = Self {
            client: client.to_owned(),
            number: number.parse().ok()?,
            stamp: stamp.parse().ok()?,
            until: until.parse().ok()?,
            rights: rights.to_owned(),
        };
        (found == kind && seal(text) == sealed).then_some(read)
    }
}

fn seal(text: &str) -> String {
    challenge(&format!("xero-simulated/{text}")).chars().take(20).collect()
}

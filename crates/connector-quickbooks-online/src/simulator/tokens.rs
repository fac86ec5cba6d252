//! Tokens that say what they are, so that those of a simulator that was started anew are still known.

use integration::oauth::challenge;

/// The end of what has no end, in seconds: the year 2100.
pub(super) const FAR: i64 = 4_102_444_800;

/// One consent: through which app, and which one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Family {
    pub client: String,
    pub number: u64,
}

/// What a token says: `count` is the generation of a refresh token, or the epoch of an access token.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub family: Family,
    pub count: u64,
    pub until: i64,
}

/// What a token is good for.
#[derive(Clone, Copy)]
pub(super) enum Use {
    Access,
    Refresh,
}

impl Use {
    fn mark(self) -> &'static str {
        match self {
            Self::Access => "qboa",
            Self::Refresh => "qbor",
        }
    }
}

impl Token {
    pub fn write(&self, what: Use) -> String {
        let Self { family, count, until } = self;
        let text = format!("{}~{}~{}~{count}~{until}", what.mark(), family.client, family.number);
        format!("{text}~{}", seal(&text))
    }

    pub fn read(what: Use, token: &str) -> Option<Self> {
        let (text, sealed) = token.rsplit_once('~')?;
        let parts: Vec<&str> = text.split('~').collect();
        let [mark, client, number, count, until] = parts[..] else { return None };
        let family = Family { client: client.to_owned(), number: number.parse().ok()? };
        let read = Self { family, count: count.parse().ok()?, until: until.parse().ok()? };
        (mark == what.mark() && seal(text) == sealed).then_some(read)
    }
}

fn seal(text: &str) -> String {
    challenge(&format!("quickbooks-online-simulated/{text}")).chars().take(20).collect()
}

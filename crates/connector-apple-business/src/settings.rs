//! Client ID and private key: both are checked as soon as they are entered.

use std::fmt;

use integration::{Field, Input, Secret};
use p256::{
    SecretKey,
    ecdsa::SigningKey,
    pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding},
};

/// Which of Apple's two portals an account is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Portal {
    /// Apple Business.
    Business,
    /// Apple School.
    School,
}

/// The id of an API account. Its beginning decides scope and address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientId {
    text: String,
    portal: Portal,
}

impl ClientId {
    /// The id as a request has it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The portal it is of.
    pub fn portal(&self) -> Portal {
        self.portal
    }
}

impl Field for ClientId {
    const INPUT: Input = Input::Text;

    fn parse(text: &str) -> Result<Self, String> {
        let text = String::parse(text)?;
        let portals = [("BUSINESSAPI.", Portal::Business), ("SCHOOLAPI.", Portal::School)];
        let found = portals.into_iter().find_map(|(prefix, portal)| Some((text.strip_prefix(prefix)?, portal)));
        let plain =
            |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        match found.filter(|(rest, _)| plain(rest)) {
            Some((_, portal)) => Ok(Self { portal, text }),
            None => Err("must be the client ID of an API account: BUSINESSAPI. or SCHOOLAPI. and an id".into()),
        }
    }

    fn example() -> String {
        "BUSINESSAPI.00000000-0000-4000-8000-000000000001".into()
    }

    fn store(&self) -> Option<String> {
        Some(self.text.clone())
    }
}

/// The private key of an API account: PEM, in either of the two forms that tools write.
#[derive(Clone)]
pub struct PrivateKey {
    pem: Secret,
    key: SigningKey,
}

/// What the example key is made of: it opens nothing.
const EXAMPLE: &[u8; 32] = b"this example key opens nothing!!";

impl PrivateKey {
    /// What signs.
    pub fn signing(&self) -> &SigningKey {
        &self.key
    }

    /// The key of the examples and of the simulator. No account of Apple's knows it.
    pub fn of_examples() -> SigningKey {
        SigningKey::from_slice(EXAMPLE).expect("the constant is a number below the order of the curve")
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pem.fmt(f)
    }
}

impl Field for PrivateKey {
    const INPUT: Input = Input::Secret;

    fn parse(text: &str) -> Result<Self, String> {
        let entered = Secret::parse(text)?;
        let text = entered.expose();
        if text.contains("ENCRYPTED") {
            return Err("is locked with a passphrase: enter the file as Apple gave it".into());
        }
        let (label, body) = block(text).ok_or(
            "must be the whole private key file, from -----BEGIN PRIVATE KEY----- to -----END PRIVATE KEY-----",
        )?;
        let pem = rebuilt(label, &body);
        let key = match label {
            SEC1 => SecretKey::from_sec1_pem(&pem).ok(),
            _ => SecretKey::from_pkcs8_pem(&pem).ok(),
        };
        let key = key.ok_or("is damaged, or not a key of the kind that Apple gives (elliptic curve P-256)")?;
        Ok(Self { pem: Secret::new(pem), key: SigningKey::from(&key) })
    }

    fn example() -> String {
        let pem = SecretKey::from(Self::of_examples()).to_pkcs8_pem(LineEnding::LF);
        pem.map(|pem| pem.as_str().trim_end().to_owned()).unwrap_or_default()
    }

    fn store(&self) -> Option<String> {
        Some(self.pem.expose().to_owned())
    }
}

const PKCS8: &str = "PRIVATE KEY";
const SEC1: &str = "EC PRIVATE KEY";

/// The base64 of a private key among whatever else stands in the file (curve parameters, blank lines).
fn block(text: &str) -> Option<(&'static str, String)> {
    [PKCS8, SEC1].into_iter().find_map(|label| {
        let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
        let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
        // A form with one line keeps no line breaks, and a file pasted from JSON has them as `\n`.
        let body = body.replace("\\n", "").replace("\\r", "");
        Some((label, body.chars().filter(|letter| !letter.is_whitespace()).collect()))
    })
}

fn rebuilt(label: &str, body: &str) -> String {
    let mut pem = format!("-----BEGIN {label}-----\n");
    for (at, letter) in body.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            pem.push('\n');
        }
        pem.push(letter);
    }
    pem.push_str(&format!("\n-----END {label}-----"));
    pem
}

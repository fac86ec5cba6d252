//! A device with passkeys and the browser around it: does what WebAuthn says, and whatever else a test wants it to do.

use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::coded;

struct Kept {
    id: Vec<u8>,
    key: SigningKey,
    site: String,
    handle: String,
}

/// A device and its browser. Every field may be set to what is wrong.
pub struct Authenticator {
    /// Where the browser says that it is.
    pub origin: String,
    /// The site that the device says it is for; the one that is asked for when none.
    pub site: Option<String>,
    /// Whether it verifies the person.
    pub verifies: bool,
    /// How often it was used.
    pub counter: u32,
    /// What it says whose passkey it is, in base64; what was said when it was made when none.
    pub handle: Option<String>,
    /// Whether the page is a frame of another site's.
    pub framed: bool,
    seed: u8,
    kept: Vec<Kept>,
}

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const ATTESTED: u8 = 0x40;

impl Authenticator {
    /// A device whose keys are always the same for the same seed, in a browser at this origin.
    pub fn new(seed: u8, origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            site: None,
            verifies: true,
            counter: 0,
            handle: None,
            framed: false,
            seed: seed.max(1),
            kept: Vec::new(),
        }
    }

    fn client_data(&self, kind: &str, options: &Value) -> String {
        let challenge = options["challenge"].as_str().expect("a challenge");
        json!({ "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": self.framed }).to_string()
    }

    fn data(&mut self, site: &str, more: u8) -> Vec<u8> {
        self.counter += 1;
        let site = self.site.as_deref().unwrap_or(site);
        let flags = PRESENT | more | if self.verifies { VERIFIED } else { 0 };
        [Sha256::digest(site).as_slice(), &[flags], &self.counter.to_be_bytes()].concat()
    }

    /// Makes a passkey, as `navigator.credentials.create()` does.
    pub fn make(&mut self, options: &Value) -> Value {
        let selection = &options["authenticatorSelection"];
        assert_eq!(
            (&selection["userVerification"], &selection["residentKey"]),
            (&json!("required"), &json!("required"))
        );
        let site = options["rp"]["id"].as_str().expect("a site").to_owned();
        let number = u8::try_from(self.kept.len() + 1).expect("few");
        let id = Sha256::digest([self.seed, number]).to_vec();
        let mut secret = [self.seed; 32];
        secret[31] = number;
        let key = SigningKey::from_slice(&secret).expect("a number within the curve's order");
        let point = key.verifying_key().to_sec1_point(false);
        let mut data = self.data(&site, ATTESTED);
        data.extend([0; 16]);
        data.extend(u16::try_from(id.len()).expect("short").to_be_bytes());
        data.extend(&id);
        // COSE: a point of P-256 for ES256.
        data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend(&point.as_bytes()[1..33]);
        data.extend([0x22, 0x58, 0x20]);
        data.extend(&point.as_bytes()[33..65]);
        // CBOR: {"fmt": "none", "attStmt": {}, "authData": data}
        let mut object = vec![0xa3, 0x63];
        object.extend(b"fmt\x64none\x67attStmt\xa0\x68authData\x58");
        object.push(u8::try_from(data.len()).expect("short"));
        object.extend(&data);
        let client_data = self.client_data("webauthn.create", options);
        let handle = options["user"]["id"].as_str().expect("a handle").to_owned();
        let made = json!({
            "id": coded(&id), "rawId": coded(&id), "type": "public-key", "clientExtensionResults": {},
            "authenticatorAttachment": "platform",
            "response": {
                "clientDataJSON": coded(client_data), "attestationObject": coded(object), "transports": ["internal"],
            },
        });
        self.kept.push(Kept { id, key, site, handle });
        made
    }

    /// Shows a passkey, as `navigator.credentials.get()` does: the newest that will do.
    pub fn show(&mut self, options: &Value) -> Value {
        assert_eq!(options["userVerification"], "required", "{options}");
        let site = options["rpId"].as_str().expect("a site").to_owned();
        let allowed: Vec<&str> = options["allowCredentials"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|one| one["id"].as_str())
            .collect();
        let fits = |one: &&Kept| one.site == site && (allowed.is_empty() || allowed.contains(&coded(&one.id).as_str()));
        let at = self.kept.iter().rposition(|one| fits(&one)).expect("a passkey that will do");
        self.sign(at, &site, options)
    }

    /// Shows the passkey that was made at this place, whether it was asked for or not.
    pub fn force(&mut self, at: usize, options: &Value) -> Value {
        let site = options["rpId"].as_str().expect("a site").to_owned();
        self.sign(at, &site, options)
    }

    fn sign(&mut self, at: usize, site: &str, options: &Value) -> Value {
        let data = self.data(site, 0);
        let client_data = self.client_data("webauthn.get", options);
        let kept = &self.kept[at];
        let signed = [data.as_slice(), Sha256::digest(&client_data).as_slice()].concat();
        let signature: Signature = kept.key.sign(&signed);
        json!({
            "id": coded(&kept.id), "rawId": coded(&kept.id), "type": "public-key", "clientExtensionResults": {},
            "authenticatorAttachment": "platform",
            "response": {
                "clientDataJSON": coded(client_data), "authenticatorData": coded(data),
                "signature": coded(signature.to_der().as_bytes()),
                "userHandle": self.handle.as_ref().unwrap_or(&kept.handle),
            },
        })
    }
}

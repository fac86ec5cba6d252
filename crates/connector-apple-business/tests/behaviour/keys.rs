//! What is entered: private keys as files, forms and programs write them, and client IDs.

use connector_apple_business::{AppleBusiness, PrivateKey};
use integration::{CredentialsForm, Field, FieldError, Vendor};
use serde_json::{Map, Value};

use crate::stage::example;

type Credentials = <AppleBusiness as Vendor>::Credentials;

// One key in both forms, as OpenSSL writes them. It was made for this test and opens nothing.
const SEC1: &str = "MHcCAQEEIBR+MJFK2CGCdn6vFVmaEiHD5JmBqOFih7yOq4Q6Ekg+oAoGCCqGSM49
AwEHoUQDQgAEggL66grSpgyqqIfluo+qcGsQ2dU1oQNj1txhbaxlrPFh1ThQyQZt
2EsFFiltpQ07ab8v1QhL1qmHNWxuQaemXQ==";
const PKCS8: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgFH4wkUrYIYJ2fq8V
WZoSIcPkmYGo4WKHvI6rhDoSSD6hRANCAASCAvrqCtKmDKqoh+W6j6pwaxDZ1TWh
A2PW3GFtrGWs8WHVOFDJBm3YSwUWKW2lDTtpvy/VCEvWqYc1bG5Bp6Zd";
/// Of the curve P-384.
const OTHER_CURVE: &str = "MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDCFSqkmGXe4gCJUF7Qp
nqpFT9vMxq+Rw/wg1UfB0NvdRnxanGLE/bC0uzxaWD/gaFqhZANiAAT7QBXu77WE
2X8OPgqpofFbQsfcRVy7fZCu+E5jh+5zUWvV1OUVTAaUZNHMFGgrl0KhD4QKtqdD
Ph2L8AoXVmoQf0MyWzBNBR7+y/zvuJMiv3Iuqh1JpAjk+329VsyW59E=";
const PUBLIC: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEggL66grSpgyqqIfluo+qcGsQ2dU1
oQNj1txhbaxlrPFh1ThQyQZt2EsFFiltpQ07ab8v1QhL1qmHNWxuQaemXQ==";

fn pem(label: &str, body: &str) -> String {
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

fn form(name: &str, value: &str) -> Map<String, Value> {
    let mut form = example();
    form.insert(name.to_owned(), value.into());
    form
}

fn mistakes(name: &str, value: &str) -> Vec<FieldError> {
    Credentials::parse(&form(name, value)).unwrap_err()
}

#[test]
fn a_key_is_read_in_every_form_that_it_comes_in() {
    let public = |text: &str| {
        let key = PrivateKey::parse(text).unwrap_or_else(|why| panic!("{why}: {text}"));
        // What is stored must read back as the same key.
        let again = PrivateKey::parse(&key.store().unwrap()).unwrap();
        assert_eq!(again.signing(), key.signing());
        *key.signing().verifying_key()
    };
    let (sec1, pkcs8) = (pem("EC PRIVATE KEY", SEC1), pem("PRIVATE KEY", PKCS8));
    let parameters = pem("EC PARAMETERS", "BggqhkjOPQMBBw==");
    let expected = public(&pkcs8);
    for text in [
        sec1.clone(),
        format!("{parameters}{sec1}"),
        format!("\u{feff}\r\n{}", pkcs8.replace('\n', "\r\n")),
        // A form with one line.
        pkcs8.replace('\n', ""),
        sec1.replace('\n', " "),
        // Pasted out of JSON.
        pkcs8.replace('\n', "\\n"),
    ] {
        assert_eq!(public(&text), expected, "{text}");
    }
    assert_ne!(public(&PrivateKey::example()), expected);
}

#[test]
fn a_bad_key_is_a_mistake_of_its_field() {
    let damaged = PKCS8.replace("FH4wkUrY", "FH4wkUr");
    for (text, words) in [
        ("no key at all".to_owned(), "whole private key file"),
        (pem("PUBLIC KEY", PUBLIC), "whole private key file"),
        (pem("PRIVATE KEY", PKCS8).replace("-----END", "-----"), "whole private key file"),
        (pem("PRIVATE KEY", &damaged), "damaged"),
        (pem("PRIVATE KEY", ""), "damaged"),
        (pem("PRIVATE KEY", OTHER_CURVE), "P-256"),
        (pem("EC PRIVATE KEY", PKCS8), "damaged"),
        (pem("ENCRYPTED PRIVATE KEY", PKCS8), "passphrase"),
        (pem("EC PRIVATE KEY", &format!("Proc-Type: 4,ENCRYPTED\n\n{SEC1}")), "passphrase"),
    ] {
        let errors = mistakes("private_key", &text);
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(errors[0].field, "private_key");
        assert!(errors[0].message.contains(words), "{words}: {errors:?}");
        assert!(!errors[0].message.contains("kUrY"), "the key is repeated: {errors:?}");
    }
}

#[test]
fn a_key_does_not_show() {
    let text = pem("PRIVATE KEY", PKCS8);
    let credentials = Credentials::parse(&form("private_key", &text)).unwrap();
    assert!(!format!("{credentials:?}").contains("MIGH"), "{credentials:?}");
    assert_eq!(credentials.secrets().len(), 1);
}

#[test]
fn a_client_id_says_of_which_portal_it_is() {
    for good in ["BUSINESSAPI.9703f56c-10ce-4876-8f59-e78e5e23a152", " SCHOOLAPI.abc-1 "] {
        Credentials::parse(&form("client_id", good)).unwrap();
    }
    for bad in
        ["9703f56c-10ce-4876-8f59-e78e5e23a152", "BUSINESSAPI.", "BUSINESSAPI", "businessapi.abc", "SCHOOLAPI.a b"]
    {
        let errors = mistakes("client_id", bad);
        assert_eq!(errors[0].field, "client_id", "{errors:?}");
        assert!(errors[0].message.contains("BUSINESSAPI."), "{errors:?}");
    }
}

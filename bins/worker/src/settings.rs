//! Configuration: a file, then the environment; every mistake named at once.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    path::Path,
};

use ipnet::IpNet;
use persistence::KeyRing;
use secrecy::SecretString;
use serde::Deserialize;

/// Variables of our prefix that are read elsewhere: by the tests, and by `organisation create`.
const NOT_SETTINGS: [&str; 3] = ["PANELONE_TEST", "PANELONE_REQUIRE_ALL", "PANELONE_OWNER_PASSWORD"];

/// Variables that are taken as they are written: a password of digits is no number.
const AS_WRITTEN: [&str; 7] = [
    "PANELONE_MAIL_VENDOR_CREDENTIALS",
    "PANELONE_MAIL_SMTP_USER",
    "PANELONE_MAIL_SMTP_PASSWORD",
    "PANELONE_STORAGE_S3_BUCKET",
    "PANELONE_STORAGE_S3_PREFIX",
    "PANELONE_STORAGE_S3_ACCESS_KEY",
    "PANELONE_STORAGE_S3_SECRET_KEY",
];

/// What an operator can set. In the environment `PANELONE_` and the name in capitals.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// `sqlite://…?mode=rwc` or `postgres://…`.
    pub database_url: String,
    /// Connections to the database.
    #[serde(default = "connections")]
    pub database_connections: u32,
    /// Where to listen.
    #[serde(default = "listen")]
    pub listen: String,
    /// Sealing keys: `id:base64` of 32 bytes, the sealing one first, separated by commas.
    pub sealing_keys: String,
    /// Whether this process runs jobs too.
    #[serde(default)]
    pub with_worker: bool,
    /// Jobs that run at a time.
    #[serde(default = "slots")]
    pub worker_slots: usize,
    /// Vendors' hosts in private networks that may be reached: `host:port`, separated by commas.
    #[serde(default)]
    pub vendor_exceptions: String,
    /// Receivers of events in private networks that may be reached, over http too: `host:port`, separated by commas.
    #[serde(default)]
    pub webhook_exceptions: String,
    /// Requests per second to one vendor account.
    #[serde(default = "pace")]
    pub vendor_requests_per_second: f64,
    /// Whether cookies are for HTTPS only.
    #[serde(default = "yes")]
    pub secure_cookies: bool,
    /// Where browsers reach us: `https://panelone.msp.example`. Vendors send people back to it.
    #[serde(default)]
    pub public_origin: String,
    /// Proxies that are believed about where requests come from: addresses or networks, separated by commas.
    #[serde(default)]
    pub trusted_proxies: String,
    /// Who letters come from: `Name <name@msp.example>`.
    #[serde(default = "sender")]
    pub mail_from: String,
    /// Where letters are left as files while no mail server is named.
    #[serde(default = "mail_folder")]
    pub mail_folder: String,
    /// Host name of the mail server.
    #[serde(default)]
    pub mail_smtp_host: String,
    /// Its port; 0 is the usual one.
    #[serde(default)]
    pub mail_smtp_port: u16,
    /// `starttls`, `tls` or `none`.
    #[serde(default = "starttls")]
    pub mail_smtp_security: String,
    /// User name at the mail server.
    #[serde(default)]
    pub mail_smtp_user: String,
    /// Password at the mail server.
    #[serde(default)]
    pub mail_smtp_password: SecretString,
    /// File with a certificate authority of one's own, in PEM.
    #[serde(default)]
    pub mail_smtp_ca_file: String,
    /// Id of an integration that letters leave through instead of a mail server (`smtp2go`).
    #[serde(default)]
    pub mail_vendor: String,
    /// What its connect form asks for, as a JSON object of texts.
    #[serde(default)]
    pub mail_vendor_credentials: SecretString,
    /// Where contents of files are while no bucket is named.
    #[serde(default = "storage_folder")]
    pub storage_folder: String,
    /// Bucket of an S3-compatible store.
    #[serde(default)]
    pub storage_s3_bucket: String,
    /// Its address.
    #[serde(default)]
    pub storage_s3_endpoint: String,
    /// Its region.
    #[serde(default)]
    pub storage_s3_region: String,
    /// Folder in the bucket.
    #[serde(default)]
    pub storage_s3_prefix: String,
    /// Id of the access key.
    #[serde(default)]
    pub storage_s3_access_key: String,
    /// The access key.
    #[serde(default)]
    pub storage_s3_secret_key: SecretString,
    /// Most MiB of one file.
    #[serde(default = "storage_file_mib")]
    pub storage_file_mib: u64,
    /// Most MiB of one client's files.
    #[serde(default = "storage_client_mib")]
    pub storage_client_mib: u64,
    /// Most MiB of an organisation's files.
    #[serde(default = "storage_organisation_mib")]
    pub storage_organisation_mib: u64,
    /// `json` or `text`.
    #[serde(default = "text")]
    pub log_format: String,
    /// What is logged, as in `RUST_LOG`.
    #[serde(default = "info")]
    pub log: String,
}

fn connections() -> u32 {
    8
}
fn listen() -> String {
    "127.0.0.1:8080".to_owned()
}
fn slots() -> usize {
    4
}
fn pace() -> f64 {
    10.0
}
fn yes() -> bool {
    true
}
fn sender() -> String {
    "PanelOne <panelone@localhost>".to_owned()
}
fn mail_folder() -> String {
    "panelone-mail".to_owned()
}
fn storage_folder() -> String {
    "panelone-files".to_owned()
}
fn storage_file_mib() -> u64 {
    25
}
fn storage_client_mib() -> u64 {
    1024
}
fn storage_organisation_mib() -> u64 {
    20 * 1024
}
fn starttls() -> String {
    "starttls".to_owned()
}
fn text() -> String {
    "text".to_owned()
}
fn info() -> String {
    "info,sqlx=warn".to_owned()
}

impl Settings {
    /// Reads the file, if one is named, then the environment. The error lists every mistake.
    pub fn read(file: Option<&Path>) -> Result<Self, String> {
        let mut sources = config::Config::builder();
        if let Some(file) = file {
            sources = sources.add_source(config::File::from(file));
        }
        let environment = config::Environment::with_prefix("PANELONE").prefix_separator("_").try_parsing(true);
        let mine = std::env::vars().filter(|(name, _)| !NOT_SETTINGS.iter().any(|other| name.starts_with(other)));
        let (words, mine): (HashMap<_, _>, HashMap<_, _>) =
            mine.partition(|(name, _)| AS_WRITTEN.contains(&name.as_str()));
        for (name, word) in words {
            let key = name.trim_start_matches("PANELONE_").to_lowercase();
            sources = sources.set_override(key, word).map_err(|why| format!("configuration: {why}"))?;
        }
        let settings: Self = sources
            .add_source(environment.source(Some(mine)))
            .build()
            .and_then(config::Config::try_deserialize)
            .map_err(|why| format!("configuration: {why} (see the table in the README)"))?;
        let mistakes = settings.mistakes();
        if mistakes.is_empty() { Ok(settings) } else { Err(format!("configuration:\n  {}", mistakes.join("\n  "))) }
    }

    fn mistakes(&self) -> Vec<String> {
        let mut mistakes = Vec::new();
        if !self.database_url.starts_with("sqlite:") && !self.database_url.starts_with("postgres") {
            mistakes.push("PANELONE_DATABASE_URL must begin with sqlite: or postgres:".to_owned());
        }
        if let Err(why) = KeyRing::parse(&self.sealing_keys) {
            mistakes.push(format!("PANELONE_SEALING_KEYS: {why}"));
        }
        if self.listen.parse::<SocketAddr>().is_err() {
            mistakes.push("PANELONE_LISTEN must be address:port such as 127.0.0.1:8080".to_owned());
        }
        if !self.public_origin.is_empty() && !is_origin(&self.public_origin) {
            mistakes.push(
                "PANELONE_PUBLIC_ORIGIN must be an address without a path, such as https://panelone.msp.example"
                    .to_owned(),
            );
        }
        if !matches!(self.log_format.as_str(), "json" | "text") {
            mistakes.push("PANELONE_LOG_FORMAT must be json or text".to_owned());
        }
        if !(1..=64).contains(&self.worker_slots) {
            mistakes.push("PANELONE_WORKER_SLOTS must be from 1 to 64".to_owned());
        }
        if !(2..=200).contains(&self.database_connections) {
            mistakes.push("PANELONE_DATABASE_CONNECTIONS must be from 2 to 200".to_owned());
        }
        if !(self.vendor_requests_per_second > 0.0 && self.vendor_requests_per_second <= 10_000.0) {
            mistakes.push("PANELONE_VENDOR_REQUESTS_PER_SECOND must be above 0 and at most 10000".to_owned());
        }
        if let Err(why) = transport::AddressPolicy::allowing(self.exceptions()) {
            mistakes.push(format!("PANELONE_VENDOR_EXCEPTIONS: {why}"));
        }
        if let Err(why) = self.webhook_policy() {
            mistakes.push(format!("PANELONE_WEBHOOK_EXCEPTIONS: {why}"));
        }
        if let Err(why) = self.proxies() {
            mistakes.push(format!("PANELONE_TRUSTED_PROXIES: {why}"));
        }
        mistakes.extend(crate::post::mistakes(self));
        mistakes.extend(crate::files::mistakes(self));
        mistakes
    }

    /// Where browsers reach us, if that is set.
    pub fn origin(&self) -> Option<String> {
        (!self.public_origin.is_empty()).then(|| self.public_origin.trim_end_matches('/').to_owned())
    }

    /// The proxies in front of us.
    pub fn proxies(&self) -> Result<Vec<IpNet>, String> {
        networks(&self.trusted_proxies)
    }

    /// The exceptions of the address policy.
    pub fn exceptions(&self) -> Vec<&str> {
        self.vendor_exceptions.split(',').map(str::trim).filter(|text| !text.is_empty()).collect()
    }

    /// Where events may be sent.
    pub fn webhook_policy(&self) -> Result<transport::AddressPolicy, String> {
        let named = self.webhook_exceptions.split(',').map(str::trim).filter(|text| !text.is_empty());
        transport::AddressPolicy::allowing(named).map_err(|why| why.to_string())
    }

    /// The sealing keys.
    pub fn keys(&self) -> Result<KeyRing, String> {
        KeyRing::parse(&self.sealing_keys)
    }
}

/// Networks, and addresses as networks of one, separated by commas.
fn networks(text: &str) -> Result<Vec<IpNet>, String> {
    let named = text.split(',').map(str::trim).filter(|text| !text.is_empty());
    let one = |text: &str| text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    named.map(|text| one(text).map_err(|_| format!("{text} is no address and no network such as 10.0.0.0/8"))).collect()
}

/// Scheme, host and port, nothing else; plain http is for the loopback.
fn is_origin(text: &str) -> bool {
    let text = text.strip_suffix('/').unwrap_or(text);
    let loopback = ["127.0.0.1", "localhost", "[::1]"];
    let host = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(host), _) => host,
        (None, Some(host)) if loopback.iter().any(|name| host.strip_prefix(name).is_some_and(is_port)) => host,
        _ => return false,
    };
    !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte))
}

fn is_port(rest: &str) -> bool {
    rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::{is_origin, networks};

    #[test]
    fn proxies_are_addresses_or_networks() {
        let read = |text| networks(text).map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
        assert_eq!(read(" 10.0.0.0/8, 192.0.2.7,::1 ,").unwrap(), "10.0.0.0/8 192.0.2.7/32 ::1/128");
        assert_eq!(read("").unwrap(), "");
        for bad in ["proxy.msp.example", "10.0.0.0/33", "10.0.0.1:80"] {
            assert!(read(bad).unwrap_err().contains(bad), "{bad}");
        }
    }

    #[test]
    fn an_origin_is_https_without_a_path() {
        for good in [
            "https://panelone.msp.example",
            "https://panelone.msp.example:8443/",
            "http://127.0.0.1:8080",
            "http://localhost",
        ] {
            assert!(is_origin(good), "{good}");
        }
        for bad in [
            "panelone.msp.example",
            "http://panelone.msp.example",
            "https://",
            "https://a.example/path",
            "https://user@a.example",
            "https://a.example?x",
            "http://127.0.0.1.a.example",
            "http://localhost:99999",
        ] {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}

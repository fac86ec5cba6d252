//! The way letters leave, as the settings say: a mail server, a vendor that sends mail, or a folder while none is named.

use std::{sync::Arc, time::Duration};

use domain::ConnectionId;
use integration::{Connector, Transport};
use mail::{Carrier, Mailbox, Security, Sender, Smtp, SmtpOptions};
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value};
use sync::{Dial, VendorPost};
use uuid::Uuid;

use crate::Settings;

/// Longest that connecting to the mail server or one command may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The carrier that the settings ask for. A vendor is reached like those of connections, with a budget of its own.
pub fn carrier(settings: &Settings, dial: &dyn Dial) -> Result<Arc<dyn Carrier>, String> {
    let from = Sender::parse(&settings.mail_from)?;
    if !settings.mail_vendor.is_empty() {
        let transport = dial.transport(ConnectionId(Uuid::nil()), false);
        return Ok(Arc::new(vendor(settings, transport, from)?));
    }
    if settings.mail_smtp_host.is_empty() {
        return Ok(Arc::new(Mailbox::new(&settings.mail_folder, from)));
    }
    Ok(Arc::new(smtp(settings, from)?))
}

fn smtp(settings: &Settings, from: Sender) -> Result<Smtp, String> {
    Smtp::new(options(settings)?, from)
}

/// The vendor that letters leave through. What is wrong with its credentials is said without them.
fn vendor(settings: &Settings, transport: Arc<dyn Transport>, from: Sender) -> Result<VendorPost, String> {
    let named = settings.mail_vendor.as_str();
    let entry = registry::ALL.iter().find(|entry| entry.id == named);
    let entry = entry.ok_or_else(|| format!("PANELONE_MAIL_VENDOR: there is no integration {named}"))?;
    let text = settings.mail_vendor_credentials.expose_secret();
    let form: Map<String, Value> = serde_json::from_str(text).map_err(|why| {
        format!(
            "PANELONE_MAIL_VENDOR_CREDENTIALS must be a JSON object of what {}'s form asks for (byte {})",
            entry.name,
            why.column()
        )
    })?;
    let wrong = |fields: Vec<integration::FieldError>| {
        let fields: Vec<String> = fields.into_iter().map(|one| format!("{}: {}", one.field, one.message)).collect();
        format!("PANELONE_MAIL_VENDOR_CREDENTIALS: {}", fields.join("; "))
    };
    let connector: Box<dyn Connector> =
        entry.normalise(&form).and_then(|form| entry.connect(&form, transport)).map_err(wrong)?;
    VendorPost::new(connector, entry.name, from).map_err(|why| format!("PANELONE_MAIL_VENDOR: {why}"))
}

/// Sends nothing: for looking at the settings.
struct Silent;

#[async_trait::async_trait]
impl Transport for Silent {
    async fn send(&self, _: integration::Request) -> integration::Result<integration::Response> {
        Err(integration::Error::new(integration::Kind::Unavailable, "this transport sends nothing"))
    }

    fn now(&self) -> chrono::DateTime<chrono::Utc> {
        chrono::DateTime::UNIX_EPOCH
    }
}

fn options(settings: &Settings) -> Result<SmtpOptions, String> {
    let security = Security::parse(&settings.mail_smtp_security).ok_or("no such security")?;
    let user = &settings.mail_smtp_user;
    let login = (!user.is_empty()).then(|| (user.clone(), settings.mail_smtp_password.clone()));
    let authority = match settings.mail_smtp_ca_file.as_str() {
        "" => None,
        file => Some(std::fs::read(file).map_err(|why| format!("{file}: {why}"))?),
    };
    Ok(SmtpOptions {
        host: settings.mail_smtp_host.clone(),
        port: if settings.mail_smtp_port == 0 { security.port() } else { settings.mail_smtp_port },
        security,
        login,
        authority,
        timeout: TIMEOUT,
    })
}

/// What is wrong with the settings of mail.
pub(crate) fn mistakes(settings: &Settings) -> Vec<String> {
    let mut mistakes = Vec::new();
    if let Err(why) = Sender::parse(&settings.mail_from) {
        mistakes.push(format!("PANELONE_MAIL_FROM: {why}"));
    }
    if !settings.mail_vendor.is_empty() {
        if !settings.mail_smtp_host.is_empty() {
            mistakes.push("PANELONE_MAIL_VENDOR and PANELONE_MAIL_SMTP_HOST: letters leave one way only".to_owned());
        }
        if settings.mail_from.contains("@localhost") {
            mistakes.push("PANELONE_MAIL_FROM must be an address that the vendor knows as verified".to_owned());
        }
        if let Ok(from) = Sender::parse(&settings.mail_from)
            && let Err(why) = vendor(settings, Arc::new(Silent), from)
        {
            mistakes.push(why);
        }
        return mistakes;
    }
    if !settings.mail_vendor_credentials.expose_secret().is_empty() {
        mistakes.push("PANELONE_MAIL_VENDOR must name the integration that the credentials are for".to_owned());
    }
    let password = !settings.mail_smtp_password.expose_secret().is_empty();
    let user = !settings.mail_smtp_user.is_empty();
    if settings.mail_smtp_host.is_empty() {
        if user || password || settings.mail_smtp_port != 0 || !settings.mail_smtp_ca_file.is_empty() {
            mistakes
                .push("PANELONE_MAIL_SMTP_HOST must name the mail server that the other settings are for".to_owned());
        }
        if settings.mail_folder.trim().is_empty() {
            mistakes
                .push("PANELONE_MAIL_FOLDER must name a folder while there is no PANELONE_MAIL_SMTP_HOST".to_owned());
        }
        return mistakes;
    }
    if settings.mail_from.contains("@localhost") {
        mistakes.push("PANELONE_MAIL_FROM must be an address that your mail server may send from".to_owned());
    }
    if user != password {
        mistakes.push("PANELONE_MAIL_SMTP_USER and PANELONE_MAIL_SMTP_PASSWORD belong together".to_owned());
    }
    match Security::parse(&settings.mail_smtp_security) {
        None => mistakes.push("PANELONE_MAIL_SMTP_SECURITY must be starttls, tls or none".to_owned()),
        Some(Security::None) if !loopback(&settings.mail_smtp_host) => mistakes.push(
            "PANELONE_MAIL_SMTP_SECURITY=none is for a mail server on this machine only: letters hold links that \
             let people in"
                .to_owned(),
        ),
        Some(_) => {
            let built = Sender::parse(&settings.mail_from).and_then(|from| smtp(settings, from));
            if let Err(why) = built {
                mistakes.push(format!("PANELONE_MAIL_SMTP_CA_FILE: {why}"));
            }
        }
    }
    mistakes
}

fn loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let mut text = "database_url = \"sqlite://x\"\nsealing_keys = \"\"\n".to_owned();
        for (key, value) in pairs {
            text.push_str(&format!("{key} = {value}\n"));
        }
        let source = config::File::from_str(&text, config::FileFormat::Toml);
        config::Config::builder().add_source(source).build().and_then(config::Config::try_deserialize).expect("reads")
    }

    #[test]
    fn every_mistake_is_named() {
        /// Settings, and the names in what is told about them.
        type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);
        let smtp2go = r#"'{"account_name":"Letters","region":"nearest","api_key":"api-hunter2"}'"#;
        let cases: [Case<'_>; 14] = [
            (
                &[
                    ("mail_vendor", "\"smtp2go\""),
                    ("mail_from", "\"a@b.example\""),
                    ("mail_vendor_credentials", smtp2go),
                ],
                &[],
            ),
            (&[("mail_vendor_credentials", smtp2go)], &["MAIL_VENDOR must name"]),
            (
                &[
                    ("mail_vendor", "\"smtp2go\""),
                    ("mail_smtp_host", "\"mail.example\""),
                    ("mail_vendor_credentials", smtp2go),
                ],
                &["one way only", "MAIL_FROM"],
            ),
            (
                &[
                    ("mail_vendor", "\"smtp2go\""),
                    ("mail_from", "\"a@b.example\""),
                    ("mail_vendor_credentials", "'{\"region\":\"moon\"}'"),
                ],
                &["account_name"],
            ),
            (&[("mail_vendor", "\"pigeon\""), ("mail_from", "\"a@b.example\"")], &["no integration pigeon"]),
            (
                &[
                    ("mail_vendor", "\"threecx\""),
                    ("mail_from", "\"a@b.example\""),
                    ("mail_vendor_credentials", "'no object'"),
                ],
                &["JSON object"],
            ),
            (&[], &[]),
            (&[("mail_from", "\"nobody\""), ("mail_folder", "\"\"")], &["MAIL_FROM", "MAIL_FOLDER"]),
            (&[("mail_smtp_user", "\"jo\"")], &["MAIL_SMTP_HOST"]),
            (&[("mail_smtp_host", "\"mail.example\"")], &["MAIL_FROM"]),
            (
                &[
                    ("mail_smtp_host", "\"mail.example\""),
                    ("mail_from", "\"a@b.example\""),
                    ("mail_smtp_user", "\"jo\""),
                ],
                &["MAIL_SMTP_USER"],
            ),
            (
                &[
                    ("mail_smtp_host", "\"mail.example\""),
                    ("mail_from", "\"a@b.example\""),
                    ("mail_smtp_security", "\"none\""),
                ],
                &["MAIL_SMTP_SECURITY=none"],
            ),
            (
                &[
                    ("mail_smtp_host", "\"mail.example\""),
                    ("mail_from", "\"a@b.example\""),
                    ("mail_smtp_security", "\"ssl\""),
                ],
                &["MAIL_SMTP_SECURITY must"],
            ),
            (
                &[
                    ("mail_smtp_host", "\"127.0.0.1\""),
                    ("mail_from", "\"a@b.example\""),
                    ("mail_smtp_security", "\"none\""),
                    ("mail_smtp_port", "2525"),
                ],
                &[],
            ),
        ];
        for (pairs, expected) in cases {
            let found = mistakes(&settings(pairs));
            assert_eq!(found.len(), expected.len(), "{pairs:?}: {found:?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.contains(expected), "{pairs:?}: {found}");
            }
        }
    }

    #[test]
    fn the_password_is_not_printed_with_the_settings() {
        let pairs =
            [("mail_smtp_password", "\"hunter2-of-the-test\""), ("mail_vendor_credentials", "\"hunter2-of-a-vendor\"")];
        let settings = settings(&pairs);
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}

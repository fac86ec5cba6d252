//! The way letters leave, as the settings say: a mail server, or a folder while none is named.

use std::{sync::Arc, time::Duration};

use mail::{Carrier, Mailbox, Security, Sender, Smtp, SmtpOptions};
use secrecy::ExposeSecret as _;

use crate::Settings;

/// Longest that connecting to the mail server or one command may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The carrier that the settings ask for.
pub fn carrier(settings: &Settings) -> Result<Arc<dyn Carrier>, String> {
    let from = Sender::parse(&settings.mail_from)?;
    if settings.mail_smtp_host.is_empty() {
        return Ok(Arc::new(Mailbox::new(&settings.mail_folder, from)));
    }
    Ok(Arc::new(Smtp::new(options(settings)?, from)?))
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
            if let Err(why) = carrier(settings) {
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
        let cases: [Case<'_>; 8] = [
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
        let settings = settings(&[("mail_smtp_password", "\"hunter2-of-the-test\"")]);
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}

//! A mail server, over SMTP.

use std::time::Duration;

use async_trait::async_trait;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    transport::smtp::{
        Error as SmtpError,
        authentication::Credentials,
        client::{Certificate, Tls, TlsParameters},
    },
};
use secrecy::{ExposeSecret, SecretString};

use crate::{Carrier, Outgoing, Sender, Undelivered};

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte, port 465.
    Tls,
    /// STARTTLS, required, port 587.
    StartTls,
    /// None, port 25: for a server on the same machine.
    None,
}

impl Security {
    /// The one of this name in the configuration.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "tls" => Some(Self::Tls),
            "starttls" => Some(Self::StartTls),
            "none" => Some(Self::None),
            _ => None,
        }
    }

    /// The port that is usual for it.
    pub fn port(self) -> u16 {
        match self {
            Self::Tls => 465,
            Self::StartTls => 587,
            Self::None => 25,
        }
    }
}

/// Which server, and how.
#[derive(Clone, Debug)]
pub struct SmtpOptions {
    /// Host name, which the certificate must carry.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Protection.
    pub security: Security,
    /// User name and password, if it asks for them.
    pub login: Option<(String, SecretString)>,
    /// A certificate authority beside those of the operating system, in PEM.
    pub authority: Option<Vec<u8>>,
    /// Longest that connecting or one command may take.
    pub timeout: Duration,
}

/// Longest that one letter may take, whatever the server does.
const WHOLE: u32 = 4;

/// A mail server.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Sender,
    patience: Duration,
}

impl Smtp {
    /// Letters from this sender through this server; nothing is asked of it yet.
    pub fn new(options: SmtpOptions, from: Sender) -> Result<Self, String> {
        let mut parameters = TlsParameters::builder(options.host.clone());
        if let Some(pem) = &options.authority {
            let certificate =
                Certificate::from_pem(pem).map_err(|why| format!("the authority's certificate: {why}"))?;
            parameters = parameters.add_root_certificate(certificate);
        }
        let tls = || parameters.build_rustls().map_err(|why| format!("TLS: {why}"));
        let tls = match options.security {
            Security::Tls => Tls::Wrapper(tls()?),
            Security::StartTls => Tls::Required(tls()?),
            Security::None => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&options.host)
            .port(options.port)
            .tls(tls)
            .timeout(Some(options.timeout));
        if let Some((user, password)) = options.login {
            builder = builder.credentials(Credentials::new(user, password.expose_secret().to_owned()));
        }
        Ok(Self { transport: builder.build(), from, patience: options.timeout * WHOLE })
    }
}

#[async_trait]
impl Carrier for Smtp {
    async fn carry(&self, letter: &Outgoing) -> Result<(), Undelivered> {
        let message = letter.message(&self.from)?;
        match tokio::time::timeout(self.patience, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(undelivered(&error)),
            Err(_) => Err(Undelivered { permanent: false, message: "the mail server took too long".to_owned() }),
        }
    }
}

/// Answers that say "authenticate first" or "wrong password": they are about us, not about the letter, and pass once
/// the operator has set them right.
const OURS: [u16; 4] = [530, 534, 535, 538];

fn undelivered(error: &SmtpError) -> Undelivered {
    let ours = error.status().is_some_and(|code| OURS.contains(&u16::from(code)));
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !message.contains(&inner_text) {
            message = format!("{message}: {inner_text}");
        }
        cause = inner.source();
    }
    let message = message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(400).collect();
    Undelivered { permanent: error.is_permanent() && !ours, message }
}

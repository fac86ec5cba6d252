//! What went wrong on the network, in words that are safe to show: the host, never the query.

use std::{error::Error as StdError, io, time::Duration};

use integration::{Error, Kind, Retry};

use crate::{address::Blocked, guard::NotFound};

/// An address that the policy does not admit. A person must change the address or allow it.
pub(crate) fn blocked(host: &str, why: &Blocked) -> Error {
    Error::new(
        Kind::Refused,
        format!(
            "{host} leads to {why}, which PanelOne does not contact: correct the address, or allow exactly this host \
             and port"
        ),
    )
    .at("host", host)
}

/// The error for a request that got no whole answer.
pub(crate) fn network(host: &str, why: &reqwest::Error, total: Duration) -> Error {
    if let Some(policy) = cause::<Blocked>(why) {
        return blocked(host, policy);
    }
    if why.is_builder() {
        return Error::new(Kind::Refused, "the request holds characters that HTTP does not allow").at("host", host);
    }
    unavailable(host, &sentence(host, why, total))
}

/// No answer, or only a part of one.
fn unavailable(host: &str, message: &str) -> Error {
    Error::new(Kind::Unavailable, message).retry(Retry::Yes).at("host", host)
}

fn sentence(host: &str, why: &reqwest::Error, total: Duration) -> String {
    if let Some(tls) = cause::<rustls::Error>(why) {
        return format!("no secure connection to {host}: {}", tls_words(tls));
    }
    if cause::<NotFound>(why).is_some() {
        return format!("the host name {host} cannot be found");
    }
    if why.is_timeout() {
        return match why.is_connect() {
            true => format!("{host} does not accept a connection in time"),
            false => format!("{host} did not answer within {} s", total.as_secs_f32()),
        };
    }
    if why.is_connect() {
        return match cause::<io::Error>(why).map(io::Error::kind) {
            Some(io::ErrorKind::ConnectionRefused) => format!("{host} refuses the connection"),
            Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable) => {
                format!("there is no network route to {host}")
            }
            _ => format!("no connection to {host}"),
        };
    }
    if why.is_body() || why.is_decode() {
        return format!("the answer of {host} broke off or is damaged");
    }
    format!("{host} closed the connection without an answer")
}

fn tls_words(why: &rustls::Error) -> &'static str {
    use rustls::CertificateError as Bad;
    match why {
        rustls::Error::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => "its certificate has expired",
        rustls::Error::InvalidCertificate(Bad::NotValidForName | Bad::NotValidForNameContext { .. }) => {
            "its certificate is for another name"
        }
        rustls::Error::InvalidCertificate(Bad::UnknownIssuer) => "its certificate is from an unknown issuer",
        rustls::Error::InvalidCertificate(Bad::Revoked) => "its certificate is revoked",
        rustls::Error::InvalidCertificate(_) => "its certificate is not valid",
        rustls::Error::InvalidMessage(_) => "it does not speak TLS on this port",
        _ => "the TLS handshake failed",
    }
}

/// The first cause of type `T`. An [`io::Error`] hides what it wraps from `source`, so it is opened.
fn cause<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

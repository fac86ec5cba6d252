//! Which addresses may be reached. A connection's base address is typed by a person, so without
//! this anyone who may add a connection could read what listens beside the server.
//!
//! Here the URL is judged before it is sent: scheme, IP literals (`url` has already turned every
//! spelling of an IPv4 address into the address). What a name leads to is judged in `guard.rs`.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use ipnet::{Ipv4Net, Ipv6Net};
use url::{Host, Url};

/// Which addresses may be reached. The default admits public addresses over https and nothing else.
#[derive(Clone, Debug, Default)]
pub struct AddressPolicy {
    allow: Vec<Exception>,
}

#[derive(Clone, Debug, PartialEq)]
struct Exception {
    host: Host<String>,
    port: u16,
}

/// An exception that is not `host:port` or `ip:port`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a host or IP address with a port, such as controller.example:8443 or [fd00::1]:443")]
pub struct InvalidException(String);

/// How a URL may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// To public addresses only.
    Public,
    /// By an exception.
    Exception,
}

impl AddressPolicy {
    /// A policy with exceptions: each admits exactly that host and port, over http as well as https.
    ///
    /// A name in an exception may resolve to private addresses, but not to link-local, multicast or
    /// loopback ones (`localhost` may to loopback).
    pub fn allowing<S: AsRef<str>>(exceptions: impl IntoIterator<Item = S>) -> Result<Self, InvalidException> {
        let allow = exceptions.into_iter().map(|text| text.as_ref().parse()).collect::<Result<_, _>>()?;
        Ok(Self { allow })
    }

    /// Whether there is any exception.
    pub(crate) fn has_exceptions(&self) -> bool {
        !self.allow.is_empty()
    }

    /// Whether a URL may be sent to, as far as it shows before its name is resolved; else why not, in words that follow
    /// "must not lead to".
    pub fn check(&self, url: &Url) -> Result<(), &'static str> {
        self.route(url).map(drop).map_err(|Blocked(why)| why)
    }

    /// Decides on a URL. What a name resolves to is decided later, by the guard.
    pub(crate) fn route(&self, url: &Url) -> Result<Route, Blocked> {
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(Blocked("an address without a host"));
        };
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Blocked("neither http nor https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Blocked("an address with a user name or password in it"));
        }
        if self.allow.iter().any(|exception| exception.port == port && exception.host == host) {
            return Ok(Route::Exception);
        }
        if url.scheme() != "https" {
            return Err(Blocked("http without encryption"));
        }
        match host {
            Host::Domain(_) => Ok(Route::Public),
            Host::Ipv4(ip) => public(ip.into()).map(|()| Route::Public),
            Host::Ipv6(ip) => public(ip.into()).map(|()| Route::Public),
        }
    }
}

impl FromStr for Exception {
    type Err = InvalidException;

    fn from_str(text: &str) -> Result<Self, InvalidException> {
        let invalid = || InvalidException(text.to_owned());
        let (host, port) = text.trim().rsplit_once(':').ok_or_else(invalid)?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(invalid)?;
        // Read as a URL's host, so that an exception and the URL it admits are normalised alike.
        let url = Url::parse(&format!("http://{host}/")).map_err(|_| invalid())?;
        let bare = url.path() == "/" && url.port().is_none() && url.username().is_empty();
        match url.host() {
            Some(host) if bare && url.query().is_none() && url.fragment().is_none() => {
                Ok(Self { host: host.to_owned(), port })
            }
            _ => Err(invalid()),
        }
    }
}

/// Why an address is not reached, in words that follow "leads to".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blocked(pub &'static str);

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Blocked {}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, c: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

const LOOPBACK: &str = "a loopback address";
const PRIVATE: &str = "a private address";
const SHARED: &str = "a shared carrier address";
const LINK_LOCAL: &str = "a link-local or metadata address";
const TUNNEL: &str = "an address that hides another one";
const DOCUMENTATION: &str = "a documentation address";
const RESERVED: &str = "a reserved address";

/// IPv4 ranges that are not public, after the special-purpose registry.
const NOT_PUBLIC_V4: [(Ipv4Net, &str); 19] = [
    (v4(0, 0, 0, 0, 8), "an unspecified address"),
    (v4(10, 0, 0, 0, 8), PRIVATE),
    (v4(100, 64, 0, 0, 10), SHARED),
    (v4(127, 0, 0, 0, 8), LOOPBACK),
    (v4(169, 254, 0, 0, 16), LINK_LOCAL),
    (v4(172, 16, 0, 0, 12), PRIVATE),
    (v4(192, 0, 0, 0, 24), RESERVED),
    (v4(192, 0, 2, 0, 24), DOCUMENTATION),
    (v4(192, 31, 196, 0, 24), RESERVED),
    (v4(192, 52, 193, 0, 24), RESERVED),
    (v4(192, 88, 99, 0, 24), TUNNEL),
    (v4(192, 168, 0, 0, 16), PRIVATE),
    (v4(192, 175, 48, 0, 24), RESERVED),
    (v4(198, 18, 0, 0, 15), "a benchmark address"),
    (v4(198, 51, 100, 0, 24), DOCUMENTATION),
    (v4(203, 0, 113, 0, 24), DOCUMENTATION),
    // A cloud's machine agent, at an address that is public everywhere else.
    (v4(168, 63, 129, 16, 32), LINK_LOCAL),
    (v4(224, 0, 0, 0, 4), "a multicast address"),
    (v4(240, 0, 0, 0, 4), RESERVED),
];

/// IPv6 ranges that are not public; whatever lies outside [`GLOBAL_V6`] is not either.
const NOT_PUBLIC_V6: [(Ipv6Net, &str); 12] = [
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), LOOPBACK),
    (Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128), "an unspecified address"),
    // Mapped, compatible and translated IPv4: under ::/32.
    (v6(0, 0, 0, 32), TUNNEL),
    (v6(0x64, 0xff9b, 0, 32), TUNNEL),
    (v6(0xfc00, 0, 0, 7), PRIVATE),
    (v6(0xfe80, 0, 0, 10), LINK_LOCAL),
    (v6(0xfec0, 0, 0, 10), PRIVATE),
    (v6(0xff00, 0, 0, 8), "a multicast address"),
    // Teredo, benchmarks, overlay identifiers.
    (v6(0x2001, 0, 0, 23), TUNNEL),
    (v6(0x2001, 0xdb8, 0, 32), DOCUMENTATION),
    (v6(0x2002, 0, 0, 16), TUNNEL),
    (v6(0x3fff, 0, 0, 20), DOCUMENTATION),
];

const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 0, 3);

/// Ok for a public address, else what it is.
pub(crate) fn public(ip: IpAddr) -> Result<(), Blocked> {
    let range = match ip {
        IpAddr::V4(ip) => NOT_PUBLIC_V4.iter().find(|(net, _)| net.contains(&ip)).map(|(_, what)| *what),
        IpAddr::V6(ip) => NOT_PUBLIC_V6
            .iter()
            .find(|(net, _)| net.contains(&ip))
            .map(|(_, what)| *what)
            .or_else(|| (!GLOBAL_V6.contains(&ip)).then_some(RESERVED)),
    };
    range.map_or(Ok(()), |what| Err(Blocked(what)))
}

/// Ok for what a name in an exception may resolve to: public, private and carrier addresses.
pub(crate) fn private_or_public(name: &str, ip: IpAddr) -> Result<(), Blocked> {
    let local = name == "localhost" || name.ends_with(".localhost");
    match public(ip) {
        Err(Blocked(PRIVATE | SHARED)) => Ok(()),
        Err(Blocked(LOOPBACK)) if local => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_range_is_refused_at_both_ends_and_its_neighbours_are_judged_by_themselves() {
        for (net, what) in NOT_PUBLIC_V4 {
            assert_eq!(public(net.network().into()), Err(Blocked(what)), "{net}");
            assert_eq!(public(net.broadcast().into()), Err(Blocked(what)), "{net}");
        }
        for (net, _) in NOT_PUBLIC_V6 {
            assert!(public(net.network().into()).is_err() && public(net.broadcast().into()).is_err(), "{net}");
        }
        for ip in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "168.63.129.15",
            "223.255.255.255",
            "2000::1",
            "2606:4700::1111",
            "2001:200::1",
            "2003::1",
            "3ffe::1",
        ] {
            assert_eq!(public(ip.parse().unwrap()), Ok(()), "{ip}");
        }
        for ip in ["4000::1", "1::1", "100::1", "5f00::1", "e000::1"] {
            assert_eq!(public(ip.parse().unwrap()), Err(Blocked(RESERVED)), "{ip}");
        }
    }

    #[test]
    fn exceptions_are_exact() {
        let policy = AddressPolicy::allowing(["10.0.0.7:8443", "Controller.Example:443", "[FD00::7]:80"]).unwrap();
        for (url, route) in [
            ("http://10.0.0.7:8443/", Some(Route::Exception)),
            ("https://0xa.7:8443/", Some(Route::Exception)),
            ("https://10.0.0.7/", None),
            ("http://10.0.0.8:8443/", None),
            ("http://[::ffff:10.0.0.7]:8443/", None),
            ("https://controller.example/", Some(Route::Exception)),
            ("https://controller.example:444/", Some(Route::Public)),
            ("http://controller.example/", None),
            ("http://[fd00::7]/", Some(Route::Exception)),
            ("https://[fd00::7]/", None),
            ("https://user@controller.example/", None),
            ("ftp://10.0.0.7:8443/", None),
        ] {
            assert_eq!(policy.route(&Url::parse(url).unwrap()).ok(), route, "{url}");
        }
    }

    #[test]
    fn an_exception_is_a_host_with_a_port_and_nothing_else() {
        for text in [
            "",
            "10.0.0.1",
            "host",
            ":80",
            "host:0",
            "host:65536",
            "host:80/x",
            "a/b:80",
            "u@host:80",
            "fd00::1:80",
            "a:1:80",
            "h?q:80",
            "h#f:80",
        ] {
            assert!(AddressPolicy::allowing([text]).is_err(), "{text}");
        }
    }
}

//! The site that passkeys are bound to.

use std::time::Duration;

use domain::{Error, Result};
use url::Url;
use webauthn_rs::{Webauthn, WebauthnBuilder};

/// What devices call the site beside its name.
const TITLE: &str = "PanelOne";

/// Where browsers reach us: what passkeys are made for, and what an answer must come from.
#[derive(Clone)]
pub struct PasskeySite {
    pub(super) webauthn: Webauthn,
    pub(super) name: String,
}

impl std::fmt::Debug for PasskeySite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PasskeySite({})", self.name)
    }
}

fn unavailable() -> Error {
    Error::conflict(
        "passkeys_unavailable",
        "Passkeys need an address with a name, not with a number: the operator sets PANELONE_PUBLIC_ORIGIN to it.",
    )
}

impl PasskeySite {
    /// The site at this origin ("https://panelone.msp.example"). The conflict `passkeys_unavailable` where its host is
    /// no name: browsers make no passkeys for a number.
    pub fn at(origin: &str) -> Result<Self> {
        let url = Url::parse(origin).map_err(|_| unavailable())?;
        let name = url.domain().ok_or_else(unavailable)?.to_owned();
        let patience = Duration::from_secs(super::challenge::PATIENCE.num_seconds().unsigned_abs());
        let webauthn = WebauthnBuilder::new(&name, &url)
            .and_then(|builder| builder.rp_name(TITLE).timeout(patience).build())
            .map_err(Error::internal)?;
        Ok(Self { webauthn, name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_has_a_name() {
        assert_eq!(PasskeySite::at("https://panelone.msp.example:8443").expect("a site").name, "panelone.msp.example");
        assert_eq!(PasskeySite::at("http://localhost:8080").expect("a site").name, "localhost");
        for origin in ["http://127.0.0.1:8080", "https://[::1]", "panelone.msp.example", "", "mailto:jo@msp.example"] {
            let refused = PasskeySite::at(origin);
            assert!(matches!(refused, Err(Error::Conflict { code: "passkeys_unavailable", .. })), "{origin}");
        }
    }
}

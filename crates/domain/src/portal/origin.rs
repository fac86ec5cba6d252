//! Where the pages of a portal are: an address without a path.

use crate::Problem;

/// Longest address, in characters.
const LONGEST: usize = 255;

/// The address of a portal as it is kept: in lower case, without a slash at its end. Only https, with plain http for the
/// loopback; no user, path, query or fragment.
pub fn valid_origin(pointer: &str, text: &str) -> Result<String, Problem> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.strip_suffix('/').unwrap_or(&text);
    let authority = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(authority), _) => Some(authority),
        (None, Some(authority)) => {
            let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
            ["127.0.0.1", "localhost", "[::1]"].contains(&host).then_some(authority)
        }
        (None, None) => None,
    };
    if text.len() <= LONGEST && authority.is_some_and(is_authority) {
        return Ok(text.to_owned());
    }
    Err(Problem::new(
        pointer,
        "not_an_origin",
        "must be an https address without a path, such as https://portal.msp.example",
    ))
}

fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let label = |label: &str| {
        let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (1..=63).contains(&label.len()) && plain && !label.starts_with('-') && !label.ends_with('-')
    };
    let name = host == "[::1]" || host.split('.').all(label);
    name && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_a_place_is_an_origin() {
        for (text, kept) in [
            ("https://Portal.MSP.example/", "https://portal.msp.example"),
            (" https://portal.msp.example:8443 ", "https://portal.msp.example:8443"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://localhost", "http://localhost"),
            ("http://[::1]:80", "http://[::1]:80"),
        ] {
            assert_eq!(valid_origin("/origin", text), Ok(kept.to_owned()));
        }
        for text in [
            "",
            "portal.msp.example",
            "http://portal.msp.example",
            "https://portal.msp.example/clientone",
            "https://a@portal.msp.example",
            "https://portal.msp.example?x",
            "https://portal.msp.example#x",
            "https://portal..example",
            "https://-x.example",
            "https://x.example:0",
            "https://x.example:99999",
            "https://x.exa mple",
            "javascript:alert(1)",
            "https://",
        ] {
            assert!(valid_origin("/origin", text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_kept_is_kept_again_and_holds_nothing_but_a_place(text in "(https?://)?[a-z0-9.:/@#? -]{0,20}") {
            if let Ok(kept) = valid_origin("/origin", &text) {
                prop_assert_eq!(valid_origin("/origin", &kept), Ok(kept.clone()));
                let rest = kept.split_once("://").map(|(_, rest)| rest.to_owned()).unwrap_or_default();
                prop_assert!(!rest.is_empty() && !rest.contains(['/', '@', '#', '?', ' ']));
            }
        }
    }
}

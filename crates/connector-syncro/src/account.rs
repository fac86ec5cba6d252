//! The fields of the form that are Syncro's own.

use integration::{Field, Input};
use url::Url;

/// Where every account lives, below a name of its own.
const DOMAIN: &str = "syncromsp.com";

/// The address of one account, entered as its subdomain or whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account(pub Url);

impl Field for Account {
    const INPUT: Input = Input::Text;

    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim().trim_end_matches('/');
        if text.starts_with("https://") || text.starts_with("http://") {
            return <Url as Field>::parse(text).map(|url| Self(cut(url)));
        }
        let name = text.strip_suffix(DOMAIN).map_or(text, |name| name.trim_end_matches('.'));
        // An account of the shielded offer lives one name further down.
        let name_like = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !name.split('.').all(name_like) {
            return Err("must be the part before .syncromsp.com in the address bar, such as acme".to_owned());
        }
        let url = Url::parse(&format!("https://{}.{DOMAIN}", name.to_ascii_lowercase()));
        url.map(Self).map_err(|_| "must be a name such as acme".to_owned())
    }

    fn example() -> String {
        "acme".to_owned()
    }

    fn store(&self) -> Option<String> {
        Some(self.0.to_string())
    }
}

/// What people copy is the page they look at: of an address at Syncro only the host counts.
fn cut(mut url: Url) -> Url {
    let at_syncro = url.host_str().is_some_and(|host| host.ends_with(DOMAIN));
    let path = url.path().trim_end_matches('/').trim_end_matches("/api/v1").to_owned();
    url.set_path(if at_syncro { "" } else { &path });
    url
}

/// An ISO 4217 code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Currency(pub String);

impl Field for Currency {
    const INPUT: Input = Input::Text;

    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        code.then(|| Self(text.to_ascii_uppercase()))
            .ok_or_else(|| "must be a code of three letters, such as USD".into())
    }

    fn example() -> String {
        "USD".to_owned()
    }

    fn store(&self) -> Option<String> {
        Some(self.0.clone())
    }
}

//! What Microsoft's refusals mean, by Graph and by the token endpoint.

use integration::{Error, Kind, Response, Vendor};
use serde_json::Value;

use crate::{
    Guid, Microsoft365,
    api::{Api, below},
};

const NAME: &str = Microsoft365::NAME;

/// Said of what Microsoft tells only of tenants with Entra ID P1.
const NO_PREMIUM: &str = "authentication_requestfromnonpremiumtenantorb2ctenant";

/// Whether it is a licence of the tenant that is missing, and no right.
pub(crate) fn lacks_licence(response: &Response) -> bool {
    Said::read(response).code == NO_PREMIUM
}

/// What a refusal says, in Graph's form or in that of the token endpoint.
struct Said {
    /// Microsoft's short code, in lower case; empty where the answer had none.
    code: String,
    words: String,
    /// The numbers after `AADSTS`.
    numbers: Vec<u64>,
    request_id: Option<String>,
}

impl Said {
    fn read(response: &Response) -> Self {
        let body: Value = response.json(NAME).unwrap_or_default();
        // Graph puts an object here, the token endpoint its code.
        let error = &body["error"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let header = response.header("request-id").map(str::to_owned);
        Self {
            code: text(&error["code"]).or_else(|| text(error)).unwrap_or_default().to_ascii_lowercase(),
            words: text(&error["message"]).or_else(|| text(&body["error_description"])).unwrap_or_default(),
            numbers: body["error_codes"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect(),
            request_id: header.or_else(|| text(&error["innerError"]["request-id"])).or_else(|| text(&body["trace_id"])),
        }
    }
}

impl Api {
    /// The one place where Microsoft's refusals become ours. `right` is what the request needed; `None`
    /// is for the token itself.
    pub fn failure(&self, tenant: Guid, right: Option<&str>, response: &Response) -> Error {
        let said = Said::read(response);
        self.http.failure(response, |mut error| {
            if let Some((kind, message)) = self.meaning(tenant, right, response.status, &said) {
                let retry = Error::new(kind, "").retry;
                error = Error { kind, message, retry, ..error };
            }
            error.vendor_says(&said.words).request_id(said.request_id.as_deref()).at("tenant", tenant)
        })
    }

    /// What Microsoft's codes mean beyond the status, or `None` where the status says it all.
    fn meaning(&self, tenant: Guid, right: Option<&str>, status: u16, said: &Said) -> Option<(Kind, String)> {
        use Kind::{Credentials, Expired, Forbidden, NotFound, NotOffered, Unavailable};
        // Trouble in one customer's tenant must not read as trouble with the credentials of all.
        let own = tenant == self.partner();
        let aadsts = |number| said.numbers.contains(&number);
        let code = said.code.as_str();
        let forgotten = ["resync", "syncstate", "expiredpagetoken"].iter().any(|part| code.contains(part));
        let (kind, message) = match (status, right) {
            (429 | 500.., _) => return None,
            _ if code == "temporarily_unavailable" => (Unavailable, "Microsoft gives no tokens just now".to_owned()),
            _ if aadsts(7_000_215) => {
                (Credentials, "the client secret is wrong: enter the secret's value, not its ID".to_owned())
            }
            _ if aadsts(7_000_222) => {
                (Credentials, "the client secret has expired: make a new one in Entra and save it here".to_owned())
            }
            _ if aadsts(700_016) && own => {
                (Credentials, "the partner tenant has no app with this client ID: check both IDs".to_owned())
            }
            _ if aadsts(700_016) || aadsts(65_001) => {
                let consent = below(&self.login, &format!("{tenant}/adminconsent"), None);
                let client = self.credentials.client_id;
                let link = format!("{consent}?client_id={client}");
                (
                    Forbidden,
                    format!("consent is missing in this tenant: send its administrator the admin consent link {link}"),
                )
            }
            _ if aadsts(90_002) && !own => (NotFound, "Microsoft knows no tenant with this ID".to_owned()),
            (400..=403, None) if own => {
                (Credentials, "Microsoft gives no token: check tenant ID, client ID and client secret".to_owned())
            }
            (400..=403, None) => (Forbidden, "Microsoft gives no token for this tenant".to_owned()),
            (401, _) if !own => (Forbidden, "this tenant does not accept its token: give consent anew".to_owned()),
            _ if code == NO_PREMIUM => {
                (NotOffered, "this tenant has no Entra ID P1, and without it Microsoft does not tell this".to_owned())
            }
            _ if forgotten => (Expired, "Microsoft has forgotten this place in its listing: list anew".to_owned()),
            (403, Some(right)) if !code.is_empty() => {
                (Forbidden, format!("the permission {right} is missing: add it to the app and give consent anew"))
            }
            _ => return None,
        };
        Some((kind, message))
    }
}

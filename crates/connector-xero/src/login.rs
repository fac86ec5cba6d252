//! The two ways in, and what each asks for.

use std::sync::Arc;

use integration::{
    Grant, Http, Request, Response, Result, consent_missing,
    oauth::{ClientProof, CodeFlow, CodeSettings, Grants},
};

use crate::{
    Credentials, Scopes, Way,
    api::{NAME, below, entered},
    custom::Client,
};

/// Where people sign in.
const LOGIN: &str = "https://login.xero.com";
/// Where tokens are given.
const IDENTITY: &str = "https://identity.xero.com";

/// What is asked for: to read contacts, the organisation, and invoices with their templates.
macro_rules! scope {
    ($broad:expr, $first:literal) => {
        if $broad {
            concat!($first, "accounting.contacts.read accounting.settings.read accounting.transactions.read")
        } else {
            concat!($first, "accounting.contacts.read accounting.settings.read accounting.invoices.read")
        }
    };
}

/// Both ways in.
pub(crate) enum Login {
    /// Someone consented at the vendor's page.
    WebApp(WebApp),
    /// Id and secret are enough.
    Custom(Box<Client>),
}

/// A web app with what was granted to it.
pub(crate) struct WebApp {
    pub(crate) grants: Grants,
    /// The organisation, as it came with the grant.
    tenant: Option<String>,
}

impl WebApp {
    pub(crate) fn tenant(&self) -> Result<&String> {
        self.tenant.as_ref().ok_or_else(|| consent_missing(NAME))
    }
}

impl Login {
    pub(crate) fn new(http: &Arc<Http>, credentials: Credentials) -> Self {
        let token_url = below(&entered(credentials.identity_url.as_ref(), IDENTITY), &["connect", "token"]);
        let broad = credentials.scopes == Some(Scopes::Broad);
        let Credentials { client_id, client_secret, grant, .. } = credentials;
        if credentials.way == Some(Way::Custom) {
            let scope = scope!(broad, "");
            return Self::Custom(Box::new(Client::new(http, token_url, &client_id, &client_secret, scope)));
        }
        let settings = CodeSettings {
            authorize_url: below(
                &entered(credentials.login_url.as_ref(), LOGIN),
                &["identity", "connect", "authorize"],
            ),
            token_url,
            client_id,
            client_secret,
            proof: ClientProof::Header,
            // Without `offline_access` there is no refresh token.
            scope: scope!(broad, "offline_access "),
            scope_at_renewal: false,
            page_pairs: &[],
        };
        let tenant = grant.as_ref().and_then(Grant::account).map(str::to_owned);
        Self::WebApp(WebApp { grants: Grants::new(Arc::new(CodeFlow::new(http.clone(), settings)), grant), tenant })
    }

    /// Sends with an access token; whatever the status, an answer is `Ok`.
    pub(crate) async fn send(&self, http: &Http, request: Request) -> Result<Response> {
        match self {
            Self::WebApp(app) => app.grants.send(request).await,
            Self::Custom(client) => client.send(http, request).await,
        }
    }

    /// What a person does to connect again.
    pub(crate) fn again(&self) -> &'static str {
        match self {
            Self::WebApp(_) => "reconnect, by signing in at Xero's page again",
            Self::Custom(_) => {
                "look at the custom connection at developer.xero.com, and connect it to the organisation"
            }
        }
    }
}

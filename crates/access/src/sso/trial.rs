//! Trying a provider out, and saying what is wrong with it.

use domain::{Context, Permission, Result, SsoProvider, SsoProviderId};
use persistence::Store;
use secrecy::SecretString;

use super::{
    Sso,
    discovery::{Failed, Metadata},
    finish::{exchange_request, token_error},
};

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SsoCheck {
    /// Whether its discovery document is there and can be read.
    Discovery,
    /// Whether that names the issuer that is set up.
    Issuer,
    /// Whether there are keys that signatures can be checked with.
    Keys,
    /// Whether it takes our client id and secret.
    Secret,
}

impl SsoCheck {
    /// The name in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Discovery => "discovery",
            Self::Issuer => "issuer",
            Self::Keys => "keys",
            Self::Secret => "secret",
        }
    }
}

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SsoFinding {
    /// What was tried.
    pub check: SsoCheck,
    /// Whether it is right; none where that could not be found out.
    pub right: Option<bool>,
    /// What was found, and what to do.
    pub message: String,
}

fn finding(check: SsoCheck, right: Option<bool>, message: impl Into<String>) -> SsoFinding {
    SsoFinding { check, right, message: message.into() }
}

/// Asks a provider for all that a sign-in needs. What it said before is forgotten. `redirect_uri` is where it would
/// send people back to.
pub async fn sso_provider_test(
    store: &Store,
    sso: &Sso,
    context: &Context,
    id: SsoProviderId,
    redirect_uri: &str,
) -> Result<Vec<SsoFinding>> {
    context.require(Permission::SsoManage)?;
    let tx = store.read(context.clone()).await?;
    let provider = tx.sso_provider(id).await?;
    let secret = tx.sso_secret(id).await?;
    tx.rollback().await?;
    sso.forget(&provider);
    let mut found = Vec::new();
    let metadata = match sso.metadata(&provider).await {
        Ok(metadata) => metadata,
        Err((Failed::Issuer, text)) => {
            found.push(finding(SsoCheck::Discovery, Some(true), "The discovery document is there."));
            found.push(finding(SsoCheck::Issuer, Some(false), text));
            return Ok(found);
        }
        Err((_, text)) => {
            found.push(finding(SsoCheck::Discovery, Some(false), text));
            return Ok(found);
        }
    };
    found.push(finding(SsoCheck::Discovery, Some(true), "The discovery document is there."));
    found.push(finding(SsoCheck::Issuer, Some(true), "The issuer is the one that is set up."));
    found.push(match sso.keys(&provider, &metadata).await {
        Ok(keys) => finding(SsoCheck::Keys, Some(true), format!("Keys that can be used: {}.", keys.keys().len())),
        Err((_, text)) => finding(SsoCheck::Keys, Some(false), text),
    });
    found.push(secret_finding(sso, &provider, &metadata, &secret, redirect_uri).await);
    Ok(found)
}

/// A code that was never given is refused for itself by a provider that takes our secret, and for the secret by one that
/// does not.
async fn secret_finding(
    sso: &Sso,
    provider: &SsoProvider,
    metadata: &Metadata,
    secret: &SecretString,
    redirect_uri: &str,
) -> SsoFinding {
    let verifier = "a-verifier-of-nothing-0000000000000000000000";
    let request = exchange_request(provider, metadata, secret, ("not-a-code", redirect_uri, verifier));
    let answer = match sso.outside.send(request).await {
        Ok(answer) => answer,
        Err(text) => return finding(SsoCheck::Secret, None, format!("The token endpoint did not answer: {text}")),
    };
    let check = SsoCheck::Secret;
    match token_error(&answer).as_str() {
        "invalid_client" | "unauthorized_client" => {
            finding(check, Some(false), "The provider does not take the client id with this secret. Enter both anew.")
        }
        "invalid_grant" => finding(check, Some(true), "The provider takes the client id and the secret."),
        other => {
            let said = if other.is_empty() { "nothing" } else { other };
            let text = format!("The token endpoint answered {} and said {said}: sign in once to see.", answer.status);
            finding(check, None, text)
        }
    }
}

//! Sensitive operations: whoever does them in a browser must have shown lately who they are. An API key is its own
//! proof, and a preview changes nothing: neither is asked.

use domain::{Context, Outcome, Result};
use persistence::SessionRow;

use crate::{app::App, auth::Caller};

impl App {
    /// The context of a caller of a sensitive operation; a refusal leaves an entry.
    pub async fn proven(&self, caller: Caller, action: &str, preview: bool) -> Result<Context> {
        let (tx, session) = caller.checked()?;
        let context = tx.context().clone();
        drop(tx);
        if !preview {
            self.require_proof(&context, session.as_ref(), action).await?;
        }
        Ok(context)
    }

    /// The same for what is not for API keys.
    pub async fn proven_person(&self, caller: Caller, action: &str, preview: bool) -> Result<Context> {
        let (tx, session) = caller.checked()?;
        let context = tx.context().clone();
        drop(tx);
        let session = session.ok_or_else(crate::routes::session::needs_session)?;
        if !preview {
            self.require_proof(&context, Some(&session), action).await?;
        }
        Ok(context)
    }

    /// Refuses a session whose owner has not shown lately who they are, with an entry.
    pub async fn require_proof(&self, context: &Context, session: Option<&SessionRow>, action: &str) -> Result<()> {
        if session.is_none_or(|session| context.now < access::proved_until(session)) {
            return Ok(());
        }
        let tx = self.store.begin(context.clone()).await?;
        tx.commit_attempt(action, Outcome::Denied, "reauthentication required").await?;
        Err(access::reauthentication_required())
    }
}

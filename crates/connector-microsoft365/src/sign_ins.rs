//! When changed users last signed in: asked for in batches. A part that Microsoft throttles or cannot answer now ends the
//! page, which is asked for again after the wait that it names: what is not known for a moment is never taken for
//! unknown.

use bytes::Bytes;
use integration::{Error, Kind, Response, Result, Vendor};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{Guid, Microsoft365, api::Api, batch};

const RIGHT: &str = "AuditLog.Read.All";

/// Above this many, a whole listing asks less of Microsoft.
const MOST: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    #[serde(default)]
    sign_in_activity: Value,
}

/// A changed user as it came, and as an object where it has an id that can be asked for.
struct Changed {
    raw: Bytes,
    user: Option<(Guid, Map<String, Value>)>,
}

impl Changed {
    /// One that cannot be read stays as it is, so that it is counted as rejected.
    fn of(raw: Bytes) -> Self {
        let user = serde_json::from_slice::<Map<String, Value>>(&raw).ok().and_then(|user| {
            let id = user.get("id").and_then(Value::as_str).and_then(Guid::read)?;
            Some((id, user))
        });
        Self { raw, user }
    }
}

impl Api {
    /// The same users, each with what the change feed does not tell.
    pub async fn with_sign_ins(&self, tenant: Guid, users: Vec<Bytes>) -> Result<Vec<Bytes>> {
        if users.len() > MOST {
            let why = format!("more than {MOST} users have changed: they are listed anew, with their sign-ins");
            return Err(Error::new(Kind::Expired, why).at("tenant", tenant));
        }
        let mut changed: Vec<Changed> = users.into_iter().map(Changed::of).collect();
        let mut known: Vec<&mut Changed> = changed.iter_mut().filter(|one| one.user.is_some()).collect();
        for chunk in known.chunks_mut(batch::MOST) {
            let addresses: Vec<String> = chunk
                .iter()
                .filter_map(|one| Some(format!("/users/{}?$select=id,signInActivity", one.user.as_ref()?.0)))
                .collect();
            let answers = match self.batch(tenant, &addresses, RIGHT).await {
                Ok(answers) => answers,
                Err(error) if lost(&error) => continue,
                Err(error) => return Err(error),
            };
            for (one, answer) in chunk.iter_mut().zip(answers) {
                self.join(tenant, one, &answer)?;
            }
        }
        Ok(changed.into_iter().map(|one| one.raw).collect())
    }

    fn join(&self, tenant: Guid, one: &mut Changed, answer: &Response) -> Result<()> {
        if !answer.is_success() {
            let error = self.failure(tenant, Some(RIGHT), answer);
            return if lost(&error) { Ok(()) } else { Err(error) };
        }
        let told: Told = answer.json(Microsoft365::NAME).map_err(|error| self.http.scrub(error))?;
        if let Some((_, user)) = &mut one.user {
            user.insert("signInActivity".to_owned(), told.sign_in_activity);
            one.raw = Value::Object(std::mem::take(user)).to_string().into();
        }
        Ok(())
    }
}

/// The licence has ended, or the user is gone since: then it is unknown, and the user stays.
fn lost(error: &Error) -> bool {
    matches!(error.kind, Kind::Forbidden | Kind::NotOffered | Kind::Refused | Kind::NotFound)
}

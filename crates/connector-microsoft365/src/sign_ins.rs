//! When changed users last signed in. One request for each: in a `$batch` each part is throttled by itself, out of
//! sight of whoever paces our requests, and a part that is refused for that would have to be asked for again.

use bytes::Bytes;
use integration::{Error, Kind, Result};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    Guid,
    api::{Api, Source},
};

const SIGN_IN: Source = Source { path: "users", query: "$select=id,signInActivity", right: "AuditLog.Read.All" };

/// Above this many, a whole listing asks less of Microsoft.
const MOST: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    #[serde(default)]
    sign_in_activity: Value,
}

impl Api {
    /// The same users, each with what the change feed does not tell.
    pub async fn with_sign_ins(&self, tenant: Guid, users: Vec<Bytes>) -> Result<Vec<Bytes>> {
        if users.len() > MOST {
            let why = format!("more than {MOST} users have changed: they are listed anew, with their sign-ins");
            return Err(Error::new(Kind::Expired, why).at("tenant", tenant));
        }
        let mut joined = Vec::with_capacity(users.len());
        for raw in users {
            joined.push(self.with_sign_in(tenant, raw).await?);
        }
        Ok(joined)
    }

    async fn with_sign_in(&self, tenant: Guid, raw: Bytes) -> Result<Bytes> {
        // One that cannot be read stays as it is, so that it is counted as rejected.
        let Ok(mut user) = serde_json::from_slice::<Map<String, Value>>(&raw) else { return Ok(raw) };
        let Some(id) = user.get("id").and_then(Value::as_str).and_then(Guid::read) else { return Ok(raw) };
        match self.one::<Told>(tenant, &SIGN_IN, id).await {
            Ok(told) => {
                user.insert("signInActivity".to_owned(), told.sign_in_activity);
                Ok(Value::Object(user).to_string().into())
            }
            // The licence has ended, or the user is gone since.
            Err(error) if matches!(error.kind, Kind::Forbidden | Kind::NotOffered | Kind::Refused | Kind::NotFound) => {
                Ok(raw)
            }
            Err(error) => Err(error),
        }
    }
}

//! What someone changes about themselves.

use domain::{Error, Problem, Result, valid_name};
use persistence::{PortalUserRow, Tx};

use super::in_person;

/// What to change; `None` leaves it as it is. The address is fixed: it is what one signs in with.
#[derive(Clone, Debug, Default)]
pub struct ProfilePatch {
    /// New name.
    pub name: Option<String>,
    /// New telephone number; empty removes it.
    pub phone: Option<String>,
    /// Refuse unless the row has this version.
    pub version: Option<i32>,
}

/// Characters of a telephone number.
const PHONE: usize = 50;

/// Changes the caller's own name and telephone number. The caller commits.
pub async fn portal_profile_update(tx: &Tx, patch: ProfilePatch) -> Result<PortalUserRow> {
    let before = tx.portal_user(in_person(tx.context())?).await?;
    if patch.version.is_some_and(|version| version != before.version) {
        return Err(Error::Stale { what: "profile" });
    }
    let mut after = before.clone();
    let mut problems: Vec<Problem> = Vec::new();
    if let Some(name) = &patch.name {
        match valid_name("/name", name) {
            Ok(name) => after.name = name,
            Err(problem) => problems.push(problem),
        }
    }
    if let Some(phone) = patch.phone.as_deref().map(str::trim) {
        let odd = |c: char| !(c.is_ascii_digit() || " +-()./#*,;xXextEXT".contains(c));
        if phone.chars().count() > PHONE {
            problems.push(Problem::new("/phone", "too_long", format!("must have at most {PHONE} characters")));
        } else if phone.contains(odd) {
            let message = "must be a telephone number such as +61 2 5550 0100";
            problems.push(Problem::new("/phone", "not_a_phone", message));
        }
        after.phone = (!phone.is_empty()).then(|| phone.to_owned());
    }
    if !problems.is_empty() {
        return Err(Error::Invalid(problems));
    }
    tx.portal_user_update(&before, after).await
}

//! Database errors in the words of [`domain::Error`].

use domain::Error;
use sea_orm::{DbErr, RuntimeErr, SqlErr};

/// Turns a database error into one the caller understands. Locked, full, read-only and absent
/// databases are [`Error::Busy`]: nothing was written and trying again helps.
pub(crate) fn from_db(error: DbErr) -> Error {
    if let Some(SqlErr::UniqueConstraintViolation(detail)) = error.sql_err() {
        return unique(&detail);
    }
    if holds_nul(&error) {
        return Error::invalid(
            "",
            "nul_character",
            "A text holds a NUL character, which cannot be stored or searched.",
        );
    }
    if is_transient(&error) { Error::Busy(error.to_string()) } else { Error::Internal(error.to_string()) }
}

/// PostgreSQL takes no NUL in a text (22021); SQLite does, and what is searched for is not there.
fn holds_nul(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause))) = error else {
        return false;
    };
    cause.as_database_error().and_then(|database| database.code()).is_some_and(|code| code == "22021")
}

/// Named constraints become conflicts that say what is taken.
fn unique(detail: &str) -> Error {
    let named = [
        ("custom_role_name", "custom_role.name_key", "name_taken", "There is already a role of this name."),
        (
            "service_account_name",
            "service_account.name_key",
            "name_taken",
            "There is already a service account of this name.",
        ),
        (
            "portal_user_email",
            "portal_user.email_key",
            "email_taken",
            "There is already an account of this e-mail address.",
        ),
        (
            "service_request_type_name",
            "service_request_type.name_key",
            "name_taken",
            "There is already a type of this name, perhaps a retired one: make that one active again.",
        ),
        (
            "agreement_number",
            "agreement.number",
            "draft_exists",
            "There is already a draft of the next version: change that one.",
        ),
        (
            "agreement_instance_one",
            "agreement_instance.agreement_id",
            "sent_already",
            "The client has this version already.",
        ),
        (
            "onboarding_template_number",
            "onboarding_template.number",
            "draft_exists",
            "There is already a draft of the next version: change that one.",
        ),
        (
            "onboarding_one",
            "onboarding.series_id",
            "assigned_already",
            "This is under way at the client already: complete or cancel that one first.",
        ),
        (
            "sso_provider_own",
            "sso_provider.audience",
            "provider_exists",
            "There is a provider for these people already: change that one.",
        ),
        (
            "sso_provider_client",
            "sso_provider.client_id",
            "provider_exists",
            "The client has a provider already: change that one.",
        ),
        (
            "sso_link_",
            "sso_link.",
            "linked_already",
            "This identity opens another account, or this account has another identity there: unlink that first.",
        ),
        (
            "passkey_credential",
            "passkey.credential_hash",
            "passkey_known",
            "This passkey is registered already. Use another device, or remove it first.",
        ),
        ("staff_email", "email_key", "email_taken", "Someone of the team already has this e-mail address."),
        ("organisation_slug", "organisation.slug", "slug_taken", "There is already an organisation of this name."),
    ];
    for (index, column, code, message) in named {
        if detail.contains(index) || detail.contains(column) {
            return Error::conflict(code, message);
        }
    }
    Error::conflict("exists", "This exists already. Read it again and repeat.")
}

fn is_transient(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) => true,
        DbErr::Conn(cause) | DbErr::Exec(cause) | DbErr::Query(cause) => runtime_is_transient(cause),
        _ => false,
    }
}

fn runtime_is_transient(cause: &RuntimeErr) -> bool {
    let RuntimeErr::SqlxError(cause) = cause else {
        return false;
    };
    match cause.as_ref() {
        sea_orm::sqlx::Error::Io(_)
        | sea_orm::sqlx::Error::Tls(_)
        | sea_orm::sqlx::Error::Protocol(_)
        | sea_orm::sqlx::Error::PoolTimedOut
        | sea_orm::sqlx::Error::PoolClosed
        | sea_orm::sqlx::Error::WorkerCrashed => true,
        sea_orm::sqlx::Error::Database(database) => database.code().is_some_and(|code| code_is_transient(&code)),
        _ => false,
    }
}

/// SQLite: busy, locked, read-only, I/O, full, cannot open (low byte of the extended code).
/// PostgreSQL: connection trouble, resources, shutdown, read-only, deadlock, serialisation, lock.
fn code_is_transient(code: &str) -> bool {
    if code.len() == 5 {
        let class = &code[..2];
        return matches!(class, "08" | "53" | "57" | "58")
            || matches!(code, "25006" | "40001" | "40P01" | "55P03" | "25P03");
    }
    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14))
}

/// Shortens `map_err(from_db)`.
pub(crate) trait OrDomain<T> {
    /// The value, or the error in our words.
    fn or_domain(self) -> domain::Result<T>;
}

impl<T> OrDomain<T> for Result<T, DbErr> {
    fn or_domain(self) -> domain::Result<T> {
        self.map_err(from_db)
    }
}

/// A stored text that should be one of ours.
pub(crate) fn known<T>(value: Option<T>, column: &str) -> domain::Result<T> {
    value.ok_or_else(|| Error::internal(format!("column {column} holds a value that this version does not know")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_of_the_database_is_told_from_ours() {
        for code in ["5", "517", "8", "13", "14", "08006", "57P01", "53300", "25006", "40001"] {
            assert!(code_is_transient(code), "{code}");
        }
        for code in ["1", "19", "2067", "23505", "42601", "42P01"] {
            assert!(!code_is_transient(code), "{code}");
        }
    }
}

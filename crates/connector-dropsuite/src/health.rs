//! How a backup stands. The rule is our own; the README states it.

use chrono::TimeDelta;
use integration::BackupState;
use serde_json::Value;

use crate::wire::{Account, Seen, Told};

/// How long a backup may prepare itself.
const PREPARING: TimeDelta = TimeDelta::days(1);
/// Words of the vendor's errors that are shown, in characters.
const LONGEST: usize = 200;

/// The state at the moment when it was seen. `None` where the vendor does not say when the last backup was.
pub(crate) fn state(seen: &Seen, late_after: TimeDelta) -> Option<BackupState> {
    let account = &seen.record;
    let status = account.current_backup_status.0.as_deref().unwrap_or_default().to_lowercase();
    if seen.unreachable || says(&account.errors) || status.contains("fail") {
        return Some(BackupState::Failed);
    }
    let age = match account.last_backup {
        Told::At(at) => seen.seen_at - at,
        Told::Never => return Some(BackupState::AtRisk),
        Told::Nothing => return None,
    };
    let stuck = status.contains("preparing") && age > PREPARING;
    Some(if age > late_after || stuck { BackupState::AtRisk } else { BackupState::Healthy })
}

/// The vendor's word for the state, and its errors after it.
pub(crate) fn words(account: &Account) -> Option<String> {
    let mut texts = Vec::new();
    if says(&account.errors) {
        collect(&account.errors, &mut texts);
    }
    let errors: String = texts.join("; ").chars().take(LONGEST).collect();
    match (account.current_backup_status.0.clone(), errors.is_empty()) {
        (status, true) => status,
        (None, false) => Some(errors),
        (Some(status), false) => Some(format!("{status}: {errors}")),
    }
}

/// Whether `errors` holds any. It is an object for mailboxes, a text for the rest, and an empty one of any shape
/// means none.
fn says(errors: &Value) -> bool {
    match errors {
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) => true,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !matches!(text.trim(), "" | "{}" | "[]" | "null"),
        Value::Array(items) => items.iter().any(says),
        Value::Object(fields) => fields.values().any(says),
    }
}

fn collect<'a>(errors: &'a Value, texts: &mut Vec<&'a str>) {
    match errors {
        Value::String(text) if !text.trim().is_empty() => texts.push(text.trim()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(fields) => fields.values().for_each(|field| collect(field, texts)),
        _ => {}
    }
}

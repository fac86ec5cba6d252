//! The one shape of doing something at a vendor: who may, what is asked for, what came of it.

use std::sync::Arc;

use domain::{ClientId, Context, Error, Permission, Problem, valid_email};
use persistence::Apply;
use poem_openapi::types::{ParseFromJSON, ToJSON};
use sync::{Act, Acted, Acting, Asking, Idempotency, Keep};
use uuid::Uuid;

use super::stored::FromRecord;
use crate::{
    app::App,
    auth::Caller,
    changes::{ChangeSet, Written},
    page::Answer,
    problem::Failure,
    write::{Asked, caller_name, idempotency_key},
};

/// The context of a caller who has this right; an attempt without it goes into the journal.
pub async fn permitted(app: &App, caller: Caller, permission: Permission, action: &str) -> Result<Context, Failure> {
    let context = caller.context()?;
    app.permit(&context, permission, action).await?;
    Ok(context)
}

/// Does something at a vendor, or previews it, and answers the record as it is then. `request` is all of the body
/// that matters: the same key with another is refused.
pub async fn act<V: FromRecord>(
    app: &App,
    context: &Context,
    client: Uuid,
    act: impl Act,
    asked: Asked,
    request: &str,
) -> Result<Answer<Written<V>>, Failure> {
    let (client, dry_run) = (ClientId(client), asked.is_dry_run());
    let key = idempotency_key(asked.key.as_deref())?.map(|key| {
        let request = format!("{} {client} {:?} {request} {:?}", act.action(), act.target(), asked.expect).into();
        let keep: Keep = Arc::new(move |acted| (200, written::<V>(acted, dry_run).to_json_string()));
        (Idempotency { caller: caller_name(context), key, request }, keep)
    });
    let apply = Apply { dry_run, expect: asked.expect, reason: asked.reason };
    match app.engine.act(context, Arc::new(act), Asking { client, apply, key }).await? {
        Acting::Acted(acted) => Ok(Answer::new(written(&acted, dry_run))),
        Acting::Repeated { answer, .. } => {
            let answer = Written::parse_from_json_string(&answer);
            Ok(Answer::new(answer.map_err(|why| Error::internal(why.into_message()))?))
        }
    }
}

fn written<V: FromRecord>(acted: &Acted, dry_run: bool) -> Written<V> {
    let item = acted.record.clone().and_then(|record| V::of(record).ok());
    let made = acted.set.changes.iter().any(|change| change.after.is_some());
    let mut warnings = Vec::new();
    if item.is_none() && made && !dry_run {
        warnings
            .push("The vendor did it, and answered nothing that could be stored: it shows after the next sync.".into());
    }
    Written { item, warnings, change_set: ChangeSet::of(acted.set.clone(), dry_run) }
}

/// Longest line of text, in characters.
pub const LINE: usize = 255;
/// Longest text of several lines, in characters.
pub const TEXT: usize = 20_000;
/// Longest id of a vendor's own choice, in characters.
pub const CHOICE: usize = 200;

/// Fields as they are checked: every mistake is named.
#[derive(Default)]
pub struct Fields(Vec<Problem>);

impl Fields {
    /// One line: trimmed, not empty, at most this long.
    pub fn line(&mut self, pointer: &str, text: Option<String>, most: usize) -> Option<String> {
        let text = self.bounded(pointer, text?, most)?;
        if text.chars().any(char::is_control) {
            self.wrong(pointer, "control_character", "must be one line without control characters");
            return None;
        }
        Some(text)
    }

    /// Several lines: trimmed, not empty.
    pub fn text(&mut self, pointer: &str, text: Option<String>, most: usize) -> Option<String> {
        let text = self.bounded(pointer, text?, most)?;
        if text.chars().any(|letter| letter.is_control() && !matches!(letter, '\n' | '\r' | '\t')) {
            self.wrong(pointer, "control_character", "must be without control characters");
            return None;
        }
        Some(text)
    }

    /// An e-mail address.
    pub fn email(&mut self, pointer: &str, text: Option<String>) -> Option<String> {
        match valid_email(pointer, &text?) {
            Ok(email) => Some(email),
            Err(problem) => {
                self.0.push(problem);
                None
            }
        }
    }

    /// A mistake.
    pub fn wrong(&mut self, pointer: &str, code: &'static str, message: &str) {
        self.0.push(Problem::new(pointer, code, message));
    }

    /// Refuses if there is a mistake.
    pub fn check(self) -> domain::Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }

    fn bounded(&mut self, pointer: &str, text: String, most: usize) -> Option<String> {
        let text = text.trim();
        if text.is_empty() {
            self.wrong(pointer, "required", "must not be empty");
            return None;
        }
        if text.chars().count() > most {
            self.0.push(Problem::new(pointer, "too_long", format!("must have at most {most} characters")));
            return None;
        }
        Some(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_named_with_its_place() {
        let mut fields = Fields::default();
        let given = |text: &str| Some(text.to_owned());
        assert_eq!(fields.line("/a", given("  Kite "), 4), given("Kite"));
        assert_eq!(fields.text("/b", given("one\n\ttwo"), 20), given("one\n\ttwo"));
        assert_eq!(fields.line("/c", None, 4), None);
        for (pointer, text) in [("/d", " "), ("/e", "Kites"), ("/f", "a\nb")] {
            assert_eq!(fields.line(pointer, given(text), 4), None);
        }
        assert_eq!(fields.text("/g", given("a\u{7}"), 4), None);
        assert_eq!(fields.email("/h", given("nobody")), None);
        let found: Vec<_> = fields.0.iter().map(|problem| (problem.pointer.as_str(), problem.code)).collect();
        let expected = [
            ("/d", "required"),
            ("/e", "too_long"),
            ("/f", "control_character"),
            ("/g", "control_character"),
            ("/h", "not_an_email"),
        ];
        assert_eq!(found, expected);
        assert!(fields.check().is_err() && Fields::default().check().is_ok());
    }
}

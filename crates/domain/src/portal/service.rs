//! Service requests: what the MSP offers, what it asks of whoever wants it, and what they answered.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{ServiceRequestAct, ServiceRequestState, machine::named};
use crate::{
    ClientId, PortalTicketId, PortalUserId, Problem, ServiceRequestId, ServiceRequestStepId, ServiceRequestTypeId,
    StaffId, Timestamp, valid_name,
};

/// Most fields of a form.
const FIELDS: usize = 30;
/// Most options of a choice.
const OPTIONS: usize = 50;
/// Most characters of an answer.
const ANSWER: usize = 2_000;

named! {
    /// What a field of a form takes.
    FieldKind {
        /// A text.
        Text = "text",
        /// One of some options.
        Choice = "choice",
        /// A day, as 2026-11-22.
        Date = "date",
        /// A number, as -12.5.
        Number = "number",
    }
}

/// A field of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormField {
    /// Its name for machines, unique in the form.
    pub key: String,
    /// What people read.
    pub label: String,
    /// What it takes.
    pub kind: FieldKind,
    /// Of a choice: what can be chosen.
    pub options: Vec<String>,
    /// Whether it must be answered.
    pub required: bool,
}

/// What someone answered in a field: with the field as it was then, which may change or go later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldAnswer {
    /// The field's name for machines.
    pub key: String,
    /// What people read.
    pub label: String,
    /// What the field takes.
    pub kind: FieldKind,
    /// The answer as text.
    pub value: String,
}

/// Checks a form: every mistake by its place below `/fields`.
pub fn check_form(fields: Vec<FormField>) -> Result<Vec<FormField>, Vec<Problem>> {
    let mut problems = Vec::new();
    if fields.len() > FIELDS {
        problems.push(Problem::new("/fields", "too_many", format!("must have at most {FIELDS} fields")));
    }
    let (mut keys, mut checked) = (BTreeSet::new(), Vec::new());
    for (at, field) in fields.into_iter().enumerate() {
        let pointer = format!("/fields/{at}");
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !(1..=40).contains(&field.key.len()) || !field.key.chars().all(plain) {
            let message = "must have 1 to 40 small letters, digits and underscores";
            problems.push(Problem::new(format!("{pointer}/key"), "not_a_key", message));
        }
        if !keys.insert(field.key.clone()) {
            problems.push(Problem::new(format!("{pointer}/key"), "twice", "must differ from the keys of other fields"));
        }
        let label = valid_name(&format!("{pointer}/label"), &field.label);
        let options = check_options(&format!("{pointer}/options"), field.kind, &field.options);
        match (label, options) {
            (Ok(label), Ok(options)) => checked.push(FormField { label, options, ..field }),
            (label, options) => {
                problems.extend(label.err());
                problems.extend(options.err());
            }
        }
    }
    if problems.is_empty() { Ok(checked) } else { Err(problems) }
}

fn check_options(pointer: &str, kind: FieldKind, options: &[String]) -> Result<Vec<String>, Problem> {
    if kind != FieldKind::Choice {
        let refused = || Problem::new(pointer, "not_a_choice", "must be empty: only a choice has options");
        return if options.is_empty() { Ok(Vec::new()) } else { Err(refused()) };
    }
    if !(1..=OPTIONS).contains(&options.len()) {
        return Err(Problem::new(pointer, "wrong_number", format!("must have 1 to {OPTIONS} options")));
    }
    let options: Vec<String> = options
        .iter()
        .enumerate()
        .map(|(at, text)| valid_name(&format!("{pointer}/{at}"), text))
        .collect::<Result<_, _>>()?;
    if options.iter().collect::<BTreeSet<_>>().len() < options.len() {
        return Err(Problem::new(pointer, "twice", "must differ from each other"));
    }
    Ok(options)
}

/// Checks answers (key and text) against a form, and puts them into its order. Blank counts as not answered.
pub fn check_answers(fields: &[FormField], answers: &[(String, String)]) -> Result<Vec<FieldAnswer>, Vec<Problem>> {
    let mut problems = Vec::new();
    for (at, (key, _)) in answers.iter().enumerate() {
        let pointer = format!("/answers/{at}/key");
        if !fields.iter().any(|field| field.key == *key) {
            problems.push(Problem::new(pointer, "unknown_field", "must be the key of a field of this form"));
        } else if answers[..at].iter().any(|(before, _)| before == key) {
            problems.push(Problem::new(pointer, "twice", "must not be answered twice"));
        }
    }
    let mut found = Vec::new();
    for field in fields {
        let given = answers.iter().position(|(key, text)| *key == field.key && !text.trim().is_empty());
        let Some(at) = given else {
            if field.required {
                let message = format!("must answer “{}” ({})", field.label, field.key);
                problems.push(Problem::new("/answers", "required", message));
            }
            continue;
        };
        match check_answer(field, answers[at].1.trim()) {
            Ok(value) => {
                found.push(FieldAnswer { key: field.key.clone(), label: field.label.clone(), kind: field.kind, value })
            }
            Err((code, message)) => problems.push(Problem::new(format!("/answers/{at}/value"), code, message)),
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

fn check_answer(field: &FormField, text: &str) -> Result<String, (&'static str, String)> {
    if text.chars().count() > ANSWER {
        return Err(("too_long", format!("must have at most {ANSWER} characters")));
    }
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(("control_character", "must not contain control characters".to_owned()));
    }
    match field.kind {
        FieldKind::Text => Ok(text.to_owned()),
        FieldKind::Choice if field.options.iter().any(|option| option == text) => Ok(text.to_owned()),
        FieldKind::Choice => Err(("not_an_option", format!("must be one of: {}", field.options.join(", ")))),
        FieldKind::Date => match text.parse::<NaiveDate>() {
            Ok(day) if text.len() == 10 => Ok(day.to_string()),
            _ => Err(("not_a_date", "must be a day such as 2026-11-22".to_owned())),
        },
        FieldKind::Number if is_number(text) => Ok(text.to_owned()),
        FieldKind::Number => Err(("not_a_number", "must be a number such as 12 or -12.5".to_owned())),
    }
}

/// At most 15 digits, a minus before them, and at most 6 after a point.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let all = |digits: &str, most| (1..=most).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    all(whole, 15) && all(part, 6)
}

/// Something that portal users can ask for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceRequestType {
    /// Id.
    pub id: ServiceRequestTypeId,
    /// What it is called.
    pub name: String,
    /// What it is, for whoever wants it.
    pub description: String,
    /// What is asked of them.
    pub fields: Vec<FormField>,
    /// Whether it can be asked for; one that is retired stays for the requests of it.
    pub active: bool,
    /// Made.
    pub created_at: Timestamp,
    /// Changed.
    pub updated_at: Timestamp,
    /// Goes up by one with each change.
    pub version: i32,
}

/// A request of someone of a client.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceRequest {
    /// Id.
    pub id: ServiceRequestId,
    /// The client.
    pub client_id: ClientId,
    /// Who asked.
    pub requester: PortalUserId,
    /// What for.
    pub type_id: ServiceRequestTypeId,
    /// What that was called then.
    pub type_name: String,
    /// What they want, in their words.
    pub description: String,
    /// What they answered.
    pub answers: Vec<FieldAnswer>,
    /// Where it stands.
    pub state: ServiceRequestState,
    /// Why it was rejected.
    pub rejected_because: Option<String>,
    /// The ticket that it was turned into.
    #[serde(default)]
    pub ticket_id: Option<PortalTicketId>,
    /// Made.
    pub created_at: Timestamp,
    /// Changed.
    pub updated_at: Timestamp,
    /// Goes up by one with each change.
    pub version: i32,
}

/// Something that was done with a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceRequestStep {
    /// Id.
    pub id: ServiceRequestStepId,
    /// The request.
    pub request_id: ServiceRequestId,
    /// Its client.
    pub client_id: ClientId,
    /// The first of a request is 1.
    pub number: i32,
    /// When.
    pub at: Timestamp,
    /// The portal user who did it.
    pub portal_user_id: Option<PortalUserId>,
    /// Or the staff user.
    pub staff_id: Option<StaffId>,
    /// What; none for the making of it.
    pub act: Option<ServiceRequestAct>,
    /// The state after it.
    pub state: ServiceRequestState,
    /// What was said to the requester.
    pub note: Option<String>,
    /// What staff said among themselves: shown in no portal.
    pub internal_note: Option<String>,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field(key: &str, kind: FieldKind) -> FormField {
        let options = if kind == FieldKind::Choice { vec!["Mon".to_owned(), "Tue".to_owned()] } else { Vec::new() };
        FormField { key: key.to_owned(), label: format!("The {key}"), kind, options, required: true }
    }

    fn form() -> Vec<FormField> {
        let text = FormField { required: false, ..field("text", FieldKind::Text) };
        vec![text, field("day", FieldKind::Choice), field("date", FieldKind::Date), field("count", FieldKind::Number)]
    }

    fn given(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn refused(pairs: &[(&str, &str)]) -> Vec<(String, &'static str)> {
        let problems = check_answers(&form(), &given(pairs)).expect_err("is refused");
        problems.into_iter().map(|problem| (problem.pointer, problem.code)).collect()
    }

    #[test]
    fn answers_are_read_by_the_kind_of_their_field() {
        let good = given(&[("count", " -12.5 "), ("date", "2026-02-28"), ("day", "Tue")]);
        let read = check_answers(&form(), &good).expect("are sound");
        let values: Vec<&str> = read.iter().map(|answer| answer.value.as_str()).collect();
        assert_eq!(values, ["Tue", "2026-02-28", "-12.5"], "in the order of the form");
        let wrong = refused(&[("day", "Wed"), ("date", "2026-02-30"), ("count", "1e9"), ("more", "x"), ("day", "Mon")]);
        let codes: Vec<&str> = wrong.iter().map(|(_, code)| *code).collect();
        assert_eq!(codes, ["unknown_field", "twice", "not_an_option", "not_a_date", "not_a_number"]);
        assert_eq!(refused(&[("text", "x"), ("count", " ")]).len(), 3, "each that is missing");
    }

    #[test]
    fn a_form_is_checked_by_its_places() {
        assert_eq!(check_form(form()), Ok(form()));
        let bad = vec![
            field("a", FieldKind::Text),
            field("a", FieldKind::Date),
            field("B", FieldKind::Number),
            FormField { options: vec![], ..field("c", FieldKind::Choice) },
            FormField { options: vec!["x".to_owned()], ..field("d", FieldKind::Text) },
            FormField { options: vec!["x".to_owned(), " x ".to_owned()], ..field("e", FieldKind::Choice) },
            FormField { label: " ".to_owned(), ..field("f", FieldKind::Text) },
        ];
        let problems = check_form(bad).expect_err("is refused");
        let places: Vec<(&str, &str)> = problems.iter().map(|one| (one.pointer.as_str(), one.code)).collect();
        let expected = [
            ("/fields/1/key", "twice"),
            ("/fields/2/key", "not_a_key"),
            ("/fields/3/options", "wrong_number"),
            ("/fields/4/options", "not_a_choice"),
            ("/fields/5/options", "twice"),
            ("/fields/6/label", "required"),
        ];
        assert_eq!(places, expected);
    }

    proptest! {
        /// Whatever is taken for a number is one, and a day that is taken is written the one way.
        #[test]
        fn what_is_taken_can_be_read(text in "-?[0-9.eE+]{0,18}|[0-9]{1,5}-[0-9]{1,2}-[0-9]{1,2}") {
            if check_answer(&field("n", FieldKind::Number), &text).is_ok() {
                prop_assert!(text.parse::<f64>().is_ok_and(f64::is_finite), "{text}");
            }
            if let Ok(day) = check_answer(&field("d", FieldKind::Date), &text) {
                prop_assert_eq!(day, text);
            }
        }
    }
}

//! The form with which portal users open a ticket: priority, category, and what the MSP asks besides. Fields and options
//! are retired, never deleted: older tickets name them.

use serde::{Deserialize, Serialize};

use super::service::{FieldKind, FormField, check_form};
use crate::Problem;

/// Fields that every form has.
const BUILT_IN: [&str; 2] = ["priority", "category"];
/// Most fields, and most options of a field, with those that are retired.
const MOST: usize = 300;

/// An option of a choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketOption {
    /// What people choose.
    pub name: String,
    /// Whether it is offered no more.
    pub retired: bool,
}

/// A field of the form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketField {
    /// Its name for machines.
    pub key: String,
    /// What people read.
    pub label: String,
    /// What it takes; never changes.
    pub kind: FieldKind,
    /// Of a choice: what can be chosen, then what could be.
    pub options: Vec<TicketOption>,
    /// Whether it must be answered.
    pub required: bool,
    /// Whether it is asked no more.
    pub retired: bool,
}

/// The form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketForm {
    /// Its fields: those that are asked, in order, then those that were.
    pub fields: Vec<TicketField>,
}

impl Default for TicketForm {
    /// The form of an MSP that never set one.
    fn default() -> Self {
        let choice = |key: &str, label: &str, required, options: &[&str]| TicketField {
            key: key.to_owned(),
            label: label.to_owned(),
            kind: FieldKind::Choice,
            options: options.iter().map(|name| TicketOption { name: (*name).to_owned(), retired: false }).collect(),
            required,
            retired: false,
        };
        Self {
            fields: vec![
                choice("priority", "Priority", true, &["Low", "Normal", "High", "Urgent"]),
                choice("category", "Category", false, &["Hardware", "Software", "Account", "Other"]),
            ],
        }
    }
}

impl TicketForm {
    /// The form that asks this from now on: what is left out of it is retired, and what is named again comes back.
    pub fn changed(&self, wanted: Vec<FormField>) -> Result<Self, Vec<Problem>> {
        let wanted = check_form(wanted)?;
        let mut problems = Vec::new();
        for key in BUILT_IN {
            if !wanted.iter().any(|field| field.key == key && field.kind == FieldKind::Choice) {
                let message = format!("must hold {key}, which is a choice");
                problems.push(Problem::new("/fields", "built_in", message));
            }
        }
        let before = |key: &str| self.fields.iter().find(|field| field.key == key);
        let mut fields = Vec::new();
        for (at, field) in wanted.iter().enumerate() {
            let old = before(&field.key);
            if old.is_some_and(|old| old.kind != field.kind) && !BUILT_IN.contains(&field.key.as_str()) {
                let message = "must stay what it is: give the new field another key";
                problems.push(Problem::new(format!("/fields/{at}/kind"), "kind_changed", message));
            }
            let offered = field.options.iter().map(|name| TicketOption { name: name.clone(), retired: false });
            let gone = old.into_iter().flat_map(|old| &old.options).filter(|one| !field.options.contains(&one.name));
            let gone = gone.map(|one| TicketOption { retired: true, ..one.clone() });
            fields.push(TicketField {
                key: field.key.clone(),
                label: field.label.clone(),
                kind: field.kind,
                options: offered.chain(gone).collect(),
                required: field.required,
                retired: false,
            });
        }
        let gone = self.fields.iter().filter(|old| !wanted.iter().any(|field| field.key == old.key));
        fields.extend(gone.map(|old| TicketField { retired: true, ..old.clone() }));
        if fields.len() > MOST || fields.iter().any(|field| field.options.len() > MOST) {
            let message = format!("must have at most {MOST} fields, and options of each, with those that are retired");
            problems.push(Problem::new("/fields", "too_many", message));
        }
        if problems.is_empty() { Ok(Self { fields }) } else { Err(problems) }
    }

    /// What is asked now.
    pub fn asked(&self) -> Vec<FormField> {
        let field = |field: &TicketField| FormField {
            key: field.key.clone(),
            label: field.label.clone(),
            kind: field.kind,
            options: field.options.iter().filter(|one| !one.retired).map(|one| one.name.clone()).collect(),
            required: field.required,
        };
        self.fields.iter().filter(|one| !one.retired).map(field).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn choice(key: &str, options: &[&str]) -> FormField {
        FormField {
            key: key.to_owned(),
            label: key.to_owned(),
            kind: FieldKind::Choice,
            options: options.iter().map(|name| (*name).to_owned()).collect(),
            required: false,
        }
    }

    #[test]
    fn what_is_left_out_is_retired_and_comes_back_when_named_again() {
        let form = TicketForm::default();
        let floor = FormField { kind: FieldKind::Number, options: vec![], ..choice("floor", &[]) };
        let with = form.changed(vec![choice("priority", &["High"]), choice("category", &["Other"]), floor.clone()]);
        let with = with.expect("is sound");
        assert_eq!(with.asked().len(), 3);
        assert_eq!(with.fields[0].options.iter().filter(|one| one.retired).count(), 3);
        let without = with.changed(vec![choice("category", &["Other"]), choice("priority", &["Low", "High"])]);
        let without = without.expect("is sound");
        assert!(without.fields.iter().any(|field| field.key == "floor" && field.retired));
        assert_eq!(without.asked()[1].options, ["Low", "High"]);
        let kind = FormField { kind: FieldKind::Text, ..floor };
        let wrong = without.changed(vec![choice("priority", &["Low"]), kind]).expect_err("is refused");
        let codes: Vec<&str> = wrong.iter().map(|problem| problem.code).collect();
        assert_eq!(codes, ["built_in", "kind_changed"]);
    }

    proptest! {
        /// Whatever is set in whatever order, nothing that was ever offered is forgotten, and what is asked is what was
        /// set last.
        #[test]
        fn nothing_is_ever_forgotten(
            sets in proptest::collection::vec(
                proptest::collection::vec(proptest::sample::subsequence(vec!["a", "b", "c", "d"], 1..4), 2..5), 1..8
            )
        ) {
            let (mut form, mut ever) = (TicketForm::default(), BTreeSet::new());
            for set in sets {
                let keys = ["priority", "category", "own_1", "own_2"];
                let wanted: Vec<FormField> = keys.iter().zip(&set).map(|(key, names)| choice(key, names)).collect();
                form = form.changed(wanted.clone()).expect("is sound");
                prop_assert_eq!(form.asked(), wanted.clone());
                ever.extend(wanted.iter().flat_map(|field| field.options.iter().map(|name| (field.key.clone(), name.clone()))));
                let kept: BTreeSet<(String, String)> = form
                    .fields
                    .iter()
                    .flat_map(|field| field.options.iter().map(|one| (field.key.clone(), one.name.clone())))
                    .collect();
                prop_assert!(ever.is_subset(&kept));
            }
        }
    }
}

//! What every connector must do, whatever its vendor. [`crate::behaviours!`] makes one test of each
//! function here, in the connector's own crate; a behaviour of a capability that the connector does
//! not have is fulfilled.
//!
//! **To add a behaviour**: a function here that panics where it is not met, and its name in the macro.

mod access;
mod changes;
mod consent;
mod exchanges;
mod pages;
mod played_writes;
mod records;
mod stage;
mod trouble;
mod writes;

use std::{path::PathBuf, sync::Arc};

use integration::{Entry, Vendor};

pub use access::{
    accepts_its_own_examples, check_is_cheap_and_harmless, connect_does_no_io, never_repeats_a_secret,
    readme_explains_every_credential, refuses_bad_credentials, says_forbidden_when_rights_are_missing,
    token_is_refreshed_once,
};
pub use changes::{
    incremental_is_a_subset, quantity_below_the_commitment_is_refused, quantity_is_changed_and_seen,
    quantity_is_never_sent_twice,
};
pub use consent::consent_is_asked_and_exchanged_once;
pub use exchanges::{exchanges_hold_nothing_real, exchanges_read_as_expected, has_an_exchange_for_every_capability};
pub use pages::{empty_is_fine, endless_cursor_is_an_error, pages_do_not_repeat, pages_end};
pub use records::{
    every_record_names_its_entity, ids_are_stable_and_unique, money_has_currency, times_are_utc,
    unknown_choices_survive, unknown_fields_are_ignored,
};
pub use trouble::{html_instead_of_json, retries_are_only_for_trouble, unreadable_body_is_named, waits_when_throttled};
pub use writes::{
    company_is_written_and_seen, contact_is_written_and_seen, custom_field_is_set_and_seen,
    document_is_archived_and_seen, installer_is_an_address, mail_is_sent_once, templates_are_read, threat_is_acted_on,
    ticket_is_written_and_seen, webhook_is_heard_only_when_signed,
};

use crate::Simulator;

/// The connector under test.
#[derive(Clone)]
pub struct Subject {
    pub(crate) entry: Entry,
    pub(crate) simulator: fn() -> Arc<dyn Simulator>,
    pub(crate) exchanges: PathBuf,
}

impl Subject {
    /// The connector `V` with its simulator `S`; `manifest_dir` is the connector's own.
    pub fn of<V: Vendor, S: Simulator + Default>(manifest_dir: &str) -> Self {
        Self {
            entry: Entry::of::<V>(),
            simulator: || Arc::new(S::default()),
            exchanges: PathBuf::from(manifest_dir).join("tests/vendor"),
        }
    }
}

/// Runs one behaviour to its end.
pub fn run(behaviour: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without I/O always starts");
    runtime.block_on(behaviour);
}

/// The suite for one connector: one named test for each behaviour.
///
/// ```ignore
/// vendorkit::behaviours! { vendor: connector_pax8::Pax8, simulator: connector_pax8::Simulator }
/// ```
#[macro_export]
macro_rules! behaviours {
    (vendor: $vendor:ty, simulator: $simulator:ty $(,)?) => {
        $crate::behaviours! { @each $vendor, $simulator;
            accepts_its_own_examples
            connect_does_no_io
            readme_explains_every_credential
            check_is_cheap_and_harmless
            refuses_bad_credentials
            says_forbidden_when_rights_are_missing
            token_is_refreshed_once
            never_repeats_a_secret
            consent_is_asked_and_exchanged_once
            waits_when_throttled
            retries_are_only_for_trouble
            unreadable_body_is_named
            html_instead_of_json
            pages_end
            pages_do_not_repeat
            endless_cursor_is_an_error
            empty_is_fine
            ids_are_stable_and_unique
            every_record_names_its_entity
            unknown_fields_are_ignored
            unknown_choices_survive
            times_are_utc
            money_has_currency
            incremental_is_a_subset
            quantity_is_changed_and_seen
            quantity_below_the_commitment_is_refused
            quantity_is_never_sent_twice
            company_is_written_and_seen
            contact_is_written_and_seen
            ticket_is_written_and_seen
            threat_is_acted_on
            installer_is_an_address
            custom_field_is_set_and_seen
            document_is_archived_and_seen
            templates_are_read
            mail_is_sent_once
            webhook_is_heard_only_when_signed
            has_an_exchange_for_every_capability
            exchanges_hold_nothing_real
            exchanges_read_as_expected
        }
    };
    (@each $vendor:ty, $simulator:ty; $($behaviour:ident)+) => {
        $(
            #[test]
            fn $behaviour() {
                let subject = $crate::behaviours::Subject::of::<$vendor, $simulator>(env!("CARGO_MANIFEST_DIR"));
                $crate::behaviours::run($crate::behaviours::$behaviour(&subject));
            }
        )+
    };
}

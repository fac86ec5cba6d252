//! The suite catches each flaw, with words that tell what it is.

use vendorkit::behaviours::{self, Subject};

use crate::toy::{self, Toy, ToySimulator};

macro_rules! caught {
    ($($test:ident: $flaw:ident by $behaviour:ident saying $words:literal;)+) => { $(
        #[test]
        #[should_panic(expected = $words)]
        fn $test() {
            let subject = Subject::of::<Toy<toy::$flaw>, ToySimulator>(env!("CARGO_MANIFEST_DIR"));
            behaviours::run(behaviours::$behaviour(&subject));
        }
    )+ };
}

caught! {
    an_unreadable_page_taken_for_an_empty_one: Forgiving by unreadable_body_is_named saying "instead of an error";
    a_secret_in_an_error: Leaky by never_repeats_a_secret saying "a secret shows in";
    a_cursor_that_never_comes_back: Counting by endless_cursor_is_an_error saying "times for one page";
    a_token_for_every_call: Forgetful by token_is_refreshed_once saying "sent more than once";
    a_field_that_is_not_known: Strict by unknown_fields_are_ignored saying "a field that is not known";
    a_choice_that_is_not_known: Hoarding by unknown_choices_survive saying "a state that is not known";
    seconds_taken_for_milliseconds: Local by times_are_utc saying "not of our age";
    a_device_of_nobody: Homeless by every_record_names_its_entity saying "names the unknown entity";
    a_retry_of_what_cannot_help: Impatient by retries_are_only_for_trouble saying "400";
    a_record_that_comes_twice: Repeating by ids_are_stable_and_unique saying "comes twice";
    a_record_that_comes_twice_in_pages: Repeating by pages_do_not_repeat saying "gave a record twice";
    more_records_than_there_are: Repeating by pages_end saying "records of kind entity";
    removals_that_are_not_passed_on: Deaf by incremental_is_a_subset saying "do not lead to what is there now";
    a_test_that_is_not_cheap: Eager by check_is_cheap_and_harmless saying "9 requests";
    throttling_without_the_wait: Impatient by waits_when_throttled saying "left == right";
}

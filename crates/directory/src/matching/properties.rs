//! Properties that hold for any text.

use proptest::prelude::*;

use super::{
    Decision, decide,
    normalise::Name,
    score::EXACT,
    tests::{ask, id, score},
};

fn anything() -> impl Strategy<Value = String> {
    prop_oneof![
        ".{0,40}",
        "\\PC{0,300}",
        "[A-Ha-h .,&'()/-]{0,30}",
        "(Ltd|Limited|Pty|GmbH|Co|The|and|&|S\\.A\\.|Müller|Harbour|Dental|Rental|North|Two|12|A\\.| |-|t/a){0,12}",
        "[🦘🐨é\u{200f}\u{301}شركةחברה株式 ]{0,20}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn scores_are_between_0_and_1_and_sorted(names in prop::collection::vec(anything(), 0..8), name in anything(), threshold in 0.0..1.0) {
        let all: Vec<&str> = names.iter().map(String::as_str).collect();
        let found = ask(&all, &name);
        prop_assert!(found.len() <= 5);
        prop_assert!(found.iter().all(|s| (0.0..=1.0).contains(&s.score) && !s.signals.is_empty()), "{:?}", found);
        prop_assert!(found.iter().flat_map(|s| s.signals.iter().chain(&s.against)).all(|s| (0.0..=1.0).contains(&s.weight)), "{:?}", found);
        prop_assert!(found.windows(2).all(|two| two[0].score >= two[1].score));
        decide(&found, threshold);
    }

    #[test]
    fn a_name_equals_itself(name in anything().prop_filter("not blank", |name| !name.trim().is_empty())) {
        prop_assert!(score(&name, &name) > EXACT);
        prop_assert!(score(&name.to_uppercase(), &name) > 0.0 || name.to_uppercase().to_lowercase() != name.to_lowercase());
    }

    #[test]
    fn an_equal_name_is_equal_both_ways(one in anything(), other in anything()) {
        let [there, back] = [score(&one, &other), score(&other, &one)];
        prop_assert_eq!(there >= EXACT, back >= EXACT);
        prop_assert_eq!(Name::of(&one) == Name::of(&other), Name::of(&other) == Name::of(&one));
    }

    #[test]
    fn decoration_changes_nothing(words in prop::collection::vec("qu[a-z]{2,7}", 1..4), legal in prop::sample::select(vec!["Ltd", "Pty Ltd", "GmbH", "Inc."])) {
        let plain = words.join(" ");
        let dressed = format!(" {}, {legal} ", plain.to_uppercase());
        prop_assert!(score(&plain, &dressed) >= EXACT - 0.001, "{} / {}: {:?}", plain, dressed, ask(&[&plain], &dressed));
    }

    #[test]
    fn an_unrelated_client_never_settles_what_was_ambiguous(
        names in prop::collection::vec("(Harbour|Heron|Dental|Rental|Group|Geelong|Harbuor|HD|2| ){1,5}", 2..5),
        name in "(Harbour|Heron|Dental|Rental|Group|Geelong|2| ){1,5}",
        unrelated in "[xyzqjkw]{5,9} [xyzqjkw]{5,9}",
    ) {
        let mut all: Vec<&str> = names.iter().map(String::as_str).collect();
        let before = ask(&all, &name);
        all.push(&unrelated);
        let after = ask(&all, &name);
        prop_assert_eq!(decide(&before, 0.0), decide(&after, 0.0));
        prop_assert_eq!(before, after);
    }

    #[test]
    fn whoever_is_accepted_comes_first_and_is_alone(names in prop::collection::vec("(Harbour|Heron|Dental|Rental|Ltd| ){1,4}", 1..6), name in "(Harbour|Heron|Dental|Rental| ){1,4}") {
        let mut all: Vec<&str> = names.iter().map(String::as_str).collect();
        if let Decision::Accept(client) = decide(&ask(&all, &name), 0.0) {
            let at = all.iter().zip(1..).find(|(_, n)| id(*n) == client).unwrap().0;
            // Once more the same name: now there are two.
            all.push(at);
            prop_assert_eq!(decide(&ask(&all, &name), 0.0), Decision::Ambiguous);
        }
    }
}

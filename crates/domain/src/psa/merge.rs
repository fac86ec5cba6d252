//! What becomes of one field that two sides have: pure, so that every interleaving of edits can be tried.
//!
//! 1. Nothing is carried before both sides have agreed once. The first time, a blank is filled from the other side, and
//!    two known values that differ wait for a person.
//! 2. A side has changed when its value is not the one it had when they last agreed. A value that we sent, and that
//!    comes back written otherwise (trimmed, in capitals), is no change of theirs.
//! 3. One side changed: its value is carried to the other if that side owns the field, or either does; else it waits.
//! 4. Both changed, and not to the same: it waits. Nobody wins by being last.
//! 5. A side that became blank waits: a blank never overwrites a known value by itself.

use super::{PsaConflictKind, PsaField, PsaOwner};

/// The values when both sides last agreed. They are kept apart, because the PSA may write ours otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Ours then.
    pub ours: Option<String>,
    /// The PSA's then.
    pub theirs: Option<String>,
    /// Whether they agreed because we sent ours.
    pub sent: bool,
}

/// Both values now. Blanks are `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sides<'a> {
    /// Ours.
    pub ours: Option<&'a str>,
    /// The PSA's.
    pub theirs: Option<&'a str>,
}

/// What may be done with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Which field.
    pub field: PsaField,
    /// Whose edits are carried by themselves.
    pub owner: PsaOwner,
    /// Whether ours may be sent: edits go both ways, and there is a place for it at the PSA.
    pub sends: bool,
}

/// What is to be done with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: it is as agreed, or stays as it is.
    Nothing,
    /// Both say the same: that is what they agree on from now on.
    Agree,
    /// Ours becomes the PSA's.
    TakeTheirs,
    /// Ours is sent to the PSA.
    SendOurs,
    /// A person decides.
    Conflict(PsaConflictKind),
}

/// Whether two values say the same: case, blanks and, in addresses, commas and line breaks do not count.
pub fn same(field: PsaField, a: Option<&str>, b: Option<&str>) -> bool {
    let key = |text: Option<&str>| {
        let text = text.unwrap_or_default().to_lowercase();
        let parts = text.split(|c: char| c.is_whitespace() || (field == PsaField::Address && matches!(c, ',' | ';')));
        parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    };
    key(a) == key(b)
}

/// What becomes of a field.
pub fn decide(rules: Rules, agreed: Option<&Agreement>, now: Sides<'_>) -> Decision {
    let alike = same(rules.field, now.ours, now.theirs);
    let Some(agreed) = agreed else {
        return match (now.ours, now.theirs) {
            _ if alike => Decision::Agree,
            (_, None) if rules.sends => Decision::SendOurs,
            (_, None) => Decision::Nothing,
            (None, _) => Decision::TakeTheirs,
            _ => Decision::Conflict(PsaConflictKind::NeverAgreed),
        };
    };
    let ours_changed = now.ours != agreed.ours.as_deref();
    let echo = agreed.sent && same(rules.field, now.theirs, agreed.ours.as_deref());
    let theirs_changed = now.theirs != agreed.theirs.as_deref() && !echo;
    let carried = (rules.owner != PsaOwner::Psa && rules.sends, rules.owner != PsaOwner::Panelone);
    match (ours_changed, theirs_changed) {
        (false, false) if alike && now.theirs != agreed.theirs.as_deref() => Decision::Agree,
        (false, false) => Decision::Nothing,
        // Only the way of writing changed: it is carried like any edit, and asks nobody.
        (true, false) if alike => {
            if carried.0 && now.ours.is_some() {
                Decision::SendOurs
            } else {
                Decision::Agree
            }
        }
        (false, true) if alike => {
            if carried.1 && now.theirs.is_some() {
                Decision::TakeTheirs
            } else {
                Decision::Agree
            }
        }
        (true, true) if alike => Decision::Agree,
        // Where nothing is sent, a field of ours has nothing to do with theirs.
        _ if rules.owner == PsaOwner::Panelone && !rules.sends => Decision::Nothing,
        (true, false) if now.ours.is_none() => Decision::Conflict(PsaConflictKind::Emptied),
        (false, true) if now.theirs.is_none() => Decision::Conflict(PsaConflictKind::Emptied),
        (true, false) if carried.0 => Decision::SendOurs,
        (true, false) if rules.owner == PsaOwner::Either => Decision::Nothing,
        (false, true) if carried.1 => Decision::TakeTheirs,
        (true, true) => Decision::Conflict(PsaConflictKind::BothChanged),
        _ => Decision::Conflict(PsaConflictKind::NotOwned),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = Option<String>> {
        const TEXTS: &[&str] = &["Kite", "kite", " KITE ", "Quay", "Harbour", "quay"];
        proptest::option::weighted(0.85, prop::sample::select(TEXTS).prop_map(str::to_owned))
    }

    fn agreement() -> impl Strategy<Value = Option<Agreement>> {
        let one = (value(), value(), any::<bool>()).prop_map(|(ours, theirs, sent)| Agreement { ours, theirs, sent });
        proptest::option::of(one)
    }

    fn rules() -> impl Strategy<Value = Rules> {
        let owners = prop::sample::select(&[PsaOwner::Psa, PsaOwner::Panelone, PsaOwner::Either][..]);
        (owners, any::<bool>()).prop_map(|(owner, sends)| Rules { field: PsaField::Name, owner, sends })
    }

    fn sides<'a>(ours: &'a Option<String>, theirs: &'a Option<String>) -> Sides<'a> {
        Sides { ours: ours.as_deref(), theirs: theirs.as_deref() }
    }

    const EITHER: Rules = Rules { field: PsaField::Name, owner: PsaOwner::Either, sends: true };

    #[test]
    fn the_table() {
        use Decision::{Agree, Conflict, Nothing, SendOurs, TakeTheirs};
        use PsaConflictKind::{BothChanged, Emptied, NeverAgreed, NotOwned};
        let psa = Rules { owner: PsaOwner::Psa, ..EITHER };
        let own = Rules { owner: PsaOwner::Panelone, ..EITHER };
        let one_way = |rules: Rules| Rules { sends: false, ..rules };
        let kite = Some(("Kite", "Kite"));
        for (rules, agreed, ours, theirs, expected) in [
            (EITHER, None, "Kite", "KITE ", Agree),
            (EITHER, None, "Kite", "Quay", Conflict(NeverAgreed)),
            (psa, None, "Kite", "", SendOurs),
            (one_way(psa), None, "Kite", "", Nothing),
            (own, None, "", "Kite", TakeTheirs),
            (EITHER, kite, "Kite", "Kite", Nothing),
            (EITHER, kite, "Quay", "Kite", SendOurs),
            (EITHER, kite, "Kite", "Quay", TakeTheirs),
            (EITHER, kite, "Quay", "Harbour", Conflict(BothChanged)),
            (psa, kite, "Quay", "Harbour", Conflict(BothChanged)),
            (EITHER, kite, "Quay", "quay", Agree),
            (EITHER, kite, "KITE", "Kite", SendOurs),
            (EITHER, kite, "", "Kite", Conflict(Emptied)),
            (EITHER, kite, "Kite", "", Conflict(Emptied)),
            (psa, kite, "Quay", "Kite", Conflict(NotOwned)),
            (psa, kite, "Kite", "Quay", TakeTheirs),
            (own, kite, "Kite", "Quay", Conflict(NotOwned)),
            (own, kite, "Quay", "Kite", SendOurs),
            (one_way(own), kite, "Kite", "Quay", Nothing),
            (one_way(EITHER), kite, "Quay", "Kite", Nothing),
            (one_way(psa), kite, "Quay", "Kite", Conflict(NotOwned)),
            // A person let them differ: that is agreed, too.
            (EITHER, Some(("Kite", "Quay")), "Kite", "Quay", Nothing),
        ] {
            let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            let agreed = agreed.map(|(a, b)| Agreement { ours: some(a), theirs: some(b), sent: false });
            let (ours, theirs) = (some(ours), some(theirs));
            let found = decide(rules, agreed.as_ref(), sides(&ours, &theirs));
            assert_eq!(found, expected, "{rules:?} {agreed:?} {ours:?} {theirs:?}");
        }
    }

    #[test]
    fn what_we_sent_and_the_psa_writes_otherwise_is_no_change() {
        let agreed = Agreement { ours: Some("Kite Ltd".into()), theirs: Some("KITE LTD".into()), sent: true };
        let now = |theirs| Sides { ours: Some("Kite Ltd"), theirs: Some(theirs) };
        assert_eq!(decide(EITHER, Some(&agreed), now("KITE LTD")), Decision::Nothing);
        assert_eq!(decide(EITHER, Some(&agreed), now("Kite ltd")), Decision::Agree);
        assert_eq!(decide(EITHER, Some(&agreed), now("Kite Limited")), Decision::TakeTheirs);
        let moved_on = Sides { ours: Some("Quay Ltd"), theirs: Some("kite ltd") };
        assert_eq!(decide(EITHER, Some(&agreed), moved_on), Decision::SendOurs);
    }

    proptest! {
        /// A known value is never replaced by a blank, and nothing is sent where nothing may be.
        #[test]
        fn nothing_known_is_emptied(rules in rules(), agreed in agreement(), ours in value(), theirs in value()) {
            match decide(rules, agreed.as_ref(), sides(&ours, &theirs)) {
                Decision::TakeTheirs => prop_assert!(theirs.is_some()),
                Decision::SendOurs => prop_assert!(ours.is_some() && rules.sends),
                Decision::Agree => prop_assert!(same(rules.field, ours.as_deref(), theirs.as_deref())),
                Decision::Nothing | Decision::Conflict(_) => {}
            }
        }

        /// Both are blank after ours was emptied: nothing is left to send.
        #[test]
        fn two_blanks_agree(rules in rules(), sent: bool) {
            let agreed = Agreement { ours: Some("Kite".to_owned()), theirs: None, sent };
            prop_assert_eq!(decide(rules, Some(&agreed), sides(&None, &None)), Decision::Agree);
            let agreed = Agreement { ours: None, theirs: Some("Kite".to_owned()), sent };
            prop_assert_eq!(decide(rules, Some(&agreed), sides(&None, &None)), Decision::Agree);
        }

        /// Two edits that say different things are never decided by a machine.
        #[test]
        fn two_edits_wait_for_a_person(rules in rules(), agreed in agreement(), ours in value(), theirs in value()) {
            let Some(agreed) = agreed else { return Ok(()) };
            let echo = agreed.sent && same(rules.field, theirs.as_deref(), agreed.ours.as_deref());
            let both = ours != agreed.ours && theirs != agreed.theirs && !echo;
            if both && !same(rules.field, ours.as_deref(), theirs.as_deref()) {
                let found = decide(rules, Some(&agreed), sides(&ours, &theirs));
                let unrelated = rules.owner == PsaOwner::Panelone && !rules.sends;
                let expected = if unrelated { Decision::Nothing } else { Decision::Conflict(PsaConflictKind::BothChanged) };
                prop_assert_eq!(found, expected);
            }
        }

        /// Any interleaving of edits and passes ends alike, agreed, or with a person; and a pass with nothing new does
        /// nothing, whatever the PSA makes of what it is sent.
        #[test]
        fn edits_converge(owner in prop::sample::select(&[PsaOwner::Psa, PsaOwner::Panelone, PsaOwner::Either][..]),
                          shouts in any::<bool>(),
                          steps in prop::collection::vec((0u8..3, value()), 1..40)) {
            let rules = Rules { field: PsaField::Name, owner, sends: true };
            let written = |text: Option<String>| if shouts { text.map(|text| text.trim().to_uppercase()) } else { text };
            let (mut ours, mut theirs, mut agreed) = (None, None, None);
            let mut last = Decision::Nothing;
            let pass = |ours: &mut Option<String>, theirs: &mut Option<String>, agreed: &mut Option<Agreement>| {
                let found = decide(rules, agreed.as_ref(), sides(ours, theirs));
                match found {
                    Decision::TakeTheirs => ours.clone_from(theirs),
                    Decision::SendOurs => *theirs = written(ours.clone()),
                    Decision::Agree => {}
                    Decision::Nothing | Decision::Conflict(_) => return found,
                }
                let sent = found == Decision::SendOurs || agreed.as_ref().is_some_and(|before| before.sent);
                let sent = sent && found != Decision::TakeTheirs;
                *agreed = Some(Agreement { ours: ours.clone(), theirs: theirs.clone(), sent });
                found
            };
            for (step, text) in steps {
                match step {
                    0 => ours = text,
                    1 => theirs = written(text),
                    _ => drop(pass(&mut ours, &mut theirs, &mut agreed)),
                }
            }
            for _ in 0..3 {
                last = pass(&mut ours, &mut theirs, &mut agreed);
            }
            match last {
                Decision::Nothing => {
                    let (ours, theirs) = (ours.as_deref(), theirs.as_deref());
                    prop_assert!(same(rules.field, ours, theirs), "{ours:?} and {theirs:?} differ, and nobody knows");
                }
                Decision::Conflict(_) => {}
                other => prop_assert!(false, "it does not come to rest: {:?}", other),
            }
        }
    }
}

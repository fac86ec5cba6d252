//! Whether a listing can be believed: 0 of 200, or thirty times as many, is not written.

/// What speaks against a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objection {
    /// It is empty, though so many are known.
    Empty {
        /// Records known before it.
        known: usize,
    },
    /// It would remove too many at once.
    Removal {
        /// Records known before it.
        known: usize,
        /// Records that it lacks.
        gone: usize,
    },
    /// It has many times what is known.
    Growth {
        /// Records known before it.
        known: usize,
        /// Records that it has so far.
        listed: usize,
    },
}

impl Objection {
    /// Says it to a person, with what to do. `vendor` and `what` ("NinjaOne", "devices") name the listing.
    pub fn explain(&self, vendor: &str, what: &str) -> String {
        let say = |seen: String, held: &str| {
            format!("{vendor} {seen}. {held} If this is right, release the run; if not, look at {vendor} and drop it.")
        };
        match self {
            Self::Empty { known } => {
                say(format!("lists none of the {known} {what} known so far"), "Nothing was removed.")
            }
            Self::Removal { known, gone } => {
                say(format!("no longer lists {gone} of the {known} {what} known so far"), "Nothing was removed.")
            }
            Self::Growth { known, listed } => say(
                format!("lists {listed} {what} or more, where {known} were known"),
                "The rest of the listing was not stored.",
            ),
        }
    }
}

/// Whether removing `gone` of `known` waits for a person, after a whole listing of `listed` records.
/// `all_or_nothing` is for entities, of which an account never has none.
pub fn removal(known: usize, listed: usize, gone: usize, all_or_nothing: bool) -> Option<Objection> {
    let least = if all_or_nothing { 1 } else { 5 };
    if listed == 0 && gone > 0 && known >= least {
        return Some(Objection::Empty { known });
    }
    let too_many = known >= 10 && gone > 3 && gone * 4 > known;
    too_many.then_some(Objection::Removal { known, gone })
}

/// Whether a listing grew beyond belief: `listed` records so far.
pub fn growth(known: usize, listed: usize) -> Option<Objection> {
    (known >= 20 && listed > known * 30).then_some(Objection::Growth { known, listed })
}

/// Whether so few are missing that one page cannot be behind it: up to 3, or one in a thousand.
pub fn negligible(known: usize, gone: usize) -> bool {
    gone <= 3.max(known / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removals_beyond_a_quarter_wait_for_a_person() {
        // known, listed, gone, entities, held
        let table = [
            (0, 0, 0, false, false),
            (4, 0, 4, false, false),
            (4, 0, 4, true, true),
            (5, 0, 5, false, true),
            (200, 0, 200, false, true),
            (9, 1, 8, false, false),
            (10, 7, 3, false, false),
            (10, 6, 4, false, true),
            (12, 9, 3, false, false),
            (16, 12, 4, false, false),
            (15, 11, 4, false, true),
            (200, 150, 50, false, false),
            (200, 149, 51, false, true),
            // None of the known, but as many new ones: an account that was exchanged for another.
            (200, 200, 200, false, true),
            (200, 0, 0, false, false),
        ];
        for (known, listed, gone, entities, held) in table {
            let objection = removal(known, listed, gone, entities);
            assert_eq!(objection.is_some(), held, "{known} known, {listed} listed, {gone} gone: {objection:?}");
        }
    }

    #[test]
    fn growth_beyond_thirty_times_waits_for_a_person() {
        for (known, listed, held) in [(0, 1_000_000, false), (19, 10_000, false), (20, 600, false), (20, 601, true)] {
            assert_eq!(growth(known, listed).is_some(), held, "{known} known, {listed} listed");
        }
    }

    #[test]
    fn a_page_is_never_negligible() {
        for (known, gone, few) in [(10, 3, true), (10, 4, false), (50_000, 50, true), (50_000, 51, false)] {
            assert_eq!(negligible(known, gone), few, "{gone} of {known}");
        }
    }
}

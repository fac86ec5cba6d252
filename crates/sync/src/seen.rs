//! Which raw records a listing has met: 16 bytes and a bit for each one known, 16 for each new one, so that
//! half a million fit into a few megabytes.

use std::collections::HashSet;

/// What is known of a listing's records, and which of them it has met.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Sorted.
    known: Vec<u128>,
    met: Vec<u64>,
    met_count: usize,
    /// Met, and not among the known.
    fresh: HashSet<u128>,
}

/// What a raw record is to a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Visit {
    /// Not known.
    New,
    /// Known, and met for the first time.
    First,
    /// Met before.
    Again,
}

/// Hashes as columns hold them: in this form they sort as numbers do.
pub(crate) fn to_bytes(hash: u128) -> [u8; 16] {
    hash.to_be_bytes()
}

/// The number of a stored hash; a column of another length is nobody's hash.
pub(crate) fn from_bytes(bytes: &[u8]) -> u128 {
    bytes.try_into().map(u128::from_be_bytes).unwrap_or_default()
}

impl Seen {
    /// Nothing met yet of these.
    pub fn new(mut known: Vec<u128>) -> Self {
        known.sort_unstable();
        known.dedup();
        Self { met: vec![0; known.len().div_ceil(64)], known, met_count: 0, fresh: HashSet::new() }
    }

    /// How many are known.
    pub fn known(&self) -> usize {
        self.known.len()
    }

    /// How many of the known were not met.
    pub fn missing(&self) -> usize {
        self.known.len() - self.met_count
    }

    /// Whether this one is known or was met.
    pub fn knows(&self, hash: u128) -> bool {
        self.known.binary_search(&hash).is_ok() || self.fresh.contains(&hash)
    }

    /// Whether this one was met.
    pub fn has(&self, hash: u128) -> bool {
        match self.known.binary_search(&hash) {
            Ok(at) => self.is_met(at),
            Err(_) => self.fresh.contains(&hash),
        }
    }

    /// Meets a raw record; one that is not known is not remembered (see [`Self::note`]).
    pub fn visit(&mut self, hash: u128) -> Visit {
        match self.known.binary_search(&hash) {
            Ok(at) if self.is_met(at) => Visit::Again,
            Ok(at) => {
                self.meet(at);
                Visit::First
            }
            Err(_) if self.fresh.contains(&hash) => Visit::Again,
            Err(_) => Visit::New,
        }
    }

    /// Remembers this one as met, known or not.
    pub fn note(&mut self, hash: u128) {
        match self.known.binary_search(&hash) {
            Ok(at) if self.is_met(at) => {}
            Ok(at) => self.meet(at),
            Err(_) => {
                self.fresh.insert(hash);
            }
        }
    }

    /// Remembers what an interrupted listing had met, of what is known.
    pub fn restore(&mut self, pages: &[Vec<u8>]) {
        for hash in pages.iter().flat_map(|page| page.chunks_exact(16)).map(from_bytes) {
            if let Ok(at) = self.known.binary_search(&hash)
                && !self.is_met(at)
            {
                self.meet(at);
            }
        }
    }

    /// Those known that were not met, as columns hold them.
    pub fn unmet(&self) -> Vec<Vec<u8>> {
        let unmet = self.known.iter().enumerate().filter(|(at, _)| !self.is_met(*at));
        unmet.map(|(_, hash)| to_bytes(*hash).to_vec()).collect()
    }

    fn is_met(&self, at: usize) -> bool {
        self.met[at / 64] & (1 << (at % 64)) != 0
    }

    fn meet(&mut self, at: usize) {
        self.met[at / 64] |= 1 << (at % 64);
        self.met_count += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_says_what_two_plain_sets_would_say(
            known in proptest::collection::btree_set(0_u128..60, 0..40),
            visits in proptest::collection::vec(0_u128..60, 0..80),
        ) {
            let mut seen = Seen::new(known.iter().copied().collect());
            let mut met = BTreeSet::new();
            for hash in visits {
                let expected = match (met.contains(&hash), known.contains(&hash)) {
                    (true, _) => Visit::Again,
                    (false, true) => Visit::First,
                    (false, false) => Visit::New,
                };
                prop_assert_eq!(seen.visit(hash), expected);
                seen.note(hash);
                met.insert(hash);
                prop_assert!(seen.has(hash));
            }
            let unmet: Vec<Vec<u8>> = known.difference(&met).map(|hash| to_bytes(*hash).to_vec()).collect();
            prop_assert_eq!(seen.missing(), unmet.len());
            prop_assert_eq!(seen.unmet(), unmet);
        }

        #[test]
        fn what_was_met_survives_an_interruption(
            known in proptest::collection::btree_set(0_u128..60, 0..40),
            met in proptest::collection::btree_set(0_u128..60, 0..40),
        ) {
            let page: Vec<u8> = met.iter().flat_map(|hash| to_bytes(*hash)).collect();
            let mut seen = Seen::new(known.iter().copied().collect());
            seen.restore(&[page]);
            prop_assert_eq!(seen.missing(), known.difference(&met).count());
        }
    }
}

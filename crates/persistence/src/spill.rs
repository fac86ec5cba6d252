//! Change sets too large to be held: they are written to the journal in parts, all in the one transaction, and are
//! reverted together.

use domain::{Change, ChangeSet, EntryId, Outcome, Result};

use crate::{Tx, digest::Digester};

/// Changes that are held at most before they are written.
const HELD: usize = 5_000;
/// Changes that are held all the same: an answer shows that many.
const SHOWN: usize = 1_000;

/// What was written already.
pub(crate) struct Spilled {
    action: &'static str,
    reason: Option<String>,
    /// Whether it is only tried: nothing is written, and nobody held up.
    rehearsed: bool,
    digester: Digester,
    shown: Vec<Change>,
    count: usize,
    /// The last entry.
    pub entry: Option<EntryId>,
}

impl Spilled {
    /// The whole change set, with those that are held still.
    pub fn with(&self, held: Vec<Change>) -> ChangeSet {
        let mut digester = self.digester.clone();
        digester.take(&held);
        let count = self.count + held.len();
        let mut changes = self.shown.clone();
        let room = SHOWN.saturating_sub(changes.len());
        // Nothing was written yet: it is held whole.
        let room = if self.count == 0 { held.len() } else { room };
        changes.extend(held.into_iter().take(room));
        let unlisted = (count - changes.len()) as u64;
        ChangeSet { entry: None, digest: digester.end(), changes, unlisted }
    }
}

impl Tx {
    /// Allows this transaction to write its changes to the journal in parts, under this action and for this reason:
    /// for what may change very many rows. Without it [`Tx::journal_spill`] does nothing.
    /// One that is only rehearsed counts them and writes nothing.
    pub fn spill_as(&self, action: &'static str, reason: Option<&str>, rehearsed: bool) {
        let reason = reason.map(str::to_owned);
        let digester = Digester::new(self.now());
        *self.spilled() =
            Some(Spilled { action, reason, rehearsed, digester, shown: Vec::new(), count: 0, entry: None });
    }

    /// Writes what is held to the journal and holds it no longer, where it is much and that is allowed. Whoever reverts
    /// one of the entries reverts all of them.
    pub async fn journal_spill(&self) -> Result<()> {
        if self.changes_held() < HELD {
            return Ok(());
        }
        let how = self.spilled().as_ref().map(|spilled| (spilled.action, spilled.reason.clone(), spilled.rehearsed));
        let Some((action, reason, rehearsed)) = how else {
            return Ok(());
        };
        self.change_set_of_several();
        let changes = self.changes_taken();
        let digest = crate::digest::digest(&changes, self.now());
        let set = ChangeSet { digest, changes, ..ChangeSet::default() };
        let entry = match rehearsed {
            true => None,
            false => {
                self.psa_touch(&set.changes).await?;
                let entry = self.journal_append(action, Outcome::Done, reason.as_deref(), &set, None).await?;
                self.events_of_changes(&set.changes).await?;
                Some(entry)
            }
        };
        if let Some(spilled) = self.spilled().as_mut() {
            spilled.digester.take(&set.changes);
            spilled.count += set.changes.len();
            let room = SHOWN.saturating_sub(spilled.shown.len());
            spilled.shown.extend(set.changes.into_iter().take(room));
            spilled.entry = entry;
        }
        Ok(())
    }
}

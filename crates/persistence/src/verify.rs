//! Finding what was done to the journal behind our back.

use domain::{Error, Result};
use sea_orm::{ColumnTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::{
    Tx,
    digest::digest,
    entity::{journal, journal_head},
    error::OrDomain,
    journal::{entry_hash, head_seal},
};

/// One thing found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Place in the chain.
    pub seq: i64,
    /// What is wrong there.
    pub message: String,
}

/// Result of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// Entries read.
    pub entries: i64,
    /// The chain's end, hex: keep it elsewhere, and a later check can tell that nothing before it
    /// was replaced.
    pub head: String,
    /// What was found, at most 100.
    pub faults: Vec<Fault>,
    /// The entry to go on at, where the chain goes on.
    pub next: Option<i64>,
}

impl Tx {
    /// Reads the organisation's whole chain and checks it: edited, deleted, inserted, reordered and
    /// cut-off entries are faults. `anchor` is a place and hash noted earlier.
    pub async fn journal_verify(&self, anchor: Option<(i64, &str)>) -> Result<Verification> {
        self.journal_verify_range(1, None, anchor).await
    }

    /// The same for a stretch of the chain that begins at an entry, of about `most` entries at the most. Stretches that
    /// follow one another prove what the whole does: each begins with the hash that the one before it ended with. The
    /// chain's end is looked at by the stretch that reaches it.
    pub async fn journal_verify_range(
        &self,
        from: i64,
        most: Option<i64>,
        anchor: Option<(i64, &str)>,
    ) -> Result<Verification> {
        const BATCH: u64 = 500;
        let key = self.store().journal_key(self).await?;
        let organisation = self.organisation().0;
        let mut faults = Vec::new();
        let mut fault = |seq: i64, message: String| {
            if faults.len() < 100 {
                faults.push(Fault { seq, message });
            }
        };
        let (mut seq, mut hash, mut entries) = (from.max(1) - 1, Vec::new(), 0_i64);
        if seq > 0 {
            let before = self.find::<journal::Entity>().filter(journal::Column::Seq.eq(seq));
            let before = before.one(self.db()).await.or_domain()?;
            let beyond = || Error::invalid("from", "out_of_range", "must be an entry that follows another");
            hash = before.ok_or_else(beyond)?.hash;
        }
        let mut whole = true;
        loop {
            let rows = self
                .find::<journal::Entity>()
                .filter(journal::Column::Seq.gt(seq))
                .order_by_asc(journal::Column::Seq)
                .limit(BATCH)
                .all(self.db())
                .await
                .or_domain()?;
            if rows.is_empty() {
                break;
            }
            if most.is_some_and(|most| entries >= most) {
                whole = false;
                break;
            }
            for row in rows {
                if row.seq != seq + 1 {
                    fault(seq + 1, format!("entries {} to {} are missing", seq + 1, row.seq - 1));
                } else if entry_hash(&key, &hash, &row) != row.hash {
                    fault(row.seq, "the entry was edited, or another stands in its place".to_owned());
                }
                if let Ok(changes) = serde_json::from_str::<Vec<domain::Change>>(&row.changes)
                    && row.outcome == "done"
                    && digest(&changes, row.at) != row.digest
                {
                    fault(row.seq, "the changes do not fit their digest".to_owned());
                }
                if anchor.is_some_and(|(at, known)| at == row.seq && known != hex::encode(&row.hash)) {
                    fault(row.seq, "the entry is not the one that was noted earlier".to_owned());
                }
                seq = row.seq;
                hash = row.hash;
                entries += 1;
            }
        }
        match self.find::<journal_head::Entity>().one(self.db()).await.or_domain()? {
            None => fault(seq, "the end of the chain is missing".to_owned()),
            Some(head) => {
                if head_seal(&key, organisation, head.seq, &head.hash) != head.seal {
                    fault(head.seq, "the end of the chain was edited".to_owned());
                }
                if !whole {
                    // The stretch that reaches the end looks at it.
                } else if head.seq > seq {
                    fault(seq + 1, format!("entries {} to {} were cut off", seq + 1, head.seq));
                } else if head.seq < seq {
                    fault(head.seq + 1, format!("entries {} to {seq} were inserted", head.seq + 1));
                } else if head.hash != hash {
                    fault(seq, "the last entry is not the one the chain ends with".to_owned());
                }
            }
        }
        if let Some((at, _)) = anchor.filter(|(at, _)| whole && *at > seq) {
            fault(at, "the chain ends before the place that was noted earlier".to_owned());
        }
        let next = (!whole).then_some(seq + 1);
        Ok(Verification { entries, head: format!("{seq}:{}", hex::encode(&hash)), faults, next })
    }
}

impl Verification {
    /// Reads `seq:hash` as [`Verification::head`] prints it.
    pub fn parse_anchor(text: &str) -> Result<(i64, &str)> {
        let wrong = || Error::invalid("anchor", "not_an_anchor", "is written number:hash, as verify prints it");
        let (seq, hash) = text.split_once(':').ok_or_else(wrong)?;
        Ok((seq.parse().map_err(|_| wrong())?, hash))
    }
}

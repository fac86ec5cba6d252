//! Pages kept before they are stored. While a page is being stored the next is being fetched; without this, a
//! crash would cost two pages to be fetched again, not one.

use bytes::Bytes;
use domain::{Error, Result};
use integration::{Cursor, Page};
use serde::{Deserialize, Serialize};

use crate::{ids, run::KindRun};

/// A page with fewer new records is stored at once.
const NEWS: usize = 32;
/// A page with more bytes is stored at once.
const LARGEST: usize = 8 << 20;

/// What stands before the records of a kept page.
#[derive(Serialize, Deserialize)]
struct Head {
    removed: Vec<String>,
    total: Option<u64>,
    changes_only: bool,
    lengths: Vec<usize>,
}

/// The page as one text: its head on one line, then the records.
fn pack(page: &Page) -> Result<Vec<u8>> {
    let head = Head {
        removed: page.removed.clone(),
        total: page.total,
        changes_only: page.changes_only,
        lengths: page.records.iter().map(Bytes::len).collect(),
    };
    let mut text = serde_json::to_vec(&head).map_err(Error::internal)?;
    text.push(b'\n');
    page.records.iter().for_each(|record| text.extend_from_slice(record));
    Ok(text)
}

/// The page again; `None` where the text is of another version.
fn unpack(text: Vec<u8>) -> Option<Page> {
    let text = Bytes::from(text);
    let end = text.iter().position(|byte| *byte == b'\n')?;
    let head: Head = serde_json::from_slice(&text[..end]).ok()?;
    let mut at = end + 1;
    let mut records = Vec::with_capacity(head.lengths.len());
    for length in head.lengths {
        let to = at.checked_add(length).filter(|to| *to <= text.len())?;
        records.push(text.slice(at..to));
        at = to;
    }
    let Head { removed, total, changes_only, .. } = head;
    Some(Page { records, removed, total, changes_only, ..Page::default() })
}

impl KindRun<'_> {
    /// Keeps a page that will take a while to store, with `next` as the place to go on. Returns whether it
    /// was kept.
    pub(crate) async fn keep(&mut self, page: &Page, entity: Option<&str>, next: &Cursor) -> Result<bool> {
        let new = page.records.iter().filter(|raw| !self.seen.knows(ids::raw_hash(entity, raw)));
        let large = page.records.iter().map(Bytes::len).sum::<usize>() > LARGEST;
        if large || new.take(NEWS).count() < NEWS {
            return Ok(false);
        }
        // Kept before, and taken up again after a crash.
        if !self.at.place.kept {
            self.at.place.kept = true;
            self.at.place.cursor = Some(next.as_str().to_owned());
            let tx = self.job.begin().await?;
            tx.run_page_keep(self.run.id, self.run.pages, &pack(page)?).await?;
            self.save(&tx).await?;
            tx.commit_unjournalled().await?;
        }
        Ok(true)
    }

    /// The page that was kept and not yet stored.
    pub(crate) async fn kept_page(&mut self) -> Result<Option<Page>> {
        if !self.at.place.kept {
            return Ok(None);
        }
        let tx = self.job.begin().await?;
        let kept = tx.run_page_kept(self.run.id, self.run.pages).await?;
        tx.rollback().await?;
        let page = kept.and_then(unpack).ok_or_else(|| Error::internal("a kept page cannot be read"))?;
        Ok(Some(Page { next: self.at.place.cursor.clone().map(Cursor::new), ..page }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_page_is_the_page() {
        let page = Page {
            records: vec![Bytes::from_static(b"{\"a\":\n1}"), Bytes::new(), Bytes::from_static(b"2")],
            removed: vec!["x".to_owned()],
            total: Some(7),
            changes_only: true,
            ..Page::default()
        };
        let text = pack(&page).expect("packs");
        let again = unpack(text.clone()).expect("unpacks");
        assert_eq!((again.records, again.removed), (page.records, page.removed));
        assert_eq!((again.total, again.changes_only), (page.total, page.changes_only));
        for cut in [0, 3, text.len() - 1] {
            assert!(unpack(text[..cut].to_vec()).is_none());
        }
    }
}

//! The rounds in which users are listed: everything, then changes only, by Microsoft's change feed.
//!
//! The feed does not tell when users signed in. Where the tenant has the licence for that, a whole round is the
//! plain listing with sign-ins, and the mark is what the feed gave just before it; a round of changes asks for the
//! sign-ins of those who changed. Elsewhere the feed is all.

use async_trait::async_trait;
use integration::{Cursor, DirectoryUser, Error, Item, Kind, Page, Position, Pull, Reach, Result, Retry, Vendor};

use crate::{
    Guid, Microsoft365,
    api::{LONGEST_LINK, Listed, Source, tenant},
    users,
};

macro_rules! fields {
    () => {
        "id,userPrincipalName,displayName,mail,accountEnabled,userType,assignedLicenses,jobTitle,department,\
         createdDateTime,onPremisesSyncEnabled"
    };
}

// Without `Prefer: return=minimal`, which would leave out what did not change.
const FEED: Source = Source { path: "users/delta", query: concat!("$select=", fields!()), right: "Directory.Read.All" };
/// The feed's present end: a mark, and nothing else.
const END_OF_FEED: Source = Source { query: concat!("$deltatoken=latest&$select=", fields!()), ..FEED };
/// More rows than 120 are not given with sign-ins.
const WITH_SIGN_INS: Source = Source {
    path: "users",
    query: concat!("$top=120&$select=", fields!(), ",signInActivity"),
    right: "AuditLog.Read.All",
};

/// How the cursor of a round of changes begins; Microsoft's link follows.
const CHANGES: &str = "changes ";
/// How the cursor of a whole round with sign-ins begins; the link to its next page and the mark follow, a line each.
const WHOLE: &str = "whole ";
/// Before the link of a mark: its round asks for sign-ins too.
const SIGN_INS: &str = "sign-ins ";

#[async_trait]
impl Pull<DirectoryUser> for Microsoft365 {
    fn reach(&self) -> Reach {
        Reach::Entity
    }

    fn incremental(&self) -> bool {
        true
    }

    async fn page(&self, at: Position<'_>) -> Result<Page> {
        let tenant = tenant(at)?;
        match (at.cursor.map(Cursor::as_str), at.since) {
            (Some(cursor), _) => {
                if let Some(mark) = cursor.strip_prefix(CHANGES) {
                    self.changes(tenant, mark).await
                } else if let Some((next, mark)) = cursor.strip_prefix(WHOLE).and_then(|rest| rest.split_once('\n')) {
                    let listed = self.api.list(tenant, &WITH_SIGN_INS, Some(next)).await?;
                    Ok(whole(listed, Some(mark.to_owned()).filter(|mark| !mark.is_empty())))
                } else {
                    self.feed(tenant, Some(cursor)).await
                }
            }
            (None, Some(mark)) => self.changes(tenant, mark).await,
            (None, None) => match self.begin(tenant).await? {
                Some(page) => Ok(page),
                None => self.feed(tenant, None).await,
            },
        }
    }

    fn read(&self, raw: &[u8]) -> Result<Item<DirectoryUser>, String> {
        users::read(raw)
    }
}

impl Microsoft365 {
    /// The first page of a whole round with sign-ins; `None` where Microsoft does not tell them of this tenant.
    async fn begin(&self, tenant: Guid) -> Result<Option<Page>> {
        // Before the listing, so that what changes meanwhile is in the next round. Without it there is no mark.
        let mark = match self.api.list(tenant, &END_OF_FEED, None).await {
            Ok(listed) => listed.delta,
            Err(error) if matches!(error.kind, Kind::Refused | Kind::Expired) => None,
            Err(error) => return Err(error),
        };
        match self.api.list(tenant, &WITH_SIGN_INS, None).await {
            Ok(listed) => Ok(Some(whole(listed, mark))),
            Err(error) if matches!(error.kind, Kind::Forbidden | Kind::NotOffered | Kind::Refused | Kind::NotFound) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// A page of a whole round by the feed.
    async fn feed(&self, tenant: Guid, link: Option<&str>) -> Result<Page> {
        let Split { rest, next } = split(self.api.list(tenant, &FEED, link).await?)?;
        Ok(Page { next: next.map(Cursor::new), ..rest })
    }

    /// A page of a round of changes.
    async fn changes(&self, tenant: Guid, mark: &str) -> Result<Page> {
        let (kept, link) = mark.strip_prefix(SIGN_INS).map_or(("", mark), |link| (SIGN_INS, link));
        let Split { mut rest, next } = split(self.api.list(tenant, &FEED, Some(link)).await?)?;
        if !kept.is_empty() {
            rest.records = self.api.with_sign_ins(tenant, rest.records).await?;
        }
        rest.mark = rest.mark.map(|link| format!("{kept}{link}"));
        Ok(Page { next: next.map(|link| Cursor::new(format!("{CHANGES}{kept}{link}"))), changes_only: true, ..rest })
    }
}

/// A page of a whole round with sign-ins.
fn whole(listed: Listed, mark: Option<String>) -> Page {
    let Some(next) = listed.next else {
        return Page { records: listed.records, mark: mark.map(|link| format!("{SIGN_INS}{link}")), ..Page::default() };
    };
    // A mark for which there is no room is given up: the next round is a whole one again.
    let mark = mark.filter(|mark| mark.len() + next.len() < LONGEST_LINK).unwrap_or_default();
    Page { records: listed.records, next: Some(Cursor::new(format!("{WHOLE}{next}\n{mark}"))), ..Page::default() }
}

/// A page of the feed, whose link to the next one is not yet a cursor.
struct Split {
    rest: Page,
    next: Option<String>,
}

/// Tells those who are gone from the others.
fn split(listed: Listed) -> Result<Split> {
    if listed.next.is_none() && listed.delta.is_none() {
        let why = "a page of users that is neither the last nor followed by another";
        return Err(Error::unreadable(Microsoft365::NAME, why).retry(Retry::Yes));
    }
    let mut rest = Page { mark: listed.delta, ..Page::default() };
    for raw in listed.records {
        match users::gone(&raw) {
            Some(id) => rest.removed.push(id),
            None => rest.records.push(raw),
        }
    }
    Ok(Split { rest, next: listed.next })
}

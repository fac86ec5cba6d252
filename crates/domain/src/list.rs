//! Pages, ranges and filters of lists.

/// Direction of a sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum SortOrder {
    #[default]
    Ascending,
    Descending,
}

/// Which page is wanted. The cursor is the sort key and id of the last row seen.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// At most this many rows; 1 to 100.
    pub limit: u64,
    /// Where the last page ended: sort key as text, and id.
    pub after: Option<(String, uuid::Uuid)>,
}

impl PageRequest {
    /// Rows of a page when nothing is said.
    pub const DEFAULT: u64 = 25;
    /// Most rows of a page.
    pub const MOST: u64 = 100;

    /// The first page of the usual size.
    pub fn first() -> Self {
        Self { limit: Self::DEFAULT, after: None }
    }
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed<T> {
    /// Rows.
    pub items: Vec<T>,
    /// Where the next page starts; `None` on the last.
    pub next: Option<(String, uuid::Uuid)>,
    /// Rows of the whole list under its filters.
    pub total: i64,
}

impl<T> Listed<T> {
    /// The same page with other items.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Listed<U> {
        Listed { items: self.items.into_iter().map(f).collect(), next: self.next, total: self.total }
    }
}

/// An inclusive range; an end that is `None` is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// At least.
    pub min: Option<i32>,
    /// At most.
    pub max: Option<i32>,
}

/// Whether a list holds archived rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Archived {
    /// None of them.
    #[default]
    Hidden,
    /// Nothing else.
    Only,
    /// Among the others.
    Included,
}

/// Which integrations a client must be mapped to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IntegrationFilter {
    /// Mapped to all of these.
    Has(Vec<String>),
    /// Not mapped to at least one of these.
    Missing(Vec<String>),
}

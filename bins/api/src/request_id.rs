//! The id of the request under way, for log lines, problems and the journal.

tokio::task_local! {
    static CURRENT: String;
}

/// Runs `work` under this id.
pub async fn under<T>(id: String, work: impl Future<Output = T>) -> T {
    CURRENT.scope(id, work).await
}

/// The id of the request under way; empty outside one.
pub fn current() -> String {
    CURRENT.try_with(Clone::clone).unwrap_or_default()
}

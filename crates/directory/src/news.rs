//! Who is told of what was published to clients.

use domain::{ClientId, NotificationKind, PageRequest, PortalRole, PortalState, Result};
use persistence::{PortalNotice, PortalUserFilter, Tx};
use uuid::Uuid;

/// Clients whose people are told one by one; what is published to more shows in their list of documents only.
const TOLD: usize = 20;

/// Tells the people of these clients of a document of this title that they see from now on: in ClientOne, without a
/// letter, each of them once.
pub(crate) async fn published(
    tx: &Tx,
    clients: &[ClientId],
    managers_only: bool,
    (id, title): (Uuid, &str),
) -> Result<()> {
    if clients.len() > TOLD {
        return Ok(());
    }
    let notice = PortalNotice {
        kind: NotificationKind::DocumentPublished,
        subject_id: id,
        key: format!("document:{id}"),
        title: format!("New document: {title}"),
        paragraphs: vec![format!("“{title}” was published for you.")],
        link: ("See the document", format!("documents/{id}")),
        base: None,
    };
    for client in clients {
        let filter = PortalUserFilter {
            client: Some(*client),
            role: managers_only.then_some(PortalRole::Manager),
            state: Some(PortalState::Active),
            search: None,
        };
        let people = tx.portal_user_list(&filter, &PageRequest { limit: PageRequest::MOST, after: None }).await?.items;
        tx.portal_notify(*client, &people, &notice).await?;
    }
    Ok(())
}

//! Files of tickets. Their contents are in the store of files (`contents.rs`).

use domain::{
    ClientId, ContentId, Error, PortalTicketId, PortalTicketMessageId, PortalUserId, Result, TicketAttachment,
    TicketAttachmentId, Timestamp,
};
use sea_orm::{ColumnTrait, Condition, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};

use crate::{Tx, entity::ticket_attachment as table, error::OrDomain, journalled::versioned};

versioned!(table, "ticket_attachment", "file of a ticket", read, |row| Some(row.client_id));

fn read(row: table::Model) -> Result<TicketAttachment> {
    Ok(TicketAttachment {
        id: row.id.into(),
        ticket_id: row.ticket_id.into(),
        client_id: ClientId(row.client_id),
        message_id: row.message_id.into(),
        message_number: row.message_number,
        name: row.name,
        media_type: row.media_type,
        bytes: row.bytes,
        sha256: row.sha256,
        content_id: ContentId(row.content_id),
        public: row.public,
        portal_user_id: row.portal_user_id.map(Into::into),
        staff_id: row.staff_id.map(Into::into),
        created_at: row.created_at,
        removed_at: row.removed_at,
        version: row.version,
    })
}

fn write(tx: &Tx, row: &TicketAttachment) -> table::Model {
    table::Model {
        organisation_id: tx.organisation().0,
        id: row.id.0,
        client_id: row.client_id.0,
        ticket_id: row.ticket_id.0,
        message_id: row.message_id.0,
        message_number: row.message_number,
        name: row.name.clone(),
        media_type: row.media_type.clone(),
        bytes: row.bytes,
        sha256: row.sha256.clone(),
        content_id: row.content_id.0,
        public: row.public,
        portal_user_id: row.portal_user_id.map(|id| id.0),
        staff_id: row.staff_id.map(|id| id.0),
        created_at: row.created_at,
        removed_at: row.removed_at,
        version: row.version,
    }
}

impl Tx {
    /// The files of a ticket in order, removed ones too. The caller has found the ticket in its scope.
    pub async fn ticket_attachments(&self, ticket: PortalTicketId) -> Result<Vec<TicketAttachment>> {
        let select = self.find::<table::Entity>().filter(table::Column::TicketId.eq(ticket.0));
        let rows = select.order_by_asc(table::Column::MessageNumber).all(self.db()).await.or_domain()?;
        rows.into_iter().map(read).collect()
    }

    /// A file of a ticket, removed or not; its row is locked in a transaction that writes.
    pub async fn ticket_attachment(&self, ticket: PortalTicketId, id: TicketAttachmentId) -> Result<TicketAttachment> {
        let which = Condition::all().add(table::Column::Id.eq(id.0)).add(table::Column::TicketId.eq(ticket.0));
        self.ticket_attachment_where(which).await?.ok_or(Error::NotFound { what: "file of the ticket" })
    }

    /// The file that came with a message, if one did.
    pub async fn ticket_attachment_of(&self, message: PortalTicketMessageId) -> Result<Option<TicketAttachment>> {
        self.ticket_attachment_where(Condition::all().add(table::Column::MessageId.eq(message.0))).await
    }

    async fn ticket_attachment_where(&self, which: Condition) -> Result<Option<TicketAttachment>> {
        let mut select = self.find::<table::Entity>().filter(which);
        if self.require_writable().is_ok() {
            select = select.lock_exclusive();
        }
        select.one(self.db()).await.or_domain()?.map(read).transpose()
    }

    /// Bytes of all files of tickets that are kept: of a client's, or of all.
    pub async fn ticket_attachment_bytes(&self, client: Option<ClientId>) -> Result<i64> {
        let mut select = self.find::<table::Entity>().filter(table::Column::RemovedAt.is_null());
        if let Some(client) = client {
            select = select.filter(table::Column::ClientId.eq(client.0));
        }
        let sum = Expr::cust("CAST(COALESCE(SUM(bytes), 0) AS BIGINT)");
        let sum = select.select_only().expr_as(sum, "bytes").into_tuple::<i64>().one(self.db()).await.or_domain()?;
        Ok(sum.unwrap_or_default())
    }

    /// How many files a portal user has attached since then.
    pub async fn ticket_attachment_rate(&self, user: PortalUserId, since: Timestamp) -> Result<u64> {
        let own = self.find::<table::Entity>().filter(table::Column::PortalUserId.eq(user.0));
        own.filter(table::Column::CreatedAt.gte(since)).count(self.db()).await.or_domain()
    }

    /// Attaches a file, whose content was announced.
    pub async fn ticket_attachment_insert(&self, row: &TicketAttachment) -> Result<()> {
        self.content_keep(row.content_id, row.bytes).await?;
        self.insert_row::<table::Entity>(write(self, row)).await
    }

    /// Removes the content of a file that was read before; that there was one stays known.
    pub async fn ticket_attachment_remove(&self, before: &TicketAttachment) -> Result<TicketAttachment> {
        let after = TicketAttachment { removed_at: Some(self.now()), version: before.version + 1, ..before.clone() };
        self.update_row::<table::Entity>(&write(self, before), write(self, &after)).await?;
        self.contents_release(&[before.content_id]).await?;
        Ok(after)
    }
}

//! How many threats of a client want attention.

use domain::{ClientId, Result};
use sea_orm::{ColumnTrait, ExprTrait, PaginatorTrait, QueryFilter, QuerySelect, QueryTrait, sea_query::Expr};

use crate::{
    Tx,
    entity::{record, vendor_entity},
    error::OrDomain,
};

/// How the stored body of a threat says that it is active. A text in it cannot say so: its quotes are escaped.
const ACTIVE: &str = "%\"active\":true%";

impl Tx {
    /// Threats of a client that are known to want attention still.
    pub async fn client_threats_active(&self, client: ClientId) -> Result<i64> {
        let under = self
            .find::<vendor_entity::Entity>()
            .select_only()
            .column(vendor_entity::Column::Id)
            .filter(vendor_entity::Column::ClientId.eq(client.0));
        let count = self
            .find::<record::Entity>()
            .filter(record::Column::EntityId.in_subquery(under.into_query()))
            .filter(record::Column::Kind.eq("threat"))
            .filter(record::Column::RemovedAt.is_null())
            .filter(Expr::col(record::Column::Body).like(ACTIVE))
            .count(self.db())
            .await
            .or_domain()?;
        Ok(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

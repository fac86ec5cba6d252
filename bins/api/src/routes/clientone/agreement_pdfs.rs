//! Signed agreements of one's company as PDF.

use domain::AgreementInstanceId;
use poem_openapi::{OpenApi, param::Path};
use uuid::Uuid;

use super::PortalChapter;
use crate::{
    portal_auth::PortalCaller,
    problem::Failure,
    routes::clientone_admin::agreement_pdfs::{Printed, printed},
};

/// Signed agreements as PDF.
pub struct SignedAgreements;

#[OpenApi(prefix_path = "/api/clientone/agreements", tag = "PortalChapter::Agreements")]
impl SignedAgreements {
    /// A signed agreement as PDF: the exact text, and who signed it, when and from where
    #[oai(path = "/:agreement_instance_id/pdf", method = "get", operation_id = "agreement_pdf_get")]
    async fn agreement_pdf_get(
        &self,
        caller: PortalCaller,
        agreement_instance_id: Path<Uuid>,
    ) -> Result<Printed, Failure> {
        let (tx, visit) = caller.visit()?;
        let id = AgreementInstanceId(agreement_instance_id.0);
        let (copy, agreement, _) = clientone::agreement_seen_by(&tx, &visit.user, &visit.config.settings, id).await?;
        printed(tx, copy, agreement).await
    }
}

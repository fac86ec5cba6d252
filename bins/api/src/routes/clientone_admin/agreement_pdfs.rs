//! Signed agreements as PDF, for staff; what makes one is here for people of clients too.

use clientone::AgreementRecord;
use domain::{Agreement, AgreementInstance, AgreementInstanceId, Error, Permission, file_name};
use persistence::Tx;
use poem_openapi::{ApiResponse, OpenApi, ResponseContent, param::Path, payload::Binary};
use uuid::Uuid;

use crate::{app::AppData, auth::Caller, contents::attachment, problem::Failure, routes::Chapter};

/// A PDF.
#[derive(ResponseContent)]
pub enum PdfFile {
    /// The PDF
    #[oai(content_type = "application/pdf")]
    Pdf(Binary<Vec<u8>>),
}

/// A PDF, as an attachment.
#[derive(ApiResponse)]
pub enum Printed {
    /// The PDF
    #[oai(status = 200)]
    Ok(
        PdfFile,
        /// Proposes a name for the file
        #[oai(header = "Content-Disposition")]
        String,
    ),
}

/// Signed agreements as PDF.
pub struct AgreementPdfs;

#[OpenApi(prefix_path = "/api/clientone-admin/agreement-instances", tag = "Chapter::ClientOne")]
impl AgreementPdfs {
    /// A signed copy as PDF: the exact text, and who signed it, when and from where
    ///
    /// The same copy gives the same bytes. Characters that its font lacks stand as their numbers, `[U+65E5]`.
    #[oai(path = "/:agreement_instance_id/pdf", method = "get", operation_id = "agreement_instance_pdf_get")]
    async fn agreement_instance_pdf_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        agreement_instance_id: Path<Uuid>,
    ) -> Result<Printed, Failure> {
        let tx = app.read(caller, Permission::ClientoneManage).await?;
        let copy = tx.agreement_instance(AgreementInstanceId(agreement_instance_id.0)).await?;
        let found = tx.agreements_by_id([copy.agreement_id]).await?;
        let missing = || Error::internal("a copy of an agreement without its version");
        let agreement = found.into_iter().next().ok_or_else(missing)?;
        printed(tx, copy, agreement).await
    }
}

/// Prints a copy that the caller may read.
pub async fn printed(tx: Tx, copy: AgreementInstance, agreement: Agreement) -> Result<Printed, Failure> {
    let names = tx.portal_names([copy.client_id], None).await?;
    let (provider, _) = tx.organisation_name().await?;
    tx.rollback().await?;
    let name = format!("{} {}.pdf", agreement.title, agreement.number);
    let name = file_name("", &name).unwrap_or_else(|_| "agreement.pdf".to_owned());
    let record = AgreementRecord { client: names.client(copy.client_id), provider, agreement, copy };
    let print = move || clientone::agreement_pdf(&record);
    let pdf = tokio::task::spawn_blocking(print).await.map_err(Error::internal)??;
    Ok(Printed::Ok(PdfFile::Pdf(Binary(pdf)), attachment(&name)))
}

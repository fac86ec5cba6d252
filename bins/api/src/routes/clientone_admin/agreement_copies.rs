//! The clients' copies of agreements: where each stands, and what was signed.

use chrono::{DateTime, Utc};
use clientone::{signature_holds, with_versions};
use domain::{
    Agreement, AgreementId, AgreementInstance as Row, AgreementInstanceId, AgreementState, ClientId, Permission,
};
use persistence::{AgreementInstanceFilter, PortalNames, Tx};
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
};
use uuid::Uuid;

use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, Page, page_request},
    problem::Failure,
    routes::{Chapter, mirrored::mirrored},
    write::{Asked, Begun},
};

mirrored! {
    /// Where a client's copy of an agreement stands
    AgreementStanding = AgreementState {
        /// Nobody who may sign has opened it
        Pending,
        /// Someone who may sign has opened it
        Viewed,
        /// Signed
        Signed,
        /// Declined, with a reason
        Declined,
        /// A newer version was sent
        Superseded,
        /// Taken back
        Withdrawn,
    }
}

/// A signature.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct AgreementSignature {
    /// Who signed
    pub portal_user_id: Uuid,
    /// The name they typed
    pub name: String,
    /// When
    pub at: DateTime<Utc>,
    /// From which address
    pub source_address: Option<String>,
    /// With which browser
    pub user_agent: Option<String>,
    /// SHA-256 of the exact text that was signed, hex
    pub text_hash: String,
    /// Whether the text that is kept is that very text
    pub intact: bool,
}

/// A client's copy of a version of an agreement.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct AgreementInstance {
    /// Id
    pub id: Uuid,
    /// The version
    pub agreement_id: Uuid,
    /// The agreement
    pub series_id: Uuid,
    /// Which version; the first is 1
    pub number: i32,
    /// Title
    pub title: String,
    /// The text; absent in lists
    pub text: Option<String>,
    /// Client
    pub client_id: Uuid,
    /// Its name
    pub client: String,
    /// The one person who is to sign; absent for all Managers
    pub portal_user_id: Option<Uuid>,
    /// Their name
    pub addressee: Option<String>,
    pub state: AgreementStanding,
    /// Sent
    pub sent_at: DateTime<Utc>,
    /// First opened by someone who may sign
    pub viewed_at: Option<DateTime<Utc>>,
    /// Signed, declined, superseded or withdrawn
    pub ended_at: Option<DateTime<Utc>>,
    /// Why it was declined
    pub reason: Option<String>,
    pub signature: Option<AgreementSignature>,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

/// Copies.
pub struct AgreementInstances;

#[OpenApi(prefix_path = "/api/clientone-admin/agreement-instances", tag = "Chapter::ClientOne")]
impl AgreementInstances {
    /// Copies across clients or of one, the newest first
    #[oai(path = "/", method = "get", operation_id = "agreement_instance_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn agreement_instance_list(
        &self,
        app: AppData<'_>,
        caller: Caller,
        uri: &poem::http::Uri,
        /// Only of this client
        client_id: Query<Option<Uuid>>,
        /// Only of this version
        agreement_id: Query<Option<Uuid>>,
        state: Query<Option<AgreementStanding>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<AgreementInstance>>, Failure> {
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let tx = app.read(caller, Permission::ClientoneManage).await?;
        let filter = AgreementInstanceFilter {
            client: client_id.0.map(ClientId),
            agreement: agreement_id.0.map(AgreementId),
            state: state.0.map(Into::into),
        };
        let listed = with_versions(&tx, tx.agreement_instance_list(&filter, &page).await?).await?;
        let clients = listed.items.iter().map(|(copy, _)| copy.client_id);
        let names = tx.portal_names(clients, listed.items.iter().filter_map(|(copy, _)| copy.addressee)).await?;
        let short = |(copy, version)| AgreementInstance { text: None, ..view(copy, version, &names) };
        Ok(Answer::page(listed.map(short), uri))
    }

    /// One copy with its text, and what was signed
    ///
    /// Signed copies stay readable whatever becomes of the client.
    #[oai(path = "/:agreement_instance_id", method = "get", operation_id = "agreement_instance_get")]
    async fn agreement_instance_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
        agreement_instance_id: Path<Uuid>,
    ) -> Result<Answer<AgreementInstance>, Failure> {
        let tx = app.read(caller, Permission::ClientoneManage).await?;
        let copy = tx.agreement_instance(AgreementInstanceId(agreement_instance_id.0)).await?;
        let version = copy.version;
        Ok(Answer::versioned(named(&tx, copy).await?, version))
    }

    /// Take back a copy that waits for someone
    #[oai(path = "/:agreement_instance_id/withdraw", method = "post", operation_id = "agreement_withdraw")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn agreement_withdraw(
        &self,
        app: AppData<'_>,
        caller: Caller,
        agreement_instance_id: Path<Uuid>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<AgreementInstance>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (id, permission) = (AgreementInstanceId(agreement_instance_id.0), Permission::ClientoneManage);
        let write = match app.begin(&context, permission, "agreement_withdraw", asked, &id).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let copy = clientone::agreement_withdraw(&write.tx, id).await?;
        let version = copy.version;
        let view = named(&write.tx, copy).await?;
        Ok(Answer::versioned(write.finish(Some(view), Vec::new()).await?, version))
    }
}

async fn named(tx: &Tx, copy: Row) -> domain::Result<AgreementInstance> {
    let names = tx.portal_names([copy.client_id], copy.addressee).await?;
    let found = tx.agreements_by_id([copy.agreement_id]).await?;
    let missing = || domain::Error::internal("a copy of an agreement without its version");
    Ok(view(copy, found.into_iter().next().ok_or_else(missing)?, &names))
}

fn view(copy: Row, agreement: Agreement, names: &PortalNames) -> AgreementInstance {
    let signature = copy.signature.map(|signature| AgreementSignature {
        intact: signature_holds(&agreement, &signature),
        portal_user_id: signature.by.0,
        name: signature.name,
        at: signature.at,
        source_address: signature.source_address,
        user_agent: signature.user_agent,
        text_hash: signature.text_hash,
    });
    AgreementInstance {
        id: copy.id.0,
        agreement_id: copy.agreement_id.0,
        series_id: copy.series_id.0,
        number: agreement.number,
        title: agreement.title,
        text: Some(agreement.text),
        client_id: copy.client_id.0,
        client: names.client(copy.client_id),
        portal_user_id: copy.addressee.map(|id| id.0),
        addressee: copy.addressee.map(|id| names.user(id)),
        state: copy.state.into(),
        sent_at: copy.sent_at,
        viewed_at: copy.viewed_at,
        ended_at: copy.ended_at,
        reason: copy.reason,
        signature,
        version: copy.version,
    }
}

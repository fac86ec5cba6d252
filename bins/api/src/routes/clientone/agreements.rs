//! Agreements, as people of a client read and sign them.

use chrono::{DateTime, Utc};
use clientone::{SignatureGiven, text_hash};
use domain::{
    Agreement, AgreementInstance, AgreementInstanceId, AgreementState, Context, PortalPermission, PortalSettings,
};
use poem::Request;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::{PortalChapter, service_requests::parts};
use crate::{
    app::{App, AppData},
    changes::Written,
    page::{Answer, Page, page_request},
    portal_auth::PortalCaller,
    problem::Failure,
    routes::clientone_admin::agreement_copies::AgreementStanding,
    write::{Asked, Begun, Write},
};

/// An agreement of one's company.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct CompanyAgreement {
    /// Id
    pub id: Uuid,
    /// Title
    pub title: String,
    /// Which version; the first is 1
    pub number: i32,
    pub state: AgreementStanding,
    /// Whether you may sign or decline it, as long as it waits
    pub may_sign: bool,
    /// The text, plain or Markdown; absent in lists
    pub text: Option<String>,
    /// SHA-256 of the text, hex; send it when you sign
    pub text_hash: String,
    /// Sent
    pub sent_at: DateTime<Utc>,
    /// First opened by someone who may sign
    pub viewed_at: Option<DateTime<Utc>>,
    /// Signed, declined, superseded or withdrawn
    pub ended_at: Option<DateTime<Utc>>,
    /// Why it was declined
    pub reason: Option<String>,
    /// The name that was signed with
    pub signed_by: Option<String>,
}

/// A signature.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct AgreementSign {
    /// Your name, as a signature
    pub name: String,
    /// The text_hash of what you read
    pub text_hash: String,
}

/// A refusal to sign.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example)]
pub struct AgreementDecline {
    /// Why
    pub reason: String,
}

/// Agreements.
pub struct CompanyAgreements;

#[OpenApi(prefix_path = "/api/clientone/agreements", tag = "PortalChapter::Agreements")]
impl CompanyAgreements {
    /// My company's agreements, the newest first
    #[oai(path = "/", method = "get", operation_id = "agreement_list")]
    async fn agreement_list(
        &self,
        caller: PortalCaller,
        uri: &poem::http::Uri,
        state: Query<Option<AgreementStanding>>,
        /// Rows of a page, 1 to 100; 25 when left out
        limit: Query<Option<u64>>,
        /// Where the last page ended
        cursor: Query<Option<String>>,
    ) -> Result<Answer<Page<CompanyAgreement>>, Failure> {
        let (tx, visit) = caller.visit()?;
        let page = page_request(limit.0, cursor.0.as_deref())?;
        let (user, settings) = (&visit.user, &visit.config.settings);
        let state = state.0.map(Into::into);
        let listed = clientone::agreements_seen_by(&tx, user, settings, state, &page).await?;
        let short = |(copy, agreement): (AgreementInstance, Agreement)| {
            let may_sign = copy.may_be_signed_by(&agreement, user.id, user.role);
            CompanyAgreement { text: None, ..view(copy, agreement, may_sign) }
        };
        Ok(Answer::page(listed.map(short), uri))
    }

    /// One agreement with its text; opened by someone who may sign it, it counts as viewed
    #[oai(path = "/:agreement_instance_id", method = "get", operation_id = "agreement_get")]
    async fn agreement_get(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        agreement_instance_id: Path<Uuid>,
    ) -> Result<Answer<CompanyAgreement>, Failure> {
        let (tx, visit) = caller.visit()?;
        let (user, settings) = (&visit.user, &visit.config.settings);
        let id = AgreementInstanceId(agreement_instance_id.0);
        let (mut copy, agreement, may_sign) = clientone::agreement_seen_by(&tx, user, settings, id).await?;
        if may_sign && copy.state == AgreementState::Pending {
            let context = tx.context().clone();
            drop(tx);
            let tx = app.store.begin(context).await?;
            copy = clientone::agreement_view(&tx, user, settings, id).await?;
            tx.commit("agreement_view", None).await?;
        }
        Ok(Answer::new(view(copy, agreement, may_sign)))
    }

    /// Sign an agreement that I have read
    #[oai(path = "/:agreement_instance_id/sign", method = "post", operation_id = "agreement_sign")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn agreement_sign(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        request: &Request,
        agreement_instance_id: Path<Uuid>,
        body: Json<AgreementSign>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<CompanyAgreement>>, Failure> {
        let (context, visit) = parts(caller)?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (id, settings) = (AgreementInstanceId(agreement_instance_id.0), &visit.config.settings);
        let write = match begin(&app, &context, settings, "agreement_sign", asked, &(id, &body.0)).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let AgreementSign { name, text_hash } = body.0;
        let user_agent = request.header("user-agent").map(str::to_owned);
        let given = SignatureGiven { name, text_hash, user_agent };
        let done = clientone::agreement_sign(&write.tx, &visit.user, settings, id, given).await;
        end(&app, write, done).await
    }

    /// Decline an agreement that I have read
    #[oai(path = "/:agreement_instance_id/decline", method = "post", operation_id = "agreement_decline")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn agreement_decline(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        agreement_instance_id: Path<Uuid>,
        body: Json<AgreementDecline>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
        /// The same key and request get the first answer again
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
    ) -> Result<Answer<Written<CompanyAgreement>>, Failure> {
        let (context, visit) = parts(caller)?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: key.0 };
        let (id, settings) = (AgreementInstanceId(agreement_instance_id.0), &visit.config.settings);
        let write = match begin(&app, &context, settings, "agreement_decline", asked, &(id, &body.0)).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let done = clientone::agreement_decline(&write.tx, &visit.user, settings, id, &body.0.reason).await;
        end(&app, write, done).await
    }
}

async fn begin(
    app: &App,
    context: &Context,
    settings: &PortalSettings,
    action: &'static str,
    asked: Asked,
    request: &impl std::fmt::Debug,
) -> domain::Result<Begun<CompanyAgreement>> {
    app.begin_portal(context, PortalPermission::AgreementsSign, settings, action, asked, request).await
}

/// Ends it as asked; a refusal leaves an entry.
async fn end(
    app: &App,
    write: Box<Write>,
    done: domain::Result<(AgreementInstance, Agreement)>,
) -> Result<Answer<Written<CompanyAgreement>>, Failure> {
    let (write, (copy, agreement)) = app.passed(write, done).await?;
    Ok(Answer::new(write.finish(Some(view(copy, agreement, true)), Vec::new()).await?))
}

fn view(copy: AgreementInstance, agreement: Agreement, may_sign: bool) -> CompanyAgreement {
    CompanyAgreement {
        id: copy.id.0,
        title: agreement.title,
        number: agreement.number,
        state: copy.state.into(),
        may_sign: may_sign && copy.state.is_open(),
        text_hash: text_hash(&agreement.text),
        text: Some(agreement.text),
        sent_at: copy.sent_at,
        viewed_at: copy.viewed_at,
        ended_at: copy.ended_at,
        reason: copy.reason,
        signed_by: copy.signature.map(|signature| signature.name),
    }
}

//! What a portal user sees and changes of themself.

use access::ProfilePatch;
use domain::PortalPermission;
use persistence::PortalUserRow;
use poem_openapi::{
    Object, OpenApi,
    param::{Header, Query},
    payload::Json,
};
use uuid::Uuid;

use super::PortalChapter;
use crate::{
    app::AppData,
    changes::Written,
    page::{Answer, if_match},
    portal_auth::PortalCaller,
    problem::Failure,
    routes::{
        clientone_admin::users::PortalUserRole,
        session::{Acknowledged, PasswordChange},
    },
    write::{Asked, Begun},
};

/// Oneself.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Profile {
    /// Id
    pub id: Uuid,
    /// E-mail: what one signs in with. Ask your provider to change it
    pub email: String,
    /// Name
    pub name: String,
    /// Telephone number
    pub phone: Option<String>,
    pub role: PortalUserRole,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

/// What to change about oneself; what is left out stays.
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct ProfileUpdate {
    /// New name
    pub name: Option<String>,
    /// New telephone number; an empty one removes it
    pub phone: Option<String>,
}

/// Oneself.
pub struct Profiles;

#[OpenApi(prefix_path = "/api/clientone/profile", tag = "PortalChapter::Profile")]
impl Profiles {
    /// My profile
    #[oai(path = "/", method = "get", operation_id = "profile_get")]
    async fn profile_get(&self, caller: PortalCaller) -> Result<Answer<Profile>, Failure> {
        let (_, visit) = caller.visit()?;
        let version = visit.user.version;
        Ok(Answer::versioned(view(visit.user), version))
    }

    /// Change my name or telephone number
    #[oai(path = "/", method = "patch", operation_id = "profile_update")]
    async fn profile_update(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        body: Json<ProfileUpdate>,
        /// ETag of the profile as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
    ) -> Result<Answer<Written<Profile>>, Failure> {
        let (tx, visit) = caller.visit()?;
        let context = tx.context().clone();
        drop(tx);
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, ..Asked::default() };
        let settings = &visit.config.settings;
        let permission = PortalPermission::ProfileEdit;
        let write = match app.begin_portal(&context, permission, settings, "profile_update", asked, &body.0).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let patch = ProfilePatch { name: body.0.name, phone: body.0.phone, version: if_match(version.0.as_deref())? };
        let row = access::portal_profile_update(&write.tx, patch).await?;
        let version = row.version;
        Ok(Answer::versioned(write.finish(Some(view(row)), Vec::new()).await?, version))
    }

    /// Change my password: ends my other sessions
    #[oai(path = "/password", method = "put", operation_id = "portal_password_change")]
    async fn portal_password_change(
        &self,
        app: AppData<'_>,
        caller: PortalCaller,
        body: Json<PasswordChange>,
    ) -> Result<Answer<Acknowledged>, Failure> {
        let (tx, visit) = caller.visit()?;
        let context = tx.context().clone();
        drop(tx);
        let (present, new) = (body.0.present_password.into(), body.0.new_password.into());
        access::portal_password_change(&app.store, &app.gate, context, visit.session, &present, &new).await?;
        Ok(Answer::new(Acknowledged { done: true }))
    }
}

fn view(row: PortalUserRow) -> Profile {
    Profile {
        id: row.id.0,
        email: row.email,
        name: row.name,
        phone: row.phone,
        role: row.role.into(),
        version: row.version,
    }
}

//! How ClientOne looks, for a client and for all of them.

use clientone::BrandingDraft;
use domain::{BrandingSource, ClientId, EffectiveBranding, OrganisationId, Permission, Shown};
use poem_openapi::{
    Enum, Object, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};
use uuid::Uuid;

use super::settings::{ClientOne, view};
use crate::{
    app::AppData,
    auth::Caller,
    changes::Written,
    page::{Answer, if_match},
    problem::Failure,
    routes::Chapter,
    write::{Asked, Begun},
};

/// Colours that go together, each `#rrggbb`.
///
/// Text needs a contrast of 4.5 to the background, the primary colour 3 (WCAG 2.2, level AA).
#[derive(Debug, Clone, Object)]
#[oai(deny_unknown_fields)]
pub struct BrandingColours {
    /// Buttons and links
    pub primary: String,
    /// Behind everything
    pub background: String,
    /// Text
    pub text: String,
}

/// A look of one's own. What is left out is taken from the next: client, organisation, product.
#[derive(Debug, Clone, Default, Object)]
#[oai(deny_unknown_fields, example, skip_serializing_if_is_none)]
pub struct BrandingSet {
    pub colours: Option<BrandingColours>,
    /// Shown on the dashboard below the greeting, at most 2,000 characters
    pub welcome_message: Option<String>,
    /// What the portal is called, at most 60 characters
    pub product_name: Option<String>,
}

/// Whose a value is
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ValueSource {
    /// The client's own
    Client,
    /// The MSP's
    Organisation,
    /// The product's
    Default,
}

/// A text, and whose it is.
#[derive(Debug, Clone, Object)]
pub struct ShownText {
    /// The text
    pub value: String,
    pub source: ValueSource,
}

/// Colours, and whose they are.
#[derive(Debug, Clone, Object)]
pub struct ShownColours {
    /// Buttons and links
    pub primary: String,
    /// Text on the primary colour: black or white, whichever is read better
    pub on_primary: String,
    /// Behind everything
    pub background: String,
    /// Text
    pub text: String,
    pub source: ValueSource,
}

/// How it looks in the end.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct ShownBranding {
    pub colours: ShownColours,
    pub welcome_message: ShownText,
    pub product_name: ShownText,
    /// Absent where neither the client nor the MSP has one
    pub logo: Option<ShownLogo>,
}

/// A logo, and whose it is.
#[derive(Debug, Clone, Object)]
pub struct ShownLogo {
    /// Address of the PNG, below this server's: for whoever knows it
    pub url: String,
    /// Pixels
    pub width: u32,
    /// Pixels
    pub height: u32,
    pub source: ValueSource,
}

/// The MSP's own look.
#[derive(Debug, Clone, Object)]
pub struct DefaultBranding {
    pub own: BrandingSet,
    pub shown: ShownBranding,
    /// Goes up with each change; also the ETag
    pub version: i32,
}

/// How ClientOne looks.
pub struct ClientOneBranding;

#[OpenApi(prefix_path = "/api/clientone-admin", tag = "Chapter::ClientOne")]
impl ClientOneBranding {
    /// The MSP's own look, which every client has that has none of its own
    #[oai(path = "/branding", method = "get", operation_id = "clientone_default_branding_get")]
    async fn clientone_default_branding_get(
        &self,
        app: AppData<'_>,
        caller: Caller,
    ) -> Result<Answer<DefaultBranding>, Failure> {
        let tx = app.read(caller, Permission::ClientoneManage).await?;
        let (branding, version) = tx.portal_branding().await?;
        Ok(Answer::versioned(default(&branding, version, tx.organisation()), version))
    }

    /// Set the MSP's own look: what is left out is the product's again
    ///
    /// For those who see every client.
    #[oai(path = "/branding", method = "put", operation_id = "clientone_default_branding_set")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn clientone_default_branding_set(
        &self,
        app: AppData<'_>,
        caller: Caller,
        body: Json<BrandingSet>,
        /// ETag of the look as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<DefaultBranding>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let (permission, action) = (Permission::ClientoneManage, "clientone_default_branding_set");
        let write = match app.begin(&context, permission, action, asked, &body.0).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let version = if_match(version.0.as_deref())?;
        let done = clientone::clientone_default_branding_set(&write.tx, draft(body.0), version).await;
        let (write, (branding, version)) = app.passed(write, done).await?;
        let item = default(&branding, version, context.organisation);
        Ok(Answer::versioned(write.finish(Some(item), Vec::new()).await?, version))
    }

    /// Give a client a look of its own: what is left out is the MSP's again, or the product's
    #[oai(path = "/settings/:client_id/branding", method = "put", operation_id = "clientone_branding_set")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the operation")]
    async fn clientone_branding_set(
        &self,
        app: AppData<'_>,
        caller: Caller,
        client_id: Path<Uuid>,
        body: Json<BrandingSet>,
        /// ETag of the set-up as you read it
        #[oai(name = "If-Match")]
        version: Header<Option<String>>,
        /// Answer what would change, and write nothing
        dry_run: Query<Option<bool>>,
        /// Digest of the preview: refuse if something else would change by now
        expect: Query<Option<String>>,
        /// Why, for the journal
        reason: Query<Option<String>>,
    ) -> Result<Answer<Written<ClientOne>>, Failure> {
        let context = caller.context()?;
        let asked = Asked { dry_run: dry_run.0, expect: expect.0, reason: reason.0, key: None };
        let (client, permission) = (ClientId(client_id.0), Permission::ClientoneManage);
        let request = (client, &body.0);
        let write = match app.begin(&context, permission, "clientone_branding_set", asked, &request).await? {
            Begun::Done(answer) => return Ok(Answer::new(answer)),
            Begun::New(write) => write,
        };
        let version = if_match(version.0.as_deref())?;
        let config = clientone::clientone_branding_set(&write.tx, client, draft(body.0), version).await?;
        let item = view(&write.tx, &config).await?;
        Ok(Answer::versioned(write.finish(Some(item), Vec::new()).await?, config.version))
    }
}

fn draft(body: BrandingSet) -> BrandingDraft {
    BrandingDraft {
        colours: body.colours.map(|colours| [colours.primary, colours.background, colours.text]),
        welcome: body.welcome_message,
        product_name: body.product_name,
    }
}

/// What is one's own.
pub(super) fn own(branding: &domain::Branding) -> BrandingSet {
    let colours = branding.palette.map(|palette| BrandingColours {
        primary: palette.primary.to_string(),
        background: palette.background.to_string(),
        text: palette.text.to_string(),
    });
    let (welcome_message, product_name) = (branding.welcome.clone(), branding.product_name.clone());
    BrandingSet { colours, welcome_message, product_name }
}

pub(super) fn default(branding: &domain::Branding, version: i32, organisation: OrganisationId) -> DefaultBranding {
    DefaultBranding { own: own(branding), shown: shown(&EffectiveBranding::of(None, branding), organisation), version }
}

/// How it looks in the end.
pub fn shown(branding: &EffectiveBranding, organisation: OrganisationId) -> ShownBranding {
    let source = |source| match source {
        BrandingSource::Client => ValueSource::Client,
        BrandingSource::Organisation => ValueSource::Organisation,
        BrandingSource::Default => ValueSource::Default,
    };
    let text = |shown: &Shown<String>| ShownText { value: shown.value.clone(), source: source(shown.source) };
    let palette = branding.palette.value;
    ShownBranding {
        colours: ShownColours {
            primary: palette.primary.to_string(),
            on_primary: palette.primary.readable_on().to_string(),
            background: palette.background.to_string(),
            text: palette.text.to_string(),
            source: source(branding.palette.source),
        },
        welcome_message: text(&branding.welcome),
        product_name: text(&branding.product_name),
        logo: branding.logo.as_ref().map(|shown| ShownLogo {
            url: super::logos::address(organisation, &shown.value),
            width: shown.value.width,
            height: shown.value.height,
            source: source(shown.source),
        }),
    }
}

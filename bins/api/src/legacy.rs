//! Addresses of the portal's administration from before it was called ClientOne: bookmarks lead to the pages of today.

use poem::{
    Request, Response,
    http::{StatusCode, header},
};

/// What the old addresses begin with; the rest of each stays.
pub const PORTAL_ADMIN: &str = "/portal-admin/*rest";
/// The ticket form, when it was among the settings.
pub const TICKET_FIELDS: &str = "/settings/clientone-ticket-fields";
/// Single sign-on, when it was among the settings.
pub const SSO: &str = "/settings/clientone-sso";

/// Leads on for good.
#[poem::handler]
pub fn moved(request: &Request) -> Response {
    let uri = request.original_uri();
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    Response::builder()
        .status(StatusCode::MOVED_PERMANENTLY)
        .header(header::LOCATION, format!("{}{query}", address(uri.path())))
        .finish()
}

/// Where an old address leads.
fn address(old: &str) -> String {
    match old {
        TICKET_FIELDS => "/clientone-admin/ticket-fields".to_owned(),
        SSO => "/clientone-admin/sso".to_owned(),
        // Two strokes at the beginning would be another host.
        other => {
            let rest = other.strip_prefix("/portal-admin").unwrap_or_default();
            format!("/clientone-admin/{}", rest.trim_start_matches('/'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_addresses_lead_to_the_pages_of_today() {
        for (old, new) in [
            ("/portal-admin/settings", "/clientone-admin/settings"),
            ("/portal-admin/service-requests/7", "/clientone-admin/service-requests/7"),
            ("/portal-admin//evil.example", "/clientone-admin/evil.example"),
            ("/settings/clientone-ticket-fields", "/clientone-admin/ticket-fields"),
            ("/settings/clientone-sso", "/clientone-admin/sso"),
        ] {
            assert_eq!(address(old), new);
        }
    }
}

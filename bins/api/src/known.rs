//! The operations of both documents, as the server itself looks them up: by method and path.

use std::sync::LazyLock;

use poem::http::Method;
use serde_json::Value;

use crate::{
    asking,
    routes::{oauth, webhooks},
    server,
};

/// One operation of a document.
pub struct Known {
    method: Method,
    path: Vec<String>,
    /// Its id.
    pub id: String,
    /// Whether somebody may ask for it who has the permission with approval only.
    pub can_be_asked_for: bool,
}

static OPERATIONS: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let mut known = Vec::new();
    for (staff, document) in [(true, server::openapi()), (false, server::portal_openapi())] {
        let document: Value = serde_json::from_str(&document).unwrap_or_default();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let Ok(named) = method.to_uppercase().parse() else { continue };
                known.push(Known {
                    method: named,
                    path: parts(path).map(str::to_owned).collect(),
                    id: operation["operationId"].as_str().unwrap_or_default().to_owned(),
                    can_be_asked_for: staff && asking::can_be_asked_for(method, operation),
                });
            }
        }
    }
    // What is named wholly goes before what an id stands in for.
    known.sort_by_key(|known| known.path.iter().filter(|part| part.starts_with('{')).count());
    known
});

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.trim_matches('/').split('/')
}

impl Known {
    fn is_at(&self, path: &str) -> bool {
        self.path.len() == parts(path).count()
            && self.path.iter().zip(parts(path)).all(|(known, given)| known.starts_with('{') || known == given)
    }
}

/// The operation of a method at a path.
pub fn operation(method: &Method, path: &str) -> Option<&'static Known> {
    OPERATIONS.iter().find(|known| known.method == *method && known.is_at(path))
}

/// The methods that a path takes, for the header `Allow`, which goes with every 405 (RFC 9110, 15.5.6).
pub fn methods(path: &str) -> String {
    let mut methods: Vec<&str> =
        OPERATIONS.iter().filter(|known| known.is_at(path)).map(|known| known.method.as_str()).collect();
    methods.sort_unstable();
    methods.dedup();
    let vendors = webhooks::ADDRESS.split('/').nth(1).is_some_and(|first| parts(path).next() == Some(first));
    match methods.is_empty() {
        false => methods.join(", "),
        // What is in no document: machines and vendors send, browsers look.
        true if path == oauth::ADDRESS || vendors => "POST".to_owned(),
        true => "GET, HEAD".to_owned(),
    }
}

/// Every operation.
#[cfg(test)]
pub fn all() -> &'static [Known] {
    &OPERATIONS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_with_its_methods_and_names_go_before_ids() {
        let id = |method, path| operation(&method, path).map(|known| known.id.as_str());
        assert_eq!(id(Method::GET, "/api/clients/deleted"), Some("deleted_client_list"));
        assert_eq!(id(Method::PATCH, "/api/clients/01a2008a-0000-7000-8000-000000000003"), Some("client_update"));
        assert_eq!(id(Method::TRACE, "/api/clients"), None);
        assert_eq!(methods("/api/clients"), "GET, POST");
        assert_eq!(methods("/healthz"), "GET, HEAD");
        assert_eq!(methods(oauth::ADDRESS), "POST");
    }
}

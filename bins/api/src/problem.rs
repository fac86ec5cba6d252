//! Errors as answers: RFC 9457 problem details. The only place that knows HTTP statuses.

use domain::{Error, Permission};
use poem_openapi::{ApiResponse, Object, payload::Json};

use crate::{asking, changes::ChangeSet, request_id};

/// One mistake in the input.
#[derive(Debug, Clone, Object)]
pub struct Mistake {
    /// JSON pointer into the body, or the name of a parameter or header
    pub pointer: String,
    /// Stable word for machines
    pub code: String,
    /// What is wrong and what to do
    pub message: String,
}

/// What went wrong, as in RFC 9457.
#[derive(Debug, Clone, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Problem {
    /// `urn:panelone:problem:` and the code
    #[oai(rename = "type")]
    pub kind: String,
    /// Short title of the kind of problem
    pub title: String,
    /// HTTP status
    pub status: u16,
    /// What happened and what to do
    pub detail: String,
    /// Stable word for machines
    pub code: String,
    /// Every mistake found in the input
    pub errors: Vec<Mistake>,
    /// Id of the request, to be given to support
    pub request_id: String,
    /// What would happen now: only with the code `moved`
    pub change_set: Option<ChangeSet>,
    /// How to go on signing in: only with the code `second_factor_required`
    pub second_factor: Option<SecondFactorDue>,
}

/// The second step of signing in, to be taken at `POST` `…/session/second-factor`.
#[derive(Debug, Clone, Object)]
pub struct SecondFactorDue {
    /// To be sent with a code; it gives no rights
    pub token: String,
    /// Until when it can be
    pub expires_at: chrono::DateTime<chrono::Utc>,
    /// Whether the account has a passkey to be shown instead of a code, at `POST` `…/session/passkey/challenge`
    pub passkey: bool,
}

/// Every way an operation can fail.
#[derive(ApiResponse, Debug)]
pub enum Failure {
    /// The request cannot be read: malformed JSON, an unknown field, a wrong type
    #[oai(status = 400, content_type = "application/problem+json")]
    Malformed(Json<Problem>),
    /// Nobody is signed in, or not any more
    #[oai(status = 401, content_type = "application/problem+json")]
    Unauthenticated(Json<Problem>),
    /// The caller lacks a right
    #[oai(status = 403, content_type = "application/problem+json")]
    Forbidden(Json<Problem>),
    /// There is no such row within the caller's reach
    #[oai(status = 404, content_type = "application/problem+json")]
    NotFound(Json<Problem>),
    /// The method is not known at this path
    #[oai(status = 405, content_type = "application/problem+json")]
    MethodNotAllowed(Json<Problem>),
    /// The request contradicts the present state
    #[oai(status = 409, content_type = "application/problem+json")]
    Conflict(Json<Problem>),
    /// The row changed since it was read
    #[oai(status = 412, content_type = "application/problem+json")]
    Stale(Json<Problem>),
    /// The body is too large
    #[oai(status = 413, content_type = "application/problem+json")]
    TooLarge(Json<Problem>),
    /// The body is not of the content type that the operation takes
    #[oai(status = 415, content_type = "application/problem+json")]
    WrongType(Json<Problem>),
    /// The request can be read, but what it asks is not valid
    #[oai(status = 422, content_type = "application/problem+json")]
    Invalid(Json<Problem>),
    /// Too many requests or attempts
    #[oai(status = 429, content_type = "application/problem+json")]
    TooMany(
        Json<Problem>,
        /// Seconds to wait
        #[oai(header = "Retry-After")]
        Option<u64>,
    ),
    /// Something failed on our side
    #[oai(status = 500, content_type = "application/problem+json")]
    Internal(Json<Problem>),
    /// A vendor failed us
    #[oai(status = 502, content_type = "application/problem+json")]
    Vendor(
        Json<Problem>,
        /// Seconds to wait
        #[oai(header = "Retry-After")]
        Option<u64>,
    ),
    /// The store is busy or away: nothing was written
    #[oai(status = 503, content_type = "application/problem+json")]
    Busy(
        Json<Problem>,
        /// Seconds to wait
        #[oai(header = "Retry-After")]
        Option<u64>,
    ),
}

fn problem(status: u16, code: &str, title: &str, detail: String) -> Problem {
    Problem {
        kind: format!("urn:panelone:problem:{code}"),
        title: title.to_owned(),
        status,
        detail,
        code: code.to_owned(),
        errors: Vec::new(),
        request_id: request_id::current(),
        change_set: None,
        second_factor: None,
    }
}

impl Failure {
    /// A key or session that made more requests than it may.
    pub fn rate_limited(wait: u64) -> Self {
        let detail = format!("More requests than allowed in a minute. Wait {wait} s, then send fewer.");
        Self::TooMany(Json(problem(429, "rate_limited", "Too many requests", detail)), Some(wait))
    }

    /// Something that cannot be asked for, of a caller who has the permission with approval only.
    pub fn not_with_approval(permission: Permission) -> Self {
        let detail = format!(
            "You have the permission {} with approval only, and this cannot be asked for: somebody who has it outright \
             has to do it.",
            permission.as_str()
        );
        Self::Forbidden(Json(problem(403, "approval_impossible", "Not with approval", detail)))
    }

    /// A content with more bytes than may be.
    pub fn too_large(most: u64) -> Self {
        let detail = format!("A file may have at most {most} bytes.");
        Self::TooLarge(Json(problem(413, "too_large", "Too large", detail)))
    }

    /// A right password that does not suffice; `at` is where the second step is taken.
    pub fn second_factor(due: SecondFactorDue, at: &str) -> Self {
        let detail = format!(
            "The password is right. Send the token with a code of your authenticator app, or a recovery code, to POST \
             {at}; or show a passkey."
        );
        let body = problem(401, "second_factor_required", "A second step", detail);
        Self::Unauthenticated(Json(Problem { second_factor: Some(due), ..body }))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match error {
            Error::NotFound { .. } => Self::NotFound(Json(problem(404, "not_found", "Not found", detail))),
            Error::Invalid(problems) => {
                let mut body = problem(422, "invalid", "Invalid input", detail);
                body.errors = problems
                    .into_iter()
                    .map(|p| Mistake { pointer: p.pointer, code: p.code.to_owned(), message: p.message })
                    .collect();
                Self::Invalid(Json(body))
            }
            Error::Conflict { code: code @ "foreign_origin", .. } => {
                Self::Forbidden(Json(problem(403, code, "Not from here", detail)))
            }
            Error::Conflict { code: code @ ("reauthentication_required" | "mfa_enrolment_required"), .. } => {
                Self::Forbidden(Json(problem(403, code, "Show who you are first", detail)))
            }
            Error::Conflict { code, .. } => Self::Conflict(Json(problem(409, code, "Conflict", detail))),
            Error::Moved(set) => {
                let mut body = problem(409, "moved", "Changed since the preview", detail);
                body.change_set = Some(ChangeSet::of(*set, true));
                Self::Conflict(Json(body))
            }
            Error::Stale { .. } => Self::Stale(Json(problem(412, "stale", "Changed since it was read", detail))),
            Error::Forbidden { permission } => {
                asking::note_refusal(permission);
                Self::Forbidden(Json(problem(403, "forbidden", "Not allowed", detail)))
            }
            Error::PortalForbidden { .. } => Self::Forbidden(Json(problem(403, "forbidden", "Not allowed", detail))),
            Error::Unauthenticated => {
                Self::Unauthenticated(Json(problem(401, "unauthenticated", "Not signed in", detail)))
            }
            Error::TooMany { retry_after } => {
                Self::TooMany(Json(problem(429, "too_many", "Too many attempts", detail)), Some(retry_after))
            }
            Error::Vendor { code, retry_after, .. } => {
                Self::Vendor(Json(problem(502, code, "The vendor did not do it", detail)), retry_after)
            }
            Error::Busy(cause) => {
                tracing::warn!(%cause, "the store is busy or away");
                Self::Busy(Json(problem(503, "busy", "Busy", detail)), Some(1))
            }
            Error::Internal(cause) => {
                tracing::error!(%cause, "a request failed on our side");
                Self::Internal(Json(problem(500, "internal", "Our mistake", detail)))
            }
        }
    }
}

/// Turns what poem itself refuses (unread input, unknown paths) into a problem; answers that are
/// problems already pass as they are.
pub fn of_poem(error: poem::Error) -> poem::Response {
    use poem::IntoResponse;

    if error.is_from_response() {
        return error.into_response();
    }
    let detail = error.to_string();
    let failure = match error.status().as_u16() {
        401 => Failure::from(Error::Unauthenticated),
        404 => {
            Failure::NotFound(Json(problem(404, "no_such_path", "Not found", "There is nothing at this path.".into())))
        }
        405 => Failure::MethodNotAllowed(Json(problem(
            405,
            "no_such_method",
            "Method not allowed",
            "This path does not take this method.".into(),
        ))),
        413 => Failure::TooLarge(Json(problem(413, "too_large", "Too large", detail))),
        415 => Failure::WrongType(Json(problem(
            415,
            "wrong_content_type",
            "Wrong content type",
            "Send application/json, or text/csv where a file is imported.".into(),
        ))),
        500.. => {
            tracing::error!(cause = %detail, "a request failed in the server itself");
            Failure::Internal(Json(problem(500, "internal", "Our mistake", "Something failed on our side.".into())))
        }
        _ => return of_mistakes(vec![mistake(&detail)]),
    };
    failure.into_response()
}

/// A request that cannot be read, with every place where it cannot.
pub fn of_mistakes(errors: Vec<Mistake>) -> poem::Response {
    use poem::IntoResponse;

    let told: Vec<String> = errors.iter().map(|one| format!("{} {}", one.pointer, one.message)).collect();
    let body = problem(400, "malformed", "Malformed request", told.join("; ").trim().to_owned());
    Failure::Malformed(Json(Problem { errors, ..body })).into_response()
}

/// The mistake that poem's text tells of, with its place as far as the text names one, and without the value
/// that was sent: it may be a secret in the wrong field.
fn mistake(detail: &str) -> Mistake {
    let named = |before: &str| detail.split_once(before).and_then(|(_, rest)| rest.split('`').next());
    let (pointer, code) = match (named("unknown field `"), named("parameter `").or_else(|| named("path `"))) {
        (Some(field), _) => (format!("/{field}"), "unknown_field"),
        (None, Some(parameter)) => (parameter.to_owned(), "malformed"),
        (None, None) => (String::new(), "malformed"),
    };
    let value = [", found ", ": invalid type: ", ": invalid value: "].iter().find_map(|mark| detail.find(mark));
    let place = detail.rfind(" (occurred while").filter(|place| value.is_some_and(|value| value < *place));
    let message = match (value, place) {
        (Some(value), Some(place)) => format!("{}{}", &detail[..value], &detail[place..]),
        (Some(value), None) => detail[..value].to_owned(),
        (None, _) => detail.to_owned(),
    };
    Mistake { pointer, code: code.to_owned(), message }
}

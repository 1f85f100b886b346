//! Taking an invitation up: a new person sets a password with it, as does whoever was let set a new one.

use askama::Template;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::Response;
use lineshift_domain::refusal::Problem;

use crate::Web;
use crate::api::session::invitation::accept_invitation;
use crate::portal::fields::{Field, FormShown, Kind, Source, body_of, is_answerable, request};
use crate::portal::form::Form;
use crate::portal::page::{Bare, answer};
use crate::portal::refused::{PageRefused, as_page};
use crate::problem::ApiProblem;
use crate::query::NoParameters;

#[derive(Template)]
#[template(path = "invitation.html")]
struct InvitationPage {
    bare: Bare,
    form: FormShown,
    /// Whether there is an account with the address already, whose owner signs in and accepts.
    sign_in_first: bool,
    is_done: bool,
}

/// What the field of a new password is called that is compared with the first.
pub(super) const AGAIN: &str = "again";

fn fields() -> Vec<Field> {
    let secret = |autocomplete| Kind::Secret { is_required: true, autocomplete };
    vec![
        Field::new("token", "Invitation", secret("off"))
            .with_help("The word that you were given, or what stands behind # in the link."),
        Field::new("password", "Password", secret("new-password"))
            .with_help("12 to 128 characters: not a common one, without a pattern, not your own name."),
        Field::new(AGAIN, "Password, once more", secret("new-password")),
    ]
}

/// A password that is typed twice is the same both times. Errors: 422.
pub(super) fn require_same(form: &Form, name: &str) -> Result<(), ApiProblem> {
    if form.text(name) == form.text(AGAIN) {
        return Ok(());
    }
    let message = "this is not what was typed above; type the same password twice";
    Err(ApiProblem::refused(vec![Problem::new(AGAIN, "passwords_differ", message)]))
}

fn page(refused: Option<&ApiProblem>) -> InvitationPage {
    let sign_in_first = refused.is_some_and(|problem| problem.has_code("sign_in_first"));
    // The page says it in words of its own, with the way there.
    let beside = refused.filter(|_| !sign_in_first);
    InvitationPage {
        bare: Bare::titled("Invitation"),
        form: FormShown::new("/invitation", "Set the password", &fields(), Source::New, beside),
        sign_in_first,
        is_done: false,
    }
}

/// `GET /invitation`: the word stands behind the # of the link, so that no log has it.
pub(in crate::portal) async fn ask(_: NoParameters) -> Result<Response, PageRefused> {
    Ok(answer(&page(None)))
}

/// `POST /invitation`
pub(in crate::portal) async fn take_up(State(web): State<Web>, form: Form, parts: Parts) -> Result<Response, PageRefused> {
    let taken = match require_same(&form, "password") {
        Ok(()) => {
            let body = body_of(&fields()[..2], &form, true);
            accept_invitation(State(web), NoParameters, request(parts, &body)).await.map(drop)
        }
        Err(problem) => Err(problem),
    };
    match taken {
        Ok(()) => Ok(answer(&InvitationPage { is_done: true, ..page(None) })),
        Err(problem) if is_answerable(&problem) => {
            let page = page(Some(&problem));
            Ok(as_page(problem, &page))
        }
        Err(problem) => Err(problem.into()),
    }
}

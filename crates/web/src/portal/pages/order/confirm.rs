//! Ordering what was previewed, once, and only as it was seen.

use std::time::Duration;

use axum::extract::Path;
use axum::http::Uri;
use axum::response::{IntoResponse as _, Redirect, Response};
use lineshift_domain::refusal::RefusalClass;
use lineshift_engine::{EngineError, JudgementDigest, Previewed, Submission};
use lineshift_store::bulk_changes::IdempotencyClaim;
use sha2::{Digest as _, Sha256};

use super::chosen::{self, by_provider, unselect, with_lines};
use super::customers::Customer;
use super::form::{self, Asked};
use super::preview::{self, Changed, SEEN};
use super::typed::{CUSTOMER, Said};
use super::{Act, choose, require};
use crate::api::carried_through;
use crate::audit::AuditNote;
use crate::portal::form::Form;
use crate::portal::refused::PageRefused;
use crate::portal::send_again;
use crate::portal::viewer::{Viewer, portal_of, segment};
use crate::problem::ApiProblem;
use crate::views::SubmittedView;

const ROUTE: &str = "/{portal}/order/{act}/confirm";

/// How long a form that was sent twice waits for what becomes of the first.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// `POST /{portal}/order/{act}/confirm`
pub(in crate::portal) async fn confirm(
    viewer: Viewer,
    uri: Uri,
    Path(place): Path<(String, String)>,
    form: Form,
) -> Result<Response, PageRefused> {
    let (portal, act) = (portal_of(&place.0)?, Act::of(&place.1)?);
    require(&viewer, portal)?;
    let seen: JudgementDigest = form.text("digest").and_then(|digest| digest.parse().ok()).ok_or_else(no_preview)?;
    let key = form.text("key").filter(|key| (1..=64).contains(&key.len())).ok_or_else(no_preview)?.to_owned();
    let claim = IdempotencyClaim { caller: viewer.caller.principal, key, body_hash: hash(&uri, &form) };
    let chosen = by_provider(&viewer, portal).await?.iter().map(|each| each.count).max().unwrap_or(0);
    let turn = match viewer.web.large_bodies.turn_of_lines(viewer.caller.tenant, chosen).await {
        Ok(turn) => turn,
        // What was seen is ordered later, as it was seen, unless it has changed by then.
        Err(problem) => return Err(send_again::later(&viewer, (ROUTE, &uri), &form, problem)),
    };
    let ordering = Ordering { viewer, place, form, claim, seen, act };
    // The turn comes back with what became of it: where something has changed all lines are looked at once more.
    let (ordering, became, _turn) = carried_through(async move {
        let became = ordering.order().await;
        Ok::<_, ApiProblem>((ordering, became, turn))
    })
    .await?;
    let Ordering { viewer, place, form, .. } = &ordering;
    let became = match became {
        Err(NotOrdered::Problem(problem)) => return Err(problem.into()),
        Err(NotOrdered::Engine(error)) => Err(error),
        Ok(became) => Ok(became),
    };
    match became {
        Ok(Previewed::Submitted(Submission::Stored(submitted))) => Ok(leads_to(portal, &submitted.answer())?),
        Ok(Previewed::Submitted(Submission::Repeated(answer))) => Ok(leads_to(portal, &answer)?),
        Ok(Previewed::Changed(_)) => ordering.anew(form.text(SEEN).unwrap_or_default()).await,
        Err(EngineError::Refused(refusal)) if refusal.class == RefusalClass::Rule => {
            let Some(asked) = Asked::of(viewer, place, form).await? else { return choose::page(viewer, portal).await };
            let mut said = Said::default();
            said.take(refusal, act, &asked.typed)?;
            form::page(viewer, &asked, &said, None).await
        }
        Err(error) => Err(error.into()),
    }
}

/// A form that no preview of ours made.
fn no_preview() -> ApiProblem {
    ApiProblem::missing("digest", "the form does not say which preview it was ordered from; look at the preview, then order")
}

/// What a form is known by, once its token is out of it.
fn hash(uri: &Uri, form: &Form) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(uri.path().as_bytes());
    for (name, value) in form.pairs() {
        for part in [name, value] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
    }
    hash.finalize().into()
}

/// To the bulk change that was made.
fn leads_to(portal: lineshift_domain::terms::PortalType, answer: &str) -> Result<Response, ApiProblem> {
    let submitted: SubmittedView = serde_json::from_str(answer).map_err(|error| {
        tracing::error!(%error, "a stored answer cannot be read");
        ApiProblem::internal()
    })?;
    let note = AuditNote { devices: submitted.accepted + submitted.rejected };
    let address = format!("/{}/bulk-changes/{}", segment(portal), submitted.bulk_change_id);
    Ok((note, Redirect::to(&address)).into_response())
}

/// An order that was previewed, on its way.
struct Ordering {
    viewer: Viewer,
    place: (String, String),
    form: Form,
    claim: IdempotencyClaim,
    seen: JudgementDigest,
    act: Act,
}

impl Ordering {
    /// Orders; what was ordered leaves the selection. A form that was sent twice waits for the first, as far as people wait.
    async fn order(&self) -> Result<Previewed, NotOrdered> {
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let became = self.order_once().await;
            let runs = matches!(&became, Err(NotOrdered::Engine(EngineError::Refused(refusal)))
                if refusal.problems.iter().any(|problem| problem.code == "idempotency_key_running"));
            if !runs || tokio::time::Instant::now() >= until {
                return became;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn order_once(&self) -> Result<Previewed, NotOrdered> {
        let viewer = &self.viewer;
        let portal = portal_of(&self.place.0).map_err(NotOrdered::Problem)?;
        let (mut lines, mut problem) = (Vec::new(), None);
        // What is chosen is read only if the form was not answered before: then its lines have left the selection.
        let read = async {
            let asked = match Asked::of(viewer, &self.place, &self.form).await {
                Ok(asked) => asked.ok_or_else(gone)?,
                Err(why) => {
                    // What the engine knows of it is only that there is no order; what is said is why.
                    problem = Some(why);
                    return Err(gone());
                }
            };
            let customer = Customer::read(asked.typed.text(CUSTOMER));
            if self.act == Act::Assign && customer.is_none() {
                problem = Some(no_preview());
                return Err(gone());
            }
            let order = asked.read(viewer, customer.as_ref())?;
            let chosen = chosen::lines(viewer, portal, asked.provider.id).await?;
            if chosen.ids.is_empty() {
                return Err(gone());
            }
            lines = chosen.ids;
            Ok(with_lines(&order, chosen.written))
        };
        let engine = &viewer.web.engine;
        let became = engine.submit_previewed(&viewer.caller, portal, &self.claim, self.seen, read).await;
        let became = match (became, problem) {
            (Err(_), Some(problem)) => return Err(NotOrdered::Problem(problem)),
            (became, _) => became.map_err(NotOrdered::Engine)?,
        };
        // Each of these lines has a row in the change; those that were set aside stay chosen.
        if matches!(became, Previewed::Submitted(Submission::Stored(_)))
            && let Err(error) = unselect(viewer, portal, &lines).await
        {
            // The order stands; who looks at the selection sees its lines once more.
            tracing::warn!(%error, "ordered lines could not be taken out of the selection");
        }
        Ok(became)
    }

    /// The preview as it is now, with what is different.
    async fn anew(&self, seen: &str) -> Result<Response, PageRefused> {
        let viewer = &self.viewer;
        let portal = portal_of(&self.place.0)?;
        let Some(asked) = Asked::of(viewer, &self.place, &self.form).await? else { return choose::page(viewer, portal).await };
        let order = asked.read(viewer, Customer::read(asked.typed.text(CUSTOMER)).as_ref()).map_err(ApiProblem::from)?;
        let judged = preview::judged(viewer, &asked, order).await?;
        let changed = Changed::since(seen, &judged.preview);
        preview::page(viewer, &asked, &judged, Some(changed)).await
    }
}

/// Why nothing was ordered.
enum NotOrdered {
    Engine(EngineError),
    /// The form asks for what is not there, or may not be asked, or nobody could look.
    Problem(ApiProblem),
}

/// The lines are chosen no longer.
fn gone() -> EngineError {
    let message = "the lines of this order are chosen no longer; choose them, look at the preview, then order";
    lineshift_domain::refusal::Refusal::one(RefusalClass::Conflict, "", "lines_not_chosen", message).into()
}

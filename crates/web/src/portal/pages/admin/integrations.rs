//! One integration: how its account is called, whether it can be, what is left of it, and synchronising it.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Redirect, Response};
use lineshift_domain::scopes::{Action, Module};
use lineshift_domain::sync::SyncPart;
use lineshift_domain::terms::IntegrationKind;
use serde_json::{Value, json};

use super::kinds::{self, Choices, Kind as Reference, in_json, made_id};
use super::sync_runs::part_name;
use super::{answered, fact, is_saved, path_id, saved, yes};
use crate::api::integrations::{get_integration_account, set_integration_account, test_integration};
use crate::api::sync::runs::synchronise_integration;
use crate::audit::Made;
use crate::credentials::{fields_of, is_callable, known_kinds, not_callable};
use crate::portal::fields::{Choice, Field, FormShown, Kind, Source, body_of, is_answerable, request};
use crate::portal::form::Form;
use crate::portal::page::thousands;
use crate::portal::refused::PageRefused;
use crate::portal::seen::require_unchanged;
use crate::portal::viewer::{Frame, Viewer};
use crate::problem::ApiProblem;
use crate::query::NoParameters;
use crate::views::{AccountView, ConnectionTestView};

#[derive(Template)]
#[template(path = "admin_integration.html")]
struct IntegrationPage {
    frame: Frame,
    address: String,
    name: String,
    facts: Vec<(String, String)>,
    /// What is left of the minute and of the day.
    quota: Vec<Quota>,
    /// Why the account cannot be called now, if it cannot.
    trouble: Vec<String>,
    test: Option<ConnectionTestView>,
    /// What it is called, and whether it may be used.
    form: Option<FormShown>,
    /// How it is called; none: the viewer may not change it, or this version calls no such accounts.
    account_form: Option<FormShown>,
    sync_form: Option<FormShown>,
    may_edit: bool,
    saved: bool,
}

/// Calls within a time.
struct Quota {
    within: &'static str,
    made: String,
    allowed: String,
    left: String,
    /// How much of it is used, in thousandths.
    used: i64,
}

impl Quota {
    fn new(within: &'static str, made: i64, allowed: u32, left: i64) -> Self {
        let used = made.saturating_mul(1_000) / i64::from(allowed.max(1));
        Self { within, made: thousands(made), allowed: thousands(allowed.into()), left: thousands(left), used: used.min(1_000) }
    }
}

/// Which of the forms of the page was sent, and why it was refused.
enum Sent<'f> {
    None,
    Own(ApiProblem, &'f Form),
    Account(ApiProblem, &'f Form),
    Sync(ApiProblem, &'f Form),
}

impl Sent<'_> {
    fn problem(self) -> Option<ApiProblem> {
        match self {
            Self::None => None,
            Self::Own(problem, _) | Self::Account(problem, _) | Self::Sync(problem, _) => Some(problem),
        }
    }
}

/// The kind of that name.
fn kind_of(viewer: &Viewer, name: &str) -> Option<IntegrationKind> {
    known_kinds(viewer.web.engine.carriers()).into_iter().find(|kind| kind.as_str() == name)
}

/// What can be said of how an account is called. Credentials are given all at once or not at all.
fn account_fields(kind: Option<IntegrationKind>) -> Vec<Field> {
    let limit = || Kind::Number { is_required: false, suggestions: Vec::new() };
    let own = vec![
        Field::new("base_address", "Address", Kind::Text)
            .with_help("As the provider's documentation has it: https, a host, and perhaps a path."),
        Field::new("is_local", "Local", Kind::Flag(false))
            .with_help("The server's own machine, or a network that its settings list; then also without TLS."),
        Field::new("write_enabled", "May be written to", Kind::Flag(true)).with_help("Otherwise it is only read."),
        Field::new("concurrency", "Calls at a time", limit()).with_help("None: as the server is configured."),
        Field::new("calls_a_minute", "Calls a minute", limit()).with_help("None: as the server is configured."),
        Field::new("calls_a_day", "Calls a day", limit()).with_help("None: as the server is configured."),
    ];
    let credentials = kind.and_then(fields_of).unwrap_or_default().iter().map(|field| {
        let label = format!("Credentials: {}", field.name.replace('_', " "));
        let help = if field.is_required { "Left empty with all others, those that are stored stay." } else { "May be left out." };
        let secret = Kind::Secret { is_required: false, autocomplete: "off" };
        Field::new(format!("credentials.{}", field.name), label, secret).with_help(help)
    });
    own.into_iter().chain(credentials).collect()
}

fn sync_fields(viewer_kind: Option<IntegrationKind>, providers: Vec<Choice>) -> Vec<Field> {
    let is_carrier = viewer_kind.is_some_and(IntegrationKind::is_carrier);
    let of_billing = |part: &SyncPart| matches!(part, SyncPart::Customers | SyncPart::Services);
    let parts = SyncPart::ALL.iter().filter(|part| of_billing(part) != is_carrier);
    let parts = parts.map(|part| Choice::new(part, part_name(*part))).collect();
    let mut fields = vec![
        Field::new("what", "What", Kind::Terms(parts)).with_help("None ticked: what is customary."),
        Field::new("full", "Everything", Kind::Flag(false)).with_help("Not only what changed since the last run."),
    ];
    if is_carrier {
        let provider = Kind::Id { is_required: false, options: providers };
        let help = "Needed where several call this account.";
        fields.push(Field::new("service_provider_id", "Service provider", provider).with_help(help));
    }
    fields
}

/// `GET /admin/integrations/{id}`
pub(in crate::portal) async fn show(viewer: Viewer, id: Path<String>, uri: Uri) -> Result<Response, PageRefused> {
    Ok(integration_page(&viewer, &id, Sent::None, None, is_saved(&uri)).await?)
}

async fn integration_page(
    viewer: &Viewer,
    id: &Path<String>,
    sent: Sent<'_>,
    test: Option<ConnectionTestView>,
    saved: bool,
) -> Result<Response, ApiProblem> {
    let account = get_integration_account(State(viewer.web.clone()), viewer.caller.clone(), path_id(id)?, NoParameters).await?.0;
    let own = kinds::get(Reference::Integrations, viewer, path_id(id)?).await?;
    let kind = kind_of(viewer, &account.integration_kind);
    let callable = kind.filter(|kind| is_callable(viewer.web.engine.carriers(), *kind));
    let address = format!("/admin/integrations/{}", account.id);
    let may_edit = viewer.may_edit();
    let own_fields = Reference::Integrations.fields(viewer, &Choices::default(), false);
    let providers = if may_edit && callable.is_some_and(IntegrationKind::is_carrier) {
        providers_of(viewer, account.id).await?
    } else {
        Vec::new()
    };
    let stored = in_json(&account)?;
    let form = |at: &str, submit: &str, fields: &[Field], source: Source<'_>, problem: Option<&ApiProblem>| {
        may_edit.then(|| FormShown::new(format!("{address}{at}"), submit, fields, source, problem))
    };
    let changing =
        |form: Option<FormShown>, fields: &[Field], stored: &Value, source: Source<'_>, problem: Option<&ApiProblem>| {
            form.map(|form| form.of_stored(fields, stored, source, problem))
        };
    let (source, problem) =
        if let Sent::Own(problem, form) = &sent { (Source::Typed(form), Some(problem)) } else { (Source::Stored(&own), None) };
    let own_form = changing(form("", "Save", &own_fields, source, problem), &own_fields, &own, source, problem);
    let (source, problem) = match &sent {
        Sent::Account(problem, form) => (Source::Typed(form), Some(problem)),
        // What was never said has its customary values.
        _ if account.base_address.is_none() => (Source::New, None),
        _ => (Source::Stored(&stored), None),
    };
    let account_form = callable.and_then(|kind| {
        let fields = account_fields(Some(kind));
        changing(form("/account", "Save how it is called", &fields, source, problem), &fields, &stored, source, problem)
    });
    let (source, problem) =
        if let Sent::Sync(problem, form) = &sent { (Source::Typed(form), Some(problem)) } else { (Source::New, None) };
    let sync_form = callable.and_then(|kind| form("/sync", "Synchronise", &sync_fields(Some(kind), providers), source, problem));
    let page = IntegrationPage {
        frame: viewer.admin_frame(account.name.clone(), "integrations")?,
        facts: facts(&account),
        quota: quota(&account),
        trouble: trouble(viewer, &account, kind.filter(|_| callable.is_none())),
        test,
        form: own_form,
        account_form,
        sync_form,
        may_edit,
        saved,
        name: account.name,
        address,
    };
    Ok(answered(&page, sent.problem()))
}

/// The service providers that call that account.
async fn providers_of(viewer: &Viewer, account: i64) -> Result<Vec<Choice>, ApiProblem> {
    let providers = kinds::list(Reference::ServiceProviders, viewer, super::all()).await?.items.into_iter();
    let of_account = providers.filter(|it| it["integration_authentication_id"] == account);
    Ok(of_account.map(|it| Choice::new(&it["id"], it["name"].as_str().unwrap_or_default())).collect())
}

fn facts(account: &AccountView) -> Vec<(String, String)> {
    let mut facts = vec![
        fact("Kind", &account.integration_kind),
        fact("Active", yes(account.is_active)),
        fact("Address", account.base_address.as_deref().unwrap_or("not set")),
        fact("Credentials", if account.has_credentials { "set; they are never shown" } else { "not set" }),
        fact("May be written to", yes(account.write_enabled)),
        fact("Calls at a time", account.limits.concurrency.to_string()),
    ];
    facts.extend(account.client_code.as_ref().map(|code| fact("Client code", code)));
    facts
}

fn quota(account: &AccountView) -> Vec<Quota> {
    let (calls, limits) = (&account.calls, &account.limits);
    vec![
        Quota::new("last minute", calls.in_minute, limits.calls_a_minute, calls.left_in_minute),
        Quota::new("last 24 hours", calls.in_day, limits.calls_a_day, calls.left_in_day),
    ]
}

/// Why an account is not called now, in sentences.
fn trouble(viewer: &Viewer, account: &AccountView, not_called: Option<IntegrationKind>) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(kind) = not_called {
        found.push(not_callable(viewer.web.engine.carriers(), kind));
    }
    if let Some(at) = account.refused_at {
        let said = account.refused_text.as_deref().unwrap_or_default();
        found.push(format!("Its credentials are refused since {}: {said}", viewer.when(at).text));
    }
    if let Some(at) = account.not_before {
        let why = account.not_before_reason.as_deref().unwrap_or_default();
        found.push(format!("It is not called before {}: {why}", viewer.when(at).text));
    }
    if account.calls.left_in_day == 0 {
        found.push("Nothing is left of the calls that 24 hours allow.".to_owned());
    }
    found
}

/// `POST /admin/integrations/{id}`
pub(in crate::portal) async fn change(
    viewer: Viewer,
    id: Path<String>,
    form: Form,
    parts: Parts,
) -> Result<Response, PageRefused> {
    viewer.caller.require(Module::Admin, Action::Edit)?;
    let fields = Reference::Integrations.fields(&viewer, &Choices::default(), false);
    let own = kinds::get(Reference::Integrations, &viewer, path_id(&id)?).await?;
    let sent = request(parts, &body_of(&fields, &form, false));
    let changed = match require_unchanged(&fields, &own, &form) {
        Ok(()) => kinds::update(Reference::Integrations, &viewer, path_id(&id)?, sent).await,
        Err(problem) => Err(problem),
    };
    match changed {
        Ok(()) => Ok(saved(&format!("/admin/integrations/{}", *id))),
        Err(problem) if is_answerable(&problem) => {
            Ok(integration_page(&viewer, &id, Sent::Own(problem, &form), None, false).await?)
        }
        Err(problem) => Err(problem.into()),
    }
}

/// `POST /admin/integrations/{id}/account`
pub(in crate::portal) async fn set_account(
    viewer: Viewer,
    id: Path<String>,
    form: Form,
    parts: Parts,
) -> Result<Response, PageRefused> {
    viewer.caller.require(Module::Admin, Action::Edit)?;
    let (web, caller) = (State(viewer.web.clone()), viewer.caller.clone());
    let account = get_integration_account(web.clone(), caller.clone(), path_id(&id)?, NoParameters).await?.0;
    let fields = account_fields(kind_of(&viewer, &account.integration_kind));
    let sent = request(parts, &body_of(&fields, &form, true));
    let changed = match require_unchanged(&fields, &in_json(&account)?, &form) {
        Ok(()) => set_integration_account(web, caller, path_id(&id)?, NoParameters, sent).await.map(drop),
        Err(problem) => Err(problem),
    };
    match changed {
        Ok(()) => Ok(saved(&format!("/admin/integrations/{}", *id))),
        Err(problem) if is_answerable(&problem) => {
            Ok(integration_page(&viewer, &id, Sent::Account(problem, &form), None, false).await?)
        }
        Err(problem) => Err(problem.into()),
    }
}

/// `POST /admin/integrations/{id}/test`
pub(in crate::portal) async fn test(viewer: Viewer, id: Path<String>) -> Result<Response, PageRefused> {
    let test = test_integration(State(viewer.web.clone()), viewer.caller.clone(), path_id(&id)?, NoParameters).await?.0;
    Ok(integration_page(&viewer, &id, Sent::None, Some(test), false).await?)
}

/// `POST /admin/integrations/{id}/sync`
pub(in crate::portal) async fn synchronise(
    viewer: Viewer,
    id: Path<String>,
    form: Form,
    parts: Parts,
) -> Result<Response, PageRefused> {
    let mut body = json!({"what": form.all("what").collect::<Vec<_>>(), "full": form.text("full").is_some()});
    if let Some(provider) = form.text("service_provider_id") {
        body["service_provider_id"] = provider.parse::<i64>().map_or_else(|_| Value::from(provider), Value::from);
    }
    let begun = synchronise_integration(
        State(viewer.web.clone()),
        viewer.caller.clone(),
        path_id(&id)?,
        NoParameters,
        request(parts, &body),
    );
    match begun.await {
        Ok(answer) => {
            let run = made_id(&answer)?;
            Ok((Made(format!("sync-runs/{run}")), Redirect::to(&format!("/admin/sync-runs/{run}"))).into_response())
        }
        Err(problem) if is_answerable(&problem) => {
            Ok(integration_page(&viewer, &id, Sent::Sync(problem, &form), None, false).await?)
        }
        Err(problem) => Err(problem.into()),
    }
}

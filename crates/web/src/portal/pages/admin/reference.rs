//! Reference data: lists, and one of each, to be looked at, made and changed in the same way whatever its kind.

use axum::extract::Path;
use axum::http::Uri;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::Value;

use super::kinds::{self, Choices, Kind, Names};
use super::{FormPage, ListPage, ListRow, answered, is_saved, made, page_of, path_id, saved};
use crate::portal::address::with_parameter;
use crate::portal::fields::{FormShown, Source, body_of, is_answerable, request};
use crate::portal::form::Form;
use crate::portal::page::answer;
use crate::portal::refused::PageRefused;
use crate::portal::viewer::Viewer;
use crate::problem::ApiProblem;

/// `GET /admin/{kind}`
pub(in crate::portal) async fn list(viewer: Viewer, kind: Kind, uri: Uri) -> Result<Response, PageRefused> {
    let frame = viewer.admin_frame(kind.title(), kind.segment())?;
    let listed = kinds::list(kind, &viewer, page_of(&uri)).await?;
    let names = Names::of(kind, &viewer, &listed.items).await?;
    let address = kind.address();
    let row = |thing: &Value| ListRow {
        address: format!("{address}/{}", thing["id"]),
        name: thing["name"].as_str().unwrap_or_default().to_owned(),
        cells: kind.cells(thing, &names),
        is_over: thing["is_active"] == false,
    };
    Ok(answer(&ListPage {
        frame,
        title: kind.title(),
        intro: kind.intro(),
        columns: kind.columns(),
        rows: listed.items.iter().map(row).collect(),
        next: listed.next.map(|next| with_parameter(&address, &[], "after", &next)),
        new: viewer.may_create().then_some(kind.new_one()),
        address,
    }))
}

/// `GET /admin/{kind}/new`
pub(in crate::portal) async fn ask_new(viewer: Viewer, kind: Kind) -> Result<Response, PageRefused> {
    viewer.caller.require(lineshift_domain::scopes::Module::Admin, lineshift_domain::scopes::Action::Create)?;
    Ok(new_page(&viewer, kind, Source::New, None).await?)
}

async fn new_page(viewer: &Viewer, kind: Kind, source: Source<'_>, refused: Option<ApiProblem>) -> Result<Response, ApiProblem> {
    let fields = kind.fields(viewer, &Choices::of(kind, viewer).await?, true);
    let page = FormPage {
        frame: viewer.admin_frame(kind.new_one(), kind.segment())?,
        title: kind.new_one().to_owned(),
        intro: kind.intro().to_owned(),
        facts: Vec::new(),
        form: Some(FormShown::new(kind.address(), "Create", &fields, source, refused.as_ref())),
        saved: false,
        back: kind.address(),
        back_label: kind.title(),
    };
    Ok(answered(&page, refused))
}

/// `POST /admin/{kind}`
pub(in crate::portal) async fn create(viewer: Viewer, kind: Kind, form: Form, parts: Parts) -> Result<Response, PageRefused> {
    // Only what the fields hold is read of a form; what they offer does not matter to that.
    let fields = kind.fields(&viewer, &Choices::default(), true);
    match kinds::create(kind, &viewer, request(parts, &body_of(&fields, &form, true))).await {
        Ok(id) => Ok(made(kind.segment(), &format!("{}/{id}", kind.address()), id)),
        Err(problem) if is_answerable(&problem) => Ok(new_page(&viewer, kind, Source::Typed(&form), Some(problem)).await?),
        Err(problem) => Err(problem.into()),
    }
}

/// `GET /admin/{kind}/{id}`
pub(in crate::portal) async fn show(viewer: Viewer, kind: Kind, id: Path<String>, uri: Uri) -> Result<Response, PageRefused> {
    viewer.admin_frame("", kind.segment())?;
    let thing = kinds::get(kind, &viewer, path_id(&id)?).await?;
    Ok(one_page(&viewer, kind, &thing, Source::Stored(&thing), None, is_saved(&uri)).await?)
}

async fn one_page(
    viewer: &Viewer,
    kind: Kind,
    thing: &Value,
    source: Source<'_>,
    refused: Option<ApiProblem>,
    saved: bool,
) -> Result<Response, ApiProblem> {
    let name = thing["name"].as_str().unwrap_or_default().to_owned();
    let names = Names::of(kind, viewer, std::slice::from_ref(thing)).await?;
    let facts = kind.columns().into_iter().skip(1).map(str::to_owned).zip(kind.cells(thing, &names));
    let form = if viewer.may_edit() {
        let fields = kind.fields(viewer, &Choices::of(kind, viewer).await?, false);
        let address = format!("{}/{}", kind.address(), thing["id"]);
        Some(FormShown::new(address, "Save", &fields, source, refused.as_ref()))
    } else {
        None
    };
    let page = FormPage {
        frame: viewer.admin_frame(name.clone(), kind.segment())?,
        title: name,
        intro: String::new(),
        facts: facts.take(if form.is_some() { 1 } else { usize::MAX }).collect(),
        form,
        saved,
        back: kind.address(),
        back_label: kind.title(),
    };
    Ok(answered(&page, refused))
}

/// `POST /admin/{kind}/{id}`
pub(in crate::portal) async fn change(
    viewer: Viewer,
    kind: Kind,
    id: Path<String>,
    form: Form,
    parts: Parts,
) -> Result<Response, PageRefused> {
    let fields = kind.fields(&viewer, &Choices::default(), false);
    let changed = kinds::update(kind, &viewer, path_id(&id)?, request(parts, &body_of(&fields, &form, false))).await;
    match changed {
        Ok(()) => Ok(saved(&format!("{}/{}", kind.address(), *id))),
        Err(problem) if is_answerable(&problem) => {
            let thing = kinds::get(kind, &viewer, path_id(&id)?).await?;
            Ok(one_page(&viewer, kind, &thing, Source::Typed(&form), Some(problem), false).await?)
        }
        Err(problem) => Err(problem.into()),
    }
}

//! Reference data: lists, and one of each, to be looked at, made and changed in the same way whatever its kind.

use axum::extract::Path;
use axum::http::Uri;
use axum::http::request::Parts;
use axum::response::Response;
use lineshift_domain::scopes::{Action, Module};
use lineshift_store::paging::MAX_PAGE_ITEMS;
use serde_json::Value;

use super::kinds::{self, Choices, Kind, Names};
use super::{FormPage, ListPage, ListRow, answered, is_saved, made, page_of, path_id, saved};
use crate::portal::address::{given, with_parameter};
use crate::portal::fields::{FormShown, Source, body_of, is_answerable, request};
use crate::portal::form::Form;
use crate::portal::page::answer;
use crate::portal::refused::PageRefused;
use crate::portal::seen::require_unchanged;
use crate::portal::viewer::Viewer;
use crate::problem::ApiProblem;
use crate::query::Parameters;

/// The most that a search shows: whoever gets so many says more of the name.
const FOUND: usize = 100;

/// The most pages that a search goes through, by id, so that it ends whatever a tenant has.
const SEARCHED_PAGES: usize = 50;

/// What a list shows.
struct Shown {
    things: Vec<Value>,
    next: Option<String>,
    cut: Option<&'static str>,
}

/// `GET /admin/{kind}`: a page by id, or all whose name has `q` in it or whose id it is.
pub(in crate::portal) async fn list(viewer: Viewer, kind: Kind, uri: Uri) -> Result<Response, PageRefused> {
    let frame = viewer.admin_frame(kind.title(), kind.segment())?;
    let given = given(&uri);
    let sought = given.iter().find(|(name, _)| name == "q").map(|(_, text)| text.clone()).unwrap_or_default();
    let shown = if sought.is_empty() {
        let listed = kinds::list(kind, &viewer, page_of(&uri)).await?;
        Shown { things: listed.items, next: listed.next, cut: None }
    } else {
        search(kind, &viewer, &sought).await?
    };
    let names = Names::of(kind, &viewer, &shown.things).await?;
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
        rows: shown.things.iter().map(row).collect(),
        next: shown.next.map(|next| with_parameter(&address, &[], "after", &next)),
        sought: Some(sought),
        cut: shown.cut,
        new: viewer.may_create().then_some(kind.new_one()),
        address,
    }))
}

/// What is called so, or has that id. Names have no index: the list is gone through, page by page and so far.
async fn search(kind: Kind, viewer: &Viewer, sought: &str) -> Result<Shown, ApiProblem> {
    let (wanted, id) = (sought.to_lowercase(), sought.parse::<i64>().ok());
    let is_wanted = |thing: &Value| {
        let name = thing["name"].as_str().unwrap_or_default().to_lowercase();
        name.contains(&wanted) || (id.is_some() && thing["id"].as_i64() == id)
    };
    let mut shown = Shown { things: Vec::new(), next: None, cut: None };
    let mut asked = vec![("limit".to_owned(), MAX_PAGE_ITEMS.to_string())];
    for _ in 0..SEARCHED_PAGES {
        let page = kinds::list(kind, viewer, Parameters::of_pairs(asked.clone())).await?;
        shown.things.extend(page.items.into_iter().filter(|thing| is_wanted(thing)));
        if shown.things.len() > FOUND {
            shown.things.truncate(FOUND);
            shown.cut = Some("More than 100 are like that; these are the first. Say more of the name.");
            return Ok(shown);
        }
        let Some(next) = page.next else { return Ok(shown) };
        asked.truncate(1);
        asked.push(("after".to_owned(), next));
    }
    shown.cut = Some("There are so many that only the first 50,000, by id, were searched.");
    Ok(shown)
}

/// `GET /admin/{kind}/new`
pub(in crate::portal) async fn ask_new(viewer: Viewer, kind: Kind) -> Result<Response, PageRefused> {
    viewer.caller.require(Module::Admin, Action::Create)?;
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
        lines: None,
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
        let form = FormShown::new(address, "Save", &fields, source, refused.as_ref());
        Some(form.of_stored(&fields, thing, source, refused.as_ref()))
    } else {
        None
    };
    let frame = viewer.admin_frame(name.clone(), kind.segment())?;
    let lines = frame.portal.zip(kind.lines_by()).map(|(portal, by)| format!("/{portal}/lines?{by}={}", thing["id"]));
    let page = FormPage {
        frame,
        title: name,
        intro: String::new(),
        facts: facts.take(if form.is_some() { 1 } else { usize::MAX }).collect(),
        form,
        lines,
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
    viewer.caller.require(Module::Admin, Action::Edit)?;
    let fields = kind.fields(&viewer, &Choices::default(), false);
    let thing = kinds::get(kind, &viewer, path_id(&id)?).await?;
    let changed = match require_unchanged(&fields, &thing, &form) {
        Ok(()) => kinds::update(kind, &viewer, path_id(&id)?, request(parts, &body_of(&fields, &form, false))).await,
        Err(problem) => Err(problem),
    };
    match changed {
        Ok(()) => Ok(saved(&format!("{}/{}", kind.address(), *id))),
        Err(problem) if is_answerable(&problem) => {
            Ok(one_page(&viewer, kind, &thing, Source::Typed(&form), Some(problem), false).await?)
        }
        Err(problem) => Err(problem.into()),
    }
}

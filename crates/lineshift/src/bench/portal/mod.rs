//! The portal: how much longer pages take than the API calls behind them, asked in turns over HTTP of one server in a process of its own,
//! by somebody who is signed in.

mod behind;
mod browser;
mod figures;
mod pages;
mod prepare;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use lineshift_store::Store;

use self::behind::Behind;
use self::browser::Browser;
pub(super) use self::figures::Portal;
use self::figures::{Samples, Taken};
use self::pages::{Asked, Page};
use self::prepare::Prepared;
use super::access::server::Server;
use super::fleet::Size;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// The fleet, and the lines whose plan is scheduled.
    size: Size,
    /// How often a page is asked for in a round, and as often what is behind it.
    asked: usize,
    /// Lines of the selection whose order is previewed.
    chosen: u64,
}

impl Sizes {
    /// 40 times a round, 10,000 lines chosen; less where orders are small.
    pub(super) fn of(size: Size) -> Self {
        let asked = usize::try_from((size.lines / 2_500).clamp(3, 40)).unwrap_or(3);
        Self { size, asked, chosen: size.lines.min(10_000) }
    }
}

/// How often each is asked for before anything is measured: connections are opened, statements are prepared.
const FIRST: usize = 3;

/// How often that is asked for in a round which takes longer than other pages.
const SELDOM: usize = 5;

/// Measures on a store that holds the fleet and nothing else, and which `at` names for a server.
pub(super) async fn measure(store: Arc<dyn Store>, at: &str, directory: &Path, rounds: usize, sizes: Sizes) -> Result<Portal> {
    let prepared = Prepared::new(Arc::clone(&store), sizes).await?;
    let mut server = Server::start(at, directory).await?;
    let browser = Browser::sign_in(server.address(), prepare::EMAIL, prepare::PASSWORD).await?;
    prepared.choose(&browser).await?;
    let behind = Behind { store, tenant: prepared.tenant };
    let pages = pages::pages(&prepared, &browser, &behind).await?;
    let mut samples: Vec<Samples> = pages.iter().map(Samples::of).collect();
    for page in &pages {
        for _ in 0..FIRST {
            page.ask(&browser, &behind).await?;
        }
    }
    for _ in 0..rounds {
        for nth in 0..sizes.asked {
            for (page, samples) in pages.iter().zip(&mut samples) {
                if nth < SELDOM || !page.is_seldom {
                    samples.add(&in_turns(page, &browser, &behind, nth).await?);
                }
            }
        }
    }
    let assets_bytes = browser.assets_bytes().await?;
    // Counts are kept by the process: one that has just begun has none.
    let home = pages::home_counted_anew(&prepared);
    let mut anew = Samples::of(&home);
    for nth in 0..rounds {
        server.stop().await?;
        server = Server::start(at, directory).await?;
        let browser = browser.at(server.address())?;
        // What a first request finds is not what a first count costs.
        for page in pages.iter().filter(|page| !page.is_counted && !page.is_seldom) {
            page.ask(&browser, &behind).await?;
        }
        anew.add(&in_turns(&home, &browser, &behind, nth).await?);
    }
    server.stop().await?;
    samples.push(anew);
    let measured =
        samples.into_iter().map(|samples| samples.figures()).collect::<Option<_>>().context("something was measured")?;
    Ok(Portal { change_lines: prepared.change_lines, chosen_lines: sizes.chosen, assets_bytes, pages: measured })
}

/// Asks for a page and for what is behind it; which of both first, changes.
async fn in_turns(page: &Page, browser: &Browser, behind: &Behind, nth: usize) -> Result<Taken> {
    if nth.is_multiple_of(2) {
        let shown: Asked = page.ask_page(browser).await?;
        Ok(Taken { page: shown, calls: page.ask_behind(browser, behind).await? })
    } else {
        let calls = page.ask_behind(browser, behind).await?;
        Ok(Taken { page: page.ask_page(browser).await?, calls })
    }
}

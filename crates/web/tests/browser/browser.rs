//! A headless Chromium, driven by its WebDriver as a person would use it.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lineshift_testkit::people::PASSWORD;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::web_driver::{By, Element, WebDriver, capabilities};

/// Longer than any page takes on a machine that does ten other things.
const PATIENCE: Duration = Duration::from_secs(40);

/// Keys as WebDriver writes them.
pub(crate) const ENTER: char = '\u{e007}';
pub(crate) const ESCAPE: char = '\u{e00c}';
pub(crate) const TAB: char = '\u{e004}';
pub(crate) const SHIFT: char = '\u{e008}';
pub(crate) const CONTROL: char = '\u{e009}';
pub(crate) const DOWN: char = '\u{e015}';

/// Between two looks at a page.
const A_LOOK: Duration = Duration::from_millis(50);

/// What makes axe-core run, and what it answers: `rule: what it says: where`, one for each fault. Light and dark differ in colours alone.
const AXE: &str = "const done = arguments[arguments.length - 1];
    const rules = matchMedia('(prefers-color-scheme: dark)').matches ? { runOnly: ['color-contrast'] } : {};
    axe.run(document, { resultTypes: ['violations'], ...rules }).then((found) => done(found.violations.flatMap((fault) =>
        fault.nodes.map((node) => `${fault.id}: ${fault.help}: ${node.html.slice(0, 200)}`))), (error) => done([String(error)]));";

/// What has the focus, and what is wrong with how that is shown: nobody who works with keys alone may lose sight of it.
const FOCUS: &str = "const it = document.activeElement;
    if (!it || it === document.body) return null;
    const style = getComputedStyle(it);
    const within = (low, high, most) => (Math.max(low, 0) + Math.min(high, most)) / 2;
    const box = [...it.getClientRects()].find((box) => box.width && box.height) ?? it.getBoundingClientRect();
    const top = document.elementFromPoint(within(box.left, box.right, innerWidth), within(box.top, box.bottom, innerHeight));
    const faults = [];
    if (!(style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1) && style.boxShadow === 'none') faults.push('has no ring');
    if (!top || !it.contains(top)) faults.push('is out of sight or behind ' + (top ? top.outerHTML.slice(0, 80) : 'nothing'));
    if (it.tabIndex > 0) faults.push('has its own place in the order');
    return [it, faults.join(', ')];";

/// Where the focus is.
pub(crate) struct Focus {
    pub(crate) element: Element,
    /// What it is called to those who do not see it.
    pub(crate) name: String,
    /// What is wrong with how it is shown; empty where nothing is.
    pub(crate) faults: String,
}

/// How somebody looks at pages.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Manner {
    /// JavaScript is off.
    pub(crate) without_script: bool,
    /// The window is as small as a phone.
    pub(crate) on_a_phone: bool,
}

/// A browser with one window, and with cookies and a disk of its own; it ends with this.
pub(crate) struct Browser {
    driver: WebDriver,
    /// What pages are asked of, without a slash at the end.
    url: String,
    folder: TempDir,
}

impl Browser {
    /// Opens one for the pages of a server.
    pub(crate) async fn open(url: &str, manner: Manner) -> Self {
        let folder = TempDir::new().expect("a folder");
        let driver = WebDriver::start(capabilities(folder.path(), manner.without_script), folder.path()).await;
        let browser = Self { driver, url: url.to_owned(), folder };
        let downloads = json!({"behavior": "allow", "downloadPath": browser.folder.path().join("downloads")});
        browser.devtools("Browser.setDownloadBehavior", &downloads).await;
        browser.be_on_a_phone(manner.on_a_phone).await;
        browser
    }

    /// Whether the window is as small as a phone, or as large as that of a desk.
    pub(crate) async fn be_on_a_phone(&self, on_a_phone: bool) {
        let (width, height) = if on_a_phone { (390, 844) } else { (1280, 900) };
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": on_a_phone});
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics).await;
    }

    /// The text of the file of that kind that the browser was told to download; waits for it.
    pub(crate) async fn downloaded(&self, kind: &str) -> String {
        let folder = self.folder.path().join("downloads");
        let found = || {
            let files = std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|file| file.path());
            files.into_iter().find(|file| file.extension().is_some_and(|extension| extension == kind))
        };
        self.until(&format!("a {kind} is downloaded"), async || found().is_some()).await;
        std::fs::read_to_string(found().expect("it is there")).expect("a text")
    }

    /// Goes to an address of the server.
    pub(crate) async fn go(&self, path: &str) {
        self.driver.go(&format!("{}{path}", self.url)).await.unwrap_or_else(|error| panic!("{path}: {error}"));
    }

    /// Signs in by the page for it.
    pub(crate) async fn sign_in(&self, email: &str) {
        self.sign_in_with(email, PASSWORD, "/sign-in").await;
    }

    /// The same with another password, and by an address that leads elsewhere afterwards.
    pub(crate) async fn sign_in_with(&self, email: &str, password: &str, address: &str) {
        self.go(address).await;
        self.fill("input[name=email]", email).await;
        self.fill("input[name=password]", password).await;
        self.click("main form button").await;
        self.find("nav.places").await;
    }

    /// Signs in as in another tab: the page that is shown stays.
    pub(crate) async fn sign_in_elsewhere(&self, email: &str) {
        let fields = json!({"email": email, "password": PASSWORD});
        let script = format!(
            "return fetch('/sign-in', {{ method: 'POST', body: new URLSearchParams({fields}), redirect: 'manual' }}).then(() => 'done');"
        );
        assert_eq!(self.script(&script).await, "done");
    }

    /// Path and query of the page that is shown.
    pub(crate) async fn place(&self) -> String {
        let url = self.driver.url().await.expect("a page is shown");
        url.strip_prefix(&self.url).unwrap_or(&url).to_owned()
    }

    /// Waits until the page's path begins so.
    pub(crate) async fn comes_to(&self, path: &str) {
        self.until(&format!("it comes to {path}"), async || self.place().await.starts_with(path)).await;
    }

    /// The first element of that selector; waits for it.
    pub(crate) async fn find(&self, css: &str) -> Element {
        self.sought(By::Css(css)).await
    }

    async fn sought(&self, by: By<'_>) -> Element {
        let begun = Instant::now();
        loop {
            match self.driver.find(by).await {
                Ok(element) => return element,
                Err(error) if begun.elapsed() > PATIENCE => {
                    panic!("{by:?}: {error}; shown is {}:\n{}", self.place().await, self.text("body").await)
                }
                Err(_) => sleep(A_LOOK).await,
            }
        }
    }

    /// How many elements a selector has now.
    pub(crate) async fn count(&self, css: &str) -> usize {
        self.driver.count(By::Css(css)).await.expect("a selector")
    }

    /// Waits until a selector has so many elements.
    pub(crate) async fn comes_down_to(&self, css: &str, count: usize) {
        self.until(&format!("{css} are {count}"), async || self.count(css).await == count).await;
    }

    /// The text of an element; empty where there is none.
    pub(crate) async fn text(&self, css: &str) -> String {
        match self.driver.find(By::Css(css)).await {
            Ok(element) => self.driver.text(&element).await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Waits until an element says that.
    pub(crate) async fn says(&self, css: &str, words: &str) {
        self.until(&format!("{css} says {words:?}"), async || self.text(css).await.contains(words)).await;
    }

    async fn until(&self, what: &str, holds: impl AsyncFn() -> bool) {
        let begun = Instant::now();
        while !holds().await {
            if begun.elapsed() > PATIENCE {
                panic!("it never is that {what}; shown is {}:\n{}", self.place().await, self.text("body").await);
            }
            sleep(A_LOOK).await;
        }
    }

    /// Clicks an element.
    pub(crate) async fn click(&self, css: &str) {
        self.with(By::Css(css), async |element| self.driver.click(element).await).await;
    }

    /// Finds an element and does something with it: once more where the page was replaced in between, so that nothing was done.
    async fn with(&self, by: By<'_>, act: impl AsyncFn(&Element) -> Result<(), String>) {
        let begun = Instant::now();
        loop {
            let element = self.sought(by).await;
            match act(&element).await {
                Err(error) if error.contains("stale element") && begun.elapsed() < PATIENCE => {}
                done => return done.unwrap_or_else(|error| panic!("{by:?}: {error}")),
            }
        }
    }

    /// Clicks the first button or link of the page that says that.
    pub(crate) async fn press(&self, words: &str) {
        let seen = "not(@aria-hidden) and not(ancestor-or-self::*[@hidden])";
        let path = format!("//main//*[self::button or self::a][{seen}][contains(normalize-space(.), \"{words}\")]");
        self.with(By::XPath(&path), async |element| self.driver.click(element).await).await;
    }

    /// Types into an emptied field.
    pub(crate) async fn fill(&self, css: &str, text: &str) {
        let typed = async |field: &Element| {
            self.driver.clear(field).await?;
            self.driver.type_into(field, text).await
        };
        self.with(By::Css(css), typed).await;
    }

    /// Gives a file to the field for one.
    pub(crate) async fn give_file(&self, css: &str, file: &Path) {
        let name = file.to_str().expect("a path of letters");
        let field = self.find(css).await;
        self.driver.type_into(&field, name).await.unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    /// Sends a form to an address as a page of this server does, whatever stands on the page that is shown; waits for the answer.
    pub(crate) async fn send_form(&self, address: &str, fields: &[(&str, &str)]) {
        let script = format!(
            "const form = document.createElement('form');
            [form.method, form.action] = ['post', {}];
            const token = document.querySelector('meta[name=csrf-token]')?.content ?? '';
            for (const [name, value] of [['csrf_token', token], ...{}]) {{
                const field = form.appendChild(document.createElement('input'));
                [field.type, field.name, field.value] = ['hidden', name, value];
            }}
            document.body.append(form);
            form.submit();",
            json!(address),
            json!(fields)
        );
        self.leave_by(async || drop(self.script(&script).await)).await;
    }

    /// Does what leads away from the page that is shown, and waits until the next one is there.
    pub(crate) async fn leave_by(&self, act: impl AsyncFn()) {
        self.script("window.isLeft = false").await;
        act().await;
        let arrived = "return window.isLeft === undefined && document.readyState === 'complete'";
        self.until("another page is shown", async || self.driver.script(arrived, false).await.is_ok_and(|is| is == true)).await;
    }

    /// The status under which the page that is shown was answered.
    pub(crate) async fn status(&self) -> u16 {
        let status = self.script("return performance.getEntriesByType('navigation')[0].responseStatus").await;
        serde_json::from_value(status).expect("a status")
    }

    /// Chooses of a list what has that value.
    pub(crate) async fn choose(&self, css: &str, value: &str) {
        self.click(&format!("{css} option[value=\"{value}\"]")).await;
    }

    /// Sets a field of a form, whatever it is: chooses, ticks, or types.
    pub(crate) async fn set(&self, form: &str, name: &str, value: &str) {
        let field = format!("{form} [name=\"{name}\"]");
        self.find(&field).await;
        let script = format!("const field = document.querySelector({field:?}); return field.type || field.tagName");
        match self.script(&script).await.as_str() {
            Some("select-one") => self.choose(&field, value).await,
            Some("checkbox" | "radio") => self.click(&format!("{field}[value=\"{value}\"]")).await,
            _ => self.fill(&field, value).await,
        }
    }

    /// What stands in a field.
    pub(crate) async fn value_of(&self, css: &str) -> String {
        self.find(css).await;
        let value = self.script(&format!("return document.querySelector({css:?}).value")).await;
        value.as_str().unwrap_or_default().to_owned()
    }

    /// Presses keys, wherever the focus is.
    pub(crate) async fn keys(&self, keys: &[char]) {
        self.driver.press(keys).await.expect("keys are pressed");
    }

    /// Holds keys together, wherever the focus is.
    pub(crate) async fn hold(&self, keys: &[char]) {
        self.driver.hold(keys).await.expect("keys are pressed");
    }

    /// What has the focus; nothing while the page changes, or where it is on the page as a whole.
    pub(crate) async fn focus(&self) -> Option<Focus> {
        let found = self.driver.script(FOCUS, false).await.ok()?;
        let element = Element::of(&found[0])?;
        let name = self.driver.label(&element).await.ok()?;
        Some(Focus { element, name, faults: found[1].as_str().unwrap_or_default().to_owned() })
    }

    /// Waits until the page itself has given the focus to that.
    pub(crate) async fn leads_to(&self, css: &str) {
        let script = format!("return document.activeElement.matches({css:?})");
        self.until(&format!("{css} has the focus"), async || self.driver.script(&script, false).await.is_ok_and(|is| is == true))
            .await;
    }

    /// Gives a file to the field that has the focus, as its dialog would.
    pub(crate) async fn give_file_here(&self, file: &Path) {
        let field = self.focus().await.expect("a field has the focus").element;
        self.driver.type_into(&field, file.to_str().expect("a path of letters")).await.expect("a field for files");
    }

    /// Answers to the question that a script asks.
    pub(crate) async fn confirm(&self) {
        self.until("something is asked", async || self.driver.question().await.is_ok()).await;
        self.driver.say_yes().await.expect("it is answered");
    }

    /// Puts the window out of sight, or brings it back.
    pub(crate) async fn hide(&self, is_hidden: bool) {
        let done = if is_hidden { self.driver.minimize().await } else { self.driver.restore(1280, 900).await };
        done.expect("a window");
    }

    /// Waits until a script says yes.
    pub(crate) async fn comes_true(&self, script: &str) {
        self.until(script, async || self.driver.script(script, false).await.is_ok_and(|is| is == true)).await;
    }

    /// What a script answers that runs in the page.
    pub(crate) async fn script(&self, script: &str) -> Value {
        self.driver.script(script, false).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Whether the page is shown as to somebody who wants it dark.
    pub(crate) async fn set_dark(&self, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", &media).await;
    }

    /// The faults of accessibility of the page.
    pub(crate) async fn faults(&self) -> Vec<String> {
        if self.script("return window.axe === undefined").await == true {
            self.bring_axe().await;
        }
        let found = self.driver.script(AXE, true).await.expect("axe-core runs");
        serde_json::from_value(found).expect("texts")
    }

    async fn bring_axe(&self) {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/node_modules/axe-core/axe.min.js");
        let axe = std::fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("axe-core is not installed, run `npm ci` in crates/web/tests/browser: {error}"));
        self.script(&axe).await;
    }

    /// Bytes of the page and of all that it brought, compressed as they came, and the addresses of what came from elsewhere.
    pub(crate) async fn weight(&self) -> (u64, Vec<String>) {
        let script = "return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
            .map((entry) => [entry.name, entry.encodedBodySize])";
        let entries: Vec<(String, u64)> = serde_json::from_value(self.script(script).await).expect("names and sizes");
        let elsewhere = entries.iter().map(|(name, _)| name.clone()).filter(|name| !name.starts_with(&self.url)).collect();
        (entries.iter().map(|(_, size)| size).sum(), elsewhere)
    }

    /// The ids that several elements of the page have.
    pub(crate) async fn ids_given_twice(&self) -> Vec<String> {
        let script = "const ids = [...document.querySelectorAll('[id]')].map((it) => it.id);
            return [...new Set(ids.filter((id, nth) => ids.indexOf(id) !== nth))]";
        serde_json::from_value(self.script(script).await).expect("ids")
    }

    /// How many pixels the page is wider than its window.
    pub(crate) async fn overhang(&self) -> i64 {
        let overhang = self.script("return document.documentElement.scrollWidth - document.documentElement.clientWidth").await;
        overhang.as_i64().expect("a number")
    }

    /// Path and query of every link of the page, as they stand there.
    pub(crate) async fn links(&self) -> Vec<String> {
        let script =
            "return [...document.querySelectorAll('a[href^=\"/\"]')].map((link) => link.getAttribute('href').split('#')[0])";
        serde_json::from_value(self.script(script).await).expect("addresses")
    }

    /// What the browser complained of since it was asked last: scripts that failed, what the policy did not let through, what was not found;
    /// but for the page itself, of which Chromium complains wherever it is an answer that something is wrong.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let page = self.driver.url().await.expect("a page is shown");
        let itself = format!("{page} - Failed to load resource:");
        let entries = self.driver.log().await.expect("a log");
        let said = entries.iter().filter(|entry| entry["level"] == "SEVERE").filter_map(|entry| entry["message"].as_str());
        said.filter(|said| !said.starts_with(&itself)).map(str::to_owned).collect()
    }

    /// Keeps a picture of the page, as far down as there is something, and at most so many pixels.
    pub(crate) async fn picture(&self, file: &Path, most: u32) {
        let script = format!(
            "scrollTo(0, 0);
            const ends = [...document.querySelectorAll('main > *, .places ul')].map((it) => it.getBoundingClientRect().bottom);
            return [innerWidth, Math.ceil(Math.min(Math.max(...ends) + 24, {most}))]"
        );
        let (width, height): (u32, u32) = serde_json::from_value(self.script(&script).await).expect("two sizes");
        let clip = json!({"x": 0, "y": 0, "width": width, "height": height, "scale": 1});
        self.devtools("Emulation.setScrollbarsHidden", &json!({"hidden": true})).await;
        let asked = json!({"format": "jpeg", "quality": 55, "clip": clip, "captureBeyondViewport": true});
        let picture = self.driver.devtools("Page.captureScreenshot", &asked).await.expect("a picture");
        let picture = STANDARD.decode(picture["data"].as_str().unwrap_or_default()).expect("a picture");
        std::fs::write(file, picture).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }

    pub(crate) async fn devtools(&self, command: &str, params: &Value) {
        self.driver.devtools(command, params).await.unwrap_or_else(|error| panic!("{command}: {error}"));
    }
}

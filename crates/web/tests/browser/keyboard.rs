//! Somebody without a mouse: what they come to they come to by the Tab key, and all they do is done by keys.

use std::path::Path;

use lineshift_testkit::people::PASSWORD;

use crate::browser::{Browser, CONTROL, DOWN, ENTER, Manner, SHIFT, TAB};

/// Fields and links of a page, and more.
const MOST_TABS: usize = 250;

/// A field for a date has a part for each of day, month and year, and one that opens a calendar.
const MOST_PARTS: usize = 5;

/// A browser that gets nothing but keys. It cannot be clicked, and no script gives the focus away.
pub(crate) struct Keyboard {
    browser: Browser,
}

impl Keyboard {
    /// Signs somebody in, by keys.
    pub(crate) async fn of(url: &str, email: &str) -> Self {
        let this = Self::of_nobody(url).await;
        this.goes("/sign-in").await;
        this.signs_in(email, PASSWORD).await;
        this.shows("header", "Sign out").await;
        this
    }

    /// Somebody who is not signed in.
    pub(crate) async fn of_nobody(url: &str) -> Self {
        Self { browser: Browser::open(url, Manner::default()).await }
    }

    /// Sends the page for signing in, which is shown.
    pub(crate) async fn signs_in(&self, email: &str, password: &str) {
        self.shows("h1", "Sign in").await;
        self.begins_at("input[name=email]").await;
        self.types(email).await;
        self.fill("Password", password).await;
        self.press(&[ENTER]).await;
    }

    /// Types an address.
    pub(crate) async fn goes(&self, path: &str) {
        self.browser.go(path).await;
    }

    /// Waits until an element says that.
    pub(crate) async fn shows(&self, css: &str, words: &str) {
        self.browser.says(css, words).await;
    }

    /// Waits until the page's path begins so.
    pub(crate) async fn comes_to(&self, path: &str) {
        self.browser.comes_to(path).await;
    }

    /// Waits until the page has given the focus to that element by itself.
    pub(crate) async fn begins_at(&self, css: &str) {
        self.browser.leads_to(css).await;
    }

    /// Waits until the page says why a form was refused, and has led there: one goes on from it to the fields of that form.
    pub(crate) async fn is_refused(&self, words: &str) {
        self.shows("main", words).await;
        self.begins_at("[role=alert]").await;
    }

    /// Waits until a selector has so many elements.
    pub(crate) async fn comes_down_to(&self, css: &str, count: usize) {
        self.browser.comes_down_to(css, count).await;
    }

    /// Presses one key after the other.
    pub(crate) async fn press(&self, keys: &[char]) {
        self.browser.keys(keys).await;
    }

    /// Types a text where the focus is.
    pub(crate) async fn types(&self, text: &str) {
        let keys: Vec<char> = text.chars().map(|letter| if letter == '\n' { ENTER } else { letter }).collect();
        self.press(&keys).await;
    }

    /// Goes on, from one thing to the next, to what is called so; `Assign…` to what is called whatever begins so.
    pub(crate) async fn tab_to(&self, name: &str) {
        self.walk_to(name, &[TAB]).await;
    }

    /// The same backwards.
    pub(crate) async fn tab_back_to(&self, name: &str) {
        self.walk_to(name, &[SHIFT, TAB]).await;
    }

    /// Goes on to what is called so, and presses it.
    pub(crate) async fn enter(&self, name: &str) {
        self.tab_to(name).await;
        self.press(&[ENTER]).await;
    }

    /// Goes on to a box that is called so, and ticks it.
    pub(crate) async fn tick(&self, name: &str) {
        self.tab_to(name).await;
        self.press(&[' ']).await;
    }

    /// Goes on to a field, and types.
    pub(crate) async fn fill(&self, name: &str, text: &str) {
        self.tab_to(name).await;
        self.types(text).await;
    }

    /// Types another text into the field that has the focus.
    pub(crate) async fn types_instead(&self, text: &str) {
        self.browser.hold(&[CONTROL, 'a']).await;
        self.types(text).await;
    }

    /// Goes on to a field, and reads what stands in it.
    pub(crate) async fn reads(&self, name: &str) -> String {
        self.tab_to(name).await;
        self.browser.value_of(":focus").await
    }

    /// Goes on to a list, and chooses what is so many places further down.
    pub(crate) async fn choose(&self, name: &str, further: usize) {
        self.tab_to(name).await;
        self.press(&vec![DOWN; further]).await;
    }

    /// Goes on to a field for files, and takes one in its dialog, which is not the page's.
    pub(crate) async fn give_file(&self, name: &str, file: &Path) {
        self.tab_to(name).await;
        self.browser.give_file_here(file).await;
    }

    /// Says yes to what the page asks, in a window of the browser's.
    pub(crate) async fn says_yes(&self) {
        self.browser.confirm().await;
    }

    async fn walk_to(&self, name: &str, keys: &[char]) {
        let (mut met, mut last, mut stays) = (Vec::new(), None, 0);
        for _ in 0..MOST_TABS {
            self.browser.hold(keys).await;
            let Some(focus) = self.browser.focus().await else { continue };
            stays = if last.as_ref() == Some(&focus.element) { stays + 1 } else { 0 };
            assert!(stays < MOST_PARTS, "nobody gets away from {:?} on {}", focus.name, self.browser.place().await);
            assert!(focus.faults.is_empty(), "{:?} on {} {}", focus.name, self.browser.place().await, focus.faults);
            assert!(!focus.name.is_empty(), "what comes after {:?} on {} has no name", met.last(), self.browser.place().await);
            if focus.name == name || name.strip_suffix('…').is_some_and(|begin| focus.name.starts_with(begin)) {
                return;
            }
            if stays == 0 {
                met.push(focus.name);
            }
            last = Some(focus.element);
        }
        panic!("{name:?} is not come to on {}, but {met:?}", self.browser.place().await);
    }
}

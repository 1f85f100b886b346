//! What the engine asks of a carrier, in its own words.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::carrier::{Abilities, CarrierChange, CarrierLine};
use lineshift_domain::terms::{IntegrationKind, StepState};
use secrecy::SecretString;

use crate::http::{Account, Permit};
use crate::{Batch, CallError, Called, Exchange};

/// A kind of carrier: what can be known without calling it.
pub trait CarrierKind: Send + Sync + 'static {
    /// What it can do.
    fn abilities(&self) -> &'static Abilities;

    /// What is to be done next so that a line comes to stand as asked. Decides by what it is given and nothing else: the same
    /// question has the same answer, in whichever process.
    fn next(&self, asked: &CarrierChange, known: &Known<'_>) -> Next;

    /// An account of it. `credentials` is the JSON that was sealed.
    ///
    /// # Errors
    /// Why they are no credentials for this carrier; never what they hold.
    fn connect(&self, account: Account, base_address: &str, credentials: &SecretString) -> Result<Arc<dyn Carrier>, String>;

    /// Whether a JSON holds credentials for this carrier, before it is sealed.
    ///
    /// # Errors
    /// What is wrong with it; never what it holds.
    fn check_credentials(&self, credentials: &SecretString) -> Result<(), String>;

    /// Reads a callback. Only carriers whose abilities say so call back. Anybody may send one: what it carries is compared with what
    /// it has to in constant time, and before anything else that it says is looked at.
    ///
    /// # Errors
    /// [`CallbackRefused::WrongCredentials`]: it does not carry what it has to. [`CallbackRefused::Unreadable`]: nobody can say what it is about.
    fn read_callback(&self, request: &CallbackRequest<'_>) -> Result<Callback, CallbackRefused> {
        let _ = request;
        Err(CallbackRefused::Unreadable(format!("{} does not call back", self.abilities().name)))
    }
}

/// One account of a carrier. Reading calls take their permits themselves and are tried again by the account's policy; a call that
/// changes something takes one permit and is sent once.
#[async_trait]
pub trait Carrier: Send + Sync + 'static {
    /// The account behind it.
    fn account(&self) -> &Account;

    /// Whether the credentials work. Reads only.
    async fn test_connection(&self) -> Called<()>;

    /// How a line stands there, its packages included where plans are packages; none: the carrier has no such line.
    async fn read_line(&self, line: &LineRef) -> Called<Option<CarrierLine>>;

    /// Sends one act for each of these lines, all the same but for what they are about, in one call. At most
    /// [`Abilities::devices_a_call`].
    async fn send(&self, permit: Permit, asked: &CarrierChange, acts: &[LineAct<'_>]) -> SentAll;

    /// One page of lines from `page` on, counted from 1, those changed since a moment where the carrier can tell. The last page is
    /// the one that says so.
    async fn list_lines(&self, changed_since: Option<DateTime<Utc>>, page: u32) -> Called<Batch<ListedLine>>;

    /// Whether [`Self::list_lines`] leaves out what did not change, so that what it does not show may still be there.
    fn lists_changes_only(&self) -> bool;

    /// The carrier's plans; none: it has no list of them.
    async fn list_rate_plans(&self) -> Called<Option<Vec<ListedPlan>>>;

    /// What a line used in the cycle to date; none: the carrier has no such line, or does not say.
    async fn read_usage(&self, line: &LineRef) -> Called<Option<LineUsage>>;

    /// Whether [`Self::read_usage`] ever says anything.
    fn tells_usage(&self) -> bool;
}

/// Every kind of carrier that can be called, by its name.
#[derive(Clone)]
pub struct Carriers(Arc<[&'static dyn CarrierKind]>);

impl Carriers {
    /// These kinds.
    #[must_use]
    pub fn of(kinds: &[&'static dyn CarrierKind]) -> Self {
        Self(kinds.into())
    }

    /// These and one more.
    #[must_use]
    pub fn with(&self, kind: &'static dyn CarrierKind) -> Self {
        Self(self.0.iter().copied().chain([kind]).collect())
    }

    /// The carrier of that kind; none: no such carrier is registered, or it is none.
    #[must_use]
    pub fn find(&self, kind: IntegrationKind) -> Option<&'static dyn CarrierKind> {
        self.0.iter().copied().find(|carrier| carrier.abilities().kind == kind)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &'static dyn CarrierKind> + '_ {
        self.0.iter().copied()
    }
}

impl Default for Carriers {
    /// Those of the product: one line each.
    fn default() -> Self {
        Self::of(&[&super::jasper::Jasper, &super::pond::Pond])
    }
}

/// How a carrier is told of a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineRef {
    /// SIM card.
    pub iccid: String,
    /// Subscriber number.
    pub subscriber_number: Option<String>,
    /// Hardware.
    pub imei: Option<String>,
    /// The carrier's own id of the line.
    pub carrier_device_id: Option<String>,
}

/// What is known of a line while it is changed.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// As the carrier had it when it was read last, in this run of its page; none: it was not read yet.
    pub there: Option<&'a CarrierLine>,
    /// Whether anything was sent for it since.
    pub sent_since: bool,
    /// The acts that were intended or done, by part.
    pub parts: &'a [KnownPart],
}

impl<'a> Known<'a> {
    /// What is known of a part; none: nothing was intended yet.
    #[must_use]
    pub fn part(&self, part: u16) -> Option<&'a KnownPart> {
        self.parts.iter().find(|known| known.part == part)
    }

    /// Whether a part is done.
    #[must_use]
    pub fn is_done(&self, part: u16) -> bool {
        self.part(part).is_some_and(|known| known.state == StepState::Done)
    }

    /// The line as it was read, if nothing was sent since.
    #[must_use]
    pub fn fresh(&self) -> Option<&'a CarrierLine> {
        self.there.filter(|_| !self.sent_since)
    }
}

/// One act of a line, as far as it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPart {
    /// Its place.
    pub part: u16,
    /// `Done`, `Failed` in this attempt, `Ambiguous` (nobody knows whether it worked), `Waiting` (accepted), or `Pending` (to be sent
    /// again).
    pub state: StepState,
    /// What it is about, or has created.
    pub external_id: Option<String>,
    /// Whether what stands was there before, so that nothing of ours may end it.
    pub adopted: bool,
}

/// What is to be done next for a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It must be read (again).
    Read,
    /// That is to be sent. The engine does not send what is not settled yet (B7.3), or was accepted and is waited for.
    Send(Act),
    /// What a part was to create, or one that nobody knows of, is there under that id. Ours where an intent stands, else adopted.
    Found {
        /// The part.
        part: u16,
        /// The carrier's id of it.
        external_id: String,
    },
    /// The line stands as asked.
    Stands,
    /// It cannot come to stand as asked. What stands half-way is said in the text; why an act failed the engine knows.
    Refuse(String),
    /// The same, and the line is left with several plans active beside each other, as the text says: none of them is the one that an order
    /// could rely on.
    LeftBeside(String),
    /// It cannot come to stand, and what was sent for it is taken back: it stands as it did before.
    TakenBack(String),
}

/// Something to be sent for a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// Its place among the acts of the change, the same whenever it is asked for again; below [`Act::MOST_PARTS`]. What is done is
    /// never asked for again: what was done and no longer stands is done as another part.
    pub part: u16,
    /// The carrier's own word for it: `add package`. Acts of one word may go in one call.
    pub what: &'static str,
    /// Whether it may be sent again when nobody knows whether it worked.
    pub repeat: Repeat,
    /// The id of what it is about, a package say.
    pub about: Option<String>,
    /// Whether the line is on what was asked by now and this only ends what it had before, so that not both stand: it is sent also for a
    /// line that was refused since.
    pub clears: bool,
}

impl Act {
    /// So many parts has a change of a line at most. Beyond them the engine has its own, and those of an undo.
    pub const MOST_PARTS: u16 = 99;
}

/// What sending twice does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// It sets state: nothing more than once.
    Harmless,
    /// It makes another one: it is settled by reading back before it is sent again (B7.3).
    Creates,
}

/// An act for one line.
#[derive(Debug, Clone, Copy)]
pub struct LineAct<'a> {
    /// The line.
    pub line: &'a LineRef,
    /// What.
    pub act: &'a Act,
}

/// What became of a call that changes lines.
#[derive(Debug)]
#[must_use = "what became of a call is to be recorded"]
pub struct SentAll {
    /// For each line, in the order in which they were given.
    pub results: Vec<Result<Sent, CallError>>,
    /// For the log.
    pub exchange: Exchange,
}

impl SentAll {
    /// The same for each of so many lines.
    pub fn same<T>(called: Called<T>, lines: usize, sent: impl FnOnce(T) -> Sent) -> Self {
        let result = called.result.map(sent);
        Self { results: vec![result; lines], exchange: called.exchange }
    }
}

/// What an act came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// It took effect.
    Done {
        /// The id of what it created, if it created something.
        external_id: Option<String>,
    },
    /// It was accepted, and its outcome follows.
    Accepted {
        /// Under that id, where there is one.
        request_id: Option<String>,
    },
}

/// A callback as it came.
#[derive(Debug, Clone, Copy)]
pub struct CallbackRequest<'a> {
    /// The `authorization` header.
    pub authorization: Option<&'a str>,
    /// The body, of a bounded size.
    pub body: &'a [u8],
    /// The credentials that its sender must carry, as JSON.
    pub expected: &'a SecretString,
}

/// What a callback says. It is believed only after a read-back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// The request that it is about.
    pub request_id: String,
    /// The lines that it is about; none: every line of the request.
    pub lines: Vec<CallbackLine>,
}

/// What a callback says of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackLine {
    /// SIM card.
    pub iccid: String,
    /// Why it failed, masked and cut; none: it says that it worked.
    pub failed: Option<String>,
}

/// Why a callback is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallbackRefused {
    /// It does not carry the credentials that it has to.
    #[error("the callback does not carry the credentials that it has to")]
    WrongCredentials,
    /// It cannot be read. The text holds nothing of what it carries.
    #[error("{0}")]
    Unreadable(String),
}

/// A line of a carrier's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedLine {
    /// SIM card.
    pub iccid: String,
    /// How it stands, as far as the list says.
    pub line: CarrierLine,
}

/// A plan of a carrier's catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPlan {
    /// By which lines are put on it.
    pub code: String,
    /// For people.
    pub name: String,
}

/// What a line used in the cycle to date.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineUsage {
    /// Data.
    pub data_bytes: u64,
    /// Messages.
    pub sms_count: Option<u64>,
    /// Voice.
    pub voice_seconds: Option<u64>,
}

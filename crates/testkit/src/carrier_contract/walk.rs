//! One line brought to stand as asked, by an engine that is as small as one can be: it keeps what is known of the acts, settles what is
//! unknown before it lets something be created again (B7.3), and waits for what was accepted.

use std::time::Duration;

use lineshift_connectors::carrier::{Act, CallbackRequest, Carrier, Known, KnownPart, LineAct, LineRef, Next, Repeat, Sent};
use lineshift_connectors::{CallError, Called};
use lineshift_domain::carrier::{CarrierChange, CarrierLine};
use lineshift_domain::terms::StepState;
use secrecy::SecretString;
use tokio::time::Instant;

use super::Fixture;

/// So long after the last byte of a creating call it may be made again.
const SETTLE_AFTER: Duration = Duration::from_secs(120);

/// How long is waited before something is looked at again.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// How a walk ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The line stands as asked.
    Stands,
    /// It does not; what the connector says of it.
    Refused(String),
    /// The carrier has no such line.
    NoSuchLine,
    /// The carrier refuses the credentials.
    CredentialsRefused,
}

/// A walk and what came along.
#[derive(Debug)]
pub struct Walk {
    /// How it ended.
    pub end: End,
    /// `add package: done`, in order.
    pub acts: Vec<String>,
    /// Every text for the log.
    pub texts: Vec<String>,
}

impl Walk {
    /// How many acts came to that.
    #[must_use]
    pub fn count(&self, what: &str) -> usize {
        self.acts.iter().filter(|act| act.ends_with(what)).count()
    }
}

/// Brings a line to stand as asked.
///
/// # Panics
/// When it does not end.
pub async fn walk<F: Fixture>(fixture: &F, carrier: &dyn Carrier, line: &LineRef, asked: &CarrierChange) -> Walk {
    let mut going = Going {
        fixture,
        carrier,
        line,
        asked,
        there: None,
        sent_since: false,
        parts: Vec::new(),
        requests: Vec::new(),
        last_sent: Instant::now(),
        acts: Vec::new(),
        texts: Vec::new(),
    };
    for _ in 0..100 {
        if let Some(end) = going.step().await {
            return Walk { end, acts: going.acts, texts: going.texts };
        }
    }
    panic!("it does not end: {:?}", going.acts);
}

struct Going<'a, F> {
    fixture: &'a F,
    carrier: &'a dyn Carrier,
    line: &'a LineRef,
    asked: &'a CarrierChange,
    there: Option<CarrierLine>,
    sent_since: bool,
    parts: Vec<KnownPart>,
    /// Accepted requests, by part.
    requests: Vec<(u16, String)>,
    last_sent: Instant,
    acts: Vec<String>,
    texts: Vec<String>,
}

impl<F: Fixture> Going<'_, F> {
    async fn step(&mut self) -> Option<End> {
        let known = Known { there: self.there.as_ref(), sent_since: self.sent_since, parts: &self.parts };
        match self.fixture.kind().next(self.asked, &known) {
            Next::Read => self.read().await,
            Next::Found { part, external_id } => {
                let adopted = self.state(part).is_none();
                self.record(KnownPart { part, state: StepState::Done, external_id: Some(external_id), adopted });
                None
            }
            Next::Send(act) => {
                assert!(act.part < Act::MOST_PARTS, "{act:?}");
                let is_settled = self.last_sent.elapsed() >= SETTLE_AFTER;
                match self.state(act.part) {
                    Some(StepState::Waiting) => {
                        self.wait_for(act.part).await;
                        None
                    }
                    Some(StepState::Ambiguous) if act.repeat == Repeat::Creates && !is_settled => {
                        self.look_later().await;
                        None
                    }
                    Some(StepState::Done) => panic!("{act:?} is done already"),
                    _ => self.send(&act).await,
                }
            }
            Next::Stands => Some(End::Stands),
            Next::Refuse(text) | Next::LeftBeside(text) | Next::TakenBack(text) => {
                self.texts.push(text.clone());
                Some(End::Refused(text))
            }
        }
    }

    async fn read(&mut self) -> Option<End> {
        let Called { result, exchange } = self.carrier.read_line(self.line).await;
        self.texts.extend([exchange.request, exchange.response]);
        match result {
            Ok(Some(line)) => (self.there, self.sent_since) = (Some(line), false),
            Ok(None) => return Some(End::NoSuchLine),
            Err(CallError::Unauthorized { text, .. }) => {
                self.texts.push(text);
                return Some(End::CredentialsRefused);
            }
            Err(error) => {
                self.texts.push(error.to_string());
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
        None
    }

    async fn send(&mut self, act: &Act) -> Option<End> {
        let permit = self.carrier.account().permit().await.expect("patience is long");
        let sent = self.carrier.send(permit, self.asked, &[LineAct { line: self.line, act }]).await;
        assert_eq!(sent.results.len(), 1);
        (self.last_sent, self.sent_since) = (Instant::now(), true);
        self.texts.extend([sent.exchange.request, sent.exchange.response]);
        let result = sent.results.into_iter().next().expect("there is one");
        let state = match &result {
            Ok(Sent::Done { .. }) => StepState::Done,
            Ok(Sent::Accepted { .. }) => StepState::Waiting,
            Err(CallError::Rejected { .. } | CallError::NotFound { .. } | CallError::Unauthorized { .. }) => StepState::Failed,
            Err(CallError::NotNow(_) | CallError::NotSent(_) | CallError::LeaseLost) => StepState::Pending,
            Err(CallError::Ambiguous(_) | CallError::Unavailable(_)) => StepState::Ambiguous,
        };
        self.acts.push(format!("{}: {}", act.what, state.as_str()));
        self.texts.extend(result.as_ref().err().map(ToString::to_string));
        if let Err(CallError::Unauthorized { .. }) = result {
            return Some(End::CredentialsRefused);
        }
        let mut created = None;
        match result {
            Ok(Sent::Done { external_id }) => created = external_id,
            Ok(Sent::Accepted { request_id: Some(id) }) => self.requests.push((act.part, id)),
            _ => {}
        }
        let external_id = act.about.clone().or(created);
        self.record(KnownPart { part: act.part, state, external_id, adopted: false });
        None
    }

    /// Waits for what was accepted. A callback that says that it failed is believed once the line, read since, does not show it.
    async fn wait_for(&mut self, part: u16) {
        self.look_later().await;
        for body in self.fixture.take_callbacks() {
            let expected = SecretString::from(self.fixture.callback_credentials());
            let request = CallbackRequest { authorization: None, body: &body, expected: &expected };
            let callback = self.fixture.kind().read_callback(&request).expect("the carrier's own callback is taken");
            let is_ours = self.requests.contains(&(part, callback.request_id.clone()));
            let failed = callback.lines.iter().find(|line| line.iccid == self.line.iccid).and_then(|line| line.failed.clone());
            if let (true, Some(reason)) = (is_ours, failed) {
                self.texts.push(reason);
                assert_eq!(self.read().await, None);
                let stands = self.there.as_ref().is_some_and(|line| self.asked.stands(line));
                let state = if stands { StepState::Done } else { StepState::Failed };
                self.record(KnownPart { part, state, external_id: None, adopted: false });
            }
        }
    }

    /// Time passes; what was read before says nothing any more.
    async fn look_later(&mut self) {
        tokio::time::sleep(LOOK_EVERY).await;
        self.there = None;
    }

    fn state(&self, part: u16) -> Option<StepState> {
        self.parts.iter().find(|known| known.part == part).map(|known| known.state)
    }

    fn record(&mut self, part: KnownPart) {
        self.parts.retain(|known| known.part != part.part);
        self.parts.push(part);
    }
}

//! What an answer means, for calls that change something and for calls that read (B5.5, B7.3).

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::mask::Masker;
use super::refusal::{asked_wait, read_refusal};
use super::transport::{Answer, TransportFault};

/// What an answer means to a caller, before the account's policy.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict<T> {
    /// It worked.
    Done(T),
    /// Clearly refused: 400 to 422 with a readable body. Nothing was done.
    Rejected { status: u16, text: String },
    /// 401 or 403.
    Unauthorized { status: u16, text: String },
    /// 404 with a readable body.
    NotFound { text: String },
    /// 429; the wait that the other side asked for.
    Throttled { wait: Option<Duration>, text: String },
    /// No byte was sent.
    NotSent(String),
    /// Nobody knows, or it may be otherwise next time; the wait that the other side asked for.
    Unclear { wait: Option<Duration>, text: String },
}

impl<T> Verdict<T> {
    /// Its name on the measure of calls. An unclear effect is ambiguous; an unclear read has merely failed.
    pub(super) const fn label(&self, changes: bool) -> &'static str {
        match self {
            Self::Done(_) => "done",
            Self::Rejected { .. } => "rejected",
            Self::Unauthorized { .. } => "unauthorized",
            Self::NotFound { .. } => "not_found",
            Self::Throttled { .. } => "throttled",
            Self::NotSent(_) => "not_sent",
            Self::Unclear { .. } if changes => "ambiguous",
            Self::Unclear { .. } => "failed",
        }
    }
}

/// Judges an answer. `read` turns a 2xx into what the caller wants, or says what is wrong with it.
pub(super) fn judge<T>(
    outcome: &Result<Answer, TransportFault>,
    changes: bool,
    masker: &Masker,
    now: DateTime<Utc>,
    read: impl FnOnce(&Answer) -> Result<T, String>,
) -> Verdict<T> {
    let answer = match outcome {
        Ok(answer) => answer,
        Err(TransportFault::NotSent(why)) => return Verdict::NotSent(why.clone()),
        Err(TransportFault::Cut(why)) => return Verdict::Unclear { wait: None, text: format!("no whole answer: {why}") },
        Err(TransportFault::TimedOut) => return Verdict::Unclear { wait: None, text: "no answer in time".to_owned() },
    };
    if (200..=299).contains(&answer.status) {
        let unusable = |why| format!("answered {} that cannot be used: {why}", answer.status);
        return read(answer).map_or_else(|why| Verdict::Unclear { wait: None, text: unusable(why) }, Verdict::Done);
    }
    let refusal = read_refusal(&answer.body, masker);
    let said = refusal.clone().unwrap_or_else(|| "nothing readable was said".to_owned());
    let wait = asked_wait(answer, refusal.as_deref().unwrap_or_default(), now);
    match (answer.status, refusal) {
        (429, _) => Verdict::Throttled { wait, text: said },
        // To a call that reads, nothing is at stake: refused credentials need no explanation.
        (status @ (401 | 403), refusal) if refusal.is_some() || !changes => Verdict::Unauthorized { status, text: said },
        (404, Some(text)) => Verdict::NotFound { text },
        (408 | 409, _) => Verdict::Unclear { wait, text: format!("answered {}: {said}", answer.status) },
        (status @ 400..=422, Some(text)) => Verdict::Rejected { status, text },
        (status, _) => Verdict::Unclear { wait, text: format!("answered {status}: {said}") },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16, body: &[u8], changes: bool) -> Verdict<()> {
        let answer = Answer { status, headers: Vec::new(), body: body.to_vec() };
        judge(&Ok(answer), changes, &Masker::new([]), DateTime::UNIX_EPOCH, |_| Ok(()))
    }

    /// The label that each status has, written down a second time and as a table.
    fn expected(status: u16, readable: bool, changes: bool) -> &'static str {
        let unclear = if changes { "ambiguous" } else { "failed" };
        match (status, readable) {
            (200..=299, _) => "done",
            (429, _) => "throttled",
            (401 | 403, true) => "unauthorized",
            (401 | 403, false) => {
                if changes {
                    "ambiguous"
                } else {
                    "unauthorized"
                }
            }
            (404, true) => "not_found",
            (400 | 402 | 405 | 406 | 407 | 410..=422, true) => "rejected",
            _ => unclear,
        }
    }

    #[test]
    fn every_status_is_judged() {
        let bodies: [(&[u8], bool); 8] = [
            (br#"{"ok":false,"message":"no"}"#, true),
            (br#"[{"message":"no"}]"#, true),
            (b"no", true),
            (b"<html><body>no</body></html>", true),
            (b"", false),
            (b" \r\n ", false),
            (b"\xff\xfe\x00", false),
            (b"no\xc3", false),
        ];
        for status in 200..=599 {
            for (body, readable) in bodies {
                for changes in [true, false] {
                    let label = verdict(status, body, changes).label(changes);
                    assert_eq!(label, expected(status, readable, changes), "{status} {body:?} changes={changes}");
                }
            }
        }
    }

    #[test]
    fn a_success_that_cannot_be_used_is_none() {
        let answer = Answer { status: 201, headers: Vec::new(), body: b"{".to_vec() };
        let judged: Verdict<()> =
            judge(&Ok(answer), true, &Masker::new([]), DateTime::UNIX_EPOCH, |_| Err("not JSON".to_owned()));
        let text = "answered 201 that cannot be used: not JSON".to_owned();
        assert_eq!(judged, Verdict::Unclear { wait: None, text });
    }

    #[test]
    fn faults_say_whether_a_byte_was_sent() {
        let judged = |fault| judge(&Err(fault), true, &Masker::new([]), DateTime::UNIX_EPOCH, |_| Ok(())).label(true);
        assert_eq!(judged(TransportFault::NotSent("no connection".to_owned())), "not_sent");
        assert_eq!(judged(TransportFault::Cut("reset".to_owned())), "ambiguous");
        assert_eq!(judged(TransportFault::TimedOut), "ambiguous");
    }
}

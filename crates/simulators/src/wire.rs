//! What goes over the wire, so that a simulator can stand behind HTTP or in the same process.

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct SimulatedRequest {
    /// `GET`, `POST` ...
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Header names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What the simulator does about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reaction {
    /// A whole answer.
    Answer {
        /// HTTP status.
        status: u16,
        /// Headers.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// An answer that breaks off: the connection is reset after these bytes of a longer body.
    Cut {
        /// HTTP status.
        status: u16,
        /// Headers.
        headers: Vec<(String, String)>,
        /// What of the body is sent.
        body: Vec<u8>,
    },
    /// The connection is reset before any answer.
    Reset,
    /// No answer, ever: the caller's time-out ends it.
    Silence,
}

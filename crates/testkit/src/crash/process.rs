//! A child process: spawned, told what to do, killed by itself at a statement, waited for.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, waitpid};

/// Tells a process that it is a child, and of what kind: `KILL_AT:TASK:STORE`.
const CHILD: &str = "LINESHIFT_CRASH_CHILD";

/// The statement before which this process kills itself; 0: none.
static KILL_AT: AtomicU64 = AtomicU64::new(0);

/// The writer's statements so far.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// What a child process is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Child {
    /// Before which of its writer's statements it dies, counted from 1; 0: it lives.
    pub kill_at: u64,
    /// What it is to do, in the scenario's words; without a colon.
    pub task: String,
    /// The store's file.
    pub store: PathBuf,
}

/// A setting that replays or widens fault tests.
#[expect(clippy::disallowed_methods, reason = "the one place where fault tests are told which seed or statement to replay")]
pub(super) fn setting(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The orders of this process, if it is a child.
#[must_use]
pub fn child() -> Option<Child> {
    let orders = setting(CHILD)?;
    let mut parts = orders.splitn(3, ':');
    let mut part = || parts.next().expect("the orders of a child are KILL_AT:TASK:STORE").to_owned();
    Some(Child { kill_at: part().parse().expect("a number"), task: part(), store: PathBuf::from(part()) })
}

/// From now on this process kills itself before that statement.
pub fn arm(kill_at: u64) {
    KILL_AT.store(kill_at, Ordering::Relaxed);
}

/// Given to the store as `before_write`.
pub fn strike(number: u64) {
    WRITTEN.store(number, Ordering::Relaxed);
    if number == KILL_AT.load(Ordering::Relaxed) {
        die();
    }
}

/// This process is gone, as if the machine had lost its power: nothing is closed, nothing is told.
pub fn die() -> ! {
    kill_process(getpid(), Signal::KILL).expect("a process may kill itself");
    // The signal ends this thread; until then it must do nothing.
    loop {
        std::thread::park();
    }
}

/// This process stands still, as if it got no time any more, until it is told to go on.
pub fn freeze() {
    kill_process(getpid(), Signal::STOP).expect("a process may stop itself");
    // Another thread may be the one that takes the signal, and this one be stopped a moment later: until then it must do nothing.
    wait_for_line();
}

/// How many statements the writer of this process sent.
pub(super) fn written() -> u64 {
    WRITTEN.load(Ordering::Relaxed)
}

/// Says something to the parent: one line.
pub fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{MARK}{line}").and_then(|()| output.flush()).expect("the parent listens");
}

/// Marks what a child says among what the test runner prints.
const MARK: &str = "child: ";
const READY: &str = "ready";
const STATEMENTS: &str = "statements ";

/// Tells the parent that this child stands ready, and waits until all are to go.
pub fn wait_for_go() {
    say(READY);
    wait_for_line();
}

fn wait_for_line() {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("the parent says go");
}

/// Says how many statements were written: the last thing that a child says.
pub fn say_statements() {
    say(&format!("{STATEMENTS}{}", written()));
}

/// A child that runs.
pub struct Running {
    process: std::process::Child,
    output: BufReader<ChildStdout>,
    go: Option<ChildStdin>,
    said: Vec<String>,
}

/// How a child ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// By signal 9.
    Killed,
    /// By itself, with everything done.
    Done {
        /// How many statements its writer sent.
        statements: u64,
        /// What it said.
        said: Vec<String>,
    },
}

impl Running {
    /// Runs the test of that name in a process of its own.
    #[must_use]
    pub fn spawn(test: &str, kill_at: u64, task: &str, store: &Path) -> Self {
        let binary = std::env::current_exe().expect("a test knows its binary");
        let mut process = Command::new(binary)
            .args(["--exact", test, "--nocapture", "--test-threads", "1"])
            .env(CHILD, format!("{kill_at}:{task}:{}", store.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the test binary runs again");
        let output = BufReader::new(process.stdout.take().expect("it is piped"));
        let go = process.stdin.take();
        Self { process, output, go, said: Vec::new() }
    }

    /// Waits until the child stands ready.
    pub fn wait_until_ready(&mut self) {
        let mut line = String::new();
        while self.output.read_line(&mut line).expect("a child writes text") > 0 {
            // The runner does not end its own line before the test's first.
            if line.trim_end().ends_with(&format!("{MARK}{READY}")) {
                return;
            }
            line.clear();
        }
        panic!("a child ended before it stood ready: {}", self.errors());
    }

    /// Lets a child go that stands ready, or still.
    pub fn go(&mut self) {
        let mut go = self.go.take().expect("a child goes once");
        // One that was killed meanwhile hears nothing; how it ended is asked later.
        drop(go.write_all(b"go\n"));
    }

    /// Waits until the child has frozen itself.
    pub fn wait_until_frozen(&self) {
        let options = WaitOptions::UNTRACED;
        let (_, status) = waitpid(Some(self.pid()), options).expect("a child can be waited for").expect("it has changed");
        assert!(status.stopped(), "a child was to freeze, yet {status:?}");
    }

    /// Lets a frozen child go on.
    pub fn thaw(&mut self) {
        kill_process(self.pid(), Signal::CONT).expect("a child can be told to go on");
        self.go();
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    fn errors(&mut self) -> String {
        let mut errors = String::new();
        let mut from = self.process.stderr.take().expect("it is piped, and read once");
        from.read_to_string(&mut errors).expect("a child writes text");
        errors
    }

    /// Waits for its end. Panics when it neither was killed by SIGKILL nor did all that it was to do.
    #[must_use]
    pub fn wait(mut self) -> Ended {
        drop(self.go.take());
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).expect("a child writes text");
        let errors = self.errors();
        let status = self.process.wait().expect("a child can be waited for");
        if status.signal() == Some(Signal::KILL.as_raw()) {
            return Ended::Killed;
        }
        assert!(status.success(), "a child failed, {status}:\n{rest}\n{errors}");
        self.said.extend(rest.lines().filter_map(|line| Some(line.split_once(MARK)?.1.to_owned())));
        let statements = self.said.iter().find_map(|line| line.strip_prefix(STATEMENTS));
        let statements = statements.unwrap_or_else(|| panic!("a child did nothing; is its test named right?\n{rest}"));
        Ended::Done { statements: statements.parse().expect("a number"), said: self.said.clone() }
    }
}

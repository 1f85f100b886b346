//! Running the program, alone and as a server.

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// What a run came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("the program writes UTF-8");
        Self { code: output.status.code().expect("it ended by itself"), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Standard output of a run that ended with that code.
    pub(crate) fn expect(self, code: i32) -> String {
        assert_eq!(self.code, code, "standard output:\n{}\nstandard error:\n{}", self.out, self.err);
        self.out
    }

    /// Standard output as one JSON value.
    pub(crate) fn json(self, code: i32) -> Value {
        let out = self.expect(code);
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
    }

    /// Standard error of a run that failed with that code and wrote nothing else.
    pub(crate) fn failure(self, code: i32) -> String {
        assert_eq!((self.code, self.out.as_str()), (code, ""), "{}", self.err);
        self.err
    }
}

/// A directory of its own with a store in it.
pub(crate) struct Place {
    dir: TempDir,
    variables: Vec<(String, String)>,
}

impl Place {
    /// An empty directory.
    pub(crate) fn empty() -> Self {
        Self { dir: tempfile::tempdir().expect("a directory"), variables: Vec::new() }
    }

    /// A store with a tenant, the examples and an API key.
    pub(crate) fn with_examples() -> Self {
        Self::empty().and_examples()
    }

    /// The same in the store that its variables name.
    pub(crate) fn and_examples(self) -> Self {
        let mut place = self;
        place.run(&["admin", "tenant", "create", "Acme", "--time-zone", "America/New_York"]).expect(0);
        for kind in [
            "authentications",
            "providers",
            "customers",
            "sites",
            "plans",
            "pools",
            "devices",
            "assignments",
            "rev-services",
            "plan-queue",
        ] {
            let file = example(&format!("{kind}.csv"));
            place.run(&["import", kind, &file]).expect(0);
        }
        let key = place.run(&["admin", "key", "create", "tests", "--json"]).json(0);
        place.set("LINESHIFT_API_KEY", key["key"].as_str().expect("the key"));
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file and answers its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).expect("the file is written");
        self.path(name).to_str().expect("UTF-8").to_owned()
    }

    /// Sets a variable for all runs from now on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.retain(|(set, _)| set != name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Where the server that was started last listens.
    pub(crate) fn url(&self) -> String {
        let found = self.variables.iter().find(|(name, _)| name == "LINESHIFT_URL");
        found.map(|(_, url)| url.clone()).expect("a server was started")
    }

    /// The program with its environment, ready to be run.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lineshift"));
        command.args(arguments).current_dir(self.dir.path()).stdin(Stdio::null());
        let ours = ["CONFIG", "STORE", "URL", "API_KEY", "SECRET_KEY", "SECRETS_KEY_FILE", "SEEDS"];
        for name in ours.map(|name| format!("LINESHIFT_{name}")) {
            command.env_remove(name);
        }
        command.envs(self.variables.iter().cloned());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&self.command(arguments).output().expect("the program starts"))
    }

    /// Runs the program with something on its standard input.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Ran {
        let mut command = self.command(arguments);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        child.stdin.take().expect("it is piped").write_all(input.as_bytes()).expect("it reads");
        Ran::of(&child.wait_with_output().expect("it ends"))
    }

    /// Starts a server on any free port; runs from now on call it.
    pub(crate) fn serve(&mut self, arguments: &[&str]) -> Running {
        let all: Vec<&str> = ["serve", "--listen", "127.0.0.1:0"].iter().chain(arguments).copied().collect();
        let running = Running::start(self.command(&all));
        let line = running.until("listening on http");
        let at = line.find("http").expect("the line holds the address");
        self.set("LINESHIFT_URL", line[at..].split_whitespace().next().expect("the address"));
        running
    }
}

/// The path of an example.
pub(crate) fn example(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(file);
    path.to_str().expect("UTF-8").to_owned()
}

/// A process that goes on; ended when this is dropped.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: RefCell<String>,
}

impl Running {
    /// Starts it; standard error is listened to.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let lines = listen(child.stderr.take().expect("it is piped"));
        Self { child, lines, seen: RefCell::default() }
    }

    /// What it wrote to standard error up to the line that was last waited for.
    pub(crate) fn seen(&self) -> String {
        self.seen.borrow().clone()
    }

    /// The next line of standard error that holds a text.
    pub(crate) fn until(&self, text: &str) -> String {
        for line in &self.lines {
            self.seen.borrow_mut().extend([line.as_str(), "\n"]);
            if line.contains(text) {
                return line;
            }
        }
        panic!("it ended without saying {text:?}:\n{}", self.seen.borrow());
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal (`STOP`, `CONT`, `INT`, `TERM`).
    pub(crate) fn signal(&self, signal: &str) {
        let signal = match signal {
            "STOP" => Signal::STOP,
            "CONT" => Signal::CONT,
            "INT" => Signal::INT,
            "TERM" => Signal::TERM,
            other => panic!("nobody sends {other}"),
        };
        // Without a program in between, that this one may have gone on meanwhile.
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process");
        kill_process(id, signal).expect("it runs");
    }

    /// Ends it by SIGKILL.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Sends a signal (`INT`, `TERM`), waits for the end and answers what it came to.
    pub(crate) fn end_by(mut self, signal: &str) -> Ran {
        self.signal(signal);
        let mut out = String::new();
        std::io::Read::read_to_string(&mut self.child.stdout.take().expect("it is piped"), &mut out).expect("UTF-8");
        let status = self.child.wait().expect("it ends");
        Ran { code: status.code().expect("it ended by itself"), out, err: self.lines.iter().collect::<Vec<_>>().join("\n") }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn listen(stderr: ChildStderr) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            // Nobody listens any more once the test is over; what is written must be read all the same.
            drop(sender.send(line));
        }
    });
    lines
}

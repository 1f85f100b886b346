//! What lies between a process and its database: it sees what the database undoes, may ask for more than the process does, and may lose
//! what is announced, or that something was committed.

use std::io::{self, BufReader, BufWriter, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use lineshift_store_postgres::testing::TestDatabase;

/// How the product begins what it writes, and what takes its place where one snapshot is asked for: as long as the other.
const BEGINS: &[u8] = b"ISOLATION LEVEL READ COMMITTED";
const BEGINS_STRICTLY: &[u8] = b"ISOLATION LEVEL SERIALIZABLE  ";

/// The codes of a serialization failure and of a deadlock, as an error carries them.
const SERIALIZATION_FAILURE: &[u8] = b"C40001\0";
const DEADLOCK: &[u8] = b"C40P01\0";

/// The answer to a commit.
const COMMITTED: &[u8] = b"COMMIT\0";

/// What a wire was told, and what it saw.
#[derive(Default)]
pub(crate) struct Seen {
    /// Whether transactions that write see one snapshot, so that who changes the same rows is in their way.
    pub(crate) strict: AtomicBool,
    /// Whether what is announced is lost.
    pub(crate) silent: AtomicBool,
    /// Of which commit nobody hears, because the connection breaks first; 0: of every one.
    pub(crate) unheard: AtomicU64,
    /// How many commits the database answered so far.
    pub(crate) commits: AtomicU64,
    /// How many announcements were lost.
    pub(crate) lost: AtomicU64,
    /// How many statements the database refused because of a deadlock.
    pub(crate) deadlocks: AtomicU64,
    /// How many because somebody had changed the same rows.
    pub(crate) serialization_failures: AtomicU64,
}

/// A wire to one database. It carries until the process ends.
pub(crate) struct Wire {
    url: String,
    pub(crate) seen: Arc<Seen>,
}

impl Wire {
    /// To that database, for the product's role.
    pub(crate) fn to(database: &TestDatabase) -> Self {
        let url = database.app_url();
        let (_, after) = url.split_once('@').expect("a role stands before the server");
        let (server, _) = after.split_once('/').expect("a database stands after the server");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let here = listener.local_addr().expect("a bound listener has an address").to_string();
        let seen = Arc::new(Seen::default());
        let (server, seeing) = (server.to_owned(), Arc::clone(&seen));
        let wire = Self { url: url.replace(&server, &here), seen };
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // Whoever finds nobody there connects again.
                if let Ok(server) = TcpStream::connect(&server) {
                    carry(client, server, &seeing).expect("a connection has two ends");
                }
            }
        });
        wire
    }

    /// The URL of a process that is known by that name.
    pub(crate) fn url_of(&self, process: &str) -> String {
        format!("{}?application_name={process}", self.url)
    }
}

/// Carries in both directions until one side is gone; then the other is, too.
fn carry(client: TcpStream, server: TcpStream, seen: &Arc<Seen>) -> io::Result<()> {
    let (from_client, to_client) = (client.try_clone()?, client);
    let (from_server, to_server) = (server.try_clone()?, server);
    let (asking, answering) = (Arc::clone(seen), Arc::clone(seen));
    thread::spawn(move || {
        drop(ask(&from_client, &to_server, &asking));
        close(&from_client, &to_server);
    });
    thread::spawn(move || {
        drop(answer(&from_server, &to_client, &answering));
        close(&from_server, &to_client);
    });
    Ok(())
}

fn close(one: &TcpStream, other: &TcpStream) {
    // Either may be gone already.
    drop(one.shutdown(Shutdown::Both));
    drop(other.shutdown(Shutdown::Both));
}

/// What the process says. It waits for an answer after each beginning, which therefore comes in one piece.
fn ask(mut from: &TcpStream, mut to: &TcpStream, seen: &Seen) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = from.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        let said = &mut buffer[..length];
        if seen.strict.load(Ordering::Relaxed)
            && let Some(at) = said.windows(BEGINS.len()).position(|part| part == BEGINS)
        {
            said[at..at + BEGINS.len()].copy_from_slice(BEGINS_STRICTLY);
        }
        to.write_all(said)?;
    }
}

/// What the database answers: a letter, a length that counts itself, the rest.
fn answer(from: &TcpStream, to: &TcpStream, seen: &Seen) -> io::Result<()> {
    let (mut from, mut to) = (BufReader::new(from), BufWriter::new(to));
    loop {
        let mut head = [0; 5];
        from.read_exact(&mut head)?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
        let mut rest = vec![0; usize::try_from(length).expect("it fits") - 4];
        from.read_exact(&mut rest)?;
        let has = |code: &[u8]| rest.windows(code.len()).any(|part| part == code);
        if head[0] == b'C' && rest == COMMITTED {
            let nth = seen.commits.fetch_add(1, Ordering::SeqCst) + 1;
            if nth == seen.unheard.load(Ordering::SeqCst) {
                return Ok(());
            }
        }
        let counted = match head[0] {
            b'A' if seen.silent.load(Ordering::Relaxed) => Some(&seen.lost),
            b'E' if has(DEADLOCK) => Some(&seen.deadlocks),
            b'E' if has(SERIALIZATION_FAILURE) => Some(&seen.serialization_failures),
            _ => None,
        };
        if let Some(counted) = counted {
            counted.fetch_add(1, Ordering::Relaxed);
        }
        if head[0] != b'A' || counted.is_none() {
            to.write_all(&head)?;
            to.write_all(&rest)?;
        }
        if from.buffer().is_empty() {
            to.flush()?;
        }
    }
}

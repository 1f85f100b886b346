//! Hashing and checking of passwords with Argon2id, on at most half of the cores.

use std::sync::Arc;

use argon2::password_hash::{Error as HashError, PasswordHasher as _, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;

use crate::problem::ApiProblem;

/// The least that OWASP's Password Storage Cheat Sheet asks of Argon2id: 19 MiB of memory, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// How many may wait or be worked on at a time: more would wait longer than a person does.
const MOST_WAITING: usize = 128;

/// After how many seconds whoever found too many waiting may try again.
const RETRY_AFTER_SECONDS: u32 = 5;

/// What a password is compared with where there is none, so that it takes as long: a hash of the same cost. Nobody knows what is hashed
/// to zeros.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdC4uLg$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a password could not be hashed or compared.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The machine has no randomness, or no memory, to give.
    #[error("the password could not be hashed: {0}")]
    NotHashed(HashError),
    /// What is stored is no hash of a password.
    #[error("what is stored is no hash of a password: {0}")]
    UnreadableHash(HashError),
}

/// Argon2id of a password with a salt of its own, in the PHC text form, as it is stored. Takes some 30 ms and 19 MiB: in async code only
/// on a blocking thread. How strong the password is, is for [`lineshift_domain::passwords`] to say.
///
/// # Errors
/// [`PasswordError::NotHashed`].
pub fn hash_password(password: &SecretString) -> Result<String, PasswordError> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|_| PasswordError::NotHashed(HashError::Internal))?;
    let hash = argon2id()?.hash_password_with_salt(password.expose_secret().as_bytes(), &salt);
    Ok(hash.map_err(PasswordError::NotHashed)?.to_string())
}

/// Whether that is the password of a stored hash; with none, never, and it takes as long.
///
/// # Errors
/// [`PasswordError::UnreadableHash`].
fn is_password(password: &SecretString, stored: Option<&str>) -> Result<bool, PasswordError> {
    let compared =
        PasswordVerifier::<str>::verify_password(&argon2id()?, password.expose_secret().as_bytes(), stored.unwrap_or(NOBODY));
    match compared {
        Ok(()) => Ok(stored.is_some()),
        Err(HashError::PasswordInvalid) => Ok(false),
        Err(error) => Err(PasswordError::UnreadableHash(error)),
    }
}

fn argon2id() -> Result<Argon2<'static>, PasswordError> {
    let parameters = Params::new(MEMORY_KIB, PASSES, LANES, None);
    let parameters = parameters.map_err(|_| PasswordError::NotHashed(HashError::Internal))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters))
}

/// The turns of a process: others than those who sign in are to be answered, too.
#[derive(Clone)]
pub(crate) struct Passwords {
    /// One for each that is worked on.
    turns: Arc<Semaphore>,
    /// One for each that waits or is worked on.
    places: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self::with((cores / 2).max(1), MOST_WAITING)
    }
}

impl Passwords {
    fn with(at_once: usize, most_waiting: usize) -> Self {
        Self { turns: Arc::new(Semaphore::new(at_once)), places: Arc::new(Semaphore::new(most_waiting)) }
    }

    /// Hashes a password. Errors: 503 where too many wait.
    pub(crate) async fn hash(&self, password: SecretString) -> Result<String, ApiProblem> {
        self.worked(move || hash_password(&password)).await
    }

    /// Whether that is the password of a stored hash; with none, never, and it takes as long. Errors: 503 where too many wait.
    pub(crate) async fn check(&self, password: SecretString, stored: Option<String>) -> Result<bool, ApiProblem> {
        self.worked(move || is_password(&password, stored.as_deref())).await
    }

    /// Works when it is one's turn, on a thread of its own that lets every other go first. The turn is the work's, not the request's: one that
    /// goes away gives no other a core that is still busy.
    async fn worked<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, ApiProblem> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            ApiProblem::unavailable("too many people sign in at once; try again").retry_after(RETRY_AFTER_SECONDS)
        })?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| ApiProblem::internal())?;
        let worked = tokio::task::spawn_blocking(move || {
            let _held = (place, turn);
            last_of_all(work)
        });
        match worked.await {
            Ok(Ok(Ok(done))) => Ok(done),
            Ok(Ok(Err(error))) => {
                tracing::error!(%error, "a password could not be worked on");
                Err(ApiProblem::internal())
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "no thread can be had to work on a password");
                Err(ApiProblem::internal())
            }
            Err(error) => {
                tracing::error!(%error, "the work on a password was cut off");
                Err(ApiProblem::internal())
            }
        }
    }
}

/// Does it on a thread of its own that lets every other go first: those of the runtime are used for other things next, and a priority that was
/// given up is not had back. Errors: there is no thread.
fn last_of_all<T: Send>(work: impl FnOnce() -> T + Send) -> std::io::Result<T> {
    std::thread::scope(|threads| {
        let thread = std::thread::Builder::new().name("password".to_owned()).spawn_scoped(threads, || {
            let_others_go_first();
            work()
        })?;
        Ok(thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// Gives this thread the least of the machine where threads have a priority of their own: hashing takes a core for a fiftieth of a second,
/// and whoever does not sign in is not to wait for it. Elsewhere it does nothing, as there the whole process would have less.
fn let_others_go_first() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, LEAST_PRIORITY) {
        tracing::debug!(%error, "the priority of a thread stays");
    }
}

/// As `nice` counts.
#[cfg(target_os = "linux")]
const LEAST_PRIORITY: i32 = 19;

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Instant;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[test]
    fn a_hash_knows_its_password_and_says_how_it_was_made() {
        let hash = hash_password(&secret("correct horse")).expect("a hash");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, hash_password(&secret("correct horse")).expect("a hash"), "each has its own salt");
        assert!(is_password(&secret("correct horse"), Some(&hash)).expect("it is compared"));
        for wrong in ["", "correct hors", "Correct horse", "correct horse "] {
            assert!(!is_password(&secret(wrong), Some(&hash)).expect("it is compared"), "{wrong}");
        }
    }

    #[test]
    fn what_is_no_hash_is_told() {
        assert!(matches!(is_password(&secret("x"), Some("plain")), Err(PasswordError::UnreadableHash(_))));
    }

    #[test]
    fn where_there_is_none_nothing_fits_and_it_takes_as_long() {
        let hash = hash_password(&secret("correct horse")).expect("a hash");
        let cost = |hash: &str| hash.rsplitn(3, '$').last().map(str::to_owned);
        assert_eq!(cost(NOBODY), cost(&hash), "compared at the same cost");
        assert!(!is_password(&secret("correct horse"), None).expect("it is compared"));
        let took = |stored: Option<&str>| {
            let began = Instant::now();
            is_password(&secret("wrong"), stored).expect("it is compared");
            began.elapsed()
        };
        let least = |stored: Option<&str>| (0..5).map(|_| took(stored)).min().expect("five times");
        assert!(least(None) * 2 > least(Some(&hash)), "nobody is not found sooner");
    }

    #[tokio::test]
    async fn work_waits_for_its_turn_and_too_many_are_refused() {
        let passwords = Passwords::with(2, 50);
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let (passwords, now, most) = (passwords.clone(), Arc::clone(&now), Arc::clone(&most));
            waiting.spawn(async move {
                let work = move || {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    hash_password(&secret("correct horse"))?;
                    now.fetch_sub(1, Ordering::SeqCst);
                    Ok(())
                };
                passwords.worked(work).await
            });
        }
        // Everybody who waits has come before the next one does.
        while passwords.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let refused = passwords.hash(secret("x")).await.expect_err("no place is left");
        assert_eq!(refused.view().status, 503);
        while let Some(done) = waiting.join_next().await {
            done.expect("no panic").expect("each has its turn");
        }
        assert_eq!(most.load(Ordering::SeqCst), 2, "never more than two at once");
        assert_eq!(passwords.places.available_permits(), 50);
    }
}

//! A digest of a body, taken while the handler reads it: nothing is held that the handler would not hold. After its last byte whoever sends
//! it is looked at again.

use std::sync::{Arc, Mutex, PoisonError};

use axum::BoxError;
use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use futures::{StreamExt as _, stream};
use sha2::{Digest as _, Sha256};

use crate::standing::{Standing, ThrownOut};

/// What was read of a body.
#[derive(Clone, Default)]
pub(crate) struct BodyRead(Arc<Mutex<Read>>);

#[derive(Default)]
struct Read {
    digest: Sha256,
    bytes: u64,
    whole: bool,
}

impl BodyRead {
    /// SHA-256 of the body; none: there was none, or it was not read to its end.
    pub(crate) fn hash(&self) -> Option<[u8; 32]> {
        let read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (read.whole && read.bytes > 0).then(|| read.digest.clone().finalize().into())
    }

    fn take(&self, chunk: Option<&[u8]>) {
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match chunk {
            Some(bytes) => {
                read.digest.update(bytes);
                read.bytes += bytes.len() as u64;
            }
            None => read.whole = true,
        }
    }
}

/// The request, and what is read of its body from now on. Where it is known who sends it, they must still be there at its end.
pub(crate) fn observed(request: Request, standing: Option<Standing>) -> (Request, BodyRead) {
    let read = BodyRead::default();
    if request.body().is_end_stream() {
        return (request, read);
    }
    let (parts, body) = request.into_parts();
    let begun = (body.into_data_stream(), read.clone(), standing);
    let chunks = stream::unfold(begun, |(mut chunks, read, mut standing)| async move {
        let chunk = match chunks.next().await {
            Some(Ok(bytes)) => {
                read.take(Some(&bytes));
                Ok(bytes)
            }
            Some(Err(error)) => Err(BoxError::from(error)),
            None => {
                read.take(None);
                // Asked once: after that the body is over either way.
                let problem = standing.take()?.still_holds().await.err()?;
                Err(ThrownOut(problem).into())
            }
        };
        Some((chunk, (chunks, read, standing)))
    });
    (Request::from_parts(parts, Body::from_stream(chunks)), read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_whole_body_has_a_digest() {
        let (request, read) = observed(Request::new(Body::from("abc")), None);
        assert_eq!(read.hash(), None, "nobody has read it yet");
        let bytes = axum::body::to_bytes(request.into_body(), 10).await.expect("a body");
        assert_eq!(bytes.as_ref(), b"abc");
        let expected: [u8; 32] = Sha256::digest(b"abc").into();
        assert_eq!(read.hash(), Some(expected));

        let (request, read) = observed(Request::new(Body::empty()), None);
        axum::body::to_bytes(request.into_body(), 10).await.expect("a body");
        assert_eq!(read.hash(), None, "there was none");

        let chunks = stream::iter([Ok(axum::body::Bytes::from_static(b"abc")), Err(std::io::Error::other("reset"))]);
        let (request, read) = observed(Request::new(Body::from_stream(chunks)), None);
        assert!(axum::body::to_bytes(request.into_body(), 10).await.is_err());
        assert_eq!(read.hash(), None, "it broke off");
    }
}

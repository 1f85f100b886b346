//! Texts and tables that people send are read beside the threads that serve others: so many at once, each counted until it is done, also
//! when nobody waits for it any more.

use crate::problem::ApiProblem;
use crate::turns::Turns;

/// Texts and tables that are read at once: a small one may take as long as a large one, and some hundred megabytes.
const AT_ONCE: usize = 4;

/// How many of them are one tenant's at most.
const OF_A_TENANT: usize = 2;

/// Turns for reading. They are apart from those of large bodies, which may be on their way for minutes: what has come in is read in seconds.
pub(crate) fn readings() -> Turns {
    Turns::at("texts or files", AT_ONCE, OF_A_TENANT)
}

/// Works beside the threads that serve others. What is held stays held until the work is done: whoever sent it may be gone before. Errors:
/// 500 where the work panicked.
pub(super) async fn beside<T, H>(held: H, work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiProblem>
where
    T: Send + 'static,
    H: Send + 'static,
{
    let work = move || {
        let done = work();
        drop(held);
        done
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "reading what was sent was cut off");
        ApiProblem::internal()
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use lineshift_domain::ids::TenantId;
    use tokio::sync::mpsc as asynchronous;
    use tokio::task::JoinHandle;

    use super::*;

    /// Someone's reading, which says that it has begun and goes on when it is told to.
    fn reading(readings: &Turns, tenant: i64, begun: &asynchronous::UnboundedSender<i64>) -> (JoinHandle<()>, mpsc::Sender<()>) {
        let ((go_on, told), readings, begun) = (mpsc::channel(), readings.clone(), begun.clone());
        let task = tokio::spawn(async move {
            let turn = readings.take(TenantId(tenant)).await.map_err(|_| ()).expect("a turn");
            let work = move || {
                begun.send(tenant).expect("somebody counts");
                told.recv().expect("told to go on");
            };
            beside(turn, work).await.map_err(|_| ()).expect("read");
        });
        (task, go_on)
    }

    #[tokio::test]
    async fn so_many_are_read_at_once_and_count_until_they_are_done_even_if_nobody_waits() {
        let (readings, (begun, mut begins)) = (readings(), asynchronous::unbounded_channel());
        let mut of_one: Vec<_> = (0..3).map(|_| reading(&readings, 1, &begun)).collect();
        let of_others: Vec<_> = [2, 3].map(|tenant| reading(&readings, tenant, &begun)).into();
        let mut began = Vec::new();
        for _ in 0..4 {
            began.push(begins.recv().await.expect("it begins"));
        }
        began.sort_unstable();
        assert_eq!(began, [1, 1, 2, 3], "the third of one waits");
        assert!(readings.all_taken_for(TenantId(4)), "there are four altogether");

        // Whoever sent the first and the second is gone: they are read all the same, and the third has to wait.
        for (task, _) in &of_one[..2] {
            task.abort();
        }
        for (task, _) in &mut of_one[..2] {
            assert!(task.await.is_err_and(|error| error.is_cancelled()));
        }
        assert!(begins.try_recv().is_err() && readings.all_taken_for(TenantId(4)), "they count until they are done");
        of_one[0].1.send(()).expect("it is read still");
        assert_eq!(begins.recv().await, Some(1), "now it is the third one's turn");
        for (_, go_on) in of_one[1..].iter().chain(&of_others) {
            go_on.send(()).expect("it is read still");
        }
        of_one.pop().expect("the third").0.await.expect("read");
        for (task, _) in of_others {
            task.await.expect("read");
        }
    }
}

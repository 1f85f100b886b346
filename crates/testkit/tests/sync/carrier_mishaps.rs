//! What may come between: kills, faults, limits, refused credentials.

use std::time::Duration;

use lineshift_domain::sync::SyncState;
use lineshift_simulators::jasper::{ErrorShape, Faults};
use lineshift_simulators::pond::Sim;
use lineshift_store::sync::{SyncCounts, SyncRun};

use crate::carrier_world::{CarrierWorld, EVERY_DEVICE, device, met, sim};
use crate::world::work_for;

/// A world with lines on several pages that are known here, some of them changed and gone since.
async fn changed() -> CarrierWorld {
    let world = CarrierWorld::with_lines(220).await;
    world.sync(world.jasper_account, EVERY_DEVICE).await;
    world.sync(world.pond_account, EVERY_DEVICE).await;
    for nth in [3, 77, 140] {
        world.jasper.remove_device(&device(nth));
        world.pond.remove_sim(&sim(nth));
    }
    for nth in [5, 199] {
        world.jasper.change_device(&device(nth), |device| device.rate_plan = Some("Tracker".to_owned()));
        world.pond.with_sim(Sim { msisdn: Some("447000000000".to_owned()), ..Sim::new(&sim(nth)) });
    }
    world.jasper.with_device(&device(900), "Tracker");
    world.pond.with_sim(Sim::new(&sim(900)));
    world
}

/// What a run over either carrier of such a world comes to.
const EXPECTED: (i64, i64, i64, i64, i64, i64) = (218, 1, 2, 215, 0, 3);

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_at_every_page_comes_to_the_same() {
    let world = changed().await;
    world.jasper.adjust(|options| options.latency = Duration::from_secs(1));
    let operator = &world.operator;
    let begun = operator.engine.begin_sync(&operator.caller, world.jasper_account, EVERY_DEVICE).await.expect("begun");
    let (mut kills, mut stood) = (0, world.look(&begun).await);
    let mut after = Duration::from_millis(1_500);
    while stood.state == SyncState::Running {
        // Killed in the middle of the call after the first that was answered; what takes several calls between two writes is given
        // longer.
        let engine = world.another_engine();
        let killed = tokio::spawn(async move { engine.run_due_syncs().await });
        tokio::time::sleep(after).await;
        killed.abort();
        drop(killed.await);
        kills += 1;
        let stands = world.look(&begun).await;
        let place = |run: &SyncRun| (run.phase, run.page, run.after);
        after = if place(&stood) == place(&stands) { after + Duration::from_secs(1) } else { Duration::from_millis(1_500) };
        stood = stands;
        assert_eq!(world.another_engine().run_due_syncs().await.expect("nothing is due"), 0, "its lease runs on");
        tokio::time::sleep(Duration::from_secs(61)).await;
    }
    assert_eq!((stood.state, met(&world.look(&begun).await)), (SyncState::Done, EXPECTED));
    assert!(kills >= 5, "five pages of lines: {kills}");
}

#[tokio::test(start_paused = true)]
async fn faults_change_nothing_of_what_a_run_comes_to() {
    for seed in 1..=6 {
        let world = changed().await;
        // That a line is not there is said in words that can be read; where it is not, see the next test.
        let faults = Faults::of_carrier(0.2).with_shapes(&[ErrorShape::Object]);
        world.jasper.adjust(|options| (options.seed, options.faults) = (seed, faults.clone()));
        world.pond.adjust(|options| (options.seed, options.faults) = (seed, faults));
        for account in [world.jasper_account, world.pond_account] {
            let run = world.run(account, EVERY_DEVICE).await;
            println!("seed {seed}: {:?} {:?}", run.state, run.counts);
            assert_eq!((run.state, met(&run)), (SyncState::Done, EXPECTED), "seed {seed}: {:?}", run.note);
        }
        assert_eq!(world.jasper.ledger().summary().traffic.wrong_requests, 0, "seed {seed}");
        assert_eq!(world.pond.ledger().summary().traffic.wrong_requests, 0, "seed {seed}");
        let archived = world.column("SELECT count(*) FROM device WHERE is_archived = 1").await;
        assert_eq!(archived, ["6"], "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_refused_again_and_again_keeps_nobody_waiting() {
    let world = changed().await;
    // Of devices that are not there Jasper says what nobody understands.
    world.jasper.adjust(|options| {
        options.codes_missing = 1.0;
        options.faults = Faults::none();
    });
    let run = world.run(world.jasper_account, EVERY_DEVICE).await;
    assert_eq!((run.state, run.counts.gone), (SyncState::Done, 0), "{:?}", run.note);
    assert_eq!(met(&run), (221, 1, 2, 215, 3, 0), "each is told");
    assert_eq!(world.column("SELECT count(*) FROM device WHERE is_archived = 1").await, ["0"], "and is believed to be there");
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_end_a_run_and_are_noted() {
    let world = CarrierWorld::with_lines(3).await;
    world.jasper.refuse_credentials(true);
    let run = world.run(world.jasper_account, lineshift_engine::SyncOrder::ALL).await;
    assert_eq!((run.state, run.counts.new), (SyncState::Failed, 0));
    assert!(run.note.as_deref().is_some_and(|note| note.contains("credentials were refused")), "{:?}", run.note);
    let account = world.operator.store.get_account(world.operator.tenant(), world.jasper_account).await.expect("there");
    assert!(account.refused_at.is_some());
    world.jasper.refuse_credentials(false);
    assert_eq!(world.sync(world.jasper_account, EVERY_DEVICE).await.counts.new, 3, "another run may begin");
}

#[tokio::test(start_paused = true)]
async fn a_carrier_that_stays_away_is_given_up() {
    let world = CarrierWorld::with_lines(3).await;
    world.pond.break_down(true);
    let operator = &world.operator;
    let begun = operator.engine.begin_sync(&operator.caller, world.pond_account, EVERY_DEVICE).await.expect("begun");
    let run = work_for(operator, &operator.engine, begun.id).await;
    assert_eq!((run.state, run.counts), (SyncState::Failed, SyncCounts::default()));
    assert!(run.note.as_deref().is_some_and(|note| note.starts_with("it failed 10 times in a row")), "{:?}", run.note);
}

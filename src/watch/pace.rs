//! When to look next. What fills a small filesystem and empties it again can be over in milliseconds; looking that often
//! for hours would cost too much. So the eye is sharp at first, tires with time, and sharpens where a place could come to
//! its end before the next look.

use crate::sys::fs::Space;
use std::time::{Duration, Instant};

/// The shortest time between two looks.
const SHORTEST: Duration = Duration::from_millis(1);
/// The longest.
const LONGEST: Duration = Duration::from_millis(100);
/// A look comes when this part of the run so far has gone by again.
const TIRING: u32 = 50;
/// A look may take this part of the time between two …
const SHARE: u32 = 500;
/// … and this part at first and where a place could come to its end.
const SHARE_WHEN_SHARP: u32 = 50;
/// Nothing is tired before this age.
const YOUNG: Duration = Duration::from_secs(1);
/// A place is in use for this long after its counters changed.
const IN_USE: Duration = Duration::from_millis(500);
/// What a machine can write in a millisecond at most, in bytes.
const BYTES_A_MILLISECOND: u64 = 2_000_000;
/// The files that it can make in a millisecond at most.
const INODES_A_MILLISECOND: u64 = 500;
/// Looks that there should be on the way to the end of a place.
const LOOKS_ON_THE_WAY: u32 = 4;

/// How long to wait after a look that took `cost`, when the run is `age` old and the places in use could reach their end
/// no sooner than `reach`.
pub fn next(age: Duration, reach: Option<Duration>, cost: Duration) -> Duration {
    let weary = (age / TIRING).clamp(SHORTEST, LONGEST);
    let alert = reach.map_or(LONGEST, |reach| (reach / LOOKS_ON_THE_WAY).max(SHORTEST));
    let share = if age < YOUNG || alert < LONGEST { SHARE_WHEN_SHARP } else { SHARE };
    weary.min(alert).max((cost * share).min(LONGEST))
}

/// The least time in which what is left of a place could be used up; nothing where it is unused or used up already.
pub fn reach(space: &Space, since_change: Duration) -> Option<Duration> {
    if since_change > IN_USE {
        return None;
    }
    let bytes = space.bytes_available() / BYTES_A_MILLISECOND;
    let inodes = space.inodes_free / INODES_A_MILLISECOND;
    let left = [(space.blocks_available, bytes), (space.inodes_free, inodes)];
    left.into_iter().filter(|(left, _)| *left > 0).map(|(_, reach)| Duration::from_millis(reach)).min()
}

/// What can be used up and given back without a look seeing it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// Bytes.
    pub bytes: u64,
    /// Inodes.
    pub inodes: u64,
}

/// What can be used up and given back unseen in a run of this age: no two looks are further apart than the longest wait.
pub fn unseen(age: Duration) -> Unseen {
    let milliseconds = u64::try_from(age.min(LONGEST).as_millis()).unwrap_or(u64::MAX);
    Unseen { bytes: milliseconds * BYTES_A_MILLISECOND, inodes: milliseconds * INODES_A_MILLISECOND }
}

/// How often something is looked at that takes milliseconds and only words give reason for: at once a few times, and then as
/// often as takes a twentieth of the time. The last words before the end are often those that count.
#[derive(Default)]
pub struct Ration {
    looks: u32,
    last: Option<Instant>,
    cost: Duration,
}

/// Looks that are free.
const FREE: u32 = 8;
/// A look may take this part of the time since the one before.
const PART: u32 = 20;

impl Ration {
    /// Whether there may be a look now.
    pub fn grants(&self, now: Instant) -> bool {
        self.looks < FREE || self.last.is_none_or(|last| now.saturating_duration_since(last) > self.cost * PART)
    }

    /// There was a look that began then.
    pub fn spend(&mut self, begun: Instant) {
        self.looks += 1;
        self.last = Some(Instant::now());
        self.cost = begun.elapsed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Duration = Duration::from_micros(1);

    fn space(blocks: u64, inodes: u64) -> Space {
        Space {
            block_size: 4096,
            blocks: 1 << 30,
            blocks_free: blocks,
            blocks_available: blocks,
            inodes: 1 << 30,
            inodes_free: inodes,
        }
    }

    #[test]
    fn the_eye_is_sharp_at_first_and_tires() {
        let waits = [0, 40, 500, 2_500, 60_000].map(|age| next(Duration::from_millis(age), None, CHEAP).as_millis());
        assert_eq!(waits, [1, 1, 10, 50, 100]);
    }

    #[test]
    fn a_place_in_use_that_could_end_soon_sharpens_it() {
        let soon = reach(&space(1 << 30, 8_000), Duration::ZERO);
        assert_eq!(next(Duration::from_mins(1), soon, CHEAP), Duration::from_millis(4));
    }

    #[test]
    fn an_unused_place_and_one_at_its_end_do_not() {
        assert_eq!(reach(&space(10, 10), Duration::from_secs(1)), None);
        assert_eq!(reach(&space(0, 0), Duration::ZERO), None);
    }

    #[test]
    fn a_look_that_takes_long_is_taken_less_often() {
        let waits = [0, 60].map(|age| next(Duration::from_secs(age), None, Duration::from_micros(90)).as_micros());
        assert_eq!(waits, [4_500, 100_000]);
    }

    #[test]
    fn what_passes_unseen_is_little_and_no_more_in_an_hour_than_in_a_second() {
        let [short, second, hour] = [3, 1000, 3_600_000].map(|age| unseen(Duration::from_millis(age)));
        assert_eq!(short, Unseen { bytes: 6_000_000, inodes: 1500 });
        assert_eq!(second, hour);
    }

    #[test]
    fn a_few_looks_are_free_and_later_ones_wait_for_their_turn() {
        let mut ration = Ration::default();
        let begun = Instant::now();
        for _ in 0..FREE {
            assert!(ration.grants(begun));
            ration.spend(begun);
        }
        ration.cost = Duration::from_millis(5);
        let last = ration.last.unwrap();
        assert!(!ration.grants(last + Duration::from_millis(90)));
        assert!(ration.grants(last + Duration::from_millis(110)));
    }
}
